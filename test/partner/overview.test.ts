import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { write } from '../../server/store/engine/write.ts'
import { recordOpening } from '../../server/store/onboarding/link-visits.ts'
import { clearPartnerFaults, recordPartnerFault } from '../../server/store/partner/faults.ts'
import { recount } from '../../server/store/tenants/counters.ts'
import { chartDays, chartOf } from '../../server/web/overview/chart.ts'
import { before, connected, customerNamed, untilNothingIsDue, waitingReview } from '../support/admin.ts'
import { arrive, incidentFor, instant } from '../support/desk.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

/** Pages are long: a failed test names what was looked for, and not all that was there. */
const holding = (page: string, texts: readonly (string | RegExp)[]) =>
  texts.filter((text) => (typeof text === 'string' ? page.includes(text) : text.test(page))).map(String)
const holds = (page: string, ...texts: (string | RegExp)[]) => expect(holding(page, texts)).toEqual(texts.map(String))
const lacks = (page: string, ...texts: (string | RegExp)[]) => expect(holding(page, texts)).toEqual([])

const overviewFor = async (here: TestPortal, who = here.cast.alice) => {
  const page = await (await here.signedIn(who)).open('/')
  expect(page.status).toBe(200)
  return page.text
}

onEachEngine('the overview', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine)
  })
  afterAll(() => here.close())

  test('on the first day says what next, to each role what it can do', async () => {
    const alice = await overviewFor(here)
    holds(alice, 'Welcome, Alice Admin', 'href="/customers/new"', 'This is not “0 incidents”')
    lacks(alice, 'Go to the consent link', 'class="tally"')
    const bob = await overviewFor(here, here.cast.bob)
    lacks(bob, '/customers/new', 'href="/doctor"')
    holds(bob, 'An Admin does this.')
  })

  test('with customers and no tenant yet shows how far they are', async () => {
    const customer = await customerNamed(here, 'Brännland Must & Cider AB')
    holds(await overviewFor(here), '1 customer is here', 'Choose a customer')
    const { link } = await issueConsentLink(here.portal, before, { customerId: customer.id, days: 14 })
    holds(
      await overviewFor(here),
      '1 link of the last 30 days',
      '1 not there yet',
      'Never opened',
      'Brännland Must &amp; Cider AB',
    )
    await write(here.portal.db, (tx) => recordOpening(tx, before, link, here.portal.now()))
    holds(await overviewFor(here), 'Opened once, went no further')
    here.clock.advance(15 * 86_400_000)
    holds(await overviewFor(here), /The link expired unused<\/span><span><time[^>]*>1 d /)
  })

  test('says over how many tenants it is, how many are open and unassigned, and for whom', async () => {
    const { tenant, customer } = await connected(here, '晶瀚精密光學股份有限公司')
    await write(here.portal.db, async (tx) => {
      await tx.updateTable('incidents').set({ open: 0, status: 'resolved' }).execute()
      await recount(tx, tenant.id)
    })
    await arrive(here, tenant.id, [
      incidentFor(here, { id: '501', severity: 'high' }),
      incidentFor(here, { id: '502', severity: 'high', assignedTo: 'k.lund@contoso.example' }),
      incidentFor(here, { id: '503', severity: 'low' }),
      incidentFor(here, { id: '504', severity: 'unknown' }),
      incidentFor(here, { id: '505', severity: 'medium', status: 'resolved' }),
      incidentFor(here, { id: '506', severity: 'high', status: 'redirected', redirectId: '501' }),
    ])
    const page = await overviewFor(here)
    holds(
      page,
      'Reading <b>1 of 1</b> tenants',
      '4 open incidents',
      '3 unassigned',
      /href="\/incidents\?severity=high">.*?High<\/span><strong>2<\/strong><span class="num">1 unassigned/s,
      /Medium<\/span><strong>0<\/strong><span class="num">0 unassigned/,
      '1 more has a severity Muster does not know',
      `<a href="/incidents?customer=${customer.id}&severity=high">2</a>`.replace('&', '&amp;'),
      '<span lang="zh-Hant">晶瀚精密光學股份有限公司</span>',
      /New incidents, 30 days/,
    )
    lacks(page, 'class="blinds"', 'role="alert"')
  })

  test('puts what waits for a decision before everything that runs by itself', async () => {
    const customer = await customerNamed(here, 'Bergqvist Åkeri')
    await waitingReview(here, customer.id, 'c81e7b26-0d5f-4f3a-9e17-64a2b8d3f905')
    holds(await overviewFor(here), 'Waiting for you', 'Decide on a tenant for', `href="/customers/${customer.id}"`)
  })

  test('names a lost access at once, and as blind first of all, with cause, owner and remedy', async () => {
    const { tenant } = await connected(here, 'Northwind')
    const other = await connected(here, 'Larchmont & Pryce')
    here.simulator.world.revoke(tenant.id, here.portal.config.app.clientId)
    here.simulator.world.blockByPolicy(other.tenant.id)
    here.clock.advance(7 * 3_600_000)
    await untilNothingIsDue(here)
    const page = await overviewFor(here)
    holds(
      page,
      'tenants are blind',
      'Consent revoked',
      'Their administrator acts.',
      'Go to the consent link',
      'Blocked by Conditional Access',
      `href="/tenants/${tenant.id}"`,
    )
    expect(page.indexOf('id="blind"')).toBeLessThan(page.indexOf('id="open-t"'))
    lacks(await overviewFor(here, here.cast.bob), 'Go to the consent link')
  })

  test('shows a fault of the partner’s own credential once, not once for every tenant', async () => {
    const { db, now } = here.portal
    for (const name of ['Adatum', 'Fabrikam', 'Tailspin']) await connected(here, name)
    const facts = {
      aadsts: 7000222,
      status: 401,
      error: 'invalid_client',
      correlationId: '2f1c-77',
      traceId: null,
      at: now().toISOString(),
    }
    await write(db, (tx) => recordPartnerFault(tx, 'partner-credential', facts, now()))
    here.clock.advance(40 * 60_000)
    const page = await overviewFor(here)
    holds(page, 'AADSTS7000222', '2f1c-77', 'href="/doctor"', 'no customer has to act', 'Consent revoked')
    expect(page.match(/role="alert"/g)).toHaveLength(1)
    lacks(page, 'Muster itself is behind', />Tailspin<\/a><div class="sub"><span class="mono/)
    await write(db, (tx) => clearPartnerFaults(tx, now()))
    holds(await overviewFor(here), 'Muster itself is behind')
  })

  test('forgets an offboarded customer’s tenants', async () => {
    const { customer } = await connected(here, 'Going Away Ltd')
    holds(await overviewFor(here), 'Going Away Ltd')
    await offboardCustomer(here.portal.db, before, customer.id, here.portal.now())
    lacks(await overviewFor(here), 'Going Away Ltd')
  })

  test('stays a page of a dozen rows however many customers there are', async () => {
    const { tenant } = await connected(here, 'Template')
    const row = await here.portal.db
      .selectFrom('tenants')
      .selectAll()
      .where('tenant_id', '=', tenant.id)
      .executeTakeFirstOrThrow()
    for (let i = 0; i < 40; i++) {
      const customer = await customerNamed(here, `Customer ${String(i).padStart(2, '0')}`)
      await here.portal.db
        .insertInto('tenants')
        .values({
          ...row,
          tenant_id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
          customer_id: customer.id,
          open_high: 40 - i,
          open_medium: 0,
          open_low: 0,
          open_informational: 0,
        })
        .execute()
    }
    const page = await overviewFor(here)
    expect(page.match(/<tr[^>]* id="heat-/g)).toHaveLength(13)
    holds(page, 'id="heat-others"', '>Customer 00<')
    lacks(page, '>Customer 30<')
  })
})

describe('the chart of new incidents', () => {
  const now = new Date('2026-11-20T00:00:01Z')
  test('has a place for every day, empty or not, and today is the last', () => {
    const chart = chartOf(
      [
        { day: '2026-11-20', severity: 'high', count: 2 },
        { day: '2026-10-22', severity: 'unknown', count: 1 },
        { day: '2026-10-21', severity: 'high', count: 99 },
      ],
      now,
    )
    expect(chart.days).toHaveLength(chartDays)
    expect([chart.days[0]?.day, chart.days.at(-1)?.day]).toEqual(['2026-10-22', '2026-11-20'])
    expect([chart.total, chart.highest?.total, chart.hasUnknown]).toEqual([3, 2, true])
  })

  test.each([0, 1, 3, 7, 31, 999, 200_000])('draws %i a day within its frame', (count) => {
    const { bars, lines } = chartOf(count === 0 ? [] : [{ day: '2026-11-20', severity: 'low', count }], now)
    for (const { y, height } of bars) {
      expect(y).toBeGreaterThanOrEqual(12)
      expect(y + height).toBeLessThanOrEqual(150)
      expect(height).toBeGreaterThan(0)
    }
    const step = lines[0]?.label ?? 0
    expect(lines.map(({ label }) => label)).toEqual(lines.map((_, i) => step * (i + 1)))
    expect(lines.length).toBeLessThanOrEqual(4)
    expect(lines.at(-1)?.label).toBeGreaterThanOrEqual(count)
  })

  test('spans months and leap days', () => {
    expect(chartOf([], new Date('2028-03-01T12:00:00Z')).days.map(({ day }) => day)).toContain('2028-02-29')
    expect(instant(now)).toHaveLength(28)
  })
})
