// Makes the pictures of the README anew, from the demonstration as it stands after its first start: npm run screenshots.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'docs', 'screenshots')
const executablePath = [
  process.env.CHROMIUM_PATH,
  ...(process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((path) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(path, name))),
].find((path) => path && existsSync(path))
if (!executablePath) {
  console.error('No Chromium was found. Install one, or set CHROMIUM_PATH.')
  process.exit(1)
}

const dataDir = mkdtempSync(join(tmpdir(), 'muster-screenshots-'))
const demo = spawn(process.execPath, [join(root, 'dist-demo', 'demo', 'cli.js'), 'demo'], {
  cwd: dataDir,
  env: { PATH: process.env.PATH, PORT: '0', SIMULATOR_PORT: '0', DATA_DIR: dataDir },
  stdio: ['ignore', 'pipe', 'inherit'],
})
let said = ''
demo.stdout.on('data', (chunk) => {
  said += chunk
})

try {
  const origin = await portalOf(demo)
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-background-networking'] })
  try {
    await takeAll(browser, origin)
  } finally {
    await browser.close()
  }
} finally {
  const ended = new Promise((resolve) => demo.once('exit', resolve))
  demo.kill('SIGTERM')
  if (demo.exitCode === null) await ended
  rmSync(dataDir, { recursive: true, force: true })
}

async function portalOf(child) {
  while (!said.includes('Stop with Ctrl-C')) {
    if (child.exitCode !== null) throw new Error(`the demonstration did not start: ${said}`)
    await sleep(100)
  }
  return /Muster +(http\S+)/.exec(said)[1]
}

async function takeAll(browser, origin) {
  mkdirSync(folder, { recursive: true })
  const context = await browser.newContext({
    viewport: { width: 1280, height: 960 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
    locale: 'en-GB',
  })
  const page = await context.newPage()
  await page.goto(`${origin}/sign-in`)
  await page.getByRole('button', { name: 'Sign in with Microsoft' }).click()
  await page.getByRole('button', { name: 'Ines Lindqvist' }).click()
  await page.waitForURL(`${origin}/`)
  await take(page, 'overview', `${origin}/`)
  await take(page, 'incidents', `${origin}/incidents`)

  await page.goto(`${origin}/incidents?q=Multi-stage`)
  const tenant = await page
    .getByRole('row', { name: /Norrsken/ })
    .first()
    .locator('.title')
    .getAttribute('href')
  await take(page, 'tenant', origin + tenant.replace(/\/incidents\/.*/, ''))

  await page.goto(`${origin}/customers?q=Ravenscourt`)
  await page.getByRole('link', { name: 'Ravenscourt Estates Ltd' }).click()
  await page.locator('#link form[action$="/links"] button').click()
  const link = await page.getByLabel('Link to our page').inputValue()
  const visitor = await browser.newContext({ viewport: { width: 1280, height: 960 }, reducedMotion: 'reduce' })
  await take(await visitor.newPage(), 'join', link)
}

async function take(page, name, address) {
  await page.goto(address)
  await page.evaluate(() => document.fonts.ready)
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path })
  console.log(`docs/screenshots/${name}.png, ${Math.round(statSync(path).size / 1024)} kB`)
}
