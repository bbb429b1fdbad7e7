import { createHash } from 'node:crypto'
import type { ConsentClaim } from '../microsoft/login/consent.ts'
import type { SignedInPerson } from '../model/access.ts'
import { Refusal } from '../model/refusal.ts'
import type { Portal } from '../portal.ts'
import type { Tx } from '../store/engine/dialect.ts'
import { write } from '../store/engine/write.ts'
import { newToken } from '../store/identifiers.ts'
import { beginProofOf, redeemState, takeProofOf } from '../store/onboarding/attempt-states.ts'
import { getAttempt } from '../store/onboarding/attempts.ts'
import type { SealedProof, SignIn, Step, UnkeptRun } from './steps.ts'

/**
 * Straight after a consent, the same browser proves which tenant it is signed in to: authorization code, PKCE, nonce,
 * `openid profile`; silently first, visibly where Microsoft needs a person. What it must bring back lies in its own sealed
 * cookie; a run that is kept, named by its ID, remembers the state alone.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 */
export async function beginTenantProof(
  portal: Portal,
  tx: Tx,
  run: string | UnkeptRun,
  { browser, tenantId, silent }: { browser: string; tenantId: string | null; silent: boolean },
): Promise<Step> {
  const [state, nonce, codeVerifier] = [newToken(), newToken(), newToken()]
  const kept = typeof run === 'string'
  if (kept) await beginProofOf(tx, run, state)
  return {
    kind: 'microsoft',
    url: portal.microsoft.signInUrl({
      purpose: 'customer',
      tenantId,
      state,
      nonce,
      codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
      prompt: silent ? 'none' : 'select_account',
    }),
    sealed: {
      state,
      attemptId: kept ? run : null,
      unkept: kept ? null : run,
      tenantId,
      nonce,
      codeVerifier,
      silent,
    },
    departure: null,
    browser,
  }
}

/**
 * The browser returns from that sign-in: its state is spent and its code redeemed, once, before anything is judged.
 * @returns null for a sign-in of no run
 */
export async function spendSignIn(
  portal: Portal,
  browser: string,
  sealed: SealedProof,
  claim: ConsentClaim,
): Promise<SignIn | null> {
  const { state, attemptId, unkept = null } = sealed
  const run = attemptId ?? unkept
  if (run === null) return null
  const asked = await write(portal.db, (tx) => takeState(tx, portal.now(), browser, sealed, claim.state))
  if (asked === undefined) return { state, run, taken: false, tenantId: null, end: unproven }
  return { state, run, taken: true, tenantId: asked, end: await endOf(portal, { ...sealed, tenantId: asked }, claim) }
}

const unproven = { kind: 'unproven' } as const

/** @returns the tenant that was asked to sign in, null for any; undefined when the state was spent before */
async function takeState(
  tx: Tx,
  now: Date,
  browser: string,
  { attemptId, tenantId, state }: SealedProof,
  returned: string | null,
): Promise<string | null | undefined> {
  // Of a run without a row, the first of its sign-ins to end makes one: there is nothing to spend.
  if (attemptId === null) return tenantId ?? null
  if (tenantId !== undefined) return (await takeProofOf(tx, attemptId, { browser, state })) ? tenantId : undefined
  // A sign-in that began when each had a row of its own.
  if ((await getAttempt(tx, attemptId)).outcome !== 'proving-tenant') return undefined
  const redemption = await redeemState(tx, returned ?? '', browser, now)
  return redemption.found === 'fresh' ? redemption.attempt.claimedTenantId : undefined
}

async function endOf(portal: Portal, sealed: SealedProof, claim: ConsentClaim): Promise<SignIn['end']> {
  if (claim.kind === 'code') {
    const person = await redeem(portal, claim.code, sealed)
    return person === null ? unproven : { kind: 'person', person }
  }
  return claim.kind === 'refused' && sealed.silent ? { kind: 'needs-person' } : unproven
}

async function redeem(portal: Portal, code: string, sealed: SealedProof): Promise<SignedInPerson | null> {
  try {
    return await portal.microsoft.redeemSignIn({
      purpose: 'customer',
      tenantId: sealed.tenantId ?? null,
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
