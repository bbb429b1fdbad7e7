// What happens to the portal's own processes and to its database, chosen by the seed.
import { setTimeout as sleep } from 'node:timers/promises'
import type { RecordedRequest } from '../server/simulator/control/recorder.ts'
import type { Random } from '../server/simulator/world/random.ts'
import type { World } from '../server/simulator/world/world.ts'
import type { RunTenant } from './options.ts'
import type { Cluster } from './postgres.ts'
import type { PortalProcess } from './processes.ts'
import { type Counts, count } from './randomness.ts'

/** What a process is caught in the middle of. */
interface Caught {
  world: World
  busy: RunTenant
  /** Something happens in the tenant. */
  mutate(tenant: RunTenant): void
  /** The list that is being read of it just now. */
  listing(tenantId: string): RecordedRequest | undefined
}

type Fault = 'kill' | 'freeze' | 'roll' | 'restartDatabase'

export class Faults {
  readonly #random: Random
  readonly #places: readonly PortalProcess[]
  readonly #cluster: Cluster | null
  readonly #leaseMs: number
  readonly #caught: Caught
  /** Without a process that oversleeps its lease no run is worth much. */
  readonly #deck: Fault[] = ['freeze']
  readonly done: Counts = {}
  /** Longest orderly stop, in milliseconds. */
  slowestStop = 0

  constructor(options: {
    random: Random
    places: readonly PortalProcess[]
    cluster: Cluster | null
    leaseMs: number
    caught: Caught
  }) {
    this.#random = options.random
    this.#places = options.places
    this.#cluster = options.cluster
    this.#leaseMs = options.leaseMs
    this.#caught = options.caught
  }

  /** One fault, and its end: every process runs again when this resolves. Each kind has its turn before one comes again. */
  async step(): Promise<void> {
    if (this.#deck.length === 0) {
      const kinds: Fault[] = ['kill', 'freeze', 'roll', ...(this.#cluster ? (['restartDatabase'] as const) : [])]
      while (kinds.length > 0) this.#deck.push(...kinds.splice(this.#random.int(0, kinds.length - 1), 1))
    }
    await this[this.#deck.pop() ?? 'kill']()
    await this.mend()
  }

  async kill(place: PortalProcess = this.#random.pick(this.#places)): Promise<void> {
    count(this.done, 'SIGKILL')
    await place.kill()
    await sleep(this.#random.int(0, 1_500))
    await place.start().catch(() => undefined)
  }

  /** A worker is stopped while Microsoft's answer is on its way, and goes on when its lease is somebody else's. */
  async freeze(): Promise<void> {
    const { world, busy, mutate } = this.#caught
    world.setWeather(busy.id, 'slow', { delayMs: 1_200, count: 2, path: 'incidents?' })
    for (let n = 0; n < 3; n++) mutate(busy)
    const reading = await this.#readerOf(busy.id)
    if (!reading) return void this.#deck.push('freeze')
    count(this.done, 'SIGSTOP past the lease')
    const ms = this.#leaseMs + this.#random.int(2_000, 3_500)
    const changing = setInterval(() => mutate(busy), 700)
    await reading.freeze(ms)
    clearInterval(changing)
    await sleep(1_000)
  }

  async #readerOf(tenantId: string): Promise<PortalProcess | null> {
    for (const started = Date.now(); Date.now() - started < 6_000; await sleep(10)) {
      const asked = this.#caught.listing(tenantId)
      const place = asked && this.#places.find(({ agent }) => agent === asked.agent)
      if (place) return place
    }
    return null
  }

  /** One after the other, as an update of the program does it. */
  async roll(): Promise<void> {
    count(this.done, 'rolling restart')
    for (const place of this.#places) {
      if (!place.running) continue
      this.slowestStop = Math.max(this.slowestStop, await place.stop())
      await place.start().catch(() => undefined)
    }
  }

  async restartDatabase(): Promise<void> {
    if (!this.#cluster) return
    const mode = this.#random.pick(['immediate', 'immediate', 'fast'] as const)
    count(this.done, `PostgreSQL stopped (${mode})`)
    await this.#cluster.stop(mode)
    await sleep(this.#random.int(200, 2_000))
    await this.#cluster.start()
  }

  /** Every process that ought to run does. */
  async mend(): Promise<void> {
    for (const place of this.#places) {
      for (let attempt = 0; !place.running && attempt < 5; attempt++) {
        await place.start().catch((error) => {
          if (attempt === 4) throw error
          return sleep(500)
        })
      }
    }
  }
}
