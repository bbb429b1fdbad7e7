// What happens at Microsoft, all the time, in every tenant: chosen by the seed, written through the simulator's world.

import type { Incident } from '../server/simulator/world/incidents.ts'
import { type Instant, instantOf, msOf } from '../server/simulator/world/instants.ts'
import type { NewIncident } from '../server/simulator/world/new-incident.ts'
import type { Random } from '../server/simulator/world/random.ts'
import type { IncidentChange, World } from '../server/simulator/world/world.ts'
import type { RunTenant } from './options.ts'
import { type Counts, count, weighted } from './randomness.ts'

const dayMs = 86_400_000
const severities = ['high', 'medium', 'low', 'informational'] as const
const outcomes = [
  ['truePositive', 'phishing'],
  ['truePositive', 'malware'],
  ['falsePositive', 'notMalicious'],
  ['informationalExpectedActivity', 'securityTesting'],
] as const

/** Tenant of the index as its incidents bear it in their names: IDs are the same in all tenants, names are not. */
export const markOf = (index: number): string => `[t${index}]`

export class Mutator {
  readonly #world: World
  readonly #random: Random
  readonly #tenants: readonly RunTenant[]
  readonly #overlapMs: number
  readonly #massLimit: number
  /** What was done, by kind. */
  readonly done: Counts = {}
  /** `<tenant>/<id>` of versions shown later than the overlap reaches, with the last update each bears. */
  readonly beyond = new Map<string, Instant>()
  /** IDs of every incident that ever was, per tenant. */
  readonly ever: ReadonlyMap<string, Set<string>>
  readonly #newest = new Map<string, Instant>()

  /** @param options the first tenant is the busy one; `massLimit` is how many change at one instant, at most */
  constructor(options: {
    world: World
    random: Random
    tenants: readonly RunTenant[]
    overlapMs: number
    massLimit: number
  }) {
    this.#world = options.world
    this.#random = options.random
    this.#tenants = options.tenants
    this.#overlapMs = options.overlapMs
    this.#massLimit = options.massLimit
    this.ever = new Map(options.tenants.map(({ id }) => [id, new Set<string>()]))
  }

  /** Incidents of the last 25 days, the younger the more. */
  populate(tenant: RunTenant, incidents: number): void {
    for (let n = 0; n < incidents; n++) {
      const ageMs = Math.floor(this.#random.next() ** 2 * 25 * dayMs) + 60_000
      const created = Date.now() - ageMs
      const updated = created + Math.floor(this.#random.next() * ageMs * 0.5)
      const resolved = this.#random.chance(0.6)
      this.#add(tenant, {
        createdAt: instantOf(created, this.#random.int(0, 9999)),
        lastUpdateAt: instantOf(updated, this.#random.int(0, 9999)),
        status: resolved ? 'resolved' : 'active',
      })
    }
  }

  /** One thing happens somewhere: mostly in the busy tenant. */
  step(): void {
    const random = this.#random
    const [busy, second, ...quiet] = this.#tenants
    if (!busy) return
    const tenant = weighted(random, [
      [6, busy],
      [2.5, second ?? busy],
      [1.5, quiet.length > 0 ? random.pick(quiet) : busy],
    ])
    this.stepIn(tenant)
  }

  stepIn(tenant: RunTenant): void {
    const random = this.#random
    const standing = this.#standing(tenant)
    if (standing.length < 3) return void this.#note('created', () => this.#add(tenant))
    const change = (kind: string, make: () => IncidentChange) => () =>
      this.#note(kind, () => this.#change(tenant, random.pick(standing), make()))
    const kinds: [weight: number, act: () => unknown][] = [
      [18, () => this.#note('created', () => this.#add(tenant))],
      [8, change('commented', () => ({ comment: `seen ${random.hex(6)}` }))],
      [8, change('assigned', () => ({ assignedTo: this.#person() }))],
      [6, change('severity changed', () => ({ severity: random.pick(severities) }))],
      [6, change('tagged', () => ({ tags: [`tag ${random.int(1, 9)}`] }))],
      [5, change('renamed', () => ({ name: this.#name(tenant) }))],
      [12, () => this.#resolveOrReopen(tenant, random.pick(standing))],
      [8, () => this.#note('got an alert', () => this.#addAlert(tenant, random.pick(standing)))],
      [5, () => this.#merge(tenant, standing)],
      [10, () => this.late(tenant)],
      [6, () => this.tooLate(tenant)],
      [1, () => this.#mass(tenant, standing)],
      [0.7, () => this.#remove(tenant, standing)],
    ]
    weighted(random, kinds)()
  }

  /** Shown later than it was written, within what the overlap covers. */
  late(tenant: RunTenant): void {
    this.#note('shown late', () => this.#delayed(tenant, this.#random.int(300, Math.floor(this.#overlapMs * 0.6))))
  }

  /** Shown so late that no overlap reaches back to it: a reconcile has to find it. */
  tooLate(tenant: RunTenant): void {
    const delay = Math.floor(this.#overlapMs * (1.6 + this.#random.next()))
    const { id, lastUpdateAt } = this.#note('shown too late', () => this.#delayed(tenant, delay))
    this.beyond.set(`${tenant.id}/${id}`, lastUpdateAt)
  }

  /** A comment, shown at once: on the incident named, or any. */
  touch(tenant: RunTenant, id?: number): Incident {
    const standing = this.#standing(tenant)
    const incident = standing.find((one) => one.id === id) ?? this.#random.pick(standing)
    return this.#note('commented', () => this.#change(tenant, incident, { comment: `seen ${this.#random.hex(6)}` }))
  }

  /** What was not merged into another. */
  #standing(tenant: RunTenant): Incident[] {
    const { incidents } = this.#world.tenant(tenant.id)
    return incidents.truth().filter(({ redirectId }) => redirectId === null)
  }

  /** What others were merged into. */
  #survivors(tenant: RunTenant): Set<number | null> {
    const { incidents } = this.#world.tenant(tenant.id)
    return new Set(incidents.truth().map(({ redirectId }) => redirectId))
  }

  #delayed(tenant: RunTenant, shownAfterMs: number): Incident {
    const standing = this.#standing(tenant)
    if (standing.length === 0 || this.#random.chance(0.5)) return this.#add(tenant, {}, { shownAfterMs })
    return this.#change(tenant, this.#random.pick(standing), { comment: 'written a while ago' }, { shownAfterMs })
  }

  #add(tenant: RunTenant, input: NewIncident = {}, showing: Parameters<World['addIncident']>[2] = {}): Incident {
    const incident = this.#world.addIncident(
      tenant.id,
      { name: this.#name(tenant), severity: this.#random.pick(severities), alerts: this.#random.int(1, 3), ...input },
      showing,
    )
    this.#noteId(tenant, incident.id)
    return incident
  }

  #noteId(tenant: RunTenant, id: number): void {
    this.ever.get(tenant.id)?.add(String(id))
  }

  #change(
    tenant: RunTenant,
    incident: Incident,
    change: IncidentChange,
    note: Parameters<World['updateIncident']>[3] = {},
  ): Incident {
    const at = note.at ?? this.#instantAfter(incident)
    return this.#world.updateIncident(tenant.id, incident.id, change, { author: 'tove', by: 'User-tove', ...note, at })
  }

  #addAlert(tenant: RunTenant, incident: Incident): Incident {
    this.#change(tenant, incident, {})
    return this.#world.addAlert(tenant.id, incident.id)
  }

  #resolveOrReopen(tenant: RunTenant, incident: Incident): Incident {
    if (incident.status === 'resolved') {
      const status = this.#random.pick(['active', 'inProgress'] as const)
      return this.#note('reopened', () =>
        this.#change(tenant, incident, { status, classification: 'unknown', determination: 'unknown' }),
      )
    }
    const [classification, determination] = this.#random.pick(outcomes)
    return this.#note('resolved', () =>
      this.#change(tenant, incident, { status: 'resolved', classification, determination }),
    )
  }

  /** Into a new incident or one that is there; sometimes what is merged is itself what others were merged into. */
  #merge(tenant: RunTenant, standing: readonly Incident[]): void {
    const random = this.#random
    const survivors = this.#survivors(tenant)
    const earlier = standing.filter(({ id }) => survivors.has(id))
    const first = earlier.length > 0 && random.chance(0.4) ? random.pick(earlier) : random.pick(standing)
    const merged = [first, random.pick(standing), random.pick(standing)].map(({ id }) => id)
    const ids = [...new Set(merged)].slice(0, random.int(1, 3))
    const others = standing.filter(({ id }) => !ids.includes(id))
    const survivor = others.length > 0 && random.chance(0.4) ? random.pick(others) : undefined
    if (ids.length === 0 || (survivor === undefined && ids.length < 2)) return
    const kind = ids.some((id) => survivors.has(id)) ? 'merged again' : 'merged'
    this.#note(kind, () => {
      const after = this.#world.mergeIncidents(tenant.id, ids, survivor?.id)
      this.#noteId(tenant, after.id)
    })
  }

  /** Tens of incidents to more than a page, all with one and the same last update. */
  #mass(tenant: RunTenant, standing: readonly Incident[]): void {
    const at = instantOf(Date.now(), 9_999)
    const wanted = this.#random.int(20, this.#massLimit)
    const those = standing.filter(({ lastUpdateAt }) => lastUpdateAt < at).slice(-wanted)
    const tags = [`mass ${this.#random.hex(4)}`]
    this.#note('changed at one instant', () => {
      for (const incident of those) this.#change(tenant, incident, { tags }, { at })
    })
    count(this.done, '… incidents in them', those.length)
  }

  #remove(tenant: RunTenant, standing: readonly Incident[]): void {
    const survivors = this.#survivors(tenant)
    const removable = standing.filter(({ id }) => !survivors.has(id))
    if (removable.length === 0) return
    this.newestOf(tenant.id)
    this.#note('removed', () => this.#world.removeIncident(tenant.id, this.#random.pick(removable).id))
  }

  /** The newest last update there ever was in a tenant, removed incidents included. */
  newestOf(tenantId: string): Instant {
    let newest = this.#newest.get(tenantId) ?? ''
    for (const { lastUpdateAt } of this.#world.tenant(tenantId).incidents.truth()) {
      if (lastUpdateAt > newest) newest = lastUpdateAt
    }
    this.#newest.set(tenantId, newest)
    return newest
  }

  /** Versions of one incident never bear one time: which of two such is newer, nobody could tell. */
  #instantAfter(incident: Incident): Instant {
    const now = instantOf(Date.now(), this.#random.int(0, 9_999))
    return now > incident.lastUpdateAt ? now : instantOf(msOf(incident.lastUpdateAt) + 1)
  }

  #name(tenant: RunTenant): string {
    return `${markOf(tenant.index)} Suspicious activity ${this.#random.hex(8)}`
  }

  #person(): string | null {
    return this.#random.chance(0.3) ? null : `${this.#random.pick(['tove', 'asa', 'ming'])}@partner.example`
  }

  #note<Result>(kind: string, act: () => Result): Result {
    count(this.done, kind)
    return act()
  }
}
