import { describe, expect, test } from '@jest/globals'
import { Refusal } from '../../server/model/refusal.ts'
import {
  appId,
  appToken,
  connect,
  contoso,
  fabrikam,
  type Handler,
  listen,
  type Reply,
  tokenReply,
} from '../support/microsoft.ts'
import { defenderIncident, graphIncident } from '../support/payloads.ts'
import { listPublicFixture } from '../support/public-fixtures.ts'

/** A check against a double whose token holds `roles` (`null`: cannot be read) and whose API answers `reply`. */
async function check(roles: string[] | null, reply: Reply | Handler, api: 'defender' | 'graph' = 'defender') {
  const token = roles === null ? 'opaque-token' : appToken(contoso, { roles })
  await using double = await listen((call, response) => {
    if (call.path.endsWith('/token')) return tokenReply(token)
    return typeof reply === 'function' ? reply(call, response) : reply
  })
  const { microsoft } = connect(double.origin, { incidentsApi: api })
  const evidence = await microsoft.checkAccess(contoso)
  return { evidence, calls: double.calls }
}

const empty: Reply = { json: { value: [] } }
const forbidden = (message: string, code = 'Forbidden'): Reply => ({ status: 403, json: { error: { code, message } } })

describe('access is proven', () => {
  test('by a readable token, its role, and one live call', async () => {
    const { evidence, calls } = await check(['Incident.Read.All'], { json: { value: [defenderIncident()] } })
    expect(evidence).toMatchObject({
      tokenIssued: true,
      claims: { tid: contoso, roles: ['Incident.Read.All'], aud: 'https://api.security.microsoft.com' },
      capabilities: { readIncidents: 'granted', writeIncidents: 'missing', hunting: 'missing' },
      calls: [{ capability: 'readIncidents', method: 'GET', path: '/api/incidents?$top=1', status: 200 }],
      missingRoles: [],
      unexpectedRoles: [],
      refusal: null,
    })
    expect(calls).toHaveLength(2)
    expect(JSON.stringify(evidence)).not.toContain(appToken(contoso).split('.')[1])
  })

  test('on Graph with Graph’s role and resource', async () => {
    const { evidence, calls } = await check(
      ['SecurityIncident.Read.All'],
      { json: { value: [graphIncident()] } },
      'graph',
    )
    expect(evidence).toMatchObject({ refusal: null, calls: [{ path: '/v1.0/security/incidents?$top=1' }] })
    expect(calls[0]?.body.get('scope')).toBe('https://graph.microsoft.com/.default')
  })

  test('by the live call alone, where the token cannot be read', async () => {
    const { evidence } = await check(null, empty)
    expect(evidence).toMatchObject({
      claims: null,
      capabilities: { readIncidents: 'granted', hunting: 'unknown' },
      refusal: null,
    })
  })

  test('by a role that writes, which is more than was asked for', async () => {
    const { evidence } = await check(['Incident.ReadWrite.All'], empty)
    expect(evidence).toMatchObject({
      refusal: null,
      missingRoles: [],
      unexpectedRoles: ['Incident.ReadWrite.All'],
      capabilities: { writeIncidents: 'granted' },
    })
  })

  test('by the plural that Microsoft’s own text uses', async () => {
    expect((await check(['Incidents.Read.All'], empty)).evidence).toMatchObject({ refusal: null, unexpectedRoles: [] })
  })
})

describe('access is not proven', () => {
  test.each([[[]], [['SecurityIncident.Read.All']], [['AdvancedHunting.Read.All']]])(
    'by a token with the roles %j, even where the API answers',
    async (roles) => {
      const { evidence } = await check(roles, empty)
      expect(evidence).toMatchObject({
        tokenIssued: true,
        refusal: { code: 'role-missing' },
        missingRoles: ['Incident.Read.All'],
        capabilities: { readIncidents: 'missing' },
      })
    },
  )

  test('by a token without any roles claim', async () => {
    await using double = await listen((call) =>
      call.path.endsWith('/token') ? tokenReply(appToken(contoso, { roles: undefined })) : forbidden(''),
    )
    const evidence = await connect(double.origin).microsoft.checkAccess(contoso)
    expect(evidence.refusal?.code).toBe('role-missing')
    expect(evidence.calls).toMatchObject([{ status: 403 }])
  })

  const held = ['Incident.Read.All']
  test.each<[string, string[] | null, Reply, string]>([
    ['role held, 403 without words', held, forbidden(''), 'data-unavailable'],
    [
      'role held, 403 that denies the role',
      held,
      forbidden(
        'The application does not have any of the required application permissions (Incident.Read.All) to access the resource.',
      ),
      'data-unavailable',
    ],
    ['role held, 403 of a gateway', held, { status: 403, text: '<html>Forbidden</html>' }, 'data-unavailable'],
    ['role held, tenant not onboarded', held, forbidden('Tenant is not onboarded to Microsoft Defender'), 'unlicensed'],
    ['role held, no licence', held, forbidden('No valid license was found'), 'unlicensed'],
    ['role held, feature off', held, forbidden('x', 'DisabledFeature'), 'unlicensed'],
    [
      'unreadable token, roles missing',
      null,
      forbidden('Missing application roles. API required roles: X, application roles: .'),
      'role-missing',
    ],
    ['unreadable token, 403 without words', null, forbidden('', 'UnknownError'), 'role-missing'],
    ['unreadable token, not onboarded', null, forbidden('Tenant is not onboarded'), 'unlicensed'],
    ['no role, talk of a licence', [], forbidden('No valid license'), 'role-missing'],
    ['401', held, { status: 401, json: { error: { code: 'Unauthorized' } } }, 'unauthorized'],
    ['429', held, { status: 429, headers: { 'retry-after': '30' }, json: {} }, 'throttled'],
    ['500', held, { status: 500, json: { error: { code: 'UnknownError', message: '' } } }, 'unavailable'],
    ['404', held, { status: 404, json: {} }, 'unexpected-answer'],
    ['a redirect', held, { status: 307, headers: { location: 'http://127.0.0.1:1/' } }, 'unexpected-answer'],
    ['HTML', held, { text: '<html>Sign in</html>' }, 'unexpected-answer'],
    ['no list', held, { json: { value: null } }, 'unexpected-answer'],
    [
      'somebody else’s incident',
      held,
      { json: { value: [defenderIncident({ tenantId: fabrikam })] } },
      'wrong-tenant-token',
    ],
  ])('with %s', async (_name, roles, reply, code) => {
    const { evidence, calls } = await check(roles, reply)
    expect(evidence.refusal?.code).toBe(code)
    expect(evidence.capabilities.readIncidents).not.toBe('granted')
    // When to look again is the caller's business: one token, one call.
    expect(calls).toHaveLength(2)
  })

  test('when nobody answers', async () => {
    const { microsoft } = connect('http://127.0.0.1:1')
    expect((await microsoft.checkAccess(contoso)).refusal).toMatchObject({ code: 'unavailable', owner: 'microsoft' })
  })

  test('when the API hangs up', async () => {
    const { evidence } = await check(held, (call) => {
      void call
      return undefined
    })
    expect(evidence.refusal?.code).toBe('unexpected-answer')
    const cut = await check(held, (_call, response) => {
      response.socket?.destroy()
      return 'handled'
    })
    expect(cut.evidence.refusal?.code).toBe('unavailable')
    expect(cut.evidence.calls).toMatchObject([{ status: null }])
  })
})

test('a fault of our own is thrown as it is, and never told as Microsoft’s answer', async () => {
  await using double = await listen(() => empty)
  const expiresAt = new Date('2030-01-01')
  const credential = {
    kind: 'certificate',
    certificate: 'x',
    privateKey: 'no key',
    thumbprintSha256: 'AB',
    validFrom: new Date('2020-01-01'),
    expiresAt,
  } as const
  const { microsoft } = connect(double.origin, { app: { clientId: appId, credential, second: null } })
  const error = await microsoft.checkAccess(contoso).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(Error)
  expect(error).not.toBeInstanceOf(Refusal)
  expect(double.calls).toEqual([])
})

test('a proof never comes from memory: consent withdrawn a moment ago is noticed', async () => {
  let consent = true
  await using double = await listen((call) =>
    call.path.endsWith('/token')
      ? consent
        ? tokenReply(appToken(contoso))
        : { status: 401, json: { error: 'invalid_client', error_codes: [7000229] } }
      : empty,
  )
  const { microsoft } = connect(double.origin)
  expect((await microsoft.checkAccess(contoso)).refusal).toBeNull()
  consent = false
  expect((await microsoft.checkAccess(contoso)).refusal?.code).toBe('not-consented')
})

test('a redirect of the API takes no token anywhere', async () => {
  await using canary = await listen(() => empty)
  await check(['Incident.Read.All'], { status: 302, headers: { location: `${canary.origin}/api/incidents` } })
  expect(canary.calls).toEqual([])
})

describe('recorded refusals of the APIs', () => {
  const meant = ['role-missing', 'role-missing', 'throttled', 'role-missing', 'unavailable', null, 'role-missing']
  for (const [index, { name, content }] of listPublicFixture('public-issues/resource-api-errors.json').entries()) {
    const { request, status, body } = content as { request: string; status: number; body?: unknown }
    if (!body) continue
    test(`${name}: ${request} ${status}`, async () => {
      const { evidence } = await check(null, { status, json: body })
      const expected = meant[index]
      if (expected) expect(evidence.refusal?.code).toBe(expected)
      else expect(evidence.refusal).not.toBeNull()
    })
  }
})

describe('a tenant is described', () => {
  const described: Handler = (call) =>
    call.path.endsWith('/token')
      ? tokenReply(appToken(call.path.split('/')[1] ?? ''))
      : call.path.includes(`findTenantInformationByTenantId(tenantId='${contoso}')`)
        ? { json: { tenantId: contoso, displayName: 'Contoso\0, Ltd', defaultDomainName: 'contoso.example' } }
        : undefined

  test('in the partner’s name', async () => {
    await using double = await listen(described)
    const { microsoft } = connect(double.origin)
    expect(await microsoft.describeTenant(contoso)).toEqual({
      tenantId: contoso,
      displayName: 'Contoso\ufffd, Ltd',
      defaultDomain: 'contoso.example',
    })
    expect(double.tokenCalls()[0]?.path).toContain('99999999-')
  })

  test.each<[string, Handler]>([
    ['may not ask', (call) => (call.path.endsWith('/token') ? described(call, null as never) : { status: 403 })],
    ['gets no token', () => ({ status: 401, json: { error: 'invalid_client' } })],
    [
      'is told of another tenant',
      (call) =>
        call.path.endsWith('/token')
          ? described(call, null as never)
          : { json: { tenantId: fabrikam, displayName: 'X' } },
    ],
    ['is told nothing', (call) => (call.path.endsWith('/token') ? described(call, null as never) : { text: '<html>' })],
  ])('by nothing where the app %s', async (_name, handler) => {
    await using double = await listen(handler)
    expect(await connect(double.origin).microsoft.describeTenant(contoso)).toBeNull()
  })
})
