import { ConfidentialClientApplication } from '@azure/msal-node'
import { describe, expect, test } from '@jest/globals'
import {
  appToken,
  connect,
  consented,
  contoso,
  fabrikam,
  type Handler,
  listen,
  type Reply,
  tenantIn,
  tokenError,
  tokenReply,
} from '../support/microsoft.ts'
import { listPublicFixture } from '../support/public-fixtures.ts'
import { afterMs } from '../support/slow.ts'

const isToken = (path: string) => path.endsWith('/oauth2/v2.0/token')

async function readAll(microsoft: ReturnType<typeof connect>['microsoft'], tenantId: string) {
  const incidents = []
  for await (const page of microsoft.listIncidents(tenantId, {})) incidents.push(...page.incidents)
  return incidents
}

test('twenty callers at the same moment make one token request', async () => {
  await using double = await listen(consented())
  const { microsoft } = connect(double.origin)
  await Promise.all(Array.from({ length: 20 }, () => readAll(microsoft, contoso)))
  expect(double.tokenCalls()).toHaveLength(1)
  expect(double.calls.filter(({ path }) => path === '/api/incidents')).toHaveLength(20)
})

test('fifty tenants at once each see their own token at the API, and no other', async () => {
  const mixed: string[] = []
  await using double = await listen(async (call) => {
    await afterMs(Math.random() * 20)
    if (isToken(call.path)) return tokenReply(appToken(tenantIn(call.path)))
    const claims = JSON.parse(Buffer.from(call.headers.authorization?.split('.')[1] ?? '', 'base64url').toString())
    const asked = (call.query.get('$filter') ?? '').match(/T..:..:(..)/)?.[1]
    if (claims.tid.slice(0, 2) !== asked) mixed.push(claims.tid)
    return { json: { value: [] } }
  })
  const { microsoft } = connect(double.origin)
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const two = String(10 + index)
      const tenant = `${two}111111-aaaa-4bbb-8ccc-0123456789ab`
      for await (const _page of microsoft.listIncidents(tenant, { updatedSince: `2026-11-20T00:00:${two}.0000000Z` }));
    }),
  )
  expect(mixed).toEqual([])
  expect(double.tokenCalls()).toHaveLength(50)
})

test('a token is kept until five minutes before its end, by the portal’s clock', async () => {
  await using double = await listen(consented())
  const { microsoft, clock } = connect(double.origin)
  await readAll(microsoft, contoso)
  clock.now = new Date(clock.now.getTime() + 54 * 60_000)
  await readAll(microsoft, contoso)
  expect(double.tokenCalls()).toHaveLength(1)
  clock.now = new Date(clock.now.getTime() + 2 * 60_000)
  await readAll(microsoft, contoso)
  expect(double.tokenCalls()).toHaveLength(2)
})

test('a token that is about to end is used on while Microsoft throttles or is away', async () => {
  let reply: (token: string) => Reply = (token) => tokenReply(token)
  await using double = await listen((call) =>
    isToken(call.path) ? reply(appToken(tenantIn(call.path))) : { json: { value: [] } },
  )
  const { microsoft, clock } = connect(double.origin)
  await readAll(microsoft, contoso)
  clock.now = new Date(clock.now.getTime() + 57 * 60_000)
  reply = () => ({ ...(tokenError(429, 90055, 'invalid_grant') as object), headers: { 'retry-after': '60' } })
  await readAll(microsoft, contoso)
  await readAll(microsoft, contoso)
  expect(double.tokenCalls()).toHaveLength(2)
  clock.now = new Date(clock.now.getTime() + 61_000)
  reply = () => ({ status: 503, text: '<html>down</html>' })
  await readAll(microsoft, contoso)
})

describe('a login service that throttles', () => {
  const tenants = (count: number) =>
    Array.from({ length: count }, (_, index) => `${String(1_000 + index)}1111-aaaa-4bbb-8ccc-0123456789ab`)
  const throttling = { ...(tokenError(429, 90055, 'invalid_grant') as object), headers: { 'retry-after': '60' } }

  test('several tenants at once is asked by none of them before its time, and by all of them after', async () => {
    let throttles = true
    await using double = await listen((call) => {
      if (!isToken(call.path)) return { json: { value: [] } }
      return throttles ? throttling : tokenReply(appToken(tenantIn(call.path)))
    })
    const { microsoft, clock } = connect(double.origin)
    for (const tenant of tenants(40)) {
      await expect(readAll(microsoft, tenant)).rejects.toMatchObject({ code: 'throttled' })
    }
    expect(double.tokenCalls()).toHaveLength(3)
    throttles = false
    clock.now = new Date(clock.now.getTime() + 59_000)
    await expect(readAll(microsoft, tenants(50).at(-1) ?? '')).rejects.toMatchObject({ code: 'throttled' })
    expect(double.tokenCalls()).toHaveLength(3)
    clock.now = new Date(clock.now.getTime() + 2_000)
    for (const tenant of tenants(40)) expect(await readAll(microsoft, tenant)).toEqual([])
  })

  test('one tenant alone keeps no other waiting', async () => {
    const [first = ''] = tenants(1)
    await using double = await listen((call) => {
      if (!isToken(call.path)) return { json: { value: [] } }
      return call.path.includes(first) ? throttling : tokenReply(appToken(tenantIn(call.path)))
    })
    const { microsoft, clock } = connect(double.origin)
    for (let round = 0; round < 5; round++) {
      await expect(readAll(microsoft, first)).rejects.toMatchObject({ code: 'throttled' })
      clock.now = new Date(clock.now.getTime() + 61_000)
    }
    for (const tenant of tenants(20).slice(1)) expect(await readAll(microsoft, tenant)).toEqual([])
  })

  test('leaves tokens at hand in use', async () => {
    let throttles = false
    await using double = await listen((call) => {
      if (!isToken(call.path)) return { json: { value: [] } }
      return throttles ? throttling : tokenReply(appToken(tenantIn(call.path)))
    })
    const { microsoft } = connect(double.origin)
    await readAll(microsoft, contoso)
    throttles = true
    for (const tenant of tenants(5))
      await expect(readAll(microsoft, tenant)).rejects.toMatchObject({ code: 'throttled' })
    expect(await readAll(microsoft, contoso)).toEqual([])
  })
})

test.each([
  ['a number', 3599],
  ['text, as the older endpoint sends it', '3599'],
])('a lifetime may be %s', async (_name, expires_in) => {
  await using double = await listen((call) =>
    isToken(call.path) ? tokenReply(appToken(tenantIn(call.path)), { expires_in }) : { json: { value: [] } },
  )
  const { microsoft } = connect(double.origin)
  await readAll(microsoft, contoso)
  await readAll(microsoft, contoso)
  expect(double.tokenCalls()).toHaveLength(1)
})

test('a token without a lifetime serves once', async () => {
  await using double = await listen((call) =>
    isToken(call.path)
      ? { json: { token_type: 'Bearer', access_token: appToken(tenantIn(call.path)) } }
      : { json: { value: [] } },
  )
  const { microsoft } = connect(double.origin)
  await readAll(microsoft, contoso)
  await readAll(microsoft, contoso)
  expect(double.tokenCalls()).toHaveLength(2)
})

describe('a token is refused', () => {
  test.each([
    ['of another tenant', appToken(fabrikam), 'wrong-tenant-token'],
    [
      'whose issuer is another tenant',
      appToken(contoso, { iss: `https://sts.windows.net/${fabrikam}/` }),
      'wrong-tenant-token',
    ],
    ['of another app', appToken(contoso, { appid: '66666666-aaaa-4bbb-8ccc-0123456789ab' }), 'unexpected-answer'],
    ['that is empty', '', 'unexpected-answer'],
  ])('%s', async (_name, token, expected) => {
    await using double = await listen(consented(undefined, () => token))
    const { microsoft, lines } = connect(double.origin)
    const evidence = await microsoft.checkAccess(contoso)
    expect(evidence).toMatchObject({ tokenIssued: false, refusal: { code: expected }, calls: [] })
    await expect(readAll(microsoft, contoso)).rejects.toMatchObject({ code: expected })
    expect(double.calls.every(({ path }) => isToken(path))).toBe(true)
    if (token) expect(lines.join()).not.toContain(token)
  })

  test('that is missing from an answer of success', async () => {
    await using double = await listen(() => ({ json: { token_type: 'Bearer', expires_in: 3599 } }))
    expect((await connect(double.origin).microsoft.checkAccess(contoso)).refusal?.code).toBe('unexpected-answer')
  })
})

test('tenant IDs are compared without regard to letter case', async () => {
  await using double = await listen(consented(undefined, (tenant) => appToken(tenant.toUpperCase())))
  const { microsoft } = connect(double.origin)
  expect((await microsoft.checkAccess(contoso.toUpperCase())).refusal).toBeNull()
  expect(double.tokenCalls()[0]?.path).toBe(`/${contoso}/oauth2/v2.0/token`)
})

test.each([
  '../evil',
  'a?b=c',
  '@evil.example',
  'common',
  'contoso.example',
  '',
  '00000000-0000-0000-0000-000000000000',
  '9188040d-6c67-4c5b-b112-36a304b66dad',
])('“%s” is no tenant and never reaches an address', async (tenant) => {
  await using double = await listen(consented())
  const { microsoft } = connect(double.origin)
  expect((await microsoft.checkAccess(tenant)).refusal?.code).toBe('tenant-gone')
  expect(() => microsoft.listIncidents(tenant, {})).toThrow()
  await expect(microsoft.alertsOf(tenant, '1')).rejects.toMatchObject({ code: 'tenant-gone' })
  expect(double.calls).toEqual([])
})

describe('after a refusal', () => {
  const refusing =
    (reply: () => Reply): Handler =>
    (call) =>
      isToken(call.path) ? reply() : { json: { value: [] } }

  test('a tenant is left alone for a while, then asked again', async () => {
    await using double = await listen(refusing(() => tokenError(401, 7000229, 'invalid_client')))
    const { microsoft, clock } = connect(double.origin)
    for (let i = 0; i < 5; i++)
      await expect(readAll(microsoft, contoso)).rejects.toMatchObject({ code: 'not-consented' })
    expect(double.tokenCalls()).toHaveLength(1)
    clock.now = new Date(clock.now.getTime() + 31_000)
    await expect(readAll(microsoft, contoso)).rejects.toMatchObject({ code: 'not-consented' })
    expect(double.tokenCalls()).toHaveLength(2)
  })

  test('a proof asks all the same, and its success ends the back-off', async () => {
    let reply = () => tokenError(401, 7000229, 'invalid_client')
    await using double = await listen(refusing(() => reply()))
    const { microsoft } = connect(double.origin)
    await expect(readAll(microsoft, contoso)).rejects.toMatchObject({ code: 'not-consented' })
    reply = () => tokenReply(appToken(contoso))
    expect((await microsoft.checkAccess(contoso)).refusal).toBeNull()
    expect(await readAll(microsoft, contoso)).toEqual([])
  })

  test('a throttle of the login service does not poison the next proof', async () => {
    let reply: () => Reply = () => ({
      status: 429,
      headers: { 'retry-after': '3600' },
      json: { error: 'temporarily_unavailable' },
    })
    await using double = await listen(refusing(() => reply()))
    const { microsoft } = connect(double.origin)
    expect((await microsoft.checkAccess(contoso)).refusal).toMatchObject({ code: 'throttled', retryAfterMs: 900_000 })
    reply = () => tokenReply(appToken(contoso))
    expect((await microsoft.checkAccess(contoso)).refusal).toBeNull()
  })

  test('a proof that fails ends the token at hand: consent was withdrawn', async () => {
    let reply = () => tokenReply(appToken(contoso))
    await using double = await listen(refusing(() => reply()))
    const { microsoft } = connect(double.origin)
    await readAll(microsoft, contoso)
    reply = () => tokenError(400, 700016, 'unauthorized_client')
    expect((await microsoft.checkAccess(contoso)).refusal?.code).toBe('not-consented')
    await expect(readAll(microsoft, contoso)).rejects.toMatchObject({ code: 'not-consented' })
  })

  test('one tenant’s back-off holds up no other', async () => {
    await using double = await listen((call) =>
      isToken(call.path)
        ? tenantIn(call.path) === contoso
          ? tokenError(401, 7000229, 'invalid_client')
          : tokenReply(appToken(fabrikam))
        : { json: { value: [] } },
    )
    const { microsoft } = connect(double.origin)
    await expect(readAll(microsoft, contoso)).rejects.toThrow()
    expect(await readAll(microsoft, fabrikam)).toEqual([])
  })
})

test('what is forgotten is asked for anew', async () => {
  await using double = await listen(consented())
  const { microsoft } = connect(double.origin)
  await readAll(microsoft, contoso)
  microsoft.forget(contoso)
  await readAll(microsoft, contoso)
  expect(double.tokenCalls()).toHaveLength(2)
})

test('MSAL still poisons a client of its own for a minute: why each request here has a fresh one', async () => {
  let status = 429
  let calls = 0
  const client = new ConfidentialClientApplication({
    auth: { clientId: contoso, authority: `https://login.microsoftonline.com/${contoso}`, clientSecret: 's' },
    system: {
      networkClient: {
        sendGetRequestAsync: async () => {
          throw new Error('not asked')
        },
        sendPostRequestAsync: async <T>() => {
          calls++
          const body = status === 200 ? { access_token: 'x', expires_in: 3599 } : { error: 'temporarily_unavailable' }
          return { status, headers: {}, body: body as T }
        },
      },
    },
  })
  const ask = () => client.acquireTokenByClientCredential({ scopes: ['x/.default'], skipCache: true })
  await expect(ask()).rejects.toThrow()
  status = 200
  await expect(ask()).rejects.toThrow()
  expect(calls).toBe(1)
})

describe('what the login service says', () => {
  test.each([
    [401, 7000215, 'invalid_client', 'partner-credential'],
    [401, 7000222, 'invalid_client', 'partner-credential'],
    [401, 7000218, 'invalid_client', 'partner-credential'],
    [401, 700027, 'invalid_client', 'partner-credential'],
    [401, 7000229, 'invalid_client', 'not-consented'],
    [400, 700016, 'unauthorized_client', 'not-consented'],
    [400, 65001, 'invalid_grant', 'not-consented'],
    [400, 7000112, 'unauthorized_client', 'app-disabled'],
    [400, 90002, 'invalid_request', 'tenant-gone'],
    [400, 90038, 'invalid_request', 'other-cloud'],
    [400, 500011, 'invalid_resource', 'unlicensed'],
    [400, 650052, 'invalid_client', 'unlicensed'],
    [400, 53003, 'invalid_grant', 'blocked-by-policy'],
    [400, 530034, 'invalid_grant', 'account-refused'],
    [400, 530035, 'invalid_grant', 'account-refused'],
    [400, 900023, 'invalid_request', 'partner-registration'],
    [400, 70011, 'invalid_scope', 'partner-registration'],
    [400, 9001023, 'invalid_request', 'partner-registration'],
    [400, 90099, 'invalid_grant', 'partner-registration'],
    [503, 90033, 'temporarily_unavailable', 'unavailable'],
    [429, 90055, 'invalid_grant', 'throttled'],
    [400, 50196, 'invalid_grant', 'throttled'],
    [401, 70002, 'invalid_client', 'partner-credential'],
    [401, 50032, 'invalid_client', 'partner-credential'],
    [400, 50105, 'invalid_grant', 'role-missing'],
    [400, 501051, 'invalid_grant', 'role-missing'],
    [400, 5000224, 'invalid_request', 'tenant-unavailable'],
    [400, 500014, 'invalid_resource', 'unlicensed'],
    // No number that is known: what OAuth's word says, and nothing that it does not say.
    [401, 7999999, 'invalid_client', 'partner-credential'],
    [400, 7999999, 'invalid_grant', 'unexpected-answer'],
    [400, 7999999, 'unauthorized_client', 'not-consented'],
    [400, 7999999, 'something_new', 'unexpected-answer'],
    [401, null, 'invalid_client', 'partner-credential'],
    [500, 7999999, 'server_error', 'unavailable'],
  ] as const)('as %i AADSTS%s %s means %s', async (status, number, error, expected) => {
    await using double = await listen(() => tokenError(status, number, error))
    const { microsoft, lines } = connect(double.origin)
    const { refusal, tokenIssued } = await microsoft.checkAccess(contoso)
    expect(tokenIssued).toBe(false)
    expect(refusal?.code).toBe(expected)
    expect(refusal?.facts).toMatchObject({
      status,
      error,
      aadsts: number,
      correlationId: 'b94f5bce-b15e-48c6-a713-fc07c5c41a77',
      traceId: '7c839d05-4806-48f2-ba40-bf4128382500',
    })
    expect(`${refusal?.stack} ${JSON.stringify(refusal)} ${lines.join()}`).not.toContain('s3cret-text')
  })

  test.each([
    ['a general number first', { error_codes: [70002, 50032] }, 50032],
    ['a general number last', { error_codes: [50032, 70002] }, 50032],
    ['the number of many faults of a certificate', { error_codes: [70002, 50012] }, 50012],
    ['two that both stand for others', { error_codes: [70002, 50013] }, 70002],
    ['both in the text alone', { error_description: 'AADSTS70002: No. AADSTS50032: The key is weak.' }, 50032],
    ['one in the list, one in the text', { error_codes: [70002], error_description: 'AADSTS50032: weak' }, 50032],
    ['one that nobody knows', { error_codes: [7999999, 50032] }, 50032],
    ['none that anybody knows', { error_codes: [7999998, 7999999] }, 7999999],
  ])('with %s is told by the number that says most', async (_name, body, number) => {
    await using double = await listen(() => ({ status: 401, json: { error: 'invalid_client', ...body } }))
    const { refusal } = await connect(double.origin).microsoft.checkAccess(contoso)
    expect(refusal).toMatchObject({ code: 'partner-credential', owner: 'partner', facts: { aadsts: number } })
  })

  test.each(Object.getOwnPropertyNames(Object.prototype))(
    'with %s for a word is an answer like any other',
    async (name) => {
      await using double = await listen(() => ({
        status: 400,
        json: { error: name, suberror: name, error_codes: [name] },
      }))
      const { refusal } = await connect(double.origin).microsoft.checkAccess(contoso)
      expect(refusal).toMatchObject({ code: 'unexpected-answer', facts: { aadsts: null } })
    },
  )

  test.each<[string, Reply, string]>([
    ['a page of HTML with 403', { status: 403, text: '<html>Forbidden</html>' }, 'unexpected-answer'],
    ['a page of HTML with 503', { status: 503, text: '<html>Down</html>' }, 'unavailable'],
    ['a page of HTML with 200', { status: 200, text: '<html>Welcome</html>' }, 'unexpected-answer'],
    ['nothing with 200', { status: 200, text: '' }, 'unexpected-answer'],
    ['a list with 200', { status: 200, text: '[]' }, 'unexpected-answer'],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:9/' } }, 'unexpected-answer'],
    ['an error with 200', { ...(tokenError(200, 700016, 'unauthorized_client') as object) }, 'not-consented'],
    [
      'an error of other types',
      { status: 400, json: { error: { code: 1 }, error_codes: 'x', error_description: 7 } },
      'unexpected-answer',
    ],
    ['a throttle without a body', { status: 429, text: '' }, 'throttled'],
  ])('as %s is understood', async (_name, reply, expected) => {
    await using double = await listen(() => reply)
    expect((await connect(double.origin).microsoft.checkAccess(contoso)).refusal?.code).toBe(expected)
  })

  const expectedOf: Record<number, string> = {
    7000215: 'partner-credential',
    7000222: 'partner-credential',
    7000218: 'partner-credential',
    700016: 'not-consented',
    7000229: 'not-consented',
    53003: 'blocked-by-policy',
    500011: 'unlicensed',
    900023: 'partner-registration',
    70011: 'partner-registration',
  }
  for (const { name, content } of listPublicFixture('public-issues/token-endpoint-errors.json')) {
    test(`in a recorded answer: ${name}`, async () => {
      const { status, body } = content as { status: number; body: { error_codes: [number] } }
      await using double = await listen(() => ({ status, json: body }))
      const { refusal } = await connect(double.origin).microsoft.checkAccess(contoso)
      expect(refusal?.code).toBe(expectedOf[body.error_codes[0]])
      expect(String(refusal?.facts.correlationId)).toMatch(/^([0-9a-f-]{36}|null)$/)
    })
  }
})
