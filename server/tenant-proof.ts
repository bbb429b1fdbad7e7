import { createHash } from 'node:crypto'
import { consentRightOf } from './consent-right.ts'
import type { ConsentClaim } from './microsoft/consent.ts'
import type { SignedInPerson } from './microsoft/microsoft.ts'
import { Refusal } from './microsoft/refusals.ts'
import type { SealedProof, Step, Visitor } from './onboarding.ts'
import type { Portal } from './portal.ts'
import { keepForReview, settleClaim, settleRefusal } from './settling.ts'
import {
  attemptById,
  type ConsentAttempt,
  latestOwnAttempt,
  recordOutcome,
  recordSignedInTenant,
  startAttempt,
} from './store/attempts.ts'
import { write } from './store/database.ts'
import { newToken } from './store/identifiers.ts'
import type { ReviewEvidence, ReviewKind } from './store/reviews.ts'
import { findTenant } from './store/tenants.ts'

const proofLasts = 15 * 60_000

/**
 * Straight after a consent, the same browser proves which tenant it is signed in to: authorization code, PKCE, nonce,
 * `openid profile`; silently first, visibly where Microsoft needs a person.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 */
export async function beginTenantProof(
  portal: Portal,
  proof: { attempt: ConsentAttempt; browser: string; tenantId: string | null; silent: boolean },
): Promise<Step> {
  const now = portal.now()
  const [nonce, codeVerifier] = [newToken(), newToken()]
  const state = await write(portal.db, async (tx) => {
    const started = await startAttempt(tx, {
      linkId: proof.attempt.linkId,
      customerId: proof.attempt.customerId,
      kind: 'proof',
      browser: proof.browser,
      pinnedTenantId: proof.attempt.pinnedTenantId,
      claimedTenantId: proof.tenantId,
      now,
      expiresAt: new Date(now.getTime() + proofLasts),
    })
    await recordOutcome(tx, proof.attempt.id, 'proving-tenant', now)
    return started.state
  })
  return {
    kind: 'microsoft',
    url: portal.microsoft.signInUrl({
      purpose: 'customer',
      tenantId: proof.tenantId,
      state,
      nonce,
      codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
      prompt: proof.silent ? 'none' : 'select_account',
    }),
    sealed: { state, attemptId: proof.attempt.id, nonce, codeVerifier, silent: proof.silent },
    browser: proof.browser,
  }
}

/**
 * The browser returns from that sign-in; its state has been consumed. A landing page's claim is bound when the ID token
 * carries its tenant; the classic link is tied to no browser, so there the sign-in only names the tenant, and without a
 * pin an operator decides.
 */
export async function finishTenantProof(
  portal: Portal,
  visitor: Visitor & { browser: string },
  proof: ConsentAttempt,
  claim: ConsentClaim,
  sealed: SealedProof | null,
): Promise<Step> {
  if (sealed === null) {
    // The cookie is gone, the browser is the same: nothing is proven, and its page says how to go on.
    const own = await latestOwnAttempt(portal.db, proof.linkId, visitor.browser)
    return own === null ? { kind: 'stranger' } : { kind: 'attempt', attemptId: own.id, browser: visitor.browser }
  }
  const attempt = await attemptById(portal.db, sealed.attemptId)
  const page: Step = { kind: 'attempt', attemptId: attempt.id, browser: visitor.browser }
  // A second proof of the same attempt, or a cookie of another one, proves nothing.
  if (attempt.outcome !== 'proving-tenant' || attempt.linkId !== proof.linkId) return page
  if (claim.kind === 'code') {
    const person = await redeem(portal, proof, claim.code, sealed)
    if (person) {
      await settleProven(portal, visitor, attempt, person)
      return page
    }
  } else if (claim.kind === 'refused' && sealed.silent) {
    return beginTenantProof(portal, {
      attempt,
      browser: visitor.browser,
      tenantId: proof.claimedTenantId,
      silent: false,
    })
  }
  await settleUnproven(portal, visitor, attempt, claim.kind === 'refused' ? claim : null)
  return page
}

async function redeem(
  portal: Portal,
  proof: ConsentAttempt,
  code: string,
  sealed: SealedProof,
): Promise<SignedInPerson | null> {
  try {
    return await portal.microsoft.redeemSignIn({
      purpose: 'customer',
      tenantId: proof.claimedTenantId,
      code,
      codeVerifier: sealed.codeVerifier,
      nonce: sealed.nonce,
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    portal.log.warn(
      { event: 'authn_login_fail', refusal: error.code, aadsts: error.facts.aadsts },
      'a tenant was not proven by sign-in',
    )
    return null
  }
}

async function settleProven(
  portal: Portal,
  visitor: Visitor,
  attempt: ConsentAttempt,
  person: SignedInPerson,
): Promise<void> {
  const name = person.username ?? person.name ?? person.oid
  const actor = { ...visitor.actor, name }
  if (!person.guest) await recordSignedInTenant(portal.db, attempt.id, person.tid)
  // What a browser claimed counts only where the claim came back to the browser that had set out.
  const claimed = attempt.kind === 'classic' ? null : attempt.claimedTenantId
  const expected = claimed ?? attempt.pinnedTenantId
  if (expected !== null && person.tid !== expected) {
    const known = { claimedTenantId: person.tid }
    await settleRefusal(portal.db, actor, attempt, 'other-tenant-signed-in', portal.now(), known)
    return
  }
  if (expected === null) {
    await review(portal, actor, attempt, 'unpinned', { tenantId: person.tid, evidence: 'sign-in', person: name })
    return
  }
  const right = consentRightOf(person, portal.microsoft.api)
  if (right === 'guest' || (right !== 'shown' && (await asksForRight(portal, attempt, person.tid)))) {
    if (right === 'roles-unseen') portal.log.warn({ tenantId: person.tid }, rolesUnseen)
    await review(portal, actor, attempt, right, { tenantId: person.tid, evidence: 'sign-in', person: name })
    return
  }
  await settleClaim(portal, actor, attempt, { tenantId: person.tid, how: 'sign-in', by: name })
}

const rolesUnseen =
  'a sign-in showed no directory roles: set groupMembershipClaims to DirectoryRole on the app that customers consent to'

/** The right to give a tenant counts where neither an operator named it beforehand nor this customer has it already. */
async function asksForRight(portal: Portal, attempt: ConsentAttempt, tenantId: string): Promise<boolean> {
  if (attempt.pinnedTenantId !== null) return false
  const known = await findTenant(portal.db, tenantId)
  return known?.customerId !== attempt.customerId
}

async function settleUnproven(
  portal: Portal,
  visitor: Visitor,
  attempt: ConsentAttempt,
  refusal: (ConsentClaim & { kind: 'refused' }) | null,
): Promise<void> {
  if (attempt.claimedTenantId === null) {
    await settleRefusal(portal.db, visitor.actor, attempt, 'sign-in-failed', portal.now(), refusal ?? {})
    return
  }
  const claimed = { tenantId: attempt.claimedTenantId, evidence: 'callback', person: null } as const
  await review(portal, visitor.actor, attempt, 'unpinned', claimed)
}

async function review(
  portal: Portal,
  actor: Visitor['actor'],
  attempt: ConsentAttempt,
  kind: ReviewKind,
  claimed: { tenantId: string; evidence: ReviewEvidence; person: string | null },
): Promise<void> {
  await keepForReview(portal, actor, attempt, { kind, ...claimed })
}
