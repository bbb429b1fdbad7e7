import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import Sqlite from 'libsql'
import { z } from 'zod'
import type { Environment } from '../../server/config/variables.ts'
import { createLog } from '../../server/log.ts'
import { examineEnvironment, type Finding } from '../../server/partner/doctor.ts'
import { type Simulator, startSimulator } from '../../server/simulator/simulator.ts'
import { cast } from '../../server/simulator/world/cast.ts'
import { openDatabase } from '../../server/store/engine/database.ts'
import { en } from '../../server/words/en.ts'
import { build } from '../support/build.ts'
import { listen } from '../support/ports.ts'
import { startNode } from '../support/processes.ts'
import { releaseFolder } from '../support/release.ts'

const folder = mkdtempSync(join(tmpdir(), 'muster-doctor-'))
const log = createLog('silent')
/** What a coloured line would begin with. */
const colour = String.fromCharCode(27)

const appId = '33333333-aaaa-4bbb-8ccc-0123456789ab'
const signInId = '44444444-aaaa-4bbb-8ccc-0123456789ab'
const canaries = {
  AZURE_CLIENT_SECRET: 'canary~app~secret~1a2b3c4d5e6f',
  SIGN_IN_CLIENT_SECRET: 'canary~sign-in~secret~6f5e4d3c',
  SESSION_SECRET: 'canarySESSION-zY8xW6vU4tS2rQ0pO9nM7',
}
const publicUrl = 'http://localhost:1'
const callbacks = [`${publicUrl}/auth/callback`, `${publicUrl}/consent/callback`]

let simulator: Simulator
let env: Environment
let folders = 0

beforeEach(async () => {
  const shared = { homeTenantId: cast.halvard.id, publisher: 'Halvard Security AB' }
  simulator = await startSimulator({
    registrations: [
      {
        ...shared,
        clientId: appId,
        displayName: 'Muster',
        audience: 'multi',
        secrets: [{ value: canaries.AZURE_CLIENT_SECRET }],
        redirectUris: [...callbacks],
        requiredResources: [{ resource: 'mtp', roles: ['Incident.Read.All'] }],
      },
      {
        ...shared,
        clientId: signInId,
        displayName: 'Muster sign-in',
        audience: 'single',
        secrets: [{ value: canaries.SIGN_IN_CLIENT_SECRET }],
        redirectUris: callbacks.slice(0, 1),
        requiredResources: [],
      },
    ],
  })
  simulator.world.addTenant({ id: cast.halvard.id, displayName: 'Halvard Security AB' })
  env = {
    ...canaries,
    PUBLIC_URL: publicUrl,
    DATA_DIR: join(folder, `data-${folders++}`),
    AZURE_TENANT_ID: cast.halvard.id,
    AZURE_CLIENT_ID: appId,
    SIGN_IN_CLIENT_ID: signInId,
    AZURE_AUTHORITY_HOST: simulator.origin,
    DEFENDER_API_URL: simulator.origin,
    GRAPH_API_URL: simulator.origin,
  }
})

afterEach(() => simulator.close())
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function examined(changes: Environment = {}, now = () => new Date()): Promise<Finding[]> {
  const { findings } = await examineEnvironment(
    { env: { ...env, ...changes }, problems: [], warnings: [] },
    { log, now },
  )
  for (const { code, outcome } of findings) {
    expect(en).toHaveProperty([`setup.found.${code}`])
    if (outcome !== 'ok') expect(en).toHaveProperty([`setup.found.${code}.next`])
  }
  return findings
}

/** What does not pass, as `check: code`. */
const troubles = (findings: readonly Finding[], ...outcomes: Finding['outcome'][]) =>
  findings
    .filter(({ outcome }) => (outcomes.length > 0 ? outcomes.includes(outcome) : outcome !== 'ok'))
    .map(({ check, code }) => `${check}: ${code}`)

describe('the doctor', () => {
  test.each([
    ['DirectoryRole', 'directory-roles-told'],
    ['All', 'directory-roles-told'],
    ['SecurityGroup, directoryrole', 'directory-roles-told'],
    ['SecurityGroup', 'directory-roles-missing'],
    ['None', 'directory-roles-missing'],
    [null, 'directory-roles-missing'],
  ])(
    'reads of groupMembershipClaims %j what sign-ins tell, where the sign-in registration may',
    async (claims, code) => {
      const { world } = simulator
      world.registration(appId).groupMembershipClaims = claims
      world.registration(signInId).requiredResources.push({ resource: 'graph', roles: ['Application.Read.All'] })
      world.consent(cast.halvard.id, signInId, { roles: ['Application.Read.All'], propagationMs: 0 })
      const found = (await examined()).filter(({ check }) => check === 'directory-roles')
      expect(found.map((one) => [one.code, one.outcome])).toEqual([
        [code, claims && code.endsWith('told') ? 'ok' : 'warning'],
      ])
    },
  )

  test('says that directory roles could not be read: without the right, without a second registration, without an answer', async () => {
    const unread = async (changes: Environment = {}) => {
      const found = (await examined(changes)).filter(({ check }) => check === 'directory-roles')
      return found.map(({ code, outcome }) => [code, outcome])
    }
    expect(await unread()).toEqual([['directory-roles-unread', 'unknown']])
    expect(await unread({ SIGN_IN_CLIENT_ID: '', SIGN_IN_CLIENT_SECRET: '' })).toEqual([
      ['directory-roles-unread', 'unknown'],
    ])
    simulator.world.consent(cast.halvard.id, signInId, { roles: ['Application.Read.All'], propagationMs: 0 })
    simulator.world.setWeather(cast.halvard.id, 'outage', { surface: 'api', status: 503, retryAfter: null })
    expect(await unread()).toEqual([['directory-roles-unread', 'unknown']])
  })

  test('finds nothing to mend where everything is right, and creates nothing', async () => {
    const findings = await examined()
    expect(troubles(findings, 'fault', 'warning')).toEqual([])
    expect(new Set(findings.map(({ check }) => check))).toEqual(
      new Set([
        'configuration',
        'database',
        'address',
        'metrics',
        'clock',
        'tenant',
        'credential',
        'audience',
        'directory-roles',
        'redirect-uris',
        'permissions',
        'api',
        'sign-in',
      ]),
    )
    expect(existsSync(env.DATA_DIR ?? '')).toBe(false)
  })

  test('tells a wrong secret from an expired one', async () => {
    const wrong = await examined({ AZURE_CLIENT_SECRET: 'canary~another~secret~altogether' })
    expect(troubles(wrong, 'fault')).toEqual(['credential: secret-wrong'])
    expect(wrong.find(({ code }) => code === 'secret-wrong')?.refusal?.facts.aadsts).toBe(7000215)
    simulator.world.expireSecrets(appId)
    expect(troubles(await examined(), 'fault')).toEqual(['credential: secret-expired'])
  })

  test('tries both of two credentials: one refused is a warning, all refused is the fault', async () => {
    const second = 'canary~second~secret~0a9b8c7d'
    const both = { AZURE_CLIENT_SECRET_2: second, SIGN_IN_CLIENT_SECRET_2: second }
    const refused = await examined(both)
    expect(troubles(refused, 'fault')).toEqual([])
    expect(troubles(refused, 'warning')).toEqual(
      expect.arrayContaining(['credential: credential-one-refused', 'sign-in: credential-one-refused']),
    )
    const one = refused.find(({ code }) => code === 'credential-one-refused')
    expect(one).toMatchObject({ facts: { variable: 'AZURE_CLIENT_SECRET_2' }, refusal: { facts: { aadsts: 7000215 } } })
    for (const id of [appId, signInId]) simulator.world.registration(id).secrets.push({ value: second })
    const taken = await examined(both)
    expect(troubles(taken, 'fault', 'warning')).toEqual([])
    expect(taken.filter(({ code }) => code === 'credential-taken').map(({ facts }) => facts.variable)).toEqual([
      'AZURE_CLIENT_SECRET',
      'AZURE_CLIENT_SECRET_2',
      'SIGN_IN_CLIENT_SECRET',
      'SIGN_IN_CLIENT_SECRET_2',
    ])
    simulator.world.registration(appId).secrets = []
    expect(troubles(await examined(both), 'fault')).toEqual(['credential: secret-wrong', 'credential: secret-wrong'])
  })

  test('says of every check that was not looked at that it was not, whatever stood in its way', async () => {
    const all = (await examined()).map(({ check }) => check)
    const wrong = await examined({ AZURE_CLIENT_SECRET: 'canary~another~secret~altogether' })
    expect(new Set(wrong.map(({ check }) => check))).toEqual(new Set(all))
    expect(troubles(wrong, 'unknown')).toEqual(expect.arrayContaining(['permissions: not-reached', 'api: not-reached']))
    simulator.world.setLicensed(cast.halvard.id, false)
    const unlicensed = await examined()
    expect(new Set(unlicensed.map(({ check }) => check))).toEqual(new Set(all))
    expect(troubles(unlicensed, 'unknown')).toContain('api: not-reached')
  })

  test('warns of more calls than Microsoft allows, by the API that is read', async () => {
    expect(troubles(await examined({ CALLS_PER_MINUTE: '51' }), 'warning')).toContain('configuration: calls-beyond')
    expect(troubles(await examined({ CALLS_PER_HOUR: '1501' }), 'warning')).toContain('configuration: calls-beyond')
    const within = { CALLS_PER_MINUTE: '50', CALLS_PER_HOUR: '1500' }
    expect(troubles(await examined(within), 'warning')).not.toContain('configuration: calls-beyond')
    const graph = await examined({ INCIDENTS_API: 'graph', CALLS_PER_MINUTE: '150' })
    expect(troubles(graph, 'warning')).not.toContain('configuration: calls-beyond')
  })

  test('tells who answers where the metrics should be', async () => {
    const at = (findings: Finding[]) => findings.find(({ check }) => check === 'metrics')
    expect(at(await examined())).toMatchObject({ outcome: 'ok', code: 'metrics-off' })
    expect(at(await examined({ METRICS_PORT: 'x' }))).toMatchObject({ outcome: 'unknown', code: 'not-looked-at' })
    const free = await listening((_req, res) => res.end())
    free.close()
    const METRICS_PORT = new URL(free.origin).port
    expect(at(await examined({ METRICS_PORT }))).toMatchObject({ outcome: 'ok', code: 'metrics-silent' })
    let said = 'hello'
    const door = await listening((_req, res) => res.end(said))
    try {
      const port = new URL(door.origin).port
      expect(at(await examined({ METRICS_PORT: port }))).toMatchObject({ outcome: 'fault', code: 'metrics-other' })
      said = '# HELP muster_x x\nmuster_x 1\n'
      expect(at(await examined({ METRICS_PORT: port }))).toMatchObject({ outcome: 'ok', code: 'metrics-answer' })
    } finally {
      door.close()
    }
  })

  test('names the redirect URI that is missing', async () => {
    simulator.world.registration(appId).redirectUris.pop()
    const findings = await examined()
    expect(troubles(findings, 'fault')).toEqual(['redirect-uris: redirect-missing'])
    expect(findings.find(({ outcome }) => outcome === 'fault')?.facts.uri).toBe(callbacks[1])
  })

  test('sees that no customer could consent to a single-tenant app', async () => {
    simulator.world.registration(appId).audience = 'single'
    expect(troubles(await examined(), 'fault')).toEqual(['audience: audience-single'])
  })

  test('sees a permission that was not granted, and one too many', async () => {
    const { world } = simulator
    world.removeRoles(cast.halvard.id, appId, 'Incident.Read.All')
    expect(troubles(await examined(), 'fault')).toContain('permissions: permissions-missing')
    world.consent(cast.halvard.id, appId, { roles: ['Incident.Read.All', 'Incident.ReadWrite.All'] })
    const findings = await examined()
    expect(troubles(findings, 'fault', 'warning')).toEqual(['permissions: permissions-excess'])
  })

  test('does not call it a fault that the partner has no Defender of its own', async () => {
    simulator.world.setLicensed(cast.halvard.id, false)
    const findings = await examined()
    expect(troubles(findings, 'fault')).toEqual([])
    expect(troubles(findings, 'warning')).toContain('permissions: permissions-unseen')
  })

  test('sees a tenant that Microsoft does not know, and an app that the tenant does not know', async () => {
    const elsewhere = await examined({ AZURE_TENANT_ID: '55555555-aaaa-4bbb-8ccc-0123456789ab' })
    expect(troubles(elsewhere, 'fault')).toContain('tenant: tenant-unknown')
    const unknown = await examined({ AZURE_CLIENT_ID: '66666666-aaaa-4bbb-8ccc-0123456789ab' })
    expect(troubles(unknown, 'fault')).toContain('credential: app-unknown')
  })

  test('recommends a sign-in registration of its own, and looks at it when there is one', async () => {
    const shared = await examined({ SIGN_IN_CLIENT_ID: '', SIGN_IN_CLIENT_SECRET: '' })
    expect(troubles(shared, 'fault', 'warning')).toEqual(['sign-in: sign-in-shared'])
    simulator.world.registration(signInId).redirectUris.length = 0
    simulator.world.expireSecrets(signInId)
    expect(troubles(await examined(), 'fault')).toEqual(['sign-in: redirect-missing', 'sign-in: secret-expired'])
  })

  test('sees a clock that is wrong, before nobody can sign in', async () => {
    const shifted = (minutes: number) => () => new Date(Date.now() + minutes * 60_000)
    expect(troubles(await examined({}, shifted(2)), 'warning')).toContain('clock: clock-ahead')
    expect(troubles(await examined({}, shifted(-20)), 'fault')).toContain('clock: clock-behind')
  })

  test('says that Microsoft could not be reached, without calling the credential wrong', async () => {
    const nobody = await listening((_req, res) => res.destroy())
    try {
      const findings = await examined({ AZURE_AUTHORITY_HOST: nobody.origin })
      expect(troubles(findings, 'fault')).toEqual(['tenant: login-unreachable'])
      expect(troubles(findings, 'unknown')).toEqual(
        expect.arrayContaining(['clock: clock-unknown', 'credential: credential-unchecked']),
      )
    } finally {
      nobody.close()
    }
  })

  test('sees that the API refuses or does not answer', async () => {
    simulator.world.setWeather('*', 'outage', { surface: 'defender', status: 503, retryAfter: null })
    expect(troubles(await examined(), 'fault')).toEqual(['api: api-refused'])
  })

  test('sees that something else answers at the public address', async () => {
    const other = await listening((_req, res) => res.end('welcome to nginx'))
    try {
      const findings = await examined({ PUBLIC_URL: other.origin })
      expect(troubles(findings, 'fault')).toContain('address: address-other')
    } finally {
      other.close()
    }
  })

  test('warns of a proxy whose address is not named', async () => {
    const findings = await examined({ PUBLIC_URL: 'https://muster.invalid' })
    expect(troubles(findings, 'warning')).toContain('configuration: proxy-unnamed')
    const named = await examined({ PUBLIC_URL: 'https://muster.invalid', TRUST_PROXY: 'loopback' })
    expect(troubles(named, 'warning')).not.toContain('configuration: proxy-unnamed')
  })
})

describe('the doctor, at the database', () => {
  const at = (findings: Finding[]) => findings.find(({ check }) => check === 'database')

  test('finds one that is up to date and takes writes', async () => {
    const db = await openDatabase({ databaseUrl: null, dataDir: env.DATA_DIR ?? '', log })
    await db.destroy()
    expect(at(await examined())).toMatchObject({ outcome: 'ok', code: 'database-current' })
  })

  test('finds one that a newer Muster has migrated', async () => {
    const dataDir = env.DATA_DIR ?? ''
    await (await openDatabase({ databaseUrl: null, dataDir, log })).destroy()
    const raw = new Sqlite(join(dataDir, 'muster.db'))
    raw.exec(`insert into kysely_migration (name, timestamp) values ('9999-later', '2030-01-01')`)
    raw.close()
    expect(at(await examined())).toMatchObject({ outcome: 'fault', code: 'database-newer' })
  })

  test('finds a folder that is none, and a file that is no database', async () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, 'not a folder')
    expect(at(await examined({ DATA_DIR: file }))).toMatchObject({ outcome: 'fault', code: 'database-unreachable' })
    const dataDir = mkdtempSync(join(folder, 'broken-'))
    writeFileSync(join(dataDir, 'muster.db'), 'this is no database at all '.repeat(100))
    expect(at(await examined({ DATA_DIR: dataDir }))).toMatchObject({ outcome: 'fault', code: 'database-unreachable' })
  })

  test('says where PostgreSQL does not answer, without the password', async () => {
    const finding = at(await examined({ DATABASE_URL: 'postgres://muster:canary-password@127.0.0.1:1/muster' }))
    expect(finding).toMatchObject({ outcome: 'fault', code: 'database-unreachable' })
    expect(finding?.facts).toEqual({ engine: 'PostgreSQL', place: '127.0.0.1:1/muster', reason: 'ECONNREFUSED' })
  })
})

describe('the doctor, with a broken configuration', () => {
  test('lists everything that is wrong and looks at the rest', async () => {
    const findings = await examined({ SESSION_SECRET: 'short', AZURE_CLIENT_SECRET: '', ROLE: 'both' })
    const wrong = findings.filter(({ code }) => code === 'variable-wrong').map(({ facts }) => facts.variable)
    expect(wrong.sort()).toEqual(['AZURE_CLIENT_SECRET', 'ROLE', 'SESSION_SECRET'])
    expect(troubles(findings, 'unknown')).toEqual(
      expect.arrayContaining(['credential: not-looked-at', 'permissions: not-looked-at', 'api: not-looked-at']),
    )
    const looked = findings.filter(({ outcome }) => outcome === 'ok').map(({ check }) => check)
    expect(looked).toEqual(expect.arrayContaining(['clock', 'tenant', 'audience', 'redirect-uris', 'sign-in']))
  })

  test('asks Microsoft nothing about a tenant or an app that it was not told', async () => {
    const findings = await examined({ AZURE_TENANT_ID: 'contoso', AZURE_CLIENT_ID: '' })
    expect(troubles(findings, 'unknown')).toEqual(
      expect.arrayContaining(['tenant: not-looked-at', 'credential: not-looked-at', 'sign-in: not-looked-at']),
    )
    expect(simulator.requests.filter(({ path }) => /authorize|token/.test(path))).toEqual([])
  })

  test('copes with nothing at all', async () => {
    const { findings } = await examineEnvironment(
      { env: { AZURE_AUTHORITY_HOST: simulator.origin }, problems: [], warnings: [] },
      { log, now: () => new Date() },
    )
    expect(troubles(findings, 'fault').filter((text) => text.startsWith('configuration'))).toHaveLength(4)
  })
})

describe('npm run doctor', () => {
  let release: ReturnType<typeof releaseFolder>
  afterAll(() => release.remove())
  beforeAll(() => {
    build()
    release = releaseFolder()
  })

  async function run(changes: Environment, ...options: string[]) {
    const cli = join(release.folder, 'dist', 'cli.js')
    const doctor = startNode([cli, 'doctor', ...options], { cwd: folder, env: { ...env, ...changes } })
    const code = await doctor.ended
    const text = doctor.text()
    expect(text).not.toMatch(/canary/)
    expect(text).not.toContain(colour)
    return { code, text }
  }

  const report = z.strictObject({
    at: z.iso.datetime(),
    ok: z.boolean(),
    checks: z.array(
      z.strictObject({
        check: z.string(),
        outcome: z.enum(['ok', 'warning', 'fault', 'unknown']),
        code: z.string(),
        found: z.string().min(10),
        fix: z.string().min(10).nullable(),
        facts: z.record(z.string(), z.string()),
        aadsts: z.number().nullable(),
        correlationId: z.string().nullable(),
      }),
    ),
  })

  test('exits 0 where nothing fails, and says every check', async () => {
    const { code, text } = await run({})
    expect(text).toMatch(/ok +Credential +Microsoft accepts the credential of app 33333333/)
    expect(text).toMatch(/Nothing stands in the way/)
    expect(code).toBe(0)
  })

  test('exits 1 for one fault, with its fix and Microsoft’s number', async () => {
    const { code, text } = await run({ AZURE_CLIENT_SECRET: 'canary~another~secret~altogether' })
    expect(text).toMatch(/fault +Credential +Microsoft does not accept the secret/)
    expect(text).toMatch(/AADSTS7000215/)
    expect(text).toMatch(/→ Copy the secret’s Value/)
    expect(code).toBe(1)
  })

  test('speaks JSON, also of a broken configuration', async () => {
    const good = await run({}, '--json')
    expect(report.parse(JSON.parse(good.text)).ok).toBe(true)
    const bad = await run({ AZURE_TENANT_ID: 'canary-tenant', SESSION_SECRET: 'canary' }, '--json')
    const said = report.parse(JSON.parse(bad.text))
    expect(said.ok).toBe(false)
    expect(said.checks.filter(({ code }) => code === 'variable-wrong')).toHaveLength(2)
    expect(bad.code).toBe(1)
  })

  test('explains itself when it is asked for something else', async () => {
    const { code, text } = await run({}, '--yaml')
    expect(text).toMatch(/npm run doctor/)
    expect(code).toBe(1)
  })
})

async function listening(answer: Parameters<typeof createServer>[1]): Promise<{ origin: string; close(): void }> {
  const server = createServer(answer)
  const port = await listen(server)
  return {
    origin: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
