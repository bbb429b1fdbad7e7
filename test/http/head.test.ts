import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Route } from '../../server/http/route.ts'
import { routes } from '../../server/web/routes.ts'
import { answerAtMicrosoft, boundTo, connect, type Invited, invite, leave, runsOf, work } from '../support/consent.ts'
import { dumpOf } from '../support/database-dump.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const minute = 60_000

onEachEngine('a HEAD', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine)
  })
  afterAll(() => here.close())

  test('on the return from a consent, and from the sign-in after it, leaves both to the person', async () => {
    const invited = await invite(here)
    const browser = here.browser()
    let page = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
    let returns = 0
    while (page.location !== null) {
      if (new URL(page.location).pathname === '/consent/callback') {
        returns++
        const before = await dumpOf(here.portal.db)
        const calls = here.simulator.requests.length
        for (let times = 0; times < 2; times++) {
          const answer = await browser.head(page.location)
          expect([answer.status, answer.headers['set-cookie'], answer.headers.location]).toEqual([
            200,
            undefined,
            undefined,
          ])
        }
        expect(await dumpOf(here.portal.db)).toBe(before)
        expect(here.simulator.requests.length).toBe(calls)
      }
      page = await browser.get(page.location)
    }
    expect(returns).toBe(2)
    await work(here)
    expect((await runsOf(here, invited)).map(({ outcome }) => outcome)).toEqual(['bound'])
    expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
  })

  test('on the return from an operator’s sign-in opens no session, and leaves it to the person', async () => {
    const browser = here.browser()
    const left = await browser.submit(await browser.open('/sign-in'), '/auth/login')
    const accounts = await browser.follow(left)
    let page = await browser.submit(accounts, '/', { account: here.cast.alice.id })
    while (page.location !== null && new URL(page.location).pathname !== '/auth/callback') {
      page = await browser.get(page.location)
    }
    const before = await dumpOf(here.portal.db)
    const answer = await browser.head(page.location ?? '')
    expect([answer.status, answer.headers['set-cookie']]).toEqual([200, undefined])
    expect(await dumpOf(here.portal.db)).toBe(before)
    expect((await browser.follow(page)).url).toBe(`${browser.origin}/`)
  })

  test('on any page there is changes nothing, asks Microsoft nothing and gives no cookie', async () => {
    const invited = await invite(here)
    here.simulator.world.addIncident(invited.tenant.id, { severity: 'high', status: 'active' })
    const customer = here.browser()
    await connect(here, customer, invited)
    const admin = await here.signedIn(here.cast.alice)
    const addresses = await addressesOf(invited)
    here.clock.advance(11 * minute)
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const who = route.access === 'customer-browser' ? customer : admin
      const before = await dumpOf(here.portal.db)
      const calls = here.simulator.requests.length
      const answer = await who.head(addresses(route))
      expect([
        route.path,
        answer.status < 400 || isPublic(route) || addresses(route).includes('/unknown'),
        answer.headers['set-cookie'],
      ]).toEqual([route.path, true, undefined])
      expect([route.path, await dumpOf(here.portal.db)]).toEqual([route.path, before])
      expect([route.path, here.simulator.requests.length]).toEqual([route.path, calls])
    }
  })

  const isPublic = ({ access }: Route) => access === 'public' || access === 'customer-browser'

  /** Addresses of what is there, so that no page says merely that it knows nothing of it. */
  async function addressesOf(invited: Invited): Promise<(route: Route) => string> {
    const [run] = await runsOf(here, invited)
    const incident = await here.portal.db.selectFrom('incidents').select('incident_id').executeTakeFirstOrThrow()
    const values: Record<string, string> = {
      id: invited.customer.id,
      token: invited.join.slice('/join/'.length),
      attemptId: run?.id ?? '',
      tenantId: invited.tenant.id,
      incidentId: incident.incident_id,
    }
    return ({ path }) =>
      path.replace(/:(\w+)/g, (_whole, name: string) =>
        name === 'id' && !path.startsWith('/customers/') ? 'unknown' : (values[name] ?? `unknown-${name}`),
      )
  }
})
