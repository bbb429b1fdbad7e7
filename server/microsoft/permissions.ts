import { cloudOrGlobal, isLoopbackHost } from '../clouds.ts'
import type { Config, IncidentsApi } from '../config.ts'
import type { Capability } from './microsoft.ts'

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
const asked: Record<IncidentsApi, readonly Permission[]> = {
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

export const capabilities = ['readIncidents', 'writeIncidents', 'hunting', 'organisationProfile'] as const

export function permissionsFor(api: IncidentsApi): readonly Permission[] {
  return asked[api]
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
  const held = new Set(roles.map(spelled))
  return rolesOf[api][capability].some((role) => held.has(spelled(role)))
}

/** The same to the letter: what the service itself would say yes to. */
export function allowsExactly(api: IncidentsApi, capability: Capability, roles: readonly string[]): boolean {
  return rolesOf[api][capability].some((role) => roles.includes(role))
}

export function missingRoles(api: IncidentsApi, roles: readonly string[]): string[] {
  return asked[api].filter(({ capability }) => !allows(api, capability, roles)).map(({ name }) => name)
}

export function unexpectedRoles(api: IncidentsApi, roles: readonly string[]): string[] {
  const expected = new Set(asked[api].map(({ name }) => spelled(name)))
  return roles.filter((role) => !expected.has(spelled(role)))
}

/** Microsoft's own text writes the Defender roles in the plural, the service in the singular. */
function spelled(role: string): string {
  return role.toLowerCase().replace(/^incidents\./, 'incident.')
}
