import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { formToken } from '../support/admin.ts'
import type { Browser, Page } from '../support/browser.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

onEachEngine('sessions, as an Admin sees them', (engine) => {
  let here: TestPortal
  let alice: Browser
  beforeAll(async () => {
    here = await startTestPortal(engine)
  })
  afterAll(() => here.close())
  beforeEach(async () => {
    await here.portal.db.deleteFrom('sessions').execute()
    alice = await here.signedIn(here.cast.alice)
  })

  const rowsOf = ({ text }: Page) => text.match(/<tr role="row">.*?<\/tr>/gs)?.slice(1) ?? []
  const actionOf = (page: Page, name: string) =>
    /action="(\/sessions\/[\w-]+\/ending)"/.exec(rowsOf(page).find((row) => row.includes(name)) ?? '')?.[1] ?? ''
  const end = async (action: string, browser = alice) =>
    browser.post(action, { _csrf: formToken(await browser.open('/settings')) })

  test('say who is signed in, since when, from where, and when last seen', async () => {
    const carol = here.browser()
    carol.always = {
      'User-Agent': 'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0',
    }
    await carol
      .follow(await carol.submit(await carol.open('/sign-in'), '/auth/login'))
      .then(async (accounts) => carol.follow(await carol.submit(accounts, '/', { account: here.cast.carol.id })))
    const page = await alice.open('/sessions')
    expect(page.text).toContain('2 sessions, 2 people')
    const row = rowsOf(page).find((one) => one.includes('Carol Analyst')) ?? ''
    expect(row).toContain('Edge on Windows')
    expect(row).toMatch(/127\.0\.0\.1|::1/)
    expect(row).not.toContain('This one')
    expect(rowsOf(page).find((one) => one.includes('Alice Admin'))).toContain('This one')
    expect(page.text).not.toContain(carol.cookie('muster') ?? 'no cookie')
  })

  test('end with the next request of their browser, and that is written down', async () => {
    const carol = await here.signedIn(here.cast.carol)
    const other = await here.signedIn(here.cast.carol)
    const action = actionOf(await alice.open('/sessions'), 'Carol Analyst')
    expect((await end(action)).status).toBe(303)
    const statuses = [(await carol.get('/incidents')).status, (await other.get('/incidents')).status].sort()
    expect(statuses).toEqual([200, 303])
    const log = await alice.open('/audit?kind=session.ended')
    expect(log.text).toContain('ended a session of Carol Analyst')
    expect((await end(action)).status).toBe(404)
    expect((await end('/sessions/nobodys/ending')).status).toBe(404)
  })

  test('end all at once, but for the one that asks', async () => {
    const others = [await here.signedIn(here.cast.bob), await here.signedIn(here.cast.alice)]
    expect((await end('/sessions/endings')).status).toBe(303)
    for (const one of others) expect((await one.get('/incidents')).status).toBe(303)
    const page = await alice.open('/sessions')
    expect(page.text).toContain('1 session, 1 person')
    expect(page.text).not.toContain('End all but mine')
  })

  test('are neither shown nor ended by anybody else, nor by an Admin of some customers', async () => {
    const { world } = here.simulator
    const person = world.addPerson(here.partner.id, { name: 'Limited', appRoles: ['Muster.Admin'] })
    const limited = await here.signedIn(person)
    const limits = JSON.stringify({ customerIds: ['x'], groups: [] })
    await here.portal.db.updateTable('operators').set({ limits }).where('oid', '=', person.id).execute()
    const action = actionOf(await alice.open('/sessions'), 'Alice Admin')
    for (const browser of [await here.signedIn(here.cast.carol), limited]) {
      expect((await browser.get('/sessions')).status).toBe(403)
      expect((await end(action, browser)).status).toBe(403)
      expect((await end('/sessions/endings', browser)).status).toBe(403)
    }
    expect((await alice.get('/sessions')).status).toBe(200)
  })

  test('that are over are not listed', async () => {
    await here.signedIn(here.cast.bob)
    here.clock.advance(29 * 60_000)
    await alice.get('/incidents')
    here.clock.advance(2 * 60_000)
    expect((await alice.open('/sessions')).text).toContain('1 session, 1 person')
  })
})
