import type { Request, Response } from 'express'
import type { Config } from '../config/config.ts'
import { PortalError } from '../errors.ts'
import type { Portal } from '../portal.ts'
import type { Actor } from '../store/audit.ts'
import { findOperator, type Operator } from '../store/operators/operators.ts'
import { everything } from '../store/scope.ts'
import { clientAddress } from './client-address.ts'
import { operatorFrame } from './frame/frame.ts'
import { isNamedAdmin, type OperatorRole, reaches } from './operator.ts'
import { operatorReader } from './reader.ts'
import type { Access, OperatorRequest, Route } from './route.ts'
import { scopeOf } from './scope.ts'
import { ownPath } from './security.ts'
import { clearCookie, cookieOf, setCookie } from './session/cookies.ts'
import { holdsUntil, rolesStand } from './session/roles-age.ts'

/** The role of someone of the partner's tenant, as of now: app roles of the latest sign-in, or ADMIN_USERS. */
export function roleOf(person: Pick<Operator, 'tid' | 'oid' | 'username' | 'roles' | 'guest'>, config: Config) {
  if (person.tid !== config.partnerTenantId) return null
  if (isNamedAdmin(person, config)) return 'Admin'
  const order: OperatorRole[] = ['Admin', 'Analyst', 'Reader']
  return order.find((role) => person.roles.includes(`Muster.${role}`)) ?? null
}

/**
 * Lets a request through to its route, or not. What it finds out is on the request: `operator` for the signed in,
 * `browser` for customers.
 * @throws PortalError `FORBIDDEN`, `OUTSIDE_SCOPE`, `SIGN_IN_REQUIRED`, `SIGN_IN_NO_ROLE`, `CONSENT_NOT_YOURS`
 */
export async function admit(portal: Portal, route: Route, req: Request, res: Response): Promise<'in' | 'answered'> {
  if (route.access === 'public') {
    if (route.readsSession) await recogniseOperator(portal, req, res)
    return 'in'
  }
  if (route.access === 'customer-browser') {
    const browser = browserOf(portal.config, req)
    if (browser === undefined) throw new PortalError('CONSENT_NOT_YOURS')
    req.browser = browser
    return 'in'
  }
  const operator = await recogniseOperator(portal, req, res)
  if (operator === null) return askToSignIn(req, res)
  const stand = rolesStand(req, portal.now())
  if (stand === 'ask') {
    res.redirect(303, `/auth/again?returnTo=${encodeURIComponent(ownPath(req.originalUrl))}`)
    return 'answered'
  }
  if (stand === 'over') {
    await endSession(portal, req, res)
    return askToSignIn(req, res)
  }
  // What a form brings is read first, so that it can be kept; leaving needs no roles.
  if (stand === 'again' && req.path !== '/auth/logout') {
    if (req.method !== 'POST' || req.headers['hx-request'] === 'true') throw new PortalError('SIGN_IN_AGAIN')
    res.locals.rolesTooOld = true
  }
  res.locals.rolesHoldUntil = holdsUntil(req)
  res.locals.reader = operatorReader(res.locals.reader, operator)
  const scope = scopeOf(operator, portal.config)
  req.scope = scope
  res.locals.frame = () => operatorFrame(portal, operator, scope, res.locals.lifecycle.storage?.fault ?? null)
  const needed = route.access === 'signed-in' ? 'Reader' : route.access
  if (!reaches(operator.role, needed)) {
    throw new PortalError('FORBIDDEN', { facts: { role: operator.role, needed } })
  }
  if (route.wholePortal && scope !== everything) throw new PortalError('OUTSIDE_SCOPE')
  return 'in'
}

/** The operator behind the session, with the role of this moment; a session whose person lost hers ends here. */
async function recogniseOperator(portal: Portal, req: Request, res: Response) {
  const id = req.session.operatorId
  if (id === undefined) return null
  const operator = await findOperator(portal.db, id)
  const role = operator === null ? null : roleOf(operator, portal.config)
  if (operator !== null && role !== null) {
    req.operator = { ...operator, role }
    return req.operator
  }
  await endSession(portal, req, res)
  if (operator === null) return null
  throw new PortalError('SIGN_IN_NO_ROLE', { facts: { account: operator.username ?? operator.name ?? operator.oid } })
}

/** Destroys the session in the store and takes its cookie back. */
export async function endSession(portal: Portal, req: Request, res: Response): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    req.session.destroy((error: unknown) => (error ? reject(error) : resolve()))
  })
  clearCookie(portal.config, res, 'muster')
}

/** Pages lead to the sign-in page and back; what a script asked for says so in its own way. */
function askToSignIn(req: Request, res: Response): 'answered' {
  const returnTo = req.method === 'POST' ? '/' : ownPath(req.originalUrl)
  const address = returnTo === '/' ? '/sign-in' : `/sign-in?returnTo=${encodeURIComponent(returnTo)}`
  if (req.headers['hx-request'] === 'true') res.set('HX-Redirect', address)
  else if (req.accepts(['html', 'json']) === 'html') {
    res.redirect(303, address)
    return 'answered'
  }
  throw new PortalError('SIGN_IN_REQUIRED')
}

const browserCookie = 'muster-customer'
const browserCookieSeconds = 7 * 86_400

/**
 * Keeps the secret of a customer's browser: 256 bits, given at the moment its visitor continues to Microsoft, and what
 * result pages know that browser by. Long enough for a consent that takes days to take effect.
 */
export function keepBrowser(config: Config, res: Response, browser: string): void {
  setCookie(config, res, browserCookie, browser, browserCookieSeconds)
}

/** The secret of this browser, if it was given one. */
export function browserOf(config: Config, req: Request): string | undefined {
  const value = cookieOf(config, req, browserCookie)
  return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined
}

export const operatorActor = (req: OperatorRequest): Actor & { kind: 'operator' } => ({
  kind: 'operator',
  id: req.operator.id,
  name: req.operator.name ?? req.operator.username ?? req.operator.oid,
  address: clientAddress(req),
  requestId: req.requestId,
})

/** Whoever holds a consent link. */
export const customerActor = (req: Request): Extract<Actor, { kind: 'customer' }> => ({
  kind: 'customer',
  id: null,
  name: null,
  address: clientAddress(req),
  requestId: req.requestId,
})

export const needsSession = (access: Access): boolean => access !== 'public' && access !== 'customer-browser'
