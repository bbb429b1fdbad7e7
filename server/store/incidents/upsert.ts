import { CompiledQuery } from 'kysely'
import { isPostgres, type Tx } from '../engine/dialect.ts'
import type { IncidentRow } from './rows.ts'

/** Clocks differ by less; a time further ahead, in milliseconds, is not believed. */
export const believedAhead = 15 * 60_000

/** As they stand in a statement, and in its parameters. */
const columns = [
  'tenant_id',
  'incident_id',
  'title',
  'severity',
  'severity_rank',
  'status',
  'open',
  'assigned_to',
  'classification',
  'determination',
  'redirect_id',
  'created_at',
  'created_day',
  'last_update_at',
  'alerts_read_at',
  'search_text',
  'content_hash',
  'facts',
  'original',
  'alert_count',
  'alerts',
  'alert_originals',
  'first_seen_at',
  'stored_at',
  'reading_version',
] as const satisfies readonly (keyof IncidentRow)[]

const fixed: ReadonlySet<string> = new Set(['tenant_id', 'incident_id', 'first_seen_at'])
/** A list that carries no alerts leaves those that were read by themselves, and what is found by them. */
const ofAlerts: ReadonlySet<string> = new Set([
  ...['search_text', 'alert_count', 'alerts', 'alert_originals', 'reading_version'],
])

/** Rows in one statement: far below both engines' limits on parameters, and short for writers that wait. */
const mostRows = { postgres: 200, sqlite: 64 }

/**
 * Adds incidents, each once, and overwrites those that are kept with newer readings only.
 *
 * Written by hand, as the one statement that is made a hundred thousand times an hour: a query builder took longer to
 * put it together than the engine to carry it out. SQLite is given as many rows as a power of two, so that the few
 * statements there are stay prepared (engine/thread.ts).
 * @returns IDs of the incidents that were added or overwritten
 */
export async function upsert(tx: Tx, rows: readonly IncidentRow[], now: Date): Promise<string[]> {
  const postgres = isPostgres(tx)
  const believed = new Date(now.getTime() + believedAhead).toISOString()
  const ids: string[] = []
  for (const carriesAlerts of [true, false]) {
    const alike = rows.filter((row) => (row.alerts !== null) === carriesAlerts)
    for (let start = 0; start < alike.length; ) {
      const left = alike.length - start
      const size = postgres
        ? Math.min(left, mostRows.postgres)
        : Math.min(2 ** Math.floor(Math.log2(left)), mostRows.sqlite)
      const parameters: unknown[] = []
      for (const row of alike.slice(start, start + size)) for (const column of columns) parameters.push(row[column])
      parameters.push(believed)
      const statement = CompiledQuery.raw(statementFor(size, { carriesAlerts, postgres }), parameters)
      const { rows: written } = await tx.executeQuery<{ incident_id: string }>(statement)
      for (const { incident_id } of written) ids.push(incident_id)
      start += size
    }
  }
  return ids
}

interface Kind {
  carriesAlerts: boolean
  postgres: boolean
}

function statementFor(size: number, { carriesAlerts, postgres }: Kind): string {
  let parameters = 0
  // PostgreSQL takes the bytes of a text as they are, once they are said to be binary; SQLite would keep them as bytes.
  const asText = (column: string, value: string) =>
    column === 'original' && !postgres ? `cast(${value} as text)` : value
  const parameter = () => (postgres ? `$${++parameters}` : '?')
  const row = () => `(${columns.map((column) => asText(column, parameter())).join(', ')})`
  const overwritten = columns.filter((column) => !fixed.has(column) && (carriesAlerts || !ofAlerts.has(column)))
  // A time from the future would stand against every reading after it: only its content counts.
  return `insert into incidents (${columns.join(', ')}) values ${Array.from({ length: size }, row).join(', ')}
    on conflict (tenant_id, incident_id) do update set
      ${overwritten.map((column) => `${column} = excluded.${column}`).join(', ')}
    where excluded.last_update_at > incidents.last_update_at
      or (excluded.content_hash <> incidents.content_hash and
        (excluded.last_update_at = incidents.last_update_at or incidents.last_update_at > ${parameter()}))
    returning incident_id`
}
