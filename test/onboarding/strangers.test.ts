import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { beginConsent } from '../../server/onboarding/consent.ts'
import { linkIdsIn, newState } from '../../server/onboarding/consent-state.ts'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import { listAudit } from '../../server/store/audit.ts'
import { write } from '../../server/store/engine/write.ts'
import { mostAttempts } from '../../server/store/onboarding/attempt-room.ts'
import { mostNoted, recordOpening } from '../../server/store/onboarding/link-visits.ts'
import { getLink } from '../../server/store/onboarding/links.ts'
import { mostReviews, openReviews } from '../../server/store/onboarding/reviews.ts'
import { sweepSurplusAttempts } from '../../server/store/upkeep/sweeps.ts'
import { mostDepartures } from '../../server/web/join/departures.ts'
import { keepHouse } from '../../server/worker/upkeep/housekeeping.ts'
import type { Browser, Page } from '../support/browser.ts'
import {
  alice,
  answerAtMicrosoft,
  boundTo,
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

const hour = 3_600_000

onEachEngine('whoever holds a link', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine, { config: { trustProxy: ['loopback'] } })
  })
  afterAll(() => here.close())

  let addresses = 0
  /** A network address that nobody had before. */
  const somewhere = () => {
    addresses++
    return { 'X-Forwarded-For': `100.${64 + (addresses >> 16)}.${(addresses >> 8) & 255}.${addresses & 255}` }
  }

  const rowsOf = async ({ customer }: Pick<Invited, 'customer'>) =>
    here.portal.db.selectFrom('consent_attempts').selectAll().where('customer_id', '=', customer.id).execute()
  const kept = async (invited: Pick<Invited, 'customer'>) =>
    (await rowsOf(invited)).filter((row) => row.returned_at !== null).length

  /** Leaves and comes back at once, without having been at Microsoft. */
  async function comeBack(
    invited: Invited,
    said: string,
    { browser = here.browser(), from = somewhere() }: { browser?: Browser; from?: Record<string, string> } = {},
  ): Promise<Page> {
    browser.always = from
    const left = await leave(browser, invited)
    return browser.get(`/consent/callback?${said}&state=${stateOf(left)}`)
  }
  const granted = (tenantId: string) => `admin_consent=True&tenant=${tenantId}`
  const declined = 'error=access_denied&error_description=AADSTS65004'

  async function comeBackOften(invited: Invited, times: number, said: () => string): Promise<void> {
    for (let n = 0; n < times; n += 10) {
      await Promise.all(Array.from({ length: Math.min(10, times - n) }, () => comeBack(invited, said())))
    }
  }

  describe.each([
    ['pinned', true],
    ['unpinned', false],
  ])('of a link that is %s', (_which, pinned) => {
    test('presses 10,000 times while the administrator is at Microsoft, leaves nothing but a count, and he still ends bound', async () => {
      const invited = await invite(here, { pinned })
      const browser = here.browser()
      const back = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
      const before = await rowsOf(invited)
      const presses = engine === 'SQLite' ? 10_000 : 2_000
      const stranger = {
        browser: null,
        addressHash: null,
        actor: { kind: 'customer', id: null, name: null, address: null, requestId: null },
      } as const
      const token = invited.join.slice('/join/'.length)
      for (let n = 0; n < presses; n += 50) {
        await Promise.all(Array.from({ length: 50 }, () => beginConsent(here.portal, stranger, token)))
      }
      expect(await rowsOf(invited)).toEqual(before)
      expect((await getLink(here.portal.db, invited.linkId)).departures).toBe(presses + 1)
      const events = await listAudit(here.portal.db, { customerId: invited.customer.id, limit: 500 })
      expect(events.filter(({ action }) => action === 'attempt.started')).toHaveLength(1)
      const page = await browser.follow(back)
      await work(here)
      expect(wordsOf(await browser.open(page.url))).toContain('Done. Access works')
      expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
    })

    test('comes back more often than is kept: the administrator goes on to his proof, and ends bound', async () => {
      const invited = await invite(here, { pinned })
      const browser = here.browser()
      const back = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
      await comeBackOften(invited, mostAttempts.link + 10, () => declined)
      expect(await kept(invited)).toBe(mostAttempts.link)
      const page = await browser.follow(back)
      expect(new URL(page.url).pathname).toMatch(/^\/consent\/[0-9a-f-]{36}$/)
      expect(await kept(invited)).toBe(mostAttempts.link + 1)
      await work(here)
      expect(wordsOf(await browser.open(page.url))).toContain('Done. Access works')
      expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
    })
  })

  test('signs in once more in another browser while nothing more is kept, and has one run', async () => {
    const invited = await invite(here)
    await comeBackOften(invited, mostAttempts.link, () => declined)
    const ordinary = here.simulator.world.addPerson(invited.tenant.id, { name: 'Ordinary' })
    here.simulator.world.consent(invited.tenant.id, here.portal.config.app.clientId)
    const pages: string[] = []
    for (let n = 0; n < 4; n++) {
      const browser = here.browser()
      const left = await leave(browser, invited)
      const silent = await browser.get(`/consent/callback?${granted(invited.tenant.id)}&state=${stateOf(left)}`)
      const refused = await browser.get(`/consent/callback?error=login_required&state=${stateOf(silent)}`)
      const accounts = await browser.get(refused.location ?? '')
      pages.push((await browser.follow(await browser.submit(accounts, '/', { account: ordinary.id }))).url)
    }
    expect(new Set(pages).size).toBe(1)
    expect(await kept(invited)).toBe(mostAttempts.link + 1)
  })

  test('comes back in one browser: of his runs the latest are kept', async () => {
    const invited = await invite(here)
    const browser = here.browser()
    for (let n = 0; n < mostAttempts.browser + 5; n++) await comeBack(invited, declined, { browser })
    expect(await kept(invited)).toBe(mostAttempts.browser)
  })

  test('comes back from one address in ever new browsers: no more is kept, and others have their room', async () => {
    const invited = await invite(here)
    const from = somewhere()
    for (let n = 0; n < mostAttempts.address + 5; n++) await comeBack(invited, declined, { from })
    expect(await kept(invited)).toBe(mostAttempts.address)
    await comeBack(invited, declined)
    expect(await kept(invited)).toBe(mostAttempts.address + 1)
    const texts = JSON.stringify(await rowsOf(invited))
    expect(texts).not.toContain(from['X-Forwarded-For'])
  })

  test('comes back with one link after another: no more is kept of one customer', async () => {
    let invited = await invite(here)
    for (let links = 0; links < 4; links++) {
      await comeBackOften(invited, mostAttempts.link, () => declined)
      const { link, url } = await issueConsentLink(here.portal, alice, { customerId: invited.customer.id, days: 14 })
      invited = { ...invited, linkId: link.id, join: new URL(url).pathname }
    }
    expect(await kept(invited)).toBe(mostAttempts.customer)
  })

  test('pushes out nobody whose run is younger than an hour, and whatever is over after that', async () => {
    const invited = await invite(here, { pinned: true })
    const browser = here.browser()
    const waiting = await walk(browser, invited, invited.admin)
    await comeBackOften(invited, mostAttempts.link + 20, () => declined)
    expect((await browser.get(waiting.url)).status).toBe(200)
    here.clock.advance(2 * hour)
    const late = here.browser()
    await comeBack(invited, declined, { browser: late })
    expect(await kept(invited)).toBe(mostAttempts.link)
    // What is still waited for gives way last.
    expect((await browser.get(waiting.url)).status).toBe(200)
  })

  test('makes up tenants: so many wait for a decision, of whatever kind, and Microsoft is asked nothing about them', async () => {
    const invited = await invite(here)
    const calls = here.simulator.requests.length
    for (let n = 0; n < 25; n++) {
      const browser = here.browser()
      const tenantId = `11111111-aaaa-4bbb-8ccc-${String(n).padStart(12, '0')}`
      const silent = await comeBack(invited, granted(tenantId), { browser })
      const visible = await browser.get(`/consent/callback?error=login_required&state=${stateOf(silent)}`)
      const end = await browser.follow(
        await browser.get(`/consent/callback?error=access_denied&state=${stateOf(visible)}`),
      )
      // Nobody is told that somebody looks at it when nobody will.
      expect(/Now a person looks at it/.test(wordsOf(end))).toBe(n < mostReviews.callback)
      await here
        .browser()
        .get(`/consent/callback?${granted(tenantId)}&state=${newState(here.portal.config, invited.linkId)}`)
    }
    expect(await openReviews(here.portal.db, invited.customer.id)).toHaveLength(mostReviews.callback)
    expect(here.simulator.requests.length).toBe(calls)
    const events = await listAudit(here.portal.db, { customerId: invited.customer.id, limit: 500 })
    expect(events.filter(({ actorKind }) => actorKind === 'customer').length).toBeLessThanOrEqual(mostNoted + 2)
  })

  test('presses and opens for ever: counts that say nothing new stop', async () => {
    const invited = await invite(here)
    const almost = { departures: 99_999, opened_count: 999, opened_at: here.portal.now().toISOString() }
    await here.portal.db
      .transaction()
      .execute((tx) => tx.updateTable('consent_links').set(almost).where('id', '=', invited.linkId).execute())
    const link = await getLink(here.portal.db, invited.linkId)
    const actor = { kind: 'customer', id: null, name: null, address: null, requestId: null } as const
    for (let n = 0; n < 5; n++) {
      await write(here.portal.db, (tx) => recordOpening(tx, actor, link, here.portal.now()))
      await leave(here.browser(), invited)
    }
    const { departures, openedCount } = await getLink(here.portal.db, invited.linkId)
    expect([departures, openedCount]).toEqual([100_000, 1_000])
  })

  test('presses every minute of an hour: Microsoft is asked about the expected tenant every five minutes at most', async () => {
    const invited = await invite(here, { pinned: true })
    for (let n = 0; n < 60; n++) {
      await leave(here.browser(), invited)
      await keepHouse(here.portal)
      here.clock.advance(60_000)
    }
    const asked = here.simulator.requests.filter(
      ({ path }) => path === `/${invited.tenant.id}/oauth2/v2.0/token`,
    ).length
    expect(asked).toBeGreaterThan(0)
    expect(asked).toBeLessThanOrEqual(12)
  })

  test('writes so much to the audit log in an hour, which says that there was more, and again in the next', async () => {
    const invited = await invite(here)
    const browser = here.browser()
    const written = async () => {
      const events = await listAudit(here.portal.db, { customerId: invited.customer.id, limit: 500 })
      return events.filter(({ action }) => action === 'attempt.declined')
    }
    for (let n = 0; n < mostNoted + 10; n++) await comeBack(invited, declined, { browser })
    expect(await written()).toHaveLength(mostNoted)
    expect((await written())[0]?.facts).toMatchObject({ more: true })
    here.clock.advance(hour)
    await comeBack(invited, declined, { browser })
    expect(await written()).toHaveLength(mostNoted + 1)
  })

  test('has more runs than are kept of everybody: the oldest that are over go, and none that waits', async () => {
    const invited = await invite(here, { pinned: true })
    const browser = here.browser()
    const waiting = await walk(browser, invited)
    await comeBackOften(invited, 30, () => declined)
    here.clock.advance(2 * hour)
    while ((await sweepSurplusAttempts(here.portal.db, 10, here.portal.now())) > 0);
    const { left } = await here.portal.db
      .selectFrom('consent_attempts')
      .where('returned_at', 'is not', null)
      .where('outcome', '=', 'declined')
      .select(({ fn }) => fn.countAll<number>().as('left'))
      .executeTakeFirstOrThrow()
    // Of each customer the latest stays.
    expect(Number(left)).toBeLessThan(40)
    expect((await browser.get(waiting.url)).status).toBe(200)
    expect((await runsOf(here, invited)).length).toBeLessThan(12)
  })

  test('leaves in many tabs and with many links at once, and each comes back; the browser keeps no more than so many', async () => {
    const browser = here.browser()
    const several = [await invite(here), await invite(here), await invite(here)]
    const left = []
    for (const invited of several) left.push(await leave(browser, invited))
    for (const [n, invited] of several.entries()) {
      const page = await browser.follow(
        await browser.get(`/consent/callback?${declined}&state=${stateOf(left[n] as Page)}`),
      )
      expect(wordsOf(page)).toContain('You declined')
      expect(await runsOf(here, invited)).toHaveLength(1)
    }
    for (let n = 0; n < mostDepartures + 4; n++) await leave(browser, several[0] as Invited)
    expect(browser.cookieNames().filter((name) => name.includes('muster-left'))).toHaveLength(mostDepartures)
  })
})

describe('a state', () => {
  const config = { sessionSecrets: ['the first secret of all', 'one of before'] } as never

  test('names its link to whoever has the secret, an older one as well, and to nobody else', () => {
    const [id, other] = [randomUUID(), randomUUID()]
    const before = { sessionSecrets: ['one of before'] } as never
    for (const made of [newState(config, id), newState(before, id)]) {
      expect(made).toMatch(/^[\w-]{43}$/)
      expect(linkIdsIn(config, made)).toContain(id)
      expect(linkIdsIn({ sessionSecrets: ['another'] } as never, made)).not.toContain(id)
      expect(Buffer.from(made, 'base64url').toString('hex')).not.toContain(id.replaceAll('-', '').slice(0, 8))
    }
    expect(newState(config, id)).not.toBe(newState(config, id))
    expect(linkIdsIn(config, newState(config, id))).not.toContain(other)
  })

  test.each(['', 'x', 'A'.repeat(42), 'A'.repeat(44), 'ä'.repeat(43), '\0'.repeat(43)])(
    'is not read out of %j',
    (text) => {
      expect(linkIdsIn(config, text)).toEqual([])
    },
  )

  test('with one bit turned names no link', () => {
    const id = randomUUID()
    const bytes = Buffer.from(newState(config, id), 'base64url')
    for (let bit = 0; bit < 256; bit++) {
      const turned = Buffer.from(bytes)
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(linkIdsIn(config, turned.toString('base64url'))).not.toContain(id)
    }
  })
})
