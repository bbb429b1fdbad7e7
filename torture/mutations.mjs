// What happens at Microsoft, all the time, in every tenant: chosen by the seed, written through the simulator's world.
import { instantOf, msOf } from '../dist/simulator/world/instants.js'
import { weighted } from './randomness.mjs'

const dayMs = 86_400_000
const severities = ['high', 'medium', 'low', 'informational']
const outcomes = [
  ['truePositive', 'phishing'],
  ['truePositive', 'malware'],
  ['falsePositive', 'notMalicious'],
  ['informationalExpectedActivity', 'securityTesting'],
]

/** Tenant of the index as its incidents bear it in their names: IDs are the same in all tenants, names are not. */
export const markOf = (index) => `[t${index}]`

export class Mutator {
  #world
  #random
  #tenants
  #overlapMs
  #massLimit
  /** What was done, by kind. */
  done = {}
  /** `<tenant>/<id>` of versions shown later than the overlap reaches, with the last update each bears. */
  beyond = new Map()
  /** Every incident that ever was, per tenant. */
  ever = new Map()
  #newest = new Map()

  constructor({ world, random, tenants, overlapMs, massLimit }) {
    this.#world = world
    this.#random = random
    this.#tenants = tenants
    this.#overlapMs = overlapMs
    this.#massLimit = massLimit
    for (const { id } of tenants) this.ever.set(id, new Set())
  }

  /** Incidents of the last 25 days, the younger the more. */
  populate(tenant, count) {
    for (let n = 0; n < count; n++) {
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
  step() {
    const { random } = { random: this.#random }
    const [busy, second, ...quiet] = this.#tenants
    const tenant = weighted(random, [
      [6, busy],
      [2.5, second ?? busy],
      [1.5, quiet.length > 0 ? random.pick(quiet) : busy],
    ])
    this.stepIn(tenant)
  }

  stepIn(tenant) {
    const random = this.#random
    const all = this.#world.tenant(tenant.id).incidents.truth()
    const standing = all.filter(({ redirectId }) => redirectId === null)
    if (standing.length < 3) return this.#note('created', () => this.#add(tenant))
    const one = () => random.pick(standing)
    const kinds = [
      [18, () => this.#note('created', () => this.#add(tenant))],
      [8, () => this.#note('commented', () => this.#change(tenant, one(), { comment: `seen ${random.hex(6)}` }))],
      [8, () => this.#note('assigned', () => this.#change(tenant, one(), { assignedTo: this.#person() }))],
      [
        6,
        () => this.#note('severity changed', () => this.#change(tenant, one(), { severity: random.pick(severities) })),
      ],
      [6, () => this.#note('tagged', () => this.#change(tenant, one(), { tags: [`tag ${random.int(1, 9)}`] }))],
      [5, () => this.#note('renamed', () => this.#change(tenant, one(), { name: this.#name(tenant) }))],
      [12, () => this.#resolveOrReopen(tenant, one())],
      [8, () => this.#note('got an alert', () => this.#addAlert(tenant, one()))],
      [5, () => this.#merge(tenant, standing)],
      [10, () => this.late(tenant)],
      [6, () => this.tooLate(tenant)],
      [1, () => this.#mass(tenant, standing)],
      [0.7, () => this.#remove(tenant, standing)],
    ]
    weighted(random, kinds)()
  }

  /** Shown later than it was written, within what the overlap covers. */
  late(tenant) {
    this.#note('shown late', () => this.#delayed(tenant, this.#random.int(300, Math.floor(this.#overlapMs * 0.6))))
  }

  /** Shown so late that no overlap reaches back to it: a reconcile has to find it. */
  tooLate(tenant) {
    const delay = Math.floor(this.#overlapMs * (1.6 + this.#random.next()))
    const { id, lastUpdateAt } = this.#note('shown too late', () => this.#delayed(tenant, delay))
    this.beyond.set(`${tenant.id}/${id}`, lastUpdateAt)
  }

  /** A comment, shown at once: on the incident named, or any. */
  touch(tenant, id) {
    const standing = this.#world
      .tenant(tenant.id)
      .incidents.truth()
      .filter(({ redirectId }) => redirectId === null)
    const incident = standing.find((one) => one.id === id) ?? this.#random.pick(standing)
    return this.#note('commented', () => this.#change(tenant, incident, { comment: `seen ${this.#random.hex(6)}` }))
  }

  #delayed(tenant, shownAfterMs) {
    const standing = this.#world
      .tenant(tenant.id)
      .incidents.truth()
      .filter(({ redirectId }) => redirectId === null)
    if (standing.length === 0 || this.#random.chance(0.5)) return this.#add(tenant, {}, { shownAfterMs })
    return this.#change(tenant, this.#random.pick(standing), { comment: 'written a while ago' }, { shownAfterMs })
  }

  #add(tenant, input = {}, showing = {}) {
    const incident = this.#world.addIncident(
      tenant.id,
      { name: this.#name(tenant), severity: this.#random.pick(severities), alerts: this.#random.int(1, 3), ...input },
      showing,
    )
    this.ever.get(tenant.id).add(String(incident.id))
    return incident
  }

  #change(tenant, incident, change, note = {}) {
    const at = note.at ?? this.#instantAfter(incident)
    return this.#world.updateIncident(tenant.id, incident.id, change, { author: 'tove', by: 'User-tove', ...note, at })
  }

  #addAlert(tenant, incident) {
    this.#change(tenant, incident, {})
    return this.#world.addAlert(tenant.id, incident.id)
  }

  #resolveOrReopen(tenant, incident) {
    if (incident.status === 'resolved') {
      const status = this.#random.pick(['active', 'inProgress'])
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
  #merge(tenant, standing) {
    const random = this.#random
    const survivors = new Set(
      this.#world
        .tenant(tenant.id)
        .incidents.truth()
        .map(({ redirectId }) => redirectId),
    )
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
      this.ever.get(tenant.id).add(String(after.id))
    })
  }

  /** Tens of incidents to more than a page, all with one and the same last update. */
  #mass(tenant, standing) {
    const at = instantOf(Date.now(), 9_999)
    const wanted = this.#random.int(20, this.#massLimit)
    const those = standing.filter(({ lastUpdateAt }) => lastUpdateAt < at).slice(-wanted)
    const tags = [`mass ${this.#random.hex(4)}`]
    this.#note('changed at one instant', () => {
      for (const incident of those) this.#change(tenant, incident, { tags }, { at })
    })
    this.done['… incidents in them'] = (this.done['… incidents in them'] ?? 0) + those.length
  }

  #remove(tenant, standing) {
    const survivors = new Set(
      this.#world
        .tenant(tenant.id)
        .incidents.truth()
        .map(({ redirectId }) => redirectId),
    )
    const removable = standing.filter(({ id }) => !survivors.has(id))
    if (removable.length === 0) return
    this.newestOf(tenant.id)
    this.#note('removed', () => this.#world.removeIncident(tenant.id, this.#random.pick(removable).id))
  }

  /** The newest last update there ever was in a tenant, removed incidents included. */
  newestOf(tenantId) {
    let newest = this.#newest.get(tenantId) ?? ''
    for (const { lastUpdateAt } of this.#world.tenant(tenantId).incidents.truth()) {
      if (lastUpdateAt > newest) newest = lastUpdateAt
    }
    this.#newest.set(tenantId, newest)
    return newest
  }

  /** Versions of one incident never bear one time: which of two such is newer, nobody could tell. */
  #instantAfter(incident) {
    const now = instantOf(Date.now(), this.#random.int(0, 9_999))
    return now > incident.lastUpdateAt ? now : instantOf(msOf(incident.lastUpdateAt) + 1)
  }

  #name(tenant) {
    return `${markOf(tenant.index)} Suspicious activity ${this.#random.hex(8)}`
  }

  #person() {
    return this.#random.chance(0.3) ? null : `${this.#random.pick(['tove', 'asa', 'ming'])}@partner.example`
  }

  #note(kind, act) {
    this.done[kind] = (this.done[kind] ?? 0) + 1
    return act()
  }
}
