import type { Selectable, Updateable } from 'kysely'
import { PortalError } from '../../errors.ts'
import type { AccessEvidence, LiveCall, TokenClaims } from '../../model/access.ts'
import type { RefusalCode, RefusalFacts } from '../../model/refusal.ts'
import { type Actor, muster, recordAudit } from '../audit.ts'
import type { Claim } from '../engine/claim.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { write } from '../engine/write.ts'
import { newId } from '../identifiers.ts'
import { recordSeenRoles } from '../partner/asked-permissions.ts'
import { holdClaim } from '../sync/claims.ts'
import { notePartialAnswer } from '../sync/partial.ts'
import { type AccessState, type Capabilities, getTenant, holdTenant, type Tenant } from './tenants.ts'

/** The record of one access check. Holds claims and calls; never the token. */
export interface AccessCheck {
  id: string
  tenantId: string
  at: string
  attempt: number
  state: AccessState
  refusalCode: RefusalCode | null
  refusal: RefusalFacts | null
  claims: TokenClaims | null
  capabilities: Capabilities
  calls: LiveCall[]
  missingRoles: string[]
  unexpectedRoles: string[]
}

/**
 * Stores an access check and what it changes, in one transaction: the record, the tenant's state and capabilities, when
 * to look again, and the audit event if the state is another one.
 * @throws ClaimLostError when the claim was overtaken: then nothing is stored
 */
export async function recordCheck(
  db: Database,
  claim: Claim,
  evidence: AccessEvidence,
  verdict: CheckVerdict,
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    const tenant = await getTenant(tx, claim.tenantId)
    await insertCheck(tx, tenant, evidence, verdict, now)
    const askedFor = await findAskedMeanwhile(tx, claim.tenantId, now)
    await tx
      .updateTable('tenants')
      .set(changesOf(tenant, evidence, verdict, askedFor, now))
      .where('tenant_id', '=', claim.tenantId)
      .execute()
    const partial = evidence.calls.find((call) => call.partial !== undefined)?.partial
    if (partial) await notePartialAnswer(tx, claim.tenantId, partial, now)
    if (verdict.state === tenant.accessState) return
    if (verdict.state === 'active') {
      await recordSeenRoles(tx, { tenantId: claim.tenantId, roles: evidence.unexpectedRoles }, now)
    }
    const { code = null, facts } = evidence.refusal ?? {}
    await recordAudit(tx, muster, {
      action: 'access.changed',
      at: now,
      customerId: tenant.customerId,
      tenantId: claim.tenantId,
      facts: { from: tenant.accessState, to: verdict.state, code, aadsts: facts?.aadsts ?? null },
    })
  })
}

/** What an access check means for its tenant. */
export interface CheckVerdict {
  state: AccessState
  nextCheckAt: Date
  /** Whether the quick schedule after a consent goes on. */
  keepProving: boolean
}

async function insertCheck(
  tx: Tx,
  tenant: Tenant,
  evidence: AccessEvidence,
  { state }: CheckVerdict,
  now: Date,
): Promise<void> {
  await tx
    .insertInto('access_checks')
    .values({
      id: newId(),
      tenant_id: tenant.tenantId,
      at: now.toISOString(),
      attempt: tenant.checkAttempts + 1,
      state,
      refusal_code: evidence.refusal?.code ?? null,
      refusal: evidence.refusal ? JSON.stringify(evidence.refusal.facts) : null,
      claims: evidence.claims ? JSON.stringify(evidence.claims) : null,
      capabilities: JSON.stringify(evidence.capabilities),
      calls: JSON.stringify(evidence.calls),
      missing_roles: JSON.stringify(evidence.missingRoles),
      unexpected_roles: JSON.stringify(evidence.unexpectedRoles),
    })
    .execute()
}

/**
 * When a check that was asked for while this one ran is due; null for none. A claim keeps the due time at the end of its
 * lease: an earlier one was asked for meanwhile, perhaps after what this check saw.
 */
async function findAskedMeanwhile(tx: Tx, tenantId: string, now: Date): Promise<string | null> {
  const { next_check_at, check_lease_until } = await tx
    .selectFrom('tenants')
    .select(['next_check_at', 'check_lease_until'])
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow()
  const isEarlier = next_check_at !== null && check_lease_until !== null && next_check_at < check_lease_until
  return isEarlier ? soonest(next_check_at, now.toISOString()) : null
}

/** The tenant's row after a check. Reading begins with access, and ends with it. */
function changesOf(
  tenant: Tenant,
  evidence: AccessEvidence,
  { state, keepProving, nextCheckAt }: CheckVerdict,
  askedFor: string | null,
  now: Date,
): Updateable<Schema['tenants']> {
  const at = now.toISOString()
  const active = state === 'active'
  const reading =
    tenant.accessState === 'active'
      ? {}
      : { next_sync_at: at, sync_failures: 0, ...(tenant.syncPhase === 'following' ? { next_window_at: at } : {}) }
  return {
    access_state: state,
    state_code: active ? null : (evidence.refusal?.code ?? null),
    ...(state === tenant.accessState ? {} : { state_since: at }),
    capabilities: JSON.stringify(evidence.capabilities),
    ...(tenant.consentProvenAt === null && provesConsent(evidence) ? { consent_proven_at: at } : {}),
    ...(active && tenant.firstActiveAt === null ? { first_active_at: at } : {}),
    ...(active ? reading : { next_sync_at: null, next_window_at: null }),
    proving_since: keepProving ? tenant.provingSince : null,
    check_attempts: keepProving ? tenant.checkAttempts + 1 : 0,
    next_check_at: askedFor ?? nextCheckAt.toISOString(),
    check_lease_until: null,
    last_check_at: at,
  }
}

/** A token that carries every permission: nobody has to consent again, even if the API refuses it. */
export const provesConsent = ({ refusal, claims, missingRoles }: AccessEvidence): boolean =>
  refusal === null || (claims !== null && missingRoles.length === 0)

/** Milliseconds between the latest check and one that is asked for: the calls are the tenant's, and buttons can be pressed again and again. */
export const requestedCheckGapMs = 30_000

const soonest = (askedAt: string, lastCheckAt: string | null): string => {
  if (lastCheckAt === null) return askedAt
  const paced = new Date(Date.parse(lastCheckAt) + requestedCheckGapMs).toISOString()
  return askedAt > paced ? askedAt : paced
}

/**
 * Asks for an access check, at once or as soon as the pace of the tenant allows. Asked for again before it is made, it is
 * the same one, and the audit log has it once.
 * @throws PortalError NOT_FOUND, CUSTOMER_OFFBOARDED
 */
export async function requestCheck(db: Database, actor: Actor, tenantId: string, now: Date): Promise<void> {
  await write(db, async (tx) => {
    const tenant = await holdTenant(tx, tenantId)
    if (tenant.accessState === 'offboarded') throw new PortalError('CUSTOMER_OFFBOARDED')
    const at = now.toISOString()
    // A clock that was set back is no reason to wait.
    const due = soonest(at, tenant.lastCheckAt !== null && tenant.lastCheckAt <= at ? tenant.lastCheckAt : null)
    const row = await tx
      .updateTable('tenants')
      .set({ next_check_at: due })
      .where('tenant_id', '=', tenantId)
      .where((eb) => eb.or([eb('next_check_at', 'is', null), eb('next_check_at', '>', due)]))
      .executeTakeFirst()
    if (row.numUpdatedRows === 0n) return
    await recordAudit(tx, actor, {
      action: 'tenant.check-requested',
      at: now,
      customerId: tenant.customerId,
      tenantId,
    })
  })
}

/** Newest first. */
export async function checksOf(db: Database, tenantId: string, limit: number): Promise<AccessCheck[]> {
  const rows = await db
    .selectFrom('access_checks')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('at', 'desc')
    .orderBy('attempt', 'desc')
    .limit(limit)
    .execute()
  return rows.map(checkOf)
}

function checkOf(row: Selectable<Schema['access_checks']>): AccessCheck {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    at: row.at,
    attempt: row.attempt,
    state: row.state as AccessState,
    refusalCode: row.refusal_code as RefusalCode | null,
    refusal: row.refusal === null ? null : (JSON.parse(row.refusal) as RefusalFacts),
    claims: row.claims === null ? null : (JSON.parse(row.claims) as TokenClaims),
    capabilities: JSON.parse(row.capabilities) as Capabilities,
    calls: JSON.parse(row.calls) as LiveCall[],
    missingRoles: JSON.parse(row.missing_roles) as string[],
    unexpectedRoles: JSON.parse(row.unexpected_roles) as string[],
  }
}

/** The latest check that proved access; null before the first. */
export async function findProof(db: Database, tenantId: string): Promise<AccessCheck | null> {
  const row = await db
    .selectFrom('access_checks')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('state', '=', 'active')
    .where('refusal_code', 'is', null)
    .orderBy('at', 'desc')
    .orderBy('attempt', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row ? checkOf(row) : null
}

/** Drops the checks of a tenant beyond the newest `keep`, and never the latest that proved access. */
export async function pruneChecks(db: Database, tenantId: string, keep: number): Promise<void> {
  await write(db, async (tx) => {
    const checks = tx
      .selectFrom('access_checks')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .orderBy('at', 'desc')
      .orderBy('attempt', 'desc')
    const surplus = await checks.offset(keep).limit(1_000).execute()
    if (surplus.length === 0) return
    const proof = await checks.where('state', '=', 'active').limit(1).execute()
    const ids = surplus.map((check) => check.id).filter((id) => id !== proof[0]?.id)
    if (ids.length > 0) await tx.deleteFrom('access_checks').where('id', 'in', ids).execute()
  })
}
