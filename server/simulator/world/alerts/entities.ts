import { hour } from '../../../time.ts'
import type { Device, Entity, EntityBody, FileDetails, UserAccount } from '../incidents.ts'
import { type Instant, instantOf } from '../instants.ts'
import { hashOf, Random } from '../random.ts'
import type { Prop } from '../stories.ts'

/** Documentation ranges (RFC 5737, RFC 3849) and reserved names (RFC 2606): nothing here belongs to anyone. */
const badAddresses = [
  '203.0.113.87',
  '203.0.113.12',
  '198.51.100.24',
  '198.51.100.201',
  '192.0.2.190',
  '2001:db8:4a::17',
]
const badUrls = [
  'https://faktura-portal.example/inlogg',
  'https://filehaven.example/d/9c1f4a',
  'https://login-verify.example/common/oauth2',
  'http://cdn-updates.example/a.bin',
]
const subjects = [
  'Faktura 88120 – förfallen',
  'Re: Offert och leveransplan Q4',
  '付款通知：請於今日確認',
  'Voicemail from +46 8 555 014 22',
  'Action required: mailbox storage is full',
  'Überweisung fehlgeschlagen',
]
const files = [
  ['rcl.exe', 'C:\\ProgramData\\OneDrive'],
  ['update.ps1', 'C:\\Users\\Public'],
  ['invoice_88120.iso', 'C:\\Users\\Public\\Downloads'],
  ['svchost_.exe', 'C:\\Windows\\Temp'],
  ['löneunderlag 2026.xlsx', 'C:\\Users\\Public\\Documents'],
] as const
const fileDetails: readonly FileDetails[] = files.map(([fileName, filePath]) => {
  const content = new Random(hashOf(fileName))
  return {
    fileName,
    filePath,
    sha1: content.hex(40),
    sha256: content.hex(64),
    size: content.int(4_000, 9_000_000),
    publisher: fileName === 'rcl.exe' ? null : 'Microsoft Corporation',
  }
})
const commands = [
  'powershell.exe -nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUAdAAuAFcAZQBiAEMAbABpAGUAbgB0ACkA',
  '"cmd.exe" /c whoami /all & nltest /domain_trusts & net group "Domain Admins" /domain',
  'rundll32.exe C:\\windows\\System32\\comsvcs.dll, MiniDump 672 C:\\ProgramData\\o.dmp full',
  'vssadmin.exe delete shadows /all /quiet',
  'schtasks /create /sc minute /mo 20 /tn "OneDrive Standalone Update Task v3" /tr C:\\ProgramData\\OneDrive\\rcl.exe',
]
const countries = ['NL', 'RU', 'BR', 'US', 'VN', null] as const

/** The people and things of one story. */
export interface Props {
  user: UserAccount
  /** Anybody of the tenant. */
  somebody: (chance: Random) => UserAccount
  device: Device
  server: Device
}

/** Where an entity comes from: the story, chance, when the alert was and on which device. */
interface Scene {
  set: Props
  random: Random
  at: number
  deviceId: string | null
}

type Kind = Exclude<Prop, 'device' | 'server'>

const bodies: Record<Kind, (scene: Scene) => EntityBody> = {
  user: ({ set }) => ({ kind: 'user', ...set.user }),
  ip: ({ random }) => ({
    kind: 'ip',
    address: random.pick(badAddresses),
    country: random.pick(countries),
  }),
  url: ({ random }) => ({ kind: 'url', url: random.pick(badUrls) }),
  file: ({ random, deviceId }) => ({ kind: 'file', deviceId, ...file(random) }),
  process: ({ set, random, at, deviceId }) => ({
    kind: 'process',
    deviceId,
    processId: random.int(900, 19_000),
    parentProcessId: random.int(400, 9000),
    commandLine: random.pick(commands),
    startedAt: instant(at, random, 60_000),
    parentStartedAt: instant(at, random, hour),
    image: file(random),
    account: set.user,
  }),
  mailbox: ({ set, random }) => {
    const owner = set.somebody(random)
    const address = owner.userPrincipalName ?? owner.accountName
    return { kind: 'mailbox', address, displayName: owner.displayName, userPrincipalName: address }
  },
  mail: ({ set, random, at }) => ({
    kind: 'mail',
    sender: random.pick(['billing@faktura-portal.example', 'no-reply@login-verify.example', 'ap@supplier.example']),
    senderIp: random.pick(badAddresses),
    recipient: set.user.userPrincipalName ?? set.user.accountName,
    subject: random.pick(subjects),
    deliveryAction: random.pick(['delivered', 'deliveredToJunk', 'blocked']),
    networkMessageId: random.guid(),
    internetMessageId: `<${random.hex(24)}@mail.example>`,
    receivedAt: instant(at, random, 600_000),
    urls: [random.pick(badUrls)],
  }),
  mailCluster: ({ random }) => ({
    kind: 'mailCluster',
    clusterBy: 'UrlThreatIndicator',
    query: `UrlThreatIndicator:"${random.hex(16)}"`,
    count: random.int(2, 60),
  }),
  registry: ({ deviceId }) => ({
    kind: 'registry',
    hive: 'HKEY_LOCAL_MACHINE',
    key: 'SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run',
    valueName: 'OneDriveUpdate',
    value: 'C:\\ProgramData\\OneDrive\\rcl.exe',
    deviceId,
  }),
  group: ({ random }) => ({ kind: 'group', groupId: random.guid(), name: 'Domain Admins' }),
  cloudApp: ({ random }) => ({
    kind: 'cloudApp',
    ...random.pick([
      { appId: 20892, name: 'Microsoft SharePoint Online' },
      { appId: 20893, name: 'Microsoft Exchange Online' },
      { appId: 31410, name: 'filehaven' },
    ]),
  }),
}

export function entityOf(prop: Kind, scene: Scene): Entity {
  const verdict = scene.random.pick(['suspicious', 'suspicious', 'malicious', 'unknown'] as const)
  const remediation = scene.random.pick(['none', 'active', 'remediated', 'blocked'])
  return { verdict, remediation, ...bodies[prop](scene) }
}

function file(random: Random): FileDetails {
  return random.pick(fileDetails)
}

function instant(at: number, random: Random, before: number): Instant {
  return instantOf(at - random.int(0, before), random.int(0, 9999))
}
