import type { Selectable } from 'kysely'
import { PortalError } from '../errors.ts'
import type { Capability, CapabilityState } from '../microsoft/microsoft.ts'
import { type Actor, recordAudit } from './audit.ts'
import { type Database, isDuplicate, type Tx, write } from './database.ts'
import type { Schema } from './schema.ts'

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
 * proving: bound, the proof is under way · active: incidents are read · limited: a permission is missing · unlicensed:
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

export interface OpenCounts {
  high: number
  medium: number
  low: number
  informational: number
  unknown: number
  unassigned: number
}

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
  cursor: string | null
  lastReadAt: string | null
  lastReadCode: string | null
  firstIncidentAt: string | null
  open: OpenCounts
  incidentCount: number
}

/** `open`: the first pass, open incidents first · `backfill`: the days before · `following`: what changes. */
export type SyncPhase = 'open' | 'backfill' | 'following'

/** A tenant not read for longer than this is blind. */
export const blindAfterMs = 15 * 60_000

/** Whether incidents may be arriving there without Muster seeing them, and since when. */
export function blindSince(tenant: Tenant, now: Date): string | null {
  if (tenant.firstActiveAt === null || tenant.accessState === 'offboarded') return null
  const lastSeen = tenant.lastReadAt ?? tenant.firstActiveAt
  return now.getTime() - Date.parse(lastSeen) > blindAfterMs ? lastSeen : null
}

/**
 * Binds a tenant to a customer: the one row that decides whose data is shown under whose name.
 * A tenant bound before, offboarded ones included, is not bound again: `reviveTenant` is the deliberate way back.
 * @throws PortalError TENANT_TAKEN, nothing changed
 */
export async function bindTenant(
  tx: Tx,
  actor: Actor,
  binding: {
    tenantId: string
    customerId: string
    how: BoundHow
    by: string
    region: string | null
    consented: boolean
  },
  now: Date,
): Promise<void> {
  const at = now.toISOString()
  const known = await tx
    .selectFrom('tenants')
    .select('customer_id')
    .where('tenant_id', '=', binding.tenantId)
    .executeTakeFirst()
  if (known) throw new PortalError('TENANT_TAKEN')
  try {
    await tx
      .insertInto('tenants')
      .values({
        tenant_id: binding.tenantId,
        customer_id: binding.customerId,
        display_name: null,
        default_domain: null,
        region: binding.region,
        bound_at: at,
        bound_how: binding.how,
        bound_by: binding.by,
        consented_at: binding.consented ? at : null,
        access_state: 'proving',
        state_code: null,
        state_since: at,
        capabilities: JSON.stringify(unknownCapabilities),
        first_active_at: null,
        offboarded_at: null,
        proving_since: at,
        next_check_at: at,
        check_lease_until: null,
        last_check_at: null,
        next_sync_at: null,
        sync_lease_until: null,
        sync_phase: 'open',
        cursor: null,
        last_read_at: null,
        last_read_code: null,
        reconciled_at: null,
        reconciled_differences: null,
        first_incident_at: null,
      })
      .execute()
  } catch (error) {
    if (isDuplicate(error)) throw new PortalError('TENANT_TAKEN', { cause: error })
    throw error
  }
  await recordAudit(tx, actor, {
    action: binding.how === 'entered' ? 'tenant.entered' : 'tenant.bound',
    at: now,
    customerId: binding.customerId,
    tenantId: binding.tenantId,
    facts: { how: binding.how },
  })
}

/**
 * A consent for a tenant this customer already has: proven anew, at once. An offboarded one comes back this way only
 * when an operator decided so.
 */
export async function proveAnew(
  tx: Tx,
  actor: Actor,
  tenantId: string,
  now: Date,
  options: { consented: boolean; revive: boolean },
): Promise<void> {
  const at = now.toISOString()
  const tenant = await tenantById(tx, tenantId)
  if (tenant.accessState === 'offboarded' && !options.revive) throw new PortalError('TENANT_TAKEN')
  await tx
    .updateTable('tenants')
    .set({
      ...(options.consented ? { consented_at: at } : {}),
      ...(tenant.accessState === 'active' ? {} : { access_state: 'proving', state_code: null, state_since: at }),
      offboarded_at: null,
      proving_since: at,
      check_attempts: 0,
      next_check_at: at,
    })
    .where('tenant_id', '=', tenantId)
    .execute()
  await recordAudit(tx, actor, {
    action: 'tenant.check-requested',
    at: now,
    customerId: tenant.customerId,
    tenantId,
    facts: { consented: options.consented },
  })
}

/** @throws PortalError NOT_FOUND */
export async function tenantById(db: Database, tenantId: string): Promise<Tenant> {
  const row = await db.selectFrom('tenants').selectAll().where('tenant_id', '=', tenantId).executeTakeFirst()
  if (!row) throw new PortalError('NOT_FOUND')
  return fromRow(row)
}

export async function findTenant(db: Database, tenantId: string): Promise<Tenant | null> {
  const row = await db.selectFrom('tenants').selectAll().where('tenant_id', '=', tenantId).executeTakeFirst()
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

/** Every tenant with its customer's name. No state leaves one out: a failing tenant never drops off a list. */
export async function listTenants(db: Database): Promise<(Tenant & { customerName: string })[]> {
  const rows = await db
    .selectFrom('tenants')
    .innerJoin('customers', 'customers.id', 'tenants.customer_id')
    .selectAll('tenants')
    .select('customers.name as customer_name')
    .orderBy('customers.name')
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
    const named = await tx
      .updateTable('tenants')
      .set({ display_name: profile.displayName, default_domain: profile.defaultDomain })
      .where('tenant_id', '=', tenantId)
      .where((eb) => eb.or([eb('display_name', 'is', null), eb('display_name', '!=', profile.displayName)]))
      .returning('customer_id')
      .executeTakeFirst()
    if (!named) return
    await recordAudit(tx, actor, {
      action: 'tenant.profile-read',
      at: now,
      customerId: named.customer_id,
      tenantId,
      facts: { displayName: profile.displayName, defaultDomain: profile.defaultDomain },
    })
  })
}

/**
 * Ends the service for a customer: reading stops at once, links are withdrawn, tenants become tombstones that nobody
 * else can bind. What was read stays until it is pruned.
 * @throws PortalError CUSTOMER_OFFBOARDED when it already ended
 */
export async function offboardCustomer(db: Database, actor: Actor, customerId: string, now: Date): Promise<void> {
  await write(db, async (tx) => {
    const at = now.toISOString()
    const ended = await tx
      .updateTable('customers')
      .set({ offboarded_at: at, updated_at: at })
      .where('id', '=', customerId)
      .where('offboarded_at', 'is', null)
      .executeTakeFirst()
    if (ended.numUpdatedRows !== 1n) throw new PortalError('CUSTOMER_OFFBOARDED')
    await tx
      .updateTable('consent_links')
      .set({ withdrawn_at: at, next_probe_at: null })
      .where('customer_id', '=', customerId)
      .where('withdrawn_at', 'is', null)
      .where('completed_at', 'is', null)
      .execute()
    const tenants = await tx
      .updateTable('tenants')
      .set((eb) => ({
        access_state: 'offboarded',
        state_code: null,
        state_since: at,
        offboarded_at: at,
        next_check_at: null,
        next_sync_at: null,
        // A pass under way loses its right to write.
        check_fence: eb('check_fence', '+', 1),
        sync_fence: eb('sync_fence', '+', 1),
        check_lease_until: null,
        sync_lease_until: null,
      }))
      .where('customer_id', '=', customerId)
      .returning('tenant_id')
      .execute()
    for (const { tenant_id } of tenants) {
      await recordAudit(tx, actor, { action: 'tenant.offboarded', at: now, customerId, tenantId: tenant_id })
    }
    await recordAudit(tx, actor, {
      action: 'customer.offboarded',
      at: now,
      customerId,
      facts: { tenants: tenants.length },
    })
  })
}

export interface FleetSummary {
  /** Tenants that have been active and are not offboarded: those Muster ought to see. */
  tenants: number
  read: number
  blind: number
  newestReadAt: string | null
  oldestReadAt: string | null
  openIncidents: number
  customers: number
  reviews: number
}

/** Over how many tenants the numbers on this page are, and how fresh. */
export async function fleetSummary(db: Database, now: Date): Promise<FleetSummary> {
  const limit = new Date(now.getTime() - blindAfterMs).toISOString()
  const [tenants, customers, reviews] = await Promise.all([
    db
      .selectFrom('tenants')
      .where('first_active_at', 'is not', null)
      .where('access_state', '!=', 'offboarded')
      .select(({ fn, eb }) => [
        fn.countAll<number>().as('tenants'),
        fn
          .sum<number | null>(
            eb.case().when(fn.coalesce('last_read_at', 'first_active_at'), '>=', limit).then(1).else(0).end(),
          )
          .as('read'),
        fn.max('last_read_at').as('newest'),
        fn.min(fn.coalesce('last_read_at', 'first_active_at')).as('oldest'),
        fn.sum<number | null>(eb('open_high', '+', eb.ref('open_medium'))).as('open_upper'),
        fn
          .sum<number | null>(eb(eb('open_low', '+', eb.ref('open_informational')), '+', eb.ref('open_unknown')))
          .as('open_lower'),
      ])
      .executeTakeFirstOrThrow(),
    db
      .selectFrom('customers')
      .where('offboarded_at', 'is', null)
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow(),
    db
      .selectFrom('reviews')
      .where('decided_at', 'is', null)
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow(),
  ])
  const read = Number(tenants.read ?? 0)
  return {
    tenants: Number(tenants.tenants),
    read,
    blind: Number(tenants.tenants) - read,
    newestReadAt: tenants.newest,
    oldestReadAt: (tenants.oldest as string | null) ?? null,
    openIncidents: Number(tenants.open_upper ?? 0) + Number(tenants.open_lower ?? 0),
    customers: Number(customers.n),
    reviews: Number(reviews.n),
  }
}

function fromRow(row: Selectable<Schema['tenants']>): Tenant {
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
    syncPhase: row.sync_phase as SyncPhase,
    cursor: row.cursor,
    lastReadAt: row.last_read_at,
    lastReadCode: row.last_read_code,
    firstIncidentAt: row.first_incident_at,
    open: {
      high: row.open_high,
      medium: row.open_medium,
      low: row.open_low,
      informational: row.open_informational,
      unknown: row.open_unknown,
      unassigned: row.open_unassigned,
    },
    incidentCount: row.incident_count,
  }
}
