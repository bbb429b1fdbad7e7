import type { IncidentsApi } from '../config/config.ts'
import type {
  AccessEvidence,
  Capability,
  NamedTenant,
  SignedInPerson,
  TenantProfile,
  TokenClaims,
} from '../model/access.ts'
import type {
  AlertsRead,
  IncidentPage,
  IncidentQuery,
  IncidentRead,
  ListedStatus,
  RemoteAlert,
  RemoteIncident,
} from '../model/incident.ts'
import type { Refusal } from '../model/refusal.ts'

/** A token for one tenant, with what could be read in it. Claims are advisory: a token is opaque to its bearer. */
export interface AppToken {
  value: string
  expiresAt: Date
  /** Null when the token is not a readable JWT. `tid` equals the tenant asked for, or the token was refused. */
  claims: TokenClaims | null
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
  /** Whose account it is to be, by user principal name. */
  loginHint?: string
}

export interface SignInCode {
  purpose: SignInPurpose
  tenantId: string | null
  code: string
  codeVerifier: string
  nonce: string
}

/** Says for each request to a tenant whether it may go out. */
export interface CallMeter {
  /** Asked before every request to the tenant's API, repeated ones included. @throws Refusal `throttled` */
  take(): Promise<void>
  /**
   * Asked when an answer begins to arrive, before its body is read: Microsoft's time is not counted meanwhile. Without it
   * there is room for everything.
   * @param bytes how long the answer is, where it says so; else what is read of it first
   * @returns what is told how much has come
   */
  admit?(bytes: number): Promise<Arrival>
}

/** An answer that is arriving. */
export interface Arrival {
  /** It is of so many bytes, as far as is known now. Waits until there is room for them. */
  hold(bytes: number): Promise<void>
}

/** One permission that a registration asks for. */
export interface RegisteredPermission {
  /** Its own name; its ID where Microsoft names none. */
  name: string
  kind: 'application' | 'delegated'
}

/** One line of the doctor: a thing looked at, what was found, and how to mend it. */
export interface RegistrationFinding {
  check: 'tenant' | 'credential' | 'audience' | 'directory-roles' | 'redirect-uris' | 'permissions' | 'sign-in' | 'api'
  outcome: 'ok' | 'fault' | 'warning' | 'unknown'
  /** Code of the sentence: `setup.found.<code>` in the catalogue. */
  code: string
  facts: Record<string, string>
  refusal: Refusal | null
}

/** A secret of a registration: when it ends, and by which first characters it is recognised. */
export interface SecretEnd {
  clientId: string
  hint: string
  endsAt: Date
}

/** One of the partner's own credentials, and what Microsoft says to it. */
export interface CredentialTrial {
  registration: 'app' | 'sign-in'
  which: 0 | 1
  /** Null when Microsoft takes it. */
  refusal: Refusal | null
}

/**
 * Everything the portal says to Microsoft. No SQL, no Express behind it; all refusals are thrown as `Refusal`.
 * Tenant IDs are lower-case GUIDs, and are checked again before they reach a URL.
 */
export interface Microsoft {
  readonly api: IncidentsApi
  /** Lists that together hold every open incident, also of statuses without a name yet. */
  readonly openLists: readonly ListedStatus[]
  /** Application permissions that consent is asked for, in order. */
  readonly permissions: readonly { name: string; id: string; capability: Capability }[]
  readonly resource: { appId: string; name: string; uri: string }
  /** `/{tenant or organizations}/v2.0/adminconsent`. */
  consentUrl(request: { tenantId: string | null; state: string }): string
  /** The link of the original documentation, with our redirect URI and state. */
  classicConsentUrl(request: { state: string }): string
  /** A tenant by its ID or domain, from OpenID discovery; null when Microsoft knows none. @throws Refusal */
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
  /**
   * A token with which the sign-in registration sends mail through Exchange Online.
   * https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
   * @throws Refusal; `partner-registration` where there is no second registration: customers would be asked for it too
   */
  mailToken(): Promise<string>
  /** Pages of the whole list, in no order; an incident may come again, changed. @throws Refusal, and what `calls` throws */
  listIncidents(tenantId: string, query: IncidentQuery, calls?: CallMeter): AsyncGenerator<IncidentPage>
  /** One incident as it is now, its alerts included where the API carries them. @throws Refusal */
  readIncident(tenantId: string, incidentId: string, calls?: CallMeter): Promise<IncidentRead>
  /** The alerts of one incident, for the API whose list does not carry them. @throws Refusal */
  alertsOf(tenantId: string, incidentId: string, calls?: CallMeter): Promise<AlertsRead>
  /**
   * An incident out of what was once sent of it, from either API; asks nothing.
   * @returns null for a record that is not understood; `alerts` null where none were sent, or not every one is understood
   * @throws SyntaxError for what is no JSON
   */
  readAgain(
    tenantId: string,
    kept: { original: string; alertOriginals: string | null },
  ): { incident: RemoteIncident; alerts: RemoteAlert[] | null } | null
  /** Drops every token of a tenant. */
  forget(tenantId: string): void
  /** Whether the sign-in of the partner's own tenant answers, for a browser that is about to be sent there unseen. */
  signInAnswers(): Promise<boolean>
  /** Milliseconds by which this machine's clock is ahead of Microsoft's. @throws Refusal */
  clockAhead(): Promise<number>
  /**
   * What the customers' registration asks for, read by the sign-in registration; null where that one does not exist or may
   * not read it. @throws Refusal
   */
  readRegisteredPermissions(): Promise<RegisteredPermission[] | null>
  /** When the secrets of both registrations end; null where the sign-in registration does not exist or may not read. @throws Refusal */
  readSecretEnds(): Promise<SecretEnd[] | null>
  /** Shows Microsoft every credential of both registrations, each by itself. */
  proveEachCredential(): Promise<CredentialTrial[]>
  /** Roles of the customers' app in the partner's own tenant that Muster does not need. Never throws; empty when unknown. */
  readOwnExcess(): Promise<string[]>
  /** What can be seen of the app registration from outside, each with its remedy. */
  inspectRegistration(): Promise<RegistrationFinding[]>
}
