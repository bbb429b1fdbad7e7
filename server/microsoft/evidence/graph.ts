import type { RemoteEntity } from '../../model/incident.ts'
import { firstOf, text } from '../wire/reading.ts'
import { readEntity, readersOf } from './entities.ts'

/**
 * Graph's evidence comes in fifty kinds and counting, told apart by `@odata.type`. A kind nobody has met yet shows its
 * type and its JSON. https://learn.microsoft.com/graph/api/resources/security-alertevidence
 */
export function readEvidence(record: Record<string, unknown>): RemoteEntity {
  const type = (text(record['@odata.type'], 200) ?? '')
    .replace(/^#?microsoft\.graph\.security\./i, '')
    .replace(/Evidence$/i, '')
  return readEntity(record, firstOf(type), kinds)
}

const accounts = [
  '{at.userPrincipalName}',
  '{at.domainName}\\{at.accountName}',
  ...['{at.accountName}', '{at.displayName}', '{at.userSid}', '{at.azureAdUserId}'],
]
/** What an account is called, in a text that has `{account}` for it. */
const accountIn = (at: string, around = '{account}') =>
  accounts.map((name) => around.replace('{account}', () => name.replaceAll('{at.', `{${at}.`)))
const device = ['deviceDnsName', 'hostName', 'mdeDeviceId', 'azureAdDeviceId']
const hash = (at: string) => ['sha256', 'sha1', 'md5', 'filePath'].map((field) => `${at}.${field}`)
const inCluster = ['{namespace.cluster.name} / {namespace.name}', 'namespace.name']

const kinds = readersOf({
  user: { kind: 'user', names: accountIn('userAccount'), details: ['userAccount.displayName', 'userAccount.userSid'] },
  securityGroup: {
    kind: 'group',
    names: ['displayName', 'friendlyName', 'securityGroupId', 'sid', 'distinguishedName'],
    details: ['securityGroupId', 'sid', 'distinguishedName'],
  },
  activeDirectoryDomain: { kind: 'group', names: ['activeDirectoryDomainName'] },
  servicePrincipal: {
    kind: 'app',
    names: ['servicePrincipalName', 'appId', 'servicePrincipalObjectId'],
    details: ['appId', 'servicePrincipalObjectId'],
  },
  oauthApplication: { kind: 'app', names: ['displayName', 'appId', 'objectId'], details: ['publisher', 'appId'] },
  cloudApplication: { kind: 'app', names: ['displayName', 'appId', 'saasAppId'], details: ['instanceName', 'appId'] },
  gitHubUser: { kind: 'user', names: ['login', 'name', 'email', 'userId'], details: ['name', 'email', 'webUrl'] },
  gitHubOrganization: { kind: 'group', names: ['displayName', 'login', 'orgId'], details: ['login', 'webUrl'] },
  gitHubRepo: { kind: 'repository', names: ['{owner} {baseUrl}', 'baseUrl', 'login', 'repoId'], details: ['login'] },

  device: { kind: 'device', names: device, details: ['{osPlatform} {version}', 'osPlatform', 'version'] },
  ioTDevice: {
    kind: 'device',
    names: ['deviceName', 'model', 'deviceId', 'macAddress', 'serialNumber'],
    details: ['operatingSystem', 'model', 'manufacturer'],
  },
  nic: { kind: 'device', names: ['macAddress', 'ipAddress.ipAddress'], details: ['ipAddress.ipAddress'] },

  ip: { kind: 'ip', names: ['ipAddress'], details: ['countryLetterCode', 'location.countryName'] },
  url: { kind: 'url', names: ['url'] },
  dns: { kind: 'url', names: ['domainName', 'hostIpAddress.ipAddress'], details: ['hostIpAddress.ipAddress'] },
  networkConnection: {
    kind: 'connection',
    names: [
      '{sourceAddress.ipAddress}:{sourcePort} → {destinationAddress.ipAddress}:{destinationPort}',
      '{sourceAddress.ipAddress} → {destinationAddress.ipAddress}:{destinationPort}',
      '{sourceAddress.ipAddress} → {destinationAddress.ipAddress}',
      '→ {destinationAddress.ipAddress}:{destinationPort}',
      '→ {destinationAddress.ipAddress}',
      '{sourceAddress.ipAddress}:{sourcePort} →',
      '{sourceAddress.ipAddress} →',
    ],
    details: ['protocol'],
  },

  file: { kind: 'file', names: ['fileDetails.fileName', ...hash('fileDetails')], details: hash('fileDetails') },
  fileHash: { kind: 'file', names: ['value'], details: ['algorithm'] },
  malware: { kind: 'file', names: ['name'], details: ['category'] },
  process: {
    kind: 'process',
    names: ['imageFile.fileName', 'processCommandLine', 'processId'],
    details: ['processCommandLine', 'imageFile.filePath', 'imageFile.sha256'],
  },
  registryKey: { kind: 'registry', names: ['{registryHive}\\{registryKey}', 'registryKey', 'registryHive'] },
  registryValue: {
    kind: 'registry',
    names: [
      '{registryHive}\\{registryKey}\\{registryValueName}',
      '{registryHive}\\{registryKey}',
      '{registryKey}\\{registryValueName}',
      ...['registryKey', 'registryValueName', 'registryValue'],
    ],
    details: ['registryValue'],
  },

  analyzedMessage: {
    kind: 'mail',
    names: ['subject', 'networkMessageId', 'internetMessageId'],
    details: ['p2Sender.emailAddress', 'p1Sender.emailAddress', 'senderIp', 'recipientEmailAddress'],
  },
  mailCluster: {
    kind: 'mail',
    names: ['{clusterBy}: {clusterByValue}', 'clusterBy', 'query', 'clusterByValue'],
    details: ['query'],
  },
  submissionMail: {
    kind: 'mail',
    names: ['subject', 'networkMessageId', 'submissionId'],
    details: ['{sender} → {recipient}', 'sender', 'recipient'],
  },
  teamsMessage: {
    kind: 'mail',
    names: ['subject', 'messageId', 'threadId', 'threadType'],
    details: ['{senderFromAddress} · {threadType}', 'senderFromAddress', 'threadType'],
  },
  mailbox: { kind: 'mailbox', names: ['primaryAddress', 'upn', 'displayName'], details: ['displayName'] },
  mailboxConfiguration: {
    kind: 'mailbox',
    names: ['displayName', 'mailboxPrimaryAddress', 'upn', 'configurationId'],
    details: ['{configurationType} · {mailboxPrimaryAddress}', 'configurationType', 'mailboxPrimaryAddress'],
  },

  azureResource: { kind: 'cloud', names: ['resourceName', 'resourceId'], details: ['resourceType', 'resourceId'] },
  amazonResource: {
    kind: 'cloud',
    names: ['resourceName', 'amazonResourceId'],
    details: ['resourceType', 'amazonResourceId'],
  },
  googleCloudResource: {
    kind: 'cloud',
    names: ['resourceName', 'fullResourceName'],
    details: ['resourceType', 'fullResourceName'],
  },
  blob: { kind: 'cloud', names: ['name', 'url'], details: ['url'] },
  blobContainer: { kind: 'cloud', names: ['name', 'url'], details: ['url'] },
  sasToken: { kind: 'cloud', names: ['allowedServices', 'signatureHash'], details: ['signatureHash'] },
  container: { kind: 'cloud', names: ['name', 'containerId'], details: ['image.imageId', 'containerId'] },
  containerImage: { kind: 'cloud', names: ['imageId', 'digestImage.imageId'], details: ['registry.registry'] },
  containerRegistry: { kind: 'cloud', names: ['registry'] },
  kubernetesCluster: { kind: 'cloud', names: ['name'], details: ['distribution', 'platform'] },
  kubernetesNamespace: { kind: 'cloud', names: ['name'], details: ['cluster.name'] },
  kubernetesPod: { kind: 'cloud', names: ['name'], details: inCluster },
  kubernetesController: { kind: 'cloud', names: ['name'], details: inCluster },
  kubernetesService: { kind: 'cloud', names: ['name'], details: inCluster },
  kubernetesServiceAccount: { kind: 'cloud', names: ['name'], details: inCluster },
  kubernetesSecret: { kind: 'cloud', names: ['name'], details: inCluster },

  hostLogonSession: {
    kind: 'session',
    names: [
      ...device.flatMap((field) => accountIn('account.userAccount', `{account} · {host.${field}}`)),
      ...accountIn('account.userAccount'),
      'sessionId',
    ],
    details: ['sessionId'],
  },
  cloudLogonSession: {
    kind: 'session',
    names: [
      ...accountIn('account.userAccount', '{account} · {deviceName}'),
      ...accountIn('account.userAccount'),
      'sessionId',
    ],
    details: ['userAgent', 'sessionId'],
  },
  cloudLogonRequest: { kind: 'session', names: ['requestId'] },
  aiAgent: { kind: 'agent', names: ['agentName', 'agentId'], details: ['hostingPlatformType', 'agentId'] },
})
