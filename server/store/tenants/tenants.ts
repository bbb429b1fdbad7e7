import type { Selectable } from 'kysely'
import { PortalError } from '../../errors.ts'
import type { Capability, CapabilityState } from '../../model/access.ts'
import type { PartialAnswer, Severity } from '../../model/incident.ts'
import { type Actor, recordAudit } from '../audit.ts'
import { type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { write } from '../engine/write.ts'
import { everything, type Scope, within } from '../scope.ts'
import { partialFromText } from '../sync/partial.ts'

export const accessStates = [
  'proving',
  'active',
  'limited',
  'unlicensed',
  'blocked',
  'disabled',
  'revoked',
  'gone',
  'unproven',
  'offboarded',
] as const

/**
 * proving: bound, the proof is under way, or held up by Microsoft or by the partner · active: incidents are read · limited: a permission is missing · unlicensed:
 * no Defender data to be had · blocked: the customer's Conditional Access · disabled: the app is switched off there ·
 * revoked: consent was taken back · gone: Microsoft knows no such tenant · unproven: no consent was found in two days ·
 * offboarded: a tombstone, nobody else may bind it without a decision.
 */
export type AccessState = (typeof accessStates)[number]

export type BoundHow = 'pinned' | 'sign-in' | 'confirmed' | 'entered'

export type Capabilities = Record<Capability, CapabilityState>

export const unknownCapabilities: Capabilities = {
  readIncidents: 'unknown',
  writeIncidents: 'unknown',
  hunting: 'unknown',
  organisationProfile: 'unknown',
}

/** Open incidents of one tenant, as kept with every change to them. */
export type OpenCounts = Record<Severity | 'unassigned', number>

export interface Tenant {
  tenantId: string
  customerId: string
  displayName: string | null
  defaultDomain: string | null
  region: string | null
  boundAt: string
  boundHow: BoundHow
  boundBy: string
  consentedAt: string | null
  /** When a token with the permission first proved the consent, even if the API refused it. */
  consentProvenAt: string | null
  accessState: AccessState
  /** The refusal behind the state, if there is one. */
  stateCode: string | null
  stateSince: string
  capabilities: Capabilities
  firstActiveAt: string | null
  offboardedAt: string | null
  provingSince: string | null
  checkAttempts: number
  nextCheckAt: string | null
  lastCheckAt: string | null
  nextSyncAt: string | null
  syncing: boolean
  syncFailures: number
  syncPhase: SyncPhase
  /** Microsoft asked to be left alone until then, or the budget of calls is used up until then. */
  notBefore: string | null
  cursor: string | null
  /** Since when Microsoft's answers are incomplete by their own account; null while they are whole. */
  partialSince: string | null
  /** Who was silent in the latest of them. */
  partial: PartialAnswer | null
  /** How far incomplete lists were read; what they lack is read again from `cursor` on. */
  partialCursor: string | null
  /** Read whole, that is. */
  lastReadAt: string | null
  lastReadCode: string | null
  /** When a sync run last brought something new. */
  lastChangeAt: string | null
  /** When the first 30 days had been read. */
  backfilledAt: string | null
  nextReconcileAt: string | null
  nextDeepReconcileAt: string | null
  /** When what is kept was last compared with all that Microsoft lists, and how much had been missing or stale. */
  reconciledAt: string | null
  reconcileDifferences: number
  pausedAt: string | null
  pausedBy: string | null
  firstIncidentAt: string | null
  open: OpenCounts
  /** The unassigned ones of them. */
  unassigned: Record<Severity, number>
  incidentCount: number
}

/** `open`: the first sync run, open incidents alone · `following`: what changes; the days before come as windows. */
export type SyncPhase = 'open' | 'following'

/** @throws PortalError NOT_FOUND */
export async function getTenant(db: Database, tenantId: string): Promise<Tenant> {
  const row = await db.selectFrom('tenants').selectAll().where('tenant_id', '=', tenantId).executeTakeFirst()
  if (!row) throw new PortalError('NOT_FOUND')
  return fromRow(row)
}

/** The tenant, which nobody else changes until the transaction ends. @throws PortalError NOT_FOUND */
export async function holdTenant(tx: Tx, tenantId: string): Promise<Tenant> {
  const row = await tx
    .selectFrom('tenants')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .$if(isPostgres(tx), (query) => query.forUpdate())
    .executeTakeFirst()
  if (!row) throw new PortalError('NOT_FOUND')
  return fromRow(row)
}

/** Null when there is none of that ID, or it is outside the scope. */
export async function findTenant(db: Database, tenantId: string, scope: Scope = everything): Promise<Tenant | null> {
  const row = await db
    .selectFrom('tenants')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where(within(db, scope, 'customer_id'))
    .executeTakeFirst()
  return row ? fromRow(row) : null
}

export async function tenantsOf(db: Database, customerId: string): Promise<Tenant[]> {
  const rows = await db
    .selectFrom('tenants')
    .selectAll()
    .where('customer_id', '=', customerId)
    .orderBy('bound_at')
    .orderBy('tenant_id')
    .execute()
  return rows.map(fromRow)
}

/**
 * Every tenant with its customer's name, the oldest binding first, or those of the customers named. No state leaves one out: a failing tenant never
 * drops off a list.
 */
export async function listTenants(
  db: Database,
  customerIds?: readonly string[],
  scope: Scope = everything,
): Promise<(Tenant & { customerName: string })[]> {
  const rows = await db
    .selectFrom('tenants')
    .innerJoin('customers', 'customers.id', 'tenants.customer_id')
    .$if(customerIds !== undefined, (query) => query.where('tenants.customer_id', 'in', [...(customerIds ?? [])]))
    .where(within(db, scope, 'tenants.customer_id'))
    .selectAll('tenants')
    .select('customers.name as customer_name')
    .orderBy('tenants.bound_at')
    .orderBy('tenants.tenant_id')
    .execute()
  return rows.map((row) => ({ ...fromRow(row), customerName: row.customer_name }))
}

/** What Microsoft calls the tenant, once it may be asked. */
export async function nameTenant(
  db: Database,
  actor: Actor,
  tenantId: string,
  profile: { displayName: string | null; defaultDomain: string | null },
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    const row = await tx
      .updateTable('tenants')
      .set({ display_name: profile.displayName, default_domain: profile.defaultDomain })
      .where('tenant_id', '=', tenantId)
      .where((eb) =>
        eb.or([
          eb('display_name', 'is distinct from', profile.displayName),
          eb('default_domain', 'is distinct from', profile.defaultDomain),
        ]),
      )
      .returning('customer_id')
      .executeTakeFirst()
    if (!row) return
    await recordAudit(tx, actor, {
      action: 'tenant.profile-read',
      at: now,
      customerId: row.customer_id,
      tenantId,
      facts: { displayName: profile.displayName, defaultDomain: profile.defaultDomain },
    })
  })
}

function countsFrom(row: Selectable<Schema['tenants']>): Pick<Tenant, 'open' | 'unassigned'> {
  const unassigned = {
    high: row.unassigned_high,
    medium: row.unassigned_medium,
    low: row.unassigned_low,
    informational: row.unassigned_informational,
    unknown: row.unassigned_unknown,
  }
  const open = {
    high: row.open_high,
    medium: row.open_medium,
    low: row.open_low,
    informational: row.open_informational,
    unknown: row.open_unknown,
    unassigned: Object.values(unassigned).reduce((sum, count) => sum + count, 0),
  }
  return { open, unassigned }
}

export function fromRow(row: Selectable<Schema['tenants']>): Tenant {
  return {
    tenantId: row.tenant_id,
    customerId: row.customer_id,
    displayName: row.display_name,
    defaultDomain: row.default_domain,
    region: row.region,
    boundAt: row.bound_at,
    boundHow: row.bound_how as BoundHow,
    boundBy: row.bound_by,
    consentedAt: row.consented_at,
    consentProvenAt: row.consent_proven_at,
    accessState: row.access_state as AccessState,
    stateCode: row.state_code,
    stateSince: row.state_since,
    capabilities: JSON.parse(row.capabilities) as Capabilities,
    firstActiveAt: row.first_active_at,
    offboardedAt: row.offboarded_at,
    provingSince: row.proving_since,
    checkAttempts: row.check_attempts,
    nextCheckAt: row.next_check_at,
    lastCheckAt: row.last_check_at,
    nextSyncAt: row.next_sync_at,
    syncing: row.sync_lease_until !== null,
    syncFailures: row.sync_failures,
    // A version before windows has another phase, of tenants it has not read to the end: they begin again.
    syncPhase: row.sync_phase === 'following' ? 'following' : 'open',
    notBefore: row.sync_not_before,
    cursor: row.cursor,
    partialSince: row.partial_since,
    partial: partialFromText(row.partial_sources),
    partialCursor: row.partial_cursor,
    lastReadAt: row.last_read_at,
    lastReadCode: row.last_read_code,
    lastChangeAt: row.last_change_at,
    backfilledAt: row.backfilled_at,
    nextReconcileAt: row.next_reconcile_at,
    nextDeepReconcileAt: row.next_deep_reconcile_at,
    reconciledAt: row.reconciled_at,
    reconcileDifferences: row.reconcile_differences,
    pausedAt: row.paused_at,
    pausedBy: row.paused_by,
    firstIncidentAt: row.first_incident_at,
    ...countsFrom(row),
    incidentCount: row.incident_count,
  }
}
