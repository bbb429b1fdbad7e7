import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import { type AuditAction, type AuditEvent, auditActions, recordAudit } from '../../server/store/audit.ts'
import { write } from '../../server/store/engine/write.ts'
import { listOperators, savePreferences } from '../../server/store/operators/operators.ts'
import { readSettings } from '../../server/store/partner/settings.ts'
import { sentenceOf } from '../../server/web/page/audit-sentence.ts'
import { audit } from '../../server/words/en/partner/audit.ts'
import { en } from '../../server/words/en.ts'
import { sv } from '../../server/words/sv.ts'
import { zhHant } from '../../server/words/zh-hant.ts'
import { languages, sayParts, wholeLanguages } from '../../server/words.ts'
import { before, connected, customerNamed, formToken, waitingReview } from '../support/admin.ts'
import type { Browser, Page } from '../support/browser.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const mainOf = (page: Page) => /<main[\s\S]*<\/main>/.exec(page.text)?.[0] ?? ''

const event = (action: AuditAction, more: Partial<AuditEvent> = {}): AuditEvent => ({
  id: 1,
  at: '2026-11-20T08:00:00.000Z',
  actorKind: 'operator',
  actorName: 'Ines',
  action,
  customerId: 'c',
  tenantId: 't',
  subjectId: null,
  facts: { tenantId: 't' },
  address: '192.0.2.1',
  requestId: 'r',
  customerName: 'Norrsken',
  tenantName: 'norrsken.example',
  ...more,
})

function said(one: AuditEvent, place: 'here' | 'log'): string {
  const { key, values, tags } = sentenceOf(one, place)
  const plain = Object.fromEntries(Object.keys(tags).map((tag) => [tag, (parts: string[]) => parts.join('')]))
  return sayParts<string>('en', key, values, plain as Record<string, (parts: string[]) => string>).join('')
}

describe('a sentence of the log', () => {
  test.each(auditActions)('says %s, with who and about whom', (action) => {
    expect(audit).toHaveProperty([`audit.${action}`])
    const sentence = said(event(action), 'log')
    expect(sentence).toContain('Ines')
    if (!/^(operator|session|settings|permissions|alarm|reading|destination|deliveries|audit)\./.test(action))
      expect(sentence).toContain('Norrsken')
    expect(said(event(action), 'here')).not.toContain('Norrsken')
    expect(sentence).not.toMatch(/[{}]|undefined|null/)
  })

  test.each(auditActions)('says %s with the name once where tenant and customer have the same', (action) => {
    const one = event(action, { tenantName: 'norrsken ' })
    expect(said(one, 'log').match(/Norrsken/gi) ?? []).toHaveLength(
      said(event(action), 'log').includes('Norrsken') ? 1 : 0,
    )
  })

  test.each(auditActions)('says %s also of nobody, about nothing', (action) => {
    const bare = {
      actorName: null,
      address: null,
      customerId: null,
      customerName: null,
      tenantId: null,
      tenantName: null,
    }
    expect(said(event(action, { ...bare, facts: {} }), 'log')).not.toMatch(/[{}]|undefined|null/)
  })

  test('is written for every action that anything records', () => {
    const server = fileURLToPath(new URL('../../server', import.meta.url))
    const files = readdirSync(server, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    const recorded = files
      .filter((file) => !file.startsWith('words') && !file.startsWith('simulator'))
      .flatMap((file) => [...readFileSync(join(server, file), 'utf8').matchAll(/action:\s*'([a-z-]+\.[a-z-]+)'/g)])
      .map(([, action]) => action)
    expect(recorded.length).toBeGreaterThan(15)
    expect(recorded.filter((action) => !auditActions.includes(action as AuditAction))).toEqual([])
  })
})

onEachEngine('the audit log', (engine) => {
  let here: TestPortal
  let alice: Browser
  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
  })
  afterAll(() => here.close())

  test('says who did what to what, when, from where, in which request', async () => {
    const { customer, tenant } = await connected(here, 'Bergqvist & Sons')
    await issueConsentLink(here.portal, before, { customerId: customer.id, days: 14 })
    await waitingReview(here, customer.id, '00000000-1111-4222-8333-444444444444')
    const page = await alice.open('/audit')
    expect(page.status).toBe(200)
    expect(page.text).toContain('<strong>Ines Lindqvist</strong> issued a consent link for')
    expect(page.text).toContain(`<a href="/customers/${customer.id}">Bergqvist &amp; Sons</a>`)
    expect(page.text).toContain(`<a href="/tenants/${tenant.id}">`)
    expect(page.text).toContain('<strong>Alice Admin</strong> signed in')
    expect(page.text).toContain('192.0.2.1')
    expect(page.text).toContain('Proving → Connected')
    expect(page.text).toContain('Said by a browser, not proven')
  })

  test('is narrowed to one customer or one kind, and says when that leaves nothing', async () => {
    const one = await customerNamed(here, 'Only this one')
    const page = await alice.open(`/audit?customer=${one.id}`)
    expect(mainOf(page).match(/<tr role="row" id="e-/g)).toHaveLength(1)
    const people = mainOf(await alice.open('/audit?kind=people'))
    expect(people).toContain('operator.signed-in')
    expect(people).not.toContain('<div class="sub mono">customer.created')
    const none = await alice.open(`/audit?customer=${one.id}&kind=people`)
    expect(none.text).toContain('Nothing here')
  })

  test.each([
    'customer=%00',
    'customer=nobody',
    'kind=all',
    'before=-1',
    'before=x',
    'before=1e400',
    'customer=a&customer=b',
  ])('answers whatever stands in the address: %s', async (query) => {
    expect((await alice.open(`/audit?${query}`)).status).toBe(200)
  })

  test('is read page by page without a gap or a repetition while more is written', async () => {
    const customer = await customerNamed(here, 'Busy')
    const note = () =>
      write(here.portal.db, (tx) =>
        recordAudit(tx, before, { action: 'customer.changed', at: here.portal.now(), customerId: customer.id }),
      )
    for (let i = 0; i < 230; i++) await note()
    const seen: string[] = []
    let address: string | undefined = `/audit?customer=${customer.id}`
    while (address !== undefined) {
      const page: Page = await alice.open(address)
      seen.push(...[...page.text.matchAll(/<tr role="row" id="e-(\d+)"/g)].map(([, id]) => id ?? ''))
      await note()
      address = /rel="next" href="([^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&')
    }
    expect(seen).toHaveLength(231)
    expect(new Set(seen).size).toBe(231)
  })

  test('is an admin’s alone, and others are not led to it', async () => {
    for (const person of [here.cast.bob, here.cast.carol]) {
      const browser = await here.signedIn(person)
      expect((await browser.open('/audit')).status).toBe(403)
      expect((await browser.open('/customers')).text).not.toContain('href="/audit"')
    }
  })
})

onEachEngine('the settings', (engine) => {
  let here: TestPortal
  let alice: Browser
  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
  })
  afterAll(() => here.close())

  const all = {
    partnerName: 'Halvard Security',
    partnerTagline: 'Since 1998',
    contactName: 'Ines',
    contactPhone: '+46 8 555 001 00',
    contactEmail: 'ines@halvard.example',
    dataLocation: 'Stockholm',
    dataRetention: '180 days',
    dataReaders: 'Our analysts',
    privacyUrl: 'https://halvard.example/privacy',
    'partnerTagline.sv': 'Sedan 1998',
    'partnerTagline.zh-Hant': '始於一九九八年',
    'dataLocation.sv': 'Stockholms län',
    'dataLocation.zh-Hant': '斯德哥爾摩',
    'dataRetention.sv': '180 dagar',
    'dataRetention.zh-Hant': '一百八十天',
    'dataReaders.sv': 'Våra analytiker',
    'dataReaders.zh-Hant': '我們的分析師',
    'privacyUrl.sv': 'https://halvard.example/sv/privacy',
    'privacyUrl.zh-Hant': 'https://halvard.example/zh/privacy',
    appName: 'Halvard SOC Connector',
    linkDays: '21',
    closedDays: '400',
    offboardedDays: '60',
  }
  const save = async (fields: Record<string, string>) =>
    alice.submit(await alice.open('/settings'), '/settings', fields)

  test('are saved, say where each appears, and leave a witness of what changed', async () => {
    expect((await save(all)).status).toBe(303)
    expect(await readSettings(here.portal.db)).toEqual({ ...all, linkDays: 21, closedDays: 400, offboardedDays: 60 })
    const page = await alice.open('/settings')
    for (const value of Object.values(all)) expect(page.text).toContain(`value="${value}"`)
    expect(page.text).toContain('Linked at the foot of every page for customers')
    expect((await alice.open('/audit?kind=people')).text).toContain('Changed: our name, line under our name')
    expect((await alice.open('/customers/new')).text).toContain('name="days" value="21"')
  })

  test.each([
    ['privacyUrl', 'http://halvard.example'],
    ['privacyUrl.zh-Hant', 'http://halvard.example'],
    ['dataReaders.sv', 'x'.repeat(301)],
    ['privacyUrl', 'javascript:alert(1)'],
    ['privacyUrl', 'https://user:secret@halvard.example'],
    ['privacyUrl', 'halvard.example'],
    ['contactEmail', 'ines at halvard'],
    ['linkDays', '0'],
    ['linkDays', '91'],
    ['closedDays', '34'],
    ['closedDays', '4000'],
    ['closedDays', ''],
    ['offboardedDays', '-1'],
    ['offboardedDays', 'soon'],
    ['partnerName', 'x'.repeat(5_000)],
  ])('do not take %s as %s', async (field, value) => {
    const kept = await readSettings(here.portal.db)
    const answer = await save({ ...all, [field]: value })
    expect(answer.status).toBe(422)
    expect(answer.text).toContain(`id="${field}-fault"`)
    expect(answer.text).toContain(`value="${value}"`)
    expect(await readSettings(here.portal.db)).toEqual(kept)
  })

  test('take nothing that is not among them', async () => {
    expect((await save({ ...all, adminUsers: 'mallory' })).status).toBe(400)
    expect(JSON.stringify(await readSettings(here.portal.db))).not.toContain('mallory')
  })

  test('are read by everybody, changed by admins', async () => {
    for (const person of [here.cast.bob, here.cast.carol]) {
      const browser = await here.signedIn(person)
      const page = await browser.open('/settings')
      expect(page.status).toBe(200)
      expect(page.text).not.toContain('action="/settings"')
      expect((await browser.post('/settings', { ...all, _csrf: formToken(page) })).status).toBe(403)
    }
  })

  test('hold each operator’s own zone and theme, which nobody else’s pages follow', async () => {
    const bob = await here.signedIn(here.cast.bob)
    const form = { timeZone: 'Asia/Taipei', theme: 'dark' }
    const page = await bob.open('/settings')
    const section = page.text.slice(page.text.indexOf('id="me"'))
    const saved = await bob.submit({ ...page, text: section }, '/preferences', form)
    expect(saved.location).toBe(`${here.portal.config.publicUrl}/settings`)
    const mine = await bob.open('/settings')
    expect(mine.text).toContain('<html lang="en" data-theme="dark">')
    expect(mine.text).toMatch(/<option selected>Asia\/Taipei/)
    expect((await alice.open('/settings')).text).toContain('<html lang="en">')
  })

  test('offer a language for operators’ pages once it has all of their words, and speak none that has not', async () => {
    const whole = languages.filter(({ code }) =>
      Object.keys(en).every((key) => Object.hasOwn({ en, sv, 'zh-Hant': zhHant }[code], key)),
    )
    expect(wholeLanguages).toEqual(whole)
    const carol = await here.signedIn(here.cast.carol)
    const page = await carol.open('/settings')
    const [{ id } = { id: '' }] = (await listOperators(here.portal.db)).filter(({ name }) => name === 'Carol Analyst')
    const offered = /<select[^>]*name="language"[\s\S]*?<\/select>/.exec(page.text.slice(page.text.indexOf('id="me"')))
    expect(offered !== null).toBe(whole.length > 1)
    for (const { code } of languages) {
      // As an earlier version let her choose.
      await savePreferences(here.portal.db, id, { language: code })
      const spoken = whole.some((one) => one.code === code) ? code : 'en'
      for (const path of ['/', '/customers', '/incidents', '/settings', '/nowhere/at-all']) {
        const shown = await carol.get(path, { 'Accept-Language': 'en' })
        expect([code, path, shown.text]).toEqual([code, path, expect.stringContaining(`<html lang="${spoken}"`)])
      }
    }
  })
})
