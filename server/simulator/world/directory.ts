import type { Resource } from '../login/registration.ts'
import type { IncidentIndex } from './incident-index.ts'

export type DirectoryRole =
  | 'Global Administrator'
  | 'Privileged Role Administrator'
  | 'Application Administrator'
  | 'Cloud Application Administrator'
  | 'Security Administrator'
  | 'User'

/** Role template IDs, as `wids` names them; everybody else holds the one of all members. */
const roleTemplates: Record<Exclude<DirectoryRole, 'User'>, string> = {
  'Global Administrator': '62e90394-69f5-4237-9190-012177145e10',
  'Privileged Role Administrator': 'e8611ab8-c189-46e8-94e1-60213ab1f814',
  'Application Administrator': '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3',
  'Cloud Application Administrator': '158c047a-c907-4556-b7ef-446551a6b5f7',
  'Security Administrator': '194ae4cb-b126-40b2-bd5b-6091b380977d',
}
const memberTemplate = 'b79fbf4d-3ef9-4689-8143-76b194e85509'
const guestTemplate = '10dae51f-b6af-4016-8d66-8c2a99b929b3'

/** The claim `wids` of somebody's token. */
export function directoryRolesOf({ directoryRole, home }: Person): string[] {
  const all = home ? guestTemplate : memberTemplate
  return directoryRole === 'User' ? [all] : [roleTemplates[directoryRole], all]
}

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
  /** False: tokens carry the roles, and the service was never opened in this tenant: everything answers 404. */
  setUp: boolean
  /** True: `$expand=alerts` answers 500, as observed for tenants with many alerts. */
  large: boolean
  deleted: boolean
  /** Workload-identity Conditional Access: the policy that blocks every app, or null. */
  blockedBy: string | null
  /** Graph pages end here although more would follow; null for no wall. */
  skipWall: number | null
  devicePrefix: string
  apps: Map<string, EnterpriseApp>
  incidents: IncidentIndex
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
    case 'Security Administrator':
    case 'User':
      return false
  }
}
