import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { write } from '../../server/store/engine/write.ts'
import { findLinkByToken, getLink, withdrawLink } from '../../server/store/onboarding/links.ts'
import { confirmPermissions } from '../../server/store/partner/asked-permissions.ts'
import { changeSettings, readSettings, type Settings } from '../../server/store/partner/settings.ts'
import { languages } from '../../server/words.ts'
import type { Page } from '../support/browser.ts'
import { alice, answerAtMicrosoft, connect, invite, leave, runsOf, stateOf, walk, wordsOf } from '../support/consent.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

onEachEngine('the page behind a consent link', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine, { config: { trustProxy: ['loopback'] } })
    const roles = ['Incident.Read.All']
    await write(here.portal.db, (tx) =>
      confirmPermissions(tx, alice, { asked: roles, known: roles }, here.portal.now()),
    )
  })
  afterAll(() => here.close())

  const opened = async (linkId: string) => (await getLink(here.portal.db, linkId)).openedCount

  test('says who asks, for whom, for what, and how to take it back', async () => {
    const invited = await invite(here, { pinned: true, name: 'Norrsken Kommunal Energi AB' })
    const text = wordsOf(await here.browser().open(invited.join))
    expect(text).toContain('Halvard Security AB asks to read the security incidents in your Microsoft 365')
    expect(text).toContain('Norrsken Kommunal Energi AB')
    expect(text).toContain(invited.tenant.domains[1])
    expect(text).toContain('Application Administrator')
    expect(text).toContain('Microsoft Threat Protection · Incident.Read.All')
    expect(text).toContain('Change, close or delete an incident')
    expect(text).toContain(here.portal.config.app.clientId)
    expect(text).toContain(here.portal.config.publicUrl)
    expect(text).toContain((await getLink(here.portal.db, invited.linkId)).reference)
  })

  test('names the roles that can consent, which differ by API', async () => {
    const there = await startTestPortal(engine, { config: { incidentsApi: 'graph' } })
    try {
      const text = wordsOf(await there.browser().open((await invite(there)).join))
      expect(text).toContain('A Global Administrator or Privileged Role Administrator ')
      expect(text).not.toContain('Application Administrator')
      expect(text).toContain('Microsoft Graph · SecurityIncident.Read.All')
    } finally {
      await there.close()
    }
  })

  test('leaves out what the partner has not filled in, and shows what it has', async () => {
    const invited = await invite(here)
    const introduced = await readSettings(here.portal.db)
    const unnamed = { partnerName: '', contactPhone: '' }
    await changeSettings(here.portal.db, alice, unnamed, here.portal.now())
    const empty = wordsOf(await here.browser().open(invited.join))
    expect(empty).not.toMatch(/Who asks|Your contact|Where|Who sees it|Data protection/)
    expect(empty).toContain('A closed incident: 365 days after its last change.')
    const settings = {
      partnerName: 'Halvard Security',
      partnerTagline: 'Security operations',
      contactName: 'Ines Lindqvist',
      contactPhone: '+46 8 555 001 00',
      contactEmail: 'ines@halvard.example',
      dataLocation: 'Stockholm, Sweden',
      dataRetention: 'As our contract says, section 7',
      dataReaders: 'Nine named analysts',
      privacyUrl: 'https://halvard.example/privacy',
      appName: 'Halvard SOC Connector',
    }
    await changeSettings(here.portal.db, alice, settings, here.portal.now())
    const page = await here.browser().open(invited.join)
    const { partnerTagline, contactPhone, privacyUrl, ...shown } = settings
    for (const value of [partnerTagline, contactPhone, ...Object.values(shown)]) expect(wordsOf(page)).toContain(value)
    expect(page.text).toContain('href="tel:+46855500100"')
    expect(page.text).toContain(`href="${privacyUrl}"`)
    await changeSettings(
      here.portal.db,
      alice,
      { privacyUrl: 'javascript:alert(1)', contactPhone: 'ext. <b>4</b>' },
      here.portal.now(),
    )
    const hostile = await here.browser().open(invited.join)
    expect(hostile.text).not.toMatch(/javascript:|href="tel:|<b>4/)
    await changeSettings(here.portal.db, alice, introduced, here.portal.now())
  })

  test('starts nothing and sets no cookie however often it is fetched', async () => {
    const invited = await invite(here)
    const browser = here.browser()
    for (let n = 0; n < 20; n++) {
      const page = await browser.get(invited.join)
      expect(page.status).toBe(200)
      expect(page.headers['set-cookie']).toBeUndefined()
      expect(page.headers['cache-control']).toBe('no-store')
      expect(page.headers['referrer-policy']).toBe('no-referrer')
    }
    const head = await fetch(`${here.portal.config.publicUrl}${invited.join}`, { method: 'HEAD' })
    expect(head.status).toBe(200)
    expect(await runsOf(here, invited)).toEqual([])
    expect(await opened(invited.linkId)).toBe(0)
    expect(wordsOf(await walk(here.browser(), invited))).toContain('We are checking with Microsoft')
  })

  test('counts an opening when its script sees a person, or when one goes on', async () => {
    const [seen, gone] = [await invite(here), await invite(here)]
    const browser = here.browser()
    const told = await browser.submit(await browser.open(seen.join), `${seen.join}/opening`)
    expect(told.status).toBe(204)
    expect(told.headers['set-cookie']).toBeUndefined()
    expect(await opened(seen.linkId)).toBe(1)
    expect(await runsOf(here, seen)).toEqual([])
    await leave(here.browser(), gone)
    expect(await opened(gone.linkId)).toBe(1)
    expect((await browser.post(`${seen.join}/opening`, {})).status).toBe(403)
    expect(await opened(seen.linkId)).toBe(1)
  })

  test('is shown again, in the language it was read in, when its form was open for more than a day', async () => {
    const invited = await invite(here, { language: 'zh-Hant' })
    const browser = here.browser()
    const [own, chosen] = [await browser.open(invited.join), await browser.open(`${invited.join}?lang=sv`)]
    here.clock.advance(25 * 3_600_000)
    for (const [page, lang, text] of [
      [own, 'zh-Hant', '此頁面已開啟超過一天'],
      [chosen, 'sv', 'Sidan hade varit öppen i mer än ett dygn'],
    ] as const) {
      const back = await browser.submit(page, `${invited.join}/attempts`)
      expect(back.status).toBe(303)
      const again = await browser.follow(back)
      expect(new URL(again.url).pathname).toBe(invited.join)
      expect(again.text).toContain(`<html lang="${lang}"`)
      expect(wordsOf(again)).toContain(text)
      expect(await runsOf(here, invited)).toEqual([])
    }
    const fresh = await browser.open(`${invited.join}?lang=sv`)
    const left = await browser.submit(fresh, `${invited.join}/attempts`)
    expect(left.location).toContain('/adminconsent')
  })

  test('of a run leads back to the run when it was open for more than a day', async () => {
    const invited = await invite(here, { pinned: true })
    const browser = here.browser()
    const state = stateOf(await leave(browser, invited))
    const page = await browser.open(`/consent/callback?error=server_error&state=${state}`)
    const [run] = await runsOf(here, invited)
    here.clock.advance(25 * 3_600_000)
    const back = await browser.submit(page, `/consent/${run?.id}/attempts`)
    expect([back.status, new URL(back.location ?? '').pathname]).toEqual([303, `/consent/${run?.id}`])
    const again = await browser.submit(await browser.follow(back), `/consent/${run?.id}/attempts`)
    expect(again.location).toContain('/adminconsent')
  })

  describe('that opens nothing', () => {
    const unknown = `/join/${'x'.repeat(43)}`

    test.each([
      ['unknown', async () => unknown, 404],
      ['cut short', async () => unknown.slice(0, 30), 404],
      ['hostile', async () => '/join/%3Cscript%3E%27%22', 404],
      [
        'withdrawn',
        async () => {
          const invited = await invite(here, { name: 'Canary Ltd' })
          await write(here.portal.db, (tx) => withdrawLink(tx, alice, invited.linkId, here.portal.now()))
          return invited.join
        },
        410,
      ],
      [
        'completed',
        async () => {
          const invited = await invite(here, { name: 'Canary Ltd', pinned: true })
          await connect(here, here.browser(), invited)
          return invited.join
        },
        410,
      ],
      [
        'expired',
        async () => {
          const invited = await invite(here, { name: 'Canary Ltd' })
          here.clock.advance(15 * 86_400_000)
          return invited.join
        },
        410,
      ],
    ])(
      'because it is %s says what to do, whom to turn to and what to name, and nothing of a customer',
      async (why, made, status) => {
        const settings = { contactName: 'Ines Lindqvist', contactEmail: 'ines@halvard.example' }
        await changeSettings(here.portal.db, alice, settings, here.portal.now())
        const join = await made()
        const link = await findLinkByToken(here.portal.db, join.slice('/join/'.length))
        for (const address of [join, `${join}/not-admin`]) {
          const page = await here.browser().get(address)
          expect(page.status).toBe(status)
          expect(wordsOf(page)).toContain('Halvard Security AB')
          expect(wordsOf(page)).toMatch(/ask|Ask|Nothing is left to do/)
          expect(page.text).toContain('href="mailto:ines@halvard.example')
          expect(page.text.includes('Ask for a new link')).toBe(why !== 'completed')
          expect(page.text).not.toMatch(/Canary|<script>'/)
          // Whoever holds a link was told the name before; whoever makes one up is not.
          expect(page.text.includes('Ines Lindqvist')).toBe(link !== null)
          if (link) expect(wordsOf(page)).toContain(`Reference ${link.reference}`)
        }
        await changeSettings(here.portal.db, alice, { contactName: '', contactEmail: '' }, here.portal.now())
      },
    )

    test('is told in the customer’s language, and its letter names the reference', async () => {
      await changeSettings(here.portal.db, alice, { contactEmail: 'ines@halvard.example' }, here.portal.now())
      const invited = await invite(here, { language: 'sv' })
      const page = await here.browser().open(invited.join)
      await write(here.portal.db, (tx) => withdrawLink(tx, alice, invited.linkId, here.portal.now()))
      const { reference } = await getLink(here.portal.db, invited.linkId)
      const browser = here.browser()
      for (const ended of [
        await browser.get(invited.join, { 'Accept-Language': 'zh-TW' }),
        await browser.submit(page, `${invited.join}/attempts`),
      ]) {
        expect(ended.text).toContain('<html lang="sv"')
        expect(ended.text).toContain('Be om en ny länk')
        const subject = new URL(/href="(mailto:[^"]+[?][^"]+)"/.exec(ended.text)?.[1] ?? '').searchParams.get('subject')
        expect(subject).toBe(`En ny länk i stället för ${reference}`)
      }
      await changeSettings(here.portal.db, alice, { contactEmail: '' }, here.portal.now())
    })

    test('as a return that is nobody’s has the contact as well', async () => {
      const page = await here.browser().get('/consent/callback?admin_consent=True&state=made-up')
      expect(page.status).toBe(400)
      expect(page.text).toMatch(/href="(mailto|tel):/)
    })

    test('starts nothing either', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const page = await browser.open(invited.join)
      await write(here.portal.db, (tx) => withdrawLink(tx, alice, invited.linkId, here.portal.now()))
      expect((await browser.submit(page, `${invited.join}/attempts`)).status).toBe(410)
      expect((await browser.submit(page, `${invited.join}/opening`)).status).toBe(410)
      expect(browser.cookieNames()).toEqual([])
      expect(await runsOf(here, invited)).toEqual([])
    })
  })

  describe('with what the partner wrote', () => {
    const nothing = {
      dataLocation: '',
      'dataLocation.sv': '',
      'dataLocation.zh-Hant': '',
      dataReaders: '',
      privacyUrl: '',
    }
    const save = (texts: Partial<Settings>) =>
      changeSettings(here.portal.db, alice, { ...nothing, ...texts }, here.portal.now())
    afterAll(() => save({}))
    const tongueOf = (page: Page, text: string) =>
      new RegExp(`<span lang="([\\w-]+)">${text}</span>`).exec(page.text)?.[1]

    test('speaks of it in the language of the page', async () => {
      const { join } = await invite(here)
      await save({
        dataLocation: 'Stockholm, Sweden',
        'dataLocation.sv': 'I Stockholm',
        'dataLocation.zh-Hant': '斯德哥爾摩',
      })
      for (const [lang, text] of [
        ['en', 'Stockholm, Sweden'],
        ['sv', 'I Stockholm'],
        ['zh-Hant', '斯德哥爾摩'],
      ] as const) {
        const page = await here.browser().open(`${join}?lang=${lang}`)
        expect(tongueOf(page, text)).toBe(lang)
        expect(wordsOf(page)).not.toMatch(/in English|på engelska|英文/)
      }
    })

    test('says in which language it is, where that is another than the page’s', async () => {
      const { join } = await invite(here)
      await save({
        dataLocation: 'Stockholm, Sweden',
        dataReaders: 'Nine analysts',
        privacyUrl: 'https://halvard.example/p',
      })
      const swedish = await here.browser().open(`${join}?lang=sv`)
      expect(swedish.text).toContain('<span lang="en">Stockholm, Sweden</span>')
      expect(wordsOf(swedish)).toContain('Stockholm, Sweden (på engelska)')
      expect(wordsOf(swedish)).toContain('Nine analysts (på engelska)')
      expect(swedish.text).toContain('href="https://halvard.example/p" hreflang="en"')
      expect(wordsOf(await here.browser().open(`${join}?lang=zh-Hant`))).toContain('（英文）')
      await save({ 'dataLocation.sv': 'I Stockholm' })
      expect(wordsOf(await here.browser().open(`${join}?lang=en`))).toContain('I Stockholm (in Swedish)')
    })
  })

  describe('in the reader’s language', () => {
    const titles = {
      en: 'asks to read the security incidents',
      sv: 'ber om att få läsa säkerhetsincidenterna',
      'zh-Hant': '請求讀取貴組織 Microsoft 365 中的資安事件',
    }

    test('is in the customer’s, unless another one is asked for', async () => {
      const invited = await invite(here, { language: 'sv' })
      const page = await here.browser().get(invited.join, { 'Accept-Language': 'zh-TW' })
      expect(page.text).toContain(titles.sv)
      expect(page.text).toContain('<html lang="sv">')
      const chosen = await here.browser().get(`${invited.join}?lang=zh-Hant`)
      expect(chosen.text).toContain(titles['zh-Hant'])
    })

    test('is in the browser’s when the customer has none', async () => {
      const invited = await invite(here, { language: '' })
      const page = await here.browser().get(invited.join, { 'Accept-Language': 'zh-TW,zh;q=0.9' })
      expect(page.text).toContain(titles['zh-Hant'])
    })

    test('goes along to Microsoft and back', async () => {
      const invited = await invite(here, { pinned: true, language: 'en' })
      const browser = here.browser()
      const landing = await browser.open(`${invited.join}?lang=sv`)
      const left = await browser.submit(landing, `${invited.join}/attempts`)
      const page = await browser.follow(await answerAtMicrosoft(browser, left, invited.admin))
      expect(wordsOf(page)).toContain('Vi kontrollerar med Microsoft')
      expect(wordsOf(await browser.open(`${page.url}?lang=zh-Hant`))).toContain('我們正在向 Microsoft 確認')
    })

    test.each(languages.map(({ code }) => code))('says nothing in English that has words in %s', async (lang) => {
      const invited = await invite(here, { pinned: true, name: 'Åäö' })
      const browser = here.browser()
      const pages = [await browser.open(`${invited.join}?lang=${lang}`)]
      pages.push(await browser.open(`${invited.join}/not-admin?lang=${lang}`))
      const declined = await browser.follow(
        await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin, 'cancel'),
      )
      pages.push(await browser.open(`${declined.url}?lang=${lang}`))
      for (const page of pages) {
        expect(page.status).toBe(200)
        if (lang !== 'en') expect(wordsOf(page)).not.toMatch(/\b(the|your|nothing|you)\b/i)
      }
    })
  })
})
