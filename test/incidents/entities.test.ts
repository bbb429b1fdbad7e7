import { describe, expect, test } from '@jest/globals'
import { readNamed } from '../../server/microsoft/evidence/defender.ts'
import { readEvidence } from '../../server/microsoft/evidence/graph.ts'
import { isIdentifying, withoutRepeats } from '../../server/model/entity-identity.ts'
import type { RemoteEntity } from '../../server/model/incident.ts'
import { publicFixture } from '../support/public-fixtures.ts'

const evidence = (kind: string, fields: object = {}) => ({
  '@odata.type': `#microsoft.graph.security.${kind}Evidence`,
  createdDateTime: '2026-11-19T21:04:05.79Z',
  verdict: 'unknown',
  remediationStatus: 'none',
  remediationStatusDetails: null,
  roles: [],
  detailedRoles: [],
  tags: [],
  ...fields,
})
const graph = (kind: string, fields: object) => readEvidence(evidence(kind, fields))
const defender = (entityType: string, fields: object) => readNamed({ entityType, sha1: null, url: '', ...fields })
const valuesOf = ({ name, detail, facts = [] }: RemoteEntity) => [name, detail, ...facts.map(([, value]) => value)]

describe('entities that differ in a field stay apart, and each of its values is told', () => {
  const account = (fields: object) => ({ userAccount: { accountName: 'administrator', userSid: null, ...fields } })
  const file = (fields: object) => ({ fileDetails: { fileName: 'invoice.exe', filePath: 'C:\\Temp', ...fields } })
  const pod = (namespace: string) => ({ name: 'web', namespace: { name: namespace, cluster: { name: 'prod' } } })
  const zsh = (processId: number) => ({ processId, imageFile: { fileName: 'zsh' }, processCommandLine: '-zsh' })
  const registry = { registryHive: 'HKLM', registryKey: 'SOFTWARE\\Run' }
  const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => 4_000 + n)
  const cases: [string, RemoteEntity[], string[]][] = [
    ['files by their hash', ['aa11', 'bb22'].map((sha256) => graph('file', file({ sha256 }))), ['aa11', 'bb22']],
    [
      'accounts by their domain',
      ['CONTOSO', 'FABRIKAM'].map((domainName) => graph('user', account({ domainName }))),
      ['CONTOSO\\administrator', 'FABRIKAM\\administrator'],
    ],
    [
      'guests by their home tenant',
      ['t-1', 't-2'].map((tenantId) => graph('user', account({ tenantId }))),
      ['t-1', 't-2'],
    ],
    [
      'one mail by its recipients',
      ['a@x.example', 'b@x.example', 'c@x.example'].map((recipientEmailAddress) =>
        graph('analyzedMessage', {
          subject: 'Invoice',
          recipientEmailAddress,
          p2Sender: { emailAddress: 'm@x.example' },
        }),
      ),
      ['a@x.example', 'b@x.example', 'c@x.example'],
    ],
    [
      'registry values by their name',
      ['One', 'Two'].map((registryValueName) => graph('registryValue', { ...registry, registryValueName })),
      ['HKLM\\SOFTWARE\\Run\\One', 'HKLM\\SOFTWARE\\Run\\Two'],
    ],
    [
      'mail clusters by what they are put together by',
      ['v1', 'v2'].map((clusterByValue) =>
        graph('mailCluster', { clusterBy: 'Subject', clusterByValue, emailCount: 3 }),
      ),
      ['Subject: v1', 'Subject: v2'],
    ],
    [
      'apps by their ID',
      ['app-1', 'app-2'].map((appId) => graph('oauthApplication', { displayName: 'Mail helper', appId })),
      ['app-1', 'app-2'],
    ],
    ['pods by their namespace', ['shop', 'bank'].map((name) => graph('kubernetesPod', pod(name))), ['shop', 'bank']],
    ['processes by their ID', nine.map((pid) => graph('process', zsh(pid))), nine.map(String)],
    [
      'addresses by the letter case of their path',
      ['https://x.example/A', 'https://x.example/a'].map((url) => graph('url', { url })),
      ['https://x.example/A', 'https://x.example/a'],
    ],
    [
      'texts by what lies beyond any bound',
      ['1', '2'].map((end) => graph('process', { ...zsh(1), processCommandLine: 'x'.repeat(9_000) + end })),
      [],
    ],
    [
      'files of the Defender API by their hash',
      ['aa11', 'bb22'].map((sha256) => defender('File', { fileName: 'invoice.exe', sha256 })),
      ['aa11', 'bb22'],
    ],
    [
      'mail of the Defender API by its recipients',
      ['a@x.example', 'b@x.example'].map((recipient) => defender('MailMessage', { subject: 'Invoice', recipient })),
      ['a@x.example', 'b@x.example'],
    ],
    [
      'accounts of the Defender API by their domain',
      ['CONTOSO', 'FABRIKAM'].map((domainName) => defender('User', { accountName: 'administrator', domainName })),
      ['CONTOSO\\administrator', 'FABRIKAM\\administrator'],
    ],
    [
      'processes of the Defender API by their ID',
      nine.map((processId) => defender('Process', { fileName: 'zsh', processId, processCommandLine: '-zsh' })),
      nine.map(String),
    ],
    [
      'kinds nobody has met yet, by any field, on both APIs',
      [
        ...['x', 'y'].map((deep) => graph('quantumDevice', { displayName: 'Q', inner: { deep: [deep] } })),
        ...['x', 'y'].map((deep) => defender('QuantumDevice', { displayName: 'Q', inner: { deep: [deep] } })),
      ],
      [],
    ],
  ]
  test.each(cases)('%s', (_, entities, values) => {
    // Each comes again in another alert: that is the same thing once more.
    const found = withoutRepeats([...entities, ...entities])
    expect(found).toHaveLength(entities.length)
    expect(found.flatMap(valuesOf)).toEqual(expect.arrayContaining(values))
  })
})

describe('one thing is one entry', () => {
  test('in whatever letter case a device is written, and whatever was said of it at a moment', () => {
    const device = { mdeDeviceId: 'ab12', deviceDnsName: 'SRV-01.contoso.example', riskScore: 'low' }
    const found = withoutRepeats([
      graph('device', device),
      graph('device', { ...device, deviceDnsName: 'srv-01.contoso.example', riskScore: 'high' }),
    ])
    expect(found).toHaveLength(1)
    expect(found.flatMap(valuesOf)).toEqual(expect.arrayContaining(['low', 'high']))
  })

  test('where an alert says less of it than another', () => {
    const known = { mdeDeviceId: 'ab12', deviceDnsName: 'srv-01.contoso.example' }
    const found = withoutRepeats([graph('device', { deviceDnsName: 'srv-01.contoso.example' }), graph('device', known)])
    expect(found.map(({ facts }) => facts)).toEqual([[['mdeDeviceId', 'ab12']]])
  })

  test('with the gravest verdict, and every remediation', () => {
    const file = { fileDetails: { fileName: 'a.exe', sha256: 'aa' } }
    const [one, ...more] = withoutRepeats([
      readEvidence({ ...evidence('file', file), verdict: 'suspicious', remediationStatus: 'active' }),
      readEvidence({ ...evidence('file', file), verdict: 'malicious', remediationStatus: 'blocked' }),
    ])
    expect(more).toEqual([])
    expect(one).toMatchObject({ verdict: 'malicious', remediation: 'blocked' })
    expect(one?.facts).toContainEqual(['remediationStatus', 'active'])
  })

  test('a file of which nothing but the name is known is not taken for one that is', () => {
    const named = graph('file', { fileDetails: { fileName: 'a.exe' } })
    expect(withoutRepeats([graph('file', { fileDetails: { fileName: 'a.exe', sha256: 'aa' } }), named])).toHaveLength(2)
  })
})

describe('evidence of each kind is named by what names it', () => {
  const account = { userAccount: { userPrincipalName: 'k.lund@contoso.example' } }
  const namespace = { name: 'shop', cluster: { name: 'prod' } }
  test.each([
    ['containerImage', { imageId: 'web:7', registry: { registry: 'cr.example' } }, 'cloud', 'web:7', 'cr.example'],
    ['containerRegistry', { registry: 'cr.example' }, 'cloud', 'cr.example', null],
    ['container', { name: 'web', image: { imageId: 'web:7' } }, 'cloud', 'web', 'web:7'],
    [
      'aiAgent',
      { agentName: 'Helper', agentId: 'a-1', hostingPlatformType: 'copilotStudio' },
      'agent',
      'Helper',
      'copilotStudio',
    ],
    [
      'networkConnection',
      {
        sourceAddress: { ipAddress: '10.0.0.4' },
        sourcePort: 50123,
        destinationAddress: { ipAddress: '203.0.113.9' },
        destinationPort: 443,
        protocol: 'tcp',
      },
      'connection',
      '10.0.0.4:50123 → 203.0.113.9:443',
      'tcp',
    ],
    ['nic', { macAddress: '00:11:22', ipAddress: { ipAddress: '10.0.0.4' } }, 'device', '00:11:22', '10.0.0.4'],
    ['cloudLogonRequest', { requestId: 'r-1' }, 'session', 'r-1', null],
    ['sasToken', { allowedServices: ['blob', 'file'], signatureHash: 'h1' }, 'cloud', 'blob, file', 'h1'],
    [
      'teamsMessage',
      { subject: 'Hello', senderFromAddress: 'm@x.example', threadType: 'chat' },
      'mail',
      'Hello',
      'm@x.example · chat',
    ],
    [
      'gitHubRepo',
      { owner: 'contoso', baseUrl: 'https://github.example' },
      'repository',
      'contoso https://github.example',
      null,
    ],
    ['gitHubUser', { login: 'klund', email: 'k@x.example' }, 'user', 'klund', 'k@x.example'],
    ['gitHubOrganization', { displayName: 'Contoso', login: 'contoso' }, 'group', 'Contoso', 'contoso'],
    ['dns', { domainName: 'x.example' }, 'url', 'x.example', null],
    ['hostLogonSession', { account, host: { hostName: 'SRV-01' } }, 'session', 'k.lund@contoso.example · SRV-01', null],
    [
      'cloudLogonSession',
      { account, deviceName: 'LAP', sessionId: 's' },
      'session',
      'k.lund@contoso.example · LAP',
      's',
    ],
    [
      'mailboxConfiguration',
      { displayName: 'Rule', configurationType: 'mailForwardingRule' },
      'mailbox',
      'Rule',
      'mailForwardingRule',
    ],
    ['amazonResource', { resourceName: 'bucket', amazonResourceId: 'arn:1' }, 'cloud', 'bucket', 'arn:1'],
    ['kubernetesPod', { name: 'web', namespace }, 'cloud', 'web', 'prod / shop'],
    ['ioTDevice', { deviceName: 'Camera', model: 'C7' }, 'device', 'Camera', 'C7'],
    ['submissionMail', { subject: 'Odd', sender: 'm@x', recipient: 'k@x' }, 'mail', 'Odd', 'm@x → k@x'],
    ['blob', { name: 'a.zip', url: 'https://b.example/a.zip' }, 'cloud', 'a.zip', 'https://b.example/a.zip'],
  ])('%s', (type, fields, kind, name, detail) => {
    expect(graph(type, fields)).toMatchObject({ type, kind, name, detail })
  })

  test('and one nobody has met yet by its type and its JSON, on both APIs', () => {
    const fields = { displayName: 'Q', spin: { up: true } }
    const facts = [['json', JSON.stringify(fields)]]
    expect(graph('quantumDevice', { ...fields })).toMatchObject({
      kind: 'other',
      name: 'Q',
      detail: 'quantumDevice',
      facts: [['json', expect.stringContaining('"spin":{"up":true}')]],
    })
    expect(readNamed({ entityType: 'QuantumDevice', ...fields })).toMatchObject({ detail: 'QuantumDevice', facts })
  })
})

type Properties = Record<string, string>
interface Schema {
  complexTypes: Record<string, { base: string | null; props: Properties }>
}
const schema = publicFixture('msgraph-metadata/graph-security-schema.json') as Schema | null

/** A value of a type of the schema that differs with `n`. */
function sampleOf(type: string, n: number, types: Schema['complexTypes'], depth = 0): unknown {
  const [, item] = /^Collection\((.+)\)$/.exec(type) ?? []
  if (item !== undefined) return [sampleOf(item, n, types, depth)]
  if (type === 'Edm.Boolean') return n % 2 === 0
  if (/^Edm\.(Int|Double)/.test(type)) return n
  const own = types[type.replace('self.', '')]
  if (own === undefined || depth > 2) return `value-${n}`
  const [first] = Object.entries(own.props).filter(([, inner]) => inner === 'Edm.String')
  const [name, inner] = first ?? Object.entries(own.props)[0] ?? ['unnamed', 'Edm.String']
  return { [name]: sampleOf(inner, n, types, depth + 1) }
}

if (schema !== null) {
  describe('every field that Graph’s schema has', () => {
    const types = {
      ...(schema as unknown as { entityTypes: Schema['complexTypes'] }).entityTypes,
      ...schema.complexTypes,
    }
    const kinds = Object.entries(types).filter(
      ([name, { base }]) => /Evidence$/.test(name) && base === 'self.alertEvidence',
    )
    test('of fifty kinds and more is told, and tells two apart unless it passes', () => {
      expect(kinds.length).toBeGreaterThan(45)
      for (const [name, { props }] of kinds) {
        const kind = name.replace(/Evidence$/, '')
        for (const [field, type] of Object.entries(props)) {
          const others = Object.fromEntries(
            Object.entries(props).map(([other, otherType]) => [other, sampleOf(otherType, 100, types)]),
          )
          const two = [0, 1].map((n) => graph(kind, { ...others, [field]: sampleOf(type, n, types) }))
          const found = withoutRepeats(two)
          const changed = two.flatMap(({ facts = [] }, index) =>
            facts.filter((fact) => !two[1 - index]?.facts?.some((other) => other.join() === fact.join())),
          )
          const apart = changed.length === 0 || changed.some(isIdentifying) || two[0]?.name !== two[1]?.name
          expect([kind, field, found.length]).toEqual([kind, field, apart ? 2 : 1])
          expect([kind, field, new Set(two.map((one) => JSON.stringify(valuesOf(one)))).size]).toEqual([kind, field, 2])
        }
      }
    })
  })
}
