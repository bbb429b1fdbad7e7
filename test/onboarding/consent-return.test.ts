import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { dismissReview } from '../../server/onboarding/decisions.ts'
import { listAudit } from '../../server/store/audit.ts'
import { write } from '../../server/store/engine/write.ts'
import { withdrawLink } from '../../server/store/onboarding/links.ts'
import { openReviews } from '../../server/store/onboarding/reviews.ts'
import type { Browser } from '../support/browser.ts'
import type { Invited } from '../support/consent.ts'
import { alice, answerAtMicrosoft, boundTo, invite, leave, runsOf, stateOf, wordsOf, work } from '../support/consent.ts'
import { dumpOf } from '../support/database-dump.ts'
import type { TestPortal } from '../support/portal.ts'
import { onEachEngine, startTestPortal } from '../support/portal.ts'

onEachEngine('a return', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine, { config: { trustProxy: ['loopback'] } })
  })
  afterAll(() => here.close())

  let addresses = 0
  const browserElsewhere = () => {
    const browser = here.browser()
    browser.always = { 'X-Forwarded-For': `100.64.1.${++addresses}` }
    return browser
  }
  const classicState = ({ classicUrl }: Invited) => new URL(classicUrl).searchParams.get('state')
  const followClassic = async (browser: Browser, invited: Invited, decision: 'accept' | 'cancel') => {
    const start = { ...(await browser.get('/sign-in')), location: invited.classicUrl }
    const more: Record<string, string> = decision === 'accept' ? { organisation: '1' } : {}
    return browser.follow(await answerAtMicrosoft(browser, start, invited.admin, decision, more))
  }

  test.each([
    ['a refusal', 'error=access_denied&error_description=AADSTS65004'],
    ['a colleague who may not consent', 'error=access_denied&error_description=AADSTS90094'],
    ['a code that nobody signs in for', 'code=x'],
    ['a mangled answer', 'code='],
    ['a made-up tenant', 'admin_consent=True&tenant=11111111-aaaa-4bbb-8ccc-000000000001'],
  ])('of %s with the classic link spends nothing for the next person', async (_what, said) => {
    for (const pinned of [true, false]) {
      const invited = await invite(here, { pinned })
      for (let others = 0; others < 3; others++) {
        await browserElsewhere().get(`/consent/callback?${said}&state=${classicState(invited)}`)
      }
      const browser = browserElsewhere()
      const page = await followClassic(browser, invited, 'accept')
      await work(here)
      if (pinned) {
        expect(wordsOf(await browser.open(page.url))).toContain('Done. Access works')
        expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
      } else {
        expect(wordsOf(page)).toContain('Now a person looks at it')
        const reviews = await openReviews(here.portal.db, invited.customer.id)
        expect(reviews).toContainEqual(expect.objectContaining({ tenantId: invited.tenant.id, evidence: 'sign-in' }))
      }
    }
  })

  test('with the classic link in a browser that declined before is a new run', async () => {
    const invited = await invite(here, { pinned: true })
    const browser = browserElsewhere()
    expect(wordsOf(await followClassic(browser, invited, 'cancel'))).toContain('You declined')
    const page = await followClassic(browser, invited, 'accept')
    await work(here)
    expect(wordsOf(await browser.open(page.url))).toContain('Done. Access works')
    expect((await runsOf(here, invited)).map(({ outcome }) => outcome)).toEqual(['bound', 'declined'])
  })

  test.each(['expired', 'withdrawn'])(
    'of a code with a classic link that is %s is kept for review: that it came, never the code',
    async (how) => {
      const invited = await invite(here)
      if (how === 'expired') here.clock.advance(15 * 86_400_000)
      else await write(here.portal.db, (tx) => withdrawLink(tx, alice, invited.linkId, here.portal.now()))
      const code = 'canary-0.code-that-nobody-keeps'
      for (let times = 0; times < 3; times++) {
        const page = await browserElsewhere().open(`/consent/callback?code=${code}&state=${classicState(invited)}`)
        expect(page.status).toBe(200)
      }
      const reviews = await openReviews(here.portal.db, invited.customer.id)
      expect(reviews.map(({ kind, tenantId }) => [kind, tenantId])).toEqual([['code', null]])
      const text = (await dumpOf(here.portal.db)) + JSON.stringify(here.lines)
      expect(text).not.toContain(code)
      expect(text).not.toContain(classicState(invited))
      const admin = await here.signedIn(here.cast.alice)
      const customer = await admin.open(`/customers/${invited.customer.id}`)
      expect(wordsOf(customer)).toContain('with the classic link, after it had ended')
      expect(wordsOf(await admin.open('/'))).toContain('Somebody came back with a link that had ended')
      expect((await admin.submit(customer, '/reviews/')).status).toBe(303)
      expect(await openReviews(here.portal.db, invited.customer.id)).toEqual([])
      expect(wordsOf(await admin.open('/audit'))).toContain('put away that somebody came back with an ended link')
      const events = await listAudit(here.portal.db, { customerId: invited.customer.id, limit: 50 })
      expect(events.filter(({ action }) => action === 'consent.code-unused')).toHaveLength(1)
    },
  )

  test('of a code that was kept for review cannot be confirmed: it names no tenant', async () => {
    const invited = await invite(here)
    await write(here.portal.db, (tx) => withdrawLink(tx, alice, invited.linkId, here.portal.now()))
    await browserElsewhere().open(`/consent/callback?code=x&state=${classicState(invited)}`)
    const [review] = await openReviews(here.portal.db, invited.customer.id)
    const admin = await here.signedIn(here.cast.alice)
    const page = await admin.open(`/customers/${invited.customer.id}`)
    const token = /action="\/reviews\/[^"]+\/dismissal">\s*<input type="hidden" name="_csrf" value="([^"]+)"/.exec(
      page.text,
    )?.[1]
    const tried = await admin.post(`/reviews/${review?.id}/confirmation`, {
      _csrf: token ?? '',
      [`asked-${review?.id}`]: 'yes',
    })
    expect(tried.status).toBe(404)
    await dismissReview(here.portal, alice, review?.id ?? '')
  })

  const glued: [string, (state: string, tenantId: string) => string][] = [
    [
      'text glued to its state',
      (state, id) => `admin_consent=True&tenant=${id}&state=${state}Sign%20in%20to%20your%20account`,
    ],
    ['its state cut off', (state, id) => `admin_consent=True&tenant=${id}&state=${state.slice(0, 20)}`],
    ['its state in capitals', (state, id) => `admin_consent=True&tenant=${id}&state=${state.toUpperCase()}`],
    ['no state', (_state, id) => `admin_consent=True&tenant=${id}`],
    ['its state twice', (state, id) => `admin_consent=True&tenant=${id}&state=${state}&state=${state}`],
    ['a state of a thousand letters', (state, id) => `admin_consent=True&tenant=${id}&state=${state.repeat(30)}`],
    ['text glued to its tenant', (state, id) => `admin_consent=True&tenant=${id}Sign%20in&state=${state}`],
    ['text glued to its consent', (state, id) => `admin_consent=TrueSign%20in&tenant=${id}&state=${state}`],
    ['nothing but its state', (state) => `state=${state}`],
    ['nothing', () => ''],
  ]

  test.each(glued)('with %s leads a browser that set out to its page, where it can try again', async (_what, said) => {
    for (const pinned of [true, false]) {
      const invited = await invite(here, { pinned })
      const browser = browserElsewhere()
      const address = `/consent/callback?${said(stateOf(await leave(browser, invited)), invited.tenant.id)}`
      const page = await browser.open(address)
      expect([page.status, new URL(page.url).pathname.startsWith('/consent/')]).toEqual([200, true])
      expect(wordsOf(page)).toContain('One step is missing')
      expect((await browser.open(address)).url).toBe(page.url)
      await work(here)
      expect(await boundTo(here, invited)).toEqual([])
      const kinds = (await openReviews(here.portal.db, invited.customer.id)).map(({ kind }) => kind)
      expect(kinds.filter((kind) => kind !== 'mangled')).toEqual([])
      if (kinds.length > 0) {
        const admin = await here.signedIn(here.cast.alice)
        expect(wordsOf(await admin.open(`/customers/${invited.customer.id}`))).toContain(
          pinned ? 'altered on the way' : 'an address that had been altered on the way',
        )
      }
      const again = await browser.submit(page, '/consent/')
      const end = await browser.follow(await answerAtMicrosoft(browser, again, invited.admin))
      await work(here)
      expect(wordsOf(await browser.open(end.url))).toContain('Done. Access works')
      // Whoever did not set out from here learns nothing.
      expect((await browserElsewhere().get(address)).status).toBe(400)
    }
  })

  test('of a refusal with an altered state is told as a refusal', async () => {
    const invited = await invite(here)
    const browser = browserElsewhere()
    const state = stateOf(await leave(browser, invited))
    const page = await browser.open(
      `/consent/callback?error=access_denied&error_description=AADSTS65004&state=${state}x`,
    )
    expect(wordsOf(page)).toContain('You declined')
    expect(await openReviews(here.portal.db, invited.customer.id)).toEqual([])
  })
})
