import type { Alert, Device, Entity, FileDetails, Incident, UserAccount } from '../world/incidents.ts'
import { onWire } from '../world/instants.ts'

const products = new Map<string, string>([
  ['microsoftDefenderForEndpoint', 'Microsoft Defender for Endpoint'],
  ['microsoftDefenderForIdentity', 'Microsoft Defender for Identity'],
  ['microsoftDefenderForCloudApps', 'Microsoft Defender for Cloud Apps'],
  ['microsoftDefenderForOffice365', 'Microsoft Defender for Office 365'],
  ['microsoft365Defender', 'Microsoft Defender XDR'],
  ['azureAdIdentityProtection', 'Microsoft Entra ID Protection'],
  ['dataLossPrevention', 'Microsoft Data Loss Prevention'],
])

/** Members that came after `unknownFutureValue`: sent only to callers with `Prefer: include-unknown-enum-members`. */
const laterMembers = new Set(['awaitingAction', 'dataLossPrevention'])

/** Hides evolvable enum members from callers that did not ask for them. */
function evolvable(value: string, all: boolean): string {
  return laterMembers.has(value) && !all ? 'unknownFutureValue' : value
}

/** An incident as Graph sends it; the key set is the one seen on the wire in 2026. */
export function graphIncident(incident: Incident, tenantId: string, allMembers: boolean): Record<string, unknown> {
  return {
    id: String(incident.id),
    tenantId,
    status: evolvable(incident.status, allMembers),
    incidentWebUrl: `https://security.microsoft.com/incident2/${incident.id}/overview?tid=${tenantId}`,
    redirectIncidentId: incident.redirectId === null ? null : String(incident.redirectId),
    displayName: incident.name,
    createdDateTime: onWire(incident.createdAt),
    lastUpdateDateTime: onWire(incident.lastUpdateAt),
    assignedTo: incident.assignedTo,
    classification: incident.classification,
    determination: incident.determination,
    severity: incident.severity,
    customTags: incident.tags,
    systemTags: incident.systemTags,
    description: incident.description,
    lastModifiedBy: incident.lastModifiedBy,
    resolvingComment: incident.resolvingComment,
    summary: incident.summary,
    priorityScore: incident.priorityScore,
    comments: incident.comments.map(({ comment, createdBy, createdAt }) => ({
      comment,
      createdByDisplayName: createdBy,
      createdDateTime: onWire(createdAt),
    })),
  }
}

export function graphAlert(
  alert: Alert,
  incident: Incident,
  tenantId: string,
  allMembers: boolean,
): Record<string, unknown> {
  return {
    id: alert.id,
    providerAlertId: alert.id.slice(2),
    incidentId: String(incident.id),
    status: alert.status,
    severity: alert.severity,
    classification: alert.classification,
    determination: alert.determination,
    serviceSource: evolvable(alert.service, allMembers),
    detectionSource: alert.detectionSource,
    productName: products.get(alert.service) ?? 'Microsoft Defender XDR',
    detectorId: alert.detectorId,
    tenantId,
    title: alert.title,
    description: alert.description,
    recommendedActions: alert.recommendedActions,
    category: alert.category,
    categories: [alert.category],
    assignedTo: alert.assignedTo,
    alertWebUrl: `https://security.microsoft.com/alerts/${alert.id}?tid=${tenantId}`,
    incidentWebUrl: `https://security.microsoft.com/incident2/${incident.id}/overview?tid=${tenantId}`,
    actorDisplayName: alert.actorName,
    threatDisplayName: null,
    threatFamilyName: alert.threatFamily,
    mitreTechniques: alert.techniques,
    createdDateTime: onWire(alert.createdAt),
    lastUpdateDateTime: onWire(alert.lastUpdateAt),
    resolvedDateTime: alert.resolvedAt === null ? null : onWire(alert.resolvedAt),
    firstActivityDateTime: onWire(alert.firstActivityAt),
    lastActivityDateTime: onWire(alert.lastActivityAt),
    systemTags: [],
    alertPolicyId: null,
    investigationState: alert.investigationState,
    comments: [],
    customDetails: {},
    evidence: [
      ...alert.devices.map((device) => graphDevice(device, alert)),
      ...alert.entities.map((entity) => graphEvidence(entity, alert)),
    ],
    additionalData: {},
  }
}

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

function graphDevice(device: Device, alert: Alert): Record<string, unknown> {
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

function graphEvidence(entity: Entity, alert: Alert): Record<string, unknown> {
  const base = (kind: string) => evidence(kind, alert, entity.verdict, entity.remediation)
  switch (entity.kind) {
    case 'user':
      return { ...base('user'), stream: null, userAccount: userAccount(entity) }
    case 'ip':
      return {
        ...base('ip'),
        ipAddress: entity.address,
        countryLetterCode: entity.country,
        stream: null,
        location: null,
      }
    case 'url':
      return { ...base('url'), url: entity.url }
    case 'file':
      return {
        ...base('file'),
        detectionStatus: 'detected',
        mdeDeviceId: entity.deviceId,
        fileDetails: fileDetails(entity),
      }
    case 'process':
      return {
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
      }
    case 'mailbox':
      return {
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
      }
    case 'mail':
      return {
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
      }
    case 'mailCluster':
      return {
        ...base('mailCluster'),
        networkMessageIds: [],
        query: entity.query,
        urn: `urn:MailClusterEntity:${entity.query}`,
        clusterBy: entity.clusterBy,
        clusterByValue: null,
        emailCount: entity.count,
      }
    case 'registry':
      return {
        ...base('registryValue'),
        registryHive: entity.hive,
        registryKey: entity.key,
        registryValue: entity.value,
        registryValueName: entity.valueName,
        registryValueType: 'string',
        mdeDeviceId: entity.deviceId,
      }
    case 'group':
      return { ...base('securityGroup'), securityGroupId: entity.groupId, displayName: entity.name }
    case 'cloudApp':
      return {
        ...base('cloudApplication'),
        appId: entity.appId,
        displayName: entity.name,
        instanceId: 0,
        instanceName: entity.name,
        saasAppId: entity.appId,
        stream: null,
      }
  }
}
