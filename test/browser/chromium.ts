import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** CHROMIUM_PATH, or the first Chromium on the PATH. */
const chromiumPath = [
  process.env.CHROMIUM_PATH,
  ...(process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name))),
].find((path) => path !== undefined && path !== '' && existsSync(path))

/**
 * Tests that need a Chromium. Where there is none they are skipped and say so by name; in CI they fail, because there
 * nothing may be left out.
 */
export function inChromium(title: string, tests: () => void): void {
  if (chromiumPath) {
    describe(title, tests)
    return
  }
  const why = `${title} (no Chromium found: install one, or set CHROMIUM_PATH)`
  if (!process.env.CI) describe.skip(why, tests)
  else
    test(why, () => {
      throw new Error('no Chromium found')
    })
}

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath ?? '', args: ['--no-sandbox', '--disable-background-networking'] })

/** What a browser of one person met and nobody should meet: dialogs, errors, and what the policy of a page stopped. */
export interface Witness {
  context: BrowserContext
  page: Page
  /** What was met since the last call. */
  takeFaults(): string[]
}

/**
 * A browser nobody used before, which notes whatever a person at the console would see. Pages that answer with a status
 * of 400 or more on purpose are no fault; anything else that could not be loaded is.
 */
export async function openContext(browser: Browser, options: BrowserContextOptions = {}): Promise<Witness> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    ...options,
  })
  const faults: string[] = []
  const documents = new Set<string>()
  context.on('request', (request) => {
    if (request.isNavigationRequest()) documents.add(request.url())
  })
  context.on('console', (message) => {
    const { url } = message.location()
    const expected = message.text().startsWith('Failed to load resource') && documents.has(url)
    if (!expected && ['error', 'warning'].includes(message.type())) faults.push(`${url}: ${message.text()}`)
  })
  context.on('weberror', (error) => {
    faults.push(`${error.page()?.url()}: ${error.error().message}`)
  })
  context.on('dialog', (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return { context, page: await context.newPage(), takeFaults: () => faults.splice(0) }
}

/** From the sign-in page, by way of Microsoft, to wherever that leads. */
export async function signInAs(page: Page, origin: string, name: string, start = '/sign-in'): Promise<void> {
  await page.goto(origin + start)
  await page.getByRole('button', { name: 'Sign in with Microsoft' }).click()
  await page.getByRole('button', { name }).first().click()
  await page.waitForURL((url) => url.origin === origin)
}

const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8')
const everyRule = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice']

/** What axe finds on the page as it stands. The page's own policy stays in force: the source comes by the debugger. */
async function axeFaults(page: Page, runOnly: readonly string[]): Promise<string[]> {
  return page.evaluate(`(async () => {
    if (!window.axe) { ${axe} }
    const { violations } = await axe.run(document, { runOnly: ${JSON.stringify(runOnly)}, resultTypes: ['violations'] })
    return violations.flatMap(({ id, nodes }) => nodes.slice(0, 3).map((node) => id + ': ' + node.html.slice(0, 200)))
  })()`)
}

/** By how many pixels the page is wider than the window, and the first element that sticks out. */
async function widthFaults(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth <= clientWidth) return []
    const scrolls = (one) => one && (getComputedStyle(one).overflowX !== 'visible' || scrolls(one.parentElement))
    const wide = [...document.querySelectorAll('main *')].find(
      (one) => one.getBoundingClientRect().right > clientWidth + 1 && !scrolls(one),
    )
    return ['wider than the window by ' + (scrollWidth - clientWidth) + ': ' + (wide?.outerHTML ?? '').slice(0, 160)]
  })()`)
}

/** A theme changes colours and nothing else: in the second one only what is about colours is asked again. */
const looks = [
  ['light', everyRule],
  ['dark', ['color-contrast', 'link-in-text-block']],
] as const

/** The page as it stands, in both themes and at three widths: nothing for axe to find, nothing wider than the window. */
export async function expectFine(page: Page): Promise<void> {
  const found: string[] = []
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 })
    for (const [colorScheme, runOnly] of looks) {
      await page.emulateMedia({ colorScheme })
      for (const fault of await axeFaults(page, runOnly)) found.push(`${width} ${colorScheme}: ${fault}`)
    }
    for (const fault of await widthFaults(page)) found.push(`${width}: ${fault}`)
  }
  await page.setViewportSize({ width: 320, height: 900 })
  for (const fault of await widthFaults(page)) found.push(`320: ${fault}`)
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.emulateMedia({ colorScheme: 'light' })
  expect(found).toEqual([])
}
