/** The part of the day's words that both APIs share; what Microsoft sent stays beside it. */
export type Severity = 'high' | 'medium' | 'low' | 'informational' | 'unknown'

export type IncidentStatus = 'active' | 'inProgress' | 'awaitingAction' | 'resolved' | 'redirected' | 'unknown'

export type EntityKind =
  | 'user'
  | 'device'
  | 'ip'
  | 'url'
  | 'file'
  | 'process'
  | 'mailbox'
  | 'mail'
  | 'registry'
  | 'group'
  | 'app'
  | 'connection'
  | 'cloud'
  | 'repository'
  | 'session'
  | 'agent'
  | 'other'

/** Instants are UTC with exactly seven fraction digits (`2026-11-20T08:12:00.1234567Z`), so that text order is time order. */
export type Instant = string

/** One field of an entity: where it stands in what Microsoft sent (`parentProcessImageFile.sha256`), and its value. */
export type EntityFact = [code: string, value: string]

export interface RemoteEntity {
  kind: EntityKind
  /** Microsoft's own word for the kind: `containerImage`, `MailCluster`. */
  type?: string | null
  /** What a person would call it: an address, a host name, a file name. */
  name: string
  detail: string | null
  verdict: string | null
  remediation: string | null
  /** Every field that says something, those that are copied first; a field of several values comes several times. */
  facts?: EntityFact[]
}

export interface RemoteAlert {
  id: string
  title: string
  description: string | null
  severity: Severity
  /** As Microsoft spells it, camelCase. */
  status: string | null
  category: string | null
  serviceSource: string | null
  detectionSource: string | null
  createdAt: Instant | null
  firstActivityAt: Instant | null
  lastActivityAt: Instant | null
  techniques: string[]
  entities: RemoteEntity[]
  /** What Microsoft sent, as JSON; null where it came within its incident, whose own original holds it. */
  original: string | null
}

/** A source out of which Microsoft puts its answers together, and which did not answer. */
export interface SilentSource {
  /** Vendor and provider: `Microsoft/WDATP`. */
  name: string
  /** The HTTP status it failed with. */
  status: number | null
}

/** What an answer says of itself that it lacks (206). What is not in it may exist all the same. */
export interface PartialAnswer {
  /** Empty where the answer names none. */
  sources: SilentSource[]
}

/** The alerts of one incident, read by themselves. */
export interface AlertsRead {
  alerts: RemoteAlert[]
  /** How many of those listed were not understood, came without their ID, or belong to another tenant. */
  odd: number
  /** What the answer says of itself that it lacks. */
  partial?: PartialAnswer | null
}

/** One incident, read by itself. */
export interface IncidentRead {
  /** Null when Microsoft knows it no longer. */
  found: RemoteIncident | RejectedItem | null
  /** Null when all sources answered. */
  partial: PartialAnswer | null
}

export interface RemoteIncident {
  id: string
  /** The survivor this one was merged into. */
  redirectId: string | null
  title: string
  description: string | null
  severity: Severity
  status: IncidentStatus
  /** Microsoft's own spellings, unknown values included. */
  rawSeverity: string | null
  rawStatus: string | null
  classification: string | null
  determination: string | null
  assignedTo: string | null
  tags: string[]
  comments: { text: string; by: string | null; at: Instant | null }[]
  lastModifiedBy: string | null
  priority: number | null
  createdAt: Instant
  lastUpdateAt: Instant
  /** Only an https address on a Microsoft Defender portal; otherwise null. */
  webUrl: string | null
  /** Null when this API does not carry alerts in its list. */
  alerts: RemoteAlert[] | null
  /** What Microsoft sent, as JSON in UTF-8. */
  original: Uint8Array
  /** SHA-256 over `original`: two readings of the same instant that differ are told apart by it. */
  fingerprint: string
}

/** One item of a page that was not understood; the rest of the page is. */
export interface RejectedItem {
  id: string | null
  reason:
    | 'not-an-object'
    | 'no-id'
    | 'no-time'
    | 'other-tenant'
    | 'too-large'
    | 'unreadable'
    | 'alerts-unread'
    | 'partly-answered'
    | 'alerts-partly-answered'
  detail: string
  /** What went wrong in our own code; for the log alone, and never stored. */
  cause?: unknown
}

export interface IncidentPage {
  incidents: RemoteIncident[]
  rejected: RejectedItem[]
  /** What the page says of itself that it lacks. */
  partial?: PartialAnswer
  /** The end of the second in which Microsoft sent it, by its own clock; left out where it does not say. */
  sentAt?: Instant
  /** It is known that nothing follows: whoever stores it may end the list with it. */
  isEnd?: true
}

export interface IncidentQuery {
  /** Last update at or after. */
  updatedSince?: Instant
  /** Last update before: the end of a slice. */
  updatedBefore?: Instant
  /** Created at or after. */
  createdSince?: Instant
  /** Only these, one Microsoft status at a time; `other` is any that has no name here, `awaitingAction` among them. */
  status?: ListedStatus
}

export type ListedStatus = 'active' | 'inProgress' | 'resolved' | 'other'
