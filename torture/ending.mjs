// The end of a run: calm, one more burst that polls alone have to bring, and the comparisons.
import { setTimeout as sleep } from 'node:timers/promises'
import { compareCounters, compareIncidents, compareRejected } from './compare.mjs'
import { overlapMs } from './ground.mjs'
import { streamOf } from './randomness.mjs'
import { pollNow, pressTime, reconcileLater, reconcileNow } from './time.mjs'
import { turnBack } from './turning-back.mjs'

/** What is shown too late is shown by now. */
const allShownMs = 2.7 * overlapMs

export class Ending {
  #ground
  #options
  #say
  differences = []
  items = 0

  constructor(ground, options, say) {
    this.#ground = ground
    this.#options = options
    this.#say = say
  }

  async through() {
    await this.#calm()
    await turnBack(this.#ground)
    await this.#burst()
    await this.#comparePolled()
    await this.#compareReconciled()
  }

  /** What the storm left behind is put right, by whatever means the portal has. */
  async #calm() {
    const { eyes, forecast } = this.#ground
    forecast.clear()
    await this.#until('read and followed', 60_000, async () => {
      await pressTime(eyes, 1_500)
      return `access_state <> 'active' or backfilled_at is null or sync_phase <> 'following'`
    })
    await sleep(allShownMs - overlapMs)
    await this.#reconcile()
    await reconcileLater(eyes)
  }

  /** Changes of all kinds, mild weather, one kill. */
  async #burst() {
    const { world, tenants, mutator, faults, places, tight } = this.#ground
    const random = streamOf(this.#options.seed, 'burst')
    const [busy, second, third] = tenants
    const those = [busy, second, third ?? busy]
    const length = tight ? 20 : 70
    for (let n = 0; n < length; n++) {
      mutator.step()
      if (n % 10 === 0) for (const tenant of those) mutator.late(tenant)
      if (n % 12 === 0) {
        const kind = random.pick(['outage', 'reset', 'cut', 'change-between-pages', 'slow'])
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
  async #comparePolled() {
    const { eyes, mutator, tight } = this.#ground
    for (let cycle = 0; cycle < 3; cycle++) {
      const since = Date.now()
      await this.#until('polled', tight ? 100_000 : 30_000, async () => {
        await pollNow(eyes, since)
        return `last_read_at is null or last_read_at <= '${new Date(since).toISOString()}'`
      })
    }
    await this.#alertsRead()
    const tooLate = (tenantId, id) => mutator.beyond.has(`${tenantId}/${id}`)
    await this.#compare('two quiet polls', (tenantId, incident, id) => incident === null || tooLate(tenantId, id))
  }

  async #compareReconciled() {
    await sleep(allShownMs - 0.6 * overlapMs)
    await this.#reconcile()
    await this.#alertsRead()
    await this.#compare('a reconcile', () => false)
    const { eyes, world, tenants } = this.#ground
    const counters = await compareCounters({ eyes, world, tenants })
    const rejected = await compareRejected({ eyes, world, tenants })
    this.differences.push(...[...counters, ...rejected].map((line) => `after a reconcile: ${line}`))
  }

  async #compare(what, skips) {
    const { eyes, world, tenants } = this.#ground
    const { differences, items } = await compareIncidents({ eyes, world, tenants, api: this.#options.api, skips })
    this.differences.push(...differences.map((line) => `after ${what}: ${line}`))
    this.#say(`after ${what}: ${items} incidents compared, ${differences.length} differences`)
    this.items = Math.max(this.items, items)
  }

  async #reconcile() {
    const { eyes, tight } = this.#ground
    const since = Date.now()
    await this.#until('reconciled', tight ? 150_000 : 30_000, async () => {
      await reconcileNow(eyes, since)
      return `reconciled_at is null or reconciled_at <= '${new Date(since).toISOString()}'`
    })
  }

  /** Graph lists no alerts: those of each changed incident are asked for by themselves. */
  async #alertsRead() {
    const { eyes, world, tight } = this.#ground
    let left = []
    for (const started = Date.now(); Date.now() - started < (tight ? 120_000 : 30_000); await sleep(300)) {
      const due = await eyes.all('select tenant_id, incident_id from incidents where alerts_read_at is null')
      // What was removed has none any more; that it was is for the reconcile to find.
      const exists = ({ tenant_id, incident_id }) => world.tenant(tenant_id).incidents.latest(Number(incident_id))
      left = due?.filter(exists) ?? left
      if (due !== null && left.length === 0) return
      await pollNow(eyes, Date.now())
    }
    this.differences.push(`alerts of ${left.length} incidents are still to be read`)
  }

  /** Waits until no tenant is left in the condition that `press` returns; says which are when it takes too long. */
  async #until(what, ms, press) {
    for (const started = Date.now(); ; await sleep(300)) {
      const condition = await press()
      const left = await this.#ground.eyes.all(`select * from tenants where ${condition}`)
      if (left?.length === 0) return
      if (Date.now() - started < ms) continue
      this.differences.push(...(left ?? []).map((row) => `not ${what} within ${ms / 1_000} s: ${this.#standing(row)}`))
      return
    }
  }

  #standing(row) {
    const { index } = this.#ground.tenants.find(({ id }) => id === row.tenant_id)
    const names = [
      'access_state',
      'state_code',
      'last_read_code',
      'last_read_at',
      'sync_lease_until',
      'sync_not_before',
    ]
    const times = [
      'next_check_at',
      'next_sync_at',
      'next_window_at',
      'next_reconcile_at',
      'backfilled_at',
      'reconciled_at',
    ]
    const said = [...names, ...times].filter((name) => row[name] !== null).map((name) => `${name} ${row[name]}`)
    return `tenant ${index}: ${said.join(', ')}`
  }
}
