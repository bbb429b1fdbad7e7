import type { Generated } from 'kysely'

/**
 * The tables, as rows come and go. Times are UTC ISO text of fixed width, so that text order is time order on both
 * engines; true and false are 1 and 0; JSON is text. Written by migrations/, in step with them.
 */
export interface Schema {
  operators: OperatorTable
  sessions: SessionTable
  spent_tokens: SpentTokenTable
  settings: SettingTable
  chores: ChoreTable
  partner_faults: PartnerFaultTable
  customers: CustomerTable
  customer_groups: CustomerGroupTable
  consent_links: ConsentLinkTable
  consent_attempts: ConsentAttemptTable
  awaited_proofs: AwaitedProofTable
  reviews: ReviewTable
  tenants: TenantTable
  access_checks: AccessCheckTable
  incidents: IncidentTable
  rejected_items: RejectedItemTable
  syncs: SyncTable
  windows: WindowTable
  call_budgets: CallBudgetTable
  created_days: CreatedDayTable
  incident_notes: IncidentNoteTable
  audit_events: AuditEventTable
  audit_seals: AuditSealTable
  audit_sealing: AuditSealingTable
  refused_sign_ins: RefusedSignInTable
  notify_alarms: NotifyAlarmTable
  notify_seen: NotifySeenTable
  destinations: DestinationTable
  outbox: OutboxTable
}

/** One row for each event that is sealed, in the order of their IDs. */
interface AuditSealTable {
  /** From 1, without a gap. */
  sequence: number
  event_id: number
  /** Which key: a hash of it, that opens nothing. */
  key_id: string
  /** HMAC-SHA-256 over sequence, previous HMAC and all of the event. */
  mac: string
  previous: string
}

/** One row: the job that seals, and up to where no transaction is open. */
interface AuditSealingTable {
  id: string
  next_at: string | null
  lease_until: string | null
  fence: number
  /** The last event ID given out at a look, and who was writing events then (JSON): safe once all of these have ended. */
  mark: number | null
  holders: string | null
  told_at: string | null
  told_sequence: number | null
}

/** One row for an hour and whoever was refused in it, and one event in the audit log. */
interface RefusedSignInTable {
  /** UTC, as far as the hour: `2026-11-30T18`. */
  hour: string
  /** The operator, where Microsoft vouched for one; else the address; `*` for all beyond the first hundred. */
  who: string
  times: number
  last_at: string
}

interface OperatorTable {
  /** `<tid>.<oid>`: the identity; never the mail address. */
  id: string
  tid: string
  oid: string
  name: string | null
  username: string | null
  /** JSON array of the app roles of the latest sign-in. */
  roles: string
  guest: number
  language: string | null
  time_zone: string | null
  theme: string | null
  /** JSON of the customers and groups an Admin limited her to; null for everything. */
  limits: Generated<string | null>
  first_seen_at: string
  last_seen_at: string
}

interface SessionTable {
  /** SHA-256 of the session ID: a copy of the table opens no session. */
  id_hash: string
  operator_id: string | null
  data: string
  created_at: string
  expires_at: string
}

/** Single-use values (sign-in states) that were redeemed; the primary key is what makes them single-use. */
interface SpentTokenTable {
  hash: string
  expires_at: string
}

interface SettingTable {
  name: string
  value: string
  changed_at: string
}

/** Troubles of the partner's own, one row each however many tenants feel it. */
interface PartnerFaultTable {
  code: string
  since: string
  seen_at: string
  /** JSON: RefusalFacts. */
  facts: string
  /** When it is to be found out whether the credential works again, UTC. */
  next_probe_at: string | null
  probe_lease_until: string | null
  probe_fence: Generated<number>
}

/** What is done once in a while by one process of all, and is about no row of its own. */
interface ChoreTable {
  name: string
  due_at: string | null
  lease_until: string | null
  fence: Generated<number>
}

interface CustomerTable {
  id: string
  name: string
  language: string
  contact_name: string | null
  contact_email: string | null
  notes: string | null
  expected_tenant_id: string | null
  expected_domain: string | null
  created_at: string
  updated_at: string
  offboarded_at: string | null
}

interface CustomerGroupTable {
  customer_id: string
  name: string
}

interface ConsentLinkTable {
  id: string
  customer_id: string
  token_hash: string
  /** Short code a customer can read out on the phone. */
  reference: string
  /** The tenant this link is for, when it was pinned as the link was issued. */
  pinned_tenant_id: string | null
  pinned_domain: string | null
  issued_at: string
  issued_by: string
  expires_at: string
  withdrawn_at: string | null
  completed_at: string | null
  opened_at: string | null
  opened_count: Generated<number>
  /** When to ask Microsoft whether the pinned tenant consented without ever coming back to us. */
  next_probe_at: string | null
  probe_lease_until: string | null
  probe_fence: Generated<number>
  /** How often somebody, or a machine, left for Microsoft with it: none of them has a row before it comes back. */
  departures: Generated<number>
  first_departed_at: string | null
  last_departed_at: string | null
  /** When a departure was last written to the audit log. */
  departure_noted_at: string | null
  /** Events of whoever holds the link, written to the audit log since `noted_from`, within an hour. */
  noted: Generated<number>
  noted_from: string | null
}

interface ConsentAttemptTable {
  id: string
  link_id: string
  customer_id: string
  kind: string
  state_hash: string
  /** SHA-256 of the cookie of the browser that started it; null for the classic link. */
  browser_hash: string | null
  pinned_tenant_id: string | null
  started_at: string
  expires_at: string
  /** When its state was consumed by a callback, whatever the callback said. */
  returned_at: string | null
  /** `started`, then one of the outcomes in attempts.ts. */
  outcome: string
  claimed_tenant_id: string | null
  bound_tenant_id: string | null
  signed_in_tenant_id: string | null
  aadsts: number | null
  finished_at: string | null
  /** While a proof is awaited: `callback` (only said), `sign-in` (the tenant is proven by an ID token, a consent is not). */
  evidence: string | null
  /** Who signed in, for display. */
  person: string | null
  /** Keyed hash of the network address it came back from. */
  address_hash: string | null
  /** SHA-256 of the state of the sign-in under way that is to show its tenant; or of the person it is kept for alone. */
  proof_hash: string | null
}

/** A tenant that somebody says has consented: until a token proves it, it is bound to nobody. */
interface AwaitedProofTable {
  tenant_id: string
  /** When the quick schedule began; a new claim begins it again, at a pace. */
  since: string
  /** When the latest claim came. */
  claimed_at: string
  /** How many claims there were: tells whether one came while Microsoft was asked. */
  claims: Generated<number>
  tries: Generated<number>
  next_at: string
  lease_until: string | null
  fence: Generated<number>
  last_at: string | null
  /** Code of the refusal of the latest try. */
  last_code: string | null
}

/** What a person must decide: unpinned claims, late and unknown returns. A claim here is still only a claim. */
interface ReviewTable {
  id: string
  kind: string
  customer_id: string | null
  link_id: string | null
  attempt_id: string | null
  tenant_id: string
  tenant_name: string | null
  tenant_domain: string | null
  /** `callback` (only said), `sign-in` (proven by a validated ID token). */
  evidence: string
  person: string | null
  created_at: string
  decided_at: string | null
  decided_by: string | null
  decision: string | null
}

interface TenantTable {
  tenant_id: string
  customer_id: string
  display_name: string | null
  default_domain: string | null
  region: string | null
  bound_at: string
  bound_how: string
  bound_by: string
  consented_at: string | null
  /** When a token with the permission first proved the consent, whatever the API said to it. */
  consent_proven_at: string | null
  access_state: string
  state_code: string | null
  state_since: string
  /** JSON: Record<Capability, CapabilityState>. */
  capabilities: string
  first_active_at: string | null
  offboarded_at: string | null
  proving_since: string | null
  check_attempts: Generated<number>
  next_check_at: string | null
  check_lease_until: string | null
  check_fence: Generated<number>
  last_check_at: string | null
  next_sync_at: string | null
  /** When a window of this tenant is to be read on: backfill, reconcile, what an operator asked to read again. */
  next_window_at: string | null
  /** Held by one sync run at a time, whether it follows or reads a window. */
  sync_lease_until: string | null
  sync_fence: Generated<number>
  sync_failures: Generated<number>
  /** Microsoft asked to be left alone until then, or our own budget is used up until then. */
  sync_not_before: string | null
  /** When the sync run under way began. */
  sync_started_at: string | null
  sync_phase: string
  /** Newest last-update time seen; the next window starts a little before it. */
  cursor: string | null
  /** Since when Microsoft's answers are incomplete by their own account; null while they are whole. */
  partial_since: string | null
  /** JSON: SilentSource[], of the latest such answer. */
  partial_sources: string | null
  /** How far incomplete lists were read: `cursor` stands before what they lack, until a whole list has been read from it. */
  partial_cursor: string | null
  last_read_at: string | null
  last_read_code: string | null
  /** When a sync run last stored something new: what the pace goes by. */
  last_change_at: string | null
  /** When the first 30 days had been read. */
  backfilled_at: string | null
  next_reconcile_at: string | null
  /** When the whole 30 days are compared again, not the last three alone. */
  next_deep_reconcile_at: string | null
  reconciled_at: string | null
  reconcile_differences: Generated<number>
  paused_at: string | null
  /** Who paused it, as the audit names them. */
  paused_by: string | null
  first_incident_at: string | null
  open_high: Generated<number>
  open_medium: Generated<number>
  open_low: Generated<number>
  open_informational: Generated<number>
  open_unknown: Generated<number>
  unassigned_high: Generated<number>
  unassigned_medium: Generated<number>
  unassigned_low: Generated<number>
  unassigned_informational: Generated<number>
  unassigned_unknown: Generated<number>
  incident_count: Generated<number>
}

interface AccessCheckTable {
  id: string
  tenant_id: string
  at: string
  attempt: number
  state: string
  refusal_code: string | null
  /** JSON: RefusalFacts or null. */
  refusal: string | null
  /** JSON: TokenClaims or null. Never the token. */
  claims: string | null
  capabilities: string
  /** JSON: LiveCall[]. */
  calls: string
  missing_roles: string
  unexpected_roles: string
}

interface IncidentTable {
  /** Ours alone: by it the text search names a row. */
  number: Generated<number>
  tenant_id: string
  incident_id: string
  title: string
  severity: string
  /** 4 high … 0 unknown: the order of the queue. */
  severity_rank: number
  status: string
  open: number
  assigned_to: string | null
  classification: string | null
  determination: string | null
  redirect_id: string | null
  created_at: string
  /** The UTC day of `created_at`, for the chart. */
  created_day: string
  last_update_at: string
  alert_count: number
  /** Null while this version's alerts are still to be read: the queue of the API whose list does not carry them. */
  alerts_read_at: string | null
  /** Lower-case title, people, devices, addresses: what text search looks in, by trigrams that the engine keeps. */
  search_text: string
  /** SHA-256 over what Microsoft sent: two readings of the same instant that differ are told apart by it. */
  content_hash: string
  /** JSON: RemoteIncident without alerts, original and fingerprint. */
  facts: string
  original: string
  /** JSON: its alerts, the earliest activity first, each without its original; null while none were read. */
  alerts: string | null
  /** JSON: the originals of those alerts, in the same order; null where `original` holds them. */
  alert_originals: string | null
  first_seen_at: string
  stored_at: string
  /** When Microsoft was found to know it no longer. */
  gone_at: string | null
  /** By which version of our reading the row was made of `original` and `alert_originals`. */
  reading_version: Generated<number>
}

interface RejectedItemTable {
  tenant_id: string
  item: string
  reason: string
  detail: string
  first_seen_at: string
  last_seen_at: string
}

interface SyncTable {
  id: string
  tenant_id: string
  kind: string
  started_at: string
  finished_at: string | null
  outcome: string | null
  code: string | null
  pages: Generated<number>
  seen: Generated<number>
  stored: Generated<number>
  rejected: Generated<number>
  window_id: string | null
  /** Of the request with which somebody asked for it. */
  request_id: string | null
  /** Of what was stored, the incidents that were not there before. */
  added: Generated<number>
  /** Of what was stored, what the sync runs before should have brought. */
  differences: Generated<number>
  calls: Generated<number>
  /** Sync runs this row stands for: polls in a row that brought nothing are one. */
  polls: Generated<number>
  /** JSON: SilentSource[]; null where all answers were whole. */
  partial_sources: string | null
}

/** A stretch of time at Microsoft that is read in slices, the newest first, over as many sync runs as it takes. */
interface WindowTable {
  id: string
  tenant_id: string
  kind: string
  from_at: string
  to_at: string
  /** Everything from here to `to_at` has been read and stored. */
  reached_at: string
  /** How long the next slice is. */
  step_ms: number
  created_at: string
  created_by: string | null
  started_at: string | null
  finished_at: string | null
  /** About how many incidents there are in it. */
  expected: number | null
  seen: Generated<number>
  stored: Generated<number>
  added: Generated<number>
  differences: Generated<number>
  pages: Generated<number>
  calls: Generated<number>
  /** 1 when answers of this round were incomplete by their own account. */
  partial: Generated<number>
  /** How often it was read to its beginning with such answers; it begins anew until one round is whole. */
  rounds: Generated<number>
}

/** Calls made for a tenant lately, by whichever process. */
interface CallBudgetTable {
  tenant_id: string
  /** JSON: [second since 1970, calls][] of the last hour. */
  calls: string
}

/** Incidents created per UTC day, in several rows a day so that tenants do not wait for each other: the sum counts. */
interface CreatedDayTable {
  day: string
  severity: string
  shard: number
  incidents: number
}

/** What the partner's people write about an incident: it stays with us. */
interface IncidentNoteTable {
  id: string
  tenant_id: string
  incident_id: string
  text: string
  by_id: string
  by_name: string
  at: string
  removed_at: string | null
  removed_by: string | null
}

interface AuditEventTable {
  id: Generated<number>
  at: string
  actor_kind: string
  actor_id: string | null
  actor_name: string | null
  action: string
  customer_id: string | null
  tenant_id: string | null
  subject_id: string | null
  /** JSON of display-safe facts. */
  facts: string
  address: string | null
  request_id: string | null
}

/** Something that people are told of, from when it was raised until it is over. */
interface NotifyAlarmTable {
  id: string
  kind: string
  /** What it is about, within its kind: one of them is open at a time. */
  subject: string
  customer_id: string | null
  tenant_id: string | null
  subject_id: string | null
  /** JSON: codes and numbers; names are looked up when it is told. */
  facts: string
  raised_at: string
  /** The latest time it came back before it had been told that it was over. */
  last_raised_at: string
  times: Generated<number>
  over_at: string | null
  /** What was told last: `raised`, `over`, or nothing yet. */
  announced: string | null
  announced_at: string | null
  /** When there is something to tell; claimed by store/engine/due.ts. */
  announce_at: string | null
  announce_lease_until: string | null
  announce_fence: Generated<number>
}

interface NotifySeenTable {
  alarm_id: string
  operator_id: string
  name: string | null
  at: string
}

/** Where alarms are sent besides the portal. */
interface DestinationTable {
  id: string
  kind: string
  name: string
  owner_id: string
  language: string
  time_zone: string
  /** JSON: QuietHours. */
  quiet: string | null
  /** JSON arrays; null for all of them. */
  kinds: string | null
  customers: string | null
  groups: string | null
  /** JSON: what it may say. */
  says: string
  /** 1: audit events go there as well. */
  audit: Generated<number>
  /** Address and secrets, sealed. */
  sealed: string
  /** What may be shown of the address. */
  shown: string
  paused_at: string | null
  paused_by: string | null
  /** It was switched off because nothing could be delivered. */
  off_at: string | null
  off_reason: string | null
  failing_since: string | null
  failures: Generated<number>
  /** It asked to be left alone until then, or we do. */
  not_before: string | null
  sent: Generated<number>
  last_sent_at: string | null
  created_at: string
  updated_at: string
}

/** A message to one destination or person. Holds no text: it is written when it is sent. */
interface OutboxTable {
  /** `msg_…`: stays the same over every try. */
  id: string
  destination_id: string | null
  /** An operator’s ID, where it goes to a person instead. */
  recipient: string | null
  topic: string
  subject_id: string
  change: string
  created_at: string
  /** When it is to be sent; null when it has ended or is held. Claimed by store/engine/due.ts. */
  next_at: string | null
  lease_until: string | null
  fence: Generated<number>
  attempts: Generated<number>
  state: string
  ended_at: string | null
  /** JSON: what came back, try by try. */
  tries: Generated<string>
}
