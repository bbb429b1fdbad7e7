import { createHash, randomBytes } from 'node:crypto'
import type { Request, Response } from 'express'
import { z } from 'zod'
import { type Sealed, seal } from '../../http/session/sealed.ts'
import type { Portal } from '../../portal.ts'

/** One sign-in on its way, kept by the browser that started it. */
export const transaction: Sealed<{
  state: string
  nonce: string
  codeVerifier: string
  returnTo: string
  /** Nobody saw it begin: where it cannot end unseen, it goes on where somebody does. */
  silent: boolean
}> = {
  name: 'muster-sign-in',
  schema: z.object({
    state: z.string(),
    nonce: z.string(),
    codeVerifier: z.string(),
    returnTo: z.string(),
    silent: z.boolean().default(false),
  }),
  seconds: 15 * 60,
}

/** Sends the browser to Microsoft with a state, a nonce and a PKCE challenge that only this browser holds the rest of. */
export async function leaveForMicrosoft(
  portal: Portal,
  res: Response,
  how: { returnTo: string; prompt: 'none' | 'select_account' | null; loginHint: string | null; silent: boolean },
): Promise<void> {
  const [state, nonce, codeVerifier] = [secret(), secret(), secret()]
  const { returnTo, prompt, loginHint, silent } = how
  await seal(portal, res, transaction, { state, nonce, codeVerifier, returnTo, silent })
  const address = portal.microsoft.signInUrl({
    purpose: 'operator',
    tenantId: portal.config.partnerTenantId,
    state,
    nonce,
    codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    prompt,
    ...(loginHint === null ? {} : { loginHint }),
  })
  res.redirect(303, address)
}

/** Keeps with a session that Microsoft could not be asked just now. */
export function noteAway(portal: Portal, req: Request): void {
  const at = portal.now().toISOString()
  req.session.awaySince ??= at
  req.session.triedAt = at
}

const secret = () => randomBytes(32).toString('base64url')
