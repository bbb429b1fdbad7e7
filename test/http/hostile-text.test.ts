import { afterAll, beforeAll, expect, test } from '@jest/globals'
import request from 'supertest'
import { routes } from '../../server/web/routes.ts'
import { answerAtMicrosoft, connect, invite, leave, stateOf, wordsOf, work } from '../support/consent.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

/** What one engine or another refuses, cuts off or reads as something else, as an address carries it. */
const odd = [
  '%00',
  'a%00b',
  '%ED%A0%80',
  '%FF%FE',
  '99999999999999999999',
  '-1',
  '1e400',
  'NaN',
  '%27%22%5C',
  '%25',
  '%EF%BF%BD',
  '\u{1f642}'.repeat(300),
]
/** Every name that any page reads out of its address. */
const names = [
  'q',
  'state',
  'group',
  'order',
  'page',
  'customer',
  'severity',
  'status',
  'at',
  'kind',
  'before',
  'outcome',
  'from',
  'merged',
  'lang',
  'returnTo',
  'again',
]

onEachEngine('text that an engine refuses', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine, { config: { trustProxy: ['loopback'] } })
  })
  afterAll(() => here.close())

  test('in the address of any page is no fault of ours', async () => {
    const invited = await invite(here)
    here.simulator.world.addIncident(invited.tenant.id, { severity: 'high', status: 'active' })
    const customer = here.browser()
    await connect(here, customer, invited)
    const admin = await here.signedIn(here.cast.alice)
    const incident = await here.portal.db.selectFrom('incidents').select('incident_id').executeTakeFirstOrThrow()
    const values: Record<string, string> = {
      id: invited.customer.id,
      token: invited.join.slice('/join/'.length),
      tenantId: invited.tenant.id,
      incidentId: incident.incident_id,
    }
    const pages = routes.filter(
      ({ method, path }) => method === 'GET' && !path.startsWith('/auth/') && !path.startsWith('/consent/'),
    )
    expect(pages.length).toBeGreaterThan(15)
    for (const { path, access } of pages) {
      const address = path.replace(/:(\w+)/g, (_whole, name: string) => values[name] ?? name)
      const browser = access === 'public' ? customer : admin
      for (const value of odd) {
        const query = names.map((name) => `${name}=${value}`).join('&')
        const answer = await browser.get(`${address}?${query}`)
        expect([path, value, answer.status < 500]).toEqual([path, value, true])
      }
    }
    for (const name of names) {
      for (const list of ['/customers', '/incidents', '/audit', `/tenants/${invited.tenant.id}/syncs`]) {
        const answer = await admin.get(`${list}?${name}=%00`)
        expect([list, name, answer.status]).toEqual([list, name, 200])
      }
    }
  })

  test('in the place of a name in an address is nothing there', async () => {
    const admin = await here.signedIn(here.cast.alice)
    for (const { method, path } of routes) {
      if (!path.includes(':') || method !== 'GET') continue
      for (const value of odd) {
        const answer = await admin.get(path.replace(/:\w+/g, value))
        expect([path, value, answer.status < 500]).toEqual([path, value, true])
      }
    }
  })

  test('in a form is told there, or kept with the place marked', async () => {
    const admin = await here.signedIn(here.cast.alice)
    const form = await admin.open('/customers/new')
    for (const value of ['a\0b', '\0', 'x\ufffd']) {
      const fields = {
        name: `N ${value}`,
        contactName: value,
        contactEmail: value,
        notes: value,
        groups: value,
        expected: value,
      }
      const answer = await admin.submit(form, '/customers', fields)
      expect([value, answer.status < 500]).toEqual([value, true])
    }
  })

  test('in headers changes nothing', async () => {
    const { host } = new URL(here.portal.config.publicUrl)
    for (const value of ['\xff\xfe', 'x'.repeat(4_000), '%00', '::1, \xff', '1.2.3.4:99999999999']) {
      for (const header of ['X-Forwarded-For', 'User-Agent', 'Accept-Language', 'Cookie', 'Referer', 'X-Request-Id']) {
        const answer = await request(here.url)
          .get('/sign-in')
          .set({ Host: host, Accept: 'text/html', [header]: value })
          .redirects(0)
        expect([header, value, answer.status]).toEqual([header, value, 200])
      }
    }
  })

  test('in a name of an ID token lets its person in, and is shown with the place marked', async () => {
    const person = here.simulator.world.addPerson(here.partner.id, {
      name: 'Ali\0ce \ud800',
      appRoles: ['Muster.Admin'],
    })
    const admin = await here.signedIn(person)
    expect(wordsOf(await admin.open('/audit'))).toContain('Ali\ufffdce')
    const invited = await invite(here)
    const visitor = here.simulator.world.addPerson(invited.tenant.id, { name: 'Bo\0b' })
    const browser = here.browser()
    const page = await browser.follow(await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin))
    expect(page.status).toBe(200)
    await work(here)
    const other = here.browser()
    const left = await leave(other, await invite(here))
    const silent = await other.get(
      `/consent/callback?admin_consent=True&tenant=${invited.tenant.id}&state=${stateOf(left)}`,
    )
    const refused = await other.get(`/consent/callback?error=login_required&state=${stateOf(silent)}`)
    const accounts = await other.get(refused.location ?? '')
    const end = await other.follow(await other.submit(accounts, '/', { account: visitor.id }))
    expect(end.status).toBe(200)
  })

  test('in what a return says is no fault of ours, and neither are numbers that no column holds', async () => {
    const invited = await invite(here)
    for (const said of [
      'error=a%00b',
      'error=access_denied&error_description=AADSTS99999999%00',
      'error=access_denied&error_uri=https%3A%2F%2Fx%2F%3Fcode%3D99999999',
      'admin_consent=True&tenant=%00',
      'code=%00',
      'code=a%00b&session_state=%00',
      'error=access_denied&error_description=Correlation%20ID%3A%20%00%00',
    ]) {
      const browser = here.browser()
      browser.always = { 'X-Forwarded-For': `100.64.0.${said.length}` }
      const left = await leave(browser, invited)
      const answer = await browser.open(`/consent/callback?${said}&state=${stateOf(left)}`)
      expect([said, answer.status < 500]).toEqual([said, true])
      expect((await browser.get(`/consent/callback?${said}&state=%00`)).status).toBeLessThan(500)
      const sign = await browser.submit(await browser.open('/sign-in'), '/auth/login')
      const back = await browser.open(`/auth/callback?${said}&state=${stateOf(sign)}`)
      expect([said, [502, 503].includes(back.status) || back.status < 500]).toEqual([said, true])
    }
  })
})
