import type { ConsentClaim } from '../microsoft/login/consent.ts'
import { readAsking } from '../partner/asked-permissions.ts'
import type { Portal } from '../portal.ts'
import { getCustomer, isExpectedElsewhere } from '../store/customers/customers.ts'
import type { Tx } from '../store/engine/dialect.ts'
import { digest, newToken } from '../store/identifiers.ts'
import {
  findAttemptByState,
  findAttemptOfBrowser,
  findLatestAttemptOfBrowser,
  findLatestOwnAttempt,
  findRunOfPerson,
} from '../store/onboarding/attempt-list.ts'
import { findRoom } from '../store/onboarding/attempt-room.ts'
import { redeemState } from '../store/onboarding/attempt-states.ts'
import { type ConsentAttempt, holdAttempt } from '../store/onboarding/attempts.ts'
import { type ConsentLink, findLink, getLink, holdLink, linkState } from '../store/onboarding/links.ts'
import { findTenant } from '../store/tenants/tenants.ts'
import { consentRightOf } from './consent-right.ts'
import { linkIdsIn } from './consent-state.ts'
import { type Claim, outcomeOf, type ReturnFacts, type RunFacts, type Tie } from './judge.ts'
import type { BindingFacts } from './judge-binding.ts'
import type { Departure, SignIn, Visitor } from './steps.ts'

/** Milliseconds: long enough to find a phone for the second factor; a later return is kept for review. */
const attemptLasts = 60 * 60_000

/** A browser that came back from Microsoft, and all that it brought. */
export interface Return {
  visitor: Visitor & { browser: string }
  /** Null for what cannot be read. */
  claim: ConsentClaim | null
  /** The sign-in that it comes back from, spent; null where it comes from a consent. */
  signIn: SignIn | null
  /** Of the departure whose state came back. */
  departure: Departure | null
  /** Departures of this browser whose state did not, the latest first. */
  others: readonly Departure[]
}

/** A run that has no row yet. */
export interface NewRun {
  linkId: string
  customerId: string
  kind: 'landing' | 'classic'
  state: string
  leftAt: string
  expiresAt: Date
  pinnedTenantId: string | null
  claimedTenantId: string | null
  /** Whose sign-in alone it is kept for; null for a run of a browser. */
  personHash: string | null
}

/** What a return is about, as it stands in this transaction. */
interface Tied {
  tie: Tie
  /** Whose link it is; null of nobody's return. */
  link: ConsentLink | null
  /** The run's own row, or that of the page this browser has. */
  attempt: ConsentAttempt | null
  /** What is kept of the run, where it has no row and may have one. */
  fresh: NewRun | null
  /** IDs of runs that have to give way for it; null when none can. */
  room: readonly string[] | null
}

export interface LoadedReturn extends Tied {
  facts: ReturnFacts
}

/**
 * All that decides about a return. A state of ours is spent here: that this return is the first with it is a fact.
 * @throws PortalError NOT_FOUND when the link of a departure is gone
 */
export async function loadReturn(portal: Portal, tx: Tx, returned: Return): Promise<LoadedReturn> {
  const tied = await tieOf(portal, tx, returned)
  const { tie, attempt } = tied
  const claim = await claimOf(portal, tx, returned)
  const run = tie === 'first' || tie === 'late' || tie === 'mangled' ? runFactsOf(portal, tied) : null
  const binding = run === null ? null : await bindingOf(portal, tx, claim, run, tied)
  return { ...tied, facts: { claim, tie, page: attempt !== null, run, binding } }
}

function runFactsOf({ now }: Portal, { link, attempt, fresh, room }: Tied): RunFacts | null {
  const run = attempt ?? fresh
  if (run === null || link === null) return null
  return {
    kind: run.kind === 'classic' ? 'classic' : 'landing',
    row: fresh === null ? 'kept' : room === null ? 'full' : 'room',
    bound: attempt?.outcome === 'bound',
    pinnedTenantId: run.pinnedTenantId,
    claimedTenantId: run.claimedTenantId,
    link: linkState(link, now()),
  }
}

async function bindingOf(
  { config, now }: Portal,
  tx: Tx,
  claim: Claim,
  { pinnedTenantId }: RunFacts,
  { link }: Tied,
): Promise<BindingFacts | null> {
  if (link === null || (claim.kind !== 'granted' && claim.kind !== 'person')) return null
  return loadBindingFacts(tx, {
    tenantId: claim.tenantId,
    customerId: link.customerId,
    linkId: link.id,
    how: claim.kind === 'person' ? 'sign-in' : 'pinned',
    pinnedTenantId,
    partnerTenantId: config.partnerTenantId,
    now: now(),
  })
}

/** What decides about a claimed tenant, as it stands in this transaction. @throws PortalError NOT_FOUND */
export async function loadBindingFacts(
  tx: Tx,
  claimed: Pick<BindingFacts, 'tenantId' | 'customerId' | 'how' | 'pinnedTenantId' | 'partnerTenantId'> & {
    linkId: string | null
    now: Date
  },
): Promise<BindingFacts> {
  const { tenantId, customerId, linkId } = claimed
  const owner = await findTenant(tx, tenantId)
  return {
    tenantId,
    customerId,
    how: claimed.how,
    pinnedTenantId: claimed.pinnedTenantId,
    partnerTenantId: claimed.partnerTenantId,
    link: linkId === null ? null : linkState(await getLink(tx, linkId), claimed.now),
    served: (await getCustomer(tx, customerId)).offboardedAt === null,
    owner: owner && { customerId: owner.customerId, tombstone: owner.accessState === 'offboarded' },
    expectedElsewhere: await isExpectedElsewhere(tx, tenantId, customerId),
  }
}

async function claimOf(portal: Portal, tx: Tx, { claim, signIn }: Return): Promise<Claim> {
  if (signIn === null) return claim ?? { kind: 'unreadable' }
  const { end } = signIn
  if (end.kind === 'needs-person') return { kind: 'needs-person', tenantId: signIn.tenantId }
  if (end.kind !== 'person') return { kind: 'unproven' }
  const { consenters } = await readAsking(portal, tx)
  return { kind: 'person', tenantId: end.person.tid, right: consentRightOf(end.person, consenters) }
}

const nobody: Tied = { tie: 'unknown', link: null, attempt: null, fresh: null, room: null }

async function tieOf(portal: Portal, tx: Tx, returned: Return): Promise<Tied> {
  const { claim, signIn, departure } = returned
  if (signIn !== null) return tieOfSignIn(portal, tx, returned, signIn)
  const state = claim?.state ?? null
  const kept = state === null ? null : await findAttemptByState(tx, state)
  if (state !== null && kept !== null) {
    // States of departures name their link; that of a classic link itself names nothing.
    const classic = kept.kind === 'classic' && !linkIdsIn(portal.config, state).includes(kept.linkId)
    return classic ? tieOfClassic(portal, tx, returned, kept) : tieOfKept(portal, tx, returned, state)
  }
  return departure === null ? tieOfUnknown(portal, tx, returned) : tieOfDeparture(portal, tx, returned, departure)
}

/**
 * Somebody comes back with the classic link. It was tied to no browser, and one link serves everybody it is sent to: each
 * has a run of his own, and no end of one of them is the end of the link.
 */
async function tieOfClassic(portal: Portal, tx: Tx, returned: Return, kept: ConsentAttempt): Promise<Tied> {
  const { visitor, claim } = returned
  const link = await holdLink(tx, kept.linkId)
  const own = await findLatestOwnAttempt(tx, link.id, visitor.browser)
  if (own !== null && claim !== null && standsFor(own, claim)) return { ...nobody, tie: 'again', link, attempt: own }
  const leftAt = portal.now().toISOString()
  const departure = { state: newToken(), linkId: link.id, kind: 'classic', leftAt } as const
  const late = linkState(link, portal.now()) === 'expired'
  return newRunOf(portal, tx, returned, link, { tie: late ? 'late' : 'first', departure, expiresAt: link.expiresAt })
}

/** An address that is loaded again, or one run more of a browser that is still at another, has a page already. */
function standsFor(own: ConsentAttempt, claim: ConsentClaim): boolean {
  if (!own.finishedAt || own.outcome === 'bound' || own.outcome === 'review') return true
  return own.kind === 'classic' && claim.kind === 'refused' && own.outcome === outcomeOf[claim.reason]
}

/** The run has a row: one that came back before, or one that left before departures lost theirs. */
async function tieOfKept({ now }: Portal, tx: Tx, { visitor }: Return, state: string): Promise<Tied> {
  const redemption = await redeemState(tx, state, visitor.browser, now())
  if (redemption.found === 'unknown') return nobody
  const { attempt, found } = redemption
  const link = await getLink(tx, attempt.linkId)
  const run = attempt.kind !== 'proof'
  if (found === 'fresh' && run) return { ...nobody, tie: 'first', link, attempt }
  const mine = found === 'fresh' || redemption.mine
  if (found === 'late' && mine && run) return { ...nobody, tie: 'late', link, attempt }
  const own = run ? attempt : await findLatestOwnAttempt(tx, attempt.linkId, visitor.browser)
  const again = found === 'spent' || found === 'fresh'
  return { ...nobody, tie: again ? 'again' : 'elsewhere', link, attempt: mine ? own : null }
}

/** The return of a departure: from here on there is a run, where there is room for one. */
async function tieOfDeparture(portal: Portal, tx: Tx, returned: Return, departure: Departure): Promise<Tied> {
  const link = await holdLink(tx, departure.linkId)
  // Somebody was faster with the same state: there is a page for it now.
  const spent = await findAttemptByState(tx, departure.state)
  if (spent !== null) return { ...nobody, tie: 'again', link, attempt: spent }
  const expiresAt = new Date(Date.parse(departure.leftAt) + attemptLasts).toISOString()
  const tie = expiresAt <= portal.now().toISOString() ? 'late' : 'first'
  return newRunOf(portal, tx, returned, link, { tie, departure, expiresAt })
}

/** The state is nobody's that this browser has: made up, altered on the way, or somebody else's. */
async function tieOfUnknown(portal: Portal, tx: Tx, returned: Return): Promise<Tied> {
  const { visitor, claim, others } = returned
  if (claim !== null) portal.log.warn({ event: 'sequence_fail', kind: claim.kind }, unknownState)
  const named = claim?.state ? await linkNamedBy(portal, tx, claim.state) : null
  if (named !== null) return { ...nobody, tie: 'elsewhere', link: named }
  const own = await findLatestAttemptOfBrowser(tx, visitor.browser)
  const left = others.find(({ leftAt }) => own === null || leftAt > own.startedAt)
  // No code comes back from where a departure leads: whose it is, it does not say.
  if (left !== undefined && claim?.kind !== 'code') {
    const link = await holdLink(tx, left.linkId)
    const expiresAt = portal.now().toISOString()
    return newRunOf(portal, tx, returned, link, { tie: 'mangled', departure: left, expiresAt })
  }
  // A sign-in that lost its cookie, or an address that is loaded again: this browser has a page of its own.
  return own === null ? nobody : { ...nobody, tie: 'elsewhere', link: await getLink(tx, own.linkId), attempt: own }
}

const unknownState = 'a consent callback with an unknown state was refused'

async function linkNamedBy({ config }: Portal, tx: Tx, state: string): Promise<ConsentLink | null> {
  for (const id of linkIdsIn(config, state)) {
    const link = await findLink(tx, id)
    if (link !== null) return link
  }
  return null
}

/** A run that a sign-in is to prove; one of which nothing is kept may have a row once somebody has signed in. */
async function tieOfSignIn({ now }: Portal, tx: Tx, { visitor }: Return, signIn: SignIn): Promise<Tied> {
  const { run, taken, end, state } = signIn
  if (typeof run === 'string') {
    const own = await findAttemptOfBrowser(tx, run, visitor.browser)
    if (own === null) return nobody
    const link = await getLink(tx, own.linkId)
    return taken
      ? { ...nobody, tie: 'first', link, attempt: await holdAttempt(tx, run) }
      : { ...nobody, tie: 'again', link, attempt: own }
  }
  const link = await holdLink(tx, run.linkId)
  const personHash = end.kind === 'person' ? digest(`${end.person.tid}.${end.person.oid}`) : null
  const attempt = personHash === null ? null : await findRunOfPerson(tx, link.id, personHash)
  const { customerId, pinnedTenantId } = link
  const fresh = { ...run, customerId, pinnedTenantId, state, personHash, expiresAt: now() }
  return { tie: 'first', link, attempt, fresh, room: personHash === null ? null : [] }
}

async function newRunOf(
  { now }: Portal,
  tx: Tx,
  { visitor: { browser, addressHash } }: Return,
  link: ConsentLink,
  { tie, departure, expiresAt }: { tie: Tie; departure: Departure; expiresAt: string },
): Promise<Tied> {
  const { id: linkId, customerId, pinnedTenantId } = link
  const browserHash = digest(browser)
  const room = await findRoom(tx, { linkId, customerId, browserHash, addressHash, now: now() })
  const run = { ...departure, customerId, pinnedTenantId, claimedTenantId: null, personHash: null }
  return { tie, link, attempt: null, fresh: { ...run, expiresAt: new Date(expiresAt) }, room }
}
