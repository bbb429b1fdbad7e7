import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { listStatuses } from '../../server/customers/progress.ts'
import type { CustomerStatus } from '../../server/customers/status.ts'
import { demoCustomers } from '../../server/demo/cast.ts'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import { cast } from '../../server/simulator/world/cast.ts'
import { createCustomer, listCustomers } from '../../server/store/customers/customers.ts'
import { write } from '../../server/store/engine/write.ts'
import { listAlarms } from '../../server/store/notify/alarm-list.ts'
import { destinationKinds } from '../../server/store/notify/kinds.ts'
import { withdrawLink } from '../../server/store/onboarding/links.ts'
import { routes } from '../../server/web/routes.ts'
import { runDue } from '../../server/worker/worker.ts'
import { destination, raise, secretOf } from '../notify/stage.ts'
import { before } from '../support/admin.ts'
import { startTestPortal } from '../support/portal.ts'
import { expectFine, inChromium, launchChromium, openContext, signInAs, type Witness } from './chromium.ts'
import { type DemoPortal, startDemoPortal } from './demo-portal.ts'

const { ines, priya, linnea } = cast.halvard.people
const longName =
  'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mit beschränkter Haftung & Co. KG'

inChromium('every page', () => {
  let demo: DemoPortal
  let chromium: Browser
  let admin: Witness
  let customerOf: (standing: CustomerStatus) => string
  let tenantOf: (standing: CustomerStatus) => string
  const visited = new Set<string>()

  beforeAll(async () => {
    ;[demo, chromium] = await Promise.all([startDemoPortal(), launchChromium()])
    const standings = await listStatuses(demo.portal.db, demo.portal.now())
    const lineOf = (standing: CustomerStatus) => {
      const line = standings.find((one) => one.standing === standing)
      if (!line) throw new Error(`no customer of the demonstration is ${standing}`)
      return line
    }
    customerOf = (standing) => `/customers/${lineOf(standing).customer.id}`
    tenantOf = (standing) => `/tenants/${lineOf(standing).tenants[0]?.tenantId}`
    admin = await openContext(chromium)
    note(admin.page)
    await signInAs(admin.page, demo.origin, ines.name)
  }, 180_000)
  afterAll(async () => {
    await chromium?.close()
    await demo?.close()
  })

  /** Remembers every address of the portal that a page was shown at. */
  const note = (page: Page) =>
    page.on('response', (response) => {
      const url = new URL(response.url())
      if (response.request().isNavigationRequest() && url.origin === demo.origin) visited.add(url.pathname)
    })

  const expectFineIn = async ({ page, takeFaults }: Witness) => {
    await expectFine(page)
    expect(takeFaults()).toEqual([])
  }

  const everyTenant: CustomerStatus[] = ['active', 'revoked', 'blocked', 'limited', 'unlicensed', 'offboarded']
  const everyCustomer: CustomerStatus[] = [
    ...everyTenant,
    'claimed',
    'review',
    'declined',
    'at-microsoft',
    'opened',
    'waiting',
    'expired',
    'withdrawn',
    'not-invited',
  ]

  test.each<[string, string | (() => string)]>([
    ['the overview', '/'],
    ['the queue', '/incidents'],
    ['the queue, newest first, with whatever is closed', '/incidents?status=any&order=newest'],
    ['what the side bar finds', '/search?q=berg'],
    ['what the side bar does not find', '/search?q=nothing-is-called-so'],
    ['a search', '/incidents?q=mimikatz&severity=low&severity=high'],
    ['a search that finds nothing', '/incidents?q=nothing-is-called-so'],
    ['the incidents of one tenant', () => `${tenantOf('active')}/incidents`],
    ['the incidents of a tenant without a licence', () => `${tenantOf('unlicensed')}/incidents`],
    ['an incident', `/tenants/${cast.norrsken.id}/incidents/2291`],
    ['an incident that is not there', `/tenants/${cast.norrsken.id}/incidents/1`],
    ['the customers', '/customers'],
    ['the customers of one state', '/customers?state=revoked'],
    ['a search for a customer that is not there', '/customers?q=nobody-is-called-so'],
    ['a new customer', '/customers/new'],
    ...everyCustomer.map((one) => [`a customer that is ${one}`, () => customerOf(one)] as [string, () => string]),
    ['a customer to be edited', () => `${customerOf('review')}/edit`],
    ['a customer to be offboarded', () => `${customerOf('active')}/offboarding`],
    ...everyTenant.map((one) => [`a tenant that is ${one}`, () => tenantOf(one)] as [string, () => string]),
    ['a tenant that is not there', '/tenants/00000000-0000-4000-a000-000000000000'],
    ['the sync runs over a tenant', () => `${tenantOf('active')}/syncs`],
    ['sync runs of a kind that nobody made', () => `${tenantOf('active')}/syncs?outcome=paused`],
    ['what pausing everything does', '/pause'],
    ['the audit log', '/audit'],
    ['the audit log of one kind', '/audit?kind=people'],
    ['the audit log, every filter set', '/audit?kind=link.issued&q=a&from=2026-01-01&to=2030-01-01&request=none'],
    ['setup', '/setup'],
    ['doctor', '/doctor'],
    ['settings', '/settings'],
    ['sessions', '/sessions'],
    ['no page at all', '/nothing-is-here'],
  ])('is fine for everybody: %s', async (_name, address) => {
    await admin.page.goto(demo.origin + (typeof address === 'string' ? address : address()))
    await expectFineIn(admin)
  })

  test('is fine for everybody: no group of customers is clipped', async () => {
    for (const width of [1280, 390, 320]) {
      await admin.page.setViewportSize({ width, height: 900 })
      await admin.page.goto(`${demo.origin}/customers`)
      const beyond = await admin.page.evaluate<number>(
        `(() => { const tabs = document.querySelector('.views .nav-underline'); return tabs.scrollWidth - tabs.clientWidth })()`,
      )
      expect([width, beyond]).toEqual([width, 0])
    }
  })

  test('tells times right in what is sent from the first page after the sign-in on, so that nothing moves', async () => {
    const taipei = await openContext(chromium, { timezoneId: 'Asia/Taipei', viewport: { width: 390, height: 800 } })
    const first = taipei.page.waitForResponse((answer) => answer.url() === `${demo.origin}/` && answer.ok())
    await signInAs(taipei.page, demo.origin, ines.name)
    // The bytes of a page are gone with the next page.
    const sent = [await (await first).text()]
    sent.push((await (await taipei.page.goto(`${demo.origin}/customers`))?.text()) ?? '')
    for (const text of sent) {
      expect(text).toContain('<body class="operator"')
      expect(text).not.toContain('data-utc')
    }
    await taipei.context.close()
  })

  test('is fine for everybody: a merged incident, on the page that leads to its survivor', async () => {
    const { id } = cast.vasterbygden
    const { world } = demo.simulator
    const [merged, survivor] = [
      world.addIncident(id, { status: 'active' }),
      world.addIncident(id, { status: 'active' }),
    ]
    await admin.page.goto(`${demo.origin}/tenants/${id}`)
    await admin.page.getByRole('button', { name: 'Read now' }).click()
    await runDue(demo.portal)
    world.mergeIncidents(id, [merged.id], survivor.id)
    await admin.page.goto(`${demo.origin}/tenants/${id}`)
    await admin.page.getByRole('button', { name: 'Read now' }).click()
    await runDue(demo.portal)
    await admin.page.goto(`${demo.origin}/tenants/${id}/incidents/${merged.id}`)
    expect(await admin.page.locator('main').textContent()).toContain(`#${survivor.id}`)
    await expectFineIn(admin)
  })

  test('is fine for everybody: a tenant by keyboard, its history, a stretch read again, and notes', async () => {
    const { page } = admin
    const address = `${demo.origin}/tenants/${cast.saintAubin.id}`
    await page.goto(address)
    // It comes back to the same address: only the page that loads says that it did.
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('r')])
    while ((await runDue(demo.portal)) > 0);
    await page.goto(`${address}/syncs`)
    await page.getByLabel('Kind').selectOption('reconcile')
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.waitForURL(/kind=reconcile/)
    expect(await page.locator('.runs-t tbody tr').count()).toBeGreaterThan(0)
    await expectFineIn(admin)
    await page.goto(address)
    await page.locator('summary', { hasText: 'Read a stretch of time again' }).click()
    await page.locator('#span-own').check()
    await page.locator('#from').fill('2026-01-02T10:00')
    await page.locator('#to').fill('2026-01-01T10:00')
    await page.getByRole('button', { name: 'Read again' }).click()
    await page.locator('[aria-invalid="true"]').first().waitFor()
    await expectFineIn(admin)
    await page.locator('#span-7d').check()
    await page.getByRole('button', { name: 'Read again' }).click()
    await page.getByText('asked for by Ines Lindqvist').first().waitFor()
    await expectFineIn(admin)
    await page.goto(`${demo.origin}/tenants/${cast.norrsken.id}/incidents/2288`)
    expect(await page.locator('main').textContent()).toContain('Same workstation as last week')
    await page.getByLabel('New note').fill(`Look at ${'a-very-long-name-without-a-break'.repeat(6)}`)
    await page.getByRole('button', { name: 'Add the note' }).click()
    await page.getByText('a-very-long-name').first().waitFor()
    await expectFineIn(admin)
  })

  test('is fine for everybody: tenants that Microsoft throttles or does not answer for', async () => {
    const { page } = admin
    const { world } = demo.simulator
    world.setWeather(cast.ostrava.id, 'throttle', { retryAfter: 420 })
    world.setWeather(cast.engelska.id, 'outage', { status: 503 })
    for (const { id } of [cast.ostrava, cast.engelska]) {
      await page.goto(`${demo.origin}/tenants/${id}`)
      await page.getByRole('button', { name: 'Read now' }).click()
    }
    await runDue(demo.portal)
    for (const path of [`/tenants/${cast.ostrava.id}`, `/tenants/${cast.engelska.id}`, '/']) {
      await page.goto(demo.origin + path)
      await expectFineIn(admin)
    }
    for (const { id } of [cast.ostrava, cast.engelska]) world.clearWeather(id)
  })

  test('is fine for everybody: while everything is paused', async () => {
    const { page } = admin
    await page.goto(`${demo.origin}/pause`)
    await page.locator('main').getByRole('button', { name: 'Pause everything' }).click()
    await page.getByRole('button', { name: 'Resume everything' }).first().waitFor()
    for (const path of ['/', '/incidents', '/customers', `/tenants/${cast.saintAubin.id}`, '/pause', '/settings']) {
      await page.goto(demo.origin + path)
      await expectFineIn(admin)
    }
    await page.goto(demo.origin)
    await page.getByRole('button', { name: 'Resume everything' }).first().click()
    await page.getByRole('button', { name: 'Resume everything' }).first().waitFor({ state: 'detached' })
  })

  test('is fine for everybody: forms that were filled in wrongly', async () => {
    const { page } = admin
    await page.goto(`${demo.origin}/customers/new`)
    await page.getByLabel('Contact’s e-mail').fill('not an address')
    await page.getByLabel('Link valid for').fill('1000')
    await page.getByRole('button', { name: 'Save and issue the link' }).click()
    await page.getByRole('link', { name: 'Every customer needs a name' }).waitFor()
    await expectFineIn(admin)
  })

  test('is fine for everybody: open menus, and the help for keys', async () => {
    const { page } = admin
    await page.goto(`${demo.origin}/incidents`)
    await page.locator('summary', { hasText: 'Severity' }).click()
    await expectFineIn(admin)
    await page.goto(`${demo.origin}/`)
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    await expectFineIn(admin)
  })

  test('is fine for everybody: a link that was just issued, for a customer with a long name', async () => {
    const { page } = admin
    await page.goto(`${demo.origin}/customers/new`)
    await page.getByLabel('Name', { exact: true }).fill(longName)
    await page.getByLabel('Groups').fill('Schifffahrtsgesellschaften, 航運')
    await page.getByRole('button', { name: 'Save and issue the link' }).click()
    const link = await page.getByLabel('Link to our page').inputValue()
    await expectFineIn(admin)
    await page.reload()
    await expectFineIn(admin)
    for (const path of ['/', '/customers', '/audit']) {
      await page.goto(demo.origin + path)
      await expectFineIn(admin)
    }
    const visitor = await openContext(chromium)
    note(visitor.page)
    await visitor.page.goto(link)
    await expectFineIn(visitor)
    await visitor.context.close()
  })

  test('is fine for everybody: what people without the right see', async () => {
    const reader = await openContext(chromium)
    note(reader.page)
    await reader.page.goto(`${demo.origin}/sign-in`)
    await expectFineIn(reader)
    await signInAs(reader.page, demo.origin, linnea.name)
    expect(await reader.page.locator('main').textContent()).toContain('no role')
    await expectFineIn(reader)
    await reader.page.getByRole('button', { name: 'Choose another account' }).click()
    await reader.page.getByRole('button', { name: cast.norrsken.people.asa.name }).first().click()
    // Microsoft itself keeps the people of others out of a registration for one organisation.
    await reader.page.getByText('AADSTS50020').first().waitFor()
    await reader.context.clearCookies()
    await signInAs(reader.page, demo.origin, priya.name)
    for (const path of ['/customers/new', '/customers', customerOf('review'), tenantOf('revoked'), '/settings']) {
      await reader.page.goto(demo.origin + path)
      await expectFineIn(reader)
    }
    await reader.page.locator('summary[aria-label="Account and theme"]').click()
    await reader.page.getByRole('button', { name: 'Sign out' }).click()
    await reader.page.waitForURL(`${demo.origin}/signed-out`)
    await expectFineIn(reader)
    await reader.context.close()
  })

  test('is fine for everybody: what somebody may see, chosen and told', async () => {
    const { page } = admin
    const limited = await openContext(chromium)
    note(limited.page)
    await signInAs(limited.page, demo.origin, priya.name)
    await page.goto(`${demo.origin}/settings/people/${cast.halvard.id}.${ines.id}/scope`)
    await expectFineIn(admin)
    await page.goto(`${demo.origin}/settings`)
    await page.getByRole('link', { name: `Change what ${priya.name} may see` }).click()
    await expectFineIn(admin)
    await page.getByRole('radio', { name: 'Only some' }).check()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('link', { name: 'Choose at least one group' }).waitFor()
    await expectFineIn(admin)
    await page.getByLabel('Find a customer').fill('Pellworm')
    await page.keyboard.press('Enter')
    await page.getByText('Found one').waitFor()
    await expectFineIn(admin)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.waitForURL(`${demo.origin}/settings#people`)
    await limited.page.goto(demo.origin)
    await limited.page.getByText('You work for').waitFor()
    await expectFineIn(limited)
    await limited.context.close()
  })

  test('is fine for everybody: what customers see, in their languages', async () => {
    const { portal, simulator } = demo
    simulator.world.behaviour.propagationMs = 0
    const customers = await listCustomers(portal.db)
    const issue = async (name: string) => {
      const customer = customers.find((one) => one.name === name)
      return issueConsentLink(portal, before, { customerId: customer?.id ?? '', days: 14 })
    }
    const nameless = await createCustomer(
      portal.db,
      before,
      {
        name: 'Nobody expected AB',
        language: 'en',
        contactName: null,
        contactEmail: null,
        notes: null,
        groups: [],
        expectedTenantId: null,
        expectedDomain: null,
      },
      portal.now(),
    )
    const links = {
      english: await issue(demoCustomers.ravenscourt.name),
      swedish: await issue(demoCustomers.fyrisan.name),
      chinese: await issue(demoCustomers.haifeng.name),
      unpinned: await issueConsentLink(portal, before, { customerId: nameless.id, days: 14 }),
    }
    const visitor = await openContext(chromium)
    const { page } = visitor
    note(page)
    const show = async (url: string) => {
      await page.goto(url)
      await expectFineIn(visitor)
    }
    for (const { url } of Object.values(links)) {
      await show(url)
      await show(`${url}/not-admin`)
    }
    await show(`${demo.origin}/join/not-a-link-of-ours`)
    await show(`${demo.origin}/consent/callback`)

    const goOff = async ({ url }: { url: string }) => {
      await visitor.context.clearCookies()
      await page.goto(url)
      await page.locator('form.go button').click()
      await page.waitForURL((at) => at.origin !== demo.origin)
    }
    const goOn = async ({ url }: { url: string }, person: string, decision: 'Accept' | 'Cancel') => {
      await goOff({ url })
      await page.getByRole('button', { name: person }).first().click()
      await page.getByRole('button', { name: decision }).click()
      if (await page.getByRole('heading', { name: 'Pick an account' }).isVisible())
        await page.getByRole('button', { name: person }).first().click()
      await page.waitForURL(`${demo.origin}/consent/**`)
      await expectFineIn(visitor)
    }
    await goOn(links.english, demoCustomers.ravenscourt.contactName, 'Cancel')
    await goOff(links.swedish)
    const state = new URL(page.url()).searchParams.get('state') ?? ''
    await show(`${demo.origin}/consent/callback?admin_consent=True&tenant=${cast.saintAubin.id}&state=${state}`)
    await goOn(links.swedish, demoCustomers.fyrisan.contactName, 'Accept')
    await goOn(links.unpinned, cast.bergqvistHolding.people.sara.name, 'Accept')
    await goOn(links.chinese, demoCustomers.haifeng.contactName, 'Accept')
    while ((await runDue(portal)) > 0);
    await page.reload()
    expect(await page.locator('.state-icon.green').count()).toBe(1)
    await expectFineIn(visitor)
    simulator.world.revoke(demoCustomers.haifeng.tenantId, portal.config.app.clientId)

    await visitor.context.clearCookies()
    await show(links.chinese.url)
    await write(portal.db, (tx) => withdrawLink(tx, before, links.english.link.id, portal.now()))
    await show(links.english.url)
    await visitor.context.close()
  })

  test('is fine for everybody: the first day, with nothing to see yet', async () => {
    const empty = await startTestPortal()
    const first = await openContext(chromium)
    await signInAs(first.page, empty.portal.config.publicUrl, empty.cast.alice.name)
    for (const path of ['/', '/incidents', '/customers', '/audit', '/settings']) {
      await first.page.goto(empty.portal.config.publicUrl + path)
      await expectFineIn(first)
    }
    await first.context.close()
    await empty.close()
  })

  test('is fine for everybody: alarms, where they go, and what was sent', async () => {
    const { portal } = demo
    const norrsken = { kind: 'tenant-blind', subject: cast.norrsken.id, tenantId: cast.norrsken.id } as const
    const kept = {
      webhook: await destination(demo, 'webhook', { url: 'https://127.0.0.1:1/hook', secrets: [secretOf('a')] }),
      mail: await destination(demo, 'mail', { recipients: ['desk@example.org'] }, { name: longName, language: 'sv' }),
      siem: await destination(
        demo,
        'siem',
        { url: 'https://127.0.0.1:1/siem', authorization: 'Bearer x' },
        { audit: true },
      ),
    }
    await raise(demo, norrsken)
    while ((await runDue(portal)) > 0);
    const [alarm] = await listAlarms(portal.db, { state: 'new', limit: 1 })
    const paths = [
      ...['new', 'seen', 'over'].map((state) => `/alarms?state=${state}`),
      `/alarms/${alarm?.id}`,
      '/destinations',
      '/destinations/new',
      ...destinationKinds.map((kind) => `/destinations/new?kind=${kind}`),
      ...Object.values(kept).map((id) => `/destinations/${id}`),
      '/deliveries',
    ]
    for (const path of paths) {
      await admin.page.goto(demo.origin + path)
      await expectFineIn(admin)
    }
  })

  test('was looked at: no route that shows something was left out', () => {
    const shown = routes.filter(
      ({ method, path }) => method === 'GET' && !['/healthz', '/readyz', '/audit/export', '/auth/again'].includes(path),
    )
    const left = shown.filter(({ path }) => {
      const pattern = new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`)
      return ![...visited].some((one) => pattern.test(one))
    })
    expect(left.map(({ path }) => path)).toEqual([])
  })
})
