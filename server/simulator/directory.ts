import type { Resource } from './registration.ts'
import type { IncidentShelf } from './shelf.ts'

export type DirectoryRole =
  | 'Global Administrator'
  | 'Privileged Role Administrator'
  | 'Application Administrator'
  | 'Cloud Application Administrator'
  | 'User'

/** One account in one directory. A guest has an account of its own here, and a home elsewhere. */
export interface Person {
  /** Object ID in this directory. */
  id: string
  tenantId: string
  name: string
  username: string
  directoryRole: DirectoryRole
  /** App roles assigned to this person, of whatever registration defines them. */
  appRoles: string[]
  /** For a guest: the account it signs in with. */
  home: { tenantId: string; personId: string } | null
}

/** A grant of one application permission. */
interface RoleGrant {
  resource: Resource
  role: string
  /** Tokens carry it from this time on (milliseconds). */
  visibleAt: number
}

/** The app as it stands in a customer's directory: its service principal. */
export interface EnterpriseApp {
  clientId: string
  objectId: string
  enabled: boolean
  createdAt: number
  /** Until then the token endpoint still answers AADSTS7000229. */
  knownAt: number
  /** Consent was given for everybody in the organisation. */
  tenantWide: boolean
  grants: RoleGrant[]
  /** People who consented for themselves alone. */
  users: string[]
}

export interface Tenant {
  id: string
  displayName: string
  /** The first is the initial `*.onmicrosoft.com` one. */
  domains: string[]
  region: 'EU' | 'NA' | 'AS' | 'WW'
  people: Person[]
  /** False: no "Microsoft Threat Protection" service principal, and no Defender data behind Graph. */
  licensed: boolean
  /** True: `$expand=alerts` answers 500, as observed for tenants with many alerts. */
  large: boolean
  deleted: boolean
  /** Workload-identity Conditional Access: the policy that blocks every app, or null. */
  blockedBy: string | null
  /** Graph pages end here although more would follow; null for no wall. */
  skipWall: number | null
  devicePrefix: string
  apps: Map<string, EnterpriseApp>
  incidents: IncidentShelf
  nextIncidentId: number
}

/** May this person consent to application permissions of that resource for the whole organisation? */
export function mayConsent(person: Person, resource: Resource): boolean {
  switch (person.directoryRole) {
    case 'Global Administrator':
    case 'Privileged Role Administrator':
      return true
    case 'Application Administrator':
    case 'Cloud Application Administrator':
      return resource === 'mtp'
    case 'User':
      return false
  }
}
