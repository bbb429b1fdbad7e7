import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { alphabetFor } from '../../server/model/alphabet.ts'
import { createCustomer } from '../../server/store/customers/customers.ts'
import { write } from '../../server/store/engine/write.ts'
import { bindTenant } from '../../server/store/onboarding/bindings.ts'
import { heatOfFleet } from '../../server/store/tenants/fleet.ts'
import { before, customerNamed } from '../support/admin.ts'
import type { Browser, Page } from '../support/browser.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

test.each([
  ['sv-SE,sv;q=0.9,en;q=0.8', 'sv-SE'],
  ['en;q=0.1, zh-Hant-TW;q=0.9', 'zh-Hant-TW'],
  ['tlh, de', 'de'],
  ['*;q=0.5', null],
  ['sv;q=0, da', 'da'],
  ['sv-u-co-trad', null],
  [`${'x'.repeat(5_000)}, de`, null],
  ['../../etc, en--, "sv"', null],
  ['', null],
  [undefined, null],
])('the alphabet of a browser that asks for %j is %j', (header, alphabet) => {
  expect(alphabetFor(header)).toBe(alphabet)
})

onEachEngine('names stand in the reader’s alphabet', (engine) => {
  let here: TestPortal
  let alice: Browser
  const names = ['Zulu', 'Öl', 'älg', 'İnci', 'Åre', 'zebra', 'Alfa 10', 'Alfa 9', 'äLG', '元澤', '晶瀚']
  const english = ['Alfa 9', 'Alfa 10', 'älg', 'äLG', 'Åre', 'İnci', 'Öl', 'zebra', 'Zulu']
  const swedish = ['Alfa 9', 'Alfa 10', 'İnci', 'zebra', 'Zulu', 'Åre', 'äLG', 'älg', 'Öl']

  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
    for (const name of names) await customerNamed(here, name, { groups: [name] })
  })
  afterAll(() => here.close())

  const rowsOf = (page: Page) =>
    [...page.text.matchAll(/<td role="cell" data-l="Customer"[^>]*><a [^>]*>(?:<span[^>]*>)?([^<]*)/g)].map(
      ([, name]) => name,
    )
  const optionsOf = (page: Page, id: string) =>
    [
      ...(new RegExp(`id="${id}"[\\s\\S]*?</select>`).exec(page.text)?.[0] ?? '').matchAll(/<option[^>]*>([^<]+)</g),
    ].map(([, name]) => name)
  const without = (list: readonly (string | undefined)[]) =>
    list.filter((name) => name !== undefined && !/\p{Script=Han}|^Every/u.test(name)).map((name) => name?.toLowerCase())
  const lower = (list: readonly string[]) => list.map((name) => name.toLowerCase())

  test.each([
    ['en-GB,en', english],
    ['sv-SE,sv;q=0.9,en;q=0.5', swedish],
    ['', english],
  ])('in every list of customers and groups: %j', async (language, order) => {
    const open = (path: string) => alice.get(path, { 'Accept-Language': language })
    const list = await open('/customers?order=name')
    expect(without(rowsOf(list))).toEqual(lower(order))
    expect(without(optionsOf(list, 'cg'))).toEqual(lower(order))
    expect(without(optionsOf(await open('/audit'), 'ac'))).toEqual(lower(order))
    const queue = await open('/incidents')
    const choices = [...queue.text.matchAll(/name="(customer|group)"[^>]*>\s*<label[^>]*>([\s\S]*?)<\/label>/g)].map(
      ([, kind, label = '']) => [kind, label.replace(/<[^>]+>/g, '').trim()],
    )
    for (const kind of ['customer', 'group']) {
      const ofKind = choices.filter(([one]) => one === kind).map(([, name]) => name)
      if (ofKind.length > 0) expect([kind, without(ofKind)]).toEqual([kind, lower(order)])
    }
  })

  test('from page to page, without one twice or left out', async () => {
    const many = Array.from({ length: 130 }, (_, i) => `${['Ö', 'o', 'Å', 'Z', 'ä'][i % 5]} ${i % 26}`)
    await write(here.portal.db, async (tx) => {
      const plain = { language: 'en', contactName: null, contactEmail: null, notes: null, groups: ['Paged'] }
      const nobody = { expectedTenantId: null, expectedDomain: null }
      for (const name of many) await createCustomer(tx, before, { ...plain, ...nobody, name }, here.portal.now())
    })
    const seen: (string | undefined)[] = []
    for (const page of [1, 2, 3]) {
      const shown = await alice.get(`/customers?order=name&group=Paged&page=${page}`, { 'Accept-Language': 'sv' })
      seen.push(...rowsOf(shown))
    }
    const compare = new Intl.Collator('sv', { numeric: true }).compare
    expect(seen).toEqual([...many].sort(compare))
  })

  test('among customers with as much open, also where the list ends within them', async () => {
    const { db, now } = here.portal
    const rows = await db.selectFrom('customers').select(['id', 'name']).where('name', 'in', names).execute()
    const at = now().toISOString()
    for (const [i, { id, name }] of rows.entries()) {
      await write(db, async (tx) => {
        const tenantId = `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`
        const binding = {
          tenantId,
          customerId: id,
          how: 'entered',
          by: 'x',
          region: null,
          consented: true,
        } as const
        await bindTenant(tx, before, binding, now())
        const open = name === 'Öl' ? { open_high: 1 } : { open_low: 2 }
        await tx
          .updateTable('tenants')
          .set({ first_active_at: at, ...open })
          .where('tenant_id', '=', tenantId)
          .execute()
      })
    }
    const shown = async (most: number, alphabet: string) =>
      (await heatOfFleet(db, most, now(), alphabet)).rows.map(({ name }) => name)
    expect(await shown(4, 'sv')).toEqual(['Öl', 'Alfa 9', 'Alfa 10', 'İnci'])
    expect(await shown(4, 'en')).toEqual(['Öl', 'Alfa 9', 'Alfa 10', 'älg'])
    const all = await shown(100, 'sv')
    expect(new Set(all).size).toBe(names.length)
    expect((await heatOfFleet(db, 4, now(), 'sv')).others?.customers).toBe(names.length - 4)
  })
})
