import { Random } from './random.ts'
import type { World } from './world.ts'

/** A slow stream of ordinary days: incidents come, get alerts, are merged, are resolved by somebody in Defender. */
export class Trickle {
  readonly #timer: NodeJS.Timeout
  readonly #random = new Random(Date.now() >>> 0)

  constructor(world: World, everyMs: number) {
    this.#timer = setInterval(() => this.#happen(world), everyMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #happen(world: World): void {
    const random = this.#random
    const alive = world.tenants().filter(({ deleted, licensed }) => !deleted && licensed)
    if (alive.length === 0) return
    const tenant = random.pick(alive)
    const open = tenant.incidents.all().filter(({ status }) => status === 'active' || status === 'inProgress')
    const choice = random.next()
    if (choice < 0.45 || open.length < 2) world.addIncident(tenant.id)
    else if (choice < 0.7) world.addAlert(tenant.id, random.pick(open).id)
    else if (choice < 0.9) {
      const who = tenant.people[0]?.username ?? 'automation'
      world.updateIncident(
        tenant.id,
        random.pick(open).id,
        {
          status: 'resolved',
          classification: 'truePositive',
          determination: 'phishing',
          comment: 'Checked with the user.',
        },
        { by: `User-${who}`, author: who },
      )
    } else
      world.mergeIncidents(
        tenant.id,
        open.slice(-2).map(({ id }) => id),
      )
  }
}
