import type { ConsentClaim } from '../microsoft/login/consent.ts'
import type { Portal } from '../portal.ts'
import { type Actor, muster } from '../store/audit.ts'
import type { Tx } from '../store/engine/dialect.ts'
import { write } from '../store/engine/write.ts'
import { abandonedAttempts, attemptById, type ConsentAttempt, isBeforeSignIn } from '../store/onboarding/attempts.ts'
import { openReview } from '../store/onboarding/reviews.ts'
import { endAttemptRefused, keepForReview } from './outcome.ts'

/** After this, a browser that went to prove its tenant is not expected back. */
const proofPatience = 30 * 60_000

/**
 * A return whose link we know, but that came lost or through another browser: kept for an operator, never bound by itself.
 * Of a link that was withdrawn as well: the consent may be there.
 */
export async function keepUnclaimed(
  portal: Portal,
  tx: Tx,
  actor: Actor,
  { linkId, customerId }: Pick<ConsentAttempt, 'linkId' | 'customerId'>,
  claim: ConsentClaim,
  kind: 'unclaimed' | 'mangled' = 'unclaimed',
): Promise<void> {
  if (claim.kind !== 'granted') return
  const { tenantId } = claim
  const kept = { kind, tenantId, evidence: 'callback' } as const
  if (await openReview(tx, actor, { ...kept, ...nobody, customerId, linkId }, portal.now())) return
  portal.log.info({ customerId }, 'too many returns wait for a decision; one more was dropped')
}

const nobody = { attemptId: null, tenantName: null, tenantDomain: null, person: null }

/**
 * A code came with a classic link that had ended. It names no tenant and is not redeemed: that it came is kept for an
 * operator, once for a customer, and the code itself is not.
 */
export async function keepCode(
  portal: Portal,
  tx: Tx,
  actor: Actor,
  { linkId, customerId }: Pick<ConsentAttempt, 'linkId' | 'customerId'>,
  claim: ConsentClaim,
): Promise<void> {
  if (claim.kind !== 'code') return
  const kept = { kind: 'code', tenantId: null, evidence: 'callback' } as const
  await openReview(tx, actor, { ...kept, ...nobody, customerId, linkId }, portal.now())
}

/** This very run came back too late; its page says that somebody looks at it. */
export async function keepLate(
  portal: Portal,
  tx: Tx,
  actor: Actor,
  attempt: ConsentAttempt,
  claim: ConsentClaim,
): Promise<void> {
  if (claim.kind !== 'granted') return
  const kept = { kind: 'unclaimed', tenantId: claim.tenantId, evidence: 'callback' } as const
  await keepForReview(portal, tx, actor, attempt, kept)
}

/**
 * Claims whose browser never came back from the sign-in that was to prove them: kept for an operator's decision.
 * @returns how many
 */
export async function keepAbandonedClaims(portal: Portal): Promise<number> {
  const now = portal.now()
  const abandoned = await abandonedAttempts(portal.db, new Date(now.getTime() - proofPatience))
  for (const { id } of abandoned) {
    await write(portal.db, async (tx) => {
      const attempt = await attemptById(tx, id)
      // The browser came back after all, or another worker was faster.
      if (!isBeforeSignIn(attempt.outcome)) return
      if (attempt.claimedTenantId === null) await endAttemptRefused(tx, muster, attempt, 'sign-in-failed', now)
      else {
        const claimed = { kind: 'unpinned', tenantId: attempt.claimedTenantId, evidence: 'callback' } as const
        await keepForReview(portal, tx, muster, attempt, claimed)
      }
    })
  }
  return abandoned.length
}
