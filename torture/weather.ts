// What goes wrong between the portal and Microsoft, chosen by the seed and bounded so that the run is.
import type { Random } from '../server/simulator/world/random.ts'
import type { WeatherKind, WeatherOptions } from '../server/simulator/world/weather.ts'
import type { World } from '../server/simulator/world/world.ts'
import { clientId } from '../test/support/registered-app.ts'
import type { RunTenant } from './options.ts'
import { type Counts, count, weighted } from './randomness.ts'

/** Retry-After of every kind a server has been seen to send, short enough for a short run. */
const retryAfters = [0, 1, 2, 3, -5, 'soon', '1.5', { dateMs: 2_000 }, { dateMs: -60_000 }, null]
const oddities = ['no-id', 'no-time', 'wrong-types', 'unknown-enum', 'foreign-tenant', 'not-an-object'] as const

type Setter = (kind: WeatherKind, options: WeatherOptions, tenant?: RunTenant) => void

export class Forecast {
  readonly #world: World
  readonly #random: Random
  readonly #tenants: readonly RunTenant[]
  readonly #overlapMs: number
  /** Tenants whose consent is taken back just now, by when it is given again (milliseconds since the epoch). */
  readonly #without = new Map<string, number>()
  /** What was set, by kind. */
  readonly done: Counts = {}

  constructor(options: { world: World; random: Random; tenants: readonly RunTenant[]; overlapMs: number }) {
    this.#world = options.world
    this.#random = options.random
    this.#tenants = options.tenants
    this.#overlapMs = options.overlapMs
  }

  step(): void {
    this.#restore()
    const random = this.#random
    const tenant = random.pick(this.#tenants)
    const set: Setter = (kind, options, { id } = tenant) => {
      count(this.done, kind)
      this.#world.setWeather(id, kind, options)
    }
    const times = random.int(1, 3)
    const kinds: [number, () => void][] = [
      [10, () => set('throttle', { retryAfter: random.pick(retryAfters), count: times })],
      [10, () => set('outage', { status: random.pick([500, 502, 503, 504]), count: random.int(1, 5) })],
      [6, () => set('reset', { count: times })],
      [6, () => set('cut', { count: times })],
      [3, () => set('drip', { delayMs: random.int(2, 15), count: 1 })],
      [8, () => set('slow', { delayMs: random.int(300, 2_500), count: times })],
      [4, () => set('html', { status: random.pick([200, 403, 503]), count: times })],
      [4, () => set('malformed', { count: times })],
      [3, () => set('empty', { count: times })],
      [10, () => set('odd-item', { oddity: random.pick(oddities), count: times })],
      [3, () => set('no-value', { count: 1 })],
      [3, () => set('next-link-loop', { count: 1 })],
      [3, () => set('next-link-foreign', { count: 1 })],
      [12, () => set('change-between-pages', { count: random.int(1, 4) })],
      [14, () => this.#stale(set)],
      [4, () => set('unauthorized', { count: random.int(1, 4) })],
      [4, () => set('refusal', { code: random.pick([90033, 90055, 50196]), count: times })],
      [2, () => set('outage', { surface: 'token', status: 503, count: times })],
      [2, () => this.#revoke(tenant)],
    ]
    weighted(random, kinds)()
  }

  /** The sun comes out: no weather, and everybody consents again. */
  clear(): void {
    this.#world.clearWeather()
    for (const tenantId of this.#without.keys()) this.#world.consent(tenantId, clientId)
    this.#without.clear()
  }

  /** Where much changes, an old list has much to turn back. */
  #stale(set: Setter): void {
    const [busy, second] = this.#tenants
    const ageMs = this.#random.int(1_000, Math.floor(this.#overlapMs * 0.7))
    set('stale', { ageMs, count: this.#random.int(1, 4) }, this.#random.chance(0.7) ? busy : second)
  }

  #revoke(tenant: RunTenant): void {
    if (this.#without.size > 0) return
    count(this.done, 'consent revoked')
    this.#world.revoke(tenant.id, clientId)
    this.#without.set(tenant.id, Date.now() + this.#random.int(3_000, 6_000))
  }

  #restore(): void {
    for (const [tenantId, until] of this.#without) {
      if (until > Date.now()) continue
      this.#world.consent(tenantId, clientId)
      this.#without.delete(tenantId)
    }
  }
}
