import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type { Simulator } from '../../server/simulator/simulator.ts'
import { appId, consentCallback, customerId, type Stage, stage } from '../support/simulator.ts'
import { inChromium, launchChromium } from './chromium.ts'

inChromium('the simulator’s pages in Chromium', () => {
  let actors: Stage
  let simulator: Simulator
  let chromiumBrowser: Browser
  beforeAll(async () => {
    actors = await stage({ controlPages: true })
    simulator = actors.simulator
    chromiumBrowser = await launchChromium()
  })
  afterAll(async () => {
    await chromiumBrowser.close()
    await simulator.close()
  })

  const consentUrl = () =>
    `${simulator.origin}/organizations/v2.0/adminconsent?${new URLSearchParams({
      client_id: appId,
      redirect_uri: consentCallback,
      scope: 'https://api.security.microsoft.com/.default',
      state: 'st',
    })}`

  test('bring an administrator through consent without scripts, and home with the tenant', async () => {
    const context = await chromiumBrowser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.route('http://localhost:3000/**', (route) => route.fulfill({ body: 'home' }))
    await page.goto(consentUrl())
    await page.getByRole('button', { name: actors.admin }).click()
    await page.getByRole('button', { name: 'Accept' }).click()
    await page.waitForURL('http://localhost:3000/**')
    expect(new URL(page.url()).searchParams.get('tenant')).toBe(customerId)
    await context.close()
  })

  test('change the world from the control page without scripts', async () => {
    const context = await chromiumBrowser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(`${simulator.origin}/_sim`)
    await page.locator(`#t-${customerId}`).getByRole('button', { name: 'Block by Conditional Access' }).click()
    await page.getByRole('status').waitFor()
    expect(simulator.world.tenant(customerId).blockedBy).not.toBeNull()
    await context.close()
  })

  test.each([
    ['light', 390],
    ['dark', 390],
    ['light', 1280],
    ['dark', 1280],
  ] as const)('are clean for axe and fit, %s at %i pixels', async (colorScheme, width) => {
    const context = await chromiumBrowser.newContext({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true })
    const page = await context.newPage()
    for (const visit of [
      () => page.goto(`${simulator.origin}/_sim`),
      () => page.goto(consentUrl()),
      () => page.getByRole('button', { name: actors.admin }).first().click(),
      async () => {
        await page.goto(consentUrl())
        await page.getByRole('button', { name: actors.clerk }).first().click()
      },
      () => page.goto(`${simulator.origin}/organizations/v2.0/adminconsent?client_id=${customerId}`),
    ]) {
      await visit()
      expect(await faults(page)).toEqual([])
    }
    await context.close()
  })
})

/** What axe finds, and whether the page is wider than the window. */
async function faults(page: Page): Promise<string[]> {
  await page.addScriptTag({ content: readFileSync('node_modules/axe-core/axe.min.js', 'utf8') })
  return page.evaluate(`(async () => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'] })
    const wide = document.documentElement.scrollWidth > innerWidth ? ['wider than the window'] : []
    return [...violations.map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 200)), ...wide]
  })()`)
}
