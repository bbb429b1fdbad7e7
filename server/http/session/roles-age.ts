import type { Request } from 'express'
import { hour, minute } from '../../time.ts'

/** From then on the next page asks Microsoft for the roles again, unseen; from the second on nothing else is answered. */
const askAfterMs = 45 * minute
const holdAfterMs = hour
/** While Microsoft is away, roles hold an hour longer, and it is tried again so often. */
const graceMs = hour
const tryEveryMs = 5 * minute

/** What has to be done before a request of an operator is answered: nothing, ask unseen, or have her sign in where she sees it. */
export type RolesStand = 'fresh' | 'ask' | 'again' | 'over'

/**
 * How old the roles of a session are. A full page leads to Microsoft and back (`ask`); a form or a part of a page cannot, and
 * after an hour says so (`again`). `over`: Microsoft was away for so long that they hold no more.
 */
export function rolesStand(req: Request, now: Date): RolesStand {
  const { signedInAt, rolesAskedAt = signedInAt, awaySince, triedAt } = req.session
  if (rolesAskedAt === undefined) return 'fresh'
  const age = now.getTime() - Date.parse(rolesAskedAt)
  if (age < askAfterMs) return 'fresh'
  const isAway = awaySince !== undefined
  const holds = age < holdAfterMs + (isAway ? graceMs : 0)
  if (!isFullPage(req)) return holds ? 'fresh' : 'again'
  const triedLately = triedAt !== undefined && now.getTime() - Date.parse(triedAt) < tryEveryMs
  if (!isAway || !triedLately) return 'ask'
  return holds ? 'fresh' : 'over'
}

/** A page that its person opened, which may lead elsewhere and back. */
const isFullPage = (req: Request): boolean =>
  req.method === 'GET' &&
  req.headers['hx-request'] !== 'true' &&
  req.headers['x-muster-live'] !== '1' &&
  req.accepts(['html', 'json']) === 'html'

/** Until when roles hold that Microsoft cannot be asked for; null while it can. */
export function holdsUntil(req: Request): string | null {
  const { signedInAt, rolesAskedAt = signedInAt, awaySince } = req.session
  if (awaySince === undefined || rolesAskedAt === undefined) return null
  return new Date(Date.parse(rolesAskedAt) + holdAfterMs + graceMs).toISOString()
}
