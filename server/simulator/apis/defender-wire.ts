import type { Alert, Device, Entity, EntityOf, Incident } from '../world/incidents.ts'
import { onWire } from '../world/instants.ts'

const special = new Map<string, string>([
  ['notMalicious', 'Clean'],
  ['notEnoughDataToValidate', 'NoEnoughDataToValidate'],
  ['azureAdIdentityProtection', 'AadIdentityProtection'],
  ['microsoftDefenderForCloudApps', 'MicrosoftCloudAppSecurity'],
  ['microsoft365Defender', 'MicrosoftThreatProtection'],
  ['cloudAppSecurity', 'MCAS'],
  ['antivirus', 'WindowsDefenderAv'],
  ['microsoftDefenderForOffice365', 'OfficeATP'],
  ['microsoftDefenderForEndpoint', 'WindowsDefenderAtp'],
])
const services = new Map<string, string>([
  ['microsoftDefenderForEndpoint', 'MicrosoftDefenderForEndpoint'],
  ['microsoftDefenderForOffice365', 'MicrosoftDefenderForOffice365'],
])

/** `inProgress` to `InProgress`, with the names that this API spells in its own way. */
export function pascal(value: string): string {
  return special.get(value) ?? value.charAt(0).toUpperCase() + value.slice(1)
}

function defenderSeverity(severity: string): string {
  return severity === 'unknown' ? 'UnSpecified' : pascal(severity)
}

export function defenderStatus(status: string): string {
  return status === 'awaitingAction' ? 'InProgress' : pascal(status)
}

const entityKeys = [
  ...['sha1', 'sha256', 'fileName', 'filePath', 'processId', 'processCommandLine', 'processCreationTime'],
  ...['parentProcessId', 'parentProcessCreationTime', 'ipAddress', 'url', 'accountName', 'domainName', 'userSid'],
  ...['aadUserId', 'userPrincipalName', 'mailboxDisplayName', 'mailboxAddress', 'clusterBy', 'sender', 'recipient'],
  ...['subject', 'deliveryAction', 'securityGroupId', 'securityGroupName', 'registryHive', 'registryKey'],
  ...['registryValueType', 'registryValue', 'deviceId'],
]

/**
 * An incident as the Defender host sends it. Incidents with an odd number are written as in 2021 (what is absent is an
 * explicit null), the others as in 2026 (it is left out): both forms were observed, and both must be read.
 */
export function defenderIncident(incident: Incident, alerts: readonly Alert[]): Record<string, unknown> {
  const explicit = incident.id % 2 === 1
  return {
    incidentId: incident.id,
    redirectIncidentId: incident.redirectId,
    incidentName: incident.name,
    createdTime: onWire(incident.createdAt),
    lastUpdateTime: onWire(incident.lastUpdateAt),
    assignedTo: incident.assignedTo,
    classification: pascal(incident.classification),
    determination: incident.determination === 'unknown' ? 'NotAvailable' : pascal(incident.determination),
    status: defenderStatus(incident.status),
    severity: defenderSeverity(incident.severity),
    tags: incident.tags,
    comments: incident.comments.map(({ comment, createdBy, createdAt }) => ({
      comment,
      createdBy,
      createdTime: onWire(createdAt),
    })),
    alerts: alerts.map((alert) => defenderAlert(alert, incident.id, explicit)),
    ...(explicit ? {} : { entities: [] }),
  }
}

function defenderAlert(alert: Alert, incidentId: number, explicit: boolean): Record<string, unknown> {
  return {
    alertId: alert.id,
    incidentId,
    serviceSource:
      explicit && alert.service === 'microsoftDefenderForEndpoint'
        ? 'MicrosoftDefenderATP'
        : (services.get(alert.service) ?? pascal(alert.service)),
    creationTime: onWire(alert.createdAt),
    lastUpdatedTime: onWire(alert.lastUpdateAt),
    resolvedTime: alert.resolvedAt === null ? null : onWire(alert.resolvedAt),
    firstActivity: onWire(alert.firstActivityAt),
    lastActivity: onWire(alert.lastActivityAt),
    title: alert.title,
    description: alert.description,
    category: alert.category,
    status: pascal(alert.status),
    severity: defenderSeverity(alert.severity),
    investigationId: alert.investigationId,
    investigationState: pascal(alert.investigationState),
    classification: alert.classification === null ? null : pascal(alert.classification),
    determination: alert.determination === null ? null : pascal(alert.determination),
    detectionSource: pascal(alert.detectionSource),
    detectorId: alert.detectorId,
    assignedTo: alert.assignedTo,
    actorName: alert.actorName,
    threatFamilyName: alert.threatFamily,
    mitreTechniques: alert.techniques,
    devices: alert.devices.map((device, n) => defenderDevice(device, n)),
    entities: alert.entities.map((entity) => spelled(defenderEntity(entity), explicit)),
  }
}

/** Host names were seen in different casing between alerts of one device. */
function defenderDevice(device: Device, n: number): Record<string, unknown> {
  return {
    mdatpDeviceId: device.mdeDeviceId,
    aadDeviceId: device.aadDeviceId,
    deviceDnsName: n === 0 ? device.dnsName : device.dnsName.toUpperCase(),
    osPlatform: device.osPlatform,
    version: device.version,
    osProcessor: 'x64',
    osBuild: device.osBuild,
    healthStatus: pascal(device.healthStatus),
    riskScore: pascal(device.riskScore),
    rbacGroupName: device.group,
    rbacGroupId: device.groupId,
    firstSeen: onWire(device.firstSeenAt),
    tags: [],
    defenderAvStatus: 'Updated',
    onboardingStatus: 'Onboarded',
    vmMetadata: null,
  }
}

function spelled(entity: Record<string, unknown>, explicit: boolean): Record<string, unknown> {
  if (explicit) {
    const whole: Record<string, unknown> = { entityType: entity.entityType }
    for (const key of entityKeys) whole[key] = entity[key] ?? null
    return whole
  }
  for (const key in entity) if (entity[key] === null) entity[key] = undefined
  return entity
}

const shapes: { [K in Entity['kind']]: (entity: EntityOf<K>) => Record<string, unknown> } = {
  user: (entity) => ({
    entityType: 'User',
    accountName: entity.accountName,
    domainName: entity.domainName,
    userSid: entity.userSid,
    aadUserId: entity.aadUserId,
    userPrincipalName: entity.userPrincipalName,
  }),
  ip: (entity) => ({ entityType: 'Ip', ipAddress: entity.address }),
  url: (entity) => ({ entityType: 'Url', url: entity.url }),
  file: (entity) => ({
    entityType: 'File',
    sha1: entity.sha1,
    sha256: entity.sha256,
    fileName: entity.fileName,
    filePath: entity.filePath,
    deviceId: entity.deviceId,
  }),
  process: (entity) => ({
    entityType: 'Process',
    sha1: entity.image.sha1,
    sha256: entity.image.sha256,
    fileName: entity.image.fileName,
    filePath: entity.image.filePath,
    processId: entity.processId,
    processCommandLine: entity.commandLine,
    processCreationTime: onWire(entity.startedAt),
    parentProcessId: entity.parentProcessId,
    parentProcessCreationTime: onWire(entity.parentStartedAt),
    accountName: entity.account.accountName,
    domainName: entity.account.domainName,
    userSid: entity.account.userSid,
    aadUserId: entity.account.aadUserId,
    userPrincipalName: entity.account.userPrincipalName,
    deviceId: entity.deviceId,
  }),
  mailbox: (entity) => ({
    entityType: 'MailBox',
    userPrincipalName: entity.userPrincipalName,
    mailboxDisplayName: entity.displayName,
    mailboxAddress: entity.address,
  }),
  mail: (entity) => ({
    entityType: 'MailMessage',
    sender: entity.sender,
    recipient: entity.recipient,
    subject: entity.subject,
    deliveryAction: pascal(entity.deliveryAction),
    ipAddress: entity.senderIp,
  }),
  mailCluster: (entity) => ({ entityType: 'MailCluster', clusterBy: entity.clusterBy }),
  registry: (entity) => ({
    entityType: 'Registry',
    registryHive: entity.hive,
    registryKey: entity.key,
    registryValueType: 'String',
    registryValue: entity.value,
    deviceId: entity.deviceId,
  }),
  group: (entity) => ({ entityType: 'SecurityGroup', securityGroupId: entity.groupId, securityGroupName: entity.name }),
  cloudApp: () => ({ entityType: 'CloudApplication', accountName: '' }),
}

function defenderEntity(entity: Entity): Record<string, unknown> {
  const shape = shapes[entity.kind] as (entity: Entity) => Record<string, unknown>
  return { ...shape(entity), verdict: pascal(entity.verdict) }
}
