import type { ConsentClaim } from '../microsoft/login/consent.ts'
import type { Portal } from '../portal.ts'
import { muster } from '../store/audit.ts'
import { write } from '../store/engine/write.ts'
import { newToken } from '../store/identifiers.ts'
import { abandonedAttempts } from '../store/onboarding/attempt-list.ts'
import { holdAttempt, isBeforeSignIn } from '../store/onboarding/attempts.ts'
import { loadReturn, type Return } from './facts.ts'
import { endUnproven, judgeReturn } from './judge.ts'
import { applyVerdict, endAttempt } from './outcome.ts'
import { spendSignIn } from './proof.ts'
import type { Departure, SealedProof, Step, Visitor } from './steps.ts'

/** Milliseconds: after this, a browser that went to prove its tenant is not expected back. */
const proofPatience = 30 * 60_000

/** What the browser brings back of what it was given. */
export interface Carried {
  /** Of the sign-in whose state came back. */
  proof: SealedProof | null
  /** Of the departure whose state came back. */
  departure: Departure | null
  /** Departures of this browser whose state did not, the latest first. */
  others: readonly Departure[]
}

export const nothingCarried: Carried = { proof: null, departure: null, others: [] }

/**
 * A browser comes back from Microsoft. Its word is a claim: it is loaded, judged and applied in one transaction, which
 * spends its state, and leads on to a sign-in, a proof, a review, or a page that says what happened.
 * @param claim null for what cannot be read: a browser that set out from here has a page that says so
 */
export async function receiveClaim(
  portal: Portal,
  visitor: Visitor,
  claim: ConsentClaim | null,
  { proof, departure, others }: Carried = nothingCarried,
): Promise<Step> {
  const browser = visitor.browser ?? newToken()
  const signIn = proof === null || claim === null ? null : await spendSignIn(portal, browser, proof, claim)
  const returned: Return = {
    visitor: { ...visitor, browser },
    claim,
    signIn,
    departure,
    // Without the secret that it set out with, nobody can tell whose those are.
    others: visitor.browser === null ? [] : others,
  }
  return write(portal.db, async (tx) => {
    const loaded = await loadReturn(portal, tx, returned)
    const verdict = judgeReturn(loaded.facts)
    return applyVerdict(portal, tx, returned, loaded, verdict)
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
      const attempt = await holdAttempt(tx, id)
      // The browser came back after all, or another worker was faster.
      if (!isBeforeSignIn(attempt.outcome)) return
      await endAttempt(tx, muster, attempt, endUnproven(attempt), now)
    })
  }
  return abandoned.length
}
