import type { Instant } from './instants.ts'

/** Values are spelled as Graph spells them; the Defender surface translates. */
export type Severity = 'high' | 'medium' | 'low' | 'informational' | 'unknown'
export type IncidentStatus = 'active' | 'inProgress' | 'awaitingAction' | 'resolved' | 'redirected'

export type Service =
  | 'microsoftDefenderForEndpoint'
  | 'microsoftDefenderForIdentity'
  | 'microsoftDefenderForCloudApps'
  | 'microsoftDefenderForOffice365'
  | 'microsoft365Defender'
  | 'azureAdIdentityProtection'
  | 'dataLossPrevention'

export interface Comment {
  comment: string
  createdBy: string
  createdAt: Instant
}

export interface Device {
  mdeDeviceId: string
  aadDeviceId: string | null
  dnsName: string
  osPlatform: string
  osBuild: number | null
  version: string
  healthStatus: string
  riskScore: string
  group: string
  groupId: number
  firstSeenAt: Instant
  lastIp: string
  lastExternalIp: string
}

export interface UserAccount {
  accountName: string
  domainName: string
  userSid: string
  aadUserId: string | null
  userPrincipalName: string | null
  displayName: string
}

export interface FileDetails {
  fileName: string
  filePath: string
  sha1: string
  sha256: string
  size: number
  publisher: string | null
}

export type Entity = { verdict: 'unknown' | 'suspicious' | 'malicious' | 'noThreatsFound'; remediation: string } & (
  | ({ kind: 'user' } & UserAccount)
  | { kind: 'ip'; address: string; country: string | null }
  | { kind: 'url'; url: string }
  | ({ kind: 'file'; deviceId: string | null } & FileDetails)
  | {
      kind: 'process'
      deviceId: string | null
      processId: number
      parentProcessId: number
      commandLine: string
      startedAt: Instant
      parentStartedAt: Instant
      image: FileDetails
      account: UserAccount
    }
  | { kind: 'mailbox'; address: string; displayName: string; userPrincipalName: string }
  | {
      kind: 'mail'
      sender: string
      senderIp: string
      recipient: string
      subject: string
      deliveryAction: string
      networkMessageId: string
      internetMessageId: string
      receivedAt: Instant
      urls: string[]
    }
  | { kind: 'mailCluster'; clusterBy: string; query: string; count: number }
  | { kind: 'registry'; hive: string; key: string; valueName: string; value: string; deviceId: string | null }
  | { kind: 'group'; groupId: string; name: string }
  | { kind: 'cloudApp'; appId: number; name: string }
)

export interface Alert {
  /** Two-letter source prefix, then the provider's own ID. */
  id: string
  title: string
  description: string
  recommendedActions: string
  category: string
  severity: Severity
  status: 'new' | 'inProgress' | 'resolved'
  service: Service
  detectionSource: string
  detectorId: string
  createdAt: Instant
  lastUpdateAt: Instant
  resolvedAt: Instant | null
  firstActivityAt: Instant
  lastActivityAt: Instant
  classification: string | null
  determination: string | null
  assignedTo: string | null
  investigationId: number | null
  investigationState: string
  actorName: string | null
  threatFamily: string | null
  techniques: string[]
  devices: Device[]
  entities: Entity[]
}

/**
 * Where an incident's alerts come from. A thousand incidents of realistic size are tens of megabytes, so an incident
 * keeps the recipe (which story, which seed) and the alerts are cooked, always alike, whenever they are asked for.
 */
export interface AlertRecipe {
  story: string
  seed: number
  /** First activity, milliseconds since the epoch. */
  startMs: number
  /** How many alerts the story has told so far. */
  count: number
}

export interface Incident {
  id: number
  name: string
  createdAt: Instant
  lastUpdateAt: Instant
  status: IncidentStatus
  severity: Severity
  classification: string
  determination: string
  assignedTo: string | null
  tags: readonly string[]
  systemTags: readonly string[]
  comments: readonly Comment[]
  description: string | null
  summary: string | null
  resolvingComment: string | null
  lastModifiedBy: string
  priorityScore: number | null
  /** The survivor this one was merged into. */
  redirectId: number | null
  recipes: readonly AlertRecipe[]
}

export interface Selection {
  /** Lower and upper bounds of the last update, both included. */
  from: Instant | null
  to: Instant | null
  descending: boolean
  matches: (incident: Incident) => boolean
  skip: number
  top: number
}

/** One tenant's incidents, kept in the order of their last update so that a page needs no sorting. */
export class IncidentShelf {
  readonly #byId = new Map<number, Incident>()
  #byUpdate: Incident[] = []

  get size(): number {
    return this.#byId.size
  }

  get(id: number): Incident | undefined {
    return this.#byId.get(id)
  }

  /** Ascending by last update, ties by ID. */
  all(): readonly Incident[] {
    return this.#byUpdate
  }

  /** Adds an incident, or puts a changed one in the place of the old. */
  put(incident: Incident): void {
    this.remove(incident.id)
    this.#byId.set(incident.id, incident)
    this.#byUpdate.splice(this.#placeOf(incident), 0, incident)
  }

  remove(id: number): boolean {
    const known = this.#byId.get(id)
    if (!known) return false
    this.#byId.delete(id)
    this.#byUpdate.splice(this.#placeOf(known), 1)
    return true
  }

  /** Adds many at once, sorting a single time. */
  load(incidents: readonly Incident[]): void {
    for (const incident of incidents) this.#byId.set(incident.id, incident)
    this.#byUpdate = [...this.#byId.values()].sort(inOrder)
  }

  /** One page, whether more would follow it, and (when asked) how many match in all. */
  select(selection: Selection, counting = false): { page: Incident[]; more: boolean; total: number } {
    const { from, to, descending, matches, skip, top } = selection
    const list = this.#byUpdate
    const low = from === null ? 0 : this.#firstAtOrAfter(from)
    const high = to === null ? list.length : this.#firstAfter(to)
    const page: Incident[] = []
    let seen = 0
    for (let step = 0; step < high - low; step++) {
      const incident = list[descending ? high - 1 - step : low + step]
      if (!incident || !matches(incident)) continue
      seen++
      if (seen > skip && page.length < top) page.push(incident)
      if (!counting && seen > skip + top) break
    }
    return { page, more: seen > skip + top, total: seen }
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
