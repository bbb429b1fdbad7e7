import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose'
import type { Simulator } from '../../server/simulator/simulator.ts'
import {
  appId,
  askToken,
  claimsIn,
  customerId,
  graphRoles,
  partnerId,
  read,
  registrations,
  type Stage,
  secret,
  signInId,
  stage,
  start,
} from '../support/simulator.ts'

let simulator: Simulator
let actors: Stage

beforeEach(async () => {
  actors = await stage()
  simulator = actors.simulator
})
afterEach(() => simulator.close())

describe('discovery', () => {
  const configuration = async (named: string) =>
    read(await fetch(`${simulator.origin}/${named}/v2.0/.well-known/openid-configuration`))

  test.each(['customer.example', 'CUSTOMER.onmicrosoft.com', customerId, customerId.toUpperCase()])(
    'names the tenant behind %s by its ID, on its own origin',
    async (named) => {
      const { status, body } = await configuration(named)
      expect(status).toBe(200)
      expect(body.issuer).toBe(`${simulator.origin}/${customerId}/v2.0`)
      expect(body.token_endpoint).toBe(`${simulator.origin}/${customerId}/oauth2/v2.0/token`)
      expect(body.tenant_region_scope).toBe('EU')
    },
  )

  test.each(['common', 'organizations'])('answers for %s with the issuer as a template', async (named) => {
    const { body } = await configuration(named)
    expect(body.issuer).toBe(`${simulator.origin}/{tenantid}/v2.0`)
    expect(body.authorization_endpoint).toBe(`${simulator.origin}/${named}/oauth2/v2.0/authorize`)
  })

  test.each(['nobody.example', '99999999-9999-4999-a999-999999999999', 'test'])(
    'does not know %s, and says invalid_tenant where the token endpoint says invalid_request',
    async (named) => {
      const { status, body } = await configuration(named)
      expect([status, body.error, body.error_codes]).toEqual([400, 'invalid_tenant', [90002]])
      expect(body.timestamp).toBe('2026-11-20 08:00:00Z')
    },
  )

  test('knows a deleted tenant no more', async () => {
    simulator.world.deleteTenant(customerId)
    expect((await configuration('customer.example')).body.error_codes).toEqual([90002])
  })
})

describe('client credentials', () => {
  test('give a signed v1.0 token with the roles consent granted', async () => {
    simulator.world.consent(customerId, appId)
    const { status, body, headers } = await askToken(simulator, customerId)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store, no-cache')
    expect(body.expires_in).toBeGreaterThanOrEqual(3599)
    expect(body.expires_in).toBeLessThanOrEqual(5399)
    const claims = claimsIn(body.access_token)
    expect(claims).toMatchObject({
      aud: 'https://api.security.microsoft.com',
      iss: `https://sts.windows.net/${customerId}/`,
      tid: customerId,
      appid: appId,
      appidacr: '1',
      roles: ['Incident.Read.All', 'Incident.ReadWrite.All'],
      ver: '1.0',
      iat: start / 1000,
    })
    expect(claims.sub).toBe(claims.oid)
    const keys = createRemoteJWKSet(new URL(`${simulator.origin}/common/discovery/v2.0/keys`))
    await expect(jwtVerify(body.access_token, keys, { currentDate: new Date(start) })).resolves.toBeDefined()
  })

  test('take a domain for a tenant, and the secret in a Basic header', async () => {
    simulator.world.consent(customerId, appId)
    const response = await fetch(`${simulator.origin}/customer.example/oauth2/v2.0/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${appId}:${encodeURIComponent(secret)}`).toString('base64')}` },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope: 'https://api.security.microsoft.com/.default',
      }),
    })
    expect((await read(response)).status).toBe(200)
  })

  test('at the v1 endpoint write every number as a text', async () => {
    simulator.world.consent(customerId, appId)
    const { body } = await askToken(
      simulator,
      customerId,
      { scope: '', resource: 'https://api.security.microsoft.com' },
      'oauth2/token',
    )
    expect(body).toMatchObject({
      expires_in: expect.stringMatching(/^\d+$/),
      expires_on: expect.stringMatching(/^\d+$/),
      resource: 'https://api.security.microsoft.com',
    })
  })

  test.each([
    ['a wrong secret', { client_secret: 'the-id-of-the-secret' }, 401, 'invalid_client', 7000215],
    ['no secret', { client_secret: '' }, 401, 'invalid_client', 7000218],
    ['an unknown client', { client_id: randomUUID() }, 400, 'unauthorized_client', 700016],
    ['no grant type', { grant_type: '' }, 400, 'invalid_request', 900144],
    ['another grant type', { grant_type: 'password' }, 400, 'unsupported_grant_type', 70003],
    [
      'a scope that is not .default',
      { scope: 'https://api.security.microsoft.com/Incident.Read.All' },
      400,
      'invalid_scope',
      70011,
    ],
    [
      'two scopes',
      { scope: 'https://graph.microsoft.com/.default https://api.security.microsoft.com/.default' },
      400,
      'invalid_scope',
      70011,
    ],
    ['an unknown resource', { scope: 'https://nothing.example/.default' }, 400, 'invalid_resource', 500011],
  ])('refuse %s', async (_name, fields, status, error, code) => {
    simulator.world.consent(customerId, appId)
    const answer = await askToken(simulator, customerId, fields)
    expect([answer.status, answer.body.error, answer.body.error_codes]).toEqual([status, error, [code]])
    expect(answer.body.error_description).toMatch(
      new RegExp(`^AADSTS${code}: .+(Trace ID|\r\nTrace ID): [0-9a-f-]{36}`, 's'),
    )
    expect(answer.headers.get('x-ms-request-id')).toBe(answer.body.trace_id)
  })

  test.each([
    ['nobody.example', 90002],
    ['undefined', 900023],
    ['organizations', 9001023],
    ['common', 9001023],
  ])('refuse the tenant %s with AADSTS%i', async (named, code) => {
    expect((await askToken(simulator, named)).body.error_codes).toEqual([code])
  })

  test('echo the correlation ID of the caller', async () => {
    const id = randomUUID()
    expect((await askToken(simulator, customerId, { 'client-request-id': id })).body.correlation_id).toBe(id)
  })

  test('refuse an app nobody consented to, in today’s words or the older ones', async () => {
    const today = await askToken(simulator, customerId)
    expect([today.status, today.body.error, today.body.error_codes]).toEqual([401, 'invalid_client', [7000229]])
    simulator.world.behaviour.notConsentedCode = 700016
    const older = await askToken(simulator, customerId)
    expect([older.status, older.body.error, older.body.error_codes]).toEqual([400, 'unauthorized_client', [700016]])
  })

  test('after consent are refused, then role-less, then complete', async () => {
    simulator.world.consent(customerId, appId, { propagationMs: 60_000 })
    expect((await askToken(simulator, customerId)).body.error_codes).toEqual([7000229])
    simulator.clock.advance(30_000)
    expect(claimsIn((await askToken(simulator, customerId)).body.access_token)).not.toHaveProperty('roles')
    simulator.clock.advance(30_000)
    expect(claimsIn((await askToken(simulator, customerId)).body.access_token).roles).toHaveLength(2)
  })

  test('after a second consent only the new roles are on their way', async () => {
    simulator.world.consent(customerId, appId, { roles: ['Incident.Read.All'] })
    simulator.world.consent(customerId, appId, { propagationMs: 60_000 })
    expect(claimsIn((await askToken(simulator, customerId)).body.access_token).roles).toEqual(['Incident.Read.All'])
  })

  test('are refused once the app is disabled, deleted or blocked, the licence gone, or the tenant deleted', async () => {
    const { world } = simulator
    const code = async () => (await askToken(simulator, customerId)).body.error_codes?.[0] ?? 'token'
    world.consent(customerId, appId)
    expect(await code()).toBe('token')
    world.disableApp(customerId, appId)
    expect(await code()).toBe(7000112)
    world.disableApp(customerId, appId, false)
    world.blockByPolicy(customerId)
    expect(await code()).toBe(53003)
    world.blockByPolicy(customerId, null)
    world.setLicensed(customerId, false)
    expect(await code()).toBe(500011)
    world.setLicensed(customerId, true)
    expect(claimsIn((await askToken(simulator, customerId)).body.access_token)).not.toHaveProperty('roles')
    world.revoke(customerId, appId)
    expect(await code()).toBe(7000229)
    world.deleteTenant(customerId)
    expect(await code()).toBe(90002)
  })

  test('blocked by Conditional Access name the policy in claims', async () => {
    simulator.world.consent(customerId, appId)
    simulator.world.blockByPolicy(customerId, 'a-policy')
    const { body } = await askToken(simulator, customerId)
    expect(body.suberror).toBe('message_only')
    expect(JSON.parse(body.claims).access_token.capolids.values).toEqual(['a-policy'])
  })

  test('with an expired secret are refused everywhere, and accepted again once it is renewed', async () => {
    simulator.world.consent(customerId, appId)
    simulator.world.expireSecrets(appId)
    expect((await askToken(simulator, customerId)).body.error_codes).toEqual([7000222])
    expect((await askToken(simulator, partnerId)).body.error_codes).toEqual([7000222])
    simulator.world.renewSecrets(appId)
    expect((await askToken(simulator, customerId)).status).toBe(200)
  })

  test('of a single-tenant registration work at home alone', async () => {
    const fields = { client_id: signInId, scope: 'https://graph.microsoft.com/.default' }
    expect((await askToken(simulator, partnerId, fields)).status).toBe(200)
    expect((await askToken(simulator, customerId, fields)).body.error_codes).toEqual([700016])
  })

  test('for the Endpoint resource are a valid token for the wrong audience', async () => {
    simulator.world.consent(customerId, appId)
    const { body } = await askToken(simulator, customerId, {
      scope: 'https://api.securitycenter.microsoft.com/.default',
    })
    expect(claimsIn(body.access_token).aud).toBe('https://api.securitycenter.microsoft.com')
    const answer = await fetch(`${simulator.origin}/api/incidents`, {
      headers: { authorization: `Bearer ${body.access_token}` },
    })
    expect(answer.status).toBe(401)
  })
})

describe('client assertions', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

  const assertion = (overrides: Record<string, unknown> = {}, key = privateKey, alg = 'PS256') =>
    new SignJWT({
      aud: `${simulator.origin}/${customerId}/oauth2/v2.0/token`,
      iss: appId,
      sub: appId,
      jti: randomUUID(),
      nbf: start / 1000,
      exp: start / 1000 + 600,
      ...overrides,
    })
      .setProtectedHeader({ alg, typ: 'JWT', 'x5t#S256': 'unknown' })
      .sign(key)
  const present = async (jwt: string) =>
    askToken(simulator, customerId, {
      client_secret: '',
      client_assertion: jwt,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })

  beforeEach(async () => {
    await simulator.close()
    const [app, ...others] = registrations()
    if (!app) throw new Error('no registration')
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    actors = await stage({ registrations: [{ ...app, secrets: [], certificates: [pem] }, ...others] })
    simulator = actors.simulator
    simulator.world.consent(customerId, appId)
  })

  test.each(['PS256', 'RS256'])('signed with %s by the registered key are accepted', async (alg) => {
    const { body } = await present(await assertion({}, privateKey, alg))
    expect(claimsIn(body.access_token).appidacr).toBe('2')
  })

  test('may name Microsoft’s own token endpoint', async () => {
    const aud = `https://login.microsoftonline.com/${customerId}/oauth2/v2.0/token`
    expect((await present(await assertion({ aud }))).status).toBe(200)
  })

  test.each([
    ['signed by another key', 700027, () => assertion({}, other)],
    ['for another endpoint', 700023, () => assertion({ aud: 'https://elsewhere.example/token' })],
    [
      'for another tenant',
      700023,
      () => assertion({ aud: `https://login.microsoftonline.com/${partnerId}/oauth2/v2.0/token` }),
    ],
    ['about another client', 700027, () => assertion({ sub: signInId })],
    ['that have expired', 700024, () => assertion({ exp: start / 1000 - 600 })],
    ['from the future', 700024, () => assertion({ nbf: start / 1000 + 900, exp: start / 1000 + 1500 })],
    ['that are no JWT', 50027, async () => 'abc'],
  ])('%s are refused', async (_name, code, make) => {
    const { status, body } = await present(await make())
    expect([status, body.error_codes]).toEqual([401, [code]])
  })
})

describe('weather over tokens', () => {
  beforeEach(() => {
    simulator.world.consent(customerId, appId)
  })

  test.each([
    [
      'no-roles',
      (body: Record<string, string>) => expect(claimsIn(body.access_token ?? '')).not.toHaveProperty('roles'),
    ],
    [
      'plural-roles',
      (body: Record<string, string>) => expect(claimsIn(body.access_token ?? '').roles).toContain('Incidents.Read.All'),
    ],
    ['wrong-tid', (body: Record<string, string>) => expect(claimsIn(body.access_token ?? '').tid).not.toBe(customerId)],
    [
      'wrong-audience',
      (body: Record<string, string>) => expect(claimsIn(body.access_token ?? '').aud).toContain('securitycenter'),
    ],
    ['no-access-token', (body: Record<string, string>) => expect(body).not.toHaveProperty('access_token')],
    ['string-expires-in', (body: Record<string, string>) => expect(body.expires_in).toMatch(/^\d+$/)],
    ['refresh-in', (body: Record<string, string>) => expect(body.refresh_in).toBeGreaterThan(1000)],
  ] as const)('makes %s once, and then it clears', async (kind, check) => {
    simulator.world.setWeather(customerId, kind, { count: 1 })
    check((await askToken(simulator, customerId)).body)
    expect(claimsIn((await askToken(simulator, customerId)).body.access_token)).toMatchObject({
      tid: customerId,
      roles: expect.any(Array),
    })
  })

  test('makes opaque tokens that the API still takes', async () => {
    simulator.world.setWeather('*', 'opaque-token')
    const { body } = await askToken(simulator, customerId)
    expect(body.access_token).not.toContain('.')
    const answer = await fetch(`${simulator.origin}/api/incidents`, {
      headers: { authorization: `Bearer ${body.access_token}` },
    })
    expect(answer.status).toBe(200)
  })

  test.each([65001, 90033, 50196, 90099])('refuses with any code that was asked for: %i', async (code) => {
    simulator.world.setWeather(customerId, 'refusal', { code, count: 1 })
    expect((await askToken(simulator, customerId)).body.error_codes).toEqual([code])
  })

  test('throttles tokens of one tenant and not of another', async () => {
    simulator.world.setWeather(customerId, 'throttle', { surface: 'token', retryAfter: 7, forMs: 60_000 })
    const { status, headers, body } = await askToken(simulator, customerId)
    expect([status, headers.get('retry-after'), body.error_codes]).toEqual([429, '7', [90055]])
    expect((await askToken(simulator, partnerId)).status).toBe(200)
    simulator.clock.advance(60_001)
    expect((await askToken(simulator, customerId)).status).toBe(200)
  })
})

test('error descriptions come with spaces, with lines, and with either', async () => {
  const describe = async () => (await askToken(simulator, customerId)).body.error_description
  simulator.world.behaviour.separators = 'lines'
  expect(await describe()).toContain('\r\nTrace ID: ')
  simulator.world.behaviour.separators = 'spaces'
  expect(await describe()).not.toContain('\r\n')
})

test('every request is on record with its tenant, and calls of the control API are not', async () => {
  simulator.world.consent(customerId, appId, { roles: [...graphRoles, 'Incident.Read.All'] })
  const { body } = await askToken(simulator, customerId)
  await fetch(`${simulator.origin}/api/incidents?$top=1`, { headers: { authorization: `Bearer ${body.access_token}` } })
  await fetch(`${simulator.origin}/_sim/state`)
  expect(
    simulator.requests.map(({ method, path, tenantId, tokenTid, status }) => ({
      method,
      path,
      tenantId,
      tokenTid,
      status,
    })),
  ).toEqual([
    { method: 'POST', path: `/${customerId}/oauth2/v2.0/token`, tenantId: customerId, tokenTid: null, status: 200 },
    { method: 'GET', path: '/api/incidents', tenantId: customerId, tokenTid: customerId, status: 200 },
  ])
})
