import type { PartialAnswer } from './incident.ts'
import type { Refusal } from './refusal.ts'

/** What each capability needs and how it stands in one tenant. */
export type Capability = 'readIncidents' | 'writeIncidents' | 'hunting' | 'organisationProfile'

export type CapabilityState = 'granted' | 'missing' | 'unlicensed' | 'unknown'

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

/** A tenant that was looked up by name. */
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
   * token shows none: every member of a tenant has at least one, so the app registration does not ask for them.
   */
  directoryRoles: string[] | null
  /** True for a B2B guest of that tenant. */
  guest: boolean
}
