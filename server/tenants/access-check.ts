import type { AccessEvidence } from '../model/access.ts'
import type { RefusalCode } from '../model/refusal.ts'
import { concludeCheck } from '../onboarding/probe.ts'
import { provingDelayMs, provingEndsMs } from '../onboarding/probe-schedule.ts'
import { endPartnerFaults, reportPartnerFault } from '../partner/fault.ts'
import type { Portal } from '../portal.ts'
import { muster } from '../store/audit.ts'
import type { Claim } from '../store/engine/claim.ts'
import { countCalls } from '../store/sync/budgets.ts'
import { type CheckVerdict, provesConsent, pruneChecks, recordCheck } from '../store/tenants/checks.ts'
import { type AccessState, getTenant, nameTenant, type Tenant } from '../store/tenants/tenants.ts'
import { hour, minute } from '../time.ts'

/** So long after a consent, missing roles and refused calls are not yet held against the customer. */
const propagation = 5 * minute
const activeEvery = 6 * hour
const keptChecks = 200

/** States that a refusal leads to when there is no doubt about it. */
const stateOf: Partial<Record<RefusalCode, AccessState>> = {
  'app-disabled': 'disabled',
  unlicensed: 'unlicensed',
  'not-set-up': 'unlicensed',
  'data-unavailable': 'unlicensed',
  'role-missing': 'limited',
  'blocked-by-policy': 'blocked',
  'tenant-gone': 'gone',
  'tenant-unavailable': 'gone',
  'other-cloud': 'gone',
}

/** Refusals that a consent which has not spread yet looks like. */
const mayBePropagation = new Set<RefusalCode>(['not-consented', 'role-missing', 'data-unavailable'])

/**
 * Proves access to one claimed tenant: a fresh token's `tid`, `appid` and `roles` as evidence, one live call per
 * capability as the verdict. Record, state, next due time and audit event are stored together.
 * @throws ClaimLostError when another worker took the tenant over
 */
export async function proveTenant(portal: Portal, claim: Claim): Promise<CheckVerdict> {
  const { db, microsoft, now } = portal
  const evidence = await microsoft.checkAccess(claim.tenantId)
  const tenant = await getTenant(db, claim.tenantId)
  const verdict = judge(tenant, evidence, now())
  await recordCheck(db, claim, evidence, verdict, now())
  await countCalls(db, claim.tenantId, evidence.calls.length, now())
  if (evidence.tokenIssued) await endPartnerFaults(portal)
  else if (evidence.refusal !== null) await reportPartnerFault(portal, claim.tenantId, evidence.refusal)
  if (provesConsent(evidence)) await concludeCheck(portal, tenant)
  if (verdict.state === 'active' && tenant.displayName === null) await readProfile(portal, tenant)
  await pruneChecks(db, claim.tenantId, keptChecks)
  return verdict
}

/** What an access check means for a tenant, and when to look again. */
export function judge(tenant: Tenant, evidence: AccessEvidence, now: Date): CheckVerdict {
  const refusal = evidence.refusal
  if (refusal === null) {
    return { state: 'active', nextCheckAt: after(now, jittered(activeEvery)), keepProving: false }
  }
  const proving = tenant.provingSince !== null && now.getTime() - Date.parse(tenant.provingSince) < provingEndsMs
  const state = stateAfter(tenant, evidence, refusal.code, now, proving)
  const next = Math.max(
    proving ? provingDelayMs(tenant.checkAttempts) : slowDelay(tenant, state, now),
    refusal.retryAfterMs ?? 0,
  )
  return { state, nextCheckAt: after(now, next), keepProving: proving }
}

/** States that say there is no consent, or none that counts: a token with the permission refutes them. */
const withoutConsent = new Set<AccessState>(['unproven', 'revoked', 'limited', 'disabled', 'blocked', 'gone'])

/** A state is named after Microsoft's last answer, however old: that alone tells who must act. */
function stateAfter(
  tenant: Tenant,
  evidence: AccessEvidence,
  code: RefusalCode,
  now: Date,
  proving: boolean,
): AccessState {
  const sinceConsent =
    tenant.provingSince === null ? Number.POSITIVE_INFINITY : now.getTime() - Date.parse(tenant.provingSince)
  if (mayBePropagation.has(code)) {
    // A new consent of a tenant that works can look like a loss for as long as it spreads.
    if (sinceConsent < propagation) return tenant.accessState === 'active' ? 'active' : 'proving'
    if (code === 'not-consented' && proving && tenant.accessState === 'proving') return 'proving'
  }
  if (code === 'not-consented') {
    return tenant.firstActiveAt === null && tenant.consentProvenAt === null ? 'unproven' : 'revoked'
  }
  const certain = stateOf[code]
  if (certain) return certain
  if (provesConsent(evidence) && withoutConsent.has(tenant.accessState)) return 'proving'
  // Throttled, unreachable, or our own credential: it says nothing about this tenant, so its state stays.
  return tenant.accessState
}

/** Outside the quick schedule: soon while the trouble is young, then ever more patiently. */
function slowDelay(tenant: Tenant, state: AccessState, now: Date): number {
  const age = state === tenant.accessState ? now.getTime() - Date.parse(tenant.stateSince) : 0
  if (state === 'active') return jittered(5 * minute)
  if (age < hour) return jittered(5 * minute)
  // A person waits for it, and it may be over at any time.
  if (state === 'proving') return jittered(hour)
  return jittered(age < 24 * hour ? hour : activeEvery)
}

const after = (now: Date, ms: number) => new Date(now.getTime() + ms)

/** Ten per cent to either side, so that tenants proven together are not asked together for ever. */
const jittered = (ms: number) => ms * (0.9 + Math.random() * 0.2)

async function readProfile(portal: Portal, tenant: Tenant): Promise<void> {
  const profile = await portal.microsoft.describeTenant(tenant.tenantId)
  if (profile) await nameTenant(portal.db, muster, tenant.tenantId, profile, portal.now())
}
