import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { avatarOf } from '../../server/http/frame/avatar.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { before, connected, customerNamed } from '../support/admin.ts'
import type { Browser } from '../support/browser.ts'
import { arrive, incidentFor } from '../support/desk.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const numbers = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, n]) => Number(n))

onEachEngine('sentences and numbers agree', (engine) => {
  let here: TestPortal
  let alice: Browser
  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
  })
  afterAll(() => here.close())

  test('on how many customers there are: side bar, sentence and list, with one that is offboarded', async () => {
    for (const name of ['Aurora', 'Boreal', 'Gone']) await customerNamed(here, name)
    const [gone] = await here.portal.db.selectFrom('customers').select('id').where('name', '=', 'Gone').execute()
    await offboardCustomer(here.portal.db, before, gone?.id ?? '', here.portal.now())
    const page = await alice.open('/customers')
    const side = numbers(page.text, /href="\/customers"[\s\S]*?<span\s+class="count">(\d+)<\/span>/g)
    const told = numbers(page.text, /<p>\s*(\d+) customers\./g)
    const all = numbers(page.text, />\s*All <span\s+class="count">(\d+)<\/span>/g)
    const rows = page.text.match(/<tr role="row" data-row/g) ?? []
    expect([side[0], told[0], all[0], rows.length]).toEqual([3, 3, 3, 3])
    const overview = await alice.open('/')
    expect(numbers(overview.text, /href="\/customers"[\s\S]*?<span\s+class="count">(\d+)<\/span>/g)[0]).toBe(3)
    expect(overview.text).toContain('3 customers')
  })

  test('on the steps of a customer whose tenant came without a link: all are done', async () => {
    const { customer } = await connected(here, 'By hand')
    const page = await alice.open(`/customers/${customer.id}`)
    expect(page.text).toContain('7 of 7 done, 4 of them without being needed')
    expect(page.text).not.toContain('aria-current="step"')
  })

  test('on whose each check of the doctor is: metrics are ours', async () => {
    const page = await alice.open('/doctor')
    const section = (name: string) => new RegExp(`aria-labelledby="g-${name}"[\\s\\S]*?</section>`).exec(page.text)?.[0]
    expect(section('muster')).toContain('<strong>Metrics</strong>')
    expect(section('microsoft')).not.toContain('<strong>Metrics</strong>')
  })

  test('on the letters that stand for a person, and their shade', async () => {
    expect(avatarOf('Alice Admin')).toEqual(avatarOf('alice.admin@halvard.example'))
    expect(avatarOf('Lindqvist, Ines (Partner)').initials).toBe('LP')
    expect(avatarOf('王小明').initials).toBe('王')
    expect(avatarOf('()').initials).toBe('?')
    const { tenant } = await connected(here, 'Owned')
    await arrive(here, tenant.id, [incidentFor(here, { id: '77', assignedTo: 'alice.admin@halvard.example' })])
    const page = await alice.open('/incidents')
    const [, mine] = /<span class="(avatar a\d)" aria-hidden="true">AA</.exec(page.text) ?? []
    expect(page.text).toMatch(new RegExp(`<span class="${mine}" role="img"[^>]*>AA<`))
  })

  test('on what a button does: none sends where it only leads to a page', async () => {
    const { customer } = await connected(here, 'Lost', {})
    await here.portal.db
      .updateTable('tenants')
      .set({ access_state: 'revoked', state_code: 'not-consented', last_read_at: '2026-01-01T00:00:00.000Z' })
      .where('customer_id', '=', customer.id)
      .execute()
    const page = await alice.open('/')
    const links = [...page.text.matchAll(/<a class="btn[^>]*href="([^"]+)"[^>]*>([\s\S]*?)<\/a>/g)]
    const words = links.map(([, , inner = '']) => inner.replace(/<[^>]+>/g, '').trim())
    expect(words).toContain('Go to the consent link')
    expect(words.filter((text) => /^(send|issue)\b/i.test(text))).toEqual([])
    expect(page.text).toContain(`href="/customers/${customer.id}#link"`)
    expect((await alice.open(`/customers/${customer.id}`)).text).toContain('id="link"')
  })
})
