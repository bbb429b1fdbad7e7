import type { Selectable } from 'kysely'
import type { Database, Tx } from '../engine/dialect.ts'
import { claimDueRows, type DueWork, endDueClaim, firstDueAt } from '../engine/due.ts'
import type { Schema } from '../engine/schema.ts'
import { newId } from '../identifiers.ts'

/** Every kind of alarm, in the order in which people are asked about them. */
export const alarmKinds = [
  'access-lost',
  'tenant-blind',
  'partner-fault',
  'credential-ending',
  'claim-waiting',
  'consent-refused',
  'customer-proven',
  'storage-trouble',
  'delivery-failing',
] as const
export type AlarmKind = (typeof alarmKinds)[number]

/** News: nothing that lasts and could be over. */
const news: readonly AlarmKind[] = ['consent-refused', 'customer-proven']
export const isNews = (kind: AlarmKind): boolean => news.includes(kind)

export type AlarmFacts = Record<string, string | number | null>

export interface Alarm {
  id: string
  kind: AlarmKind
  /** What it is about, within its kind. */
  subject: string
  customerId: string | null
  tenantId: string | null
  subjectId: string | null
  /** Codes and numbers, no names. `code` tells apart what one kind covers. */
  facts: AlarmFacts
  raisedAt: string
  times: number
  /** For news: when it was raised. */
  overAt: string | null
  announced: 'raised' | 'over' | null
}

export type NewAlarm = Pick<Alarm, 'kind' | 'subject'> &
  Partial<Pick<Alarm, 'customerId' | 'tenantId' | 'subjectId' | 'facts'>>

export const usualDampingMinutes = 10

/** Within this many milliseconds the same alarm is one. As settings.ts keeps it, which audits and would lean on this file. */
async function readDampingMs(tx: Tx): Promise<number> {
  const row = await tx.selectFrom('settings').select('value').where('name', '=', 'alarms').executeTakeFirst()
  const minutes = row ? (JSON.parse(row.value) as { dampingMinutes?: number }).dampingMinutes : undefined
  return (minutes ?? usualDampingMinutes) * 60_000
}

/**
 * Raises an alarm in the transaction of what happened; it is told when that commits. One that is open already stays one.
 * What comes back before it was told that it was over goes on, and is told no second time.
 */
export async function raiseAlarm(tx: Tx, alarm: NewAlarm, now: Date): Promise<void> {
  const at = now.toISOString()
  const latest = await latestOf(tx, alarm)
  const dampingMs = await readDampingMs(tx)
  if (latest && isNews(alarm.kind)) {
    if (now.getTime() - Date.parse(latest.last_raised_at) >= dampingMs) return insert(tx, alarm, at)
    await tx
      .updateTable('notify_alarms')
      .set({ times: latest.times + 1 })
      .where('id', '=', latest.id)
      .execute()
    return
  }
  if (!latest || (latest.over_at !== null && latest.announced === 'over')) return insert(tx, alarm, at)
  const facts = JSON.stringify(alarm.facts ?? {})
  const otherwise = codeOf(latest.facts) !== codeOf(facts)
  // What is the matter now is something else than what was told: that is told as well, though no sooner than flapping may.
  const again = otherwise && latest.announced === 'raised'
  const tellAt = Math.max(now.getTime(), Date.parse(latest.announced_at ?? at) + dampingMs)
  const backAgain = latest.over_at !== null
  await tx
    .updateTable('notify_alarms')
    .set({
      facts,
      over_at: null,
      ...(backAgain ? { times: latest.times + 1, last_raised_at: at } : {}),
      ...(again
        ? { announced: null, announce_at: new Date(tellAt).toISOString() }
        : latest.announced === 'raised'
          ? { announce_at: null }
          : {}),
    })
    .where('id', '=', latest.id)
    .execute()
}

/**
 * Ends an open alarm in the transaction of what ended it. It is told once it has lasted as long as flapping is damped.
 * @returns whether one was open
 */
export async function endAlarm(
  tx: Tx,
  { kind, subject }: Pick<Alarm, 'kind' | 'subject'>,
  now: Date,
): Promise<boolean> {
  const row = await tx
    .selectFrom('notify_alarms')
    .selectAll()
    .where('kind', '=', kind)
    .where('subject', '=', subject)
    .where('over_at', 'is', null)
    .executeTakeFirst()
  if (!row) return false
  const tellAt = Math.max(now.getTime(), Date.parse(row.last_raised_at) + (await readDampingMs(tx)))
  await tx
    .updateTable('notify_alarms')
    .set({
      over_at: now.toISOString(),
      ...(row.announced === 'raised' ? { announce_at: new Date(tellAt).toISOString() } : {}),
    })
    .where('id', '=', row.id)
    .execute()
  return true
}

/** Ends the open alarms of a tenant that was offboarded; their end is announced to nobody. */
export async function dropAlarmsOf(tx: Tx, tenantId: string, now: Date): Promise<void> {
  await tx
    .updateTable('notify_alarms')
    .set({ over_at: now.toISOString(), announce_at: null, announced: 'over' })
    .where('tenant_id', '=', tenantId)
    .where('over_at', 'is', null)
    .execute()
}

/** The subjects of one kind that are open. */
export async function openSubjects(db: Database, kind: AlarmKind): Promise<Set<string>> {
  const rows = await db
    .selectFrom('notify_alarms')
    .select('subject')
    .where('kind', '=', kind)
    .where('over_at', 'is', null)
    .execute()
  return new Set(rows.map((row) => row.subject))
}

/** Alarms that have something to tell. */
export const announcement: DueWork = {
  name: 'announcement',
  table: 'notify_alarms',
  key: 'id',
  due: 'announce_at',
  lease: 'announce_lease_until',
  fence: 'announce_fence',
}

/** When the first alarm has something to tell; null when none has by now. Reads one row of an index. */
export async function firstAnnouncementAt(db: Database, now: Date): Promise<string | null> {
  const at = await firstDueAt(db, announcement, now)
  return at !== null && at <= now.toISOString() ? at : null
}

export interface Announcement {
  alarm: Alarm
  change: 'raised' | 'over'
}

/**
 * Takes what is to be told now, in the transaction that writes it to the outbox: told and noted are one step. What is over
 * before anybody was told of it is told as raised first.
 */
export async function takeAnnouncements(tx: Tx, now: Date, limit: number): Promise<Announcement[]> {
  const claims = await claimDueRows(tx, announcement, { now, limit, leaseMs: 1 })
  if (claims.length === 0) return []
  const keys = claims.map((claim) => claim.key)
  const rows = await tx.selectFrom('notify_alarms').selectAll().where('id', 'in', keys).execute()
  const dampingMs = await readDampingMs(tx)
  const announcements: Announcement[] = []
  for (const claim of claims) {
    const row = rows.find((one) => one.id === claim.key)
    if (!row) continue
    const alarm = fromRow(row)
    const change = alarm.announced === null ? 'raised' : 'over'
    const nothing = change === 'over' && alarm.overAt === null
    const follows = change === 'raised' && alarm.overAt !== null && !isNews(alarm.kind)
    const next = follows ? new Date(Math.max(now.getTime(), Date.parse(row.last_raised_at) + dampingMs)) : null
    if (!nothing) {
      await tx
        .updateTable('notify_alarms')
        .set({ announced: change, announced_at: now.toISOString() })
        .where('id', '=', alarm.id)
        .execute()
      announcements.push({ alarm, change })
    }
    await endDueClaim(tx, announcement, claim, next)
  }
  return announcements
}

/** Removes alarms that were over before then, a few in a step. @returns how many went */
export async function pruneAlarms(tx: Tx, before: Date, limit: number): Promise<number> {
  const old = await tx
    .selectFrom('notify_alarms')
    .select('id')
    .where('over_at', '<', before.toISOString())
    .where('announce_at', 'is', null)
    .limit(limit)
    .execute()
  const ids = old.map((row) => row.id)
  if (ids.length === 0) return 0
  await tx.deleteFrom('notify_seen').where('alarm_id', 'in', ids).execute()
  await tx.deleteFrom('notify_alarms').where('id', 'in', ids).execute()
  return ids.length
}

export function fromRow(row: Selectable<Schema['notify_alarms']>): Alarm {
  return {
    id: row.id,
    kind: row.kind as AlarmKind,
    subject: row.subject,
    customerId: row.customer_id,
    tenantId: row.tenant_id,
    subjectId: row.subject_id,
    facts: JSON.parse(row.facts) as AlarmFacts,
    raisedAt: row.raised_at,
    times: row.times,
    overAt: row.over_at,
    announced: row.announced as Alarm['announced'],
  }
}

const codeOf = (facts: string) => (JSON.parse(facts) as AlarmFacts).code ?? null

const latestOf = (tx: Tx, { kind, subject }: Pick<Alarm, 'kind' | 'subject'>) =>
  tx
    .selectFrom('notify_alarms')
    .selectAll()
    .where('kind', '=', kind)
    .where('subject', '=', subject)
    .orderBy('raised_at', 'desc')
    .limit(1)
    .executeTakeFirst()

async function insert(tx: Tx, alarm: NewAlarm, at: string): Promise<void> {
  await tx
    .insertInto('notify_alarms')
    .values({
      id: newId(),
      kind: alarm.kind,
      subject: alarm.subject,
      customer_id: alarm.customerId ?? null,
      tenant_id: alarm.tenantId ?? null,
      subject_id: alarm.subjectId ?? null,
      facts: JSON.stringify(alarm.facts ?? {}),
      raised_at: at,
      last_raised_at: at,
      over_at: isNews(alarm.kind) ? at : null,
      announced: null,
      announced_at: null,
      announce_at: at,
      announce_lease_until: null,
    })
    // Two that find out at once: the other one raised it.
    .onConflict((oc) => oc.doNothing())
    .execute()
}
