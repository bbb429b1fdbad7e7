// The end of a run: calm, one more burst that polls alone have to bring, and the comparisons.
import { setTimeout as sleep } from 'node:timers/promises'
import { compareCounters, compareIncidents, compareRejected, type Skips } from './compare.ts'
import { type Ground, overlapMs } from './ground.ts'
import type { RunOptions } from './options.ts'
import { streamOf } from './randomness.ts'
import { pollNow, pressTime, reconcileLater, reconcileNow } from './time.ts'
import { turnBack } from './turning-back.ts'

/** What is shown too late is shown by now. */
const allShownMs = 2.7 * overlapMs

/** Columns of a tenant that tell why something did not come to be. */
const tellingColumns = [
  ...['access_state', 'state_code', 'last_read_code', 'last_read_at', 'sync_lease_until', 'sync_not_before'],
  ...['next_check_at', 'next_sync_at', 'next_window_at', 'next_reconcile_at', 'backfilled_at', 'reconciled_at'],
]

export class Ending {
  readonly #ground: Ground
  readonly #options: RunOptions
  readonly #say: (line: string) => void
  /** Lines, one for each thing that is not as it must be. */
  readonly differences: string[] = []
  /** Incidents compared at most. */
  items = 0

  constructor(ground: Ground, options: RunOptions, say: (line: string) => void) {
    this.#ground = ground
    this.#options = options
    this.#say = say
  }

  async through(): Promise<void> {
    await this.#calm()
    await turnBack(this.#ground)
    await this.#burst()
    await this.#comparePolled()
    await this.#compareReconciled()
  }

  /** What the storm left behind is put right, by whatever means the portal has. */
  async #calm(): Promise<void> {
    const { eyes, forecast } = this.#ground
    forecast.clear()
    await this.#noneLeft('read and followed', this.#options.far ? 180_000 : 60_000, async () => {
      await pressTime(eyes, 1_500)
      return `access_state <> 'active' or backfilled_at is null or sync_phase <> 'following'`
    })
    await sleep(allShownMs - overlapMs)
    await this.#reconcile()
    await reconcileLater(eyes)
  }

  /** Changes of all kinds, mild weather, one kill. */
  async #burst(): Promise<void> {
    const { world, tenants, busy, second, mutator, faults, places, tight } = this.#ground
    const random = streamOf(this.#options.seed, 'burst')
    const those = [busy, second, tenants[2] ?? busy]
    const length = tight ? 20 : 70
    for (let n = 0; n < length; n++) {
      mutator.step()
      if (n % 10 === 0) for (const tenant of those) mutator.late(tenant)
      if (n % 12 === 0) {
        const kind = random.pick(['outage', 'reset', 'cut', 'change-between-pages', 'slow'] as const)
        world.setWeather(random.pick(tenants).id, kind, { count: 1, delayMs: 500 })
      }
      if (n === Math.floor(length / 2)) {
        await faults.kill(places.at(-1))
        await faults.mend()
      }
      await sleep(random.int(40, 160))
    }
    for (const tenant of those) {
      for (let n = 0; n < 4; n++) {
        mutator.late(tenant)
        mutator.stepIn(tenant)
        await sleep(250)
      }
      mutator.tooLate(tenant)
    }
    world.clearWeather()
    await sleep(overlapMs * 0.6 + 500)
  }

  /** The first poll may have begun before the last change; after it two quiet cycles. */
  async #comparePolled(): Promise<void> {
    const { eyes, mutator } = this.#ground
    for (let cycle = 0; cycle < 3; cycle++) {
      const since = Date.now()
      await this.#noneLeft('polled', this.#within(100_000), async () => {
        await pollNow(eyes, since)
        return `last_read_at is null or last_read_at <= '${new Date(since).toISOString()}'`
      })
    }
    await this.#alertsRead()
    const tooLate = (tenantId: string, id: string) => mutator.beyond.has(`${tenantId}/${id}`)
    await this.#compare('two quiet polls', (tenantId, incident, id) => incident === null || tooLate(tenantId, id))
  }

  async #compareReconciled(): Promise<void> {
    await sleep(allShownMs - 0.6 * overlapMs)
    await this.#reconcile()
    await this.#alertsRead()
    await this.#compare('a reconcile', () => false)
    const counters = await compareCounters(this.#ground)
    const rejected = await compareRejected(this.#ground)
    this.differences.push(...[...counters, ...rejected].map((line) => `after a reconcile: ${line}`))
  }

  async #compare(what: string, skips: Skips): Promise<void> {
    const { eyes, world, tenants } = this.#ground
    const { differences, items } = await compareIncidents({ eyes, world, tenants, api: this.#options.api, skips })
    this.differences.push(...differences.map((line) => `after ${what}: ${line}`))
    this.#say(`after ${what}: ${items} incidents compared, ${differences.length} differences`)
    this.items = Math.max(this.items, items)
  }

  async #reconcile(): Promise<void> {
    const { eyes } = this.#ground
    const since = Date.now()
    await this.#noneLeft('reconciled', this.#within(150_000), async () => {
      await reconcileNow(eyes, since)
      return `reconciled_at is null or reconciled_at <= '${new Date(since).toISOString()}'`
    })
  }

  /** Graph lists no alerts: those of each changed incident are asked for by themselves. */
  async #alertsRead(): Promise<void> {
    const { eyes, world } = this.#ground
    let left = 0
    for (const started = Date.now(); Date.now() - started < this.#within(120_000); await sleep(300)) {
      const due = await eyes.all<{ tenant_id: string; incident_id: string }>(
        'select tenant_id, incident_id from incidents where alerts_read_at is null',
      )
      if (due !== null) {
        // What was removed has none any more; that it was is for the reconcile to find.
        left = due.filter((row) => world.tenant(row.tenant_id).incidents.latest(Number(row.incident_id))).length
        if (left === 0) return
      }
      await pollNow(eyes, Date.now())
    }
    this.differences.push(`alerts of ${left} incidents are still to be read`)
  }

  /** Waits until no tenant is left in the condition that `press` returns; says which are when it takes too long. */
  /** Milliseconds that reading everything may take. */
  #within(tightMs: number): number {
    if (this.#options.far) return 2 * tightMs
    return this.#ground.tight ? tightMs : 30_000
  }

  async #noneLeft(what: string, ms: number, press: () => Promise<string>): Promise<void> {
    for (const started = Date.now(); ; await sleep(300)) {
      const condition = await press()
      const left = await this.#ground.eyes.all(`select * from tenants where ${condition}`)
      if (left?.length === 0) return
      if (Date.now() - started < ms) continue
      this.differences.push(...(left ?? []).map((row) => `not ${what} within ${ms / 1_000} s: ${this.#line(row)}`))
      return
    }
  }

  #line(row: Record<string, unknown>): string {
    const tenant = this.#ground.tenants.find(({ id }) => id === row.tenant_id)
    const columns = tellingColumns.filter((name) => row[name] !== null).map((name) => `${name} ${row[name]}`)
    return `tenant ${tenant?.index}: ${columns.join(', ')}`
  }
}
