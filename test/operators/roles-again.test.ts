import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { customerNamed, formToken } from '../support/admin.ts'
import type { Browser } from '../support/browser.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const minute = 60_000

onEachEngine('roles are asked for again', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine)
  })
  afterAll(() => here.close())

  /** Time in which a person does something every 20 minutes, by parts of pages: none of them leads away. */
  const minutesLater = async (browser: Browser, minutes: number) => {
    for (let left = minutes; left > 0; left -= 20) {
      here.clock.advance(Math.min(20, left) * minute)
      if (left > 20) await browser.get('/incidents', { 'HX-Request': 'true' })
    }
  }
  const forMicrosoft = /\/oauth2\/v2\.0\/authorize\?.*prompt=none/

  test('from minute 45, unseen, and the person comes back to the same address with her session', async () => {
    const alice = await here.signedIn(here.cast.alice)
    const cookie = alice.cookie('muster')
    await minutesLater(alice, 44)
    expect((await alice.get('/incidents')).status).toBe(200)
    here.clock.advance(2 * minute)
    const left = await alice.get('/incidents?severity=high')
    expect(left.location).toBe(`${alice.origin}/auth/again?returnTo=%2Fincidents%3Fseverity%3Dhigh`)
    const away = await alice.get(left.location ?? '')
    expect(away.location).toMatch(forMicrosoft)
    expect(away.location).toContain(`login_hint=${encodeURIComponent(here.cast.alice.username)}`)
    const back = await alice.follow(away)
    expect([back.status, back.url]).toEqual([200, `${alice.origin}/incidents?severity=high`])
    expect(alice.cookie('muster')).toBe(cookie)
    expect((await alice.get('/incidents')).status).toBe(200)
  })

  test('and what changed at Entra holds from then on, in a new session; without a role there is none', async () => {
    const carol = await here.signedIn(here.cast.carol)
    const cookie = carol.cookie('muster')
    here.cast.carol.appRoles.splice(0, 1, 'Muster.Admin')
    await minutesLater(carol, 46)
    expect((await carol.open('/setup')).status).toBe(200)
    expect(carol.cookie('muster')).not.toBe(cookie)
    here.cast.carol.appRoles.splice(0, 1)
    await minutesLater(carol, 46)
    expect((await carol.open('/incidents')).status).toBe(403)
    expect((await carol.get('/customers')).status).toBe(403)
    here.cast.carol.appRoles.push('Muster.Analyst')
  })

  test('a form after an hour does nothing and keeps what was typed, which can be sent after signing in', async () => {
    const alice = await here.signedIn(here.cast.alice)
    const customer = await customerNamed(here, 'Kept')
    const form = await alice.open(`/customers/${customer.id}/edit`)
    const fields = {
      _csrf: formToken(form),
      name: 'Kept <b> & renamed',
      language: 'sv',
      contactName: '',
      contactEmail: '',
      expected: '',
      groups: '',
      notes: 'two\nlines',
    }
    await minutesLater(alice, 61)
    const answer = await alice.post(`/customers/${customer.id}`, fields)
    expect(answer.status).toBe(401)
    expect(answer.text).toContain('Sign in again')
    expect(answer.text).toMatch(/<textarea name="name" hidden>Kept &lt;b&gt; &amp; renamed<\/textarea>/)
    const nameNow = async () =>
      (await here.portal.db.selectFrom('customers').select('name').where('id', '=', customer.id).execute())[0]?.name
    expect(await nameNow()).toBe('Kept')
    expect((await alice.open('/')).status).toBe(200)
    const again = await alice.post(`/customers/${customer.id}`, { ...fields, _csrf: formToken(answer) })
    expect(again.status).toBe(303)
    expect(await nameNow()).toBe('Kept <b> & renamed')
  })

  test('a part of a page after an hour is not answered, and leaving is', async () => {
    const alice = await here.signedIn(here.cast.alice)
    const token = formToken(await alice.open('/settings'))
    await minutesLater(alice, 61)
    for (const headers of [{ 'HX-Request': 'true' }, { 'X-Muster-Live': '1' }]) {
      expect((await alice.get('/incidents', headers)).status).toBe(401)
    }
    expect((await alice.post('/auth/logout', { _csrf: token })).location).toMatch(/\/signed-out$/)
  })

  test('where Microsoft wants to be answered, the person sees it, and signs in', async () => {
    const bob = await here.signedIn(here.cast.bob)
    await minutesLater(bob, 46)
    // The portal's session in a browser that Microsoft does not know.
    const fresh = here.browser()
    for (const name of bob.cookieNames()) fresh.setCookie(name, bob.cookie(name) ?? '')
    const accounts = await fresh.open('/incidents')
    expect(accounts.text).toContain('Pick an account')
    expect(accounts.url).not.toContain('prompt=')
    expect(accounts.url).toContain('login_hint=')
    const back = await fresh.follow(await fresh.submit(accounts, '/', { account: here.cast.bob.id }))
    expect([back.status, back.url]).toEqual([200, `${fresh.origin}/incidents`])
  })

  test('while Microsoft is away, roles hold one more hour, and every page says until when', async () => {
    const alice = await here.signedIn(here.cast.alice)
    await minutesLater(alice, 46)
    here.simulator.world.setWeather(here.partner.id, 'outage', { surface: '*', status: 503, retryAfter: null })
    const page = await alice.open('/incidents')
    expect(page.status).toBe(200)
    expect(page.text).toContain('Microsoft does not answer')
    await minutesLater(alice, 60)
    expect((await alice.open('/incidents')).text).toContain('You can go on until')
    await minutesLater(alice, 20)
    const over = await alice.open('/incidents')
    expect(over.url).toMatch(/\/sign-in\?returnTo=%2Fincidents$/)
    here.simulator.world.clearWeather(here.partner.id)
  })
})
