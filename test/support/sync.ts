import { expect } from '@jest/globals'
import type { Incident } from '../../server/simulator/world/incidents.ts'
import type { Database } from '../../server/store/engine/dialect.ts'
import type { Sync } from '../../server/store/sync/rows.ts'
import { requestReread } from '../../server/store/sync/windows.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { runDue } from '../../server/worker/worker.ts'
import { before, untilNothingIsDue } from './admin.ts'
import { type Engine, startTestPortal, type TestPortal } from './portal.ts'

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

/** Milliseconds since 1970 as Microsoft writes them. */
export const instantOf = (time: number) => new Date(time).toISOString().replace('Z', '0000Z')

/** The rows of sync runs over a tenant, newest first. */
export async function syncsOf(db: Database, tenantId: string, limit: number) {
  const rows = await db
    .selectFrom('syncs')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    kind: row.kind,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    outcome: row.outcome as Sync['outcome'],
    code: row.code,
    pages: row.pages,
    stored: row.stored,
    rejected: row.rejected,
    requestId: row.request_id,
    added: row.added,
    differences: row.differences,
    calls: row.calls,
    polls: row.polls,
  }))
}

/** The same portal over Microsoft Graph, whose lists carry no alerts. */
export async function startGraphPortal(engine: Engine): Promise<TestPortal> {
  const here = await startTestPortal(engine, { config: { incidentsApi: 'graph' } })
  const { requiredResources } = here.simulator.world.registration(here.portal.config.app.clientId)
  requiredResources.push({ resource: 'graph', roles: ['SecurityIncident.Read.All'] })
  return here
}

export async function run(here: TestPortal, ms: number): Promise<void> {
  here.clock.advance(ms)
  await untilNothingIsDue(here)
}

/** The next comparison would mend what a poll lost: none is made. */
export async function withoutComparison(here: TestPortal): Promise<void> {
  await here.portal.db.updateTable('tenants').set({ next_window_at: null, next_reconcile_at: null }).execute()
}

/** Reads everything of the last 40 days, as an operator may ask. */
export async function rereadAll(here: TestPortal, tenantId: string): Promise<void> {
  const now = here.portal.now()
  const stretch = { from: new Date(now.getTime() - 40 * day).toISOString(), to: now.toISOString() }
  await requestReread(here.portal.db, before, tenantId, stretch, now)
  await untilNothingIsDue(here)
}

/** What the simulator holds and what is kept, item by item: the IDs that differ, with both. */
export async function difference(here: TestPortal, tenantId: string): Promise<string[]> {
  const { portal, simulator } = here
  const { incidents } = simulator.world.tenant(tenantId)
  // The Defender API has no word for it.
  const statusOf = ({ status }: Incident) =>
    status === 'awaitingAction' && portal.microsoft.api === 'defender' ? 'inProgress' : status
  const truth = new Map(
    incidents
      .all()
      .map((one) => [
        String(one.id),
        [
          one.name,
          one.severity,
          statusOf(one),
          one.classification,
          one.assignedTo,
          one.redirectId === null ? null : String(one.redirectId),
          one.lastUpdateAt,
          one.recipes.reduce((sum, { count }) => sum + count, 0),
        ].join(' · '),
      ]),
  )
  const rows = await portal.db
    .selectFrom('incidents')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('gone_at', 'is', null)
    .execute()
  const kept = new Map(
    rows.map((row) => [
      row.incident_id,
      [
        row.title,
        row.severity,
        row.status,
        row.classification,
        row.assigned_to,
        row.redirect_id,
        row.last_update_at,
        row.alert_count,
      ].join(' · '),
    ]),
  )
  const ids = new Set([...truth.keys(), ...kept.keys()])
  return [...ids]
    .filter((id) => truth.get(id) !== kept.get(id))
    .map((id) => `${id}: ${truth.get(id) ?? 'nothing'} | ${kept.get(id) ?? 'nothing'}`)
}

/** The counters that are kept, against what they count. For a portal with this one tenant. */
export async function expectExactCounts(here: TestPortal, tenantId: string): Promise<void> {
  const { db } = here.portal
  const rows = await db.selectFrom('incidents').selectAll().where('redirect_id', 'is', null).execute()
  const exact = { open: {} as Record<string, number>, days: {} as Record<string, number> }
  for (const severity of ['high', 'medium', 'low', 'informational', 'unknown']) exact.open[severity] = 0
  exact.open.unassigned = 0
  for (const row of rows) {
    const day = `${row.created_day} ${row.severity}`
    exact.days[day] = (exact.days[day] ?? 0) + 1
    if (row.open !== 1) continue
    exact.open[row.severity] = (exact.open[row.severity] ?? 0) + 1
    if (row.assigned_to === null) exact.open.unassigned++
  }
  const counted = await db.selectFrom('created_days').selectAll().execute()
  const days: Record<string, number> = {}
  for (const { day, severity, incidents } of counted) {
    if (incidents !== 0) days[`${day} ${severity}`] = (days[`${day} ${severity}`] ?? 0) + incidents
  }
  const { open, incidentCount } = await getTenant(db, tenantId)
  expect({ open, days, incidentCount }).toEqual({ ...exact, incidentCount: rows.length })
}

/** A portal that is killed before the write that `lives` does not reach. */
export function mortalPortal(here: TestPortal) {
  const lives = { left: Number.POSITIVE_INFINITY }
  // What is bound to the connection itself keeps its private fields.
  const db = new Proxy(here.portal.db, {
    get(target, name) {
      if (name === 'transaction' && --lives.left < 0) throw new Error('killed')
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  /** As the worker does, with whatever becomes of it. @returns whether it lived */
  const live = async (writes: number): Promise<boolean> => {
    lives.left = writes
    for (let rounds = 0, idle = 0; rounds < 12 && idle < 2; rounds++) {
      const done = await runDue({ ...here.portal, db }).catch(() => 0)
      here.clock.advance(1_500)
      if (done === 0) idle++
    }
    const lived = lives.left >= 0
    lives.left = Number.POSITIVE_INFINITY
    return lived
  }
  return { live }
}
