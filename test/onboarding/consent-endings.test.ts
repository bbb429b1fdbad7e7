import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { dismissReview } from '../../server/onboarding/decisions.ts'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import type { Tenant } from '../../server/simulator/world/directory.ts'
import { createCustomer } from '../../server/store/customers/customers.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { write } from '../../server/store/engine/write.ts'
import { type AttemptOutcome, recordOutcome, recordSignedInTenant } from '../../server/store/onboarding/attempts.ts'
import { withdrawLink } from '../../server/store/onboarding/links.ts'
import { openReviews } from '../../server/store/onboarding/reviews.ts'
import { changeSettings } from '../../server/store/partner/settings.ts'
import { languages } from '../../server/words.ts'
import type { Browser, Page } from '../support/browser.ts'
import {
  alice,
  answerAtMicrosoft,
  choose,
  type Invited,
  invite,
  leave,
  ownerOf,
  runsOf,
  stateOf,
  walk,
  wordsOf,
  work,
} from '../support/consent.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

/** Every outcome of a run, but `bound`, which is told by its tenant. */
const outcomes: Record<Exclude<AttemptOutcome, 'bound'>, 'app may be left' | 'under way' | 'nothing given'> = {
  started: 'under way',
  late: 'under way',
  mangled: 'under way',
  claimed: 'under way',
  'proving-tenant': 'under way',
  'awaiting-proof': 'under way',
  unproven: 'nothing given',
  review: 'under way',
  declined: 'nothing given',
  'not-admin': 'nothing given',
  unlicensed: 'nothing given',
  misconfigured: 'nothing given',
  'tenant-is-partner': 'nothing given',
  'wrong-tenant': 'app may be left',
  'tenant-taken': 'app may be left',
  'other-tenant-signed-in': 'app may be left',
  'sign-in-failed': 'app may be left',
  'link-withdrawn': 'app may be left',
  // With a tenant, it is what an operator dismissed.
  refused: 'app may be left',
}

const askFirst = 'Nothing was changed. Do not remove the app before you have asked us.'
const howToDelete = /Tidy up|Städa upp|後續清理|Properties|Egenskaper|「屬性」/
const connectedAlready = 'connected already'

onEachEngine('the end of a run', (engine) => {
  let here: TestPortal
  const tenants = {} as Record<'living' | 'offboarded' | 'unknown', Tenant>
  let living: Invited

  beforeAll(async () => {
    here = await startTestPortal(engine)
    const contact = { partnerName: 'Halvard Security', contactEmail: 'ines@halvard.example' }
    await changeSettings(here.portal.db, alice, contact, here.portal.now())
    living = await invite(here, { name: 'Contoso Canary' })
    const left = await invite(here, { name: 'Fabrikam Canary' })
    for (const invited of [living, left]) await walk(here.browser(), invited)
    await work(here)
    await offboardCustomer(here.portal.db, alice, left.customer.id, here.portal.now())
    const unknown = here.simulator.world.addTenant({ displayName: 'Nobody Canary' })
    Object.assign(tenants, { living: living.tenant, offboarded: left.tenant, unknown })
  })
  afterAll(() => here.close())

  describe.each([true, false])('of a link with an expected tenant: %s', (pinned) => {
    let browser: Browser
    let attemptId: string
    beforeAll(async () => {
      const invited = await invite(here, { pinned })
      browser = here.browser()
      const state = stateOf(await leave(browser, invited))
      await browser.open(`/consent/callback?error=server_error&state=${state}`)
      attemptId = (await runsOf(here, invited))[0]?.id ?? ''
    })

    async function pageOf(outcome: AttemptOutcome, tenant: Tenant, signedIn: boolean, language = 'en') {
      const { db } = here.portal
      await write(db, (tx) => recordOutcome(tx, attemptId, outcome, here.portal.now(), { claimedTenantId: tenant.id }))
      await write(db, (tx) => recordSignedInTenant(tx, attemptId, signedIn ? tenant.id : ''))
      const page = await browser.open(`/consent/${attemptId}?lang=${language}`)
      expect(page.status).toBe(200)
      expect(page.text).not.toMatch(/(Contoso|Fabrikam) Canary/)
      return wordsOf(page)
        .replaceAll(tenant.id, '')
        .replace(/Request \S+/, '')
    }

    test.each(Object.entries(outcomes) as [Exclude<AttemptOutcome, 'bound'>, string][])(
      '%s (%s): who only claimed a tenant reads the same of every tenant, and is led to remove nothing',
      async (outcome, kind) => {
        for (const { code } of languages) {
          const pages: string[] = []
          for (const tenant of Object.values(tenants)) pages.push(await pageOf(outcome, tenant, false, code))
          expect(new Set(pages).size).toBe(1)
          expect(pages[0]).not.toMatch(howToDelete)
          expect(pages[0]).not.toMatch(/connected|ansluten|anslöts|連線/)
          if (code === 'en') expect(pages[0]?.includes(askFirst)).toBe(kind === 'app may be left')
        }
      },
    )

    test.each(Object.entries(outcomes) as [Exclude<AttemptOutcome, 'bound'>, string][])(
      '%s (%s): whoever signed in to a living tenant is told so, and to leave the app alone',
      async (outcome, kind) => {
        for (const { code } of languages) {
          expect(await pageOf(outcome, tenants.living, true, code)).not.toMatch(howToDelete)
        }
        const page = await pageOf(outcome, tenants.living, true)
        expect(page.includes(connectedAlready)).toBe(kind === 'app may be left')
        expect(page).not.toMatch(/not connected|cannot be connected/)
      },
    )

    test.each(['offboarded', 'unknown'] as const)(
      'whoever signed in to a tenant that is %s may remove the app, where one may be left',
      async (standing) => {
        for (const [outcome, kind] of Object.entries(outcomes) as [AttemptOutcome, string][]) {
          const page = await pageOf(outcome, tenants[standing], true)
          expect([outcome, /Tidy up/.test(page)]).toEqual([outcome, kind === 'app may be left'])
          expect(page).not.toContain(connectedAlready)
        }
      },
    )

    test('a service that has ended is told to everybody, and how to remove the app to whoever signed in', async () => {
      const { db } = here.portal
      const tenantId = tenants.offboarded.id
      for (const signedIn of [true, false]) {
        await write(db, (tx) =>
          recordOutcome(tx, attemptId, 'bound', here.portal.now(), {
            claimedTenantId: tenantId,
            boundTenantId: tenantId,
          }),
        )
        await write(db, (tx) => recordSignedInTenant(tx, attemptId, signedIn ? tenantId : ''))
        const page = wordsOf(await browser.open(`/consent/${attemptId}`))
        expect(page).toContain('The service has ended')
        expect(howToDelete.test(page)).toBe(signedIn)
        expect(page.includes('Ask us before you remove the app.')).toBe(!signedIn)
      }
    })
  })

  /** A link of another customer whose expected tenant is that one, as two records of one company have it. */
  async function secondRecord(tenant: Tenant): Promise<Pick<Invited, 'join' | 'linkId' | 'customer'>> {
    const details = { language: 'en', contactName: null, contactEmail: null, notes: null, groups: [] }
    const customer = await createCustomer(
      here.portal.db,
      alice,
      { ...details, name: 'Second record', expectedTenantId: tenant.id, expectedDomain: tenant.domains[1] ?? null },
      here.portal.now(),
    )
    const { link, url } = await issueConsentLink(here.portal, alice, { customerId: customer.id, days: 14 })
    return { customer, linkId: link.id, join: new URL(url).pathname }
  }

  /** Claims a tenant, is asked to sign in, and does so as that person. */
  async function claimAndSignIn(
    browser: Browser,
    invited: Pick<Invited, 'join'>,
    tenant: Tenant,
    person = living.admin,
  ) {
    const left = await leave(browser, invited)
    const silent = await browser.get(`/consent/callback?admin_consent=True&tenant=${tenant.id}&state=${stateOf(left)}`)
    const visible = await browser.get(`/consent/callback?error=login_required&state=${stateOf(silent)}`)
    return { visible, finish: () => chosen(browser, visible, person) }
  }
  const chosen = async (browser: Browser, visible: Page, person: Invited['admin']) =>
    choose(browser, await browser.get(visible.location ?? ''), person)

  test('of a second record for a living tenant leaves its administrator’s app alone, and has the contact', async () => {
    const second = await secondRecord(living.tenant)
    const browser = here.browser()
    const page = await browser.follow(await answerAtMicrosoft(browser, await leave(browser, second), living.admin))
    expect(wordsOf(page)).toContain(askFirst)
    expect(page.text).toContain('mailto:ines@halvard.example')
    expect(wordsOf(page)).not.toMatch(howToDelete)
    expect(page.text).not.toContain('Contoso Canary')
    expect(await ownerOf(here, living.tenant.id)).toBe(living.customer.id)
  })

  test('of a link without an expected tenant tells a living tenant’s administrator that there is nothing to do', async () => {
    const page = await walk(here.browser(), await invite(here), living.admin)
    expect(wordsOf(page)).toContain('This organisation is connected already There is nothing for you to do')
    expect(wordsOf(page)).not.toMatch(howToDelete)
    expect(page.text).not.toContain('Contoso Canary')
  })

  test('of a link that was withdrawn meanwhile tells him so as well, after his sign-in', async () => {
    const invited = await invite(here)
    const browser = here.browser()
    const { finish } = await claimAndSignIn(browser, invited, living.tenant)
    await write(here.portal.db, (tx) => withdrawLink(tx, alice, invited.linkId, here.portal.now()))
    const page = await finish()
    expect(wordsOf(page)).toContain('The link was withdrawn meanwhile')
    expect(wordsOf(page)).toContain('connected already. Leave the app there as it is.')
    expect(wordsOf(page)).not.toMatch(howToDelete)
  })

  test('of a claim that an operator dismissed tells no more than before, whatever tenant it named', async () => {
    const pages: string[] = []
    for (const tenant of Object.values(tenants)) {
      const invited = await invite(here, { name: 'Twin' })
      const browser = here.browser()
      const { visible } = await claimAndSignIn(browser, invited, tenant)
      const waiting = await browser.follow(
        await browser.get(`/consent/callback?error=access_denied&state=${stateOf(visible)}`),
      )
      const [review] = await openReviews(here.portal.db, invited.customer.id)
      await dismissReview(here.portal, alice, review?.id ?? '')
      pages.push(wordsOf(await browser.open(waiting.url)).replace(/Reference \S+/, ''))
    }
    expect(new Set(pages).size).toBe(1)
    expect(pages[0]).toContain(askFirst)
  })

  test('in a tenant that a link of another customer waits for says to ask first', async () => {
    const waiting = await invite(here, { pinned: true })
    const invited = await invite(here, { pinned: true })
    const browser = here.browser()
    const start = { ...(await browser.get('/sign-in')), location: invited.classicUrl }
    const accepted = await answerAtMicrosoft(browser, start, waiting.admin, 'accept', { organisation: '1' })
    const page = wordsOf(await browser.follow(accepted))
    expect(page).toContain('That was another organisation')
    expect(page).toContain(askFirst)
    expect(page).not.toMatch(howToDelete)
  })

  test('in the partner’s own tenant never leads to removing the app that everything is read with', async () => {
    const invited = await invite(here, { pinned: true })
    const boss = here.simulator.world.addPerson(here.partner.id, {
      name: 'Ines',
      directoryRole: 'Global Administrator',
    })
    const browser = here.browser()
    const start = { ...(await browser.get('/sign-in')), location: invited.classicUrl }
    const page = await browser.follow(await answerAtMicrosoft(browser, start, boss, 'accept', { organisation: '1' }))
    expect(wordsOf(page)).toContain('That was another organisation')
    expect(wordsOf(page)).toContain(askFirst)
    expect(wordsOf(page)).not.toMatch(howToDelete)
  })

  test('for a guest of a living tenant is that of every other tenant: being asked in is not belonging', async () => {
    const pages: string[] = []
    for (const tenant of [tenants.living, tenants.unknown]) {
      const visitor = await invite(here)
      here.simulator.world.consent(tenant.id, here.portal.config.app.clientId)
      here.simulator.world.addGuest(tenant.id, visitor.admin.id)
      const invited = await invite(here, { name: 'Twin' })
      const { finish } = await claimAndSignIn(here.browser(), invited, tenant, visitor.admin)
      pages.push(wordsOf(await finish()).replace(/Reference \S+/, ''))
    }
    expect(new Set(pages).size).toBe(1)
    expect(pages[0]).toContain('Now a person looks at it')
  })
})
