import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Person, Tenant } from '../../server/simulator/world/directory.ts'
import { connected, untilNothingIsDue } from '../support/admin.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { inChromium, launchChromium, openContext, signInAs, type Witness } from './chromium.ts'

/** Whatever of these runs sets `window.hacked`, opens a dialog, or is stopped by the policy and noted. */
const payloads = [
  '<script>window.hacked=1;alert(1)</script>',
  '"><img src=x onerror="window.hacked=1;alert(2)">',
  "'><svg/onload=window.hacked=1>",
  '</title></textarea></script><script>window.hacked=1</script>',
  'javascript:window.hacked=1//',
  '{{constructor.constructor("window.hacked=1")()}}',
  '<a href="javascript:window.hacked=1" hx-get="/audit" hx-trigger="load" hx-on:load="window.hacked=1">x</a>',
  '<%= process.exit() %>',
]

inChromium('the story of a customer, each person in a browser of their own', () => {
  let here: TestPortal
  let chromium: Browser
  let origin: string
  const witnesses: Witness[] = []

  beforeAll(async () => {
    ;[here, chromium] = await Promise.all([startTestPortal('SQLite', { worker: true }), launchChromium()])
    origin = here.portal.config.publicUrl
    const { tenant } = await connected(here, 'Larchmont & Pryce Legal LLP')
    const { world } = here.simulator
    for (const [n, severity] of (['high', 'high', 'medium', 'low'] as const).entries()) {
      world.addIncident(tenant.id, { name: `Known incident ${n + 1}`, severity, status: 'active' })
    }
    const hostile = await connected(here, `Hostile ${payloads[1]}`, { displayName: `Tenant ${payloads[0]}` })
    for (const [n, payload] of payloads.entries()) {
      world.addIncident(hostile.tenant.id, {
        name: `Hostile ${n + 1} ${payload}`,
        severity: 'medium',
        status: 'active',
        assignedTo: payload,
        description: payload,
        tags: [payload.slice(0, 60)],
      })
    }
    for (const one of [tenant, hostile.tenant]) await readNow(one)
  }, 120_000)
  afterEach(async () => {
    for (const witness of witnesses.splice(0)) {
      expect(witness.takeFaults()).toEqual([])
      await witness.context.close()
    }
  })
  afterAll(async () => {
    await chromium?.close()
    await here?.close()
  })

  async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const witness = await openContext(chromium, options)
    witnesses.push(witness)
    return witness.page
  }

  async function signedIn(person: Person, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await newPage(options)
    await signInAs(page, origin, person.name)
    return page
  }

  async function readNow(tenant: Tenant): Promise<void> {
    const analyst = await here.signedIn(here.cast.carol)
    const page = await analyst.open(`/tenants/${tenant.id}`)
    await analyst.submit(page, `/tenants/${tenant.id}/syncs`)
    await untilNothingIsDue(here)
  }

  let made = 0
  function newTenant(displayName: string): { tenant: Tenant; domain: string; admin: Person; clerk: Person } {
    const { world } = here.simulator
    made++
    const domain = `newcomer-${made}.example`
    const tenant = world.addTenant({ displayName, domains: [`newcomer${made}.onmicrosoft.com`, domain] })
    const admin = world.addPerson(tenant.id, { name: `Åsa Holmgren ${made}`, directoryRole: 'Global Administrator' })
    const clerk = world.addPerson(tenant.id, { name: `Karin Öberg ${made}` })
    world.addIncident(tenant.id, { name: `First incident of newcomer ${made}`, severity: 'high', status: 'active' })
    return { tenant, domain, admin, clerk }
  }

  async function addCustomer(page: Page, name: string, domain: string): Promise<string> {
    await page.goto(`${origin}/customers`)
    await page.getByRole('link', { name: 'New customer' }).click()
    await page.getByLabel('Name', { exact: true }).fill(name)
    await page.getByLabel('Expected tenant').fill(domain)
    await page.getByRole('button', { name: 'Save and issue the link' }).click()
    await page.getByRole('heading', { name: 'The consent link is ready' }).waitFor()
    return page.getByLabel('Link to our page').inputValue()
  }

  /** Not a word of this survives loading a page: whoever still finds it has seen no reload. */
  const mark = (page: Page) => page.evaluate('void (window.stayed = true)')
  const stayed = (page: Page) => page.evaluate<boolean | undefined>('window.stayed')

  async function toMicrosoft(page: Page, link: string): Promise<void> {
    await page.goto(link)
    await page.locator('form.go button').click()
    await page.getByRole('heading', { name: 'Pick an account' }).waitFor()
  }

  test('goes from a copied link to incidents on the admin’s screen, and nobody presses reload', async () => {
    const name = 'Norrsken Kommunal Energi AB'
    const { domain, admin } = newTenant(name)
    here.simulator.world.behaviour.propagationMs = 2_000
    const alice = await signedIn(here.cast.alice, { permissions: ['clipboard-read', 'clipboard-write'] })
    await addCustomer(alice, name, domain)
    await alice.locator('[data-copy="lnk"]').click()
    const link = await alice.evaluate<string>('navigator.clipboard.readText()')
    expect(link).toMatch(new RegExp(`^${origin}/join/[\\w-]{40,}$`))
    await mark(alice)
    const overview = await alice.context().newPage()
    await overview.goto(`${origin}/incidents`)
    await mark(overview)

    const customer = await newPage({ locale: 'sv-SE' })
    await toMicrosoft(customer, link)
    await customer.getByRole('button', { name: admin.name }).click()
    await customer.getByRole('button', { name: 'Accept' }).click()
    await customer.waitForURL(`${origin}/consent/**`)
    await mark(customer)
    await customer.locator('.steps').waitFor()
    await customer.locator('.state-icon.green').waitFor({ timeout: 60_000 })
    expect(await stayed(customer)).toBe(true)

    await alice.locator('#customer-head').getByText('Connected').waitFor({ timeout: 30_000 })
    await alice.locator('#customer-head').getByText('1 open incident').waitFor({ timeout: 30_000 })
    expect(await stayed(alice)).toBe(true)
    await overview.getByRole('link', { name: /First incident of newcomer/ }).waitFor({ timeout: 45_000 })
    expect(await stayed(overview)).toBe(true)
    here.simulator.world.behaviour.propagationMs = 0
  })

  test('ends where the administrator declines, and the partner sees it', async () => {
    const { domain, admin } = newTenant('Kvarnby Tandvård AB')
    const alice = await signedIn(here.cast.alice)
    const link = await addCustomer(alice, 'Kvarnby Tandvård AB', domain)
    const customer = await newPage()
    await toMicrosoft(customer, link)
    await customer.getByRole('button', { name: admin.name }).click()
    await customer.getByRole('button', { name: 'Cancel' }).click()
    await customer.getByRole('heading', { name: 'You declined. Nothing has changed' }).waitFor()
    await alice.locator('#timeline').getByText('declined at Microsoft').waitFor({ timeout: 30_000 })
    // Whoever was not there learns nothing from the address.
    const stranger = await newPage()
    await stranger.goto(customer.url())
    expect(await stranger.locator('main').textContent()).not.toContain('Kvarnby')
  })

  test('waits for an administrator when somebody else opened the link', async () => {
    const { domain, clerk } = newTenant('Calder Valley Housing Association')
    const alice = await signedIn(here.cast.alice)
    const link = await addCustomer(alice, 'Calder Valley Housing Association', domain)
    const customer = await newPage()
    await toMicrosoft(customer, link)
    await customer.getByRole('button', { name: clerk.name }).click()
    await customer.getByRole('heading', { name: 'Need admin approval' }).waitFor()
    await customer.goto(link)
    await customer.getByText('I am not the administrator').click()
    await customer.getByRole('link', { name: 'Read what that means' }).click()
    await customer.getByRole('heading', { name: 'Your account cannot give this consent' }).waitFor()
    expect(await customer.getByLabel('Text for your administrator').inputValue()).toContain(link)
  })

  test('ends for a link that was withdrawn', async () => {
    const { domain } = newTenant('Haifeng')
    const alice = await signedIn(here.cast.alice)
    const link = await addCustomer(alice, '海峰再生能源股份有限公司', domain)
    await alice.getByRole('link', { name: 'Done', exact: true }).click()
    await alice.getByRole('button', { name: 'Withdraw' }).click()
    await alice.getByText('Withdrawn').first().waitFor()
    const customer = await newPage({ locale: 'zh-TW' })
    await customer.goto(`${link}?lang=zh-Hant`)
    expect(await customer.locator('html').getAttribute('lang')).toBe('zh-Hant')
    expect(await customer.locator('form.go').count()).toBe(0)
  })

  test('is worked through by keyboard', async () => {
    const carol = await signedIn(here.cast.carol)
    await carol.goto(`${origin}/incidents?q=Known`)
    const titles = carol.locator('[data-row] .title')
    expect(await titles.count()).toBe(4)
    const inHand = carol.locator('[data-row][aria-current] .title')
    await carol.keyboard.press('j')
    await carol.keyboard.press('j')
    await carol.keyboard.press('j')
    await carol.keyboard.press('k')
    expect(await inHand.textContent()).toBe(await titles.nth(1).textContent())
    const chosen = await inHand.textContent()
    await carol.keyboard.press('Enter')
    await carol.waitForURL('**/incidents/*')
    expect(await carol.getByRole('heading', { level: 1 }).textContent()).toBe(chosen)
    await carol.goBack()
    expect(await titles.count()).toBe(4)

    await carol.keyboard.press('?')
    await carol.getByRole('dialog').waitFor()
    await carol.keyboard.press('j')
    await carol.keyboard.press('Escape')
    await carol.getByRole('dialog').waitFor({ state: 'hidden' })
    await carol.keyboard.press('/')
    await carol.keyboard.type('gj?')
    expect(await carol.locator('#q').inputValue()).toBe('gj?')
    await carol.locator('#main').focus()
    await carol.keyboard.press('f')
    expect(await carol.evaluate('document.activeElement.id')).toBe('f-q')
    for (const [key, path] of [
      ['o', '/'],
      ['c', '/customers'],
      ['i', '/incidents'],
    ]) {
      await carol.locator('#main').focus()
      await carol.keyboard.press('g')
      await carol.keyboard.press(key ?? '')
      await carol.waitForURL(origin + path)
    }
  })

  test('leaves nothing behind the Back button after signing out', async () => {
    const carol = await signedIn(here.cast.carol)
    await carol.goto(`${origin}/incidents`)
    await carol.getByText('Known incident 1').first().waitFor()
    await carol.locator('summary[aria-label="Account and theme"]').click()
    await carol.getByRole('button', { name: 'Sign out' }).click()
    await carol.waitForURL(`${origin}/signed-out`)
    await carol.goBack()
    await carol.waitForLoadState()
    expect(await carol.locator('body').textContent()).not.toContain('Known incident')
    await carol.goto(`${origin}/incidents`)
    await carol.waitForURL(`${origin}/sign-in**`)
  })

  test('is told in the reader’s zone and shown in the reader’s theme', async () => {
    const carol = await signedIn(here.cast.carol, { timezoneId: 'Asia/Taipei', colorScheme: 'dark' })
    const dark = 'matchMedia("(prefers-color-scheme: dark)").matches && getComputedStyle(document.body).colorScheme'
    expect(await carol.evaluate(dark)).toBe('light dark')
    await carol.locator('summary[aria-label="Account and theme"]').click()
    const saved = carol.waitForResponse('**/preferences')
    await carol.getByRole('button', { name: 'Light' }).click()
    expect(await carol.locator('html').getAttribute('data-theme')).toBe('light')
    await saved
    await carol.goto(`${origin}/settings`)
    expect(await carol.locator('html').getAttribute('data-theme')).toBe('light')

    await carol.goto(`${origin}/incidents?q=Known`)
    await carol.locator('[data-row] .title').first().click()
    await carol.waitForURL('**/incidents/*')
    const told = await carol.evaluate<[string, string][]>(
      `[...document.querySelectorAll('main time')].filter((one) => /\\d\\d:\\d\\d$/.test(one.textContent))
        .map((one) => [one.dateTime, one.textContent])`,
    )
    expect(told.length).toBeGreaterThan(1)
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Taipei', hour: '2-digit', minute: '2-digit' })
    for (const [at, text] of told) expect(text).toContain(clock.format(new Date(at)))
  })

  test('shows everybody what their role allows, and nobody more', async () => {
    const reader = await signedIn(here.cast.bob)
    await reader.goto(`${origin}/customers`)
    expect(await reader.getByRole('link', { name: 'New customer' }).count()).toBe(0)
    await reader.goto(`${origin}/customers/new`)
    await reader.getByText('Your role does not allow this').waitFor()
    const colleague = await signedIn(here.cast.mallory)
    await colleague.getByText('You have no role in Muster').waitFor()
    const { admin } = newTenant('Somebody else AB')
    const outsider = await newPage()
    await outsider.goto(`${origin}/sign-in`)
    await outsider.getByRole('button', { name: 'Sign in with Microsoft' }).click()
    await outsider.getByRole('button', { name: admin.name }).click()
    await outsider.getByText('AADSTS50020').first().waitFor()
    await outsider.goto(`${origin}/`)
    await outsider.waitForURL(`${origin}/sign-in**`)
  })

  test('stays text, whatever an attacker calls things', async () => {
    const alice = await signedIn(here.cast.alice)
    await alice.goto(`${origin}/incidents?q=Hostile`)
    const addresses = await alice.evaluate<string[]>(
      `[...document.querySelectorAll('main a[href^="/"]')].map((one) => one.getAttribute('href'))`,
    )
    const incidents = addresses.filter((address) => /\/incidents\/\d+/.test(address))
    expect(incidents.length).toBeGreaterThanOrEqual(payloads.length)
    const places = ['/', '/customers', '/audit', '/incidents', '/settings', ...new Set(addresses)]
    const tenant = /\/tenants\/[^/]+/.exec(incidents[0] ?? '')?.[0] ?? ''
    for (const path of [...places, tenant, `${tenant}/incidents`]) {
      await alice.goto(origin + path)
      expect([path, await alice.evaluate('window.hacked ?? null')]).toEqual([path, null])
      const foreign = await alice.evaluate(
        `[...document.querySelectorAll('main [onerror], main [onload], main img, main script, main [href^="javascript:" i], main a[hx-get]')]
          .map((one) => one.outerHTML)`,
      )
      expect([path, foreign]).toEqual([path, []])
    }
    for (const payload of payloads) {
      await alice.goto(`${origin}/incidents?${new URLSearchParams({ q: payload })}`)
      expect(await alice.locator('#f-q').inputValue()).toBe(payload)
    }
  })

  test('can be told without scripts: customer, link, consent, filters, signing out', async () => {
    const { domain, admin } = newTenant('Ostrava Steel Components s.r.o.')
    const alice = await signedIn(here.cast.alice, { javaScriptEnabled: false })
    const link = await addCustomer(alice, 'Ostrava Steel Components s.r.o.', domain)
    const customer = await newPage({ javaScriptEnabled: false })
    await toMicrosoft(customer, link)
    await customer.getByRole('button', { name: admin.name }).click()
    await customer.getByRole('button', { name: 'Accept' }).click()
    await customer.waitForURL(`${origin}/consent/**`)
    // Without scripts the page loads itself anew; no reload is pressed here either.
    await customer.locator('.state-icon.green').waitFor({ timeout: 60_000 })

    await alice.goto(`${origin}/incidents`)
    await alice.locator('summary', { hasText: 'Severity' }).click()
    await alice.getByLabel('Low', { exact: true }).check()
    await alice.locator('details[open]').getByRole('button', { name: 'Apply' }).click()
    await alice.waitForURL('**severity=low**')
    await alice.getByText('Known incident 4').first().waitFor()
    expect(await alice.getByText('Known incident 1').count()).toBe(0)
    await alice.getByRole('link', { name: /Low/ }).first().click()
    await alice.getByText('Known incident 1').first().waitFor()
    await alice.locator('summary[aria-label="Account and theme"]').click()
    await alice.getByRole('button', { name: 'Sign out' }).click()
    await alice.waitForURL(`${origin}/signed-out`)
  })
})
