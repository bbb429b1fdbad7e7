import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { en } from '../../server/words/en.ts'
import { sv } from '../../server/words/sv.ts'
import { zhHant } from '../../server/words/zh-hant.ts'
import { languages, say } from '../../server/words.ts'
import { answerAtMicrosoft, invite, leave, wordsOf } from '../support/consent.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

describe('the words of a language', () => {
  const catalogues: [string, Record<string, string>][] = [
    ['English', en],
    ['Svenska', sv],
    ['繁體中文', zhHant],
  ]

  test.each([
    ['English', /Enabled for users to sign.in/i, '“Enabled for users to sign-in?”'],
    ['Svenska', /Aktiverat? för användare att logga in/i, '”Aktiverat för användare att logga in?”'],
    ['繁體中文', /使用者啟用登入|使用者登入已啟用/, '「為使用者啟用登入？」'],
  ])('call Microsoft’s switch by one name: %s', (name, switchName, label) => {
    const words = Object.entries(Object.fromEntries(catalogues)[name] ?? {})
    const naming = words.filter(([, message]) => switchName.test(message))
    expect(naming.length).toBeGreaterThanOrEqual(3)
    expect(naming.filter(([, message]) => !message.includes(label))).toEqual([])
  })

  test('in Chinese have one word for your organisation and one for an administrator', () => {
    // Names of Microsoft's roles, its own sentence, and the button behind which it grants.
    const microsoft = /(全域|特殊權限角色|應用程式)管理員|「需要管理員核准」|授與管理員同意/g
    const rest = Object.entries(zhHant).map(([key, message]) => [key, message.replace(microsoft, '')] as const)
    expect(rest.filter(([, message]) => /貴公司|您的組織|(?<!系統)管理員/.test(message))).toEqual([])
  })

  test('in Chinese stand without a space behind a full stop, comma or colon', () => {
    const spaced = Object.entries(zhHant).filter(([, message]) => /[。，：；？、」] /.test(message))
    expect(spaced).toEqual([])
  })

  test('in Swedish are today’s', () => {
    expect(Object.entries(sv).filter(([, message]) => /\bsade\b|\bbands\b|\bej\b|\bskall\b/i.test(message))).toEqual([])
  })
})

describe('a customer’s pages and letter', () => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal('SQLite', { start: new Date('2026-11-30T22:30:00.000Z') })
  })
  afterAll(() => here.close())

  const dates = { en: '14 December 2026', sv: '14 december 2026', 'zh-Hant': '2026年12月14日' }
  const area = (page: string, id: string) => new RegExp(`<textarea[^>]*id="${id}"[^>]*>([^<]*)<`).exec(page)?.[1] ?? ''

  test.each(languages.map(({ code }) => code))(
    'tell the date in one form and ask the same people: %s',
    async (code) => {
      const { customer, join } = await invite(here, { language: code })
      const page = await here.browser().open(`${join}?lang=${code}`)
      const consenters = say(code, 'join.consenters.defender')
      expect(page.text).toMatch(new RegExp(`<time[^>]*>${dates[code]}</time>`))
      expect(page.text).toContain(`<dd>${consenters}</dd>`)
      const forwarded = area(page.text, 'fw')
      const alice = await here.signedIn(here.cast.alice)
      const path = `/customers/${customer.id}`
      const issued = await alice.follow(await alice.submit(await alice.open(path), `${path}/links`, { days: '14' }))
      const letter = area(issued.text, `mail-text-${code}`)
      for (const text of [forwarded, letter]) {
        expect(text).toContain(dates[code])
        expect(text).toContain(consenters)
        expect(text).not.toMatch(/\d{4}-\d\d-\d\d|UTC/)
      }
    },
  )

  test('in Chinese never break a title inside 貴組織, and put no space between sentences', async () => {
    const { join } = await invite(here)
    const page = await here.browser().open(`${join}?lang=zh-Hant`)
    const [, title = ''] = /<h1>(.*?)<\/h1>/s.exec(page.text) ?? []
    expect(title).toContain('<span class="nowrap">貴組織</span>')
    expect(page.text).not.toMatch(/[。，：] +(\S)/)
    const css = await here.browser().get(/href="(\/[^"]*muster\.css)"/.exec(page.text)?.[1] ?? '')
    expect(css.text).toMatch(/\.nowrap \{ white-space: nowrap/)
  })

  test('never say that the next try is in 0 s', async () => {
    const { world } = here.simulator
    const invited = await invite(here, { pinned: true })
    world.behaviour.propagationMs = 3_600_000
    const browser = here.browser()
    const page = await browser.follow(await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin))
    const soon = new Date(here.portal.now().getTime() + 900).toISOString()
    await here.portal.db
      .updateTable('tenants')
      .set({ next_check_at: soon })
      .where('tenant_id', '=', invited.tenant.id)
      .execute()
    const words = wordsOf(await browser.open(page.url))
    expect(words).toContain(say('en', 'join.step.trying'))
    expect(words).not.toMatch(/\b0 s\b/)
  })
})
