import type { RemoteEntity } from '../../model/incident.ts'
import { text } from '../wire/reading.ts'
import { readEntity, readersOf } from './entities.ts'

/** One of an alert's `devices`. https://learn.microsoft.com/defender-xdr/api-list-incidents#device-format */
export const readDevice = (record: Record<string, unknown>): RemoteEntity => readEntity(record, 'device', devices)

/**
 * One of an alert's `entities`: every one has the fields of all types, those of others empty or absent. A type nobody has
 * met yet shows its JSON. https://learn.microsoft.com/defender-xdr/api-list-incidents#entity-format
 */
export const readNamed = (record: Record<string, unknown>): RemoteEntity =>
  readEntity(record, text(record.entityType, 100), kinds)

const device = ['deviceDnsName', 'mdatpDeviceId', 'aadDeviceId', 'deviceId']
const hashes = ['sha256', 'sha1', 'md5', 'filePath']
const app = ['displayName', 'name', 'accountName']

const devices = readersOf({
  device: { kind: 'device', names: device, details: ['{osPlatform} {version}', 'osPlatform', 'version'] },
})

const kinds = readersOf({
  user: {
    kind: 'user',
    names: ['userPrincipalName', '{domainName}\\{accountName}', 'accountName', 'userSid', 'aadUserId'],
    details: ['displayName', 'userSid'],
  },
  ip: { kind: 'ip', names: ['ipAddress'] },
  url: { kind: 'url', names: ['url'] },
  file: { kind: 'file', names: ['fileName', ...hashes], details: hashes },
  process: {
    kind: 'process',
    names: ['fileName', 'processCommandLine', 'processId'],
    details: ['processCommandLine', 'filePath', 'sha256'],
  },
  mailbox: {
    kind: 'mailbox',
    names: ['mailboxAddress', 'userPrincipalName', 'mailboxDisplayName'],
    details: ['mailboxDisplayName'],
  },
  mailmessage: {
    kind: 'mail',
    names: ['subject', '{sender} → {recipient}', 'sender', 'recipient'],
    details: ['sender', 'recipient'],
  },
  mailcluster: {
    kind: 'mail',
    names: ['{clusterBy}: {clusterByValue}', 'clusterBy', 'subject', 'query'],
    details: ['query', 'sender'],
  },
  registry: {
    kind: 'registry',
    names: [
      '{registryHive}\\{registryKey}\\{registryValueName}',
      '{registryHive}\\{registryKey}',
      ...['registryKey', 'registryValue', 'registryHive'],
    ],
    details: ['registryValue'],
  },
  securitygroup: { kind: 'group', names: ['securityGroupName', 'securityGroupId'], details: ['securityGroupId'] },
  device: { kind: 'device', names: device },
  cloudapplication: { kind: 'app', names: app },
  oauthapplication: { kind: 'app', names: app },
})
