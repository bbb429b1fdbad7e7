import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Request } from 'express'
import { codesPerMinute, createCodeLimit } from '../../server/http/limits.ts'
import { connect, invite, leave, stateOf, wordsOf } from '../support/consent.ts'
import type { TestPortal } from '../support/portal.ts'
import { signIn, startTestPortal } from '../support/portal.ts'

describe('codes that strangers make up', () => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal('SQLite', { config: { trustProxy: ['loopback'] } })
  })
  afterAll(() => here.close())

  const tokensAsked = () => here.simulator.requests.filter(({ path }) => path.endsWith('/oauth2/v2.0/token')).length
  const from = (n: number) => ({ 'X-Forwarded-For': `100.64.7.${n}` })

  test('have a bound for each address, at an operator’s sign-in; what is beyond it spends nothing, and others go on', async () => {
    const before = tokensAsked()
    const pages = []
    for (let n = 0; n < codesPerMinute.address + 10; n++) {
      const browser = here.browser()
      browser.always = from(1)
      const left = await browser.submit(await browser.open('/sign-in'), '/auth/login')
      pages.push({ browser, page: await browser.get(`/auth/callback?code=made-up&state=${stateOf(left)}`) })
    }
    expect(pages.filter(({ page }) => page.status === 429)).toHaveLength(10)
    expect(tokensAsked() - before).toBe(codesPerMinute.address)
    const { spent } = await here.portal.db
      .selectFrom('spent_tokens')
      .select(({ fn }) => fn.countAll<number>().as('spent'))
      .executeTakeFirstOrThrow()
    expect(Number(spent)).toBe(codesPerMinute.address)
    const other = here.browser()
    other.always = from(2)
    expect((await signIn(other, here.cast.bob)).url).toBe(`${other.origin}/`)
  })

  test('have the same one at the sign-in that proves a tenant', async () => {
    const invited = await invite(here)
    const before = tokensAsked()
    const refused = []
    for (let n = 0; n < codesPerMinute.address + 5; n++) {
      const browser = here.browser()
      browser.always = from(3)
      const left = await leave(browser, invited)
      const claim = `admin_consent=True&tenant=${invited.tenant.id}&state=${stateOf(left)}`
      const silent = await browser.get(`/consent/callback?${claim}`)
      const page = await browser.get(`/consent/callback?code=made-up&state=${stateOf(silent)}`)
      if (page.status === 429) refused.push(page)
    }
    expect(refused).toHaveLength(5)
    expect(tokensAsked() - before).toBeLessThanOrEqual(codesPerMinute.address)
    const browser = here.browser()
    browser.always = from(4)
    expect(wordsOf(await connect(here, browser, invited))).toContain('Done. Access works')
  })

  test('have a bound for all addresses together, of which an address beyond its own takes nothing', async () => {
    const count = createCodeLimit()
    const request = (address: string) => ({ ip: address, socket: { remoteAddress: address } }) as unknown as Request
    const taken = async (address: string) =>
      count(request(address)).then(
        () => true,
        ({ code }: { code: string }) => code !== 'TOO_MANY_REQUESTS',
      )
    for (let n = 0; n < 500; n++) await taken('203.0.113.1')
    let passed = codesPerMinute.address
    for (let n = 0; n < 1_000; n++) if (await taken(`198.51.${n >> 8}.${n & 255}`)) passed++
    expect(passed).toBe(codesPerMinute.all)
  })
})
