import { sql } from 'kysely'
import { PortalError } from '../errors.ts'
import type { IncidentPage, Instant, RemoteAlert, RemoteIncident } from '../microsoft/microsoft.ts'
import type { RefusalCode } from '../microsoft/refusals.ts'
import { type Actor, muster, recordAudit } from './audit.ts'
import { type Claim, holdClaim } from './claims.ts'
import { recount } from './counters.ts'
import { type Database, type Tx, write } from './database.ts'
import { newId } from './identifiers.ts'
import { storeAlertsOf, storeIncidents } from './readings.ts'
import { forgetRejected, recordRejected } from './rejected.ts'
import { holdTenant, type SyncPhase, tenantById } from './tenants.ts'

export type SyncOutcome = 'complete' | 'partial' | 'failed' | 'overtaken'

/** One pass over one tenant. */
export interface Sync {
  id: string
  tenantId: string
  kind: SyncPhase
  startedAt: string
  finishedAt: string | null
  outcome: SyncOutcome | null
  code: RefusalCode | 'internal' | null
  pages: number
  seen: number
  stored: number
  rejected: number
}

export async function startSync(db: Database, claim: Claim, kind: SyncPhase, now: Date): Promise<string> {
  const id = newId()
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    // Whoever began these is dead or overtaken: the claim is ours now.
    await tx
      .updateTable('syncs')
      .set({ finished_at: now.toISOString(), outcome: 'overtaken' })
      .where('tenant_id', '=', claim.tenantId)
      .where('finished_at', 'is', null)
      .execute()
    await tx
      .insertInto('syncs')
      .values({
        id,
        tenant_id: claim.tenantId,
        kind,
        started_at: now.toISOString(),
        finished_at: null,
        outcome: null,
        code: null,
      })
      .execute()
  })
  return id
}

/**
 * Stores one page whole, with its counters and what was rejected of it, or not at all.
 * @returns how many incidents were new or newer
 * @throws ClaimLostError
 */
export async function storePage(
  db: Database,
  claim: Claim,
  syncId: string,
  page: IncidentPage,
  now: Date,
): Promise<number> {
  return write(db, async (tx) => {
    await holdClaim(tx, claim)
    const ids = await storeIncidents(tx, claim.tenantId, page.incidents, now)
    await recordRejected(tx, claim.tenantId, page.rejected, now)
    await forgetRejected(
      tx,
      claim.tenantId,
      page.incidents.map((incident) => incident.id),
    )
    if (ids.size > 0) await countAnew(tx, claim, now)
    await tx
      .updateTable('syncs')
      .set((eb) => ({
        pages: eb('pages', '+', 1),
        seen: eb('seen', '+', page.incidents.length),
        stored: eb('stored', '+', ids.size),
        rejected: eb('rejected', '+', page.rejected.length),
      }))
      .where('id', '=', syncId)
      .execute()
    return ids.size
  })
}

/** Stores the alerts that were read for one incident. @throws ClaimLostError */
export async function storeAlerts(
  db: Database,
  claim: Claim,
  incident: Pick<RemoteIncident, 'id' | 'title' | 'assignedTo' | 'tags'>,
  alerts: readonly RemoteAlert[],
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await storeAlertsOf(tx, claim.tenantId, incident, alerts, now)
    await forgetRejected(tx, claim.tenantId, [alertsItem(incident.id)])
  })
}

/** The alerts of one incident cannot be read: they wait their turn, and the tenant's page says so. @throws ClaimLostError */
export async function setAlertsAside(
  db: Database,
  claim: Claim,
  syncId: string,
  incidentId: string,
  detail: string,
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await recordRejected(tx, claim.tenantId, [{ id: alertsItem(incidentId), reason: 'alerts-unread', detail }], now)
    await tx
      .updateTable('syncs')
      .set((eb) => ({ rejected: eb('rejected', '+', 1) }))
      .where('id', '=', syncId)
      .execute()
  })
}

/** `alertsDue` knows it as well. */
const alertsItem = (incidentId: string) => `${incidentId} alerts`

async function countAnew(tx: Tx, claim: Claim, now: Date): Promise<void> {
  const { firstIncident } = await recount(tx, claim.tenantId, now)
  if (!firstIncident) return
  const tenant = await tenantById(tx, claim.tenantId)
  await recordAudit(tx, muster, {
    action: 'tenant.first-incident',
    at: now,
    customerId: tenant.customerId,
    tenantId: claim.tenantId,
  })
}

/**
 * Ends a pass that read everything it set out to: only now does the cursor move, to the newest time seen at Microsoft
 * and never to our own clock.
 * @throws ClaimLostError
 */
export async function completeSync(
  db: Database,
  claim: Claim,
  syncId: string,
  done: { cursor: Instant | null; phase: SyncPhase; nextSyncAt: Date; partial: boolean },
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await finish(tx, syncId, done.partial ? 'partial' : 'complete', null, now)
    await tx
      .updateTable('tenants')
      .set({
        sync_phase: done.phase,
        ...(done.cursor === null ? {} : { cursor: done.cursor }),
        last_read_at: now.toISOString(),
        last_read_code: null,
        sync_failures: 0,
        sync_lease_until: null,
        next_sync_at: whileActive(done.nextSyncAt),
      })
      .where('tenant_id', '=', claim.tenantId)
      .execute()
  })
}

/** Ends a pass that Microsoft or we broke off: pages already stored stay, the cursor stays where it was. */
export async function failSync(
  db: Database,
  claim: Claim,
  syncId: string,
  failure: { code: RefusalCode | 'internal'; nextSyncAt: Date; checkAccess: boolean },
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await finish(tx, syncId, 'failed', failure.code, now)
    await tx
      .updateTable('tenants')
      .set((eb) => ({
        last_read_code: failure.code,
        sync_failures: eb('sync_failures', '+', 1),
        sync_lease_until: null,
        next_sync_at: whileActive(failure.nextSyncAt),
        ...(failure.checkAccess ? { next_check_at: now.toISOString() } : {}),
      }))
      .where('tenant_id', '=', claim.tenantId)
      .execute()
  })
}

/** An access check may have found meanwhile that there is nothing to read any more: then no pass follows this one. */
const whileActive = (at: Date) => sql<string | null>`case when access_state = 'active' then ${at.toISOString()} end`

async function finish(tx: Tx, syncId: string, outcome: SyncOutcome, code: Sync['code'], now: Date): Promise<void> {
  await tx
    .updateTable('syncs')
    .set({ finished_at: now.toISOString(), outcome, code })
    .where('id', '=', syncId)
    .execute()
}

/** "Refresh now". @throws PortalError NOT_FOUND; CONFLICT for a tenant that cannot be read */
export async function requestSync(db: Database, actor: Actor, tenantId: string, now: Date): Promise<void> {
  await write(db, async (tx) => {
    const tenant = await holdTenant(tx, tenantId)
    if (tenant.accessState !== 'active') throw new PortalError('CONFLICT')
    await tx
      .updateTable('tenants')
      .set({ next_sync_at: now.toISOString() })
      .where('tenant_id', '=', tenantId)
      .where('sync_lease_until', 'is', null)
      .execute()
    await recordAudit(tx, actor, { action: 'tenant.sync-requested', at: now, customerId: tenant.customerId, tenantId })
  })
}

/** Newest first. */
export async function syncsOf(db: Database, tenantId: string, limit: number): Promise<Sync[]> {
  const rows = await db
    .selectFrom('syncs')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('started_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    tenantId: row.tenant_id,
    kind: row.kind as SyncPhase,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    outcome: row.outcome as SyncOutcome | null,
    code: row.code as Sync['code'],
    pages: row.pages,
    seen: row.seen,
    stored: row.stored,
    rejected: row.rejected,
  }))
}

/** In one go, so that no deletion holds everybody up. */
const prunedAtOnce = 2_000

/** Passes that began before `before`, except the newest of each tenant: their counts are history. */
export async function pruneSyncs(db: Database, before: Date): Promise<number> {
  return write(db, async (tx) => {
    const gone = await tx
      .deleteFrom('syncs')
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('syncs as old')
          .select('old.id')
          .where('old.started_at', '<', before.toISOString())
          .where(({ exists, selectFrom }) =>
            exists(
              selectFrom('syncs as later')
                .select('later.id')
                .whereRef('later.tenant_id', '=', 'old.tenant_id')
                .whereRef('later.started_at', '>', 'old.started_at'),
            ),
          )
          .limit(prunedAtOnce),
      )
      .executeTakeFirst()
    return Number(gone.numDeletedRows)
  })
}
