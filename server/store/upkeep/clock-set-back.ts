import { sql } from 'kysely'
import { type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import { aheadOf, believedClockMs } from '../tenants/blind.ts'

/** Times that were written by a clock that has been put back since, in rows that something is done by. */
const written = {
  tenants: {
    key: 'tenant_id',
    columns: [
      ...[
        'next_sync_at',
        'next_window_at',
        'next_check_at',
        'sync_not_before',
        'sync_lease_until',
        'check_lease_until',
      ],
      ...['next_reconcile_at', 'next_deep_reconcile_at', 'last_read_at', 'last_check_at', 'last_change_at'],
      ...['proving_since', 'sync_started_at', 'state_since', 'first_active_at', 'backfilled_at', 'reconciled_at'],
    ],
  },
  chores: { key: 'name', columns: ['due_at', 'lease_until'] },
  partner_faults: { key: 'code', columns: ['seen_at', 'next_probe_at', 'probe_lease_until'] },
  consent_links: { key: 'id', columns: ['next_probe_at', 'probe_lease_until'] },
  awaited_proofs: { key: 'tenant_id', columns: ['since', 'claimed_at', 'next_at', 'lease_until', 'last_at'] },
  notify_alarms: { key: 'id', columns: ['raised_at', 'last_raised_at', 'announced_at', 'announce_at'] },
  outbox: { key: 'id', columns: ['created_at', 'next_at', 'lease_until'] },
  destinations: { key: 'id', columns: ['failing_since', 'not_before'] },
} as const

type Written = keyof typeof written

/**
 * By how much what was read or checked last lies ahead of this clock, in milliseconds: a success in the future was written
 * by a clock that was wrong. 0 where all of it is past, give or take what two clocks differ by.
 */
export async function writtenAhead(db: Database, now: Date): Promise<number> {
  const { rows } = await sql<{ newest: string | null }>`select max(at) as newest from (
    select max(last_read_at) as at from tenants union all select max(last_check_at) from tenants) as seen`.execute(db)
  const newest = rows[0]?.newest ?? null
  return newest === null || newest <= aheadOf(now) ? 0 : Date.parse(newest) - now.getTime()
}

/**
 * Moves what lies ahead of this clock back by as much as the clock was put back: what was due then is due then, and what
 * was read then was. @returns how many rows that were
 */
export async function moveBack(db: Database, now: Date, byMs: number): Promise<number> {
  if (byMs < believedClockMs) return 0
  return write(db, async (tx) => {
    let count = 0
    for (const table of Object.keys(written) as Written[]) count += await moveRows(tx, table, now, byMs)
    await moveBudgets(tx, now, byMs)
    return count
  })
}

async function moveRows(tx: Tx, table: Written, now: Date, byMs: number): Promise<number> {
  const { key, columns } = written[table]
  const at = now.toISOString()
  const names = columns.map((column) => sql.ref(column))
  const ahead = sql.join(
    names.map((name) => sql`${name} > ${at}`),
    sql` or `,
  )
  const { rows } = await sql<Record<string, string | null>>`select ${sql.ref(key)}, ${sql.join(names)}
    from ${sql.table(table)} where ${ahead} order by ${sql.ref(key)} ${isPostgres(tx) ? sql`for update` : sql``}`.execute(
    tx,
  )
  for (const row of rows) {
    const changes = columns.flatMap((column) => {
      const value = row[column] ?? null
      if (value === null || value <= at) return []
      return [sql`${sql.ref(column)} = ${new Date(Date.parse(value) - byMs).toISOString()}`]
    })
    await sql`update ${sql.table(table)} set ${sql.join(changes)} where ${sql.ref(key)} = ${row[key]}`.execute(tx)
  }
  return rows.length
}

/** Calls in the future would count as made this minute for as long as that lasts. */
async function moveBudgets(tx: Tx, now: Date, byMs: number): Promise<void> {
  const second = Math.floor(now.getTime() / 1_000)
  for (const { tenant_id, calls } of await tx.selectFrom('call_budgets').selectAll().orderBy('tenant_id').execute()) {
    const marks = JSON.parse(calls) as [number, number][]
    if (!marks.some(([at]) => at > second)) continue
    const marksMoved = marks.map(([at, made]): [number, number] => [
      at > second ? at - Math.ceil(byMs / 1_000) : at,
      made,
    ])
    const sorted = JSON.stringify(marksMoved.sort(([a], [b]) => a - b))
    await tx.updateTable('call_budgets').set({ calls: sorted }).where('tenant_id', '=', tenant_id).execute()
  }
}
