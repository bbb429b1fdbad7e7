import type { EntityKind, RemoteEntity } from './microsoft.ts'
import { camel, firstOf, isRecord, text } from './reading.ts'

/**
 * Graph's evidence comes in fifty kinds and counting, told apart by `@odata.type`. A kind nobody has met yet passes
 * through as `other`. https://learn.microsoft.com/graph/api/resources/security-alertevidence
 */
export function readEvidence(record: Record<string, unknown>): RemoteEntity {
  const type = (text(record['@odata.type'], 200) ?? '')
    .replace(/^#?microsoft\.graph\.security\./i, '')
    .replace(/Evidence$/i, '')
  const [kind, describe] = kinds.get(type.toLowerCase()) ?? ['other' as const, unknownKind]
  const { name, detail } = describe(record)
  return {
    kind,
    name: name ?? firstOf(type) ?? kind,
    detail: kind === 'other' ? (detail ?? firstOf(type)) : detail,
    verdict: camel(text(record.verdict, 100)),
    remediation: camel(text(record.remediationStatus, 100)),
  }
}

interface Described {
  name: string | null
  detail: string | null
}

type Describe = (record: Record<string, unknown>) => Described

/** The text at one of several paths (`userAccount.accountName`), the first that says something. */
function at(record: Record<string, unknown>, ...paths: string[]): string | null {
  for (const path of paths) {
    let value: unknown = record
    for (const key of path.split('.')) value = isRecord(value) ? value[key] : undefined
    const found = text(value, 2_000)
    if (found !== null) return found
  }
  return null
}

const account: Describe = (record) => ({
  name: at(
    record,
    'userAccount.userPrincipalName',
    'userAccount.accountName',
    'userAccount.displayName',
    'userAccount.userSid',
    'userAccount.azureAdUserId',
  ),
  detail: at(record, 'userAccount.domainName', 'userAccount.displayName', 'userAccount.userSid'),
})

const file =
  (part: string): Describe =>
  (record) => ({
    name: at(record, `${part}.fileName`, `${part}.sha256`, `${part}.sha1`, `${part}.filePath`),
    detail: at(record, `${part}.sha256`, `${part}.sha1`, `${part}.filePath`),
  })

const plain =
  (names: string[], details: string[] = []): Describe =>
  (record) => ({ name: at(record, ...names), detail: at(record, ...details) })

const device: Describe = (record) => ({
  name: at(record, 'deviceDnsName', 'hostName', 'mdeDeviceId', 'azureAdDeviceId'),
  detail: firstOf([at(record, 'osPlatform'), at(record, 'version')].filter((part) => part !== null).join(' ')),
})

const process: Describe = (record) => ({
  name: at(record, 'imageFile.fileName', 'processCommandLine', 'processId'),
  detail: at(record, 'processCommandLine', 'imageFile.filePath', 'imageFile.sha256'),
})

const mail: Describe = (record) => ({
  name: at(record, 'subject', 'networkMessageId', 'internetMessageId'),
  detail: at(record, 'p2Sender.emailAddress', 'p1Sender.emailAddress', 'senderIp', 'recipientEmailAddress'),
})

const unknownKind = plain([
  'displayName',
  'name',
  'title',
  'hostName',
  'url',
  'ipAddress',
  'resourceName',
  'resourceId',
])

const kinds = new Map<string, [EntityKind, Describe]>(
  Object.entries({
    device: ['device', device],
    iotdevice: ['device', plain(['deviceName', 'deviceId'], ['operatingSystem', 'manufacturer'])],
    user: ['user', account],
    serviceprincipal: ['app', plain(['servicePrincipalName', 'appId'], ['appId'])],
    ip: ['ip', plain(['ipAddress'], ['countryLetterCode', 'location.countryName'])],
    url: ['url', plain(['url'])],
    dns: ['url', plain(['domainName'])],
    file: ['file', file('fileDetails')],
    filehash: ['file', plain(['value'], ['algorithm'])],
    malware: ['file', plain(['name'], ['category'])],
    process: ['process', process],
    mailbox: [
      'mailbox',
      (record) => ({ name: at(record, 'primaryAddress', 'upn', 'displayName'), detail: at(record, 'displayName') }),
    ],
    mailboxconfiguration: ['mailbox', plain(['mailboxPrimaryAddress', 'upn', 'displayName'], ['configurationType'])],
    analyzedmessage: ['mail', mail],
    mailcluster: ['mail', plain(['clusterBy', 'query'], ['clusterByValue'])],
    submissionmail: ['mail', plain(['subject', 'networkMessageId'], ['sender', 'recipient'])],
    registrykey: ['registry', plain(['registryKey', 'registryHive'], ['registryHive'])],
    registryvalue: [
      'registry',
      plain(['registryKey', 'registryValueName', 'registryValue'], ['registryValue', 'registryValueName']),
    ],
    securitygroup: ['group', plain(['displayName', 'securityGroupId'], ['securityGroupId'])],
    activedirectorydomain: ['group', plain(['activeDirectoryDomainName'])],
    cloudapplication: ['app', plain(['displayName', 'appId'], ['instanceName', 'appId'])],
    oauthapplication: ['app', plain(['displayName', 'appId'], ['publisher', 'appId'])],
    azureresource: ['other', plain(['resourceName', 'resourceId'], ['resourceType', 'resourceId'])],
    hostlogonsession: [
      'other',
      plain(['account.userAccount.userPrincipalName', 'account.userAccount.accountName', 'sessionId']),
    ],
    cloudlogonsession: [
      'other',
      plain(['account.userAccount.userPrincipalName', 'account.userAccount.accountName', 'sessionId']),
    ],
  } satisfies Record<string, [EntityKind, Describe]>),
)
