import type { Incident } from './incidents.ts'
import type { Instant } from './instants.ts'

export interface Selection {
  /** Lower and upper bounds of the last update, both included. */
  from: Instant | null
  to: Instant | null
  descending: boolean
  matches: (incident: Incident) => boolean
  skip: number
  top: number
}

/** So many changes back an index can still say what it held. */
const rememberedChanges = 5_000

/**
 * One tenant's incidents, kept in the order of their last update so that a page needs no sorting. A version can be
 * written before it is shown, and what was shown a while ago can be had again: a service of many replicas does both.
 */
export class IncidentIndex {
  readonly #now: () => number
  readonly #byId = new Map<number, Incident>()
  #byUpdate: Incident[] = []
  /** In the order they were written. */
  #unshown: { incident: Incident; shownAt: number }[] = []
  #past: { at: number; id: number; before: Incident | undefined }[] = []

  /** @param now milliseconds: what decides which versions are shown by now */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  get size(): number {
    this.#showDue()
    return this.#byId.size
  }

  /** As it is shown. */
  get(id: number): Incident | undefined {
    this.#showDue()
    return this.#byId.get(id)
  }

  /** As it was written last, shown or not. */
  latest(id: number): Incident | undefined {
    return this.#unshown.findLast(({ incident }) => incident.id === id)?.incident ?? this.#byId.get(id)
  }

  /** What is shown, ascending by last update, ties by ID. */
  all(): readonly Incident[] {
    this.#showDue()
    return this.#byUpdate
  }

  /** Every incident as it was written last, shown or not. */
  truth(): Incident[] {
    const latest = new Map(this.#byId)
    for (const { incident } of this.#unshown) latest.set(incident.id, incident)
    return [...latest.values()]
  }

  /** Adds an incident, or puts a changed one in the place of the old; shown at once, or from `shownAt` on. */
  put(incident: Incident, shownAt = 0): void {
    this.#showDue()
    if (shownAt > this.#now()) {
      this.#unshown.push({ incident, shownAt })
      return
    }
    // The version at hand was made from the latest, so it holds whatever was still to be shown of the incident.
    this.#unshown = this.#unshown.filter((one) => one.incident.id !== incident.id)
    this.#show(incident)
  }

  remove(id: number): boolean {
    this.#unshown = this.#unshown.filter(({ incident }) => incident.id !== id)
    const before = this.#takeOut(id)
    if (before) this.#note(id, before)
    return before !== undefined
  }

  /** What was shown at `ms`, as far back as changes are remembered. */
  asOf(ms: number): IncidentIndex {
    this.#showDue()
    const then = new Map(this.#byId)
    for (const { at, id, before } of this.#past.toReversed()) {
      if (at <= ms) break
      if (before) then.set(id, before)
      else then.delete(id)
    }
    const index = new IncidentIndex(this.#now)
    index.load([...then.values()])
    return index
  }

  #showDue(): void {
    const now = this.#now()
    if (!this.#unshown.some(({ shownAt }) => shownAt <= now)) return
    const newest = new Map<number, number>()
    for (const [index, { incident, shownAt }] of this.#unshown.entries()) {
      if (shownAt <= now) newest.set(incident.id, index)
    }
    const waiting = this.#unshown.filter(({ incident }, index) => index > (newest.get(incident.id) ?? -1))
    const due = [...newest.values()].flatMap((index) => this.#unshown[index]?.incident ?? [])
    this.#unshown = waiting
    for (const incident of due) this.#show(incident)
  }

  #show(incident: Incident): void {
    this.#note(incident.id, this.#takeOut(incident.id))
    this.#byId.set(incident.id, incident)
    this.#byUpdate.splice(this.#placeOf(incident), 0, incident)
  }

  #takeOut(id: number): Incident | undefined {
    const incident = this.#byId.get(id)
    if (!incident) return undefined
    this.#byId.delete(id)
    this.#byUpdate.splice(this.#placeOf(incident), 1)
    return incident
  }

  #note(id: number, before: Incident | undefined): void {
    this.#past.push({ at: this.#now(), id, before })
    if (this.#past.length > 2 * rememberedChanges) this.#past = this.#past.slice(-rememberedChanges)
  }

  /** Adds many at once, sorting a single time. */
  load(incidents: readonly Incident[]): void {
    for (const incident of incidents) this.#byId.set(incident.id, incident)
    this.#byUpdate = [...this.#byId.values()].sort(inOrder)
  }

  /** One page, whether more would follow it, and (when asked) how many match in all. */
  select(selection: Selection, counting = false): { page: Incident[]; more: boolean; total: number } {
    this.#showDue()
    const { from, to, descending, matches, skip, top } = selection
    const list = this.#byUpdate
    const low = from === null ? 0 : this.#firstAtOrAfter(from)
    const high = to === null ? list.length : this.#firstAfter(to)
    const page: Incident[] = []
    let count = 0
    for (let step = 0; step < high - low; step++) {
      const incident = list[descending ? high - 1 - step : low + step]
      if (!incident || !matches(incident)) continue
      count++
      if (count > skip && page.length < top) page.push(incident)
      if (!counting && count > skip + top) break
    }
    return { page, more: count > skip + top, total: count }
  }

  #placeOf(incident: Incident): number {
    return this.#first((other) => inOrder(other, incident) >= 0)
  }

  #firstAtOrAfter(instant: Instant): number {
    return this.#first((incident) => incident.lastUpdateAt >= instant)
  }

  #firstAfter(instant: Instant): number {
    return this.#first((incident) => incident.lastUpdateAt > instant)
  }

  #first(reached: (incident: Incident) => boolean): number {
    let low = 0
    let high = this.#byUpdate.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const incident = this.#byUpdate[middle]
      if (incident && reached(incident)) high = middle
      else low = middle + 1
    }
    return low
  }
}

function inOrder(a: Incident, b: Incident): number {
  if (a.lastUpdateAt !== b.lastUpdateAt) return a.lastUpdateAt < b.lastUpdateAt ? -1 : 1
  return a.id - b.id
}
