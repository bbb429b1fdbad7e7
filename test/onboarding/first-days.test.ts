import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import { getCustomer, listCustomers } from '../../server/store/customers/customers.ts'
import { linksOf } from '../../server/store/onboarding/link-list.ts'
import { changeSettings } from '../../server/store/partner/settings.ts'
import { before, customerNamed, formToken } from '../support/admin.ts'
import type { Browser } from '../support/browser.ts'
import { wordsOf } from '../support/consent.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const mailOf = (page: string, language: string) =>
  new RegExp(`id="mail-text-${language}"[^>]*>([^<]*)<`).exec(page)?.[1] ?? ''

onEachEngine('before Muster knows who the partner is', (engine) => {
  let here: TestPortal
  let alice: Browser
  const newCustomer = (link: 'issue' | 'none') => ({
    name: `Calder ${link}`,
    expected: '',
    contactName: '',
    contactEmail: '',
    groups: 'North',
    notes: '',
    language: 'en',
    days: '14',
    link,
  })
  const settle = (change: Parameters<typeof changeSettings>[2]) =>
    changeSettings(here.portal.db, before, change, here.portal.now())

  beforeAll(async () => {
    here = await startTestPortal(engine, { introduced: false })
    alice = await here.signedIn(here.cast.alice)
  })
  afterAll(() => here.close())

  test('the first page and the setup name it as a step of its own', async () => {
    const first = wordsOf(await alice.open('/'))
    expect(first).toContain('Say who you are')
    expect(first).toContain('Four steps and the first incidents are here')
    expect((await alice.open('/')).text).toContain('href="/settings#partnerName"')
    expect((await alice.open('/setup')).text).toMatch(/<li class="now" id="step-partner">/)
    const bob = await here.signedIn(here.cast.bob)
    expect((await bob.open('/')).text).not.toContain('/settings#partnerName')
  })

  test('a new customer can be saved, but not with a link: what was typed stays', async () => {
    const form = await alice.open('/customers/new')
    expect(form.text).toContain('href="/settings#partnerName"')
    expect(form.text).not.toContain('value="issue"')
    const refused = await alice.submit(form, '/customers', newCustomer('issue'))
    expect(refused.status).toBe(409)
    expect(wordsOf(refused)).toContain('Muster does not know yet who you are')
    expect(refused.text).toContain('value="Calder issue"')
    expect(refused.text).toContain('value="North"')
    expect(await listCustomers(here.portal.db)).toEqual([])
    expect((await alice.submit(refused, '/customers', newCustomer('none'))).status).toBe(303)
    expect((await listCustomers(here.portal.db)).map(({ name }) => name)).toEqual(['Calder none'])
  })

  test('the customer’s page says so in place of its button, and the request is refused by name', async () => {
    const customer = await customerNamed(here, 'Norrsken')
    const page = await alice.open(`/customers/${customer.id}`)
    expect(wordsOf(page)).toContain('Muster does not know yet who you are')
    expect(page.text).toContain('href="/settings#partnerName"')
    expect(page.text).not.toContain(`action="/customers/${customer.id}/links"`)
    const forged = { _csrf: formToken(page), days: '14' }
    const refused = await alice.post(`/customers/${customer.id}/links`, forged)
    expect(refused.status).toBe(409)
    expect(refused.text).toContain('PARTNER_NOT_INTRODUCED')
    expect(refused.text).toContain('href="/settings#partnerName"')
    const json = await alice.post(`/customers/${customer.id}/links`, forged, { accept: 'application/json' })
    expect(JSON.parse(json.text)).toMatchObject({ error: { code: 'PARTNER_NOT_INTRODUCED' } })
    await expect(issueConsentLink(here.portal, before, { customerId: customer.id, days: 14 })).rejects.toMatchObject({
      code: 'PARTNER_NOT_INTRODUCED',
      facts: { gap: 'both' },
    })
    expect(await linksOf(here.portal.db, customer.id)).toEqual([])
    const bob = await here.signedIn(here.cast.bob)
    expect((await bob.open(`/customers/${customer.id}`)).text).not.toContain('/settings#partnerName')
  })

  test.each([
    [{ partnerName: 'Halvard Security AB', contactPhone: '', contactEmail: '' }, 'contact', '/settings#contactPhone'],
    [
      { partnerName: 'Halvard Security AB', contactPhone: 'ask for Ines', contactEmail: '' },
      'contact',
      '/settings#contactPhone',
    ],
    [{ partnerName: '', contactPhone: '+46 8 555 001 00', contactEmail: '' }, 'name', '/settings#partnerName'],
    [{ partnerName: '', contactPhone: '', contactEmail: 'soc@halvard.example' }, 'name', '/settings#partnerName'],
  ])('one of the two is not enough: %j', async (settings, gap, path) => {
    await settle(settings)
    const customer = await customerNamed(here, 'Half')
    const page = await alice.open(`/customers/${customer.id}`)
    expect(page.text).toContain(`href="${path}"`)
    expect(wordsOf(await alice.open('/settings'))).toContain('No link can be issued yet')
    await expect(issueConsentLink(here.portal, before, { customerId: customer.id, days: 14 })).rejects.toMatchObject({
      facts: { gap },
    })
  })

  test.each([
    { contactPhone: '+46 8 555 001 00', contactEmail: '' },
    { contactPhone: '', contactEmail: 'soc@halvard.example' },
  ])('a name and one contact are enough, and the letter is the company’s: %j', async (contact) => {
    await settle({ partnerName: 'Halvard Security AB', ...contact })
    const customer = await customerNamed(here, 'Whole')
    const page = await alice.open(`/customers/${customer.id}`)
    const issued = await alice.follow(await alice.submit(page, `/customers/${customer.id}/links`, { days: '14' }))
    const letter = mailOf(issued.text, 'en')
    expect(letter).toContain('Halvard Security AB')
    expect(letter.match(/Alice Admin/g)).toHaveLength(1)
    expect(letter).toMatch(/\nAlice Admin\nHalvard Security AB$/)
  })

  test('a link that was issued goes on when the name is taken out of Settings', async () => {
    await settle({ partnerName: 'Halvard Security AB', contactPhone: '+46 8 555 001 00' })
    const customer = await customerNamed(here, 'Earlier')
    const { url } = await issueConsentLink(here.portal, before, { customerId: customer.id, days: 14 })
    await settle({ partnerName: '', contactPhone: '', contactEmail: '' })
    const browser = here.browser()
    const path = new URL(url).pathname
    const landing = await browser.open(path)
    expect(landing.status).toBe(200)
    expect((await browser.submit(landing, `${path}/attempts`)).status).toBe(303)
    expect((await getCustomer(here.portal.db, customer.id)).name).toBe('Earlier')
  })

  test('a telephone number without a number is not taken', async () => {
    const fields = { partnerName: 'Halvard Security AB', contactPhone: 'ask for Ines' }
    const answer = await alice.submit(await alice.open('/settings'), '/settings', fields)
    expect(answer.status).toBe(422)
    expect(answer.text).toContain('id="contactPhone-fault"')
  })
})
