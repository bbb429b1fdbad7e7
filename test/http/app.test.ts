import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import request, { type Response } from 'supertest'
import { createApp } from '../../server/app.ts'
import { addressKey } from '../../server/http/client-address.ts'
import type { Route } from '../../server/http/route.ts'
import { routes } from '../../server/web/routes.ts'
import type { Browser } from '../support/browser.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

/** A route's address with something that exists nowhere in the place of every name. */
const addressOf = (route: Route) => route.path.replace(/:\w+/g, '00000000-0000-4000-8000-000000000000')

const csp = (authority: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    `form-action 'self' ${authority}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
  ].join(';')

describe('the routes', () => {
  let here: TestPortal
  let people: Record<'Reader' | 'Analyst' | 'Admin', Browser>
  beforeAll(async () => {
    here = await startTestPortal()
    people = {
      Reader: await here.signedIn(here.cast.bob),
      Analyst: await here.signedIn(here.cast.carol),
      Admin: await here.signedIn(here.cast.alice),
    }
  })
  afterAll(() => here.close())

  test('are the ones of the table and no others', () => {
    interface Layer {
      route?: { path: string | string[]; methods: Record<string, boolean> }
    }
    const { stack } = (createApp(here.portal) as unknown as { router: { stack: Layer[] } }).router
    const registered = stack.flatMap(({ route }) => {
      if (!route || Array.isArray(route.path)) return []
      return Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`)
    })
    expect(registered.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort())
    expect(new Set(registered).size).toBe(registered.length)
  })

  test('that anyone may use guard themselves by counting, but for the probes', () => {
    const open = routes.filter(({ access }) => access === 'public' || access === 'customer-browser')
    expect(open.filter(({ limit, anyHost }) => !limit && !anyHost).map(({ path }) => path)).toEqual([])
  })

  const guarded = routes.filter(({ access }) => access !== 'public' && access !== 'customer-browser')

  test.each(guarded.map((route) => [route.method, route.path, route] as const))(
    '%s %s lets nobody in who is not signed in',
    async (method, _path, route) => {
      const browser = here.browser()
      const page = method === 'GET' ? await browser.get(addressOf(route)) : await browser.post(addressOf(route), {})
      expect(page.status).toBe(303)
      expect(new URL(page.location ?? '').pathname).toBe('/sign-in')
      const asJson = await browser.get(addressOf(route), { Accept: 'application/json' })
      if (method === 'GET') expect(asJson.status).toBe(401)
    },
  )

  const ranks = { 'signed-in': 1, Reader: 1, Analyst: 2, Admin: 3 } as const
  const everyPair = guarded.flatMap((route) =>
    (['Reader', 'Analyst', 'Admin'] as const).map((role) => [role, route.method, route.path, route] as const),
  )

  test.each(everyPair)('a %s is met at %s %s as the table says', async (role, method, _path, route) => {
    const browser = people[role]
    const page = method === 'GET' ? await browser.get(addressOf(route)) : await browser.post(addressOf(route), {})
    const refused = page.status === 403 && page.text.includes('FORBIDDEN')
    const needed = ranks[route.access as keyof typeof ranks]
    expect(refused).toBe(ranks[role] < needed)
    if (page.location) expect(new URL(page.location).pathname).not.toBe('/sign-in')
    if (method === 'POST' && !refused) expect(page.text).toContain('FORM_EXPIRED')
  })

  test('tell a live region whose session is over to go and sign in', async () => {
    const route = guarded.find(({ method, path }) => method === 'GET' && !path.includes(':'))
    if (!route) throw new Error('there is no page to ask for')
    const page = await here.browser().get(route.path, { 'HX-Request': 'true', 'X-Muster-Live': '1' })
    expect(page.status).toBe(401)
    expect(page.headers['hx-redirect']).toMatch(/^\/sign-in/)
  })

  const ofCustomers = routes.filter(({ access }) => access === 'customer-browser')
  test('of customers’ browsers are shut to browsers that were given nothing', async () => {
    for (const route of ofCustomers) {
      const browser = here.browser()
      const page =
        route.method === 'GET' ? await browser.get(addressOf(route)) : await browser.post(addressOf(route), {})
      expect([route.path, page.text.includes('CONSENT_NOT_YOURS')]).toEqual([route.path, true])
    }
  })

  test('that change something are never reached by GET', () => {
    expect(routes.filter(({ method }) => method !== 'GET' && method !== 'POST')).toEqual([])
  })
})

onEachEngine('a form', (engine) => {
  let here: TestPortal
  let alice: Browser
  let bob: Browser
  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
    bob = await here.signedIn(here.cast.bob)
  })
  afterAll(() => here.close())

  const themeOf = async () =>
    (await here.portal.db.selectFrom('operators').select('theme').where('name', '=', 'Alice Admin').executeTakeFirst())
      ?.theme

  async function tokenOf(name: string): Promise<string> {
    const rows = await here.portal.db
      .selectFrom('sessions')
      .innerJoin('operators', 'operators.id', 'sessions.operator_id')
      .select('sessions.data')
      .where('operators.name', '=', name)
      .execute()
    return (JSON.parse(rows[0]?.data ?? '{}') as { csrfToken: string }).csrfToken
  }

  test('with the token of its session is taken', async () => {
    const page = await alice.post('/preferences', {
      _csrf: await tokenOf('Alice Admin'),
      theme: 'dark',
      returnTo: '/x',
    })
    expect(page.status).toBe(303)
    expect(page.headers.location).toBe('/x')
    expect(await themeOf()).toBe('dark')
    expect(alice.cookie('theme')).toBe('dark')
  })

  const refused: [string, (own: string, others: string) => [Record<string, string>, Record<string, string>], string][] =
    [
      ['without a token', () => [{}, {}], 'FORM_EXPIRED'],
      ['with a made-up token', () => [{ _csrf: 'x' }, {}], 'FORM_EXPIRED'],
      ['with the token of another session', (_own, others) => [{ _csrf: others }, {}], 'FORM_EXPIRED'],
      ['from another site', (own) => [{ _csrf: own }, { 'Sec-Fetch-Site': 'cross-site' }], 'CROSS_SITE'],
      ['from a neighbour’s host', (own) => [{ _csrf: own }, { 'Sec-Fetch-Site': 'same-site' }], 'CROSS_SITE'],
      ['from nowhere in particular', (own) => [{ _csrf: own }, { 'Sec-Fetch-Site': 'none' }], 'CROSS_SITE'],
      [
        'from an old browser on another site',
        (own) => [{ _csrf: own }, { 'Sec-Fetch-Site': '', Origin: 'https://evil.example' }],
        'CROSS_SITE',
      ],
      [
        'from an old browser that hides where',
        (own) => [{ _csrf: own }, { 'Sec-Fetch-Site': '', Origin: 'null' }],
        'CROSS_SITE',
      ],
      ['that says nothing of where it is from', (own) => [{ _csrf: own }, { 'Sec-Fetch-Site': '' }], 'CROSS_SITE'],
    ]

  test.each(refused)('%s is refused and changes nothing', async (_what, make, code) => {
    const [fields, headers] = make(await tokenOf('Alice Admin'), await tokenOf('Bob Reader'))
    const before = await themeOf()
    const page = await alice.post('/preferences', { theme: 'light', ...fields }, headers)
    expect(page.status).toBe(403)
    expect(page.text).toContain(code)
    expect(await themeOf()).toBe(before)
  })

  test('from an old browser on this site is taken', async () => {
    const headers = { 'Sec-Fetch-Site': '', Origin: here.portal.config.publicUrl }
    const page = await bob.post('/preferences', { _csrf: await tokenOf('Bob Reader'), theme: 'light' }, headers)
    expect(page.status).toBe(303)
  })

  test.each([
    ['a field that nobody offered', { role: 'Admin' }],
    ['a value outside its list', { theme: 'pink' }],
    ['a zone that is none', { timeZone: 'Europe/../../etc' }],
    ['a language that is none', { language: 'toString' }],
    ['a field twice', { theme: ['dark', 'light'] }],
  ])('with %s is a 400', async (_what, fields) => {
    const page = await bob.post('/preferences', { _csrf: await tokenOf('Bob Reader'), ...fields })
    expect(page.status).toBe(400)
    expect(page.text).toContain('BAD_REQUEST')
  })

  test('of a public page is taken for the path it was made for, and for a day', async () => {
    const page = await here.browser().open('/sign-in')
    const token = /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    const send = (value: string) => here.browser().post('/auth/login', { _csrf: value })
    expect((await send(token)).status).toBe(303)
    expect((await send('')).status).toBe(403)
    expect((await send(`${token}x`)).status).toBe(403)
    expect((await send(token.replace(/^[^.]+/, 'zzzzzzzzz'))).status).toBe(403)
    const elsewhere = await here.browser().post(`/join/${'A'.repeat(43)}/attempts`, { _csrf: token })
    expect(elsewhere.text).toContain('FORM_EXPIRED')
    here.clock.advance(25 * 3_600_000)
    expect((await send(`${token}x`)).status).toBe(403)
    const stale = await here.browser().post('/auth/login', { _csrf: token, returnTo: '/audit' })
    expect([stale.status, stale.location]).toEqual([303, `${here.portal.config.publicUrl}/sign-in?returnTo=%2Faudit`])
  })
})

describe('every answer', () => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal()
  })
  afterAll(() => here.close())

  const host = () => new URL(here.portal.config.publicUrl).host
  const ask = (path: string) => request(here.url).get(path).set({ Host: host(), Accept: 'text/html' }).redirects(0)

  const answers: [string, number, () => request.Test][] = [
    ['a page', 200, () => ask('/sign-in')],
    ['a file', 200, () => ask('/assets/x/css/muster.css')],
    ['a script of others', 200, () => ask('/assets/x/vendor/htmx.js')],
    ['a probe', 200, () => ask('/healthz')],
    ['a form that is not ours', 403, () => request(here.url).post('/auth/login').set({ Host: host() })],
    ['a return that cannot be read', 400, () => ask('/auth/callback')],
    ['nothing there', 404, () => ask('/.git/config')],
    ['nothing there in assets', 404, () => ask('/assets/x/%2e%2e/%2e%2e/package.json')],
    ['a path that cannot be decoded', 404, () => ask('/%E0%A4%A')],
    ['another method', 405, () => request(here.url).delete('/sign-in').set({ Host: host() })],
    [
      'a known method elsewhere',
      405,
      () => request(here.url).post('/sign-in').set({ Host: host(), 'Sec-Fetch-Site': 'same-origin' }),
    ],
    ['another host', 421, () => request(here.url).get('/sign-in').set({ Host: 'evil.example' })],
    [
      'too much',
      413,
      () =>
        request(here.url)
          .post('/auth/login')
          .set({ Host: host(), 'Sec-Fetch-Site': 'same-origin' })
          .type('form')
          .send(`a=${'x'.repeat(1_000_000)}`),
    ],
  ]

  test.each(answers)('says the same of itself: %s (%d)', async (_what, status, make) => {
    const answer = await make()
    expect(answer.status).toBe(status)
    const { headers } = answer
    expect(headers['content-security-policy']).toBe(csp(here.simulator.origin))
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
    expect(headers['x-request-id']).toMatch(/^[\w-]{12}$/)
    expect(headers['x-powered-by']).toBeUndefined()
    expect(headers['strict-transport-security']).toBeUndefined()
    expect(headers['content-type']).toMatch(/charset=utf-8/i)
    if (status >= 400) {
      expect(headers['cache-control']).toBe('no-store')
      expect(answer.text).not.toMatch(/node_modules|\.ts\b|\.js:\d|at \w+ \(/)
    }
  })

  test('comes as JSON to who asks for JSON', async () => {
    const answer = await ask('/nowhere').set({ Accept: 'application/json' })
    expect(answer.body).toEqual({
      error: {
        code: 'NOT_FOUND',
        message: 'There is nothing at this address',
        next: expect.any(String),
        requestId: answer.headers['x-request-id'],
        at: expect.any(String),
      },
    })
  })

  test('leads home whoever seems to live here', async () => {
    expect((await ask('/nowhere')).text).not.toContain('href="/incidents"')
    const page = await (await here.signedIn(here.cast.bob)).get('/nowhere')
    expect(page.status).toBe(404)
    expect(page.text).toContain('href="/incidents"')
  })

  test('comes in the reader’s language', async () => {
    expect((await ask('/nowhere').set({ 'Accept-Language': 'sv' })).text).toContain(
      'Det finns inget på den här adressen',
    )
    const taiwanese = await ask('/nowhere').set({ 'Accept-Language': 'zh-TW' })
    expect(taiwanese.text).toContain('<html lang="zh-Hant">')
    expect(taiwanese.text).toContain('這個網址沒有內容')
    expect((await ask('/sign-in?lang=sv').set({ 'Accept-Language': 'zh-TW' })).text).toContain('<html lang="sv">')
  })

  test('tells times in the zone the browser wrote down, and in UTC when it is none', async () => {
    const time = async (zone: string) => {
      const page = await ask('/nowhere').set({ Cookie: `tz=${zone}` })
      return /<time[^>]*>([^<]*)<\/time>/.exec(page.text)?.[1] ?? ''
    }
    expect(await time('"><script>')).toMatch(/ UTC$/)
    const hour = (text: string) => Number(/ (\d\d):/.exec(text)?.[1])
    const [taipei, utc] = [hour(await time('Asia/Taipei')), hour(await time('UTC'))]
    expect((taipei - utc + 24) % 24).toBe(8)
  })

  test('never takes a request ID from outside', async () => {
    const answer = await ask('/sign-in').set({ 'X-Request-Id': 'mine' })
    expect(answer.headers['x-request-id']).not.toBe('mine')
  })

  test('stays the same whatever host somebody claims in front of it', async () => {
    const answer = await ask('/sign-in').set({ 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example' })
    expect(answer.text).not.toContain('evil')
  })

  test('leads other spellings of this machine to the right one, for reading alone', async () => {
    const port = here.portal.config.port
    const get = await request(here.url)
      .get('/sign-in?returnTo=%2Fx')
      .set({ Host: `127.0.0.1:${port}` })
      .redirects(0)
    expect(get.status).toBe(308)
    expect(get.headers.location).toBe(`http://localhost:${port}/sign-in?returnTo=%2Fx`)
    const post = await request(here.url)
      .post('/auth/login')
      .set({ Host: `127.0.0.1:${port}` })
      .redirects(0)
    expect(post.status).toBe(421)
    const double = await request(here.url)
      .get('//evil.example/x')
      .set({ Host: `127.0.0.1:${port}` })
      .redirects(0)
    expect(new URL(double.headers.location ?? '').host).toBe(`localhost:${port}`)
    expect((await request(here.url).get('/').set({ Host: '127.0.0.1:1' })).status).toBe(421)
  })

  test('to HEAD is the one to GET without its body', async () => {
    const answer = await request(here.url).head('/sign-in').set({ Host: host() })
    expect(answer.status).toBe(200)
    expect(answer.text).toBeUndefined()
  })

  test.each(['TRACE', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])('to %s is a refusal', async (method) => {
    const status = await rawStatus(here, `${method} /sign-in HTTP/1.1\r\nHost: ${host()}\r\nConnection: close\r\n\r\n`)
    expect(status).toBe(405)
  })

  test('to a request that smuggles another is a refusal', async () => {
    const smuggled = `POST /auth/login HTTP/1.1\r\nHost: ${host()}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
    expect(await rawStatus(here, smuggled)).toBe(400)
  })

  test('is kept by no one, except files, which are kept for good under the address that promises them', async () => {
    const page = await ask('/sign-in')
    expect(page.headers['cache-control']).toBe('no-store')
    expect(page.headers.etag).toBeUndefined()
    const [, address = ''] = /<link rel="stylesheet" href="([^"]+muster\.css)"/.exec(page.text) ?? []
    expect((await ask(address)).headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect((await ask('/assets/other/css/muster.css')).headers['cache-control']).toBe('no-cache')
  })

  test.each(['base.css', 'muster.css', 'muster.js'])('leads pages of release 0.1 to its %s', async (name) => {
    const led = await ask(`/assets/0.1/${name}`)
    expect(led.status).toBe(302)
    const place = new URL(led.headers.location ?? '', `http://x/assets/0.1/${name}`).pathname
    expect([place, (await ask(place)).status]).toEqual([place, 200])
  })

  test('joins every style sheet there is', async () => {
    const joined = (await ask('/assets/x/css/muster.css')).text
    const folder = new URL('../../public/css/', import.meta.url)
    for (const name of readdirSync(folder)) expect(joined).toContain(readFileSync(new URL(name, folder), 'utf8'))
  })

  test('holds every file that a page and its style sheets name', async () => {
    const page = await ask('/sign-in')
    const named = [...page.text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, address]) => address ?? '')
    expect(named.length).toBeGreaterThan(3)
    for (const address of [...named]) {
      if (!address.endsWith('.css')) continue
      const sheet = await ask(address)
      for (const [, inner = ''] of sheet.text.matchAll(/url\("?([^")]+)"?\)/g)) {
        expect(inner).not.toMatch(/^(data|https?):/)
        named.push(new URL(inner, `http://x${address}`).pathname)
      }
    }
    const script = named.find((address) => address.endsWith('/js/muster.js')) ?? ''
    const parts = [...(await ask(script)).text.matchAll(/^import '([^']+)'$/gm)].map(([, part]) => part ?? '')
    expect(parts.length).toBeGreaterThan(5)
    for (const part of parts) named.push(new URL(part, `http://x${script}`).pathname)
    for (const address of named) expect([address, (await ask(address)).status]).toEqual([address, 200])
  })

  test('has one line in the log, without query, token or body', async () => {
    const token = 'T'.repeat(43)
    const before = here.lines.length
    await ask(`/join/${token}?state=very-secret`)
    const lines = here.lines.slice(before)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({
      method: 'GET',
      path: '/join/[hidden]',
      status: expect.any(Number),
      ms: expect.any(Number),
    })
    expect(JSON.stringify(lines)).not.toMatch(/very-secret|TTTT/)
  })

  test('to too much is the same before anyone is looked up', async () => {
    const answer = await request(here.url)
      .post('/preferences')
      .set({ Host: host(), 'Sec-Fetch-Site': 'same-origin', Cookie: 'muster=s%3Ax.y' })
      .type('form')
      .send(`theme=${'x'.repeat(1_000_000)}`)
      .redirects(0)
    expect(answer.status).toBe(413)
  })

  test('takes what cannot be understood for what it is', async () => {
    const send = (body: string, type = 'application/x-www-form-urlencoded') =>
      request(here.url)
        .post('/auth/login')
        .set({ Host: host(), 'Sec-Fetch-Site': 'same-origin', 'Content-Type': type })
        .send(body)
    expect((await send('a=1', 'application/x-www-form-urlencoded; charset=utf-7')).status).toBe(400)
    expect((await send(Array.from({ length: 1_200 }, (_, i) => `f${i}=1`).join('&'))).status).toBe(413)
    expect((await send('__proto__[x]=1&constructor=1')).status).toBe(403)
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })
})

describe('too many requests', () => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal('SQLite', { config: { trustProxy: ['127.0.0.1'] } })
  })
  afterAll(() => here.close())

  /** A form that is refused for its missing token, and counted all the same. */
  const knock = (portal: TestPortal, from: string) =>
    request(portal.url)
      .post('/auth/login')
      .set({
        Host: new URL(portal.portal.config.publicUrl).host,
        'Sec-Fetch-Site': 'same-origin',
        'X-Forwarded-For': from,
      })

  async function knockOften(portal: TestPortal, times: number, from: (i: number) => string) {
    const answers: Response[] = []
    while (answers.length < times) {
      const batch = Array.from({ length: Math.min(20, times - answers.length) }, (_, i) => answers.length + i)
      answers.push(...(await Promise.all(batch.map((i) => knock(portal, from(i))))))
    }
    return answers.filter(({ status }) => status === 429)
  }

  test('from one address are refused with a time to wait, and reach neither Microsoft nor the database', async () => {
    const calls = here.simulator.requests.length
    const refused = await knockOften(here, 310, () => '192.0.2.1')
    expect(refused).toHaveLength(10)
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0)
    expect(refused[0]?.text).toContain('TOO_MANY_REQUESTS')
    expect(here.simulator.requests.length).toBe(calls)
    expect(await here.portal.db.selectFrom('sessions').selectAll().execute()).toEqual([])
    expect(await here.portal.db.selectFrom('spent_tokens').selectAll().execute()).toEqual([])
  })

  test('do not shut the door to others, nor to other pages', async () => {
    expect((await knock(here, '192.0.2.1')).status).toBe(429)
    expect((await knock(here, '192.0.2.2')).status).toBe(403)
    const page = await request(here.url)
      .get('/sign-in')
      .set({ Host: new URL(here.portal.config.publicUrl).host, 'X-Forwarded-For': '192.0.2.1' })
    expect(page.status).toBe(200)
  })

  test('are counted by the network one subscriber has to himself', () => {
    expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe(addressKey('2001:0db8:1:2:ffff::1'))
    expect(addressKey('2001:db8:1:2::1')).not.toBe(addressKey('2001:db8:1:3::1'))
    expect(addressKey('::1')).toBe('0:0:0:0::/64')
    expect(addressKey('192.0.2.7')).toBe('192.0.2.7')
  })

  test('are not hidden by a header that nobody trusted wrote', async () => {
    const trusting = await startTestPortal()
    try {
      expect(await knockOften(trusting, 305, (i) => `198.51.100.${i % 250}`)).toHaveLength(5)
    } finally {
      await trusting.close()
    }
  })
})

onEachEngine('the probes', (engine) => {
  test('answer whatever host asks, and say when there is no database', async () => {
    const here = await startTestPortal(engine)
    try {
      const probe = (path: string) => request(here.url).get(path).set({ Host: '10.0.0.7' })
      expect((await probe('/healthz')).status).toBe(200)
      expect((await probe('/readyz')).status).toBe(200)
      await here.portal.db.destroy()
      expect((await probe('/healthz')).status).toBe(200)
      expect((await probe('/readyz')).status).toBe(503)
    } finally {
      await here.close()
    }
  })
})

/** Sends bytes as they are; the status of the first answer. */
function rawStatus(here: TestPortal, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(here.portal.config.port, '127.0.0.1', () => socket.write(text))
    socket.setEncoding('utf8')
    socket.once('data', (chunk: string) => {
      resolve(Number(chunk.split(' ')[1]))
      socket.destroy()
    })
    socket.once('error', reject)
  })
}
