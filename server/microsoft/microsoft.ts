import type { IncidentsApi } from '../config/config.ts'
import type { Refusal } from '../model/refusal.ts'

/** What each capability needs and how it stands in one tenant. */
export type Capability = 'readIncidents' | 'writeIncidents' | 'hunting' | 'organisationProfile'
export type CapabilityState = 'granted' | 'missing' | 'unlicensed' | 'unknown'

/** A token for one tenant, with what could be read in it. Claims are advisory: a token is opaque to its bearer. */
export interface AppToken {
  value: string
  expiresAt: Date
  /** Null when the token is not a readable JWT. `tid` equals the tenant asked for, or the token was refused. */
  claims: TokenClaims | null
}

export interface TokenClaims {
  tid: string
  appid: string
  roles: string[]
  aud: string | null
  issuedAt: string | null
  expiresAt: string | null
}

/** One request that was made as evidence: never its headers or its body. */
export interface LiveCall {
  capability: Capability
  method: string
  /** Path and query, without the origin. */
  path: string
  /** Null when no answer came. */
  status: number | null
  ms: number
  /** What the answer said of itself that it lacks. */
  partial?: PartialAnswer
}

/** The proof for one tenant: token, claims, one live call per capability, and the refusal if there was one. */
export interface AccessEvidence {
  claims: TokenClaims | null
  /** Whether a token was issued at all. */
  tokenIssued: boolean
  capabilities: Record<Capability, CapabilityState>
  calls: LiveCall[]
  missingRoles: string[]
  /** Roles the token carries beyond what Muster asks for: shown, and a warning when they write. */
  unexpectedRoles: string[]
  /** Null when reading incidents works. */
  refusal: Refusal | null
}

export interface TenantIdentity {
  tenantId: string
  /** Microsoft's `tenant_region_scope`: EU, NA, AS, WW … */
  region: string | null
}

/** A tenant that somebody named. */
export interface NamedTenant extends TenantIdentity {
  /** The domain that was looked up, as DNS writes it; null when an ID was given. */
  domain: string | null
}

export interface TenantProfile {
  tenantId: string
  displayName: string | null
  defaultDomain: string | null
}

/** A person whose ID token was fully validated. `tid` and `oid` are the identity; the rest is for display. */
export interface SignedInPerson {
  tid: string
  oid: string
  name: string | null
  username: string | null
  /** App roles; they mean something only when `tid` is the partner's. */
  roles: string[]
  /**
   * Role template IDs of the directory roles that are active in `tid` (the claim `wids`), in lower case. Null when the
   * token shows none: whoever belongs to a tenant has at least one, so the app registration does not ask for them.
   */
  directoryRoles: string[] | null
  /** True for a B2B guest of that tenant. */
  guest: boolean
}

/** Operators sign in to the partner's tenant; a customer's administrator proves which tenant is his. */
export type SignInPurpose = 'operator' | 'customer'

export interface SignInRequest {
  purpose: SignInPurpose
  /** Tenant ID, or null for any organisation (customers alone). */
  tenantId: string | null
  state: string
  nonce: string
  codeChallenge: string
  prompt: 'none' | 'select_account' | null
}

export interface SignInCode {
  purpose: SignInPurpose
  tenantId: string | null
  code: string
  codeVerifier: string
  nonce: string
}

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
  /** How many more were listed that were not understood, or belong to another tenant. */
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
}

export interface IncidentQuery {
  /** Last update at or after. */
  updatedSince?: Instant
  /** Last update before: the end of a slice. */
  updatedBefore?: Instant
  /** Created at or after. */
  createdSince?: Instant
  /** Only these, one Microsoft status at a time. */
  status?: 'active' | 'inProgress' | 'resolved'
}

/** Whoever reads a tenant says for each request whether it may go out. */
export interface CallMeter {
  /** Asked before every request to the tenant's API, repeated ones included. @throws Refusal `throttled` */
  take(): Promise<void>
}

/** One permission that a registration asks for. */
export interface RegisteredPermission {
  /** Its own name; its ID where Microsoft names none. */
  name: string
  kind: 'application' | 'delegated'
}

/** One line of the doctor: a thing looked at, what was found, and how to mend it. */
export interface RegistrationFinding {
  check: 'tenant' | 'credential' | 'audience' | 'redirect-uris' | 'permissions' | 'sign-in' | 'api'
  outcome: 'ok' | 'fault' | 'warning' | 'unknown'
  /** Code of the sentence: `setup.found.<code>` in the catalogue. */
  code: string
  facts: Record<string, string>
  refusal: Refusal | null
}

/**
 * Everything the portal says to Microsoft. No SQL, no Express behind it; all refusals are thrown as `Refusal`.
 * Tenant IDs are lower-case GUIDs, and are checked again before they reach a URL.
 */
export interface Microsoft {
  readonly api: IncidentsApi
  /** Application permissions that consent is asked for, in order. */
  readonly permissions: readonly { name: string; id: string; capability: Capability }[]
  readonly resource: { appId: string; name: string; uri: string }
  /** `/{tenant or organizations}/v2.0/adminconsent`. */
  consentUrl(request: { tenantId: string | null; state: string }): string
  /** The link of the original documentation, with our redirect URI and state. */
  classicConsentUrl(request: { state: string }): string
  /** The tenant that somebody named, by OpenID discovery; null when Microsoft knows none. @throws Refusal */
  resolveTenant(typed: string): Promise<NamedTenant | null>
  /** Name and domain of any tenant, where the partner's app may ask; null otherwise. Never throws. */
  describeTenant(tenantId: string): Promise<TenantProfile | null>
  signInUrl(request: SignInRequest): string
  /** Redeems a code and validates the ID token. @throws Refusal */
  redeemSignIn(request: SignInCode): Promise<SignedInPerson>
  /** The proof: fresh client, fresh token, one live call per capability. Never throws; the refusal is in the answer. */
  checkAccess(tenantId: string): Promise<AccessEvidence>
  /** Asks the partner's own tenant for a token with the app's credential. @throws Refusal */
  proveCredential(): Promise<void>
  /** Pages of the whole list, in whatever order; an incident may come again, changed. @throws Refusal, and what `calls` throws */
  listIncidents(tenantId: string, query: IncidentQuery, calls?: CallMeter): AsyncGenerator<IncidentPage>
  /** One incident as it is now, its alerts included where the API carries them. @throws Refusal */
  incidentById(tenantId: string, incidentId: string, calls?: CallMeter): Promise<IncidentRead>
  /** The alerts of one incident, for the API whose list does not carry them. @throws Refusal */
  alertsOf(tenantId: string, incidentId: string, calls?: CallMeter): Promise<AlertsRead>
  /** Drops every token of a tenant. */
  forget(tenantId: string): void
  /** Milliseconds by which this machine's clock is ahead of Microsoft's. @throws Refusal */
  clockAhead(): Promise<number>
  /**
   * What the customers' registration asks for, read by the sign-in registration; null where that one does not exist or may
   * not read it. @throws Refusal
   */
  readRegisteredPermissions(): Promise<RegisteredPermission[] | null>
  /** Roles of the customers' app in the partner's own tenant that Muster does not need. Never throws; empty when unknown. */
  readOwnExcess(): Promise<string[]>
  /** What can be seen of the app registration from outside, each with its remedy. */
  inspectRegistration(): Promise<RegistrationFinding[]>
}
