import type { Request, Response } from 'express'
import { EncryptJWT, jwtDecrypt } from 'jose'
import type { z } from 'zod'
import type { Portal } from '../../portal.ts'
import { clearCookie, cookieOf, setCookie } from './cookies.ts'
import { keysFor } from './keys.ts'

/**
 * Something the browser keeps for us without being able to read or change it: a short-lived encrypted cookie. Nothing
 * of it is in the database, so a stranger’s requests cost no rows.
 */
export interface Sealed<T> {
  name: string
  schema: z.ZodType<T>
  seconds: number
}

/** Sets the cookie. Its life is decided by what is sealed inside, not by what the browser is told. */
export async function seal<T>(portal: Portal, res: Response, kind: Sealed<T>, value: T): Promise<void> {
  const [key] = keysFor(portal.config, `cookie ${kind.name}`)
  const now = Math.floor(portal.now().getTime() / 1000)
  const text = await new EncryptJWT({ value })
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .setIssuedAt(now)
    .setExpirationTime(now + kind.seconds)
    .encrypt(key as Buffer)
  setCookie(portal.config, res, kind.name, text, kind.seconds)
}

/** What was sealed; null when there is nothing, or it is too old, altered, or sealed with a secret that is gone. */
export async function unseal<T>(portal: Portal, req: Request, kind: Sealed<T>): Promise<T | null> {
  const text = cookieOf(portal.config, req, kind.name)
  if (text === undefined) return null
  for (const key of keysFor(portal.config, `cookie ${kind.name}`)) {
    try {
      const { payload } = await jwtDecrypt(text, key, {
        currentDate: portal.now(),
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      })
      return kind.schema.parse(payload.value)
    } catch {
      // Another key may open it; a cookie that none opens is no cookie.
    }
  }
  return null
}

export function dropSealed<T>(portal: Portal, res: Response, kind: Sealed<T>): void {
  clearCookie(portal.config, res, kind.name)
}
