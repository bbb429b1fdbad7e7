import { statfs } from 'node:fs/promises'
import type { Portal } from '../portal.ts'
import { write } from '../store/engine/write.ts'
import { endAlarm, type NewAlarm, openSubjects, pruneAlarms, raiseAlarm } from '../store/notify/alarms.ts'
import { pruneMessages } from '../store/notify/outbox.ts'
import { sealedRows } from '../store/notify/sealed.ts'
import { readAlarmSettings } from '../store/notify/settings.ts'
import { decidedClaims, noteWatch } from '../store/notify/watch.ts'
import { readPartnerFaults } from '../store/partner/faults.ts'
import { blindSince } from '../store/tenants/blind.ts'
import { troubledTenants } from '../store/tenants/fleet.ts'
import { readPause } from '../store/tenants/pauses.ts'
import { day, minute } from '../time.ts'

/** After a gap the tenants are read first: only a tenant that stays unread although a worker runs is blind. */
const settleMs = 5 * minute
const raisedFromPercent = 90
const overBelowPercent = 88
/** Rows removed in one transaction. */
const pruneAtOnce = 200
const pruneRounds = 20

/** What an alarm comes of without anybody having written it down: looked at once a minute by the worker. */
export async function watch(portal: Portal): Promise<void> {
  await watchTenants(portal)
  await watchDisk(portal)
  for (const subject of await decidedClaims(portal.db)) {
    await write(portal.db, (tx) => endAlarm(tx, { kind: 'claim-waiting', subject }, portal.now()))
  }
}

/**
 * Tenants that are not read and should be. While everything is paused on purpose, or a fault of our own stands, no tenant is
 * told of by itself: that is one alarm, or none.
 */
async function watchTenants({ db, now }: Portal): Promise<void> {
  const at = now()
  const watchedMs = await write(db, (tx) => noteWatch(tx, at, settleMs))
  const paused = (await readPause(db)) !== null || (await readPartnerFaults(db)).length > 0
  const open = await openSubjects(db, 'tenant-blind')
  const troubled = await troubledTenants(db, at)
  const blind = new Map<string, NewAlarm>()
  for (const { tenant } of troubled) {
    const since = blindSince(tenant, at)
    if (tenant.accessState !== 'active' || tenant.pausedAt !== null || since === null) continue
    const { tenantId, customerId } = tenant
    blind.set(tenantId, { kind: 'tenant-blind', subject: tenantId, tenantId, customerId, facts: { since } })
  }
  for (const subject of open) {
    if (!blind.has(subject)) await write(db, (tx) => endAlarm(tx, { kind: 'tenant-blind', subject }, at))
  }
  if (paused || watchedMs < settleMs) return
  for (const [subject, alarm] of blind) {
    if (!open.has(subject)) await write(db, (tx) => raiseAlarm(tx, alarm, at))
  }
}

/** How full the disk is on which the data folder lies; only where the database is in it. */
export async function watchDisk(portal: Portal, readDisk: typeof statfs = statfs): Promise<void> {
  const { config, db, now } = portal
  if (config.databaseUrl !== null) return
  const { blocks, bavail, bfree } = await readDisk(config.dataDir)
  // What is kept for the system counts as used: nobody else may have it.
  const usable = Number(blocks) - Number(bfree) + Number(bavail)
  const percent = usable === 0 ? 0 : Math.round((1 - Number(bavail) / usable) * 100)
  const alarm = { kind: 'storage-trouble', subject: 'disk', facts: { code: 'disk', percent } } as const
  const open = (await openSubjects(db, 'storage-trouble')).has('disk')
  if (!open && percent >= raisedFromPercent) await write(db, (tx) => raiseAlarm(tx, alarm, now()))
  if (open && percent < overBelowPercent) await write(db, (tx) => endAlarm(tx, alarm, now()))
}

/** Our own database was away for longer than a moment: told when it is back, since nothing can be kept without it. */
export async function noteOutage({ db, now }: Portal, since: Date): Promise<void> {
  const alarm = { kind: 'storage-trouble', subject: 'database' } as const
  await write(db, async (tx) => {
    await raiseAlarm(tx, { ...alarm, facts: { code: 'database', since: since.toISOString() } }, now())
    await endAlarm(tx, alarm, now())
  })
}

/** Removes what was kept long enough, in small steps. */
export async function pruneTold({ db, now }: Portal, stopping?: AbortSignal): Promise<void> {
  const { messageDays, alarmDays } = await readAlarmSettings(db)
  const ago = (days: number) => new Date(now().getTime() - days * day)
  for (const prune of [
    () => write(db, (tx) => pruneMessages(tx, ago(messageDays), pruneAtOnce)),
    () => write(db, (tx) => pruneAlarms(tx, ago(alarmDays), pruneAtOnce)),
  ]) {
    for (let rounds = 0; rounds < pruneRounds && !stopping?.aborted; rounds++) {
      if ((await prune()) < pruneAtOnce) break
    }
  }
}

/** Seals anew with the first key what only an older one opens, so that the older one can go. */
export async function resealOlder({ db, config }: Portal): Promise<void> {
  for (const row of await sealedRows(db, config)) {
    if (row.sealedBy === 'older') await write(db, (tx) => row.reseal(tx))
  }
}
