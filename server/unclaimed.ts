import type { ConsentClaim } from './microsoft/consent.ts'
import type { Portal } from './portal.ts'
import { keepForReview, settleRefusal } from './settling.ts'
import { abandonedAttempts, attemptById, type ConsentAttempt, isBeforeSignIn } from './store/attempts.ts'
import { type Actor, muster } from './store/audit.ts'
import { write } from './store/database.ts'
import { openReview, openReviews } from './store/reviews.ts'

/** After this, a browser that went to prove its tenant is not expected back. */
const proofPatience = 30 * 60_000
/** Whoever holds a link could make up returns without end; beyond this they tell an operator nothing new. */
const mostUnclaimed = 10

/**
 * A return whose attempt we know, but that came late, lost or through another browser: kept for an operator, never bound
 * by itself. `mine` when it is this very run that came late; its page then says that somebody looks at it.
 */
export async function keepUnclaimed(
  portal: Portal,
  actor: Actor,
  attempt: ConsentAttempt,
  claim: ConsentClaim,
  mine: boolean,
): Promise<void> {
  if (claim.kind !== 'granted') return
  await write(portal.db, async (tx) => {
    const waiting = (await openReviews(tx, attempt.customerId)).filter(({ kind }) => kind === 'unclaimed')
    if (waiting.length >= mostUnclaimed) {
      portal.log.warn(
        { customerId: attempt.customerId },
        'too many unclaimed returns are waiting; one more was dropped',
      )
      return
    }
    const kept = { kind: 'unclaimed', tenantId: claim.tenantId, evidence: 'callback' } as const
    if (mine) return keepForReview({ ...portal, db: tx }, actor, attempt, kept)
    await openReview(
      tx,
      actor,
      {
        ...kept,
        customerId: attempt.customerId,
        linkId: attempt.linkId,
        attemptId: null,
        tenantName: null,
        tenantDomain: null,
        person: null,
      },
      portal.now(),
    )
  })
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
      if (attempt.claimedTenantId === null) await settleRefusal(tx, muster, attempt, 'sign-in-failed', now)
      else {
        const claimed = { kind: 'unpinned', tenantId: attempt.claimedTenantId, evidence: 'callback' } as const
        await keepForReview({ ...portal, db: tx }, muster, attempt, claimed)
      }
    })
  }
  return abandoned.length
}
