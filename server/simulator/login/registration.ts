import { timingSafeEqual } from 'node:crypto'

export type Resource = 'mtp' | 'graph'

/** An app registration as it stands in its home tenant. */
export interface SimulatorRegistration {
  clientId: string
  /** Client secrets; one whose `expiresAt` has passed is refused with AADSTS7000222. */
  secrets: { value: string; expiresAt?: Date }[]
  /** PEM certificates (or public keys) whose private keys may sign client assertions. */
  certificates?: string[]
  redirectUris: string[]
  audience: 'single' | 'multi'
  homeTenantId: string
  displayName: string
  publisher: string
  /** Application permissions that consent grants. */
  requiredResources: { resource: Resource; roles: string[] }[]
  /**
   * What tokens of people say of their memberships, as the manifest spells it: `DirectoryRole` and `All` put `wids` into
   * them, in every tenant. https://learn.microsoft.com/entra/identity-platform/reference-app-manifest
   */
  groupMembershipClaims?: string | null
  /** App roles the registration defines for people: `Muster.Admin` and the like. */
  appRoles?: string[]
}

export interface ResourceFacts {
  appId: string
  name: string
  /** Identifiers that a scope or `resource` may name. */
  identifiers: string[]
  /** Role name to role ID. */
  roles: Record<string, string>
  /** Roles whose consent needs more than an Application Administrator. */
  privileged: boolean
}

/** https://learn.microsoft.com/defender-xdr/api-create-app-web and the Graph permissions reference. */
export const resources: Record<Resource, ResourceFacts> = {
  mtp: {
    appId: '8ee8fdad-f234-4243-8f3b-15c294843740',
    name: 'Microsoft Threat Protection',
    identifiers: [
      'https://api.security.microsoft.com',
      'https://security.microsoft.com/mtp',
      '8ee8fdad-f234-4243-8f3b-15c294843740',
    ],
    roles: {
      'Incident.Read.All': 'a9790345-4595-42e4-971a-ccdc79f19b7c',
      'Incident.ReadWrite.All': '8d90f441-09cf-4fdc-ab45-e874fa3a28e8',
      'AdvancedHunting.Read.All': '7734e8e5-8dde-42fc-b5ae-6eafea078693',
      'CustomDetections.ReadWrite.All': 'a7deff90-e2f5-4e4e-83a3-2c74e7002e28',
    },
    privileged: false,
  },
  graph: {
    appId: '00000003-0000-0000-c000-000000000000',
    name: 'Microsoft Graph',
    identifiers: ['https://graph.microsoft.com', '00000003-0000-0000-c000-000000000000'],
    roles: {
      'SecurityIncident.Read.All': '45cc0394-e837-488b-a098-1918f48d186c',
      'SecurityIncident.ReadWrite.All': '34bf0e97-1971-4929-b999-9e2442d941d7',
      'SecurityAlert.Read.All': '472e4a4d-bb4a-4026-98d1-0b0d74cb74a5',
      'SecurityAlert.ReadWrite.All': 'ed4fca05-be46-441f-9803-1873825f8fdb',
      'ThreatHunting.Read.All': 'dd98c7f5-2d42-42d3-a0e4-633161547251',
      'CrossTenantInformation.ReadBasic.All': 'cac88765-0581-4025-9725-5ebc13f729ee',
      'Organization.Read.All': '498476ce-e0fe-48b0-b801-37ba7e2685c6',
      'Application.Read.All': '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30',
      'Mail.Read': '810c84a8-4a9e-49e6-bf7d-12d183f40d01',
    },
    privileged: true,
  },
}

/** The Endpoint resource that parts of Microsoft's own samples name: a valid token for the wrong audience. */
export const endpointResource = {
  appId: 'fc780465-2017-40d4-a0c5-307022471b92',
  identifiers: [
    'https://api.securitycenter.microsoft.com',
    'https://api.securitycenter.windows.com',
    'https://securitycenter.onmicrosoft.com/windowsatpservice',
  ],
}

/** What consent pages say about each permission, in Microsoft's words. */
export const permissionTexts = new Map<string, string>([
  ['Incident.Read.All', 'Read all incidents'],
  ['Incident.ReadWrite.All', 'Read and write all incidents'],
  ['AdvancedHunting.Read.All', 'Run advanced hunting queries'],
  ['CustomDetections.ReadWrite.All', 'Read and write all custom detections'],
  ['SecurityIncident.Read.All', 'Read all security incidents'],
  ['SecurityIncident.ReadWrite.All', 'Read and write to all security incidents'],
  ['SecurityAlert.Read.All', 'Read all security alerts'],
  ['SecurityAlert.ReadWrite.All', 'Read and write to all security alerts'],
  ['ThreatHunting.Read.All', 'Run hunting queries'],
  ['CrossTenantInformation.ReadBasic.All', 'Read cross-tenant basic information'],
  ['Organization.Read.All', 'Read organization information'],
  ['Application.Read.All', 'Read all applications'],
  ['Mail.Read', 'Read mail in all mailboxes'],
])

/** How a presented secret stands; an expired one is only reported when it is otherwise right. */
export function judgeSecret(
  registration: SimulatorRegistration,
  presented: string,
  now: number,
): 'right' | 'expired' | 'wrong' {
  const match = registration.secrets.find(({ value }) => sameText(value, presented))
  if (!match) return 'wrong'
  return match.expiresAt && match.expiresAt.getTime() <= now ? 'expired' : 'right'
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
