import { cloudOrGlobal, isLoopbackHost } from '../config/clouds.ts'
import type { Config, IncidentsApi } from '../config/config.ts'
import type { Capability } from '../model/access.ts'
import { spelled } from './registration/role-facts.ts'

/** A resource in Entra that grants application permissions. */
export interface Resource {
  appId: string
  name: string
  /** What a token is asked for, without `/.default`. */
  uri: string
}

export interface Permission {
  name: string
  /** The app role's ID, the same in every tenant. */
  id: string
  capability: Capability
}

/**
 * What consent is asked for: reading alone. On Graph, `SecurityIncident.Read.All` reads the alerts of an incident as
 * well (the service names it in its own refusals), so `SecurityAlert.Read.All` is not asked for.
 * https://learn.microsoft.com/graph/permissions-reference, https://learn.microsoft.com/defender-xdr/api-list-incidents
 */
const permissionsOf: Record<IncidentsApi, readonly Permission[]> = {
  defender: [{ name: 'Incident.Read.All', id: 'a9790345-4595-42e4-971a-ccdc79f19b7c', capability: 'readIncidents' }],
  graph: [
    { name: 'SecurityIncident.Read.All', id: '45cc0394-e837-488b-a098-1918f48d186c', capability: 'readIncidents' },
  ],
}

/** Roles that give a capability, whichever API they belong to; a role to write also reads. */
const rolesOf: Record<IncidentsApi, Record<Capability, readonly string[]>> = {
  defender: {
    readIncidents: ['Incident.Read.All', 'Incident.ReadWrite.All'],
    writeIncidents: ['Incident.ReadWrite.All'],
    hunting: ['AdvancedHunting.Read.All'],
    organisationProfile: [],
  },
  graph: {
    readIncidents: ['SecurityIncident.Read.All', 'SecurityIncident.ReadWrite.All'],
    writeIncidents: ['SecurityIncident.ReadWrite.All'],
    hunting: ['ThreatHunting.Read.All'],
    organisationProfile: ['Organization.Read.All'],
  },
}

/** Granted in the partner's own tenant alone, if at all: it lets Muster show what customers' tenants are called. */
export const namesTenants = 'CrossTenantInformation.ReadBasic.All'

/** Names of what registrations ask for, by ID; the same in every tenant. The rest are looked up in Microsoft's directory. */
export const permissionIds: ReadonlyMap<string, string> = new Map([
  ['a9790345-4595-42e4-971a-ccdc79f19b7c', 'Incident.Read.All'],
  ['8d90f441-09cf-4fdc-ab45-e874fa3a28e8', 'Incident.ReadWrite.All'],
  ['7734e8e5-8dde-42fc-b5ae-6eafea078693', 'AdvancedHunting.Read.All'],
  ['a7deff90-e2f5-4e4e-83a3-2c74e7002e28', 'CustomDetections.ReadWrite.All'],
  ['45cc0394-e837-488b-a098-1918f48d186c', 'SecurityIncident.Read.All'],
  ['34bf0e97-1971-4929-b999-9e2442d941d7', 'SecurityIncident.ReadWrite.All'],
  ['472e4a4d-bb4a-4026-98d1-0b0d74cb74a5', 'SecurityAlert.Read.All'],
  ['ed4fca05-be46-441f-9803-1873825f8fdb', 'SecurityAlert.ReadWrite.All'],
  ['bf394140-e372-4bf9-a898-299cfc7564e5', 'SecurityEvents.Read.All'],
  ['dd98c7f5-2d42-42d3-a0e4-633161547251', 'ThreatHunting.Read.All'],
  ['673a007a-9e0f-4c97-b066-3c0164486909', 'CustomDetection.Read.All'],
  ['498476ce-e0fe-48b0-b801-37ba7e2685c6', 'Organization.Read.All'],
  ['cac88765-0581-4025-9725-5ebc13f729ee', 'CrossTenantInformation.ReadBasic.All'],
  ['9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30', 'Application.Read.All'],
  ['7ab1d382-f21e-4acd-a863-ba3e13f7da61', 'Directory.Read.All'],
  ['37f7f235-527c-4136-accd-4a02d197296e', 'openid'],
  ['14dad69e-099b-42c9-810b-d002981feec1', 'profile'],
  ['64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0', 'email'],
  ['7427e0e9-2fba-42fe-b0c0-848c9e6a8182', 'offline_access'],
  ['e1fe6dd8-ba31-4d61-89e7-88639da4683d', 'User.Read'],
])

export const capabilities = ['readIncidents', 'writeIncidents', 'hunting', 'organisationProfile'] as const

export function permissionsFor(api: IncidentsApi): readonly Permission[] {
  return permissionsOf[api]
}

type ResourceConfig = Pick<Config, 'incidentsApi' | 'authorityHost' | 'defenderUrl' | 'graphUrl'>

/** The resource that `INCIDENTS_API` speaks to, named as its cloud names it. */
export function resourceFor(config: ResourceConfig): Resource {
  return config.incidentsApi === 'graph' ? graphResource(config) : defenderResource(config)
}

export function graphResource(config: Pick<Config, 'authorityHost' | 'graphUrl'>): Resource {
  const { hostname, origin } = new URL(config.graphUrl)
  // Microsoft's own hosts are their own resources, that of the DoD apart from the rest of its cloud.
  const uri = isLoopbackHost(hostname) ? cloudOrGlobal(config.authorityHost).graphResource : origin
  return { appId: '00000003-0000-0000-c000-000000000000', name: 'Microsoft Graph', uri }
}

function defenderResource(config: ResourceConfig): Resource {
  const { hostname, origin } = new URL(config.defenderUrl)
  // GCC signs in at the global login host, but its API is a resource of its own.
  const uri = hostname.endsWith('.security.microsoft.us')
    ? origin
    : cloudOrGlobal(config.authorityHost).defenderResource
  return { appId: '8ee8fdad-f234-4243-8f3b-15c294843740', name: 'Microsoft Threat Protection', uri }
}

/** Whether the roles of a token hold one that gives the capability. */
export function allows(api: IncidentsApi, capability: Capability, roles: readonly string[]): boolean {
  const names = new Set(roles.map(spelled))
  return rolesOf[api][capability].some((role) => names.has(spelled(role)))
}

/** The same to the letter: what the service itself would say yes to. */
export function allowsExactly(api: IncidentsApi, capability: Capability, roles: readonly string[]): boolean {
  return rolesOf[api][capability].some((role) => roles.includes(role))
}

export function missingRoles(api: IncidentsApi, roles: readonly string[]): string[] {
  return permissionsOf[api].filter(({ capability }) => !allows(api, capability, roles)).map(({ name }) => name)
}

export function unexpectedRoles(api: IncidentsApi, roles: readonly string[]): string[] {
  const expected = new Set(permissionsOf[api].map(({ name }) => spelled(name)))
  return roles.filter((role) => !expected.has(spelled(role)))
}
