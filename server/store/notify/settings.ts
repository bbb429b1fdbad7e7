import { type Actor, recordAudit } from '../audit.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { usualDampingMinutes } from './alarms.ts'

/** How alarms are told, and how long they and what was sent are kept. */
export interface AlarmSettings {
  /** Within so many minutes the same alarm of the same tenant is one. */
  dampingMinutes: number
  /** Days after which messages, with what became of them, are removed. */
  messageDays: number
  /** Days after they were over that alarms are removed. */
  alarmDays: number
}

const usual: AlarmSettings = { dampingMinutes: usualDampingMinutes, messageDays: 30, alarmDays: 90 }
const name = 'alarms'

export async function readAlarmSettings(db: Database): Promise<AlarmSettings> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
  return row ? { ...usual, ...(JSON.parse(row.value) as Partial<AlarmSettings>) } : usual
}

export async function changeAlarmSettings(tx: Tx, actor: Actor, settings: AlarmSettings, now: Date): Promise<void> {
  const before = await readAlarmSettings(tx)
  const value = JSON.stringify(settings)
  const at = now.toISOString()
  await tx
    .insertInto('settings')
    .values({ name, value, changed_at: at })
    .onConflict((oc) => oc.column('name').doUpdateSet({ value, changed_at: at }))
    .execute()
  const names = (Object.keys(settings) as (keyof AlarmSettings)[]).filter((key) => settings[key] !== before[key])
  await recordAudit(tx, actor, { action: 'settings.changed', at: now, facts: { names: names.join(', ') } })
}
