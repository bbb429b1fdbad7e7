import { sql } from 'kysely'
import type { RemoteAlert, RemoteIncident } from '../../model/incident.ts'
import { type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import { type CountedRow, countedOf } from '../incidents/counted.ts'
import { alertsAsKept, readingVersion, searchText, toRow } from '../incidents/rows.ts'
import { count } from '../tenants/counters.ts'

/** What Microsoft sent of one incident, as JSON. */
export interface KeptOriginal {
  tenantId: string
  incidentId: string
  original: string
  /** Null where the alerts are in `original`, or were never read. */
  alertOriginals: string | null
}

/** What is understood of it now. */
export interface Reading {
  incident: RemoteIncident
  /** Null where none were sent, or not all of them are understood: the kept alerts stay. */
  alerts: RemoteAlert[] | null
}

/** A constant of the statement, so that the index over older rows serves. */
const older = sql<boolean>`reading_version < ${sql.raw(String(readingVersion))}`

/** Incidents whose rows were made by an older version of our reading. */
export async function countOlder(db: Database): Promise<number> {
  const { n } = await db
    .selectFrom('incidents')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where(older)
    .executeTakeFirstOrThrow()
  return Number(n)
}

/**
 * Reads a few older rows again. What Microsoft sent, and what it was sent for, stays; rows that another process has in hand
 * are left to it.
 * @param read null for an original that is not understood: its row stays as it is, and is not tried again
 * @returns how many there were
 */
export async function readSomeAgain(
  db: Database,
  limit: number,
  read: (kept: KeptOriginal) => Reading | null,
  now: Date,
): Promise<number> {
  return write(db, async (tx) => {
    const rows = await tx
      .selectFrom('incidents')
      .select([
        ...['tenant_id', 'incident_id', 'original', 'alert_originals', 'gone_at', 'alerts', 'alerts_read_at'],
        ...['severity', 'open', 'assigned_to', 'redirect_id', 'created_day'],
      ] as const)
      .where(older)
      .orderBy('number')
      .limit(limit)
      .$if(isPostgres(tx), (query) => query.forUpdate().skipLocked())
      .execute()
    for (const row of rows) {
      const { tenant_id: tenantId, incident_id: incidentId, original, alert_originals: alertOriginals } = row
      await replace(tx, row, read({ tenantId, incidentId, original, alertOriginals }), now)
    }
    return rows.length
  })
}

interface Row extends CountedRow {
  tenant_id: string
  gone_at: string | null
  alerts: string | null
}

async function replace(tx: Tx, row: Row, reading: Reading | null, now: Date): Promise<void> {
  const change = reading === null ? {} : changeOf(row, reading, now)
  await tx
    .updateTable('incidents')
    .set({ ...change, reading_version: readingVersion })
    .where('tenant_id', '=', row.tenant_id)
    .where('incident_id', '=', row.incident_id)
    .execute()
  const [before, after] = [countedOf(row), countedOf({ ...row, ...change })]
  if (JSON.stringify(before) !== JSON.stringify(after)) await count(tx, row.tenant_id, [[before, after]])
}

function changeOf(row: Row, { incident, alerts }: Reading, now: Date) {
  const {
    title,
    severity,
    severity_rank,
    status,
    open,
    assigned_to,
    classification,
    determination,
    redirect_id,
    facts,
  } = toRow(row.tenant_id, incident, now)
  const latest = alerts ?? (JSON.parse(row.alerts ?? '[]') as Omit<RemoteAlert, 'original'>[]).map(withoutOriginal)
  return {
    ...{ title, severity, severity_rank, status, assigned_to, classification, determination, redirect_id, facts },
    open: row.gone_at === null ? open : 0,
    search_text: searchText(incident, latest),
    ...(alerts === null ? {} : alertsAsKept(alerts)),
  }
}

const withoutOriginal = (alert: Omit<RemoteAlert, 'original'>): RemoteAlert => ({ ...alert, original: null })

const progressName = 'older-readings'

/** How far reading again has come. */
export interface RereadingProgress {
  left: number
  /** As many as there were when it began. */
  total: number
}

/** Null when every row is of this version. */
export async function rereadingProgress(db: Database): Promise<RereadingProgress | null> {
  const left = await countOlder(db)
  if (left === 0) return null
  const row = await db.selectFrom('settings').select('value').where('name', '=', progressName).executeTakeFirst()
  const progress = row ? (JSON.parse(row.value) as { version: number; total: number }) : null
  return { left, total: progress?.version === readingVersion ? Math.max(progress.total, left) : left }
}

/** Notes how many there are to begin with, once. */
export async function beginRereading(db: Database, now: Date): Promise<RereadingProgress | null> {
  return write(db, async (tx) => {
    const progress = await rereadingProgress(tx)
    if (progress === null) return null
    const value = JSON.stringify({ version: readingVersion, total: progress.total })
    await tx
      .insertInto('settings')
      .values({ name: progressName, value, changed_at: now.toISOString() })
      .onConflict((oc) => oc.column('name').doUpdateSet({ value }))
      .execute()
    return progress
  })
}
