import type { Instant } from './instants.ts'

/** Values are spelled as Graph spells them; the Defender surface translates. */
export type Severity = 'high' | 'medium' | 'low' | 'informational' | 'unknown'
export type IncidentStatus = 'active' | 'inProgress' | 'awaitingAction' | 'resolved' | 'redirected'

export type Service =
  | 'microsoftDefenderForEndpoint'
  | 'microsoftDefenderForIdentity'
  | 'microsoftDefenderForCloudApps'
  | 'microsoftDefenderForOffice365'
  | 'microsoft365Defender'
  | 'azureAdIdentityProtection'
  | 'dataLossPrevention'

export interface Comment {
  comment: string
  createdBy: string
  createdAt: Instant
}

export interface Device {
  mdeDeviceId: string
  aadDeviceId: string | null
  dnsName: string
  osPlatform: string
  osBuild: number | null
  version: string
  healthStatus: string
  riskScore: string
  group: string
  groupId: number
  firstSeenAt: Instant
  lastIp: string
  lastExternalIp: string
}

export interface UserAccount {
  accountName: string
  domainName: string
  userSid: string
  aadUserId: string | null
  userPrincipalName: string | null
  displayName: string
}

export interface FileDetails {
  fileName: string
  filePath: string
  sha1: string
  sha256: string
  size: number
  publisher: string | null
}

export type Entity = Verdict & EntityBody

export type EntityOf<Kind extends Entity['kind']> = Extract<Entity, { kind: Kind }>

export interface Verdict {
  verdict: 'unknown' | 'suspicious' | 'malicious' | 'noThreatsFound'
  remediation: string
}

export type EntityBody =
  | ({ kind: 'user' } & UserAccount)
  | { kind: 'ip'; address: string; country: string | null }
  | { kind: 'url'; url: string }
  | ({ kind: 'file'; deviceId: string | null } & FileDetails)
  | {
      kind: 'process'
      deviceId: string | null
      processId: number
      parentProcessId: number
      commandLine: string
      startedAt: Instant
      parentStartedAt: Instant
      image: FileDetails
      account: UserAccount
    }
  | { kind: 'mailbox'; address: string; displayName: string; userPrincipalName: string }
  | {
      kind: 'mail'
      sender: string
      senderIp: string
      recipient: string
      subject: string
      deliveryAction: string
      networkMessageId: string
      internetMessageId: string
      receivedAt: Instant
      urls: string[]
    }
  | { kind: 'mailCluster'; clusterBy: string; query: string; count: number }
  | { kind: 'registry'; hive: string; key: string; valueName: string; value: string; deviceId: string | null }
  | { kind: 'group'; groupId: string; name: string }
  | { kind: 'cloudApp'; appId: number; name: string }

export interface Alert {
  /** Two-letter source prefix, then the provider's own ID. */
  id: string
  title: string
  description: string
  recommendedActions: string
  category: string
  severity: Severity
  status: 'new' | 'inProgress' | 'resolved'
  service: Service
  detectionSource: string
  detectorId: string
  createdAt: Instant
  lastUpdateAt: Instant
  resolvedAt: Instant | null
  firstActivityAt: Instant
  lastActivityAt: Instant
  classification: string | null
  determination: string | null
  assignedTo: string | null
  investigationId: number | null
  investigationState: string
  actorName: string | null
  threatFamily: string | null
  techniques: string[]
  devices: Device[]
  entities: Entity[]
}

/**
 * Where an incident's alerts come from. A thousand incidents of realistic size are tens of megabytes, so an incident
 * keeps the recipe (which story, which seed) and the alerts are cooked, always alike, whenever they are asked for.
 */
export interface AlertRecipe {
  story: string
  seed: number
  /** First activity, milliseconds since the epoch. */
  startMs: number
  /** How many alerts the story has told so far. */
  count: number
}

export interface Incident {
  id: number
  name: string
  createdAt: Instant
  lastUpdateAt: Instant
  status: IncidentStatus
  severity: Severity
  classification: string
  determination: string
  assignedTo: string | null
  tags: readonly string[]
  systemTags: readonly string[]
  comments: readonly Comment[]
  description: string | null
  summary: string | null
  resolvingComment: string | null
  lastModifiedBy: string
  priorityScore: number | null
  /** The survivor this one was merged into. */
  redirectId: number | null
  recipes: readonly AlertRecipe[]
}
