import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Simulator } from '../../server/simulator/simulator.ts'
import { appId, call, customerId, graphRoles, otherId, stage, start, tokenFor } from '../support/simulator.ts'

let simulator: Simulator
let token: string

beforeEach(async () => {
  simulator = (await stage()).simulator
  simulator.world.registration(appId).requiredResources.push({ resource: 'graph', roles: graphRoles })
  simulator.world.consent(customerId, appId)
  simulator.world.generate(customerId, 30)
  token = await tokenFor(simulator, customerId)
})
afterEach(() => simulator.close())

const list = (query = '') => call(simulator, token, `/api/incidents${query}`)
const weather: Simulator['world']['setWeather'] = (...all) => simulator.world.setWeather(...all)
const failure = async (promise: Promise<unknown>) => {
  try {
    await promise
    return 'answered'
  } catch (error) {
    // Errors of fetch come from outside Jest’s realm: they are no `Error` of this one.
    return (error as { name?: unknown }).name === 'TimeoutError' ? 'timeout' : 'broken'
  }
}

describe('instead of an answer', () => {
  test.each([
    ['seconds', 30, '30'],
    ['a text that is no time', 'soon', 'soon'],
    ['nothing', null, null],
    ['a date', { dateMs: 90_000 }, 'Fri, 20 Nov 2026 08:01:30 GMT'],
    ['a negative number', -5, '-5'],
  ] as const)('429 with %s in Retry-After', async (_name, retryAfter, header) => {
    weather(customerId, 'throttle', { retryAfter })
    const { status, headers, body } = await list()
    expect([status, headers.get('retry-after'), body.error.code]).toEqual([429, header, 'TooManyRequests'])
  })

  test.each([500, 502, 503, 504])('%i as JSON', async (status) => {
    weather('*', 'outage', { status })
    const answer = await list()
    expect(answer.status).toBe(status)
    expect(answer.body.error.code).toEqual(expect.any(String))
  })

  test.each([200, 403, 503])('a gateway’s HTML page with %i', async (status) => {
    weather('*', 'html', { status })
    const answer = await list()
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toContain('text/html')
    expect(answer.body).toContain('Microsoft-Azure-Application-Gateway')
  })

  test('a broken connection', async () => {
    weather('*', 'reset', { count: 1 })
    expect(await failure(list())).toBe('broken')
    expect((await list()).status).toBe(200)
  })

  test('silence', async () => {
    weather('*', 'hang', { count: 1 })
    const request = fetch(`${simulator.origin}/api/incidents`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(200),
    })
    expect(await failure(request)).toBe('timeout')
  })

  test('a redirect elsewhere', async () => {
    weather('*', 'redirect', { location: 'https://attacker.example/' })
    const { status, headers } = await list()
    expect([status, headers.get('location')]).toEqual([302, 'https://attacker.example/'])
  })

  test.each([
    ['unauthorized', 401],
    ['forbidden', 403],
  ] as const)('%s', async (kind, status) => {
    weather('*', kind)
    expect((await list()).status).toBe(status)
  })
})

describe('on the way', () => {
  test('an answer is cut in the middle', async () => {
    weather('*', 'cut', { count: 1 })
    expect(await failure(list())).toBe('broken')
  })

  test('a change is made and its answer lost', async () => {
    weather('*', 'lost-answer', { method: 'PATCH', count: 1 })
    const id = simulator.world.tenant(customerId).incidents.all()[0]?.id ?? 0
    const change = call(simulator, token, `/api/incidents/${id}`, { method: 'PATCH', body: { comment: 'kept' } })
    expect(await failure(change)).toBe('broken')
    expect(simulator.world.incident(customerId, id).comments).toHaveLength(1)
  })

  test.each(['malformed', 'empty'] as const)('the body is %s', async (kind) => {
    weather('*', kind)
    const { status, body } = await list()
    expect(status).toBe(200)
    expect(typeof body).toBe('string')
  })

  test('a body drips for longer than anybody should wait', async () => {
    weather('*', 'drip', { delayMs: 50, count: 1 })
    const response = await fetch(`${simulator.origin}/api/incidents`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(300),
    })
    expect(response.status).toBe(200)
    expect(await failure(response.text())).toBe('timeout')
  })

  test('an answer comes late', async () => {
    weather('*', 'slow', { delayMs: 150, count: 1 })
    const begun = performance.now()
    expect((await list()).status).toBe(200)
    expect(performance.now() - begun).toBeGreaterThan(140)
  })

  test('late and broken add up', async () => {
    weather('*', 'slow', { delayMs: 100 })
    weather('*', 'malformed')
    expect(typeof (await list()).body).toBe('string')
  })
})

describe('odd pages', () => {
  test.each([
    ['no-id', (item: Record<string, unknown>) => expect(item).not.toHaveProperty('incidentId')],
    ['no-time', (item: Record<string, unknown>) => expect(item).not.toHaveProperty('lastUpdateTime')],
    ['wrong-types', (item: Record<string, unknown>) => expect(item.severity).toBe(7)],
    ['unknown-enum', (item: Record<string, unknown>) => expect(item.status).toBe('Quantum')],
    ['foreign-tenant', (item: Record<string, unknown>) => expect(item.tenantId).not.toBe(customerId)],
    ['not-an-object', (item: unknown) => expect(item).toBeNull()],
    ['huge', (item: Record<string, unknown>) => expect(String(item.incidentName).length).toBeGreaterThan(5_000_000)],
  ] as const)('hold one item that is %s, and good ones beside it', async (oddity, check) => {
    weather(customerId, 'odd-item', { oddity, count: 1 })
    const { body } = await list('?$top=5')
    check(body.value[0])
    expect(body.value).toHaveLength(5)
    expect(body.value[1].incidentId).toEqual(expect.any(Number))
    expect((await list('?$top=5')).body.value[0].incidentId).toEqual(expect.any(Number))
  })

  test('have no value at all', async () => {
    weather('*', 'no-value')
    expect((await list()).body).not.toHaveProperty('value')
  })

  test('lead in a circle, or abroad', async () => {
    const graph = await tokenFor(simulator, customerId, 'https://graph.microsoft.com')
    const path = '/v1.0/security/incidents?$top=5'
    weather('*', 'next-link-loop', { count: 1 })
    expect((await call(simulator, graph, path)).body['@odata.nextLink']).toBe(`${simulator.origin}${path}`)
    weather('*', 'next-link-foreign', { count: 1 })
    expect((await call(simulator, graph, path)).body['@odata.nextLink']).toMatch(/^https:\/\/attacker\.example\//)
  })

  test('shift while they are read: an incident moves up and another is met twice', async () => {
    weather('*', 'change-between-pages', { count: 1 })
    const ids = async (skip: number) =>
      (await list(`?$top=10&$skip=${skip}`)).body.value.map(({ incidentId }: { incidentId: number }) => incidentId)
    const first = await ids(0)
    const second = await ids(10)
    expect(second[0]).toBe(first.at(-1))
  })
})

describe('weather ends', () => {
  test('after so many requests', async () => {
    weather(customerId, 'outage', { count: 2 })
    expect([(await list()).status, (await list()).status, (await list()).status]).toEqual([503, 503, 200])
  })

  test('after so much time of the virtual clock', async () => {
    weather(customerId, 'outage', { forMs: 60_000 })
    simulator.clock.advance(59_000)
    expect((await list()).status).toBe(503)
    simulator.clock.advance(1_000)
    expect((await list()).status).toBe(200)
  })

  test('when it is cleared, for one tenant or for all', async () => {
    weather(customerId, 'outage')
    weather(otherId, 'outage')
    simulator.world.clearWeather(otherId)
    expect((await list()).status).toBe(503)
    simulator.world.clearWeather()
    expect((await list()).status).toBe(200)
  })
})

test('weather keeps to its tenant, its surface, its path and its method', async () => {
  simulator.world.consent(otherId, appId)
  const other = await tokenFor(simulator, otherId)
  const graph = await tokenFor(simulator, customerId, 'https://graph.microsoft.com')
  weather(otherId, 'outage')
  expect((await list()).status).toBe(200)
  expect((await call(simulator, other, '/api/incidents')).status).toBe(503)
  weather(customerId, 'outage', { surface: 'graph' })
  expect((await list()).status).toBe(200)
  expect((await call(simulator, graph, '/v1.0/security/incidents')).status).toBe(503)
  simulator.world.clearWeather()
  weather('*', 'outage', { path: '$skip=10' })
  expect((await list()).status).toBe(200)
  expect((await list('?$skip=10')).status).toBe(503)
})

test('sign-in pages and discovery have weather of their own', async () => {
  const status = async (path: string) => (await fetch(`${simulator.origin}${path}`)).status
  weather('*', 'outage', { surface: 'discovery', status: 502 })
  expect(await status(`/${customerId}/v2.0/.well-known/openid-configuration`)).toBe(502)
  weather('*', 'outage', { surface: 'login', status: 503 })
  expect(await status(`/${customerId}/v2.0/adminconsent`)).toBe(503)
})

test('the clock of the world is the one that was given, moved on', () => {
  expect(simulator.clock.now()).toBe(start)
  simulator.clock.advance(5_000)
  expect(simulator.clock.now()).toBe(start + 5_000)
})
