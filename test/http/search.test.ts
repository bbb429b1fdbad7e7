import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { before, connected, customerNamed } from '../support/admin.ts'
import type { Browser, Page } from '../support/browser.ts'
import { arrive, incidentFor } from '../support/desk.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

onEachEngine('the search of the side bar', (engine) => {
  let here: TestPortal
  let bob: Browser
  let tenantId: string
  beforeAll(async () => {
    here = await startTestPortal(engine)
    bob = await here.signedIn(here.cast.bob)
    const { customer, tenant } = await connected(here, 'Bergqvist & Söner')
    tenantId = tenant.id
    await arrive(here, tenantId, [
      incidentFor(here, { id: '4711', title: 'Mimikatz at <Bergqvist>' }),
      incidentFor(here, { id: '4712', title: 'Mimikatz, closed', status: 'resolved' }),
    ])
    await customerNamed(here, 'Öberg', { groups: ['Nordics'], contactEmail: 'karin@oberg.example' })
    await customerNamed(here, 'Left', { expectedDomain: 'left.example' })
    expect(customer.id).toBeTruthy()
  })
  afterAll(() => here.close())

  /** As somebody types into the box that stands on every page. */
  async function search(text: string): Promise<Page> {
    const page = await bob.open('/incidents')
    const [, action = ''] = /<form class="search" role="search" action="([^"]+)"/.exec(page.text) ?? []
    return bob.open(`${action}?q=${encodeURIComponent(text)}`)
  }
  const hitsOf = (page: Page, kind: string) => {
    const [, section = ''] = new RegExp(`<section class="sec" id="${kind}"([\\s\\S]*?)</section>`).exec(page.text) ?? []
    return [...section.matchAll(/<a class="strong break" href="([^"]+)">/g)].map(([, href]) => href)
  }
  const idOf = async (name: string) => {
    const rows = await here.portal.db.selectFrom('customers').select('id').where('name', '=', name).execute()
    return rows[0]?.id ?? ''
  }

  test('finds customers, tenants and incidents of one text, open and closed', async () => {
    const page = await search('bergqvist')
    expect(page.status).toBe(200)
    expect(hitsOf(page, 'customers')).toEqual([`/customers/${await idOf('Bergqvist & Söner')}`])
    const byId = await search(tenantId.toUpperCase())
    expect(hitsOf(byId, 'tenants')).toEqual([`/tenants/${tenantId}`])
    expect(hitsOf(page, 'incidents')[0]).toContain(`/tenants/${tenantId}/incidents/4711?`)
    expect(page.text).toContain('Mimikatz at &lt;Bergqvist&gt;')
    expect(hitsOf(await search('mimikatz'), 'incidents')).toHaveLength(2)
    expect(hitsOf(await search('4712'), 'incidents')).toHaveLength(1)
    for (const href of [...hitsOf(page, 'customers'), ...hitsOf(byId, 'tenants'), ...hitsOf(page, 'incidents')]) {
      expect([href, (await bob.open((href ?? '').replaceAll('&amp;', '&'))).status]).toEqual([href, 200])
    }
  })

  test.each([
    ['oberg', 'Öberg'],
    ['ÖBERG', 'Öberg'],
    ['nordics', 'Öberg'],
    ['karin@', 'Öberg'],
    ['left.example', 'Left'],
  ])('finds by %j the customer %s', async (text, name) => {
    expect(hitsOf(await search(text), 'customers')).toEqual([`/customers/${await idOf(name)}`])
  })

  test('finds who has left as well', async () => {
    await offboardCustomer(here.portal.db, before, await idOf('Left'), here.portal.now())
    expect(hitsOf(await search('left'), 'customers')).toEqual([`/customers/${await idOf('Left')}`])
  })

  test.each(['bergqvist', 'nobody at all', ''])('says where it looked, whatever it found: %j', async (text) => {
    const page = await search(text)
    expect(page.text).toContain('Where Muster looked')
    expect(page.text).toMatch(/All 3 customers: name, contact, groups/)
    expect(page.text).toMatch(/1 tenant: name, domain, tenant ID/)
    expect(page.text).toContain('Open and closed ones of all tenants')
    if (text === 'nobody at all') expect(page.text).toContain('Nothing holds “nobody at all”')
    if (text === '') expect(page.text).toContain('Type a name')
  })

  test('shows ten of a kind and leads to the others', async () => {
    for (let i = 0; i < 12; i++) await customerNamed(here, `Crowd ${i}`)
    const page = await search('crowd')
    expect(hitsOf(page, 'customers')).toHaveLength(10)
    expect(page.text).toContain('<a href="/customers?q=crowd">All 12</a>')
  })

  test.each(['%00', '%', '_', '<script>alert(1)</script>', `"'`, 'x'.repeat(5_000), '元澤', '%25%00'])(
    'answers whatever is asked: %j',
    async (text) => {
      for (const query of [`q=${encodeURIComponent(text)}`, `q=${text}&q=${text}`.replace(/[<>"]/g, '')]) {
        const page = await bob.open(`/search?${query.slice(0, 6_000)}`)
        expect([query, page.status]).toEqual([query, 200])
        expect(page.text).not.toContain('<script>alert')
      }
    },
  )
})
