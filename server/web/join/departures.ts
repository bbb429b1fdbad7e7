import type { Request, Response } from 'express'
import { z } from 'zod'
import { cookieName, cookieNames } from '../../http/session/cookies.ts'
import { dropSealed, type Sealed, seal, unseal } from '../../http/session/sealed.ts'
import type { Departure } from '../../onboarding/steps.ts'
import type { Portal } from '../../portal.ts'
import { digest } from '../../store/identifiers.ts'

/** In so many tabs, or with so many links, somebody may be at Microsoft at once; the oldest makes room. */
export const mostDepartures = 8

const prefix = 'muster-left-'

const schema = z.object({
  state: z.string(),
  linkId: z.string(),
  kind: z.enum(['landing', 'classic']),
  leftAt: z.string(),
})

/**
 * That this browser left for Microsoft. Each departure has a cookie of its own, named after its state and sealed for that
 * name, so that tabs which leave at the same moment do not lose each other's. Longer than a run lasts: a late one is told so.
 */
export const departureCookie = (state: string): Sealed<Departure> => cookieFor(digest(state).slice(0, 16))

const cookieFor = (name: string): Sealed<Departure> => ({ name: `${prefix}${name}`, schema, seconds: 24 * 3600 })

/** The departures this browser holds, the latest first. */
export async function departuresOf(portal: Portal, req: Request): Promise<Departure[]> {
  const names = namesIn(portal, req).slice(0, 2 * mostDepartures)
  const cookies = await Promise.all(names.map((name) => unseal(portal, req, cookieFor(name))))
  return cookies.filter((one) => one !== null).sort((a, b) => (a.leftAt < b.leftAt ? 1 : -1))
}

export async function keepDeparture(portal: Portal, req: Request, res: Response, departure: Departure): Promise<void> {
  const departures = await departuresOf(portal, req)
  const names = new Set(departures.slice(0, mostDepartures - 1).map(({ state }) => departureCookie(state).name))
  for (const name of namesIn(portal, req)) {
    const cookie = cookieFor(name)
    if (!names.has(cookie.name)) dropSealed(portal, res, cookie)
  }
  await seal(portal, res, departureCookie(departure.state), departure)
}

function namesIn(portal: Portal, req: Request): string[] {
  const whole = cookieName(portal.config, prefix)
  return cookieNames(req)
    .filter((name) => name.startsWith(whole) && /^[0-9a-f]{16}$/.test(name.slice(whole.length)))
    .map((name) => name.slice(whole.length))
}
