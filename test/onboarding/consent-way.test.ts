import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { keepAbandonedClaims } from '../../server/onboarding/consent-return.ts'
import { confirmReview, dismissReview } from '../../server/onboarding/decisions.ts'
import { listAudit } from '../../server/store/audit.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { write } from '../../server/store/engine/write.ts'
import { withdrawLink } from '../../server/store/onboarding/links.ts'
import { openReviews } from '../../server/store/onboarding/reviews.ts'
import {
  alice,
  answerAtMicrosoft,
  asked,
  boundTo,
  choose,
  connect,
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

onEachEngine('the way from link to access', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine)
  })
  afterAll(() => here.close())

  const reviewsOf = (customerId: string) => openReviews(here.portal.db, customerId)

  describe('of a pinned link', () => {
    test('binds the expected tenant, proves it, and tells its administrator so', async () => {
      const invited = await invite(here, { pinned: true })
      here.simulator.world.addIncident(invited.tenant.id)
      const browser = here.browser()
      const page = await walk(browser, invited)
      expect(new URL(page.url).pathname).toMatch(/^\/consent\/[0-9a-f-]{36}$/)
      expect(new URL(page.url).search).toBe('')
      expect(wordsOf(page)).toContain('Waiting for Microsoft')
      expect(wordsOf(page)).toContain('Your browser names the organisation this link is for')
      expect(await boundTo(here, invited)).toEqual([])
      await work(here)
      expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
      const done = await browser.open(page.url)
      expect(wordsOf(done)).toContain('Done. Access works')
      expect(wordsOf(done)).toContain(invited.tenant.id)
      expect((await browser.get(invited.join)).status).toBe(410)
    })

    test('leads a tenant swapped into the callback nowhere: neither customer changes', async () => {
      const bound = await invite(here, { pinned: true })
      await connect(here, here.browser(), bound)
      const other = await invite(here, { pinned: true })
      const browser = here.browser()
      const left = await leave(browser, other)
      const page = await browser.open(
        `/consent/callback?admin_consent=True&tenant=${bound.tenant.id}&state=${stateOf(left)}`,
      )
      expect(wordsOf(page)).toContain('That was another organisation')
      expect(page.text).not.toContain(bound.customer.name)
      expect(await boundTo(here, other)).toEqual([])
      expect(await ownerOf(here, bound.tenant.id)).toBe(bound.customer.id)
      const [event] = await listAudit(here.portal.db, {
        customerId: other.customer.id,
        actions: ['tenant.refused'],
        limit: 1,
      })
      expect(event?.facts).toEqual({ tenantId: bound.tenant.id, reason: 'wrong-tenant' })
    })

    test('sends an account of another organisation back with what to do, and the next try counts', async () => {
      const invited = await invite(here, { pinned: true })
      const stranger = await invite(here)
      const browser = here.browser()
      const left = await leave(browser, invited)
      const page = await browser.follow(await choose(browser, await browser.get(left.location ?? ''), stranger.admin))
      expect(wordsOf(page)).toContain('That was another organisation')
      expect(wordsOf(page)).toContain(`ends with ${invited.tenant.domains[1]}`)
      const again = await browser.submit(page, '/consent/')
      const done = await browser.follow(await answerAtMicrosoft(browser, again, invited.admin))
      expect(wordsOf(done)).toContain('We are checking with Microsoft')
      await work(here)
      expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
    })
  })

  describe('of a link without a pin', () => {
    test('binds the tenant that the same browser proves by a silent sign-in', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const page = await walk(browser, invited)
      expect(wordsOf(page)).toContain('Your sign-in shows the organisation')
      expect(await boundTo(here, invited)).toEqual([])
      const silent = here.simulator.requests.filter(({ url }) => url.includes('prompt=none')).at(-1)
      expect(silent?.path).toBe(`/${invited.tenant.id}/oauth2/v2.0/authorize`)
      expect(browser.cookieNames().filter((name) => name.includes('proof'))).toEqual([])
      await work(here)
      expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
      expect(wordsOf(await browser.open(page.url))).toContain(invited.admin.username)
    })

    test('asks visibly where Microsoft cannot sign in by itself', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const left = await leave(browser, invited)
      const back = await answerAtMicrosoft(browser, left, invited.admin)
      const silent = await browser.get(back.location ?? '')
      // Signed out in between, as when cookies of Microsoft are shut out of a redirect.
      const refused = new URL(silent.location ?? '')
      const state = refused.searchParams.get('state')
      expect(refused.searchParams.get('prompt')).toBe('none')
      const visible = await browser.get(
        `/consent/callback?error=login_required&error_description=AADSTS50058%3A+x&state=${state}`,
      )
      expect(new URL(visible.location ?? '').searchParams.get('prompt')).toBe('select_account')
      const page = await choose(browser, await browser.get(visible.location ?? ''), invited.admin)
      expect(wordsOf(page)).toContain('Your sign-in shows the organisation')
      await work(here)
      expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
    })

    test('leaves the claim to an operator when the sign-in is refused as well', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const back = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
      const refuse = (left: { location: string | null }) =>
        browser.get(
          `/consent/callback?error=access_denied&state=${new URL(left.location ?? '').searchParams.get('state')}`,
        )
      const page = await browser.follow(await refuse(await refuse(await browser.get(back.location ?? ''))))
      expect(wordsOf(page)).toContain('Now a person looks at it')
      expect(await boundTo(here, invited)).toEqual([])
      const [review] = await reviewsOf(invited.customer.id)
      expect(review).toMatchObject({
        kind: 'unpinned',
        evidence: 'callback',
        tenantId: invited.tenant.id,
        person: null,
      })
      await confirmReview(here.portal, alice, review?.id ?? '')
      expect(wordsOf(await browser.open(page.url))).toContain('Confirmed by Halvard Security AB')
    })

    test('proves nothing with an ID token of another tenant', async () => {
      const invited = await invite(here)
      const stranger = await invite(here)
      const browser = here.browser()
      const back = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
      const silent = await browser.get(back.location ?? '')
      // The code is a real one, for this app, this nonce and this verifier, but it names another tenant.
      const elsewhere = new URL(silent.location ?? '')
      elsewhere.pathname = `/${stranger.tenant.id}/oauth2/v2.0/authorize`
      elsewhere.searchParams.set('prompt', 'select_account')
      here.simulator.world.consent(stranger.tenant.id, here.portal.config.app.clientId)
      const page = await choose(browser, await browser.get(elsewhere.href), stranger.admin)
      expect(wordsOf(page)).toContain('Now a person looks at it')
      expect(await boundTo(here, invited)).toEqual([])
      expect(await ownerOf(here, stranger.tenant.id)).toBeNull()
    })

    test('refuses a tenant that another customer has, and tells nothing about that one', async () => {
      const bound = await invite(here, { name: 'Contoso Canary' })
      await connect(here, here.browser(), bound)
      const invited = await invite(here)
      const browser = here.browser()
      const page = await walk(browser, invited, bound.admin)
      expect(wordsOf(page)).toContain('This organisation is connected already')
      expect(page.text).not.toContain('Contoso Canary')
      expect(page.text).not.toContain(bound.tenant.id)
      expect(await ownerOf(here, bound.tenant.id)).toBe(bound.customer.id)
      expect(await boundTo(here, invited)).toEqual([])
    })

    test('leaves a tenant that another customer is expected to bring to an operator', async () => {
      const expecting = await invite(here, { pinned: true, name: 'Fabrikam Canary' })
      const invited = await invite(here)
      const page = await walk(here.browser(), invited, expecting.admin)
      expect(wordsOf(page)).toContain('Now a person looks at it')
      expect(page.text).not.toContain('Fabrikam Canary')
      expect(await ownerOf(here, expecting.tenant.id)).toBeNull()
      expect(await reviewsOf(invited.customer.id)).toMatchObject([
        { evidence: 'sign-in', tenantId: expecting.tenant.id },
      ])
    })

    test('answers a made-up claim on a tenant alike, whether that tenant is known here or not', async () => {
      const bound = await invite(here)
      await connect(here, here.browser(), bound)
      const unknown = await invite(here)
      const pages = []
      for (const claimed of [bound.tenant, unknown.tenant]) {
        const invited = await invite(here)
        const browser = here.browser()
        const left = await leave(browser, invited)
        const silent = await browser.get(
          `/consent/callback?admin_consent=True&tenant=${claimed.id}&state=${stateOf(left)}`,
        )
        const visible = await browser.get(`/consent/callback?error=login_required&state=${stateOf(silent)}`)
        const page = await browser.follow(
          await browser.get(`/consent/callback?error=access_denied&state=${stateOf(visible)}`),
        )
        expect(await boundTo(here, invited)).toEqual([])
        pages.push(
          wordsOf(page)
            .replace(invited.customer.name, '')
            .replace(/Reference \S+/, ''),
        )
      }
      expect(pages[0]).toBe(pages[1])
      expect(await ownerOf(here, bound.tenant.id)).toBe(bound.customer.id)
    })

    test('refuses the tenant of a customer who left, until an operator decides', async () => {
      const left = await invite(here)
      await connect(here, here.browser(), left)
      await offboardCustomer(here.portal.db, alice, left.customer.id, here.portal.now())
      const other = await invite(here)
      const page = await walk(here.browser(), other, left.admin)
      expect(wordsOf(page)).toContain('This organisation cannot use this link')
      expect(await boundTo(here, other)).toEqual([])
      expect(await ownerOf(here, left.tenant.id)).toBe(left.customer.id)
    })

    test('refuses the partner’s own tenant', async () => {
      const invited = await invite(here)
      const boss = here.simulator.world.addPerson(here.partner.id, {
        name: `Ines ${invited.customer.name}`,
        directoryRole: 'Global Administrator',
      })
      const page = await walk(here.browser(), invited, boss)
      expect(wordsOf(page)).toContain('That was an account of Halvard Security AB')
      expect(await ownerOf(here, here.partner.id)).toBeNull()
    })

    test('takes a guest’s word for nothing: an operator decides', async () => {
      const invited = await invite(here)
      const visitor = await invite(here)
      here.simulator.world.addGuest(invited.tenant.id, visitor.admin.id, { directoryRole: 'Global Administrator' })
      const browser = here.browser()
      const left = await leave(browser, invited)
      const silent = await browser.get(
        `/consent/callback?admin_consent=True&tenant=${invited.tenant.id}&state=${stateOf(left)}`,
      )
      here.simulator.world.consent(invited.tenant.id, here.portal.config.app.clientId)
      const visible = await browser.get(`/consent/callback?error=login_required&state=${stateOf(silent)}`)
      const page = await choose(browser, await browser.get(visible.location ?? ''), visitor.admin)
      expect(wordsOf(page)).toContain('Now a person looks at it')
      expect(await boundTo(here, invited)).toEqual([])
    })

    test('keeps two customers of one browser apart, finished in reverse order', async () => {
      const [first, second] = [await invite(here), await invite(here)]
      const browser = here.browser()
      const [leftFirst, leftSecond] = [await leave(browser, first), await leave(browser, second)]
      const backSecond = await answerAtMicrosoft(browser, leftSecond, second.admin)
      const silentSecond = await browser.get(backSecond.location ?? '')
      const backFirst = await answerAtMicrosoft(browser, leftFirst, first.admin)
      const silentFirst = await browser.get(backFirst.location ?? '')
      await browser.follow(await browser.get(silentFirst.location ?? ''))
      await browser.follow(await browser.get(silentSecond.location ?? ''))
      await work(here)
      expect(await boundTo(here, first)).toEqual([first.tenant.id])
      expect(await boundTo(here, second)).toEqual([second.tenant.id])
    })

    test('does not let one proof pass for the other in the same browser', async () => {
      const [first, second] = [await invite(here), await invite(here)]
      const browser = here.browser()
      const silent = []
      for (const invited of [first, second]) {
        const back = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
        silent.push(await browser.get(back.location ?? ''))
      }
      const [mine, other] = silent.map(({ location }) => new URL(location ?? ''))
      const back = new URL((await browser.get(mine?.href ?? '')).location ?? '')
      back.searchParams.set('state', other?.searchParams.get('state') ?? '')
      await browser.open(back.href)
      expect(await boundTo(here, second)).toEqual([])
      expect(await ownerOf(here, first.tenant.id)).toBeNull()
    })

    test('binds no second tenant through a link that is completed without a decision', async () => {
      const invited = await invite(here)
      const [browser, other] = [here.browser(), here.browser()]
      const stranger = await invite(here)
      const leftOther = await leave(other, invited)
      await connect(here, browser, invited)
      const page = await other.follow(await answerAtMicrosoft(other, leftOther, stranger.admin))
      expect(wordsOf(page)).toContain('Now a person looks at it')
      expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
    })

    test('keeps a claim whose browser never came back from the sign-in', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const back = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
      await browser.get(back.location ?? '')
      const [run] = await runsOf(here, invited)
      const page = await browser.open(`/consent/${run?.id}`)
      expect(wordsOf(page)).toContain('One step is missing')
      here.clock.advance(31 * 60_000)
      await keepAbandonedClaims(here.portal)
      expect(wordsOf(await browser.open(`/consent/${run?.id}`))).toContain('Now a person looks at it')
      expect((await reviewsOf(invited.customer.id)).map(({ evidence }) => evidence)).toEqual(['callback'])
    })
  })

  describe('of the classic link', () => {
    test('waits for an operator when nobody named the tenant up front', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const page = await browser.follow(
        await answerAtMicrosoft(
          browser,
          { ...(await browser.get('/sign-in')), location: invited.classicUrl },
          invited.admin,
          'accept',
          { organisation: '1' },
        ),
      )
      expect(wordsOf(page)).toContain('Now a person looks at it')
      expect(await boundTo(here, invited)).toEqual([])
      const [review] = await reviewsOf(invited.customer.id)
      expect(review).toMatchObject({ evidence: 'sign-in', tenantId: invited.tenant.id, person: invited.admin.username })
      await dismissReview(here.portal, alice, review?.id ?? '')
      expect(wordsOf(await browser.open(page.url))).toContain('This link is not for that organisation')
    })

    test('binds the pinned tenant once its sign-in says so', async () => {
      const invited = await invite(here, { pinned: true })
      const browser = here.browser()
      const page = await browser.follow(
        await answerAtMicrosoft(
          browser,
          { ...(await browser.get('/sign-in')), location: invited.classicUrl },
          invited.admin,
          'accept',
          { organisation: '1' },
        ),
      )
      expect(wordsOf(page)).toContain('We are checking with Microsoft')
      await work(here)
      expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
      expect(wordsOf(await browser.open(page.url))).toContain('Done. Access works')
    })

    test('stops at another tenant than the pinned one, and says which it was', async () => {
      const invited = await invite(here, { pinned: true })
      const stranger = await invite(here)
      const browser = here.browser()
      const page = await browser.follow(
        await answerAtMicrosoft(
          browser,
          { ...(await browser.get('/sign-in')), location: invited.classicUrl },
          stranger.admin,
          'accept',
          { organisation: '1' },
        ),
      )
      expect(wordsOf(page)).toContain('That was another organisation')
      expect(wordsOf(page)).toContain(stranger.tenant.id)
      expect(wordsOf(page)).toContain('Tidy up')
      expect(await boundTo(here, invited)).toEqual([])
      expect(await ownerOf(here, stranger.tenant.id)).toBeNull()
    })

    test('lets who declined try again, still by its own rules', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const start = { ...(await browser.get('/sign-in')), location: invited.classicUrl }
      const declined = await browser.follow(await answerAtMicrosoft(browser, start, invited.admin, 'cancel'))
      expect(wordsOf(declined)).toContain('You declined. Nothing has changed')
      const again = await browser.submit(declined, '/consent/')
      const page = await browser.follow(await answerAtMicrosoft(browser, again, invited.admin))
      expect(wordsOf(page)).toContain('Now a person looks at it')
      expect(await boundTo(here, invited)).toEqual([])
    })

    test('redeems no code that comes with it', async () => {
      const invited = await invite(here)
      const before = asked(here).length
      const state = new URL(invited.classicUrl).searchParams.get('state')
      const page = await here.browser().get(`/consent/callback?code=stolen&state=${state}`)
      expect(page.status).toBe(303)
      expect(asked(here)).toHaveLength(before)
    })
  })

  describe('ends openly for the browser that made it', () => {
    test('when its administrator declines', async () => {
      const invited = await invite(here, { pinned: true })
      const browser = here.browser()
      const page = await browser.follow(
        await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin, 'cancel'),
      )
      expect(wordsOf(page)).toContain('You declined. Nothing has changed')
      expect(page.text).toContain(`href="${invited.join}"`)
      expect(page.text).toContain(`${here.portal.config.publicUrl}${invited.join}`)
      expect((await browser.get(invited.join)).status).toBe(200)
    })

    test('when Microsoft’s Back button is pressed before any account', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const accounts = await browser.get((await leave(browser, invited)).location ?? '')
      const page = await browser.follow(await browser.submit(accounts, '/', { cancel: '1' }))
      expect(wordsOf(page)).toContain('You declined. Nothing has changed')
    })

    test('when the tenant has no Defender', async () => {
      const invited = await invite(here, { pinned: true, licensed: false })
      const browser = here.browser()
      const left = await leave(browser, invited)
      const page = await browser.follow(await choose(browser, await browser.get(left.location ?? ''), invited.admin))
      expect(wordsOf(page)).toContain('Your organisation has no Microsoft Defender XDR')
      expect((await runsOf(here, invited))[0]).toMatchObject({ outcome: 'unlicensed', aadsts: 650052 })
    })

    test.each([
      ['AADSTS90094', 'access_denied', 'Your account cannot give this consent'],
      ['AADSTS650053', 'invalid_client', 'Halvard Security AB has to mend something'],
      ['AADSTS1234567', 'strange_error', 'Microsoft did not go along'],
      ['AADSTS500200', 'access_denied', 'That was a personal account Nothing was changed'],
      ['AADSTS500208', 'invalid_request', 'That was a personal account Nothing was changed'],
      ['AADSTS53003', 'access_denied', 'A Conditional Access policy stopped the sign-in'],
      ['AADSTS7000112', 'unauthorized_client', 'The app is switched off in this organisation'],
      ['AADSTS500021', 'access_denied', 'Your network does not let you sign in to this organisation'],
      ['AADSTS50105', 'access_denied', 'Your account is not assigned to this app'],
      ['AADSTS500014', 'invalid_resource', 'A Microsoft service that this needs is switched off'],
      ['AADSTS650051', 'invalid_client', 'Microsoft is still setting up the app'],
      ['AADSTS90033', 'temporarily_unavailable', 'Microsoft has trouble signing people in right now'],
      ['AADSTS5000224', 'invalid_request', 'Microsoft has made this organisation unavailable'],
    ])('when Microsoft says %s', async (number, error, title) => {
      const invited = await invite(here)
      const browser = here.browser()
      const state = stateOf(await leave(browser, invited))
      const page = await browser.open(
        `/consent/callback?error=${error}&error_description=${number}%3A+%3Cscript%3Ex&admin_consent=True&state=${state}`,
      )
      expect(wordsOf(page)).toContain(title)
      expect(wordsOf(page)).toMatch(/Try again/)
      expect(page.text).not.toContain('<script>x')
    })

    test.each([
      ['en', 'That was a personal account', 'Use your work account.'],
      ['sv', 'Det var ett personligt konto', 'Använd ditt arbetskonto.'],
      ['zh-Hant', '您使用的是個人帳戶', '請改用公司帳戶。'],
    ])('when a personal account was used, in %s', async (language, title, next) => {
      const invited = await invite(here, { language })
      const browser = here.browser()
      here.simulator.world.setWeather('*', 'refusal', { code: 500200, surface: 'login', count: 1 })
      const page = await browser.follow(await leave(browser, invited))
      expect(wordsOf(page)).toContain(title)
      expect(wordsOf(page)).toContain(next)
      expect(page.text).toContain(`/attempts"`)
      expect((await runsOf(here, invited))[0]).toMatchObject({ outcome: 'refused', aadsts: 500200 })
      // The way stays open for whoever comes with the right account.
      await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
    })

    test('when the sign-in that follows a consent is refused by a policy', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const start = { ...(await browser.get('/sign-in')), location: invited.classicUrl }
      const back = await answerAtMicrosoft(browser, start, invited.admin, 'accept', { organisation: '1' })
      here.simulator.world.setWeather('*', 'refusal', { code: 53003, surface: 'login', count: 2 })
      const page = await browser.follow(back)
      expect(wordsOf(page)).toContain('A Conditional Access policy stopped the sign-in')
      expect(wordsOf(page)).toContain('AADSTS53003')
      expect((await runsOf(here, invited))[0]).toMatchObject({ outcome: 'sign-in-failed', aadsts: 53003 })
    })

    test('when the link was withdrawn while it was at Microsoft', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const left = await leave(browser, invited)
      await write(here.portal.db, (tx) => withdrawLink(tx, alice, invited.linkId, here.portal.now()))
      const page = await browser.follow(await answerAtMicrosoft(browser, left, invited.admin))
      expect(wordsOf(page)).toContain('The link was withdrawn meanwhile')
      expect(await boundTo(here, invited)).toEqual([])
      expect(await reviewsOf(invited.customer.id)).toHaveLength(1)
    })

    test.each([
      [
        'the link was withdrawn',
        (i: Awaited<ReturnType<typeof invite>>) =>
          write(here.portal.db, (tx) => withdrawLink(tx, alice, i.linkId, here.portal.now())),
      ],
      [
        'the service ended',
        (i: Awaited<ReturnType<typeof invite>>) =>
          offboardCustomer(here.portal.db, alice, i.customer.id, here.portal.now()),
      ],
    ])('when %s while it proved its organisation', async (_what, end) => {
      const invited = await invite(here)
      const browser = here.browser()
      const back = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
      const silent = await browser.get(back.location ?? '')
      await end(invited)
      const page = await browser.follow(silent)
      expect(wordsOf(page)).toContain('The link was withdrawn meanwhile')
      expect(await boundTo(here, invited)).toEqual([])
      expect((await reviewsOf(invited.customer.id)).map(({ evidence }) => evidence)).toEqual(['sign-in'])
    })

    test('when it came back too late: kept for an operator', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const back = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
      here.clock.advance(61 * 60_000)
      const page = await browser.follow(back)
      expect(wordsOf(page)).toContain('Now a person looks at it')
      expect(await boundTo(here, invited)).toEqual([])
      expect(await reviewsOf(invited.customer.id)).toMatchObject([{ kind: 'unclaimed', evidence: 'callback' }])
    })

    test.each([
      ['disabled', (id: string, app: string) => here.simulator.world.disableApp(id, app), 'The app is switched off'],
      ['blocked', (id: string) => here.simulator.world.blockByPolicy(id), 'A Conditional Access policy keeps us out'],
      ['deleted', (id: string) => here.simulator.world.deleteTenant(id), 'Microsoft does not know this organisation'],
    ])('when its tenant is %s afterwards', async (_state, change, title) => {
      const invited = await invite(here, { pinned: true })
      const browser = here.browser()
      const page = await walk(browser, invited)
      change(invited.tenant.id, here.portal.config.app.clientId)
      await work(here)
      expect(wordsOf(await browser.open(page.url))).toContain(title)
    })

    test('with the partner’s own fault named as the partner’s', async () => {
      const invited = await invite(here, { pinned: true })
      const browser = here.browser()
      const page = await walk(browser, invited)
      here.simulator.world.expireSecrets(here.portal.config.app.clientId)
      await work(here)
      expect(wordsOf(await browser.open(page.url))).toContain('Halvard Security AB has to mend something first')
      here.simulator.world.renewSecrets(here.portal.config.app.clientId)
      here.clock.advance(2 * 60_000)
      await work(here)
    })

    test('and a non-administrator is left at Microsoft’s page, from which ours says what to do', async () => {
      const invited = await invite(here, { pinned: true })
      const browser = here.browser()
      const left = await leave(browser, invited)
      const stuck = await choose(browser, await browser.get(left.location ?? ''), invited.clerk)
      expect(stuck.url).not.toContain('/consent/callback')
      expect(wordsOf(await browser.open(invited.join))).toContain('Need admin approval')
      const help = await browser.open(`${invited.join}/not-admin`)
      expect(wordsOf(help)).toContain('When your administrator approves, we notice by ourselves.')
      expect(help.text).toContain(`${here.portal.config.publicUrl}${invited.join}`)
    })
  })
})
