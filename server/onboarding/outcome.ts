import type { ConsentClaim } from '../microsoft/login/consent.ts'
import type { Portal } from '../portal.ts'
import type { Actor } from '../store/audit.ts'
import type { Tx } from '../store/engine/dialect.ts'
import {
  type AttemptOutcome,
  attemptById,
  awaitProofOf,
  type ConsentAttempt,
  recordOutcome,
} from '../store/onboarding/attempts.ts'
import { awaitProof } from '../store/onboarding/awaited-proofs.ts'
import { recordVisitorAudit } from '../store/onboarding/links.ts'
import { openReview, type ReviewEvidence, type ReviewKind } from '../store/onboarding/reviews.ts'
import { findTenant } from '../store/tenants/tenants.ts'
import { type Binding, loadBindingFacts, recordRefused } from './binding.ts'
import { type BindingEnd, judgeBinding, objectionTo } from './judge.ts'

/**
 * An attempt has come back with a tenant, by the word of its browser or by a validated sign-in. Nothing is bound for that:
 * the attempt waits until a token proves that the tenant consented, or ends here and now where that could change nothing.
 */
export async function endAttemptWithClaim(
  portal: Pick<Portal, 'config' | 'now'>,
  tx: Tx,
  actor: Actor,
  attempt: ConsentAttempt,
  claimed: Pick<Binding, 'tenantId' | 'by'> & { how: 'pinned' | 'sign-in' },
): Promise<void> {
  const now = portal.now()
  const { tenantId, how } = claimed
  const { customerId, linkId, pinnedTenantId } = attempt
  const { partnerTenantId } = portal.config
  const facts = await loadBindingFacts(tx, {
    tenantId,
    customerId,
    linkId,
    how,
    pinnedTenantId,
    partnerTenantId,
    now,
  })
  const verdict = judgeBinding(facts)
  if (verdict !== 'allowed') return endAttempt(portal, tx, actor, { ...attempt, ...knownOf(claimed) }, verdict)
  await awaitProofOf(tx, attempt.id, { tenantId, ...knownOf(claimed) })
  await awaitProof(tx, tenantId, now)
  await recordVisitorAudit(tx, actor, linkId, {
    action: 'consent.claimed',
    at: now,
    customerId,
    subjectId: attempt.id,
    facts: { tenantId, evidence: knownOf(claimed).evidence },
  })
}

const knownOf = ({ tenantId, how, by }: Pick<Binding, 'tenantId' | 'by'> & { how: 'pinned' | 'sign-in' }) =>
  ({ claimedTenantId: tenantId, evidence: how === 'sign-in' ? 'sign-in' : 'callback', person: by || null }) as const

/**
 * Ends an attempt whose tenant is known as a verdict has it; what an operator has to decide on is kept for review. Witness
 * of a refusal is whoever reached the verdict.
 */
export async function endAttempt(
  portal: Pick<Portal, 'config' | 'now'>,
  tx: Tx,
  actor: Actor,
  attempt: ConsentAttempt & { claimedTenantId: string },
  verdict: BindingEnd,
): Promise<void> {
  const now = portal.now()
  const { claimedTenantId, customerId, person } = attempt
  const evidence = attempt.evidence === 'sign-in' ? 'sign-in' : 'callback'
  const kept = { tenantId: claimedTenantId, evidence, person } as const
  switch (verdict) {
    case 'bound':
      return recordOutcome(tx, attempt.id, 'bound', now, { claimedTenantId, boundTenantId: claimedTenantId })
    case 'link-withdrawn':
      await openReview(tx, actor, reviewOf(attempt, { kind: 'unclaimed', ...kept }), now)
      return endAttemptRefused(tx, actor, attempt, 'link-withdrawn', now, { claimedTenantId })
    case 'late':
      return keepForReview(portal, tx, actor, attempt, { kind: 'unclaimed', ...kept })
    case 'needs-decision':
      return keepForReview(portal, tx, actor, attempt, { kind: 'unpinned', ...kept })
    default:
      await recordRefused(tx, actor, { tenantId: claimedTenantId, customerId, now }, verdict, attempt.linkId)
      return recordOutcome(tx, attempt.id, verdict, now, { claimedTenantId })
  }
}

/** Ends an attempt without a binding, in the customer's timeline as well. */
export async function endAttemptRefused(
  tx: Tx,
  actor: Actor,
  attempt: ConsentAttempt,
  outcome: AttemptOutcome,
  now: Date,
  known: { aadsts?: number | null; correlationId?: string | null; claimedTenantId?: string } = {},
): Promise<void> {
  const { aadsts = null, correlationId = null, claimedTenantId } = known
  await recordOutcome(tx, attempt.id, outcome, now, {
    aadsts,
    ...(claimedTenantId === undefined ? {} : { claimedTenantId }),
  })
  await recordVisitorAudit(tx, actor, attempt.linkId, {
    action: outcome === 'declined' ? 'attempt.declined' : 'attempt.refused',
    at: now,
    customerId: attempt.customerId,
    subjectId: attempt.id,
    facts: {
      outcome,
      aadsts,
      ...(correlationId === null ? {} : { correlationId }),
      ...(claimedTenantId === undefined ? {} : { tenantId: claimedTenantId }),
    },
  })
}

interface Kept {
  kind: ReviewKind
  tenantId: string
  evidence: ReviewEvidence
  person?: string | null
}

const reviewOf = (attempt: ConsentAttempt, kept: Kept) => ({
  kind: kept.kind,
  customerId: attempt.customerId,
  linkId: attempt.linkId,
  attemptId: attempt.id,
  tenantId: kept.tenantId,
  tenantName: null,
  tenantDomain: null,
  evidence: kept.evidence,
  person: kept.person ?? null,
})

/**
 * Keeps a claimed tenant for an operator to decide on. The attempt that brought it waits for that decision.
 *
 * What can never be this customer's is refused here and now, but only to somebody proven to belong to it: to a claim
 * that anybody can make up, the answer must not tell whether a tenant is known here.
 */
export async function keepForReview(
  portal: Pick<Portal, 'config' | 'now'>,
  tx: Tx,
  actor: Actor,
  attempt: ConsentAttempt,
  kept: Kept,
): Promise<void> {
  const now = portal.now()
  const current = await attemptById(tx, attempt.id)
  if (current.outcome === 'bound') return
  const owner = await findTenant(tx, kept.tenantId)
  const claimed = {
    tenantId: kept.tenantId,
    customerId: attempt.customerId,
    pinnedTenantId: attempt.pinnedTenantId,
    partnerTenantId: portal.config.partnerTenantId,
    owner: owner && { customerId: owner.customerId, tombstone: owner.accessState === 'offboarded' },
    now,
  }
  const belongs = kept.evidence === 'sign-in' && kept.kind !== 'guest'
  const objection = belongs ? objectionTo(claimed) : null
  const { id, linkId } = attempt
  const claimedTenantId = kept.tenantId
  if (objection) {
    await recordRefused(tx, actor, claimed, objection, linkId)
    return recordOutcome(tx, id, objection, now, { claimedTenantId })
  }
  if (await openReview(tx, actor, reviewOf(attempt, kept), now)) {
    return recordOutcome(tx, id, 'review', now, { claimedTenantId })
  }
  // So many wait for a decision that nobody will look at this one: it does not say otherwise.
  await recordOutcome(tx, id, 'sign-in-failed', now, { claimedTenantId })
}

/** How a run ends that Microsoft, or a person there, said no to. */
export const outcomeOf: Record<(ConsentClaim & { kind: 'refused' })['reason'], AttemptOutcome> = {
  declined: 'declined',
  cancelled: 'declined',
  'not-admin': 'not-admin',
  'wrong-tenant': 'wrong-tenant',
  unlicensed: 'unlicensed',
  misconfigured: 'misconfigured',
  other: 'refused',
}
