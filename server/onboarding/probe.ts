import { PortalError } from '../errors.ts'
import type { AccessEvidence } from '../model/access.ts'
import { Refusal, type RefusalCode } from '../model/refusal.ts'
import { endPartnerFaults, reportPartnerFault } from '../partner/fault.ts'
import type { Portal } from '../portal.ts'
import { muster } from '../store/audit.ts'
import { ClaimLostError, type DueClaim, unlessLost } from '../store/engine/claim.ts'
import type { Tx } from '../store/engine/dialect.ts'
import { write } from '../store/engine/write.ts'
import { attemptsAwaiting } from '../store/onboarding/attempt-list.ts'
import { type ConsentAttempt, giveUpAttempts, holdAttempt, recordOutcome } from '../store/onboarding/attempts.ts'
import {
  type AwaitedProof,
  type ClaimedProof,
  claimAwaitedProofs,
  endAwaitedProof,
  findAwaitedProof,
  holdAwaitedProof,
  postponeProof,
} from '../store/onboarding/awaited-proofs.ts'
import { linksFor } from '../store/onboarding/link-list.ts'
import { claimLinkProbe, endLinkProbe, holdLinkProbe, type LinkProbe } from '../store/onboarding/link-probes.ts'
import { completeLink, getLink, linkState } from '../store/onboarding/links.ts'
import { readPartnerFaults } from '../store/partner/faults.ts'
import { provesConsent } from '../store/tenants/checks.ts'
import { readPause } from '../store/tenants/pauses.ts'
import { findTenant, type Tenant } from '../store/tenants/tenants.ts'
import { day } from '../time.ts'
import { bindClaimed } from './binding.ts'
import { endOfBinding } from './judge.ts'
import { endAttempt } from './outcome.ts'
import { provingDelayMs, provingEndsMs } from './probe-schedule.ts'

const attemptsAtOnce = 100
/** While nothing definite is heard (our own fault, Microsoft's, throttling), a claim is not given up before this. */
const unheardEndsMs = 14 * day

/** What Microsoft says of a tenant that has not consented; everything else says nothing about a consent. */
const saysNo: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'not-consented',
  'role-missing',
  'tenant-gone',
  'other-cloud',
])

/** Asks Microsoft for the tenants whose proof is awaited and due, at most `limit`. @returns what is under way */
export async function probeAwaited(portal: Portal, limit: number): Promise<Promise<void>[]> {
  const due = await write(portal.db, (tx) => claimAwaitedProofs(tx, portal.now(), limit))
  return due.map((proof) => unlessLost(probeClaimed(portal, proof)))
}

/**
 * Looks for the proof of one claimed tenant: a fresh token of that tenant with the role. What it proves ends every attempt
 * that waits for it; what it does not prove is tried again, and given up two days after the latest claim.
 * @throws ClaimLostError when somebody else looks for it, or has found it
 */
async function probeClaimed(portal: Portal, proof: ClaimedProof): Promise<void> {
  const { db, now } = portal
  const { tenantId } = proof
  const evidence = await portal.microsoft.checkAccess(tenantId)
  await heedPartnerFault(portal, tenantId, evidence)
  if (provesConsent(evidence)) return concludeAwaited(portal, proof)
  const code = evidence.refusal?.code ?? null
  await write(db, async (tx) => {
    if (isOver(proof, code, now())) {
      await endAwaitedProof(tx, proof)
      return giveUpAttempts(tx, tenantId, now())
    }
    const wait = Math.max(provingDelayMs(proof.tries), evidence.refusal?.retryAfterMs ?? 0)
    await postponeProof(tx, proof, { at: new Date(now().getTime() + wait), code })
  })
}

function isOver({ claimedAt }: AwaitedProof, code: RefusalCode | null, now: Date): boolean {
  const age = now.getTime() - Date.parse(claimedAt)
  return age >= (code !== null && saysNo.has(code) ? provingEndsMs : unheardEndsMs)
}

async function heedPartnerFault(portal: Portal, tenantId: string, evidence: AccessEvidence): Promise<void> {
  if (evidence.tokenIssued) await endPartnerFaults(portal)
  else if (evidence.refusal !== null) await reportPartnerFault(portal, tenantId, evidence.refusal)
}

/** A token has proven that a tenant consented, which nobody had to look for. */
export async function concludeProof(portal: Portal, tenantId: string): Promise<void> {
  const proof = await findAwaitedProof(portal.db, tenantId)
  await concludeWaiting(portal, tenantId, null)
  if (proof) await write(portal.db, (tx) => endAwaitedProof(tx, proof))
}

async function concludeAwaited(portal: Portal, proof: ClaimedProof): Promise<void> {
  await concludeWaiting(portal, proof.tenantId, proof.claim)
  await write(portal.db, (tx) => endAwaitedProof(tx, proof))
}

/**
 * Every attempt that waited for the proof of a tenant ends: bound, or refused because the tenant is another customer's by
 * now, or kept for an operator. Each in a transaction of its own: what a killed process leaves waits for the next try.
 * @param claim on that proof, where it was looked for
 */
async function concludeWaiting(portal: Portal, tenantId: string, claim: DueClaim | null): Promise<void> {
  for (;;) {
    const waiting = await attemptsAwaiting(portal.db, tenantId, attemptsAtOnce)
    for (const attempt of waiting) {
      await write(portal.db, async (tx) => {
        if (claim !== null) await holdAwaitedProof(tx, claim)
        await conclude(portal, tx, attempt.id)
      })
    }
    if (waiting.length < attemptsAtOnce) return
  }
}

/**
 * A check of a tenant that is bound already proved its consent: what waited for that ends, and so do the links it was asked
 * for by, when access was not there before.
 */
export async function concludeCheck(portal: Portal, tenant: Tenant): Promise<void> {
  await concludeProof(portal, tenant.tenantId)
  if (tenant.accessState === 'active') return
  await write(portal.db, async (tx) => {
    for (const linkId of await linksFor(tx, tenant.customerId, tenant.tenantId)) {
      await completeLink(tx, muster, linkId, portal.now())
    }
  })
}

const howOf = { callback: 'pinned', 'sign-in': 'sign-in', decision: 'confirmed' } as const

async function conclude(portal: Portal, tx: Tx, attemptId: string): Promise<void> {
  const now = portal.now()
  const attempt = await holdAttempt(tx, attemptId)
  if (!isAwaiting(attempt)) return
  const { claimedTenantId, customerId, linkId, person, pinnedTenantId } = attempt
  const verdict = await bindClaimed(tx, muster, {
    tenantId: claimedTenantId,
    customerId,
    linkId,
    how: howOf[attempt.evidence ?? 'callback'],
    by: person ?? '',
    pinnedTenantId,
    partnerTenantId: portal.config.partnerTenantId,
    proven: true,
    now,
  })
  if (verdict === 'bound') await recordOutcome(tx, attempt.id, 'bound', now, { boundTenantId: claimedTenantId })
  else {
    const evidence = attempt.evidence === 'sign-in' ? 'sign-in' : 'callback'
    const end = endOfBinding(verdict, { tenantId: claimedTenantId, evidence })
    await endAttempt(tx, muster, attempt, end, now, { person })
  }
}

const isAwaiting = (attempt: ConsentAttempt): attempt is ConsentAttempt & { claimedTenantId: string } =>
  (attempt.outcome === 'awaiting-proof' || attempt.outcome === 'unproven') && attempt.claimedTenantId !== null

/** Looks at the links whose probe is due, one after the other, at most so many. */
const probesAtOnce = 20

/**
 * Looks whether the pinned tenants of open links have consented. While a fault of the partner's own stands, no probe can find
 * anything, and while all is paused none is made: links stay due.
 */
export async function probeLinks(portal: Portal, stopping?: AbortSignal): Promise<void> {
  const { db, now } = portal
  if ((await readPartnerFaults(db)).length > 0 || (await readPause(db))) return
  for (let made = 0; made < probesAtOnce && !stopping?.aborted; made++) {
    const probe = await write(db, (tx) => claimLinkProbe(tx, now()))
    if (probe === null) return
    try {
      await probePinned(portal, probe)
    } catch (error) {
      if (error instanceof ClaimLostError) continue
      if (!(error instanceof Refusal || error instanceof PortalError))
        portal.log.error({ err: error, linkId: probe.link.id }, 'the tenant of a link could not be probed')
    }
    await unlessLost(write(db, (tx) => endLinkProbe(tx, probe.claim, now())))
  }
}

/**
 * Looks whether the pinned tenant of an open link has consented without coming back to us: an approval given later by
 * somebody else, a closed tab, consent from the Entra portal.
 * @returns true when it had, and is now bound
 * @throws ClaimLostError when somebody else looks at it by now
 */
export async function probePinned(portal: Portal, { link, claim }: LinkProbe): Promise<boolean> {
  if (link.pinnedTenantId === null) return false
  const tenantId = link.pinnedTenantId
  if ((await findTenant(portal.db, tenantId)) || (await findAwaitedProof(portal.db, tenantId))) return false
  const evidence = await portal.microsoft.checkAccess(tenantId)
  if (!provesConsent(evidence)) return false
  await concludeProof(portal, tenantId)
  return write(portal.db, async (tx) => {
    await holdLinkProbe(tx, claim)
    const open = await getLink(tx, link.id)
    // While Microsoft was asked, an operator may have withdrawn the link or ended the service, or an attempt completed it.
    if (linkState(open, portal.now()) === 'completed') return true
    const verdict = await bindClaimed(tx, muster, {
      tenantId,
      customerId: link.customerId,
      linkId: link.id,
      how: 'pinned',
      by: '',
      pinnedTenantId: tenantId,
      partnerTenantId: portal.config.partnerTenantId,
      proven: true,
      now: portal.now(),
    })
    return verdict === 'bound'
  })
}
