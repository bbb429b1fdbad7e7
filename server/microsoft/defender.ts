import { z } from 'zod'
import { cloudOrGlobal } from '../clouds.ts'
import type { Config } from '../config.ts'
import { withQuery } from './addresses.ts'
import type { IncidentSource } from './incidents.ts'
import type { EntityKind, IncidentQuery, RemoteAlert, RemoteEntity, RemoteIncident } from './microsoft.ts'
import {
  camel,
  firstOf,
  idOf,
  instant,
  records,
  serviceSourceOf,
  severityOf,
  statusOf,
  text,
  texts,
  withoutRepeats,
} from './reading.ts'

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
    readIncident: (record, tenantId) => readIncident(record, tenantId, defenderPortal),
    alertsUrls: (incidentId) => [`${address}/${encodeURIComponent(incidentId)}`],
    readAlerts: (body) => records.parse(body.alerts).map(readAlert),
  }
}

/** `$filter` takes lastUpdateTime, createdTime, status and assignedTo, and no others. */
function filterOf({ updatedSince, createdSince, status }: IncidentQuery): string | undefined {
  const named = { active: 'Active', inProgress: 'InProgress', resolved: 'Resolved' }
  const conditions = [
    updatedSince && `lastUpdateTime ge ${updatedSince}`,
    createdSince && `createdTime ge ${createdSince}`,
    status && `status eq '${named[status]}'`,
  ].filter(Boolean)
  return conditions.length === 0 ? undefined : conditions.join(' and ')
}

const incident = z.object({
  incidentId: text(100),
  redirectIncidentId: text(100),
  incidentName: text(1_000),
  description: text(20_000),
  createdTime: instant,
  lastUpdateTime: instant,
  assignedTo: text(500),
  classification: text(100),
  determination: text(100),
  status: text(100),
  severity: text(100),
  tags: texts(200),
  comments: records,
  alerts: records,
})

const comment = z.object({
  comment: text(20_000),
  createdBy: text(500),
  createdByDisplayName: text(500),
  createdTime: instant,
  createdDateTime: instant,
})

function readIncident(
  record: Record<string, unknown>,
  tenantId: string,
  portal: string,
): RemoteIncident | 'no-id' | 'no-time' {
  const said = incident.parse(record)
  const id = idOf(said.incidentId)
  if (id === null) return 'no-id'
  const lastUpdateAt = said.lastUpdateTime ?? said.createdTime
  if (lastUpdateAt === null) return 'no-time'
  return {
    id,
    redirectId: idOf(said.redirectIncidentId),
    title: said.incidentName ?? `#${id}`,
    description: said.description,
    severity: severityOf(said.severity),
    status: statusOf(said.status),
    rawSeverity: said.severity,
    rawStatus: said.status,
    classification: camel(said.classification),
    determination: camel(said.determination),
    assignedTo: said.assignedTo,
    tags: said.tags,
    comments: said.comments.flatMap((entry) => {
      const { comment: words, ...by } = comment.parse(entry)
      return words === null
        ? []
        : [{ text: words, by: by.createdBy ?? by.createdByDisplayName, at: by.createdTime ?? by.createdDateTime }]
    }),
    lastModifiedBy: null,
    priority: null,
    createdAt: said.createdTime ?? lastUpdateAt,
    lastUpdateAt,
    // This API sends no address of its own.
    webUrl: `${portal}/incident2/${encodeURIComponent(id)}/overview?tid=${tenantId}`,
    alerts: said.alerts.map(readAlert),
    original: record,
  }
}

const alert = z.object({
  alertId: text(200),
  title: text(1_000),
  description: text(20_000),
  severity: text(100),
  status: text(100),
  category: text(200),
  serviceSource: text(100),
  detectionSource: text(100),
  creationTime: instant,
  firstActivity: instant,
  lastActivity: instant,
  mitreTechniques: texts(50),
  devices: records,
  entities: records,
})

function readAlert(record: Record<string, unknown>, index: number): RemoteAlert {
  const said = alert.parse(record)
  const id = said.alertId ?? `unnamed-${index + 1}`
  return {
    id,
    title: said.title ?? id,
    description: said.description,
    severity: severityOf(said.severity),
    status: camel(said.status),
    category: said.category,
    serviceSource: serviceSourceOf(said.serviceSource),
    detectionSource: camel(said.detectionSource),
    createdAt: said.creationTime,
    firstActivityAt: said.firstActivity,
    lastActivityAt: said.lastActivity,
    techniques: said.mitreTechniques,
    entities: withoutRepeats([...said.devices.map(readDevice), ...said.entities.map(readEntity)]),
    original: record,
  }
}

const device = z.object({
  deviceDnsName: text(500),
  mdatpDeviceId: text(200),
  aadDeviceId: text(200),
  osPlatform: text(100),
  version: text(100),
})

function readDevice(record: Record<string, unknown>): RemoteEntity {
  const said = device.parse(record)
  const system = [said.osPlatform, said.version].filter((part) => part !== null).join(' ')
  return {
    kind: 'device',
    name: firstOf(said.deviceDnsName, said.mdatpDeviceId, said.aadDeviceId) ?? 'device',
    detail: firstOf(system),
    verdict: null,
    remediation: null,
  }
}

const entity = z.object({
  entityType: text(100),
  verdict: text(100),
  remediationStatus: text(100),
  accountName: text(500),
  domainName: text(500),
  userPrincipalName: text(500),
  userSid: text(200),
  aadUserId: text(100),
  ipAddress: text(100),
  url: text(2_000),
  fileName: text(500),
  filePath: text(2_000),
  sha1: text(100),
  sha256: text(100),
  processId: text(50),
  processCommandLine: text(2_000),
  mailboxDisplayName: text(500),
  mailboxAddress: text(500),
  sender: text(500),
  recipient: text(500),
  subject: text(1_000),
  clusterBy: text(500),
  registryHive: text(200),
  registryKey: text(1_000),
  registryValue: text(1_000),
  securityGroupName: text(500),
  securityGroupId: text(200),
  displayName: text(500),
  name: text(500),
  deviceId: text(200),
})

type SaidEntity = z.infer<typeof entity>

/** Kind, name and detail of each `entityType`; a type nobody has met yet shows whatever it names. */
const described: Record<
  string,
  [EntityKind, (said: SaidEntity) => (string | null)[], (said: SaidEntity) => string | null]
> = {
  user: [
    'user',
    (said) => [said.userPrincipalName, said.accountName, said.userSid, said.aadUserId],
    (said) => firstOf(said.domainName, said.userSid),
  ],
  ip: ['ip', (said) => [said.ipAddress], () => null],
  url: ['url', (said) => [said.url], () => null],
  file: [
    'file',
    (said) => [said.fileName, said.sha256, said.sha1, said.filePath],
    (said) => firstOf(said.sha256, said.sha1, said.filePath),
  ],
  process: [
    'process',
    (said) => [said.fileName, said.processCommandLine, said.processId],
    (said) => firstOf(said.processCommandLine, said.filePath, said.sha256),
  ],
  mailbox: [
    'mailbox',
    (said) => [said.mailboxAddress, said.userPrincipalName, said.mailboxDisplayName],
    (said) => said.mailboxDisplayName,
  ],
  mailmessage: [
    'mail',
    (said) => [said.subject, said.sender, said.recipient],
    (said) => firstOf(said.sender, said.recipient),
  ],
  mailcluster: ['mail', (said) => [said.clusterBy, said.subject], (said) => said.sender],
  registry: [
    'registry',
    (said) => [said.registryKey, said.registryValue, said.registryHive],
    (said) => said.registryValue,
  ],
  securitygroup: ['group', (said) => [said.securityGroupName, said.securityGroupId], (said) => said.securityGroupId],
  device: ['device', (said) => [said.deviceId], () => null],
  cloudapplication: ['app', (said) => [said.displayName, said.name, said.accountName], () => null],
  oauthapplication: ['app', (said) => [said.displayName, said.name, said.accountName], () => null],
}

function readEntity(record: Record<string, unknown>): RemoteEntity {
  const said = entity.parse(record)
  const [kind, names, detail] = described[said.entityType?.toLowerCase() ?? ''] ?? [
    'other' as const,
    (): (string | null)[] => [
      said.userPrincipalName,
      said.accountName,
      said.ipAddress,
      said.url,
      said.fileName,
      said.mailboxAddress,
      said.subject,
      said.registryKey,
      said.securityGroupName,
      said.displayName,
      said.name,
      said.deviceId,
    ],
    () => said.entityType,
  ]
  return {
    kind,
    name: firstOf(...names(said)) ?? said.entityType ?? kind,
    detail: detail(said),
    verdict: camel(said.verdict),
    remediation: camel(said.remediationStatus),
  }
}
