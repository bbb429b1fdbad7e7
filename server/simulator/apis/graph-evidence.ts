import type { Alert, Device, Entity, EntityOf, FileDetails, UserAccount } from '../world/incidents.ts'
import { onWire } from '../world/instants.ts'

/** A device or another entity of an alert: https://learn.microsoft.com/graph/api/resources/security-alertevidence */
function evidence(kind: string, alert: Alert, verdict: string, remediation: string): Record<string, unknown> {
  return {
    '@odata.type': `#microsoft.graph.security.${kind}Evidence`,
    createdDateTime: onWire(alert.createdAt),
    verdict,
    remediationStatus: remediation,
    remediationStatusDetails: null,
    roles: [],
    detailedRoles: [],
    tags: [],
  }
}

export function graphDevice(device: Device, alert: Alert): Record<string, unknown> {
  const [hostName = device.dnsName, ...domain] = device.dnsName.split('.')
  return {
    ...evidence('device', alert, 'suspicious', 'active'),
    detailedRoles: ['PrimaryDevice'],
    firstSeenDateTime: onWire(device.firstSeenAt),
    mdeDeviceId: device.mdeDeviceId,
    azureAdDeviceId: device.aadDeviceId,
    deviceDnsName: device.dnsName,
    hostName,
    ntDomain: null,
    dnsDomain: domain.join('.') || null,
    osPlatform: device.osPlatform,
    osBuild: device.osBuild,
    version: device.version,
    healthStatus: device.healthStatus,
    riskScore: device.riskScore,
    rbacGroupId: device.groupId,
    rbacGroupName: device.group,
    onboardingStatus: 'onboarded',
    defenderAvStatus: 'updated',
    lastIpAddress: device.lastIp,
    lastExternalIpAddress: device.lastExternalIp,
    ipInterfaces: [device.lastIp, 'fe80::2f21:c88a:d280:d1dd', '127.0.0.1', '::1'],
    vmMetadata: null,
    loggedOnUsers: [],
    resourceAccessEvents: [],
  }
}

function userAccount(account: UserAccount): Record<string, unknown> {
  return {
    accountName: account.accountName,
    domainName: account.domainName,
    userSid: account.userSid,
    azureAdUserId: account.aadUserId,
    userPrincipalName: account.userPrincipalName,
    displayName: account.displayName,
    activeDirectoryObjectGuid: null,
    resourceAccessEvents: [],
  }
}

function fileDetails(file: FileDetails): Record<string, unknown> {
  return {
    sha1: file.sha1,
    sha256: file.sha256,
    md5: null,
    sha256Ac: null,
    fileName: file.fileName,
    filePath: file.filePath,
    fileSize: file.size,
    filePublisher: file.publisher,
    signer: null,
    issuer: null,
  }
}

type Base = (kind: string) => Record<string, unknown>

const shapes: { [K in Entity['kind']]: (entity: EntityOf<K>, base: Base) => Record<string, unknown> } = {
  user: (entity, base) => ({ ...base('user'), stream: null, userAccount: userAccount(entity) }),
  ip: (entity, base) => ({
    ...base('ip'),
    ipAddress: entity.address,
    countryLetterCode: entity.country,
    stream: null,
    location: null,
  }),
  url: (entity, base) => ({ ...base('url'), url: entity.url }),
  file: (entity, base) => ({
    ...base('file'),
    detectionStatus: 'detected',
    mdeDeviceId: entity.deviceId,
    fileDetails: fileDetails(entity),
  }),
  process: (entity, base) => ({
    ...base('process'),
    processId: entity.processId,
    parentProcessId: entity.parentProcessId,
    processCommandLine: entity.commandLine,
    processCreationDateTime: onWire(entity.startedAt),
    parentProcessCreationDateTime: onWire(entity.parentStartedAt),
    detectionStatus: 'detected',
    mdeDeviceId: entity.deviceId,
    parentProcessImageFile: null,
    imageFile: fileDetails(entity.image),
    userAccount: userAccount(entity.account),
  }),
  mailbox: (entity, base) => ({
    ...base('mailbox'),
    primaryAddress: entity.address,
    displayName: entity.displayName,
    upn: entity.userPrincipalName,
    userAccount: {
      accountName: entity.address.split('@')[0] ?? '',
      domainName: null,
      userSid: '',
      azureAdUserId: null,
      userPrincipalName: entity.userPrincipalName,
      displayName: entity.displayName,
      activeDirectoryObjectGuid: null,
      resourceAccessEvents: [],
    },
  }),
  mail: (entity, base) => ({
    ...base('analyzedMessage'),
    networkMessageId: entity.networkMessageId,
    internetMessageId: entity.internetMessageId,
    subject: entity.subject,
    language: null,
    senderIp: entity.senderIp,
    recipientEmailAddress: entity.recipient,
    antiSpamDirection: 'inbound',
    deliveryAction: entity.deliveryAction,
    deliveryLocation: entity.deliveryAction === 'blocked' ? 'quarantine' : 'inbox_folder',
    urn: `urn:MailEntity:${entity.networkMessageId}`,
    threats: ['Phish'],
    threatDetectionMethods: ['UrlReputation'],
    urls: entity.urls,
    urlCount: entity.urls.length,
    attachmentsCount: 0,
    receivedDateTime: onWire(entity.receivedAt),
    p1Sender: { emailAddress: entity.sender, displayName: null, domainName: entity.sender.split('@')[1] ?? null },
    p2Sender: { emailAddress: entity.sender, displayName: null, domainName: entity.sender.split('@')[1] ?? null },
  }),
  mailCluster: (entity, base) => ({
    ...base('mailCluster'),
    networkMessageIds: [],
    query: entity.query,
    urn: `urn:MailClusterEntity:${entity.query}`,
    clusterBy: entity.clusterBy,
    clusterByValue: null,
    emailCount: entity.count,
  }),
  registry: (entity, base) => ({
    ...base('registryValue'),
    registryHive: entity.hive,
    registryKey: entity.key,
    registryValue: entity.value,
    registryValueName: entity.valueName,
    registryValueType: 'string',
    mdeDeviceId: entity.deviceId,
  }),
  group: (entity, base) => ({ ...base('securityGroup'), securityGroupId: entity.groupId, displayName: entity.name }),
  cloudApp: (entity, base) => ({
    ...base('cloudApplication'),
    appId: entity.appId,
    displayName: entity.name,
    instanceId: 0,
    instanceName: entity.name,
    saasAppId: entity.appId,
    stream: null,
  }),
}

export function graphEvidence(entity: Entity, alert: Alert): Record<string, unknown> {
  const shape = shapes[entity.kind] as (entity: Entity, base: Base) => Record<string, unknown>
  return shape(entity, (kind) => evidence(kind, alert, entity.verdict, entity.remediation))
}
