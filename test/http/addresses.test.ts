import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import request from 'supertest'
import { listAudit } from '../../server/store/audit.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

/** As a portal stands behind a proxy that ends TLS. */
let here: TestPortal
beforeAll(async () => {
  here = await startTestPortal('SQLite', {
    config: { trustProxy: ['loopback', '10.0.0.0/8'], publicUrl: 'https://muster.example.com' },
  })
})
afterAll(() => here.close())

describe('the address somebody comes from', () => {
  /** A form that is refused for its missing token, and counted all the same. */
  const knock = (forwarded: string) =>
    request(here.url)
      .post('/auth/login')
      .set({ Host: 'muster.example.com', 'Sec-Fetch-Site': 'same-origin', 'X-Forwarded-For': forwarded })

  async function refused(times: number, forwarded: (i: number) => string): Promise<number> {
    const statuses: number[] = []
    while (statuses.length < times) {
      const batch = Array.from({ length: Math.min(20, times - statuses.length) }, (_, i) => statuses.length + i)
      statuses.push(...(await Promise.all(batch.map(async (i) => (await knock(forwarded(i))).status))))
    }
    return statuses.filter((status) => status === 429).length
  }

  test.each<[string, (i: number) => string]>([
    ['a new port each time', (i) => `203.0.113.7:${50_000 + i}`],
    ['IPv6 in brackets', (i) => `[2001:db8::7]:${50_000 + i}`],
    ['something made up in front of it', (i) => `10.0.0.${i % 250}, it-was-${i}, 192.0.2.88:${50_000 + i}`],
  ])('is counted once, with %s', async (_what, forwarded) => {
    expect(await refused(305, forwarded)).toBe(5)
  })

  test('is that of the proxy where the proxy says nothing that is one', async () => {
    expect(await refused(305, (i) => `unknown, _hidden${i}`)).toBe(5)
  })

  test.each([
    ['203.0.113.20:51234', '203.0.113.20'],
    ['[2001:db8:20::1]:51234', '2001:db8:20::1'],
    ['2001:db8:21::1', '2001:db8:21::1'],
    ['"[2001:db8:22::1]"', '2001:db8:22::1'],
    ['[::ffff:203.0.113.23]:80', '203.0.113.23'],
    ['"203.0.113.24:1"', '203.0.113.24'],
    ['203.0.113.25:50000, 10.0.0.4:40000', '203.0.113.25'],
    ['203.0.113.26, [not::an::address], 10.0.0.5:40000', '10.0.0.5'],
  ])('stands in the audit log without a port: %s', async (forwarded, address) => {
    const headers = { Host: 'muster.example.com', 'X-Forwarded-For': forwarded, 'Sec-Fetch-Site': 'same-origin' }
    const start = await request(here.url).get('/sign-in').set(headers)
    const cookie = ([start.headers['set-cookie'] ?? []].flat() as string[]).map((one) => one.split(';')[0]).join('; ')
    const _csrf = /name="_csrf" value="([^"]+)"/.exec(start.text)?.[1] ?? ''
    const left = await request(here.url)
      .post('/auth/login')
      .type('form')
      .send({ _csrf })
      .set({ ...headers, Cookie: cookie })
      .redirects(0)
    const state = new URL(left.headers.location ?? '').searchParams.get('state')
    const more = ([left.headers['set-cookie'] ?? []].flat() as string[]).map((one) => one.split(';')[0])
    await request(here.url)
      .get(`/auth/callback?error=access_denied&state=${state}`)
      .set({ ...headers, Cookie: [cookie, ...more].join('; ') })
      .redirects(0)
    const [event] = await listAudit(here.portal.db, { limit: 1 })
    expect(event).toMatchObject({ action: 'operator.sign-in-refused', address })
  })
})

describe('one authority', () => {
  const ask = (host: string, path = '/sign-in') =>
    request(here.url).get(path).set({ Host: host, Accept: 'text/html' }).redirects(0)

  test.each(['muster.example.com', 'muster.example.com:443', 'MUSTER.Example.com', 'Muster.example.com:0443'])(
    'is served under every spelling of it: %s',
    async (host) => {
      expect((await ask(host)).status).toBe(200)
    },
  )

  test('is led to without the final dot, under which a browser would have none of its cookies', async () => {
    for (const host of ['muster.example.com.', 'muster.example.com.:443']) {
      const answer = await ask(host, '/sign-in?returnTo=%2Fx')
      expect([answer.status, answer.headers.location]).toEqual([
        308,
        'https://muster.example.com/sign-in?returnTo=%2Fx',
      ])
    }
    expect((await request(here.url).post('/auth/login').set({ Host: 'muster.example.com.' })).status).toBe(421)
  })

  test.each(['muster.example.com:80', 'muster.example.com:8443', 'www.muster.example.com', '10.0.0.7:3000', 'muster'])(
    'is not %s, and the page names what arrived',
    async (host) => {
      const answer = await ask(host)
      expect(answer.status).toBe(421)
      expect(answer.text).toContain(`“${host}”`)
    },
  )

  test('is not shown where what arrived is no name at all', async () => {
    for (const host of ['"><b>x', 'a b', `evil/${'x'.repeat(9)}`]) {
      const answer = await ask(host)
      expect([answer.status, answer.text.includes('“–”')]).toEqual([421, true])
      expect(answer.text).not.toContain('<b>x')
    }
    expect((await ask(`${'a'.repeat(60)}.${'b'.repeat(60)}.example`)).text).toContain(`${'b'.repeat(39)}”`)
  })
})
