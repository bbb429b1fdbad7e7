import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { keepAbandonedClaims } from '../../server/onboarding/consent-return.ts'
import { confirmReview } from '../../server/onboarding/decisions.ts'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import { probeAwaited } from '../../server/onboarding/probe.ts'
import { listAudit } from '../../server/store/audit.ts'
import { getLink, linkState } from '../../server/store/onboarding/links.ts'
import { openReviews } from '../../server/store/onboarding/reviews.ts'
import { findTenant } from '../../server/store/tenants/tenants.ts'
import {
  alice,
  answerAtMicrosoft,
  boundTo,
  connect,
  type Invited,
  invite,
  leave,
  runsOf,
  stateOf,
  walk,
  wordsOf,
  work,
} from '../support/consent.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const minute = 60_000
const hour = 60 * minute

onEachEngine('a claim', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine, { config: { trustProxy: ['loopback'] } })
  })
  afterAll(() => here.close())

  const lie = async ({ tenant, ...invited }: Invited, browser = here.browser()) => {
    const left = await leave(browser, invited)
    const page = await browser.open(`/consent/callback?admin_consent=True&tenant=${tenant.id}&state=${stateOf(left)}`)
    return { browser, page }
  }
  const stateOfLink = async ({ linkId }: Invited) => linkState(await getLink(here.portal.db, linkId), here.portal.now())
  const actionsOf = async ({ customer }: Invited) =>
    (await listAudit(here.portal.db, { customerId: customer.id, limit: 100 })).map(({ action }) => action)
  const tokensAsked = (tenantId: string) =>
    here.simulator.requests.filter(({ path }) => path === `/${tenantId}/oauth2/v2.0/token`).length

  /** What says that something was given, proven or finished. */
  const fact = /\b(consented and bound|bound to|completed|connected|proven|confirmed|access works|tenant bound)\b/i

  test('that nobody proves is told as one, to the customer and to operators, for as long as it stands', async () => {
    const invited = await invite(here, { pinned: true })
    const { browser, page } = await lie(invited)
    for (const _round of ['at once', 'after the first try', 'after hours']) {
      const admin = await here.signedIn(here.cast.alice)
      expect(wordsOf(await browser.open(page.url))).toMatch(/Your browser says that you accepted/)
      expect(wordsOf(await browser.open(page.url))).not.toMatch(fact)
      const words = wordsOf(await admin.open(`/customers/${invited.customer.id}`))
      expect(words).toContain('A browser says that they consented')
      // Steps that are still to come have names of their own; the run itself and the timeline have not.
      const told = words.replace(/Bound to this customer|Access proven|No tenant is connected|nothing is bound/g, '')
      expect(told).not.toMatch(fact)
      expect(wordsOf(await admin.open('/customers'))).toContain('Being checked')
      expect(await findTenant(here.portal.db, invited.tenant.id)).toBeNull()
      expect(await stateOfLink(invited)).toBe('issued')
      const { boundTenantId, outcome } = (await runsOf(here, invited))[0] ?? {}
      expect([boundTenantId, outcome]).toEqual([null, 'awaiting-proof'])
      expect(await actionsOf(invited)).not.toEqual(expect.arrayContaining(['tenant.bound']))
      expect(await actionsOf(invited)).not.toEqual(expect.arrayContaining(['link.completed']))
      await work(here)
      here.clock.advance(2 * hour)
    }
  })

  test('that was a lie leaves the real administrator his way, and his consent ends both runs', async () => {
    const invited = await invite(here, { pinned: true })
    const liar = await lie(invited)
    await work(here)
    const browser = here.browser()
    const page = await walk(browser, invited)
    expect(page.status).toBe(200)
    here.clock.advance(2 * minute)
    await work(here)
    expect(wordsOf(await browser.open(page.url))).toContain('Done. Access works')
    expect(await stateOfLink(invited)).toBe('completed')
    expect((await runsOf(here, invited)).map(({ outcome }) => outcome)).toEqual(['bound', 'bound'])
    expect(wordsOf(await liar.browser.open(liar.page.url))).toContain('Done. Access works')
  })

  test('is asked about at a pace of its own for each tenant, however often it is made', async () => {
    const invited = await invite(here, { pinned: true })
    for (let n = 0; n < 60; n++) {
      await lie(invited)
      await work(here)
      here.clock.advance(10_000)
    }
    // Ten minutes: the quick schedule, and once a minute for those that came in between.
    expect(tokensAsked(invited.tenant.id)).toBeLessThanOrEqual(16)
    expect(tokensAsked(invited.tenant.id)).toBeGreaterThanOrEqual(5)
  })

  test('on a completed link asks Microsoft nothing, and shows how its tenant stands', async () => {
    const invited = await invite(here, { pinned: true })
    const early = here.browser()
    const left = await leave(early, invited)
    await connect(here, here.browser(), invited)
    const before = tokensAsked(invited.tenant.id)
    const page = await early.open(
      `/consent/callback?admin_consent=True&tenant=${invited.tenant.id}&state=${stateOf(left)}`,
    )
    await work(here)
    expect(wordsOf(page)).toContain('Done. Access works')
    expect(tokensAsked(invited.tenant.id)).toBe(before)
  })

  test('proven by a sign-in proves the tenant and no consent: the link stays open until a token shows one', async () => {
    const invited = await invite(here)
    const browser = here.browser()
    const page = await walk(browser, invited)
    here.simulator.world.revoke(invited.tenant.id, here.portal.config.app.clientId)
    await work(here)
    expect(await boundTo(here, invited)).toEqual([])
    expect(await stateOfLink(invited)).toBe('issued')
    expect(wordsOf(await browser.open(page.url))).not.toMatch(fact)
    await connect(here, here.browser(), invited)
    here.clock.advance(minute)
    await work(here)
    expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
    expect(await stateOfLink(invited)).toBe('completed')
  })

  test('decided by an operator binds the tenant, and completes the link only when a token proves it', async () => {
    const invited = await invite(here)
    const { browser } = await lie(invited)
    const [run] = await runsOf(here, invited)
    here.clock.advance(31 * minute)
    await keepAbandonedClaims(here.portal)
    const [review] = await openReviews(here.portal.db, invited.customer.id)
    await confirmReview(here.portal, alice, review?.id ?? '')
    await work(here)
    expect(await stateOfLink(invited)).toBe('issued')
    expect((await findTenant(here.portal.db, invited.tenant.id))?.consentedAt).toBeNull()
    expect(wordsOf(await browser.open(`/consent/${run?.id}`))).toContain('Confirmed by Halvard Security AB')
    here.simulator.world.consent(invited.tenant.id, here.portal.config.app.clientId)
    here.clock.advance(hour)
    await work(here)
    expect(await stateOfLink(invited)).toBe('completed')
    expect((await findTenant(here.portal.db, invited.tenant.id))?.consentedAt).not.toBeNull()
    expect((await runsOf(here, invited))[0]).toMatchObject({ outcome: 'bound', boundTenantId: invited.tenant.id })
  })

  test('of a tenant whose live call fails is proven all the same: the trouble is a state of access', async () => {
    const invited = await invite(here, { pinned: true })
    const browser = here.browser()
    const page = await walk(browser, invited)
    here.simulator.world.setWeather(invited.tenant.id, 'outage', { surface: 'api', status: 503, retryAfter: null })
    await work(here)
    expect(await stateOfLink(invited)).toBe('completed')
    expect((await findTenant(here.portal.db, invited.tenant.id))?.accessState).toBe('proving')
    expect(wordsOf(await browser.open(page.url))).toContain('We are checking that it works')
    here.simulator.world.clearWeather()
  })

  test.each([
    ['without the role', [], null, 'issued'],
    ['that cannot be read, to which the API answers', ['Incident.Read.All'], 'opaque-token', 'completed'],
    ['that cannot be read and does not carry the role', [], 'opaque-token', 'issued'],
  ] as const)('with a token %s is proven only by what the API gives', async (_what, roles, weather, state) => {
    const invited = await invite(here, { pinned: true })
    await walk(here.browser(), invited)
    const { clientId } = here.portal.config.app
    if (roles.length === 0) here.simulator.world.removeRoles(invited.tenant.id, clientId, 'Incident.Read.All')
    if (weather) here.simulator.world.setWeather(invited.tenant.id, weather, {})
    await work(here)
    here.simulator.world.clearWeather()
    expect(await stateOfLink(invited)).toBe(state)
    expect(await boundTo(here, invited)).toEqual(state === 'completed' ? [invited.tenant.id] : [])
  })

  test('is given up after two days, and a consent that comes later still ends it well', async () => {
    const invited = await invite(here, { pinned: true })
    const { browser, page } = await lie(invited)
    for (let hours = 0; hours <= 60; hours += 6) {
      await work(here)
      here.clock.advance(6 * hour)
    }
    expect((await runsOf(here, invited))[0]?.outcome).toBe('unproven')
    expect(wordsOf(await browser.open(page.url))).toContain('No consent was found')
    expect(await stateOfLink(invited)).toBe('issued')
    const again = await browser.submit(await browser.open(page.url), '/consent/')
    await browser.follow(await answerAtMicrosoft(browser, again, invited.admin))
    await work(here)
    expect((await runsOf(here, invited)).map(({ outcome }) => outcome)).toEqual(['bound', 'bound'])
    expect(wordsOf(await browser.open(page.url))).toContain('Done. Access works')
  })

  test('that waits for a proof is looked for by one process at a time', async () => {
    const invited = await invite(here, { pinned: true })
    await lie(invited)
    const before = tokensAsked(invited.tenant.id)
    const probes = await Promise.all([1, 2, 3, 4].map(() => probeAwaited(here.portal, 16)))
    await Promise.all(probes.flat())
    expect(tokensAsked(invited.tenant.id)).toBe(before + 1)
  })

  test('for a tenant that lost its consent touches nothing of it before a token', async () => {
    const invited = await invite(here, { pinned: true })
    await connect(here, here.browser(), invited)
    here.simulator.world.revoke(invited.tenant.id, here.portal.config.app.clientId)
    here.clock.advance(7 * hour)
    await work(here)
    const lost = await findTenant(here.portal.db, invited.tenant.id)
    expect(lost?.accessState).toBe('revoked')
    const again = { ...invited, ...(await reinvite(invited)) }
    await lie(again)
    expect(await findTenant(here.portal.db, invited.tenant.id)).toEqual(lost)
    const browser = here.browser()
    const page = await walk(browser, again)
    here.clock.advance(minute)
    await work(here)
    expect((await findTenant(here.portal.db, invited.tenant.id))?.accessState).toBe('active')
    expect(await stateOfLink(again)).toBe('completed')
    expect(wordsOf(await browser.open(page.url))).toContain('Done. Access works')
  })

  async function reinvite({ customer }: Invited) {
    const { link, url, classicUrl } = await issueConsentLink(here.portal, alice, { customerId: customer.id, days: 14 })
    return { linkId: link.id, join: new URL(url).pathname, classicUrl }
  }
})
