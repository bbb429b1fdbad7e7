import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import { lookAtPermissions } from '../../server/partner/asked-permissions.ts'
import { listAudit } from '../../server/store/audit.ts'
import { createCustomer, getCustomer, listCustomers } from '../../server/store/customers/customers.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { write } from '../../server/store/engine/write.ts'
import { linksOf } from '../../server/store/onboarding/link-list.ts'
import { linkState } from '../../server/store/onboarding/links.ts'
import { openReviews } from '../../server/store/onboarding/reviews.ts'
import { findTenant, tenantsOf } from '../../server/store/tenants/tenants.ts'
import {
  before,
  connected,
  consentedTenant,
  customerNamed,
  formToken,
  untilNothingIsDue,
  waitingReview,
  wholeDatabase,
} from '../support/admin.ts'
import type { Browser, Page } from '../support/browser.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const joinAddress = /http:\/\/[^"\s<]*\/join\/([\w-]{43})/
const rowsOf = (page: Page) => [...page.text.matchAll(/<tr role="row" data-row id="c-([^"]+)"/g)].map(([, id]) => id)
const mainOf = (page: Page) => /<main[\s\S]*<\/main>/.exec(page.text)?.[0] ?? ''

onEachEngine('the customers', (engine) => {
  let here: TestPortal
  let alice: Browser
  let bob: Browser
  const typedForm = { name: 'Calder', expected: '', contactName: '', contactEmail: '', groups: '', notes: '' }
  const newForm = (fields: Record<string, string>) => ({ ...typedForm, language: 'sv', days: '14', ...fields })
  const add = async (fields: Record<string, string>, browser = alice) =>
    browser.submit(await browser.open('/customers/new'), '/customers', newForm(fields))

  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
    bob = await here.signedIn(here.cast.bob)
  })
  afterAll(() => here.close())

  test('are none at first, and the list says why and what next', async () => {
    const page = await alice.open('/customers')
    expect(page.text).toContain('No customers yet')
    expect(page.text).toContain('href="/customers/new"')
    expect((await bob.open('/customers')).text).not.toContain('/customers/new')
  })

  test('come trouble first, and a failing tenant never leaves the list', async () => {
    const fine = await connected(here, 'Aaa Fine')
    const revoked = await connected(here, 'Zzz Revoked')
    const waiting = await customerNamed(here, 'Mmm Waiting', { groups: ['Nordics'], expectedDomain: 'mmm.example' })
    await issueConsentLink(here.portal, before, { customerId: waiting.id, days: 3 })
    here.simulator.world.revoke(revoked.tenant.id, here.portal.config.app.clientId)
    here.clock.advance(7 * 3_600_000)
    await untilNothingIsDue(here)
    alice = await here.signedIn(here.cast.alice)
    bob = await here.signedIn(here.cast.bob)

    expect(rowsOf(await alice.open('/customers'))).toEqual([revoked.customer.id, waiting.id, fine.customer.id])
    const byName = await alice.open('/customers?order=name')
    expect(rowsOf(byName)).toEqual([fine.customer.id, waiting.id, revoked.customer.id])
    expect(rowsOf(await alice.open('/customers?state=revoked'))).toEqual([revoked.customer.id])
    expect(rowsOf(await alice.open('/customers?state=waiting'))).toEqual([waiting.id])
    expect(rowsOf(await alice.open('/customers?show=trouble'))).toEqual([revoked.customer.id])
    expect(rowsOf(await alice.open('/customers?show=on-the-way'))).toEqual([waiting.id])
    expect(rowsOf(await alice.open('/customers?show=connected'))).toEqual([fine.customer.id])
    expect(rowsOf(await alice.open('/customers?show=ended'))).toEqual([])
    expect(rowsOf(await alice.open('/customers?show=trouble&state=waiting'))).toEqual([waiting.id])
    expect(rowsOf(await alice.open('/customers?group=Nordics'))).toEqual([waiting.id])
    expect(rowsOf(await alice.open(`/customers?q=${fine.tenant.id.toUpperCase()}`))).toEqual([fine.customer.id])
    expect(rowsOf(await alice.open('/customers?q=MMM.example'))).toEqual([waiting.id])
  })

  test('stand in four groups whatever their states are, and the single states are a choice within', async () => {
    const page = await alice.open('/customers')
    const tabs = /<nav class="views"[\s\S]*?<\/nav>/.exec(page.text)?.[0] ?? ''
    const told = [...tabs.matchAll(/>\s*([^<]+?) <span class="count">(\d+)</g)].map(([, name, n]) => [name, Number(n)])
    expect(told).toEqual([
      ['All', 3],
      ['Trouble', 1],
      ['On the way', 1],
      ['Connected', 1],
      ['Ended', 0],
    ])
    const optionsOf = ({ text }: Page) =>
      [
        ...(/name="state">[\s\S]*?<\/select>/.exec(text)?.[0] ?? '').matchAll(/<option value="([^"]*)"( selected)?>/g),
      ].map(([, name, selected]) => `${name}${selected ?? ''}`)
    expect(optionsOf(page)).toEqual(['', 'revoked', 'waiting', 'active'])
    expect(optionsOf(await alice.open('/customers?show=on-the-way'))).toEqual(['', 'waiting'])
    const empty = await alice.open('/customers?state=blind')
    expect(optionsOf(empty)).toEqual(['', 'revoked', 'blind selected'])
    expect(empty.text).toMatch(/aria-current="page">\s*Trouble/)
  })

  test('that no filter finds are not hidden: the list says how many there are', async () => {
    const page = await alice.open('/customers?q=nobody%20at%20all')
    expect(rowsOf(page)).toEqual([])
    expect(page.text).toMatch(/No customer matches/)
    expect(page.text).toMatch(/\d+ customers are here without these filters/)
  })

  test.each([
    'state=nonsense',
    'show=nonsense',
    'show=trouble&show=ended',
    'state=active&state=blind',
    'page=-1',
    'page=1e9',
    'order=%00',
    'q=%00',
    'group=%00',
    'q=%3Cscript%3E',
  ])('are listed whatever stands in the address: %s', async (query) => {
    const page = await alice.open(`/customers?${query}`)
    expect(page.status).toBe(200)
    expect(page.text).not.toContain('<script>')
  })

  test('are shown fifty at a time, also when there are a thousand', async () => {
    const names = Array.from({ length: 1_000 }, (_, i) => `Many ${String(i).padStart(4, '0')}`)
    await write(here.portal.db, async (tx) => {
      for (const name of names) {
        const plain = { language: 'en', contactName: null, contactEmail: null, notes: null, groups: ['Many'] }
        const nobody = { expectedTenantId: null, expectedDomain: null }
        await createCustomer(tx, before, { ...plain, ...nobody, name }, here.portal.now())
      }
    })
    await alice.open('/customers?group=Many')
    const page = await alice.open('/customers?group=Many&page=20')
    expect(rowsOf(page)).toHaveLength(50)
    expect(page.text).toContain('951–1000 of 1000')
    expect(page.text).toContain('Many 0999')
    expect(rowsOf(await alice.open('/customers?group=Many&page=21'))).toEqual(rowsOf(page))
  })

  test('are added with a link whose address is shown once, and kept nowhere', async () => {
    const saved = await add({ name: 'Once AB', contactEmail: 'it@once.example', link: 'issue' })
    expect(saved.status).toBe(303)
    const shown = await alice.follow(saved)
    const token = joinAddress.exec(shown.text)?.[1] ?? ''
    expect(token).toHaveLength(43)
    expect(shown.text).toContain('This is the only time it is shown')
    expect(shown.text).toMatch(/oauth2\/authorize\?[^"]*prompt=consent/)
    for (const language of ['sv', 'en', 'zh-Hant']) expect(shown.text).toContain(`id="mail-text-${language}"`)
    expect(shown.text.indexOf('mail-text-sv')).toBeLessThan(shown.text.indexOf('mail-text-en'))
    expect(shown.text).toContain('mailto:it%40once.example?subject=')
    expect((await here.browser().open(`/join/${token}`)).status).toBe(200)

    const again = await alice.open(shown.url)
    expect(again.status).toBe(200)
    expect(again.text).not.toContain(token)
    expect(again.text).not.toContain('/join/')
    const state = /[?&]state=([\w-]{43})/.exec(shown.text.replaceAll('&amp;', '&'))?.[1] ?? ''
    expect(state).toHaveLength(43)
    for (const secret of [token, state]) {
      expect(await wholeDatabase(here)).not.toContain(secret)
      expect(JSON.stringify(here.lines)).not.toContain(secret)
    }
  })

  test('keep a new address through what the page asks for by itself, and show it to nobody else', async () => {
    const saved = await add({ name: 'Patient AB', link: 'issue' })
    const address = new URL(saved.location ?? '').pathname
    const other = await customerNamed(here, 'Other page')
    const cookie = alice.cookie('muster-link') ?? ''
    expect(cookie).not.toBe('')
    expect(joinAddress.test((await alice.get(address, { 'X-Muster-Live': '1' })).text)).toBe(false)
    expect(joinAddress.test((await alice.open(`/customers/${other.id}`)).text)).toBe(false)
    const second = await here.signedIn(here.cast.bob)
    second.setCookie('muster-link', cookie)
    expect(joinAddress.test((await second.open(address)).text)).toBe(false)
    expect(joinAddress.test((await alice.open(address)).text)).toBe(true)
    expect(alice.cookie('muster-link')).toBeUndefined()
  })

  test('lose the address of a link that was replaced before it was looked at', async () => {
    const saved = await add({ name: 'Replaced AB', link: 'issue' })
    const id = saved.location?.split('/').at(-1) ?? ''
    await issueConsentLink(here.portal, before, { customerId: id, days: 1 })
    expect(joinAddress.test((await alice.follow(saved)).text)).toBe(false)
  })

  test('are added without a link, and nothing is sent', async () => {
    const saved = await add({ name: 'Later AB', groups: 'Nordics, energy，Nordics', link: 'none' })
    const page = await alice.follow(saved)
    expect(page.text).toContain('Nobody has been asked yet')
    const customer = await getCustomer(here.portal.db, page.url.split('/').at(-1) ?? '')
    expect(customer.groups).toEqual(['energy', 'Nordics'])
    expect(await linksOf(here.portal.db, customer.id)).toEqual([])
  })

  test('are told everything that is to be mended at once, and nothing typed is lost', async () => {
    const count = (await listCustomers(here.portal.db)).length
    const page = await add({
      name: 'Norrsken',
      expected: 'norrsken.exampel',
      days: '120',
      contactEmail: 'x y',
      notes: 'kept',
    })
    expect(page.status).toBe(422)
    expect(page.text).toContain('3 things to mend')
    for (const field of ['expected', 'days', 'contactEmail']) {
      expect(page.text).toContain(`href="#${field}"`)
      expect(page.text).toContain(`id="${field}-fault"`)
    }
    for (const typed of ['Norrsken', 'norrsken.exampel', '120', 'x y']) expect(page.text).toContain(`value="${typed}"`)
    expect(page.text).toContain('>kept</textarea>')
    expect(await listCustomers(here.portal.db)).toHaveLength(count)
  })

  test.each(['', '0', '91', '-1', '1.5', '14 days', 'NaN', '999999999999'])(
    'need days that a link can have: %j',
    async (days) => {
      expect((await add({ name: 'Days', days, link: 'issue' })).status).toBe(422)
    },
  )

  test('are pinned to the tenant behind a domain or an ID', async () => {
    const tenant = consentedTenant(here, 'Elnät', { domains: ['elnat.onmicrosoft.com', 'elnat.example'] })
    for (const [expected, domain] of [
      ['ELNAT.example ', 'elnat.example'],
      [tenant.id.toUpperCase(), null],
      ['mailto:it@elnat.example', 'elnat.example'],
      ['Kim Lund <kim@elnat.example>', 'elnat.example'],
      ['https://www.elnat.example/about', 'elnat.example'],
      [`{${tenant.id}}`, null],
      [`https://portal.azure.com/#@elnat.onmicrosoft.com/resource`, 'elnat.onmicrosoft.com'],
      [`https://login.microsoftonline.com/${tenant.id}/oauth2/v2.0/authorize`, null],
    ] as const) {
      const page = await alice.follow(await add({ name: `Pinned by ${expected}`, expected }))
      const customer = await getCustomer(here.portal.db, page.url.split('/').at(-1) ?? '')
      expect(customer).toMatchObject({ expectedTenantId: tenant.id, expectedDomain: domain })
    }
  })

  test('are pinned to the host that was looked up, and pages show that one, in ASCII and by its letters', async () => {
    consentedTenant(here, 'Evil', { domains: ['evil.onmicrosoft.com', 'evil.example', 'xn--cntoso-wqf.example'] })
    for (const [name, expected, shown, hidden] of [
      ['A mail address', 'contoso.example@evil.example', 'evil.example', 'contoso.example@'],
      ['A path', 'evil.example/contoso.example', 'evil.example', '/contoso.example'],
      ['A letter', 'cоntoso.example', 'xn--cntoso-wqf.example (cоntoso.example)', null],
    ] as const) {
      const issued = await alice.follow(await add({ name, expected, link: 'issue' }))
      const join = joinAddress.exec(issued.text)?.[1] ?? ''
      for (const page of [issued, await here.browser().open(`/join/${join}`)]) {
        expect(page.text).toContain(shown)
        if (hidden !== null) expect(page.text).not.toContain(hidden)
      }
    }
  })

  test('are told when saved of a tenant that is another’s: connected, kept after an offboarding, or waited for', async () => {
    const owner = await connected(here, 'Owner of one')
    const waits = consentedTenant(here, 'Waited for')
    const waiting = await customerNamed(here, 'Waits for one', { expectedTenantId: waits.id })
    const former = await connected(here, 'Former owner')
    await offboardCustomer(here.portal.db, before, former.customer.id, here.portal.now())
    const cases = [
      [owner.tenant.id, owner.customer, 'The tenant expected here is connected to Owner of one'],
      [waits.id, waiting, 'The tenant expected here is expected of Waits for one as well'],
      [former.tenant.id, former.customer, 'The tenant expected here was Former owner’s, which is offboarded'],
    ] as const
    const changed = await customerNamed(here, 'Second')
    for (const [expected, customer, words] of cases) {
      const form = await alice.open(`/customers/${changed.id}/edit`)
      const change = { ...typedForm, language: 'sv', name: 'Second', expected }
      const pages = [
        await alice.follow(await alice.submit(form, `/customers/${changed.id}`, change)),
        await alice.follow(await add({ name: `Expecting ${customer.name}`, expected, link: 'issue' })),
      ]
      for (const page of pages) {
        expect(page.status).toBe(200)
        expect(page.text).toContain(words)
        expect(page.text).toContain(`href="/customers/${customer.id}"`)
        const reader = await bob.open(page.url)
        expect(reader.text).toMatch(/The tenant expected here (is|was) [^<]*another customer/)
        // A tenant that two wait for is told on both pages; the next case begins without this one.
        const [, id = ''] = /\/customers\/([^/?#]+)/.exec(page.url) ?? []
        await here.portal.db.updateTable('customers').set({ expected_tenant_id: null }).where('id', '=', id).execute()
        expect((await alice.open(page.url)).text).not.toContain('The tenant expected here')
      }
    }
  })

  test('keep a tenant of their own through any change, and one that was saved before this was looked at', async () => {
    const { customer, tenant } = await connected(here, 'Own tenant')
    const twin = await customerNamed(here, 'Twin', { expectedTenantId: tenant.id })
    for (const { id, name } of [customer, twin]) {
      const page = await alice.open(`/customers/${id}/edit`)
      const fields = { ...typedForm, language: 'sv', name, expected: tenant.id, notes: 'Called' }
      expect((await alice.submit(page, `/customers/${id}`, fields)).status).toBe(303)
      expect((await getCustomer(here.portal.db, id)).notes).toBe('Called')
    }
    const told = await alice.open(`/customers/${twin.id}`)
    expect(told.text).toContain('The tenant expected here is connected to Own tenant')
    const reader = await bob.open(`/customers/${twin.id}`)
    expect(reader.text).toContain('The tenant expected here is connected to another customer')
    expect(reader.text).not.toContain('Own tenant')
  })

  test('are not saved with the partner’s own tenant, unless as a trial', async () => {
    const page = await add({ name: 'Mistaken', expected: here.partner.id })
    expect(page.status).toBe(422)
    expect(page.text).toContain('This is your own tenant, not a customer’s')
    expect(page.text).toContain('name="ownTenant"')
    expect((await listCustomers(here.portal.db)).map(({ name }) => name)).not.toContain('Mistaken')
    const saved = await add({ name: 'Trial', expected: here.partner.id, ownTenant: 'yes' })
    expect(saved.status).toBe(303)
  })

  test('are asked about when the name exists, however it is written, and saved after a tick', async () => {
    const first = await customerNamed(here, 'Lindgren & Söner AB')
    for (const name of ['Lindgren & Söner AB', ' lindgren  & SÖNER ab ', 'Lindgren & So\u0308ner AB']) {
      const page = await add({ name })
      expect([name, page.status]).toEqual([name, 422])
      expect(page.text).toContain('Lindgren &amp; Söner AB is here already')
      expect(page.text).toContain(`href="/customers/${first.id}"`)
      expect(page.text).toContain('name="sameName"')
    }
    const saved = await add({ name: 'Lindgren & Söner AB', sameName: 'yes' })
    expect(saved.status).toBe(303)
    const second = (await alice.follow(saved)).url.split('/').at(-1) ?? ''
    const page = await alice.open(`/customers/${second}/edit`)
    const same = { ...typedForm, language: 'sv', name: 'Lindgren & Söner AB' }
    expect((await alice.submit(page, `/customers/${second}`, same)).status).toBe(303)
    const third = await customerNamed(here, 'Another')
    const renamed = await alice.submit(await alice.open(`/customers/${third.id}/edit`), `/customers/${third.id}`, same)
    expect(renamed.status).toBe(422)
    expect((await getCustomer(here.portal.db, third.id)).name).toBe('Another')
  })

  test('are told at once of everything to mend, in the order of the form', async () => {
    const page = await add({ name: 'another', expected: here.partner.id, contactEmail: 'x', days: '0' })
    const faults = [...page.text.matchAll(/<a href="#(\w+)">/g)].map(([, field]) => field)
    expect(faults).toEqual(['name', 'expected', 'contactEmail', 'days'])
    expect(page.text).toContain('4 things to mend')
  })

  test('are not saved on a guess while Microsoft is away', async () => {
    const weather = here.simulator.world.setWeather('*', 'outage', {
      surface: 'discovery',
      status: 503,
      retryAfter: null,
    })
    const page = await add({ name: 'Cloudy', expected: `cloudy-${engine.toLowerCase()}.example` })
    expect(page.status).toBe(422)
    expect(page.text).toContain('Microsoft does not answer right now')
    expect(page.text).toContain('value="Cloudy"')
    here.simulator.world.clearWeather()
    expect(weather).toBeDefined()
  })

  test.each([
    ['a\r\nX: 1', 'a X: 1'],
    ['\u202egnp.exe', 'gnp.exe'],
    ['nul\0byte', 'nul byte'],
    ['👩‍🚒 Räddningstjänsten', '👩‍🚒 Räddningstjänsten'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['晶瀚精密光學股份有限公司', '晶瀚精密光學股份有限公司'],
  ])('are called what was typed, made one line: %j', async (typed, kept) => {
    const saved = await add({ name: typed })
    expect(saved.status).toBe(303)
    expect(Object.keys(saved.headers)).not.toContain('x')
    const page = await alice.follow(saved)
    const customer = await getCustomer(here.portal.db, page.url.split('/').at(-1) ?? '')
    expect(customer.name).toBe(kept)
    expect(page.text).not.toContain('<script>alert')
    if (/\p{Script=Han}/u.test(kept)) expect(page.text).toContain(`<span lang="zh-Hant">${kept}</span>`)
  })

  test('are not called by ten kilobytes, and keep what was typed to be shortened', async () => {
    const page = await add({ name: 'x'.repeat(10_000) })
    expect(page.status).toBe(422)
    expect(page.text).toContain('At most 200 characters')
    expect(page.text).toContain('x'.repeat(10_000))
  })

  test.each(['id', 'offboardedAt', 'createdAt', 'role', 'constructor', 'customerId', 'expectedTenantId'])(
    'take no field that the form does not offer: %s',
    async (field) => {
      const count = (await listCustomers(here.portal.db)).length
      const page = await add({ name: 'Mass', [field]: 'x' })
      expect(page.status).toBe(400)
      expect(await listCustomers(here.portal.db)).toHaveLength(count)
    },
  )

  test('are changed, with a witness of what', async () => {
    const customer = await customerNamed(here, 'Before')
    const page = await alice.open(`/customers/${customer.id}/edit`)
    const saved = await alice.submit(page, `/customers/${customer.id}`, { ...typedForm, language: 'en', name: 'After' })
    expect(saved.status).toBe(303)
    expect((await alice.follow(saved)).text).toContain('>After<')
    const [event] = await listAudit(here.portal.db, { customerId: customer.id, limit: 1 })
    expect(event).toMatchObject({
      action: 'customer.changed',
      actorName: 'Alice Admin',
      facts: { names: 'name, language' },
    })
    expect(event?.requestId).not.toBeNull()
  })

  test('keep their expected tenant through a change while Microsoft is away', async () => {
    const tenant = consentedTenant(here, 'Steady')
    const customer = await customerNamed(here, 'Steady', {
      expectedTenantId: tenant.id,
      expectedDomain: 'steady.example',
    })
    here.simulator.world.setWeather('*', 'outage', { surface: 'discovery', retryAfter: null })
    const page = await alice.open(`/customers/${customer.id}/edit`)
    const fields = { ...typedForm, name: 'Steady on', expected: 'Steady.example', language: 'sv' }
    expect((await alice.submit(page, `/customers/${customer.id}`, fields)).status).toBe(303)
    here.simulator.world.clearWeather()
    expect(await getCustomer(here.portal.db, customer.id)).toMatchObject({
      name: 'Steady on',
      expectedTenantId: tenant.id,
    })
  })

  test.each([
    '/customers/nobody',
    '/customers/nobody/edit',
    '/customers/nobody/offboarding',
    '/customers/%00',
    `/customers/${'x'.repeat(300)}`,
  ])('that do not exist have no page: %s', async (address) => {
    expect((await alice.open(address)).status).toBe(404)
  })
})

onEachEngine('a consent link', (engine) => {
  let here: TestPortal
  let alice: Browser
  let carol: Browser
  let bob: Browser
  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
    carol = await here.signedIn(here.cast.carol)
    bob = await here.signedIn(here.cast.bob)
  })
  afterAll(() => here.close())

  const issued = async (name: string) => {
    const customer = await customerNamed(here, name)
    const { link, url } = await issueConsentLink(here.portal, before, { customerId: customer.id, days: 14 })
    return { customer, link, url, page: `/customers/${customer.id}` }
  }
  const stateOf = async (customerId: string) =>
    (await linksOf(here.portal.db, customerId)).map((link) => linkState(link, here.portal.now()))

  test('is issued anew, and the one before opens nothing any more', async () => {
    const { customer, url, page } = await issued('Again')
    const shown = await alice.follow(await alice.submit(await alice.open(page), `${page}/links`, { days: '30' }))
    const token = joinAddress.exec(shown.text)?.[1] ?? ''
    expect(await stateOf(customer.id)).toEqual(['issued', 'withdrawn'])
    expect((await here.browser().open(`/join/${token}`)).status).toBe(200)
    expect((await here.browser().open(new URL(url).pathname)).status).toBe(410)
  })

  test.each(['0', '91', 'x', ''])('is not issued for %j days, and the page says so beside the field', async (days) => {
    const { customer, page } = await issued(`Days ${days}`)
    const answer = await alice.submit(await alice.open(page), `${page}/links`, { days })
    expect(answer.status).toBe(422)
    expect(answer.text).toContain('id="days-fault"')
    // What renews itself would ask at the form's address, where there is no page.
    expect(mainOf(answer)).not.toContain('data-live')
    expect(await stateOf(customer.id)).toEqual(['issued'])
  })

  test('is withdrawn once, however often and by whomever it is asked', async () => {
    const { customer, link, page } = await issued('Twice')
    const open = await alice.open(page)
    const both = await Promise.all([1, 2].map(() => alice.submit(open, `/links/${link.id}/withdrawal`)))
    expect(both.map(({ status }) => status)).toEqual([303, 303])
    expect((await alice.follow(both[0] as Page)).text).toContain('Link withdrawn')
    expect(await stateOf(customer.id)).toEqual(['withdrawn'])
    const events = await listAudit(here.portal.db, { customerId: customer.id, actions: ['link.withdrawn'], limit: 9 })
    expect(events).toHaveLength(1)
  })

  test('that does not exist cannot be withdrawn', async () => {
    const { page } = await issued('Nowhere')
    const token = formToken(await alice.open(page))
    expect((await alice.post('/links/nowhere/withdrawal', { _csrf: token })).status).toBe(404)
  })

  test('is seen by readers and analysts as a state, never as an address or a button', async () => {
    const { link, page } = await issued('Seen')
    for (const browser of [bob, carol]) {
      const { text } = await browser.open(page)
      expect(text).toContain('Open for use')
      expect(text).not.toContain('/join/')
      expect(text).not.toContain(`/links/${link.id}`)
      expect(text).not.toContain(`${page}/links`)
    }
  })

  test('shows its steps with their times, and turns active by itself', async () => {
    const { customer, link, page } = await issued('Lively')
    expect((await alice.open(page)).text).toMatch(/id="step-opened" aria-current="step"/)
    const tenant = consentedTenant(here, 'Lively')
    await waitingReview(here, customer.id, tenant.id)
    const waiting = await alice.open(page)
    expect(waiting.text).toContain('Needs your decision')
    expect(waiting.text).toMatch(/id="customer" data-live/)
    await alice.submit(waiting, '/reviews/', await tick(here, customer.id))
    await untilNothingIsDue(here)
    const live = await alice.get(page, { 'X-Muster-Live': '1' })
    expect(live.text).toContain('Connected')
    expect(live.text).toContain('1 open incident')
    expect(live.text).toMatch(/id="step-read"[\s\S]*?<time/)
    expect(link.completedAt).toBeNull()
  })
})

/** The tick that says one has asked. */
async function tick(here: TestPortal, customerId: string): Promise<Record<string, string>> {
  const [review] = await openReviews(here.portal.db, customerId)
  return { [`asked-${review?.id}`]: 'yes' }
}

onEachEngine('a decision about a tenant', (engine) => {
  let here: TestPortal
  let alice: Browser
  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
  })
  afterAll(() => here.close())

  const waiting = async (name: string) => {
    const customer = await customerNamed(here, name)
    const tenant = consentedTenant(here, name)
    const review = await waitingReview(here, customer.id, tenant.id, { tenantName: `${name} Holding`, person: null })
    return { customer, tenant, review, page: `/customers/${customer.id}`, asked: { [`asked-${review.id}`]: 'yes' } }
  }

  test('shows both tenants and the ground, and its button is never the primary one', async () => {
    const { tenant, page, review } = await waiting('Ground')
    const { text } = await alice.open(page)
    expect(text).toContain(tenant.id)
    expect(text).toContain('Ground Holding')
    expect(text).toContain('Not proven. A browser said so')
    const button = new RegExp(`<button class="([^"]*)" form="decide-${review.id}"`).exec(text)
    expect(button?.[1]?.split(' ')).not.toContain('btn-primary')
    expect(button).not.toBeNull()
  })

  test('binds nothing without the word that somebody asked', async () => {
    const { tenant, page } = await waiting('Unasked')
    const answer = await alice.submit(await alice.open(page), '/reviews/')
    expect(answer.status).toBe(422)
    expect(answer.text).toContain('Ask the customer first')
    expect(await findTenant(here.portal.db, tenant.id)).toBeNull()
  })

  test('binds the tenant, by whom and when', async () => {
    const { customer, tenant, page, asked } = await waiting('Bound')
    expect((await alice.submit(await alice.open(page), '/reviews/', asked)).status).toBe(303)
    expect(await findTenant(here.portal.db, tenant.id)).toMatchObject({
      customerId: customer.id,
      boundHow: 'confirmed',
      boundBy: 'Alice Admin',
    })
    const events = await listAudit(here.portal.db, { customerId: customer.id, limit: 20 })
    expect(events.map(({ action }) => action)).toEqual(expect.arrayContaining(['review.confirmed', 'tenant.bound']))
  })

  test('of two admins at once is one decision, and the other is told calmly', async () => {
    const { customer, tenant, page, asked, review } = await waiting('Race')
    const open = await alice.open(page)
    const both = await Promise.all([
      alice.submit(open, `/reviews/${review.id}/confirmation`, asked),
      alice.submit(open, `/reviews/${review.id}/dismissal`),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual([303, 409])
    const late = both.find(({ status }) => status === 409)
    expect(late?.text).toContain('This has been decided already')
    const decided = await listAudit(here.portal.db, {
      customerId: customer.id,
      actions: ['review.confirmed', 'review.dismissed'],
      limit: 9,
    })
    expect(decided).toHaveLength(1)
    expect((await findTenant(here.portal.db, tenant.id)) !== null).toBe(decided[0]?.action === 'review.confirmed')
  })

  test('against a tenant leaves it alone', async () => {
    const { customer, tenant, page, review } = await waiting('Refused')
    expect((await alice.submit(await alice.open(page), `/reviews/${review.id}/dismissal`)).status).toBe(303)
    expect(await findTenant(here.portal.db, tenant.id)).toBeNull()
    expect(await openReviews(here.portal.db, customer.id)).toEqual([])
  })

  test('for another customer’s tenant is refused, and names that customer to operators', async () => {
    const { customer: owner, tenant } = await connected(here, 'Owner of it')
    const customer = await customerNamed(here, 'Wants it')
    await waitingReview(here, customer.id, tenant.id)
    const open = await alice.open(`/customers/${customer.id}`)
    const answer = await alice.submit(open, '/reviews/', await tick(here, customer.id))
    expect(answer.status).toBe(409)
    expect(answer.text).toContain('This tenant belongs to Owner of it')
    expect(answer.text).toContain(`/customers/${owner.id}`)
    expect((await findTenant(here.portal.db, tenant.id))?.customerId).toBe(owner.id)
    expect(await openReviews(here.portal.db, customer.id)).toHaveLength(1)
  })

  test('is not a reader’s or an analyst’s to make', async () => {
    const { page, review, asked, tenant } = await waiting('Watched')
    for (const person of [here.cast.bob, here.cast.carol]) {
      const browser = await here.signedIn(person)
      const { text } = await browser.open(page)
      expect(text).toContain('A Muster admin decides')
      expect(text).not.toContain('/reviews/')
      const token = formToken(await browser.open('/settings'))
      expect((await browser.post(`/reviews/${review.id}/confirmation`, { ...asked, _csrf: token })).status).toBe(403)
    }
    expect(await findTenant(here.portal.db, tenant.id)).toBeNull()
  })

  test('that does not exist is answered so', async () => {
    const token = formToken(await alice.open('/settings'))
    expect((await alice.post('/reviews/none/confirmation', { _csrf: token })).status).toBe(404)
    expect((await alice.post('/reviews/none/dismissal', { _csrf: token })).status).toBe(404)
  })
})

onEachEngine('a tenant added by hand', (engine) => {
  let here: TestPortal
  let alice: Browser
  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
  })
  afterAll(() => here.close())

  const addTo = async (customerId: string, tenant: string) => {
    const address = `/customers/${customerId}`
    return alice.submit(await alice.open(address), `${address}/tenants`, { tenant })
  }

  test('is proven like any other, and its incidents come', async () => {
    const customer = await customerNamed(here, 'By hand')
    const tenant = consentedTenant(here, 'By hand', { domains: ['byhand.onmicrosoft.com', 'byhand.example'] })
    const added = await addTo(customer.id, 'ByHand.example')
    expect(added.location).toBe(`${here.portal.config.publicUrl}/tenants/${tenant.id}`)
    await untilNothingIsDue(here)
    expect((await alice.follow(added)).text).toContain('Connected')
    expect(await findTenant(here.portal.db, tenant.id)).toMatchObject({ boundHow: 'entered', accessState: 'active' })
    const page = await alice.open(`/customers/${customer.id}`)
    expect(page.text).toContain('1 open incident')
    expect(page.text).toContain('Not needed: the tenant came by another way')
  })

  test.each([
    'nobody.example',
    'not a domain',
    '00000000-0000-0000-0000-000000000000',
    '../../common',
    'x'.repeat(300),
    '',
  ])('is refused when Microsoft knows none such, and what was typed stays: %j', async (typed) => {
    const customer = await customerNamed(here, 'Typo')
    const answer = await addTo(customer.id, typed)
    expect(answer.status).toBe(422)
    expect(answer.text).toContain('id="tenant-fault"')
    expect(answer.text).toContain(`name="tenant" value="${typed}"`)
    expect(await tenantsOf(here.portal.db, customer.id)).toEqual([])
  })

  test('is refused when it is another customer’s, by name', async () => {
    const { customer: owner, tenant } = await connected(here, 'Holder & Sons')
    const customer = await customerNamed(here, 'Grabber')
    const answer = await addTo(customer.id, tenant.id)
    expect(answer.status).toBe(409)
    expect(answer.text).toContain('This tenant belongs to Holder &amp; Sons')
    expect((await findTenant(here.portal.db, tenant.id))?.customerId).toBe(owner.id)
  })

  test('is refused when it is the partner’s own, unless that was meant', async () => {
    const customer = await customerNamed(here, 'Ourselves')
    const answer = await addTo(customer.id, here.partner.id)
    expect(answer.status).toBe(409)
    expect(answer.text).toContain('This is your own tenant')
    expect(await findTenant(here.portal.db, here.partner.id)).toBeNull()
    const meant = await customerNamed(here, 'Test customer', { expectedTenantId: here.partner.id })
    expect((await addTo(meant.id, here.partner.id)).status).toBe(303)
  })

  test('waits when Microsoft is away', async () => {
    const customer = await customerNamed(here, 'Fog')
    here.simulator.world.setWeather('*', 'outage', { surface: 'discovery', retryAfter: null })
    const answer = await addTo(customer.id, `fog-${engine.toLowerCase()}.example`)
    here.simulator.world.clearWeather()
    expect(answer.status).toBe(422)
    expect(answer.text).toContain('Microsoft does not answer right now')
  })
})

onEachEngine('offboarding', (engine) => {
  let here: TestPortal
  let alice: Browser
  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
  })
  afterAll(() => here.close())

  test('says what ends, what stays and how to take it back, and does nothing by being looked at', async () => {
    const { customer, tenant } = await connected(here, 'Staying')
    const page = await alice.open(`/customers/${customer.id}/offboarding`)
    expect(page.text).toContain('1 tenant, at once')
    expect(page.text).toContain('1 open incident stays visible')
    expect(page.text).toContain('You can take it back at any time')
    expect((await findTenant(here.portal.db, tenant.id))?.accessState).toBe('active')
  })

  test('stops reading at once, ends the link, and leaves a tombstone', async () => {
    const { customer, tenant } = await connected(here, 'Leaving')
    const { link } = await issueConsentLink(here.portal, before, { customerId: customer.id, days: 14 })
    const asking = await alice.open(`/customers/${customer.id}/offboarding`)
    const both = await Promise.all([1, 2].map(() => alice.submit(asking, `/customers/${customer.id}/offboarding`)))
    expect(both.map(({ status }) => status).sort()).toEqual([303, 409])
    const asked = () => here.simulator.requests.filter(({ path }) => path.includes(tenant.id)).length
    const calls = asked()
    here.clock.advance(3_600_000)
    await untilNothingIsDue(here)
    expect(asked()).toBe(calls)
    alice = await here.signedIn(here.cast.alice)
    const page = await alice.open(`/customers/${customer.id}`)
    expect(page.text).toContain('Offboarded')
    expect(page.text).not.toContain(`/customers/${customer.id}/links`)
    expect(page.text).toContain('1 open, as last read')
    expect(linkState((await linksOf(here.portal.db, customer.id))[0] ?? link, here.portal.now())).toBe('withdrawn')
    const newcomer = await customerNamed(here, 'Newcomer')
    const address = `/customers/${newcomer.id}`
    const refused = await alice.submit(await alice.open(address), `${address}/tenants`, { tenant: tenant.id })
    expect(refused.status).toBe(409)
    expect(refused.text).toContain('That customer is offboarded')
  })

  test('taken back, proves every tenant anew before it reads', async () => {
    const { customer, tenant } = await connected(here, 'Returning')
    await offboardCustomer(here.portal.db, before, customer.id, here.portal.now())
    alice = await here.signedIn(here.cast.alice)
    const page = await alice.open(`/customers/${customer.id}`)
    const both = await Promise.all([1, 2].map(() => alice.submit(page, `/customers/${customer.id}/reinstatement`)))
    expect(both.map(({ status }) => status).sort()).toEqual([303, 409])
    expect(await findTenant(here.portal.db, tenant.id)).toMatchObject({ accessState: 'proving', nextSyncAt: null })
    await untilNothingIsDue(here)
    expect((await findTenant(here.portal.db, tenant.id))?.accessState).toBe('active')
    expect((await alice.open(`/customers/${customer.id}`)).text).toContain('took the customer back')
  })

  test('leaves nothing that could be issued, bound or asked anew', async () => {
    const { customer, tenant } = await connected(here, 'Gone')
    const stale = await alice.open(`/customers/${customer.id}`)
    await offboardCustomer(here.portal.db, before, customer.id, here.portal.now())
    const { id } = customer
    expect((await alice.submit(stale, `/customers/${id}/links`, { days: '3' })).status).toBe(409)
    expect((await alice.submit(stale, `/customers/${id}/tenants`, { tenant: tenant.id })).status).toBe(409)
    expect((await alice.open(`/customers/${id}/offboarding`)).status).toBe(409)
    const token = formToken(await alice.open('/settings'))
    expect((await alice.post(`/tenants/${tenant.id}/checks`, { _csrf: token })).status).toBe(409)
    expect((await alice.post(`/tenants/${tenant.id}/syncs`, { _csrf: token })).status).toBe(409)
  })
})

onEachEngine('who may what with customers', (engine) => {
  let here: TestPortal
  let paths: { path: string; least: 'Analyst' | 'Admin'; fields: Record<string, string> }[]
  beforeAll(async () => {
    here = await startTestPortal(engine)
    const { customer, tenant } = await connected(here, 'Matrix')
    const { link } = await issueConsentLink(here.portal, before, { customerId: customer.id, days: 14 })
    const claimed = consentedTenant(here, 'Claimed')
    const review = await waitingReview(here, customer.id, claimed.id)
    const left = await customerNamed(here, 'Left')
    await offboardCustomer(here.portal.db, before, left.id, here.portal.now())
    const form = { name: 'X', expected: '', contactName: '', contactEmail: '', groups: '', notes: '', language: 'en' }
    paths = [
      { path: '/customers', least: 'Admin', fields: { ...form, days: '3' } },
      { path: `/customers/${customer.id}`, least: 'Admin', fields: { ...form, name: 'Y' } },
      { path: `/links/${link.id}/withdrawal`, least: 'Admin', fields: {} },
      { path: `/customers/${customer.id}/links`, least: 'Admin', fields: { days: '3' } },
      { path: `/customers/${customer.id}/tenants`, least: 'Admin', fields: { tenant: claimed.id } },
      { path: `/customers/${customer.id}/offboarding`, least: 'Admin', fields: {} },
      { path: `/customers/${left.id}/reinstatement`, least: 'Admin', fields: {} },
      { path: `/reviews/${review.id}/confirmation`, least: 'Admin', fields: { [`asked-${review.id}`]: 'yes' } },
      { path: `/reviews/${review.id}/dismissal`, least: 'Admin', fields: {} },
      { path: `/tenants/${tenant.id}/checks`, least: 'Analyst', fields: {} },
      { path: `/tenants/${tenant.id}/syncs`, least: 'Analyst', fields: {} },
      {
        path: '/settings',
        least: 'Admin',
        fields: { partnerName: 'X', linkDays: '3', closedDays: '365', offboardedDays: '90' },
      },
      { path: '/settings/permissions', least: 'Admin', fields: { asked: 'Incident.Read.All', other: '' } },
    ]
    // Settings ask Microsoft what the registration holds when an Admin opens them, at most every ten minutes.
    await lookAtPermissions(here.portal, 0)
  })
  afterAll(() => here.close())
  let kept: string
  beforeEach(async () => {
    kept = await wholeDatabase(here, ['sessions', 'operators', 'spent_tokens', 'audit_events'])
  })
  const unchanged = async () =>
    expect(await wholeDatabase(here, ['sessions', 'operators', 'spent_tokens', 'audit_events'])).toBe(kept)

  test('nobody changes anything who is not signed in', async () => {
    for (const { path, fields } of paths) expect((await here.browser().post(path, fields)).status).toBe(303)
    await unchanged()
  })

  test('readers change nothing, and analysts only look closer', async () => {
    const bob = await here.signedIn(here.cast.bob)
    const carol = await here.signedIn(here.cast.carol)
    for (const { path, least, fields } of paths) {
      const _csrf = formToken(await bob.open('/settings'))
      expect([path, (await bob.post(path, { ...fields, _csrf })).status]).toEqual([path, 403])
      if (least === 'Analyst') continue
      const own = formToken(await carol.open('/settings'))
      expect([path, (await carol.post(path, { ...fields, _csrf: own })).status]).toEqual([path, 403])
    }
    for (const path of ['/customers/new', '/audit', `${paths[1]?.path}/edit`, `${paths[1]?.path}/offboarding`]) {
      expect([path, (await carol.open(path)).status]).toEqual([path, 403])
    }
    await unchanged()
  })

  test('a form without its token, with another session’s, or from another site changes nothing', async () => {
    const alice = await here.signedIn(here.cast.alice)
    const other = formToken(await (await here.signedIn(here.cast.alice)).open('/settings'))
    for (const { path, fields } of paths) {
      expect([path, (await alice.post(path, fields)).status]).toEqual([path, 403])
      expect([path, (await alice.post(path, { ...fields, _csrf: other })).status]).toEqual([path, 403])
      const _csrf = formToken(await alice.open('/settings'))
      const crossing = await alice.post(path, { ...fields, _csrf }, { 'Sec-Fetch-Site': 'cross-site' })
      expect([path, crossing.status]).toEqual([path, 403])
    }
    await unchanged()
  })

  test('a field that a form does not offer is refused on every form', async () => {
    const alice = await here.signedIn(here.cast.alice)
    for (const { path, fields } of paths) {
      const _csrf = formToken(await alice.open('/settings'))
      const answer = await alice.post(path, { ...fields, _csrf, customerId: 'x', role: 'Admin' })
      expect([path, answer.status]).toEqual([path, 400])
    }
    await unchanged()
  })

  test('every change leaves its witness', async () => {
    const alice = await here.signedIn(here.cast.alice)
    for (const { path, fields } of paths.filter(({ path }) => !path.endsWith('/dismissal'))) {
      if (path.endsWith('/offboarding')) continue
      const count = (await listAudit(here.portal.db, { limit: 500 })).length
      const _csrf = formToken(await alice.open('/settings'))
      const status = (await alice.post(path, { ...fields, _csrf })).status
      const events = await listAudit(here.portal.db, { limit: 500 })
      expect([path, status, events.length > count, events[0]?.actorName]).toEqual([path, 303, true, 'Alice Admin'])
    }
  })
})
