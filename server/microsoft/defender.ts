import { cloudOrGlobal } from '../clouds.ts'
import type { Config } from '../config.ts'
import { withQuery } from './addresses.ts'
import type { IncidentSource, ListQuery } from './incidents.ts'
import type { EntityKind, RemoteAlert, RemoteEntity, RemoteIncident } from './microsoft.ts'
import {
  camel,
  firstOf,
  idOf,
  instant,
  keepingOriginals,
  records,
  serviceSourceOf,
  severityOf,
  statusOf,
  text,
  texts,
  withoutRepeats,
} from './reading.ts'
import { originalOf } from './taken-apart.ts'

/** https://learn.microsoft.com/defender-xdr/api-list-incidents: at most 100 a page, above that 400. */
export function defenderIncidents(config: Config): IncidentSource {
  const address = `${config.defenderUrl}/api/incidents`
  const { defenderPortal } = cloudOrGlobal(config.authorityHost)
  return {
    api: 'defender',
    origin: config.defenderUrl,
    headers: {},
    pageSize: 100,
    listUrl: (query, { top, skip }) =>
      withQuery(address, { $top: String(top), ...(skip > 0 ? { $skip: String(skip) } : {}), $filter: filterOf(query) }),
    kinds: [],
    incidentUrl: (incidentId) => `${address}/${encodeURIComponent(incidentId)}`,
    readIncident: (record, tenantId, sent) => readIncident(record, tenantId, sent, defenderPortal),
    alertsUrls: (incidentId) => [`${address}/${encodeURIComponent(incidentId)}`],
    readAlerts: (body) => records(body.alerts).flatMap(readApart),
  }
}

/** `$filter` takes lastUpdateTime, createdTime, status and assignedTo, and no others. */
function filterOf({ updatedSince, updatedBefore, createdSince, createdBefore, status }: ListQuery): string | undefined {
  const named = { active: 'Active', inProgress: 'InProgress', resolved: 'Resolved' }
  const conditions = [
    updatedSince && `lastUpdateTime ge ${updatedSince}`,
    updatedBefore && `lastUpdateTime lt ${updatedBefore}`,
    createdSince && `createdTime ge ${createdSince}`,
    createdBefore && `createdTime lt ${createdBefore}`,
    status && `status eq '${named[status]}'`,
  ].filter(Boolean)
  return conditions.length === 0 ? undefined : conditions.join(' and ')
}

function readIncident(
  record: Record<string, unknown>,
  tenantId: string,
  sent: Uint8Array | null,
  portal: string,
): RemoteIncident | 'no-id' | 'no-time' {
  const id = idOf(text(record.incidentId, 100))
  if (id === null) return 'no-id'
  const createdAt = instant(record.createdTime)
  const lastUpdateAt = instant(record.lastUpdateTime) ?? createdAt
  if (lastUpdateAt === null) return 'no-time'
  const rawSeverity = text(record.severity, 100)
  const rawStatus = text(record.status, 100)
  return {
    id,
    redirectId: idOf(text(record.redirectIncidentId, 100)),
    title: text(record.incidentName, 1_000) ?? `#${id}`,
    description: text(record.description, 20_000),
    severity: severityOf(rawSeverity),
    status: statusOf(rawStatus),
    rawSeverity,
    rawStatus,
    classification: camel(text(record.classification, 100)),
    determination: camel(text(record.determination, 100)),
    assignedTo: text(record.assignedTo, 500),
    tags: texts(record.tags, 200),
    comments: records(record.comments).flatMap(readComment),
    lastModifiedBy: null,
    priority: null,
    createdAt: createdAt ?? lastUpdateAt,
    lastUpdateAt,
    // This API sends no address of its own.
    webUrl: `${portal}/incident2/${encodeURIComponent(id)}/overview?tid=${tenantId}`,
    alerts: records(record.alerts).map(readWithin),
    ...originalOf(record, sent),
  }
}

function readComment(record: Record<string, unknown>): RemoteIncident['comments'] {
  const words = text(record.comment, 20_000)
  if (words === null) return []
  const by = text(record.createdBy, 500) ?? text(record.createdByDisplayName, 500)
  return [{ text: words, by, at: instant(record.createdTime) ?? instant(record.createdDateTime) }]
}

function readWithin(record: Record<string, unknown>, index: number): RemoteAlert {
  const id = text(record.alertId, 200) ?? `unnamed-${index + 1}`
  return {
    id,
    title: text(record.title, 1_000) ?? id,
    description: text(record.description, 20_000),
    severity: severityOf(text(record.severity, 100)),
    status: camel(text(record.status, 100)),
    category: text(record.category, 200),
    serviceSource: serviceSourceOf(text(record.serviceSource, 100)),
    detectionSource: camel(text(record.detectionSource, 100)),
    createdAt: instant(record.creationTime),
    firstActivityAt: instant(record.firstActivity),
    lastActivityAt: instant(record.lastActivity),
    techniques: texts(record.mitreTechniques, 50),
    entities: withoutRepeats([...records(record.devices).map(readDevice), ...records(record.entities).map(readEntity)]),
    original: null,
  }
}

const readApart = keepingOriginals(readWithin)

function readDevice(record: Record<string, unknown>): RemoteEntity {
  const system = [text(record.osPlatform, 100), text(record.version, 100)].filter((part) => part !== null).join(' ')
  return {
    kind: 'device',
    name:
      text(record.deviceDnsName, 500) ?? text(record.mdatpDeviceId, 200) ?? text(record.aadDeviceId, 200) ?? 'device',
    detail: firstOf(system),
    verdict: null,
    remediation: null,
  }
}

/** How much is kept of each field that may name an entity. */
const entityFields = {
  entityType: 100,
  accountName: 500,
  domainName: 500,
  userPrincipalName: 500,
  userSid: 200,
  aadUserId: 100,
  ipAddress: 100,
  url: 2_000,
  fileName: 500,
  filePath: 2_000,
  sha1: 100,
  sha256: 100,
  processId: 50,
  processCommandLine: 2_000,
  mailboxDisplayName: 500,
  mailboxAddress: 500,
  sender: 500,
  recipient: 500,
  subject: 1_000,
  clusterBy: 500,
  registryHive: 200,
  registryKey: 1_000,
  registryValue: 1_000,
  securityGroupName: 500,
  securityGroupId: 200,
  displayName: 500,
  name: 500,
  deviceId: 200,
}

type EntityField = keyof typeof entityFields

/** The first of these fields that says something. */
function said(record: Record<string, unknown>, fields: readonly EntityField[]): string | null {
  for (const field of fields) {
    const found = text(record[field], entityFields[field])
    if (found !== null) return found
  }
  return null
}

type Description = [EntityKind, names: EntityField[], details: EntityField[]]

/** Kind, and the fields for name and detail, of each `entityType`; a type nobody has met yet shows whatever it names. */
const described = new Map<string, Description>(
  Object.entries({
    user: ['user', ['userPrincipalName', 'accountName', 'userSid', 'aadUserId'], ['domainName', 'userSid']],
    ip: ['ip', ['ipAddress'], []],
    url: ['url', ['url'], []],
    file: ['file', ['fileName', 'sha256', 'sha1', 'filePath'], ['sha256', 'sha1', 'filePath']],
    process: ['process', ['fileName', 'processCommandLine', 'processId'], ['processCommandLine', 'filePath', 'sha256']],
    mailbox: ['mailbox', ['mailboxAddress', 'userPrincipalName', 'mailboxDisplayName'], ['mailboxDisplayName']],
    mailmessage: ['mail', ['subject', 'sender', 'recipient'], ['sender', 'recipient']],
    mailcluster: ['mail', ['clusterBy', 'subject'], ['sender']],
    registry: ['registry', ['registryKey', 'registryValue', 'registryHive'], ['registryValue']],
    securitygroup: ['group', ['securityGroupName', 'securityGroupId'], ['securityGroupId']],
    device: ['device', ['deviceId'], []],
    cloudapplication: ['app', ['displayName', 'name', 'accountName'], []],
    oauthapplication: ['app', ['displayName', 'name', 'accountName'], []],
  } satisfies Record<string, Description>),
)

const unknownEntity: Description = [
  'other',
  [
    'userPrincipalName',
    'accountName',
    'ipAddress',
    'url',
    'fileName',
    'mailboxAddress',
    'subject',
    'registryKey',
    'securityGroupName',
    'displayName',
    'name',
    'deviceId',
  ],
  ['entityType'],
]

function readEntity(record: Record<string, unknown>): RemoteEntity {
  const type = text(record.entityType, entityFields.entityType)
  const [kind, names, details] = described.get(type?.toLowerCase() ?? '') ?? unknownEntity
  return {
    kind,
    name: said(record, names) ?? type ?? kind,
    detail: said(record, details),
    verdict: camel(text(record.verdict, 100)),
    remediation: camel(text(record.remediationStatus, 100)),
  }
}
