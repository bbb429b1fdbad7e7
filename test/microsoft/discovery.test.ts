import { describe, expect, test } from '@jest/globals'
import { discoverFrom } from '../../server/microsoft/login/discovery.ts'
import { outbound } from '../../server/microsoft/wire/http.ts'
import { connect, contoso, fabrikam, type Handler, listen, type Reply, tokenError } from '../support/microsoft.ts'
import { publicFixture } from '../support/public-fixtures.ts'

const known =
  (changes: Record<string, unknown> = {}): Handler =>
  (call) => ({
    json: {
      issuer: `http://${call.headers.host}/${contoso}/v2.0`,
      jwks_uri: `http://${call.headers.host}/${contoso}/discovery/v2.0/keys`,
      tenant_region_scope: 'EU',
      ...changes,
    },
  })

describe('a tenant is found', () => {
  test.each([
    ['contoso.example', 'contoso.example'],
    [' Contoso.Example ', 'contoso.example'],
    ['https://www.contoso.example/about?x=y', 'contoso.example'],
    ['k.lund@contoso.example', 'contoso.example'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['contoso.onmicrosoft.com', 'contoso.onmicrosoft.com'],
    [contoso.toUpperCase(), contoso],
  ])('by “%s”', async (typed, asked) => {
    await using double = await listen(known())
    const domain = asked === contoso ? null : asked
    const found = { tenantId: contoso, region: 'EU', domain }
    expect(await connect(double.origin).microsoft.resolveTenant(typed)).toEqual(found)
    expect(double.calls.map(({ path }) => path)).toEqual([`/${asked}/v2.0/.well-known/openid-configuration`])
  })

  test('once, and then from memory for ten minutes', async () => {
    await using double = await listen(known())
    const { microsoft, clock } = connect(double.origin)
    await microsoft.resolveTenant('contoso.example')
    await microsoft.resolveTenant('contoso.example')
    expect(double.calls).toHaveLength(1)
    clock.now = new Date(clock.now.getTime() + 11 * 60_000)
    await microsoft.resolveTenant('contoso.example')
    expect(double.calls).toHaveLength(2)
  })

  test('without a region, if Microsoft names none', async () => {
    await using double = await listen(known({ tenant_region_scope: undefined }))
    expect(await connect(double.origin).microsoft.resolveTenant(contoso)).toEqual({
      tenantId: contoso,
      region: null,
      domain: null,
    })
  })
})

test.each([
  '',
  ' ',
  'common',
  'organizations',
  'consumers',
  'localhost',
  '127.0.0.1',
  '[::1]',
  '../evil',
  'a/../b',
  'contoso',
  'contoso.example:8080',
  'user:word@',
  'a..b',
  '-a.example',
  'x'.repeat(300),
  '%2e%2e.example',
  '00000000-0000-0000-0000-000000000000',
])('“%s” is no domain, and nobody is asked', async (typed) => {
  await using double = await listen(known())
  expect(await connect(double.origin).microsoft.resolveTenant(typed)).toBeNull()
  expect(double.calls).toEqual([])
})

describe('no tenant is found', () => {
  test.each<[string, Reply]>([
    ['when Microsoft knows none', tokenError(400, 90002, 'invalid_tenant')],
    ['when Microsoft thinks it cannot be one', tokenError(400, 900023, 'invalid_request')],
  ])('%s', async (_name, reply) => {
    await using double = await listen(() => reply)
    expect(await connect(double.origin).microsoft.resolveTenant('contoso.example')).toBeNull()
  })

  test('behind the domain of a mail provider for everybody', async () => {
    await using double = await listen((call) =>
      known({ issuer: `http://${call.headers.host}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0` })(call, null as never),
    )
    expect(await connect(double.origin).microsoft.resolveTenant('outlook.example')).toBeNull()
  })

  test('when the answer is about another', async () => {
    await using double = await listen(known())
    expect(await connect(double.origin).microsoft.resolveTenant(fabrikam)).toBeNull()
  })
})

describe('an answer is refused', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['with an issuer elsewhere', { issuer: `https://evil.example/${contoso}/v2.0` }, 'unexpected-answer'],
    ['with keys elsewhere', { jwks_uri: 'https://evil.example/keys' }, 'unexpected-answer'],
    ['with an issuer that is no address', { issuer: 'contoso' }, 'unexpected-answer'],
    ['without an issuer', { issuer: undefined }, 'unexpected-answer'],
  ])('%s', async (_name, changes, code) => {
    await using double = await listen(known(changes))
    await expect(connect(double.origin).microsoft.resolveTenant(contoso)).rejects.toMatchObject({ code })
  })

  test.each<[string, Reply, string]>([
    ['HTML', { text: '<html>' }, 'unexpected-answer'],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'unexpected-answer'],
    ['trouble', { status: 503 }, 'unavailable'],
    ['a throttle', { status: 429, headers: { 'retry-after': '30' } }, 'throttled'],
    ['endless text', { text: `{"issuer":"${'x'.repeat(300_000)}"}` }, 'unexpected-answer'],
  ])('that is %s', async (_name, reply, code) => {
    await using double = await listen(() => reply)
    await expect(connect(double.origin).microsoft.resolveTenant(contoso)).rejects.toMatchObject({ code })
  })
})

describe('in Microsoft’s own clouds', () => {
  const answering = (body: object) =>
    discoverFrom('https://login.microsoftonline.com', {
      send: outbound({ fetch: async () => Response.json(body), now: () => new Date() }),
      now: () => new Date(),
    })

  test('a tenant of another cloud is told apart', async () => {
    const discovery = answering({
      issuer: `https://login.microsoftonline.us/${contoso}/v2.0`,
      jwks_uri: `https://login.microsoftonline.us/${contoso}/discovery/v2.0/keys`,
    })
    await expect(discovery.configuration('contoso.example')).rejects.toMatchObject({ code: 'other-cloud' })
  })

  test('an issuer on another login host of the same cloud is taken', async () => {
    const discovery = answering({
      issuer: `https://sts.windows.net/${contoso}/`,
      jwks_uri: 'https://login.microsoftonline.com/common/discovery/v2.0/keys',
    })
    expect((await discovery.configuration(contoso))?.tenantId).toBe(contoso)
  })

  const recorded = publicFixture('azure-sdk-recordings/openid-configuration.200.json') as object | null
  if (recorded !== null) {
    test('openid-configuration.200.json is read', async () => {
      const found = await answering(recorded).configuration('contoso.example')
      expect(found?.tenantId).toMatch(/^[0-9a-f-]{36}$/)
      expect(found?.region).toMatch(/^[A-Z]{2}$/)
    })
  }

  const mocked = publicFixture('microsoft-identity-web/openid-configuration.tenant.json') as object | null
  if (mocked !== null) {
    test('openid-configuration.tenant.json, whose keys were moved to localhost, is refused', async () => {
      await expect(answering(mocked).configuration('contoso.example')).rejects.toMatchObject({
        code: 'unexpected-answer',
        facts: { error: 'foreign_keys' },
      })
    })
  }
})
