import { createHash } from 'node:crypto'
import type { ConsentClaim } from '../microsoft/login/consent.ts'
import type { SignedInPerson } from '../model/access.ts'
import { Refusal } from '../model/refusal.ts'
import { readAsking } from '../partner/asked-permissions.ts'
import type { Portal } from '../portal.ts'
import type { Tx } from '../store/engine/dialect.ts'
import { write } from '../store/engine/write.ts'
import { digest, newToken } from '../store/identifiers.ts'
import {
  attemptById,
  attemptOfBrowser,
  beginProofOf,
  type ConsentAttempt,
  findRunOfPerson,
  handOver,
  latestOwnAttempt,
  recordReturn,
  recordSignedInTenant,
  takeProofOf,
} from '../store/onboarding/attempts.ts'
import { holdLink, linkState } from '../store/onboarding/links.ts'
import { noteRolesSeen } from '../store/partner/roles-unseen.ts'
import { findTenant } from '../store/tenants/tenants.ts'
import { consentRightOf } from './consent-right.ts'
import { endAttemptRefused, endAttemptWithClaim, keepForReview } from './outcome.ts'
import type { SealedProof, Step, UnkeptRun, Visitor } from './steps.ts'

/** A run as it is kept, in the transaction that goes on with it. */
interface KeptRun {
  tx: Tx
  attempt: ConsentAttempt
}

const isKept = (run: KeptRun | UnkeptRun): run is KeptRun => 'attempt' in run

/**
 * Straight after a consent, the same browser proves which tenant it is signed in to: authorization code, PKCE, nonce,
 * `openid profile`; silently first, visibly where Microsoft needs a person. What it must bring back lies in its own sealed
 * cookie; a run that is kept remembers the state alone.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 */
export async function beginTenantProof(
  portal: Portal,
  run: KeptRun | UnkeptRun,
  { browser, tenantId, silent }: { browser: string; tenantId: string | null; silent: boolean },
): Promise<Step> {
  const [state, nonce, codeVerifier] = [newToken(), newToken(), newToken()]
  if (isKept(run)) await beginProofOf(run.tx, run.attempt.id, state)
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
      attemptId: isKept(run) ? run.attempt.id : null,
      unkept: isKept(run) ? null : run,
      tenantId,
      nonce,
      codeVerifier,
      silent,
    },
    departure: null,
    browser,
  }
}

type Known = Visitor & { browser: string }

/**
 * The browser returns from that sign-in, whose state is spent here. A landing page's claim waits for a proof when the ID
 * token carries its tenant; the classic link is tied to no browser, so there the sign-in only names the tenant, and without a
 * pin an operator decides.
 */
export async function finishTenantProof(
  portal: Portal,
  visitor: Known,
  sealed: SealedProof,
  claim: ConsentClaim,
): Promise<Step> {
  if (sealed.attemptId === null) return finishUnkept(portal, visitor, sealed, claim)
  const attempt = await attemptOfBrowser(portal.db, sealed.attemptId, visitor.browser)
  if (attempt === null) return { kind: 'stranger' }
  const page: Step = { kind: 'attempt', attemptId: attempt.id, browser: visitor.browser }
  // A second return with the same state, or one that another sign-in of this run has taken the place of, proves nothing.
  if (!(await takeProofOf(portal.db, attempt.id, sealed.state))) return page
  return finish(portal, visitor, attempt, sealed, claim, page)
}

/** As above, for a sign-in that began when each had a row of its own; that row's state has been consumed. */
export async function finishOldProof(
  portal: Portal,
  visitor: Known,
  proof: ConsentAttempt,
  claim: ConsentClaim,
  sealed: SealedProof | null,
): Promise<Step> {
  if (sealed === null || sealed.attemptId === null) {
    // The cookie is gone, the browser is the same: nothing is proven, and its page says how to go on.
    const own = await latestOwnAttempt(portal.db, proof.linkId, visitor.browser)
    return own === null ? { kind: 'stranger' } : { kind: 'attempt', attemptId: own.id, browser: visitor.browser }
  }
  const attempt = await attemptById(portal.db, sealed.attemptId)
  const page: Step = { kind: 'attempt', attemptId: attempt.id, browser: visitor.browser }
  if (attempt.outcome !== 'proving-tenant' || attempt.linkId !== proof.linkId) return page
  return finish(portal, visitor, attempt, { ...sealed, tenantId: proof.claimedTenantId }, claim, page)
}

async function finish(
  portal: Portal,
  visitor: Known,
  attempt: ConsentAttempt,
  sealed: SealedProof,
  claim: ConsentClaim,
  page: Step,
): Promise<Step> {
  const { tenantId = null, silent } = sealed
  if (claim.kind === 'code') {
    const person = await redeem(portal, claim.code, sealed)
    if (person) {
      await write(portal.db, (tx) => endAttemptProven(portal, tx, visitor, attempt, person))
      return page
    }
  } else if (claim.kind === 'refused' && silent) {
    const { browser } = visitor
    return write(portal.db, (tx) => beginTenantProof(portal, { tx, attempt }, { browser, tenantId, silent: false }))
  }
  const refusal = claim.kind === 'refused' ? claim : null
  await write(portal.db, (tx) => endAttemptUnproven(portal, tx, visitor, attempt, refusal))
  return page
}

/**
 * There was no room for this run. Somebody of the tenant has signed in now, which nobody else can make up: it is kept, once
 * for each person.
 */
async function finishUnkept(portal: Portal, visitor: Known, sealed: SealedProof, claim: ConsentClaim): Promise<Step> {
  const { unkept, tenantId = null, silent, state } = sealed
  if (!unkept) return { kind: 'stranger' }
  const { browser, addressHash } = visitor
  const landing: Step = { kind: 'landing', linkId: unkept.linkId, browser }
  if (claim.kind === 'refused' && silent) {
    return beginTenantProof(portal, unkept, { browser, tenantId, silent: false })
  }
  const person = claim.kind === 'code' ? await redeem(portal, claim.code, sealed) : null
  if (person === null) return landing
  const now = portal.now()
  const attempt = await write(portal.db, async (tx) => {
    const link = await holdLink(tx, unkept.linkId)
    if (linkState(link, now) === 'completed') return null
    const personHash = digest(`${person.tid}.${person.oid}`)
    const before = await findRunOfPerson(tx, link.id, personHash)
    if (before !== null) return handOver(tx, before.id, { browser, state })
    return recordReturn(tx, {
      ...unkept,
      customerId: link.customerId,
      state,
      browserHash: digest(browser),
      addressHash,
      pinnedTenantId: link.pinnedTenantId,
      outcome: 'proving-tenant',
      personHash,
      now,
      expiresAt: now,
    })
  })
  if (attempt === null) return landing
  await write(portal.db, (tx) => endAttemptProven(portal, tx, visitor, attempt, person))
  return { kind: 'attempt', attemptId: attempt.id, browser }
}

const nameOf = (person: SignedInPerson) => person.username ?? person.name ?? person.oid

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

async function endAttemptProven(
  portal: Portal,
  tx: Tx,
  visitor: Visitor,
  attempt: ConsentAttempt,
  person: SignedInPerson,
): Promise<void> {
  const name = nameOf(person)
  const actor = { ...visitor.actor, name }
  if (!person.guest) {
    await recordSignedInTenant(tx, attempt.id, person.tid)
    await noteRolesSeen(tx, person.directoryRoles !== null, portal.now())
  }
  // What a browser claimed counts only where the claim came back to the browser that had set out.
  const claimed = attempt.kind === 'classic' ? null : attempt.claimedTenantId
  const expected = claimed ?? attempt.pinnedTenantId
  if (expected !== null && person.tid !== expected) {
    const known = { claimedTenantId: person.tid }
    await endAttemptRefused(tx, actor, attempt, 'other-tenant-signed-in', portal.now(), known)
    return
  }
  if (expected === null) {
    await keepForReview(portal, tx, actor, attempt, {
      kind: 'unpinned',
      tenantId: person.tid,
      evidence: 'sign-in',
      person: name,
    })
    return
  }
  const { consenters } = await readAsking(portal, tx)
  const right = consentRightOf(person, consenters)
  if (right === 'guest' || (right !== 'shown' && (await asksForRight(tx, attempt, person.tid)))) {
    if (right === 'roles-unseen') portal.log.warn({ tenantId: person.tid }, rolesUnseen)
    await keepForReview(portal, tx, actor, attempt, {
      kind: right,
      tenantId: person.tid,
      evidence: 'sign-in',
      person: name,
    })
    return
  }
  await endAttemptWithClaim(portal, tx, actor, attempt, { tenantId: person.tid, how: 'sign-in', by: name })
}

const rolesUnseen =
  'a sign-in showed no directory roles: set groupMembershipClaims to DirectoryRole on the app that customers consent to'

/** The right to give a tenant counts where neither an operator named it beforehand nor this customer has it already. */
async function asksForRight(tx: Tx, attempt: ConsentAttempt, tenantId: string): Promise<boolean> {
  if (attempt.pinnedTenantId !== null) return false
  const known = await findTenant(tx, tenantId)
  return known?.customerId !== attempt.customerId
}

async function endAttemptUnproven(
  portal: Portal,
  tx: Tx,
  visitor: Visitor,
  attempt: ConsentAttempt,
  refusal: (ConsentClaim & { kind: 'refused' }) | null,
): Promise<void> {
  if (attempt.claimedTenantId === null) {
    await endAttemptRefused(tx, visitor.actor, attempt, 'sign-in-failed', portal.now(), refusal ?? {})
    return
  }
  const claimed = { kind: 'unpinned', tenantId: attempt.claimedTenantId, evidence: 'callback' } as const
  await keepForReview(portal, tx, visitor.actor, attempt, claimed)
}
