import type { Request, Response } from 'express'
import type { Config } from '../../config/config.ts'

const isEncrypted = (config: Config) => config.publicUrl.startsWith('https:')

/**
 * Our name of a cookie: with the `__Host-` prefix (Secure, no Domain, Path=/) wherever people see https. Browsers
 * disagree about that prefix on plain http, where PUBLIC_URL can only be loopback.
 */
export const cookieName = (config: Config, name: string): string => `${isEncrypted(config) ? '__Host-' : ''}${name}`

export const cookieOptions = (config: Config) =>
  ({ httpOnly: true, secure: isEncrypted(config), sameSite: 'lax', path: '/' }) as const

/**
 * The value of a cookie of ours, exactly as sent; the first one when it comes twice. `name` is the one it was set by,
 * without the prefix.
 */
export function cookieOf(config: Config, req: Request, name: string): string | undefined {
  const whole = cookieName(config, name)
  for (const part of (req.headers.cookie ?? '').split(';')) {
    const equals = part.indexOf('=')
    if (equals > 0 && part.slice(0, equals).trim() === whole) return part.slice(equals + 1).trim()
  }
  return undefined
}

/** The names of all cookies that were sent. */
export const cookieNames = (req: Request): string[] =>
  (req.headers.cookie ?? '').split(';').map((part) => part.slice(0, Math.max(0, part.indexOf('='))).trim())

/**
 * Values are base64url, JWTs, or names of zones and themes: none needs encoding, and none is decoded. `httpOnly` is false for
 * what the page's own script may set anew.
 */
export function setCookie(
  config: Config,
  res: Response,
  name: string,
  value: string,
  seconds: number,
  httpOnly = true,
): void {
  res.cookie(cookieName(config, name), value, {
    ...cookieOptions(config),
    httpOnly,
    maxAge: seconds * 1000,
    encode: (text) => text,
  })
}

export function clearCookie(config: Config, res: Response, name: string): void {
  res.clearCookie(cookieName(config, name), cookieOptions(config))
}
