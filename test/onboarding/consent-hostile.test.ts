import { createHash } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { listAudit } from '../../server/store/audit.ts'
import { mostAttempts } from '../../server/store/onboarding/attempt-room.ts'
import { openReviews } from '../../server/store/onboarding/reviews.ts'
import { listTenants } from '../../server/store/tenants/tenants.ts'
import { formToken } from '../support/admin.ts'
import { Browser } from '../support/browser.ts'
import {
  answerAtMicrosoft,
  asked,
  boundTo,
  invite,
  leave,
  ownerOf,
  runsOf,
  stateOf,
  walk,
  wordsOf,
  work,
} from '../support/consent.ts'
import { dumpOf } from '../support/database-dump.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const someTenant = '11111111-aaaa-4bbb-8ccc-0123456789ab'
/** What differs from page to page whoever asks. */
const steady = (text: string) => text.replace(/<span class="mono">[\w-]{12}<\/span>/g, '')

onEachEngine('the consent callback', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine, { config: { trustProxy: ['loopback'] } })
  })
  afterAll(() => here.close())

  let client = 0
  /** Each from an address of its own, so that the limit by address is not what refuses it. */
  const from = () => ({ 'X-Forwarded-For': `198.51.${Math.floor(++client / 250) % 250}.${client % 250}` })
  const callback = (query: string, browser = here.browser()) => browser.get(`/consent/callback${query}`, from())

  const traces = async () => ({
    tenants: (await listTenants(here.portal.db)).map(({ tenantId, customerId }) => [tenantId, customerId]),
    reviews: (await openReviews(here.portal.db)).map(({ id }) => id),
    newest: (await listAudit(here.portal.db, { limit: 1 }))[0]?.id,
  })

  const forged: [string, string][] = [
    ['without anything', ''],
    ['with a guessed state', `?admin_consent=True&tenant=${someTenant}&state=guess`],
    ['with a state of the right shape', `?admin_consent=True&tenant=${someTenant}&state=${'A'.repeat(43)}`],
    ['without a state', `?admin_consent=True&tenant=${someTenant}`],
    ['with an empty state', `?admin_consent=True&tenant=${someTenant}&state=`],
    ['with a code', `?code=stolen&state=${'B'.repeat(43)}`],
    ['with a refusal', `?error=access_denied&error_description=AADSTS65004&state=${'C'.repeat(43)}`],
    ['with a repeated tenant', `?admin_consent=True&tenant=${someTenant}&tenant=${someTenant}&state=x`],
    ['with a repeated state', `?admin_consent=True&tenant=${someTenant}&state=x&state=y`],
    ['with brackets', `?admin_consent=True&tenant[]=${someTenant}&state[]=x`],
    ['with an object', `?admin_consent=True&tenant[$ne]=x&state[__proto__]=x`],
    ['with a tenant that is no ID', '?admin_consent=True&tenant=../../common&state=x'],
    ['with the consumers’ tenant', '?admin_consent=True&tenant=9188040d-6c67-4c5b-b112-36a304b66dad&state=x'],
    ['with all zeros', '?admin_consent=True&tenant=00000000-0000-0000-0000-000000000000&state=x'],
    ['with admin_consent=False', `?admin_consent=False&tenant=${someTenant}&state=x`],
    ['with markup', `?admin_consent=True&tenant=${someTenant}&state=%3Cscript%3Ealert(1)%3C/script%3E`],
    ['with markup in the error', '?error=%3Cimg%20src=x%20onerror=alert(1)%3E&error_description=%3Cscript%3E&state=x'],
    ['with a long state', `?admin_consent=True&tenant=${someTenant}&state=${'x'.repeat(5_000)}`],
    ['with broken escapes', `?admin_consent=True&tenant=${someTenant}&state=%E0%A4%A`],
  ]

  test('answers every forgery alike, keeps nothing of it, and asks Microsoft nothing', async () => {
    const [before, calls] = [await traces(), asked(here).length]
    const pages = []
    for (const [, query] of forged) pages.push(await callback(query))
    for (const [index, page] of pages.entries()) {
      expect([forged[index]?.[0], page.status]).toEqual([forged[index]?.[0], 400])
      expect(steady(page.text)).toBe(steady(pages[0]?.text ?? ''))
      expect(page.headers['set-cookie']).toBeUndefined()
      expect(page.headers['cache-control']).toBe('no-store')
      expect(page.headers['referrer-policy']).toBe('no-referrer')
      expect(page.location).toBeNull()
    }
    expect(wordsOf(pages[0] as never)).toContain('This page is no longer valid')
    expect(await traces()).toEqual(before)
    expect(asked(here)).toHaveLength(calls)
  })

  test('is as unmoved by a thousand of them', async () => {
    const [before, calls] = [await traces(), asked(here).length]
    const statuses = new Set<number>()
    const state = (n: number) => createHash('sha256').update(`${n}`).digest('base64url')
    for (let n = 0; n < 1000; n += 50) {
      const sent = Array.from({ length: 50 }, (_, k) =>
        fetch(
          `${here.portal.config.publicUrl}/consent/callback?admin_consent=True&tenant=${someTenant}&state=${state(n + k)}`,
          { headers: { accept: 'application/json', ...from() } },
        ),
      )
      for (const answer of await Promise.all(sent)) {
        statuses.add(answer.status)
        expect(await answer.json()).toMatchObject({ error: { code: 'CONSENT_NOT_YOURS' } })
      }
    }
    expect([...statuses]).toEqual([400])
    expect(await traces()).toEqual(before)
    expect(asked(here)).toHaveLength(calls)
  })

  test('reads no 200 kB', async () => {
    const before = await traces()
    const { port } = new URL(here.url)
    const status = await new Promise<number>((resolve) => {
      const sent = httpRequest(
        { host: '127.0.0.1', port, path: `/consent/callback?state=${'x'.repeat(200_000)}` },
        (answer) => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        },
      )
      sent.on('error', () => resolve(0))
      sent.end()
    })
    expect([0, 400, 414, 431]).toContain(status)
    expect(await traces()).toEqual(before)
  })

  test('counts one address, and refuses it in time', async () => {
    const statuses: number[] = []
    while (statuses.length < 1_300) {
      const sent = Array.from({ length: 100 }, () =>
        fetch(`${here.portal.config.publicUrl}/consent/callback?state=x`, {
          headers: { accept: 'application/json', 'X-Forwarded-For': '203.0.113.9' },
        }).then(async (answer) => {
          await answer.text()
          return answer.status
        }),
      )
      statuses.push(...(await Promise.all(sent)))
    }
    expect(new Set(statuses)).toEqual(new Set([400, 429]))
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(100)
  })

  test('does nothing for a browser that did not set out', async () => {
    const invited = await invite(here, { pinned: true })
    const browser = here.browser()
    const left = await leave(browser, invited)
    const back = await answerAtMicrosoft(browser, left, invited.admin)
    const query = new URL(back.location ?? '').search
    const stranger = here.browser()
    await leave(stranger, await invite(here))
    for (const other of [here.browser(), stranger]) {
      const page = await callback(query, other)
      expect(page.status).toBe(400)
      expect(page.text).not.toContain(invited.customer.name)
    }
    expect(await boundTo(here, invited)).toEqual([])
    // Nothing was consumed: the browser it belongs to still arrives.
    expect(wordsOf(await browser.follow(back))).toContain('We are checking with Microsoft')
    await work(here)
    expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
  })

  test('keeps what came back through another browser for an operator, a few times at most', async () => {
    const invited = await invite(here)
    const state = stateOf(await leave(here.browser(), invited))
    for (let n = 0; n < 30; n++) {
      const claimed = `11111111-aaaa-4bbb-8ccc-${String(n).padStart(12, '0')}`
      await callback(`?admin_consent=True&tenant=${claimed}&state=${state}`)
    }
    const reviews = await openReviews(here.portal.db, invited.customer.id)
    expect(reviews).toHaveLength(10)
    expect(new Set(reviews.map(({ kind }) => kind))).toEqual(new Set(['unclaimed']))
  })

  test('lets of 50 returns with one state exactly one through', async () => {
    const invited = await invite(here, { pinned: true })
    const browser = here.browser()
    const back = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
    const query = new URL(back.location ?? '').search
    const pages = await Promise.all(Array.from({ length: 50 }, () => callback(query, browser)))
    expect(new Set(pages.map(({ status, location }) => `${status} ${location}`)).size).toBe(1)
    expect(pages[0]?.status).toBe(303)
    await work(here)
    const bound = await listAudit(here.portal.db, { customerId: invited.customer.id, limit: 100 })
    expect(bound.filter(({ action }) => action === 'consent.claimed')).toHaveLength(1)
    expect(bound.filter(({ action }) => action === 'tenant.bound')).toHaveLength(1)
    expect(bound.filter(({ action }) => action === 'link.completed')).toHaveLength(1)
    expect(bound.filter(({ action }) => action === 'tenant.check-requested')).toHaveLength(0)
  })

  test('makes of 50 returns of one classic link in one browser one run', async () => {
    const invited = await invite(here)
    const state = new URL(invited.classicUrl).searchParams.get('state')
    const browser = here.browser()
    await browser.get(`/consent/callback?error=access_denied&state=${state}`, from())
    const pages = await Promise.all(Array.from({ length: 50 }, () => callback(`?code=x&state=${state}`, browser)))
    expect(pages.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 303))
    expect(pages.filter(({ location }) => location?.includes('/authorize'))).toHaveLength(1)
    expect((await runsOf(here, invited)).map(({ outcome }) => outcome).sort()).toEqual(['declined', 'proving-tenant'])
  })

  test('keeps of 200 returns of one classic link in as many browsers no more than its bound, and binds nothing', async () => {
    const invited = await invite(here, { pinned: true })
    const state = new URL(invited.classicUrl).searchParams.get('state')
    const calls = asked(here).length
    for (let n = 0; n < 20; n++) {
      await Promise.all(Array.from({ length: 10 }, () => callback(`?code=x&state=${state}`)))
    }
    expect((await runsOf(here, invited)).length).toBeLessThanOrEqual(mostAttempts.link)
    expect(asked(here)).toHaveLength(calls)
    await work(here)
    expect(await boundTo(here, invited)).toEqual([])
  })

  test('shows the same page again when the address is loaded again, and changes nothing', async () => {
    const invited = await invite(here)
    const browser = here.browser()
    const left = await leave(browser, invited)
    const back = await answerAtMicrosoft(browser, left, invited.admin)
    const silent = await browser.get(back.location ?? '')
    const proof = await browser.get(silent.location ?? '')
    const page = await browser.follow(proof)
    const before = await traces()
    for (const address of [back.location, proof.location]) {
      const again = await browser.follow(await browser.get(address ?? '', from()))
      expect(again.url).toBe(page.url)
    }
    here.clock.advance(2 * 3_600_000)
    for (const address of [back.location, proof.location]) {
      expect((await browser.follow(await browser.get(address ?? '', from()))).url).toBe(page.url)
    }
    expect(await traces()).toEqual(before)
  })

  test('keeps nothing of a finished run that is replayed elsewhere, now or later', async () => {
    const invited = await invite(here, { pinned: true })
    const browser = here.browser()
    const back = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
    await browser.follow(back)
    const { search } = new URL(back.location ?? '')
    const before = await traces()
    for (let hours = 0; hours < 2; hours++) {
      for (const query of [search, search.replace(invited.tenant.id, someTenant)]) {
        expect((await callback(query)).status).toBe(400)
      }
      here.clock.advance(2 * 3_600_000)
    }
    expect(await traces()).toEqual(before)
  })

  test('takes any error for a refusal, whatever stands beside it', async () => {
    for (const extra of ['', '&tenant=T', '&admin_consent=True', '&tenant=T&admin_consent=True', '&code=x&tenant=T']) {
      const invited = await invite(here, { pinned: true })
      const browser = here.browser()
      const state = stateOf(await leave(browser, invited))
      const query = `?error=access_denied${extra.replace('T', invited.tenant.id)}&state=${state}`
      await browser.follow(await callback(query, browser))
      expect([extra, (await runsOf(here, invited))[0]?.outcome]).toEqual([extra, 'declined'])
      expect(await boundTo(here, invited)).toEqual([])
    }
  })

  test('lets only a clean success through', async () => {
    const dirty = [
      'admin_consent=False&tenant=T',
      'tenant=T',
      'admin_consent=&tenant=T',
      'admin_consent=True',
      'admin_consent=1&tenant=T',
    ]
    for (const query of dirty) {
      const invited = await invite(here, { pinned: true })
      const browser = here.browser()
      const state = stateOf(await leave(browser, invited))
      const address = `?${query.replace('T', invited.tenant.id)}&state=${state}`
      expect([query, (await callback(address)).status]).toEqual([query, 400])
      const page = await browser.follow(await callback(address, browser))
      expect([query, wordsOf(page).includes('One step is missing')]).toEqual([query, true])
      await work(here)
      expect(await boundTo(here, invited)).toEqual([])
      expect(await openReviews(here.portal.db, invited.customer.id)).toEqual([])
    }
  })

  test('keeps a mangled return of a browser that had set out', async () => {
    const invited = await invite(here)
    const browser = here.browser()
    await leave(browser, invited)
    const page = await browser.follow(
      await callback(`?admin_consent=True&tenant=${someTenant}&state=cut-short`, browser),
    )
    expect(wordsOf(page)).toContain('One step is missing')
    expect(await openReviews(here.portal.db, invited.customer.id)).toMatchObject([
      { kind: 'mangled', evidence: 'callback', tenantId: someTenant },
    ])
    expect(await boundTo(here, invited)).toEqual([])
  })

  test('shows a run to its own browser alone', async () => {
    const invited = await invite(here, { pinned: true })
    const browser = here.browser()
    const page = await walk(browser, invited)
    const stranger = here.browser()
    await leave(stranger, await invite(here))
    const answers = [await here.browser().get(page.url), await stranger.get(page.url)]
    answers.push(await stranger.get('/consent/00000000-0000-4000-8000-000000000000'))
    answers.push(await callback('?state=x'))
    for (const answer of answers) {
      expect(answer.status).toBe(400)
      expect(steady(answer.text)).toBe(steady(answers[0]?.text ?? ''))
      expect(answer.text).not.toContain(invited.customer.name)
    }
    const start = await stranger.open((await invite(here)).join)
    const form = /name="_csrf" value="([^"]+)"/.exec(start.text)?.[1] ?? ''
    const again = await stranger.post(`${new URL(page.url).pathname}/attempts`, { _csrf: form })
    expect(again.status).toBe(403)
  })

  test('asks nothing of Microsoft for a sign-in return that began nowhere', async () => {
    const browser = here.browser()
    await leave(browser, await invite(here))
    const calls = asked(here).length
    for (const visitor of [browser, here.browser()]) {
      const page = await visitor.get(`/consent/callback?code=stolen&state=${'D'.repeat(43)}`, from())
      expect(page.status).toBe(400)
    }
    expect(asked(here)).toHaveLength(calls)
  })

  test('binds nothing when the cookie of the proof is gone, and says how to go on', async () => {
    const invited = await invite(here)
    const browser = here.browser()
    const back = await answerAtMicrosoft(browser, await leave(browser, invited), invited.admin)
    const proof = await browser.get((await browser.get(back.location ?? '')).location ?? '')
    const forgetful = here.browser()
    forgetful.setCookie('muster-customer', browser.cookie('muster-customer') ?? '')
    const calls = asked(here).length
    const page = await forgetful.follow(await forgetful.get(proof.location ?? ''))
    expect(wordsOf(page)).toContain('One step is missing')
    expect(asked(here)).toHaveLength(calls)
    expect(await boundTo(here, invited)).toEqual([])
    expect(await ownerOf(here, invited.tenant.id)).toBeNull()
  })

  test('leaves no token, state or cookie in the database, the log or a page', async () => {
    const [pinned, unpinned] = [await invite(here, { pinned: true }), await invite(here)]
    const browser = here.browser()
    const secrets: string[] = []
    const pages: string[] = []
    for (const invited of [pinned, unpinned]) {
      const left = await leave(browser, invited)
      const back = await answerAtMicrosoft(browser, left, invited.admin)
      const second = await browser.get(back.location ?? '')
      secrets.push(invited.join.slice('/join/'.length), stateOf(left))
      if (invited === unpinned) {
        const sent = new URL(second.location ?? '').searchParams
        secrets.push(stateOf(second), sent.get('nonce') ?? '')
        const returned = await browser.get(second.location ?? '')
        secrets.push(new URL(returned.location ?? '').searchParams.get('code') ?? '')
        pages.push((await browser.follow(returned)).text)
      } else pages.push((await browser.follow(second)).text)
    }
    secrets.push(browser.cookie('muster-customer') ?? '', new URL(pinned.classicUrl).searchParams.get('state') ?? '')
    expect(secrets.every((secret) => secret.length >= 20)).toBe(true)
    const places = { database: await dumpOf(here.portal.db), log: JSON.stringify(here.lines), pages: pages.join() }
    expect(places.database).toContain(pinned.customer.id)
    for (const secret of secrets) {
      for (const [place, text] of Object.entries(places)) expect([place, text.includes(secret)]).toEqual([place, false])
    }
  })

  describe('on the way out', () => {
    test('sends nothing to Microsoft that a visitor could have chosen', async () => {
      const invited = await invite(here, { pinned: true })
      const browser = here.browser()
      const landing = await browser.open(`${invited.join}?client_id=evil&redirect_uri=https://evil.example&scope=evil`)
      const left = await browser.submit(landing, `${invited.join}/attempts`)
      const sent = new URL(left.location ?? '')
      expect(sent.origin).toBe(here.simulator.origin)
      expect(sent.pathname).toBe(`/${invited.tenant.id}/v2.0/adminconsent`)
      expect(Object.fromEntries(sent.searchParams)).toEqual({
        client_id: here.portal.config.app.clientId,
        redirect_uri: `${here.portal.config.publicUrl}/consent/callback`,
        scope: 'https://api.security.microsoft.com/.default',
        state: stateOf(left),
      })
      expect(stateOf(left)).toMatch(/^[\w-]{43}$/)
      expect(invited.join).not.toContain(stateOf(left))
    })

    test('gives a cookie that scripts and other sites cannot use', async () => {
      const left = await leave(here.browser(), await invite(here))
      const cookies = (left.headers['set-cookie'] ?? []) as unknown as string[]
      expect(cookies.length).toBeGreaterThan(0)
      for (const cookie of cookies) expect(cookie).toMatch(/HttpOnly.*SameSite=Lax/i)
    })

    test('gives it the name that only https and this host can set, where people see https', async () => {
      const there = await startTestPortal(engine, { config: { publicUrl: 'https://muster.example' } })
      try {
        const invited = await invite(there)
        const browser = new Browser(there.url)
        const host = { Host: 'muster.example' }
        const page = await browser.get(invited.join, host)
        const token = /action="[^"]*attempts"><input type="hidden" name="_csrf" value="([^"]+)"/.exec(page.text)?.[1]
        const left = await browser.post(`${invited.join}/attempts`, { _csrf: token ?? '' }, host)
        expect(left.status).toBe(303)
        expect(new URL(left.location ?? '').searchParams.get('redirect_uri')).toBe(
          'https://muster.example/consent/callback',
        )
        const cookies = (left.headers['set-cookie'] ?? []) as unknown as string[]
        expect(cookies.length).toBeGreaterThan(0)
        for (const cookie of cookies) {
          expect(cookie).toMatch(
            /^__Host-muster-[\w-]+=[\w.-]+; Max-Age=\d+; Path=\/;.*HttpOnly; Secure; SameSite=Lax$/,
          )
        }
      } finally {
        await there.close()
      }
    })

    test('takes no form of another site, and none without its token', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const page = await browser.open(invited.join)
      const token = /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
      const action = `${invited.join}/attempts`
      const refused = [
        await browser.post(action, { _csrf: token }, { 'Sec-Fetch-Site': 'cross-site' }),
        await browser.post(action, { _csrf: token }, { 'Sec-Fetch-Site': '', Origin: 'https://evil.example' }),
        await browser.post(action, {}),
        await browser.post(action, { _csrf: 'made.up' }),
      ]
      expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403])
      expect(await runsOf(here, invited)).toEqual([])
    })

    test('takes no token of the right length in letters that are not ASCII, on any public form', async () => {
      const invited = await invite(here)
      const browser = here.browser()
      const page = await browser.open(invited.join)
      const expires = formToken(page).split('.')[0] ?? ''
      for (const action of [`${invited.join}/attempts`, `${invited.join}/opening`, '/auth/login']) {
        for (const letters of [`${'a'.repeat(42)}é`, '界'.repeat(43), `${'a'.repeat(42)}\0`, '\ud800'.repeat(43), '']) {
          for (const _csrf of [`x.${letters}`, `${expires}.${letters}`]) {
            expect([action, letters, (await browser.post(action, { _csrf })).status]).toEqual([action, letters, 403])
          }
        }
      }
      expect(here.takeErrors()).toEqual([])
    })
  })
})
