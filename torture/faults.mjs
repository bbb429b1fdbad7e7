// What happens to the portal's own processes and to its database, chosen by the seed.
import { setTimeout as sleep } from 'node:timers/promises'

export class Faults {
  #random
  #places
  #cluster
  #leaseMs
  #stage
  /** Without a process that oversleeps its lease no run is worth much. */
  #deck = ['freeze']
  done = {}
  /** Longest orderly stop, in milliseconds. */
  slowestStop = 0

  /** @param stage `{ simulator, tenants, mutate(tenant), listing(tenantId) }`: what a process is caught in the middle of */
  constructor({ random, places, cluster, leaseMs, stage }) {
    this.#random = random
    this.#places = places
    this.#cluster = cluster
    this.#leaseMs = leaseMs
    this.#stage = stage
  }

  /** One fault, and its end: every process runs again when this resolves. Each kind has its turn before one comes again. */
  async step() {
    if (this.#deck.length === 0) {
      const kinds = ['kill', 'freeze', 'roll', ...(this.#cluster ? ['restartDatabase'] : [])]
      while (kinds.length > 0) this.#deck.push(...kinds.splice(this.#random.int(0, kinds.length - 1), 1))
    }
    await this[this.#deck.pop()]()
    await this.mend()
  }

  async kill(place = this.#random.pick(this.#places)) {
    this.#note('SIGKILL')
    await place.kill()
    await sleep(this.#random.int(0, 1_500))
    await place.start().catch(() => undefined)
  }

  /** A worker is stopped while Microsoft's answer is on its way, and goes on when its lease is somebody else's. */
  async freeze() {
    const { simulator, tenants, mutate } = this.#stage
    const [busy] = tenants
    simulator.world.setWeather(busy.id, 'slow', { delayMs: 1_200, count: 2, path: 'incidents?' })
    for (let n = 0; n < 3; n++) mutate(busy)
    const reading = await this.#readerOf(busy.id)
    if (!reading) return void this.#deck.push('freeze')
    this.#note('SIGSTOP past the lease')
    const ms = this.#leaseMs + this.#random.int(2_000, 3_500)
    const changing = setInterval(() => mutate(busy), 700)
    await reading.freeze(ms)
    clearInterval(changing)
    await sleep(1_000)
  }

  async #readerOf(tenantId) {
    for (const started = Date.now(); Date.now() - started < 6_000; await sleep(10)) {
      const asked = this.#stage.listing(tenantId)
      const place = asked && this.#places.find(({ agent }) => agent === asked.agent)
      if (place) return place
    }
    return null
  }

  /** One after the other, as an update of the program does it. */
  async roll() {
    this.#note('rolling restart')
    for (const place of this.#places) {
      if (!place.running) continue
      this.slowestStop = Math.max(this.slowestStop, await place.stop())
      await place.start().catch(() => undefined)
    }
  }

  async restartDatabase() {
    const mode = this.#random.pick(['immediate', 'immediate', 'fast'])
    this.#note(`PostgreSQL stopped (${mode})`)
    await this.#cluster.stop(mode)
    await sleep(this.#random.int(200, 2_000))
    await this.#cluster.start()
  }

  /** Every process that ought to run does. */
  async mend() {
    for (const place of this.#places) {
      for (let attempt = 0; !place.running && attempt < 5; attempt++) {
        await place.start().catch((error) => {
          if (attempt === 4) throw error
          return sleep(500)
        })
      }
    }
  }

  #note(kind) {
    this.done[kind] = (this.done[kind] ?? 0) + 1
  }
}
