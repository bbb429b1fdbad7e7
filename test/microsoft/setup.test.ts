import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { transform } from '@swc/core'
import { apiExamples } from '../../server/microsoft/registration/examples.ts'
import { setupMaterial } from '../../server/microsoft/registration/setup.ts'
import { refusalCodes } from '../../server/model/refusal.ts'
import { en } from '../../server/words/en.ts'
import { refusals as sv } from '../../server/words/sv/refusals.ts'
import { refusals as zhHant } from '../../server/words/zh-hant/refusals.ts'
import {
  appToken,
  configFor,
  connect,
  contoso,
  type Double,
  listen,
  partner,
  tokenReply,
} from '../support/microsoft.ts'

const run = promisify(execFile)
const guid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/

describe('the setup material', () => {
  const material = setupMaterial(
    configFor('https://login.microsoftonline.com', { graphUrl: 'https://graph.microsoft.com' }),
    '',
  )

  test('asks for reading incidents, and for what a silent sign-in needs', () => {
    expect(JSON.parse(material.app.manifest)).toEqual([
      {
        resourceAppId: '8ee8fdad-f234-4243-8f3b-15c294843740',
        resourceAccess: [{ id: 'a9790345-4595-42e4-971a-ccdc79f19b7c', type: 'Role' }],
      },
      {
        resourceAppId: '00000003-0000-0000-c000-000000000000',
        resourceAccess: [
          { id: '37f7f235-527c-4136-accd-4a02d197296e', type: 'Scope' },
          { id: '14dad69e-099b-42c9-810b-d002981feec1', type: 'Scope' },
        ],
      },
    ])
  })

  test.each([
    ['Halvard SOC Connector', '"displayName": "Halvard SOC Connector"', "-DisplayName 'Halvard SOC Connector'"],
    ['', '"displayName": "Muster"', "-DisplayName 'Muster'"],
    ['O\'Hara’s "eyes" $(x)', '"displayName": "O\'Hara’s \\"eyes\\" $(x)"', "-DisplayName 'O''Hara’’s \"eyes\" $(x)'"],
  ])('calls the app as Settings do: %j', (name, inJson, inPowershell) => {
    const named = setupMaterial(configFor('https://login.microsoftonline.com'), name)
    expect(named.azureCli).toContain(inJson)
    expect(named.powershell).toContain(inPowershell)
    expect(named.app.name).toBe(name || 'Muster')
  })

  test('over Graph names Graph alone, so that consent never fails for want of another service', () => {
    const graph = setupMaterial(configFor('https://login.microsoftonline.com', { incidentsApi: 'graph' }), '')
    const [only, ...more] = JSON.parse(graph.app.manifest)
    expect(more).toEqual([])
    expect(only.resourceAccess[0]).toEqual({ id: '45cc0394-e837-488b-a098-1918f48d186c', type: 'Role' })
  })

  test('names both redirect URIs, and the roles that the portal reads', () => {
    expect(material.app.redirectUris).toEqual([
      'https://muster.example/auth/callback',
      'https://muster.example/consent/callback',
    ])
    expect(JSON.parse(material.signIn.appRoles).map(({ value }: { value: string }) => value)).toEqual([
      'Muster.Admin',
      'Muster.Analyst',
      'Muster.Reader',
    ])
  })

  test.each(['azureCli', 'powershell'] as const)('in %s leaves nothing to fill in, and holds no secret', (script) => {
    const text = material[script]
    for (const needed of [
      partner,
      'AzureADMultipleOrgs',
      'AzureADMyOrg',
      'https://muster.example/auth/callback',
      'https://muster.example/consent/callback',
      'a9790345-4595-42e4-971a-ccdc79f19b7c',
      'Muster.Admin',
      'requireClientServicePrincipal',
      'DirectoryRole',
      'AZURE_CLIENT_SECRET=',
    ]) {
      expect(text).toContain(needed)
    }
    expect(text).not.toMatch(/<[a-z-]+>|TODO|p@ss|undefined/)
  })

  test('is a script that bash can read', async () => {
    const child = run('bash', ['-n'])
    child.child.stdin?.end(material.azureCli)
    await child
  })

  test('signs in to the cloud of the configuration', () => {
    const config = configFor('https://login.microsoftonline.us', { graphUrl: 'https://graph.microsoft.us' })
    expect(setupMaterial(config, '').azureCli).toContain('az cloud set --name AzureUSGovernment')
    expect(setupMaterial(config, '').powershell).toContain('-Environment USGov')
  })
})

describe('the examples', () => {
  let double: Double
  const secret = 'p@ss+w/rd=&?"\'$x'
  beforeAll(async () => {
    double = await listen((call) => {
      if (call.path.endsWith('/token')) {
        if (call.body.get('client_secret') !== secret) return { status: 401, json: { error: 'invalid_client' } }
        return tokenReply(appToken(contoso))
      }
      if (!call.headers.authorization?.startsWith('Bearer eyJ')) return { status: 401, json: {} }
      return { json: { value: [{ incidentId: 4711, incidentName: 'Seen', id: '4711', displayName: 'Seen' }] } }
    })
  })
  afterAll(() => double.close())

  const examples = (incidentsApi: 'defender' | 'graph') =>
    apiExamples({ tenantId: contoso, config: configFor(double.origin, { incidentsApi }) })
  const env = { PATH: process.env.PATH, AZURE_CLIENT_SECRET: secret }

  test.each(['defender', 'graph'] as const)('for curl really read %s, at both token endpoints', async (api) => {
    for (const { text, tokenEndpoint } of examples(api).filter(({ language }) => language === 'curl')) {
      double.calls.length = 0
      const { stdout } = await run('bash', ['-c', text], { env })
      expect(JSON.parse(stdout).value[0].incidentId).toBe(4711)
      const [token, list] = double.calls
      expect(token?.path).toBe(tokenEndpoint === 'v2' ? `/${contoso}/oauth2/v2.0/token` : `/${contoso}/oauth2/token`)
      const resource = api === 'graph' ? 'https://graph.microsoft.com' : 'https://api.security.microsoft.com'
      if (tokenEndpoint === 'v2') expect(token?.body.get('scope')).toBe(`${resource}/.default`)
      else expect(token?.body.get('resource')).toBe(resource)
      expect(list?.query.get('$top')).toBe('10')
    }
  })

  test('for curl fail when the secret is wrong', async () => {
    const [first] = examples('defender')
    await expect(
      run('bash', ['-c', first?.text ?? ''], { env: { ...env, AZURE_CLIENT_SECRET: 'wrong' } }),
    ).rejects.toThrow()
  })

  test.each(['defender', 'graph'] as const)('for TypeScript really read %s', async (api) => {
    const text = examples(api).find(({ language }) => language === 'typescript')?.text ?? ''
    const { code } = await transform(text, {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'es6' },
    })
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { env })
    expect(stdout).toContain('4711 Seen')
  })

  test('in every language name the tenant and the app, and keep the secret in the environment', () => {
    const all = examples('defender')
    expect(new Set(all.map(({ language }) => language))).toEqual(
      new Set(['curl', 'powershell', 'csharp', 'typescript']),
    )
    for (const { text } of all) {
      expect(text).toContain(contoso)
      expect(text).toContain('AZURE_CLIENT_SECRET')
      expect(text).not.toContain('p@ss')
    }
  })

  test('are not made for what is no tenant', () => {
    expect(() => apiExamples({ tenantId: "x'; rm -rf /", config: configFor(double.origin) })).toThrow()
  })
})

describe('every refusal', () => {
  test.each([
    ['English', en],
    ['Svenska', sv],
    ['繁體中文', zhHant],
  ])('has a sentence and a next step in %s', (_name, words) => {
    const expected = refusalCodes.flatMap((code) => [`refusal.${code}`, `refusal.${code}.next`])
    expect(expected.filter((key) => !(key in words))).toEqual([])
  })
})

describe('every finding about the registration', () => {
  test('has its sentence, and its remedy unless all is well', async () => {
    const worlds: Promise<Awaited<ReturnType<ReturnType<typeof connect>['microsoft']['inspectRegistration']>>>[] = []
    const servers: Double[] = []
    for (const reply of [
      () => ({ status: 503 }),
      () => ({ status: 401, json: { error: 'invalid_client', error_codes: [7000222] } }),
      () => ({ status: 400, json: { error: 'invalid_resource', error_codes: [500011] } }),
      () => tokenReply(appToken(partner, { roles: ['Incident.ReadWrite.All', 'Other'] })),
      () => tokenReply(appToken(partner, { roles: [] })),
      () => tokenReply('opaque'),
    ]) {
      const double = await listen((call) =>
        call.path.endsWith('/token')
          ? reply()
          : call.path.endsWith('/authorize')
            ? { text: 'AADSTS50011: no such' }
            : undefined,
      )
      servers.push(double)
      worlds.push(connect(double.origin).microsoft.inspectRegistration())
      worlds.push(
        connect(double.origin, { signIn: configFor('').app, incidentsApi: 'graph' }).microsoft.inspectRegistration(),
      )
    }
    const findings = (await Promise.all(worlds)).flat()
    await Promise.all(servers.map((server) => server.close()))
    expect(new Set(findings.map(({ code }) => code)).size).toBeGreaterThan(12)
    for (const { code, outcome, facts } of findings) {
      expect(Object.keys(en)).toContain(`setup.found.${code}`)
      if (outcome !== 'ok') expect(Object.keys(en)).toContain(`setup.found.${code}.next`)
      const sentence = (en as Record<string, string>)[`setup.found.${code}`] ?? ''
      const wanted = [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '')
      expect(wanted.filter((name) => !(name in facts))).toEqual([])
    }
    expect(guid.test(JSON.stringify(findings))).toBe(true)
  })
})
