import type { IncidentsApi } from '../../config/config.ts'

/** What customers are told that the partner cannot do; each line holds as long as no role breaks it. */
export const limits = ['write', 'mail', 'change', 'device', 'azure'] as const
export type Limit = (typeof limits)[number]

/** How a permission is told: `join.ask.<words>` and `.why` in the catalogue. */
export type PermissionWords =
  | 'readIncidents'
  | 'writeIncidents'
  | 'readAlerts'
  | 'writeAlerts'
  | 'hunting'
  | 'readDetections'
  | 'writeDetections'
  | 'organisationProfile'
  | 'readOrganisations'
  | 'readApps'
  | 'readDirectory'
  | 'ownProfile'
  | 'other'

interface RoleFacts {
  words: PermissionWords
  /** Limits that no longer hold with it. */
  breaks: readonly Limit[]
  /** The API it belongs to; null where Muster does not know it. */
  api: IncidentsApi | null
}

/** The role's own name, by the plural that Microsoft's text has for some, in lower case. */
export const spelled = (role: string): string => role.toLowerCase().replace(/^incidents\./, 'incident.')

/**
 * Every role that Muster has words for, of both APIs. Custom detections can isolate devices and disable accounts by
 * themselves: https://learn.microsoft.com/defender-xdr/custom-detection-rules
 */
const facts = new Map<string, RoleFacts>(
  (
    [
      ['Incident.Read.All', 'readIncidents', [], 'defender'],
      ['Incident.ReadWrite.All', 'writeIncidents', ['write'], 'defender'],
      ['AdvancedHunting.Read.All', 'hunting', [], 'defender'],
      ['CustomDetections.ReadWrite.All', 'writeDetections', ['write', 'change', 'device'], 'defender'],
      ['SecurityIncident.Read.All', 'readIncidents', [], 'graph'],
      ['SecurityIncident.ReadWrite.All', 'writeIncidents', ['write'], 'graph'],
      ['SecurityAlert.Read.All', 'readAlerts', [], 'graph'],
      ['SecurityAlert.ReadWrite.All', 'writeAlerts', ['write'], 'graph'],
      ['SecurityEvents.Read.All', 'readAlerts', [], 'graph'],
      ['ThreatHunting.Read.All', 'hunting', [], 'graph'],
      ['CustomDetection.Read.All', 'readDetections', [], 'graph'],
      ['CustomDetection.ReadWrite.All', 'writeDetections', ['write', 'change', 'device'], 'graph'],
      ['Organization.Read.All', 'organisationProfile', [], 'graph'],
      ['CrossTenantInformation.ReadBasic.All', 'readOrganisations', [], 'graph'],
      ['Application.Read.All', 'readApps', [], 'graph'],
      ['Directory.Read.All', 'readDirectory', [], 'graph'],
    ] as const
  ).map(([name, words, breaks, api]) => [spelled(name), { words, breaks, api }]),
)

/** Delegated scopes that do no more than sign a person in. */
const signInScopes = new Set(['openid', 'profile', 'email', 'offline_access'])
const ownProfile: RoleFacts = { words: 'ownProfile', breaks: [], api: 'graph' }
/** A permission that Muster has no words for may do anything. */
const other: RoleFacts = { words: 'other', breaks: limits, api: null }

/** @returns null for what only signs a person in, which no page lists */
export function factsOfPermission(name: string, kind: 'application' | 'delegated'): RoleFacts | null {
  if (kind === 'application') return facts.get(spelled(name)) ?? other
  if (signInScopes.has(name.toLowerCase())) return null
  return name.toLowerCase() === 'user.read' ? ownProfile : other
}
