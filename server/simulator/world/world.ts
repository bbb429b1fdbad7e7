import type { AlertRecipe, Incident, IncidentStatus, Severity } from './incidents.ts'
import { type Instant, instantOf } from './instants.ts'
import { compose, composeHistory, digits, type NewIncident } from './new-incident.ts'
import { hashOf, Random } from './random.ts'
import { storyOf } from './stories.ts'
import { Tenancy } from './tenancy.ts'
import { Sky, type Weather, type WeatherKind, type WeatherOptions } from './weather.ts'

export interface IncidentChange {
  name?: string
  severity?: Severity
  status?: IncidentStatus
  assignedTo?: string | null
  classification?: string
  determination?: string
  tags?: readonly string[]
  /** Appended. */
  comment?: string
  resolvingComment?: string | null
  description?: string | null
}

/** When others get to see a change. */
interface Showing {
  /** Lists and reads show it only so many milliseconds later; until then they show what was there before. */
  shownAfterMs?: number
}

interface ChangeNote extends Showing {
  /** As `lastModifiedBy` shows it. */
  by?: string
  /** Author of a comment. */
  author?: string
  /** Last update to record; now by default. An older time makes a late-arriving update. */
  at?: Instant
}

/** Everything that exists at this Microsoft, and the ways it changes. Throws `Error` for tenants or incidents unknown. */
export class World extends Tenancy {
  readonly sky = new Sky(this.clock)

  /** Weather over one tenant, or over all (`*`). */
  setWeather(tenantId: string, kind: WeatherKind, options: WeatherOptions = {}): Weather {
    return this.sky.set(tenantId === '*' ? '*' : this.tenant(tenantId).id, kind, options)
  }

  /** Ends the weather over one tenant; over everything without an argument. */
  clearWeather(tenantId?: string): void {
    this.sky.clear(tenantId === undefined || tenantId === '*' ? tenantId : this.tenant(tenantId).id)
  }

  addIncident(tenantId: string, input: NewIncident = {}, showing: Showing = {}): Incident {
    const tenant = this.tenant(tenantId)
    const incident = compose(tenant, input, this.random, this.clock.now())
    tenant.incidents.put(incident, this.#shownAt(showing))
    this.remember()
    return incident
  }

  /**
   * Many incidents at once, spread over the last 30 days, cheaply: each keeps a recipe of about 400 bytes and its
   * alerts are made when asked for.
   * @returns how many the tenant has now
   */
  generate(
    tenantId: string,
    count: number,
    options: { seed?: number; days?: number; openShare?: number } = {},
  ): number {
    const tenant = this.tenant(tenantId)
    const random = new Random(options.seed ?? hashOf(tenant.id))
    const spread = { days: options.days ?? 30, openShare: options.openShare ?? null }
    tenant.incidents.load(composeHistory(tenant, count, spread, random, this.clock.now()))
    this.remember()
    return tenant.incidents.size
  }

  /** Changes an incident and moves its last update to now (or to `note.at`). */
  updateIncident(tenantId: string, incidentId: number, change: IncidentChange, note: ChangeNote = {}): Incident {
    const tenant = this.tenant(tenantId)
    const before = this.incident(tenantId, incidentId)
    const at = note.at ?? this.#instantNow()
    const { comment, ...rest } = change
    const after: Incident = {
      ...before,
      ...rest,
      comments:
        comment === undefined
          ? before.comments
          : [...before.comments, { comment, createdBy: note.author ?? 'Microsoft 365 Defender', createdAt: at }],
      lastUpdateAt: at,
      lastModifiedBy: note.by ?? 'Microsoft 365 Defender-AlertCorrelation',
    }
    tenant.incidents.put(after, this.#shownAt(note))
    this.remember()
    return after
  }

  /** One more alert in an incident. */
  addAlert(tenantId: string, incidentId: number, story = 'powershell'): Incident {
    const tenant = this.tenant(tenantId)
    const before = this.incident(tenantId, incidentId)
    const first = before.recipes[0]
    const own = first && first.count < storyOf(first.story).alerts.length
    const recipes: AlertRecipe[] = own
      ? [{ ...first, count: first.count + 1 }, ...before.recipes.slice(1)]
      : [...before.recipes, { story, seed: this.random.int(1, 2 ** 31), startMs: this.clock.now() - 60_000, count: 1 }]
    const after: Incident = {
      ...before,
      recipes,
      lastUpdateAt: this.#instantNow(),
      lastModifiedBy: 'Microsoft 365 Defender-AlertCorrelation',
    }
    tenant.incidents.put(after)
    this.remember()
    return after
  }

  /**
   * Merges incidents as observed in a real tenant: the survivor (a new incident unless one is named) takes all alerts;
   * each merged one keeps its name, becomes redirected, of unknown severity and empty, with last updates within 3 ms of
   * one another, 2.7 s after a new survivor's creation.
   */
  mergeIncidents(tenantId: string, ids: readonly number[], survivorId?: number): Incident {
    const tenant = this.tenant(tenantId)
    const merged = ids.filter((id) => id !== survivorId).map((id) => this.incident(tenantId, id))
    const [lead] = merged
    if (!lead) throw new Error('nothing to merge')
    const now = this.clock.now()
    const known = survivorId === undefined ? null : this.incident(tenantId, survivorId)
    const base =
      known ??
      compose(tenant, { name: lead.name, createdAt: instantOf(now - 2700, this.random.int(0, 9999)) }, this.random, now)
    const survivor: Incident = {
      ...base,
      name: merged.length > 1 && !known ? multiStage(lead) : base.name,
      severity: worst([...merged, ...(known ? [known] : [])]),
      recipes: [...(known?.recipes ?? []), ...merged.flatMap(({ recipes }) => recipes)],
      assignedTo: known?.assignedTo ?? lead.assignedTo,
      lastUpdateAt: instantOf(now, this.random.int(0, 9999)),
      lastModifiedBy: 'Microsoft 365 Defender-AlertCorrelation',
    }
    tenant.incidents.put(survivor)
    for (const [n, incident] of merged.entries()) {
      tenant.incidents.put({
        ...incident,
        status: 'redirected',
        severity: 'unknown',
        redirectId: survivor.id,
        recipes: [],
        lastUpdateAt: instantOf(now + Math.min(n, 3), this.random.int(0, 9999)),
        lastModifiedBy: 'Microsoft 365 Defender-AlertCorrelation',
      })
    }
    this.remember()
    return survivor
  }

  removeIncident(tenantId: string, incidentId: number): void {
    this.incident(tenantId, incidentId)
    this.tenant(tenantId).incidents.remove(incidentId)
    this.remember()
  }

  /** As it was written last, shown or not. @throws Error when the tenant has no such incident */
  incident(tenantId: string, incidentId: number): Incident {
    const incident = this.tenant(tenantId).incidents.latest(incidentId)
    if (!incident) throw new Error(`tenant ${tenantId} has no incident ${incidentId}`)
    return incident
  }

  #shownAt({ shownAfterMs = 0 }: Showing): number {
    return this.clock.now() + shownAfterMs
  }

  #instantNow(): Instant {
    return instantOf(this.clock.now(), digits(this.random))
  }
}

function worst(incidents: readonly Incident[]): Severity {
  const order: Severity[] = ['high', 'medium', 'low', 'informational', 'unknown']
  return order.find((severity) => incidents.some((incident) => incident.severity === severity)) ?? 'unknown'
}

function multiStage(lead: Incident): string {
  return lead.name.startsWith('Multi-stage') ? lead.name : `Multi-stage incident involving ${lead.name}`
}
