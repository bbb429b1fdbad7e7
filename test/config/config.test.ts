import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import express from 'express'
import { type Config, readConfig, startWarnings } from '../../server/config/config.ts'
import { ConfigError, type Environment, variables } from '../../server/config/variables.ts'
import { certificate } from '../support/certificates.ts'

const secret = 'p9Q2vN7xR4sT8wY1zA3bC6dE5fG0hJ_k'
const enough: Environment = {
  SESSION_SECRET: secret,
  AZURE_CLIENT_ID: '3B7F2D90-5C1E-4A86-9D43-0F8E61B7A2C5',
  AZURE_CLIENT_SECRET: 'kqV8Q~not-a-real-one',
  AZURE_TENANT_ID: '5f0a9c3e-77d2-4b10-8a4e-b1c6d2e90f44',
}

/** What is wrong with an environment, by variable. */
function faultsOf(env: Environment): Record<string, string> {
  try {
    readConfig(env)
    return {}
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return Object.fromEntries(error.problems.map(({ variable, problem }) => [variable, problem]))
  }
}

const read = (changes: Environment): Config => readConfig({ ...enough, ...changes })

describe('the configuration', () => {
  test('needs four values, and has a default for all others', () => {
    const config = readConfig(enough)
    expect(config).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      publicUrl: 'http://localhost:3000',
      authorityHost: 'https://login.microsoftonline.com',
      defenderUrl: 'https://api.security.microsoft.com',
      graphUrl: 'https://graph.microsoft.com',
      incidentsApi: 'defender',
      databaseUrl: null,
      dataDir: './data',
      role: 'all',
      adminUsers: [],
      trustProxy: [],
      metricsPort: null,
      sync: { callsPerMinute: 50, callsPerHour: 1_500 },
    })
    expect(config.app.clientId).toBe('3b7f2d90-5c1e-4a86-9d43-0f8e61b7a2c5')
    expect(config.signIn).toEqual(config.app)
    expect(Object.isFrozen(config)).toBe(true)
  })

  test('says everything that is missing at once', () => {
    expect(Object.keys(faultsOf({})).sort()).toEqual(
      ['AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET', 'AZURE_TENANT_ID', 'SESSION_SECRET'].sort(),
    )
  })

  test('says everything that is wrong at once, and how to mend each', () => {
    const wrong: Environment = {
      PORT: '70000',
      PUBLIC_URL: 'http://muster.example.com',
      SESSION_SECRET: 'too-short',
      AZURE_CLIENT_ID: 'my-app',
      AZURE_CLIENT_SECRET: '3b7f2d90-5c1e-4a86-9d43-0f8e61b7a2c5',
      AZURE_TENANT_ID: 'contoso.onmicrosoft.com',
      SIGN_IN_CLIENT_ID: 'x',
      AZURE_AUTHORITY_HOST: 'https://login.evil.example',
      DEFENDER_API_URL: 'http://api.security.microsoft.com',
      GRAPH_API_URL: 'https://graph.microsoft.com/v1.0',
      INCIDENTS_API: 'both',
      DATABASE_URL: 'mysql://db',
      ROLE: 'boss',
      TRUST_PROXY: 'everyone!',
      LOG_LEVEL: 'loud',
      CALLS_PER_MINUTE: 'many',
      CALLS_PER_HOUR: '9',
      METRICS_PORT: '70000',
    }
    const faults = faultsOf(wrong)
    expect(Object.keys(faults).sort()).toEqual([...Object.keys(wrong), 'SIGN_IN_CLIENT_SECRET'].sort())
    try {
      readConfig(wrong)
    } catch (error) {
      for (const { remedy } of (error as ConfigError).problems) expect(remedy).toMatch(/\.$|"$/)
    }
  })

  test('never repeats a value, right or wrong', () => {
    const canaries: Environment = {
      ...enough,
      SESSION_SECRET: 'canary-session',
      AZURE_CLIENT_SECRET: 'canary-client-secret',
      AZURE_CLIENT_ID: 'canary-client',
      DATABASE_URL: 'canary://user:canary@host',
      SIGN_IN_CLIENT_SECRET: 'canary-sign-in',
      AZURE_AUTHORITY_HOST: 'https://canary.example',
      PUBLIC_URL: 'https://canary:canary@x',
    }
    try {
      readConfig(canaries)
      throw new Error('it was accepted')
    } catch (error) {
      const said = JSON.stringify([(error as ConfigError).message, (error as ConfigError).problems])
      expect(said).not.toContain('canary')
    }
  })

  test.each([
    ['a sample', 'changeme-changeme-changeme-changeme'],
    ['one letter over and over', 'a'.repeat(40)],
    ['short', 'p9Q2vN7xR4sT8wY1'],
    ['a good one and a short one', `${secret},short`],
  ])('refuses a session secret that is %s', (_what, value) => {
    expect(faultsOf({ ...enough, SESSION_SECRET: value })).toHaveProperty('SESSION_SECRET')
  })

  test('takes several session secrets, the newest first', () => {
    expect(read({ SESSION_SECRET: `${secret}2, ${secret}1` }).sessionSecrets).toEqual([`${secret}2`, `${secret}1`])
  })

  test.each(['https://m.example/path', 'https://m.example/?q', 'https://u@m.example', 'm.example', 'ftp://m.example'])(
    'refuses %j as PUBLIC_URL',
    (value) => {
      expect(faultsOf({ ...enough, PUBLIC_URL: value })).toHaveProperty('PUBLIC_URL')
    },
  )

  test.each([
    ['AZURE_AUTHORITY_HOST', 'https://login.microsoftonline.us'],
    ['AZURE_AUTHORITY_HOST', 'http://localhost:4000'],
    ['AZURE_AUTHORITY_HOST', 'http://127.0.0.1:4000'],
    ['DEFENDER_API_URL', 'https://api-eu.security.microsoft.com'],
  ])('takes %s=%s', (name, value) => {
    expect(faultsOf({ ...enough, [name]: value })).toEqual({})
  })

  test.each([
    ['AZURE_AUTHORITY_HOST', 'https://login.microsoftonline.com.evil.example'],
    ['AZURE_AUTHORITY_HOST', 'https://login.microsoftonline.com@evil.example'],
    ['AZURE_AUTHORITY_HOST', 'http://login.microsoftonline.com'],
    ['AZURE_AUTHORITY_HOST', 'http://localhost.evil.example:4000'],
    ['DEFENDER_API_URL', 'https://evil.example/api.security.microsoft.com'],
    ['DEFENDER_API_URL', 'https://api.security.microsoft.com.evil.example'],
    ['GRAPH_API_URL', 'https://graph.microsoft.com:8443'],
    ['PORT', '0x50'],
    ['ADMIN_USERS', 'ines@halvard.example, Ines Halvorsen'],
    ['TRUST_PROXY', '1'],
    ['TRUST_PROXY', '10.0.0.0/8, true'],
    ['TRUST_PROXY', '10.0.0.0/99'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', '10.0.0.1, 0.0.0.0/0'],
    ['TRUST_PROXY', '0.0.0.0/1,128.0.0.0/1'],
    ['TRUST_PROXY', '::/0'],
    ['TRUST_PROXY', '2001:db8::/129'],
    ['TRUST_PROXY', '::ffff:0.0.0.0/96'],
    ['TRUST_PROXY', '10.0.0.0/'],
    ['TRUST_PROXY', '10.0.0.0/255.0.0.0'],
    ['TRUST_PROXY', '10.0.0.0/8/8'],
    ['TRUST_PROXY', 'fe80::1%eth0'],
    ['TRUST_PROXY', 'constructor'],
    ['CALLS_PER_MINUTE', '0'],
    ['CALLS_PER_MINUTE', '-50'],
    ['CALLS_PER_MINUTE', '1e3'],
    ['CALLS_PER_HOUR', '1500.5'],
    ['CALLS_PER_HOUR', '10000000'],
    ['METRICS_PORT', 'yes'],
    ['METRICS_PORT', '3000'],
    ['METRICS_PORT', '127.0.0.1:9464'],
  ])('refuses %s=%s', (name, value) => {
    expect(faultsOf({ ...enough, [name]: value })).toHaveProperty(name)
  })

  test.each([
    ['10.0.0.1', ['10.0.0.1']],
    [' 10.0.0.0/8 ,, 2001:db8::/32', ['10.0.0.0/8', '2001:db8::/32']],
    ['fc00::/7, ::1/128, 10.0.0.1/032', ['fc00::/7', '::1/128', '10.0.0.1/32']],
    ['::ffff:10.0.0.0/104', ['::ffff:10.0.0.0/104']],
    ['Loopback, private', ['loopback', 'uniquelocal', 'linklocal', '100.64.0.0/10']],
  ])('takes TRUST_PROXY=%s, and so does what believes it', (value, expected) => {
    const { trustProxy } = read({ TRUST_PROXY: value })
    expect(trustProxy).toEqual(expected)
    expect(() => express().set('trust proxy', trustProxy)).not.toThrow()
  })

  test('believes no proxy beyond the private ranges when told "private"', () => {
    const believes = express()
      .set('trust proxy', read({ TRUST_PROXY: 'private' }).trustProxy)
      .get('trust proxy fn')
    for (const address of ['10.1.2.3', '172.31.0.1', '192.168.4.4', '100.100.0.1', 'fd00::1', '169.254.1.1']) {
      expect([address, believes(address, 0)]).toEqual([address, true])
    }
    for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '127.0.0.1', '2001:db8::1']) {
      expect([address, believes(address, 0)]).toEqual([address, false])
    }
  })

  test('reads administrators without regard to letter case', () => {
    const objectId = '5F0A0000-1111-4222-8333-444455556666'
    expect(read({ ADMIN_USERS: ` Ines@Halvard.example ,, ${objectId} ` }).adminUsers).toEqual([
      'ines@halvard.example',
      objectId.toLowerCase(),
    ])
  })

  test('has the limits of the API it reads, unless it is told others', () => {
    expect(read({ INCIDENTS_API: 'graph' }).sync).toMatchObject({ callsPerMinute: 150, callsPerHour: 9_000 })
    expect(read({ CALLS_PER_MINUTE: '20', CALLS_PER_HOUR: ' 600 ' }).sync).toMatchObject({
      callsPerMinute: 20,
      callsPerHour: 600,
    })
  })

  test('has a port for metrics that is not the pages’', () => {
    expect(read({ METRICS_PORT: '9464' }).metricsPort).toBe(9464)
    expect(read({ PORT: '0', METRICS_PORT: '0' }).metricsPort).toBe(0)
    for (const METRICS_PORT of ['3100', 'none']) {
      try {
        read({ PORT: '3100', METRICS_PORT })
        throw new Error('it was accepted')
      } catch (error) {
        const { problems } = error as ConfigError
        expect(problems.map(({ variable }) => variable)).toEqual(['METRICS_PORT'])
        expect(problems[0]?.remedy).not.toContain('3000')
      }
    }
  })

  test('has a second registration only when both of its halves are there', () => {
    expect(faultsOf({ ...enough, SIGN_IN_CLIENT_ID: enough.AZURE_CLIENT_ID })).toHaveProperty('SIGN_IN_CLIENT_SECRET')
    for (const name of ['SIGN_IN_CLIENT_SECRET', 'SIGN_IN_CLIENT_SECRET_2'] as const) {
      expect(faultsOf({ ...enough, [name]: 'x' })).toHaveProperty('SIGN_IN_CLIENT_ID')
    }
  })

  test('has a second credential beside the first, never in its place and never the same one', () => {
    const { app, signIn } = read({ AZURE_CLIENT_SECRET_2: 'another one' })
    expect([app.second, signIn.second]).toEqual(Array(2).fill({ kind: 'secret', secret: 'another one' }))
    expect(read({ AZURE_CLIENT_SECRET_2: ' ' }).app.second).toBeNull()
    const first = { AZURE_CLIENT_SECRET: '', AZURE_CLIENT_SECRET_2: 'another one' }
    expect(Object.keys(faultsOf({ ...enough, ...first }))).toEqual(['AZURE_CLIENT_SECRET'])
    const same = { AZURE_CLIENT_SECRET_2: enough.AZURE_CLIENT_SECRET }
    expect(faultsOf({ ...enough, ...same })).toEqual({
      AZURE_CLIENT_SECRET_2: 'is the same credential as the first',
    })
    const both = { AZURE_CLIENT_SECRET_2: 'x', AZURE_CLIENT_CERTIFICATE_PATH_2: '/nowhere.pem' }
    expect(Object.keys(faultsOf({ ...enough, ...both }))).toEqual(['AZURE_CLIENT_CERTIFICATE_PATH_2'])
    const id = { AZURE_CLIENT_SECRET_2: enough.AZURE_CLIENT_ID }
    expect(faultsOf({ ...enough, ...id }).AZURE_CLIENT_SECRET_2).toMatch(/the secret’s ID/)
  })
})

describe('a certificate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'app.pem')
  const env = { ...enough, AZURE_CLIENT_SECRET: '', AZURE_CLIENT_CERTIFICATE_PATH: path }
  const faultOf = (content: string | Buffer) => {
    writeFileSync(path, content)
    return faultsOf(env).AZURE_CLIENT_CERTIFICATE_PATH
  }
  const credentialOf = (content: string) => {
    writeFileSync(path, content)
    const { credential } = readConfig(env).app
    if (credential.kind !== 'certificate') throw new Error('no certificate was read')
    return credential
  }
  const root = certificate({ name: 'root' })
  const middle = certificate({ name: 'middle', issuer: root })
  const app = certificate({ name: 'muster', issuer: middle })
  const other = certificate({ name: 'other' })

  test('is refused beside a secret', () => {
    expect(faultsOf({ ...enough, AZURE_CLIENT_CERTIFICATE_PATH: '/nowhere.pem' })).toHaveProperty(
      'AZURE_CLIENT_CERTIFICATE_PATH',
    )
  })

  test('is read with its key, its thumbprint and its dates', () => {
    const credential = credentialOf(`${app.pem}${app.key}`)
    expect(credential.thumbprintSha256).toMatch(/^[0-9A-F]{64}$/)
    expect(credential.privateKey).toContain('PRIVATE KEY')
    expect(credential.validFrom.getTime()).toBeLessThan(Date.now())
    expect(credential.expiresAt.getTime()).toBeGreaterThan(Date.now())
  })

  test('is found in a chain of any order, which is handed on in the right one', () => {
    const parts = [app.pem, middle.pem, root.pem, other.pem, app.key]
    const expected = credentialOf(`${app.pem}${app.key}`).thumbprintSha256
    for (let turn = 0; turn < parts.length; turn++) {
      for (const order of [parts, [...parts].reverse()]) {
        const { certificate: chain, thumbprintSha256 } = credentialOf(
          [...order.slice(turn), ...order.slice(0, turn)].join('\n'),
        )
        expect(thumbprintSha256).toBe(expected)
        expect(namesIn(chain)).toEqual(['CN=muster', 'CN=middle', 'CN=root'])
      }
    }
  })

  test('is read from what tools write around it', () => {
    const bag = `Bag Attributes\r\n    localKeyID: 01\r\nsubject=CN = muster\r\n${app.pem}\r\nKey Attributes: <None>\r\n${app.key}`
    expect(credentialOf(`\ufeff${bag}`).thumbprintSha256).toMatch(/^[0-9A-F]{64}$/)
    const old = createPrivateKey(app.key).export({ type: 'pkcs1', format: 'pem' })
    expect(credentialOf(`${old}${app.pem}`).privateKey).toContain('BEGIN PRIVATE KEY')
  })

  const locked = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'canary' } as const
  const lockedOld = { type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'canary' } as const
  test.each<[string, () => string | Buffer, RegExp]>([
    [
      'an EC key',
      () => both(certificate({ name: 'ec', key: 'ec' })),
      /a key of kind EC, and Microsoft takes RSA alone/,
    ],
    ['an Ed25519 key', () => both(certificate({ name: 'ed', key: 'ed25519' })), /a key of kind ED25519/],
    ['1,024 bits', () => both(certificate({ name: 'weak', key: 1024 })), /an RSA key of 1024 bits/],
    ['no key', () => `${app.pem}${root.pem}`, /holds no private key/],
    ['a locked key', () => `${app.pem}${createPrivateKey(app.key).export(locked)}`, /with a passphrase/],
    ['a locked key of the old form', () => `${app.pem}${createPrivateKey(app.key).export(lockedOld)}`, /passphrase/],
    ['another one’s key', () => `${app.pem}${other.key}`, /a private key of none of its certificates/],
    ['two keys', () => `${both(app)}${other.key}`, /several private keys/],
    ['no certificate', () => app.key, /holds no certificate/],
    ['half a certificate', () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /cannot be read/],
    [
      'half a key',
      () => `${app.pem}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----`,
      /key that cannot be read/,
    ],
    ['DER', () => Buffer.from([0x30, 0x82, 0x01, 0x00]), /not PEM/],
    ['nothing', () => '', /holds no certificate/],
  ])('with %s is refused by name', (_what, content, problem) => {
    expect(faultOf(content())).toMatch(problem)
  })

  test('that is not there is refused by name', () => {
    rmSync(path, { force: true })
    expect(faultsOf(env).AZURE_CLIENT_CERTIFICATE_PATH).toMatch(/no file that can be read \(ENOENT\)/)
  })

  test.each([
    ['over', { from: -400, to: -1 }, /ended on/],
    ['not valid yet', { from: 2, to: 400 }, /not valid before/],
    ['within its dates', { from: -1, to: 400 }, null],
  ])('that is %s starts, with a warning where one is due', (_when, dates, warning) => {
    writeFileSync(path, both(certificate({ name: 'dated', ...dates })))
    const warnings = startWarnings(readConfig(env), new Date())
    if (warning === null) expect(warnings).toEqual([])
    else expect(warnings.map(({ problem }) => problem)).toEqual([expect.stringMatching(warning)])
  })
})

describe('certificates of the sign-in registration, and second ones', () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const kept = (name: string, dates: { from?: number; to?: number } = {}) => {
    const path = join(folder, `${name}.pem`)
    writeFileSync(path, both(certificate({ name, ...dates })))
    return path
  }
  const signIn = { SIGN_IN_CLIENT_ID: '44444444-aaaa-4bbb-8ccc-0123456789ab' }

  test('are read as the first one of the app is', () => {
    const paths = { SIGN_IN_CLIENT_CERTIFICATE_PATH: kept('one'), SIGN_IN_CLIENT_CERTIFICATE_PATH_2: kept('two') }
    const { credential, second } = read({ ...signIn, ...paths }).signIn
    expect([credential.kind, second?.kind]).toEqual(['certificate', 'certificate'])
    const same = { ...paths, SIGN_IN_CLIENT_CERTIFICATE_PATH_2: paths.SIGN_IN_CLIENT_CERTIFICATE_PATH }
    expect(Object.keys(faultsOf({ ...enough, ...signIn, ...same }))).toEqual(['SIGN_IN_CLIENT_CERTIFICATE_PATH_2'])
    const nowhere = { SIGN_IN_CLIENT_CERTIFICATE_PATH: join(folder, 'nothing.pem') }
    expect(faultsOf({ ...enough, ...signIn, ...nowhere }).SIGN_IN_CLIENT_CERTIFICATE_PATH).toMatch(/ENOENT/)
  })

  test('that have ended are warned of, and stop everything only where nothing else is left', () => {
    const ended = kept('ended', { from: -400, to: -1 })
    const remedies = (env: Environment) => startWarnings(read({ ...signIn, ...env }), new Date())
    const [covered, ...none] = remedies({ SIGN_IN_CLIENT_CERTIFICATE_PATH: ended, SIGN_IN_CLIENT_SECRET_2: 'x' })
    expect(none).toEqual([])
    expect(covered).toMatchObject({ variable: 'SIGN_IN_CLIENT_CERTIFICATE_PATH' })
    expect(covered?.remedy).not.toContain('Nobody can sign in')
    const alone = remedies({ SIGN_IN_CLIENT_CERTIFICATE_PATH: ended })
    expect(alone.map(({ remedy }) => remedy)).toEqual([expect.stringContaining('Nobody can sign in until then')])
  })
})

const both = ({ pem, key }: { pem: string; key: string }) => `${pem}${key}`
const namesIn = (chain: string) =>
  (chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (pem) => new X509Certificate(pem).subject,
  )

describe('.env.example', () => {
  test('lists exactly what is read, in the same order', () => {
    const listed = [...readFileSync('.env.example', 'utf8').matchAll(/^([A-Z_0-9]+)=/gm)].map(([, name]) => name)
    expect(listed).toEqual([...variables])
  })
})
