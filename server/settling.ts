import { type Binding, bindClaimed, objectionTo, recordRefused } from './binding.ts'
import type { Portal } from './portal.ts'
import { type AttemptOutcome, attemptById, type ConsentAttempt, recordOutcome } from './store/attempts.ts'
import { type Actor, recordAudit } from './store/audit.ts'
import { customerById } from './store/customers.ts'
import { type Database, write } from './store/database.ts'
import { linkById, linkState } from './store/links.ts'
import { openReview, type ReviewEvidence, type ReviewKind } from './store/reviews.ts'
import { findTenant } from './store/tenants.ts'

/**
 * Binds what an attempt has come back with, or refuses and records why; the attempt ends either way. Between claim and
 * proof an operator may have ended the link, or another run completed it: then nothing is bound without a decision.
 */
export async function settleBinding(
  portal: Portal,
  actor: Actor,
  attempt: ConsentAttempt,
  claimed: Pick<Binding, 'tenantId' | 'by'> & { how: 'pinned' | 'sign-in' },
): Promise<void> {
  const now = portal.now()
  const evidence = claimed.how === 'sign-in' ? 'sign-in' : 'callback'
  const kept = { tenantId: claimed.tenantId, evidence, person: claimed.by || null } as const
  await write(portal.db, async (tx) => {
    const state = linkState(await linkById(tx, attempt.linkId), now)
    if (state === 'withdrawn' || (await customerById(tx, attempt.customerId)).offboardedAt !== null) {
      await openReview(tx, actor, reviewOf(attempt, { kind: 'unclaimed', ...kept }), now)
      await settleRefusal(tx, actor, attempt, 'link-withdrawn', now, { claimedTenantId: claimed.tenantId })
      return
    }
    if (state === 'completed' && claimed.how === 'sign-in' && !(await findTenant(tx, claimed.tenantId))) {
      await keepForReview({ ...portal, db: tx }, actor, attempt, { kind: 'unclaimed', ...kept })
      return
    }
    const verdict = await bindClaimed(tx, actor, {
      ...claimed,
      customerId: attempt.customerId,
      linkId: attempt.linkId,
      pinnedTenantId: attempt.pinnedTenantId,
      partnerTenantId: portal.config.partnerTenantId,
      consented: true,
      now,
    })
    if (verdict === 'needs-decision') {
      await keepForReview({ ...portal, db: tx }, actor, attempt, { kind: 'unpinned', ...kept })
      return
    }
    await recordOutcome(tx, attempt.id, verdict, now, {
      claimedTenantId: claimed.tenantId,
      ...(verdict === 'bound' ? { boundTenantId: claimed.tenantId } : {}),
    })
  })
}

/** Ends an attempt without a binding, in the customer's timeline as well. */
export async function settleRefusal(
  db: Database,
  actor: Actor,
  attempt: ConsentAttempt,
  outcome: AttemptOutcome,
  now: Date,
  known: { aadsts?: number | null; correlationId?: string | null; claimedTenantId?: string } = {},
): Promise<void> {
  const { aadsts = null, correlationId = null, claimedTenantId } = known
  await write(db, async (tx) => {
    await recordOutcome(tx, attempt.id, outcome, now, {
      aadsts,
      ...(claimedTenantId === undefined ? {} : { claimedTenantId }),
    })
    await recordAudit(tx, actor, {
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
  portal: Pick<Portal, 'db' | 'config' | 'now'>,
  actor: Actor,
  attempt: ConsentAttempt,
  kept: Kept,
): Promise<void> {
  const now = portal.now()
  await write(portal.db, async (tx) => {
    const current = await attemptById(tx, attempt.id)
    if (current.outcome === 'bound') return
    const claimed = {
      tenantId: kept.tenantId,
      customerId: attempt.customerId,
      pinnedTenantId: attempt.pinnedTenantId,
      partnerTenantId: portal.config.partnerTenantId,
      now,
    }
    const belongs = kept.evidence === 'sign-in' && kept.kind !== 'guest'
    const objection = belongs ? await objectionTo(tx, claimed) : null
    if (objection) await recordRefused(tx, actor, claimed, objection)
    else await openReview(tx, actor, reviewOf(attempt, kept), now)
    await recordOutcome(tx, attempt.id, objection ?? 'review', now, { claimedTenantId: kept.tenantId })
  })
}
