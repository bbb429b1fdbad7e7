import type { Portal } from '../portal.ts'
import type { Actor, AuditSubject } from '../store/audit.ts'
import type { Tx } from '../store/engine/dialect.ts'
import { digest } from '../store/identifiers.ts'
import { giveWay } from '../store/onboarding/attempt-room.ts'
import { handOver } from '../store/onboarding/attempt-states.ts'
import {
  awaitProofOf,
  type ConsentAttempt,
  recordOutcome,
  recordReturn,
  recordSignedInTenant,
} from '../store/onboarding/attempts.ts'
import { awaitProof } from '../store/onboarding/awaited-proofs.ts'
import { recordVisitorAudit } from '../store/onboarding/link-visits.ts'
import type { ConsentLink } from '../store/onboarding/links.ts'
import { openReview } from '../store/onboarding/reviews.ts'
import { noteRolesSeen } from '../store/partner/roles-unseen.ts'
import type { LoadedReturn, Return } from './facts.ts'
import type { ReturnVerdict, RunEnd } from './judge.ts'
import { beginTenantProof } from './proof.ts'
import type { Step, UnkeptRun } from './steps.ts'

/**
 * Carries out the verdict on a return, in the transaction in which it was loaded.
 * @returns where the browser goes next
 */
export async function applyVerdict(
  portal: Portal,
  tx: Tx,
  returned: Return,
  loaded: LoadedReturn,
  { next, end, beside, signIn: tenantId }: ReturnVerdict,
): Promise<Step> {
  const { visitor, signIn } = returned
  const { link } = loaded
  const { browser } = visitor
  if (beside !== null && link !== null) await keepBeside(portal, tx, visitor.actor, link, beside)
  if (next === 'stranger' || link === null) return { kind: 'stranger' }
  const landing: Step = { kind: 'landing', linkId: link.id, browser }
  if (next === 'landing') return landing
  const way = { browser, tenantId, silent: signIn === null }
  if (loaded.fresh !== null && loaded.room === null) {
    const { linkId, kind, leftAt } = loaded.fresh
    const unkept: UnkeptRun = { linkId, kind, leftAt, claimedTenantId: tenantId }
    return beginTenantProof(portal, tx, unkept, way)
  }
  const attempt = await rowOf(tx, returned, loaded, portal.now())
  // Its state was spent meanwhile, or its run is bound.
  if (attempt === null) return signIn === null ? { kind: 'stranger' } : landing
  await endRun(portal, tx, returned, attempt, end)
  if (next === 'sign-in') return beginTenantProof(portal, tx, attempt.id, way)
  return { kind: 'attempt', attemptId: attempt.id, browser }
}

const firstOutcome = { first: 'claimed', late: 'late', mangled: 'mangled' } as const

/** The row of the run, kept from now on where it had none. */
async function rowOf(
  tx: Tx,
  { visitor: { browser, addressHash } }: Return,
  { facts: { tie }, attempt, fresh, room }: LoadedReturn,
  now: Date,
): Promise<ConsentAttempt | null> {
  if (fresh === null) return attempt
  if (attempt !== null) return handOver(tx, attempt.id, { browser, state: fresh.state })
  await giveWay(tx, room ?? [])
  const outcome = tie === 'late' || tie === 'mangled' ? firstOutcome[tie] : firstOutcome.first
  return recordReturn(tx, { ...fresh, browserHash: digest(browser), addressHash, outcome, now })
}

const rolesUnseen =
  'a sign-in showed no directory roles: set groupMembershipClaims to DirectoryRole on the app that customers consent to'

async function endRun(
  portal: Portal,
  tx: Tx,
  { visitor: { actor }, claim, signIn }: Return,
  attempt: ConsentAttempt,
  end: RunEnd | null,
): Promise<void> {
  const person = signIn?.end.kind === 'person' ? signIn.end.person : null
  if (person !== null && !person.guest) {
    await recordSignedInTenant(tx, attempt.id, person.tid)
    await noteRolesSeen(tx, person.directoryRoles !== null, portal.now())
  }
  if (end === null) return
  if (end.review === 'roles-unseen') portal.log.warn({ tenantId: end.tenantId }, rolesUnseen)
  const refusal = claim?.kind === 'refused' ? claim : {}
  if (person === null) return endAttempt(tx, actor, attempt, end, portal.now(), refusal)
  const name = person.username ?? person.name ?? person.oid
  await endAttempt(tx, { ...actor, name }, attempt, end, portal.now(), { person: name })
}

/** What is known of a run's end beside its outcome. */
interface EndNotes {
  /** Who signed in, for display. */
  person?: string | null
  aadsts?: number | null
  correlationId?: string | null
}

/** Ends a run, or has it wait for a token or for an operator; in the customer's timeline as well. */
export async function endAttempt(
  tx: Tx,
  actor: Actor,
  attempt: ConsentAttempt,
  end: RunEnd,
  now: Date,
  { person = null, aadsts = null, correlationId = null }: EndNotes = {},
): Promise<void> {
  const { id, linkId, customerId } = attempt
  const { tenantId, evidence, witness } = end
  const note = (event: Pick<AuditSubject, 'action' | 'subjectId' | 'facts'>) =>
    recordVisitorAudit(tx, actor, linkId, { ...event, at: now, customerId })
  if (end.outcome === 'awaiting-proof' && tenantId !== null) {
    await awaitProofOf(tx, id, { tenantId, evidence, person })
    await awaitProof(tx, tenantId, now)
    return note({ action: 'consent.claimed', subjectId: id, facts: { tenantId, evidence } })
  }
  const about = { customerId, linkId, attemptId: id, tenantId, tenantName: null, tenantDomain: null, evidence, person }
  const kept = end.review === null || (await openReview(tx, actor, { kind: end.review, ...about }, now))
  // So many wait for a decision that nobody will look at this one: it does not say otherwise.
  const outcome = end.outcome === 'review' && !kept ? 'sign-in-failed' : end.outcome
  await recordOutcome(tx, id, outcome, now, {
    ...(tenantId === null ? {} : { claimedTenantId: tenantId }),
    ...(outcome === 'bound' ? { boundTenantId: tenantId } : {}),
    ...(witness === 'attempt' ? { aadsts } : {}),
  })
  if (witness === 'tenant') return note({ action: 'tenant.refused', facts: { tenantId, reason: outcome } })
  if (witness === null) return
  const action = outcome === 'declined' ? 'attempt.declined' : 'attempt.refused'
  const more = { ...(correlationId === null ? {} : { correlationId }), ...(tenantId === null ? {} : { tenantId }) }
  await note({ action, subjectId: id, facts: { outcome, aadsts, ...more } })
}

/**
 * A return whose link we know, but that came lost or through another browser, or a code that came too late: kept for an
 * operator, never bound by itself. Of a link that was withdrawn as well: the consent may be there.
 */
async function keepBeside(
  portal: Portal,
  tx: Tx,
  actor: Actor,
  { id: linkId, customerId }: ConsentLink,
  { kind, tenantId }: NonNullable<ReturnVerdict['beside']>,
): Promise<void> {
  const nobody = { attemptId: null, tenantName: null, tenantDomain: null, person: null }
  const review = { kind, tenantId, evidence: 'callback', customerId, linkId, ...nobody } as const
  if (await openReview(tx, actor, review, portal.now())) return
  portal.log.info({ customerId }, 'too many returns wait for a decision; one more was dropped')
}
