import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Severity } from '../../model/incident.ts'
import type { Tx } from '../engine/dialect.ts'

/** What of an incident the counters go by. */
export interface Counted {
  severity: Severity
  open: boolean
  unassigned: boolean
  /** Merged ones are in no list and in no count. */
  listed: boolean
  /** The UTC day it was created on. */
  day: string
}

/** How one incident changed; null for what was not there, or is there no longer. */
export type Change = readonly [before: Counted | null, after: Counted | null]

/** `days`: those of the tenant itself stay as they are. */
export type Counters = 'all' | 'days'

const severities: readonly Severity[] = ['high', 'medium', 'low', 'informational', 'unknown']

type Counter = `${'open' | 'unassigned'}_${Severity}` | 'incident_count'

/** Tenants that change the same day at the same moment wait for each other only when they share one of these. */
const shards = 16

/** The row of a day that a tenant adds to. */
export const shardOf = (tenantId: string): number => (createHash('sha256').update(tenantId).digest()[0] ?? 0) % shards

/**
 * Keeps the counters of a tenant and of the days in step with its incidents, by the differences alone: a page costs the
 * same however many incidents the tenant has. Called in the transaction that changed them.
 */
export async function count(
  tx: Tx,
  tenantId: string,
  changes: Iterable<Change>,
  counted: Counters = 'all',
): Promise<void> {
  const counters = new Map<Counter, number>()
  const days = new Map<string, { day: string; severity: Severity; incidents: number }>()
  const add = (counted: Counted | null, by: 1 | -1) => {
    if (!counted?.listed) return
    const { severity, day } = counted
    const bump = (counter: Counter) => counters.set(counter, (counters.get(counter) ?? 0) + by)
    bump('incident_count')
    if (counted.open) bump(`open_${severity}`)
    if (counted.open && counted.unassigned) bump(`unassigned_${severity}`)
    const key = `${day} ${severity}`
    const entry = days.get(key)
    if (entry) entry.incidents += by
    else days.set(key, { day, severity, incidents: by })
  }
  for (const [before, after] of changes) {
    add(before, -1)
    add(after, 1)
  }
  const changed = [...counters].filter(([, by]) => by !== 0)
  if (changed.length > 0 && counted === 'all') {
    await tx
      .updateTable('tenants')
      .set((eb) => Object.fromEntries(changed.map(([counter, by]) => [counter, eb(counter, '+', by)])))
      .where('tenant_id', '=', tenantId)
      .execute()
  }
  // In one order for everybody, so that no two transactions hold what the other waits for.
  const rows = [...days]
    .filter(([, { incidents }]) => incidents !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => ({ ...row, shard: shardOf(tenantId) }))
  if (rows.length === 0) return
  await tx
    .insertInto('created_days')
    .values(rows)
    .onConflict((oc) =>
      oc
        .columns(['day', 'severity', 'shard'])
        .doUpdateSet((eb) => ({ incidents: eb('created_days.incidents', '+', eb.ref('excluded.incidents')) })),
    )
    .execute()
}

/** Notes when a tenant showed its first incident. @returns whether that was now */
export async function noteFirstIncident(tx: Tx, tenantId: string, now: Date): Promise<boolean> {
  const first = await tx
    .updateTable('tenants')
    .set({ first_incident_at: now.toISOString() })
    .where('tenant_id', '=', tenantId)
    .where('first_incident_at', 'is', null)
    .executeTakeFirst()
  return first.numUpdatedRows > 0n
}

/**
 * Counts a tenant's incidents exactly: what every comparison with Microsoft ends with.
 * @returns whether the counters that are kept had gone wrong
 */
export async function recount(tx: Tx, tenantId: string): Promise<{ drifted: boolean }> {
  const groups = await tx
    .selectFrom('incidents')
    .select(({ fn, eb }) => [
      'severity',
      fn.countAll<number>().as('n'),
      fn.sum<number | null>('open').as('open'),
      fn
        .sum<number | null>(eb.case().when('assigned_to', 'is', null).then(eb.ref('open')).else(0).end())
        .as('unassigned'),
    ])
    .where('tenant_id', '=', tenantId)
    .where('redirect_id', 'is', null)
    .groupBy('severity')
    .execute()
  const exact: Partial<Record<Counter, number>> = {}
  for (const severity of severities) {
    const group = groups.find((one) => one.severity === severity)
    exact[`open_${severity}`] = Number(group?.open ?? 0)
    exact[`unassigned_${severity}`] = Number(group?.unassigned ?? 0)
  }
  exact.incident_count = groups.reduce((sum, { n }) => sum + Number(n), 0)
  const names = Object.keys(exact) as Counter[]
  const mended = await tx
    .updateTable('tenants')
    .set(exact)
    .where('tenant_id', '=', tenantId)
    .where(
      sql<boolean>`(${sql.join(
        names.map((name) => sql`${sql.ref(name)} <> ${exact[name]}`),
        sql` or `,
      )})`,
    )
    .executeTakeFirst()
  return { drifted: mended.numUpdatedRows > 0n }
}
