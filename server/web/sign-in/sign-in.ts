import type { Request, Response } from 'express'
import { z } from 'zod'
import { PortalError } from '../../errors.ts'
import { endSession, operatorActor, roleOf } from '../../http/access.ts'
import { addressKey, clientAddress } from '../../http/client-address.ts'
import { readForm } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { ownPath } from '../../http/security.ts'
import { startCsrf } from '../../http/session/csrf.ts'
import { sameText } from '../../http/session/same-text.ts'
import { dropSealed, unseal } from '../../http/session/sealed.ts'
import { readSignInReturn } from '../../microsoft/login/consent.ts'
import type { SignedInPerson } from '../../model/access.ts'
import { findEntry } from '../../model/dictionary.ts'
import { Refusal } from '../../model/refusal.ts'
import type { Portal } from '../../portal.ts'
import { type Actor, recordAudit } from '../../store/audit.ts'
import { write } from '../../store/engine/write.ts'
import { dropRoles, operatorId, recordSignIn } from '../../store/operators/operators.ts'
import { recordRefusedSignIn } from '../../store/operators/refused-sign-ins.ts'
import { capSessions } from '../../store/operators/sessions.ts'
import { spend } from '../../store/operators/spent-states.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { leaveForMicrosoft, noteAway, transaction } from './leave.ts'
import { leadToRefusal } from './refused.ts'

export interface SignInView {
  partnerName: string
  /** Where the person was going; `/` when nowhere in particular. */
  returnTo: string
  /** Whether that is somewhere. */
  returns: boolean
}

const signInPage = page<SignInView>('sign-in/sign-in')

export interface SignedOutView {
  partnerName: string
}

const signedOutPage = page<SignedOutView>('sign-in/signed-out')

const sessionsPerOperator = 10

/** Shows the button. Whoever is signed in goes on. */
export const showSignIn: Handler = async (portal, req, res) => {
  const returnTo = ownPath(req.query.returnTo)
  if (req.operator) return res.redirect(303, returnTo)
  const { partnerName } = await readSettings(portal.db)
  return render(res, signInPage, { partnerName, returnTo, returns: returnTo !== '/' })
}

/** The page again, after it was open for so long that its form is no longer taken. */
export const signInPageAgain = (req: Request): string =>
  `/sign-in?returnTo=${encodeURIComponent(ownPath((req.body as Record<string, unknown> | undefined)?.returnTo))}`

const start = { returnTo: z.string().optional(), account: z.literal('other').optional() }

/** Sends the browser to Microsoft, where the person signs in. */
export const startSignIn: Handler = async (portal, req, res) => {
  const { value } = readForm(start, req)
  if (value === null) throw new PortalError('BAD_REQUEST')
  const prompt = value.account === 'other' ? 'select_account' : null
  await leaveForMicrosoft(portal, res, { returnTo: ownPath(value.returnTo), prompt, loginHint: null, silent: false })
}

/**
 * Where Microsoft sends an operator's browser back to: compares the state before anything else, spends it, redeems the
 * code, and opens a session for a person of the partner's tenant who has a role. Nothing is asked of Microsoft for a
 * sign-in that did not begin in this browser. Whatever it ends with is told at an address that holds nothing of it.
 * @throws PortalError `SIGN_IN_EXPIRED`
 */
export const returnFromSignIn: Handler = async (portal, req, res) => {
  const answer = readSignInReturn(req.query)
  const errand = await unseal(portal, req, transaction)
  if (errand === null || answer.state === null || !sameText(errand.state, answer.state)) {
    throw new PortalError('SIGN_IN_EXPIRED')
  }
  if (errand.silent && answer.kind !== 'code') return goOnSeen(portal, req, res, answer.code, errand.returnTo)
  await res.locals.countCode(req)
  dropSealed(portal, res, transaction)
  const acceptedUntil = new Date(portal.now().getTime() + transaction.seconds * 1000)
  if (!(await spend(portal.db, errand.state, acceptedUntil))) throw new PortalError('SIGN_IN_EXPIRED')
  try {
    await endSignIn(portal, req, answer, errand)
  } catch (error) {
    if (!(errand.silent && error instanceof PortalError && error.code === 'SIGN_IN_UNAVAILABLE')) {
      return leadToRefusal(portal, res, error)
    }
    noteAway(portal, req)
  }
  res.redirect(303, errand.returnTo)
}

/** Microsoft did not say unseen who it is: it is away for now, or wants to be answered, and then the person sees it. */
async function goOnSeen(portal: Portal, req: Request, res: Response, code: string, returnTo: string): Promise<void> {
  dropSealed(portal, res, transaction)
  if (code === 'unavailable' || code === 'throttled') {
    noteAway(portal, req)
    return res.redirect(303, returnTo)
  }
  const loginHint = req.operator?.username ?? null
  await leaveForMicrosoft(portal, res, { returnTo, prompt: null, loginHint, silent: false })
}

/** @throws PortalError `SIGN_IN_*`; Refusal when the partner's own registration is at fault */
async function endSignIn(
  portal: Portal,
  req: Request,
  said: ReturnType<typeof readSignInReturn>,
  begun: { nonce: string; codeVerifier: string },
): Promise<void> {
  if (said.kind !== 'code') {
    await recordRefusal(portal, req, null, { reason: said.kind, aadsts: said.aadsts })
    const { login: words, aadsts, correlationId } = said
    const away = said.code === 'unavailable' || said.code === 'throttled'
    throw new PortalError(away ? 'SIGN_IN_UNAVAILABLE' : 'SIGN_IN_REFUSED', { told: { words, aadsts, correlationId } })
  }
  const person = await redeem(portal, req, { code: said.code, nonce: begun.nonce, codeVerifier: begun.codeVerifier })
  await refuseWithoutRole(portal, req, person)
  if (isSame(req, person)) await goOn(portal, req, person)
  else await openSession(portal, req, person)
}

async function redeem(
  portal: Portal,
  req: Request,
  proof: { code: string; nonce: string; codeVerifier: string },
): Promise<SignedInPerson> {
  try {
    return await portal.microsoft.redeemSignIn({
      purpose: 'operator',
      tenantId: portal.config.partnerTenantId,
      ...proof,
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (error.owner === 'microsoft' || error.owner === 'wait') {
      throw new PortalError('SIGN_IN_UNAVAILABLE', {
        cause: error,
        ...(error.retryAfterMs === null ? {} : { retryAfterMs: error.retryAfterMs }),
      })
    }
    const { aadsts, error: word, correlationId } = error.facts
    await recordRefusal(portal, req, null, { reason: error.code, aadsts, word })
    // Whose account it is, that token does not prove: it was refused before its name could be believed.
    if (word === 'other_tenant') throw new PortalError('SIGN_IN_OTHER_ORGANISATION')
    if (error.owner === 'partner') throw error
    const words = findEntry(aadsts)?.login ?? null
    throw new PortalError('SIGN_IN_REFUSED', { cause: error, told: { words, aadsts, correlationId } })
  }
}

/** @throws PortalError `SIGN_IN_NO_ROLE`, also for someone whose tenant is not the partner's */
async function refuseWithoutRole(portal: Portal, req: Request, person: SignedInPerson): Promise<void> {
  if (roleOf(person, portal.config) !== null) return
  await write(portal.db, (tx) => dropRoles(tx, person))
  await recordRefusal(portal, req, person, { reason: 'no-role' })
  const account = person.username ?? person.name ?? person.oid
  throw new PortalError('SIGN_IN_NO_ROLE', { facts: { account } })
}

/** Whether it is the one who is signed in here already, with the same roles: her session goes on, and her forms with it. */
const isSame = ({ operator }: Request, person: SignedInPerson): boolean =>
  operator !== undefined &&
  operator.id === operatorId(person) &&
  [...operator.roles].sort().join() === [...person.roles].sort().join()

async function goOn(portal: Portal, req: Request, person: SignedInPerson): Promise<void> {
  const now = portal.now()
  await write(portal.db, (tx) => recordSignIn(tx, person, now))
  req.session.rolesAskedAt = now.toISOString()
  delete req.session.awaySince
  delete req.session.triedAt
}

/** A new session under a new ID; what the browser brought before is gone. */
async function openSession(portal: Portal, req: Request, person: SignedInPerson): Promise<void> {
  const now = portal.now()
  await write(portal.db, async (tx) => {
    await capSessions(tx, operatorId(person), sessionsPerOperator - 1)
    const { id } = await recordSignIn(tx, person, now)
    await recordAudit(tx, actorOf(req, person), { action: 'operator.signed-in', at: now, subjectId: id })
  })
  await new Promise<void>((resolve, reject) => {
    req.sessionStore.regenerate(req, (error: unknown) => (error ? reject(error) : resolve()))
  })
  req.session.operatorId = operatorId(person)
  req.session.signedInAt = now.toISOString()
  req.session.from = { address: clientAddress(req), agent: String(req.headers['user-agent'] ?? '').slice(0, 300) }
  startCsrf(req)
}

async function recordRefusal(
  portal: Portal,
  req: Request,
  person: SignedInPerson | null,
  facts: Record<string, string | number | null>,
): Promise<void> {
  const who = person === null ? addressKey(clientAddress(req)) : operatorId(person)
  await write(portal.db, (tx) => recordRefusedSignIn(tx, actorOf(req, person), { who, at: portal.now(), facts }))
}

/** Someone who came to sign in: the person Microsoft vouched for, or nobody in particular. */
function actorOf(req: Request, person: SignedInPerson | null): Exclude<Actor, { kind: 'muster' }> {
  const from = { address: clientAddress(req), requestId: req.requestId }
  if (person === null) return { kind: 'customer', id: null, name: null, ...from }
  return { kind: 'operator', id: operatorId(person), name: person.name ?? person.username ?? person.oid, ...from }
}

/** Ends the session in the store, and asks the browser to forget what it holds of these pages. */
export const signOut: Handler<OperatorRequest> = async (portal, req, res) => {
  const at = portal.now()
  const subjectId = req.operator.id
  await endSession(portal, req, res)
  await write(portal.db, (tx) => recordAudit(tx, operatorActor(req), { action: 'operator.signed-out', at, subjectId }))
  res.set('Clear-Site-Data', '"cache", "storage"')
  res.redirect(303, '/signed-out')
}

export const showSignedOut: Handler = async (portal, _req, res) => {
  const { partnerName } = await readSettings(portal.db)
  return render(res, signedOutPage, { partnerName })
}
