import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import request from 'supertest'
import { roleOf } from '../../server/http/access.ts'
import { listAudit } from '../../server/store/audit.ts'
import { findOperator, operatorId } from '../../server/store/operators/operators.ts'
import type { Browser } from '../support/browser.ts'
import { listen, signer, tenantIn } from '../support/microsoft.ts'
import { onEachEngine, signIn, startTestPortal, type TestPortal } from '../support/portal.ts'

const minute = 60_000
/** Of refused sign-ins from one address, the log holds one event an hour. */
const hour = 60 * minute

/** Signed-in people are led on from the sign-in page; others are shown it. */
const isSignedIn = async (browser: Browser) => (await browser.get('/sign-in')).status === 303

const sessionsOf = (here: TestPortal) => here.portal.db.selectFrom('sessions').selectAll().execute()
const tokenCalls = (here: TestPortal) => here.simulator.requests.filter(({ path }) => path.endsWith('/token')).length
const latest = async (here: TestPortal) => (await listAudit(here.portal.db, { limit: 1 }))[0]

/** Goes to Microsoft and comes back as far as the address of the callback, which is not opened. */
async function upToCallback(here: TestPortal, browser: Browser, start = '/sign-in'): Promise<string> {
  const accounts = await browser.follow(await browser.submit(await browser.open(start), '/auth/login'))
  const back = await browser.submit(accounts, '/', { account: here.cast.alice.id })
  return back.location ?? ''
}

onEachEngine('signing in', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine)
  })
  afterAll(() => here.close())

  test('leads by way of Microsoft to the page one was going to, and leaves a witness', async () => {
    const browser = here.browser()
    const page = await signIn(browser, here.cast.alice, '/sign-in?returnTo=%2Fsigned-out%3Fx%3D1')
    expect(page.url).toBe(`${here.portal.config.publicUrl}/signed-out?x=1`)
    expect(await isSignedIn(browser)).toBe(true)
    expect(await latest(here)).toMatchObject({ action: 'operator.signed-in', actorName: 'Alice Admin' })
    const operator = await findOperator(here.portal.db, operatorId({ tid: here.partner.id, oid: here.cast.alice.id }))
    expect(operator).toMatchObject({ roles: ['Muster.Admin'], username: here.cast.alice.username, guest: false })
  })

  test('asks for exactly what it needs, at the partner’s own tenant', async () => {
    const browser = here.browser()
    const left = await browser.submit(await browser.open('/sign-in'), '/auth/login')
    const address = new URL(left.location ?? '')
    expect(left.status).toBe(303)
    expect(address.pathname).toBe(`/${here.partner.id}/oauth2/v2.0/authorize`)
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      scope: 'openid profile',
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: `${here.portal.config.publicUrl}/auth/callback`,
    })
    for (const name of ['state', 'nonce', 'code_challenge']) expect(address.searchParams.get(name)).toHaveLength(43)
  })

  test('keeps of a session only what opens none', async () => {
    const browser = await here.signedIn(here.cast.carol)
    const cookie = decodeURIComponent(browser.cookie('muster') ?? '')
    const id = cookie.slice(2, cookie.lastIndexOf('.'))
    const rows = await sessionsOf(here)
    expect(rows.map(({ id_hash }) => id_hash)).toContain(createHash('sha256').update(id).digest('hex'))
    expect(JSON.stringify(rows)).not.toContain(id)
    expect(rows.find(({ operator_id }) => operator_id?.endsWith(here.cast.carol.id))).toBeDefined()
  })

  test('works once: the same return again is refused without a word to Microsoft', async () => {
    const browser = here.browser()
    const callback = await upToCallback(here, browser)
    const kept = browser.cookie('muster-sign-in') ?? ''
    expect((await browser.get(callback)).status).toBe(303)
    const calls = tokenCalls(here)
    browser.setCookie('muster-sign-in', kept)
    const again = await browser.get(callback)
    expect(again.status).toBe(400)
    expect(again.text).toContain('SIGN_IN_EXPIRED')
    expect(tokenCalls(here)).toBe(calls)
  })

  test('lets one of twenty simultaneous returns through', async () => {
    const browser = here.browser()
    const callback = await upToCallback(here, browser)
    const calls = tokenCalls(here)
    const kept = browser.cookie('muster-sign-in') ?? ''
    const { host, pathname, search } = new URL(callback)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        request(here.url)
          .get(pathname + search)
          .set({ Host: host, Cookie: `muster-sign-in=${kept}` })
          .redirects(0),
      ),
    )
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(19)
    expect(tokenCalls(here)).toBe(calls + 1)
  })

  test('is tied to the browser that began it', async () => {
    const callback = await upToCallback(here, here.browser())
    const calls = tokenCalls(here)
    const victim = here.browser()
    expect((await victim.get(callback)).status).toBe(400)
    await victim.submit(await victim.open('/sign-in'), '/auth/login')
    expect((await victim.get(callback)).status).toBe(400)
    expect(await isSignedIn(victim)).toBe(false)
    expect(tokenCalls(here)).toBe(calls)
  })

  test('is over after a quarter of an hour', async () => {
    const browser = here.browser()
    const callback = await upToCallback(here, browser)
    here.clock.advance(16 * minute)
    expect((await browser.get(callback)).status).toBe(400)
    expect(await isSignedIn(browser)).toBe(false)
  })

  test.each([
    ['nothing', ''],
    ['a made-up state', '?code=x&state=guess'],
    ['a state without a code', '?state=guess'],
    ['two states', '?code=x&state=a&state=b'],
    ['two codes', '?code=x&code=y&state=a'],
    ['a state of many kilobytes', `?code=x&state=${'s'.repeat(7_000)}`],
    ['an error of its own', '?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E&state=guess'],
  ])('is not ended by a return with %s', async (_what, query) => {
    const calls = here.simulator.requests.length
    const rows = (await sessionsOf(here)).length
    const page = await here.browser().get(`/auth/callback${query}`)
    expect(page.status).toBe(400)
    expect(page.text).not.toContain('<script>alert')
    expect(page.text).not.toContain('guess')
    expect(here.simulator.requests.length).toBe(calls)
    expect((await sessionsOf(here)).length).toBe(rows)
  })

  test('that was cancelled at Microsoft says so in our words, and is recorded', async () => {
    const browser = here.browser()
    here.clock.advance(hour)
    const accounts = await browser.follow(await browser.submit(await browser.open('/sign-in'), '/auth/login'))
    const back = await browser.submit(accounts, '/', { cancel: '1' })
    const page = await browser.open(back.location ?? '')
    expect(page.status).toBe(403)
    expect(page.text).toContain('SIGN_IN_REFUSED')
    expect(page.text).not.toContain('access_denied')
    expect(await latest(here)).toMatchObject({ action: 'operator.sign-in-refused', facts: { reason: 'refused' } })
  })

  test.each([
    [50105, 403, 'SIGN_IN_REFUSED', 'Your account is not assigned to this app', 'other'],
    [53003, 403, 'SIGN_IN_REFUSED', 'A Conditional Access policy stopped the sign-in', null],
    [53000, 403, 'SIGN_IN_REFUSED', 'This device is not allowed here', null],
    [50076, 403, 'SIGN_IN_REFUSED', 'The second step of the sign-in is missing', null],
    [7000112, 403, 'SIGN_IN_REFUSED', 'The app is switched off in this organisation', null],
    [500200, 403, 'SIGN_IN_REFUSED', 'That was a personal account', 'other'],
    [500021, 403, 'SIGN_IN_REFUSED', 'Your network does not let you sign in', null],
    [50011, 403, 'SIGN_IN_REFUSED', 'app is not set up as Microsoft wants it', null],
    [90033, 503, 'SIGN_IN_UNAVAILABLE', 'Microsoft has trouble signing people in right now', null],
    [90055, 503, 'SIGN_IN_UNAVAILABLE', 'Microsoft asks to slow down', null],
    [7999999, 403, 'SIGN_IN_REFUSED', 'You are not signed in', 'other'],
  ])('refused by Microsoft with AADSTS%i says what happened', async (number, status, code, title, account) => {
    const browser = here.browser()
    here.clock.advance(hour)
    here.simulator.world.setWeather('*', 'refusal', { code: number, surface: 'login', count: 1 })
    const page = await browser.follow(await browser.submit(await browser.open('/sign-in'), '/auth/login'))
    expect(page.status).toBe(status)
    expect(page.text).toContain(code)
    expect(page.text).toContain(title)
    expect(page.text).toContain(`AADSTS${number}`)
    expect(page.text.includes('name="account" value="other"')).toBe(account === 'other')
    expect(await latest(here)).toMatchObject({ action: 'operator.sign-in-refused', facts: { aadsts: number } })
    here.takeErrors()
  })

  test.each([
    [53003, 'A Conditional Access policy stopped the sign-in'],
    [54005, 'This sign-in is over'],
    [50105, 'Your account is not assigned to this app'],
  ])('refused with AADSTS%i when the code is redeemed says the same', async (number, title) => {
    const browser = here.browser()
    const callback = await upToCallback(here, browser)
    here.simulator.world.setWeather('*', 'refusal', { code: number, surface: 'token', count: 1 })
    const page = await browser.open(callback)
    expect(page.status).toBe(403)
    expect(page.text).toContain(title)
    expect(page.text).toContain(`AADSTS${number}`)
  })

  test('that is refused is told at an address without code and state, which can be loaded again', async () => {
    const browser = here.browser()
    const callback = await upToCallback(here, browser)
    here.simulator.world.setWeather('*', 'refusal', { code: 53003, surface: 'token', count: 1 })
    const back = await browser.get(callback)
    expect([back.status, back.location]).toEqual([303, `${here.portal.config.publicUrl}/auth/refused`])
    for (let n = 0; n < 2; n++) {
      const page = await browser.get('/auth/refused')
      expect(page.status).toBe(403)
      expect(page.text).toContain('A Conditional Access policy stopped the sign-in')
      expect(page.text).toContain('AADSTS53003')
    }
    const other = await here.browser().get('/auth/refused')
    expect([other.status, other.location]).toEqual([303, `${here.portal.config.publicUrl}/sign-in`])
  })

  test('without a role ends at a page that names the roles; a stranger leaves no row but a witness', async () => {
    const browser = here.browser()
    const page = await signIn(browser, here.cast.mallory)
    expect(page.status).toBe(403)
    expect(page.text).toContain('SIGN_IN_NO_ROLE')
    expect(page.text).toContain(here.cast.mallory.username)
    for (const role of ['Muster.Admin', 'Muster.Analyst', 'Muster.Reader']) expect(page.text).toContain(role)
    expect(await isSignedIn(browser)).toBe(false)
    const { tenantId: tid, id: oid } = here.cast.mallory
    expect(await findOperator(here.portal.db, operatorId({ tid, oid }))).toBeNull()
    expect(await latest(here)).toMatchObject({ action: 'operator.sign-in-refused', facts: { reason: 'no-role' } })
  })

  test('of a guest without a role is refused like any other', async () => {
    const contoso = here.simulator.world.addTenant({ displayName: 'Contoso' })
    const outsider = here.simulator.world.addPerson(contoso.id, { name: 'Olga Outside', appRoles: ['Muster.Admin'] })
    here.simulator.world.addGuest(here.partner.id, outsider.id)
    const page = await signIn(here.browser(), outsider)
    expect(page.status).toBe(403)
    expect(page.text).toContain('SIGN_IN_NO_ROLE')
  })

  test('gives nobody a session who did not sign in', async () => {
    const before = (await sessionsOf(here)).length
    for (let i = 0; i < 50; i++) await here.browser().open('/sign-in')
    for (let i = 0; i < 20; i++) {
      const browser = here.browser()
      await browser.submit(await browser.open('/sign-in'), '/auth/login')
    }
    expect((await sessionsOf(here)).length).toBe(before)
  })

  test('gives a new session each time, and adopts none that was brought', async () => {
    const browser = await here.signedIn(here.cast.bob)
    const before = browser.cookie('muster') ?? ''
    const elsewhere = here.browser()
    const callback = await upToCallback(here, elsewhere)
    browser.setCookie('muster-sign-in', elsewhere.cookie('muster-sign-in') ?? '')
    expect((await browser.get(callback)).status).toBe(303)
    expect(browser.cookie('muster')).not.toBe(before)
    const stale = here.browser()
    stale.setCookie('muster', before)
    expect(await isSignedIn(stale)).toBe(false)

    const planted = here.browser()
    planted.setCookie('muster', 's%3Aattackers-choice.c2lnbmF0dXJl')
    await signIn(planted, here.cast.bob)
    expect(await isSignedIn(planted)).toBe(true)
    expect(planted.cookie('muster')).not.toContain('attackers-choice')
  })

  test('holds ten sessions for one person, and ends the oldest for an eleventh', async () => {
    const browsers: Browser[] = []
    for (let i = 0; i < 11; i++) {
      browsers.push(await here.signedIn(here.cast.bob))
      here.clock.advance(1_000)
    }
    const rows = (await sessionsOf(here)).filter(({ operator_id }) => operator_id?.endsWith(here.cast.bob.id))
    expect(rows).toHaveLength(10)
    expect(await isSignedIn(browsers[0] as Browser)).toBe(false)
    expect(await isSignedIn(browsers[10] as Browser)).toBe(true)
  })

  test('cannot be done while Microsoft’s sign-in is down, and whoever is in stays in', async () => {
    const inside = await here.signedIn(here.cast.alice)
    const browser = here.browser()
    const callback = await upToCallback(here, browser)
    here.simulator.world.setWeather('*', 'outage', { surface: 'token' })
    const page = await browser.open(callback)
    here.simulator.world.clearWeather()
    expect(page.status).toBe(503)
    expect(page.text).toContain('SIGN_IN_UNAVAILABLE')
    expect(await isSignedIn(inside)).toBe(true)
    here.takeErrors()
  })
})

onEachEngine('a session', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine)
  })
  afterAll(() => here.close())

  test('ends after half an hour without its person, and lives on while she works', async () => {
    const browser = await here.signedIn(here.cast.alice)
    for (let i = 0; i < 3; i++) {
      here.clock.advance(20 * minute)
      expect(await isSignedIn(browser)).toBe(true)
    }
    here.clock.advance(31 * minute)
    expect(await isSignedIn(browser)).toBe(false)
  })

  test('ends after ten hours, however busy', async () => {
    const browser = await here.signedIn(here.cast.alice)
    for (let i = 0; i < 29; i++) {
      here.clock.advance(20 * minute)
      expect(await isSignedIn(browser)).toBe(true)
    }
    here.clock.advance(21 * minute)
    expect(await isSignedIn(browser)).toBe(false)
  })

  test('is not prolonged by what a page asks for by itself', async () => {
    const browser = await here.signedIn(here.cast.alice)
    for (let i = 0; i < 4; i++) {
      here.clock.advance(9 * minute)
      await browser.get('/sign-in', { 'X-Muster-Live': '1', 'HX-Request': 'true' })
    }
    expect(await isSignedIn(browser)).toBe(false)
  })

  test('is gone from the store when its person signs out, and so are the pages she saw', async () => {
    const browser = await here.signedIn(here.cast.alice)
    const cookie = browser.cookie('muster') ?? ''
    const out = await signOut(here, browser)
    expect(out.status).toBe(303)
    expect(out.headers['clear-site-data']).toContain('"cache"')
    expect((await browser.follow(out)).text).toContain('You are signed out')
    const thief = here.browser()
    thief.setCookie('muster', cookie)
    expect(await isSignedIn(thief)).toBe(false)
    expect(await latest(here)).toMatchObject({ action: 'operator.signed-out', actorName: 'Alice Admin' })
  })

  test('ends with a plain page when its person lost her role', async () => {
    const { world } = here.simulator
    const person = world.addPerson(here.partner.id, { name: 'Rita Rotating', appRoles: ['Muster.Reader'] })
    const browser = await here.signedIn(person)
    person.appRoles = []
    await signIn(here.browser(), person)
    const page = await browser.get('/sign-in')
    expect(page.status).toBe(403)
    expect(page.text).toContain('SIGN_IN_NO_ROLE')
    expect((await browser.get('/sign-in')).status).toBe(200)
  })

  test('obeys a new role at the next request', async () => {
    const { world } = here.simulator
    const person = world.addPerson(here.partner.id, { name: 'Petra Promoted', appRoles: ['Muster.Reader'] })
    await here.signedIn(person)
    const id = operatorId({ tid: person.tenantId, oid: person.id })
    const before = await findOperator(here.portal.db, id)
    expect(before && roleOf(before, here.portal.config)).toBe('Reader')
    person.appRoles = ['Muster.Reader', 'Muster.Analyst']
    await here.signedIn(person)
    const after = await findOperator(here.portal.db, id)
    expect(after && roleOf(after, here.portal.config)).toBe('Analyst')
  })
})

/** Signs out as the button of every page does: with the token of the session. */
async function signOut(here: TestPortal, browser: Browser) {
  return browser.post('/auth/logout', { _csrf: await csrfOf(here, browser) })
}

/** The token of a browser's session, as its pages print it. */
async function csrfOf(here: TestPortal, browser: Browser): Promise<string> {
  const cookie = decodeURIComponent(browser.cookie('muster') ?? '')
  const hash = createHash('sha256')
    .update(cookie.slice(2, cookie.lastIndexOf('.')))
    .digest('hex')
  const row = await here.portal.db.selectFrom('sessions').select('data').where('id_hash', '=', hash).executeTakeFirst()
  return (JSON.parse(row?.data ?? '{}') as { csrfToken?: string }).csrfToken ?? ''
}

describe('a role', () => {
  const tid = '99999999-aaaa-4bbb-8ccc-0123456789ab'
  const config = { partnerTenantId: tid, adminUsers: ['ines@halvard.example', 'a1000000-0000-4000-a000-000000000001'] }
  const person = { tid, oid: 'b2', username: 'bob@halvard.example', roles: [] as string[], guest: false }
  const role = (changes: Partial<typeof person>) => roleOf({ ...person, ...changes }, config as never)

  test.each([
    ['nothing', {}, null],
    ['the highest of several app roles', { roles: ['Muster.Reader', 'Muster.Admin', 'x'] }, 'Admin'],
    ['an app role of another spelling', { roles: ['muster.admin', 'Admin', 'Muster.Owner'] }, null],
    ['an app role in another tenant', { tid: 'other', roles: ['Muster.Admin'] }, null],
    ['ADMIN_USERS by name, whatever its case', { username: 'INES@Halvard.example' }, 'Admin'],
    ['ADMIN_USERS by object ID', { oid: 'A1000000-0000-4000-A000-000000000001' }, 'Admin'],
    ['ADMIN_USERS by name in another tenant', { tid: 'other', username: 'ines@halvard.example' }, null],
    ['ADMIN_USERS by the name a guest brings along', { guest: true, username: 'ines@halvard.example' }, null],
    ['ADMIN_USERS by a guest’s object ID', { guest: true, oid: 'a1000000-0000-4000-a000-000000000001' }, 'Admin'],
  ])('from %s', (_what, changes, expected) => {
    expect(role(changes)).toBe(expected)
  })
})

describe('a token made elsewhere', () => {
  const contoso = '11111111-aaaa-4bbb-8ccc-0123456789ab'
  let here: TestPortal
  let double: Awaited<ReturnType<typeof listen>>
  let claims: (nonce: string) => Record<string, unknown>
  let nonce = ''
  beforeAll(async () => {
    const keys = await signer()
    double = await listen(async (call) => {
      const tenant = tenantIn(call.path)
      const base = `${double.origin}/${tenant}`
      if (call.path.endsWith('/.well-known/openid-configuration')) {
        return { json: { issuer: `${base}/v2.0`, jwks_uri: `${base}/discovery/v2.0/keys` } }
      }
      if (call.path.endsWith('/discovery/v2.0/keys')) return { json: keys.jwks }
      const id_token = await keys.sign(claims(nonce))
      return { json: { token_type: 'Bearer', scope: 'openid profile', expires_in: 3599, access_token: 'a', id_token } }
    })
    here = await startTestPortal('SQLite', { config: { authorityHost: double.origin } })
  })
  afterAll(async () => {
    await here.close()
    await double.close()
  })

  async function comeBack(browser: Browser) {
    const left = new URL((await browser.submit(await browser.open('/sign-in'), '/auth/login')).location ?? '')
    nonce = left.searchParams.get('nonce') ?? ''
    return browser.get(`/auth/callback?code=c&state=${left.searchParams.get('state')}`)
  }

  const about =
    (tid: string, changes: Record<string, unknown> = {}) =>
    (nonce: string) => {
      const seconds = Math.floor(Date.now() / 1000)
      const iss = `${double.origin}/${tid}/v2.0`
      const aud = here.portal.config.signIn.clientId
      return {
        iss,
        aud,
        tid,
        oid: 'o-1',
        nonce,
        iat: seconds,
        exp: seconds + 3600,
        roles: ['Muster.Admin'],
        ...changes,
      }
    }

  test('of a customer’s person with our role in her tenant opens nothing, and is recorded', async () => {
    claims = about(contoso)
    const browser = here.browser()
    const page = await browser.follow(await comeBack(browser))
    expect(page.status).toBe(403)
    expect(page.text).toContain('SIGN_IN_OTHER_ORGANISATION')
    expect(await isSignedIn(browser)).toBe(false)
    expect(await sessionsOf(here)).toEqual([])
    expect(await latest(here)).toMatchObject({ action: 'operator.sign-in-refused' })
  })

  test.each([
    ['for another app', { aud: 'ffffffff-aaaa-4bbb-8ccc-0123456789ab' }],
    ['for another sign-in', { nonce: 'another' }],
    ['that is over', { exp: 1_700_000_000, iat: 1_699_990_000 }],
    ['of another issuer', { iss: 'https://sts.evil.example/' }],
  ])('%s opens nothing', async (_what, changes) => {
    claims = about(here.partner.id, changes)
    const browser = here.browser()
    const page = await browser.follow(await comeBack(browser))
    expect(page.status).toBe(403)
    expect(page.text).toContain('SIGN_IN_REFUSED')
    expect(await isSignedIn(browser)).toBe(false)
  })

  test('of the partner’s person opens a session: what is refused above is refused for its fault', async () => {
    claims = about(here.partner.id, { name: 'Nina', preferred_username: 'nina@halvard.example' })
    const browser = here.browser()
    expect((await comeBack(browser)).status).toBe(303)
    expect(await isSignedIn(browser)).toBe(true)
  })

  test('of the same name and another object ID is another person', async () => {
    claims = about(here.partner.id, { oid: 'o-2', preferred_username: 'nina@halvard.example', roles: [] })
    const browser = here.browser()
    expect((await browser.follow(await comeBack(browser))).text).toContain('SIGN_IN_NO_ROLE')
  })
})

describe('behind https', () => {
  const publicUrl = 'https://muster.halvard.example'
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal('SQLite', { config: { publicUrl } })
  })
  afterAll(() => here.close())

  test('the cookies are Secure and bound to the host, although the proxy in front is not trusted', async () => {
    const headers = { Host: 'muster.halvard.example', 'X-Forwarded-Proto': 'http', 'Sec-Fetch-Site': 'same-origin' }
    const form = await request(here.url).get('/sign-in').set(headers)
    const token = /name="_csrf" value="([^"]+)"/.exec(form.text)?.[1] ?? ''
    const left = await request(here.url)
      .post('/auth/login')
      .set(headers)
      .type('form')
      .send({ _csrf: token })
      .redirects(0)
    const sealed = String(left.headers['set-cookie'])
    expect(sealed).toMatch(/^__Host-muster-sign-in=.*; Path=\/;.*HttpOnly; Secure; SameSite=Lax/)
    expect(sealed).not.toContain('Domain')

    const browser = here.browser()
    const accounts = await browser.open(left.headers.location ?? '')
    const back = new URL((await browser.submit(accounts, '/', { account: here.cast.alice.id })).location ?? '')
    expect(back.origin).toBe(publicUrl)
    const done = await request(here.url)
      .get(back.pathname + back.search)
      .set({ ...headers, Cookie: sealed.split(';')[0] ?? '' })
      .redirects(0)
    expect(done.status).toBe(303)
    const cookies = done.headers['set-cookie'] as unknown as string[]
    expect(cookies.find((cookie) => cookie.startsWith('__Host-muster='))).toMatch(
      /Path=\/; HttpOnly; Secure; SameSite=Lax/,
    )
    expect(done.headers['strict-transport-security']).toBe('max-age=63072000; includeSubDomains')
  })
})

describe('the way back', () => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal()
  })
  afterAll(() => here.close())

  const elsewhere = [
    '//evil.example',
    '///evil.example',
    '////evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r\nLocation: https://evil.example',
    '/%0d%0aSet-Cookie:x=1\r\n',
    'https://evil.example',
    'https:evil.example',
    'http://localhost@evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    ' //evil.example',
    'evil.example',
    './/evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/x/../..//evil.example',
    '/\u0000/evil.example',
    '?returnTo=//evil.example',
    '#//evil.example',
    `/${'a'.repeat(3_000)}`,
    '',
  ]

  test.each(elsewhere)('never leads to %j', async (returnTo) => {
    const browser = await signedInOnce(here)
    const page = await browser.get(`/sign-in?returnTo=${encodeURIComponent(returnTo)}`)
    expect(page.status).toBe(303)
    expect(page.headers.location).toBe('/')
  })

  test.each(['/incidents?q=%2F%2Fevil', '/customers/1?tab=a&b=c', '/a//b'])('may lead to %s', async (returnTo) => {
    const browser = await signedInOnce(here)
    const page = await browser.get(`/sign-in?returnTo=${encodeURIComponent(returnTo)}`)
    expect(page.headers.location).toBe(returnTo)
  })

  test('is not taken from a sealed cookie that somebody altered', async () => {
    const browser = here.browser()
    const callback = await upToCallback(here, browser)
    const sealed = browser.cookie('muster-sign-in') ?? ''
    const parts = sealed.split('.')
    parts[3] = `${parts[3]?.startsWith('A') ? 'B' : 'A'}${parts[3]?.slice(1)}`
    browser.setCookie('muster-sign-in', parts.join('.'))
    expect((await browser.get(callback)).status).toBe(400)
  })

  let kept: Promise<Browser> | undefined
  const signedInOnce = (portal: TestPortal) => {
    kept ??= portal.signedIn(portal.cast.alice)
    return kept
  }
})

describe('the log', () => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal()
  })
  afterAll(() => here.close())

  test('holds no secret, state, code or token of a sign-in', async () => {
    const browser = here.browser()
    const callback = await upToCallback(here, browser)
    const sealed = browser.cookie('muster-sign-in') ?? ''
    await browser.get(callback)
    await browser.get(callback)
    const log = JSON.stringify(here.lines)
    const { searchParams } = new URL(callback)
    const secrets = [searchParams.get('state'), searchParams.get('code'), sealed, browser.cookie('muster')]
    for (const secret of [...secrets, ...here.portal.config.sessionSecrets]) {
      expect(secret).toBeTruthy()
      expect(log).not.toContain(secret)
    }
    expect(log).toContain('/auth/callback')
  })
})
