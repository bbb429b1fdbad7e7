import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import request, { type Response } from 'supertest'
import { invite } from '../support/consent.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const origins: [string, string | undefined][] = [
  ['http', undefined],
  ['https', 'https://muster.halvard.example'],
]

describe.each(origins)('what a browser keeps of its person over %s', (_scheme, publicUrl) => {
  let here: TestPortal
  const jar = new Map<string, string>()

  beforeAll(async () => {
    here = await startTestPortal('SQLite', publicUrl === undefined ? {} : { config: { publicUrl } })
  })
  afterAll(() => here.close())

  const headers = () => ({
    Accept: 'text/html',
    Host: new URL(here.portal.config.publicUrl).host,
    'Sec-Fetch-Site': 'same-origin',
    Cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
  })

  function keep(answer: Response): Response {
    for (const cookie of (answer.headers['set-cookie'] ?? []) as unknown as string[]) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (/expires=Thu, 01 Jan 1970/i.test(cookie)) jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }

  const get = async (path: string) => keep(await request(here.url).get(path).set(headers()).redirects(0))
  const post = async (page: Response, path: string, fields: Record<string, string> = {}) => {
    const [, token = ''] = new RegExp(`action="${path}"[\\s\\S]*?name="_csrf" value="([^"]+)"`).exec(page.text) ?? []
    const form = { _csrf: token, ...fields }
    return keep(await request(here.url).post(path).set(headers()).type('form').send(form).redirects(0))
  }

  async function signIn(): Promise<void> {
    const left = await post(await get('/sign-in'), '/auth/login')
    const microsoft = here.browser()
    const accounts = await microsoft.open(left.headers.location ?? '')
    const back = new URL((await microsoft.submit(accounts, '/', { account: here.cast.alice.id })).location ?? '')
    expect((await get(back.pathname + back.search)).status).toBe(303)
  }

  test('the theme chosen while signed in is the theme of the pages that know nobody', async () => {
    await signIn()
    expect((await post(await get('/settings'), '/preferences', { theme: 'dark' })).status).toBe(303)
    expect((await post(await get('/settings'), '/auth/logout')).status).toBe(303)
    for (const path of ['/signed-out', '/sign-in', '/nowhere', '/join/unknown']) {
      expect([path, (await get(path)).text]).toEqual([path, expect.stringContaining('data-theme="dark"')])
    }
    await signIn()
    expect((await post(await get('/settings'), '/preferences', { theme: 'auto' })).status).toBe(303)
    await post(await get('/settings'), '/auth/logout')
    expect((await get('/signed-out')).text).not.toContain('data-theme')
  })

  test('the zone is read by the name that pages tell the script to write', async () => {
    const untold = await get('/nowhere')
    const [, name = ''] = /<meta name="zone-cookie" content="([^"]+)">/.exec(untold.text) ?? []
    expect(name.startsWith('__Host-')).toBe(publicUrl !== undefined)
    expect(untold.text).toMatch(/<time[^>]*data-utc/)
    jar.set(name, 'Asia/Taipei')
    expect((await get('/nowhere')).text).not.toMatch(/<time[^>]*data-utc/)
  })

  test('every cookie of ours is bound to this host where people see https, and none elsewhere', async () => {
    await signIn()
    expect(jar.size).toBeGreaterThan(1)
    for (const name of jar.keys()) expect([name, name.startsWith('__Host-')]).toEqual([name, publicUrl !== undefined])
  })
})

describe('a customer’s page that promises to set no cookie before its visitor goes on', () => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal()
  })
  afterAll(() => here.close())

  test('has its script keep none, and learns the zone as he goes on', async () => {
    const { join } = await invite(here)
    const browser = here.browser()
    for (const path of [join, `${join}/not-admin`, '/join/unknown']) {
      expect([path, (await browser.get(path)).text]).toEqual([path, expect.not.stringContaining('zone-cookie')])
    }
    const page = await browser.open(join)
    expect(page.text).toContain('<input data-zone type="hidden" name="zone" disabled>')
    await browser.submit(page, `${join}/attempts`, { zone: 'Asia/Taipei' })
    expect(browser.cookie('tz')).toBe('Asia/Taipei')
  })

  test.each(['', 'Nowhere/Atlantis', '"><script>', 'x'.repeat(100)])(
    'goes on whatever the zone is: %j',
    async (zone) => {
      const { join } = await invite(here)
      const browser = here.browser()
      const left = await browser.submit(await browser.open(join), `${join}/attempts`, { zone })
      expect(left.status).toBe(303)
      expect(left.location).toContain('/adminconsent')
      expect(browser.cookie('tz')).toBeUndefined()
    },
  )
})
