import type { Request, Response } from 'express'
import type { SimulatorParts } from '../parts.ts'
import type { Person } from '../world/directory.ts'

/** Cookies know no ports: the name must not be one that an app on another port of this host uses. */
const cookieName = 'simulated-microsoft'

/** People signed in in this browser, the latest first. */
export function accountsOf(parts: SimulatorParts, req: Request): Person[] {
  return parts.sessions.accounts(sessionOf(req)).flatMap((id) => parts.world.person(id) ?? [])
}

/** Signs a person in in this browser. */
export function rememberAccount(parts: SimulatorParts, req: Request, res: Response, person: Person): void {
  const id = parts.sessions.signIn(sessionOf(req), person.id)
  res.cookie(cookieName, id, { httpOnly: true, sameSite: 'lax', path: '/' })
}

/** Signs everybody in this browser out. */
export function forgetAccounts(parts: SimulatorParts, req: Request, res: Response): void {
  parts.sessions.signOut(sessionOf(req))
  res.clearCookie(cookieName, { path: '/' })
}

function sessionOf(req: Request): string | undefined {
  return new RegExp(`(?:^|; )${cookieName}=([^;]+)`).exec(req.get('cookie') ?? '')?.[1]
}
