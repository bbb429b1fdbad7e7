// What goes wrong between the portal and Microsoft, chosen by the seed and bounded so that the run is.

import { weighted } from './randomness.mjs'
import { clientId } from './stage.mjs'

/** Retry-After of every kind a server has been seen to send, short enough for a short run. */
const retryAfters = [0, 1, 2, 3, -5, 'soon', '1.5', { dateMs: 2_000 }, { dateMs: -60_000 }, null]
const oddities = ['no-id', 'no-time', 'wrong-types', 'unknown-enum', 'foreign-tenant', 'not-an-object']

export class Forecast {
  #world
  #random
  #tenants
  #overlapMs
  /** Tenants whose consent is taken back just now, by when it is given again. */
  #without = new Map()
  done = {}

  constructor({ world, random, tenants, overlapMs }) {
    this.#world = world
    this.#random = random
    this.#tenants = tenants
    this.#overlapMs = overlapMs
  }

  step() {
    this.#restore()
    const random = this.#random
    const tenant = random.pick(this.#tenants)
    const set = (kind, options, { id } = tenant) => {
      this.done[kind] = (this.done[kind] ?? 0) + 1
      this.#world.setWeather(id, kind, options)
    }
    const count = random.int(1, 3)
    const kinds = [
      [10, () => set('throttle', { retryAfter: random.pick(retryAfters), count })],
      [10, () => set('outage', { status: random.pick([500, 502, 503, 504]), count: random.int(1, 5) })],
      [6, () => set('reset', { count })],
      [6, () => set('cut', { count })],
      [3, () => set('drip', { delayMs: random.int(2, 15), count: 1 })],
      [8, () => set('slow', { delayMs: random.int(300, 2_500), count })],
      [4, () => set('html', { status: random.pick([200, 403, 503]), count })],
      [4, () => set('malformed', { count })],
      [3, () => set('empty', { count })],
      [10, () => set('odd-item', { oddity: random.pick(oddities), count })],
      [3, () => set('no-value', { count: 1 })],
      [3, () => set('next-link-loop', { count: 1 })],
      [3, () => set('next-link-foreign', { count: 1 })],
      [12, () => set('change-between-pages', { count: random.int(1, 4) })],
      [14, () => this.#stale(set)],
      [4, () => set('unauthorized', { count: random.int(1, 4) })],
      [4, () => set('refusal', { code: random.pick([90033, 90055, 50196]), count })],
      [2, () => set('outage', { surface: 'token', status: 503, count })],
      [2, () => this.#revoke(tenant)],
    ]
    weighted(random, kinds)()
  }

  /** The sun comes out: no weather, and everybody consents again. */
  clear() {
    this.#world.clearWeather()
    for (const tenantId of this.#without.keys()) this.#world.consent(tenantId, clientId)
    this.#without.clear()
  }

  /** Where much changes, an old list has much to turn back. */
  #stale(set) {
    const [busy, second] = this.#tenants
    const ageMs = this.#random.int(1_000, Math.floor(this.#overlapMs * 0.7))
    set('stale', { ageMs, count: this.#random.int(1, 4) }, this.#random.chance(0.7) ? busy : second)
  }

  #revoke(tenant) {
    if (this.#without.size > 0) return
    this.done['consent revoked'] = (this.done['consent revoked'] ?? 0) + 1
    this.#world.revoke(tenant.id, clientId)
    this.#without.set(tenant.id, Date.now() + this.#random.int(3_000, 6_000))
  }

  #restore() {
    for (const [tenantId, until] of this.#without) {
      if (until > Date.now()) continue
      this.#world.consent(tenantId, clientId)
      this.#without.delete(tenantId)
    }
  }
}
