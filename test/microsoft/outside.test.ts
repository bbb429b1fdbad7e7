import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readConfig } from '../../server/config/config.ts'
import { createLog } from '../../server/log.ts'
import { type RunningPortal, startPortal } from '../../server/process/start.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { Browser, type Page } from '../support/browser.ts'
import { freshDatabase } from '../support/databases.ts'
import { type OutsideDouble, type OutsideTenant, startOutsideDouble } from '../support/outside.ts'
import { introducePartner } from '../support/portal.ts'
import { syncsOf } from '../support/sync.ts'
import { until } from '../support/waiting.ts'

/*
 * The portal knows Microsoft by its addresses alone: what it does with the simulator it does with any other double of
 * the same protocol, in its own way of writing it.
 */

type Api = 'defender' | 'graph'

const wordsOf = (page: Page) => page.text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

/** Instants with 0 to 7 digits of a second; fields that may be missing sometimes are. */
function incident(api: Api, number: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  const at = new Date(Date.now() - number * 60_000).toISOString().slice(0, 19)
  const time = number % 8 === 0 ? `${at}Z` : `${at}.${'1234567'.slice(0, number % 8)}Z`
  const status = number % 2 ? 'Active' : 'New'
  if (api === 'graph') {
    const known = { createdDateTime: time, lastUpdateDateTime: time, displayName: `Outside ${number}` }
    return { id: String(number), status: number % 2 ? 'active' : 'inProgress', severity: 'high', ...known, ...more }
  }
  const alerts = [{ alertId: `da${number}`, title: `Alert of ${number}`, devices: null }]
  const known = { createdTime: time, lastUpdateTime: time, incidentName: `Outside ${number}`, alerts }
  return {
    incidentId: number,
    status,
    severity: 'High',
    ...(number % 3 ? { assignedTo: null } : {}),
    ...known,
    ...more,
  }
}

describe.each(['defender', 'graph'] as const)('with another Microsoft than the simulator, on %s', (api) => {
  let double: OutsideDouble
  let running: RunningPortal
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let partner: OutsideTenant
  let admin: Browser
  let customers = 0

  beforeAll(async () => {
    double = await startOutsideDouble()
    database = await freshDatabase('SQLite')
    partner = double.tenant('partner.example')
    const config = readConfig({
      PORT: '0',
      PUBLIC_URL: 'http://localhost:0',
      SESSION_SECRET: 'zY8xW6vU4tS2rQ0pO9nM7lK5jI3hG1fE',
      AZURE_CLIENT_ID: double.clientId,
      AZURE_CLIENT_SECRET: double.secret,
      AZURE_TENANT_ID: partner.id,
      AZURE_AUTHORITY_HOST: double.origin,
      DEFENDER_API_URL: double.origin,
      GRAPH_API_URL: double.origin,
      INCIDENTS_API: api,
      DATA_DIR: database.dataDir,
    })
    running = await startPortal(config, { log: createLog('silent') })
    await introducePartner(running.portal)
    double.redirectUris.push(`${running.url}/consent/callback`, `${running.url}/auth/callback`)
    admin = browserOf(double.person(partner, 'Ada', 'Muster.Admin').id)
    expect(new URL((await signIn(admin)).url).pathname).toBe('/')
  })

  afterAll(async () => {
    await running.close()
    await double.close()
    await database.drop()
  })

  function browserOf(person: string): Browser {
    const browser = new Browser(running.url)
    // Cookies know no ports: what is set for the portal's host is sent to the double as well.
    browser.setCookie('who', person)
    return browser
  }

  const signIn = async (browser: Browser) =>
    browser.follow(await browser.submit(await browser.open('/sign-in'), '/auth/login'))

  async function customer(expected: string): Promise<{ id: string; link: string; classic: string }> {
    const name = `Customer ${++customers}`
    const rest = { contactName: '', contactEmail: '', language: 'en', groups: '', notes: '', days: '14' }
    const page = await admin.follow(
      await admin.submit(await admin.open('/customers/new'), '/customers', { ...rest, name, expected, link: 'issue' }),
    )
    const link = /http:[^"<\s]*\/join\/[\w-]+/.exec(page.text)?.[0] ?? ''
    const classic = /http:[^"<\s]*\/common\/oauth2\/authorize[^"<\s]*/.exec(page.text)?.[0] ?? ''
    return { id: new URL(page.url).pathname, link, classic: classic.replaceAll('&amp;', '&') }
  }

  async function consent(link: string, person: { id: string }): Promise<Page> {
    const browser = browserOf(person.id)
    const { pathname } = new URL(link)
    return browser.follow(await browser.submit(await browser.open(link), `${pathname}/attempts`))
  }

  async function reading(tenant: OutsideTenant, title = 'Outside 1'): Promise<void> {
    const shown = async () => {
      const page = await admin.open(`/tenants/${tenant.id}/incidents?status=any`)
      return page.status === 200 && page.text.includes(`${title}<`)
    }
    await until(shown, { everyMs: 100, what: `${tenant.domain} is read` })
  }

  test('a customer pinned by domain is brought from its link to its incidents', async () => {
    const tenant = double.tenant('nordlys.example', [incident(api, 1), incident(api, 2)])
    const { link } = await customer('Nordlys.example')
    const arrived = await consent(link, double.person(tenant, 'Nora'))
    expect(new URL(arrived.url).pathname).toMatch(/^\/consent\/[0-9a-f-]+$/)
    await reading(tenant)
    await reading(tenant, 'Outside 2')
  })

  test.each([false, true])('an unpinned one is proven by sign-in, silently or visibly (%s)', async (neverSilent) => {
    double.neverSilent = neverSilent
    const tenant = double.tenant(`unpinned-${neverSilent}.example`, [incident(api, 1)])
    await consent((await customer('')).link, double.person(tenant, 'Una'))
    double.neverSilent = false
    await reading(tenant)
    expect((await getTenant(running.portal.db, tenant.id)).boundHow).toBe('sign-in')
  })

  test.each([
    ['somebody who may not consent', 'DirectoryRole' as const, ['member']],
    ['anybody, while the registration does not ask for directory roles', null, []],
  ])('an unpinned one of %s waits for an Admin', async (_who, asked, roles) => {
    double.groupMembershipClaims = asked
    const tenant = double.tenant(`waits-${roles.length}.example`)
    tenant.consented = true
    const arrived = await consent((await customer('')).link, double.person(tenant, 'Mia', ...roles))
    double.groupMembershipClaims = 'DirectoryRole'
    expect(wordsOf(arrived)).toContain('Now a person looks at it')
    expect((await admin.open(`/tenants/${tenant.id}`)).status).toBe(404)
  })

  test('the classic link works, and names its tenant by the code alone', async () => {
    const tenant = double.tenant('classic.example', [incident(api, 1)])
    const { classic } = await customer(tenant.id)
    await browserOf(double.person(tenant, 'Clara').id).open(classic)
    await reading(tenant)
  })

  test('a refusal is told apart from another organisation, and nothing is bound', async () => {
    const tenant = double.tenant('declined.example')
    const other = double.tenant('other.example')
    const { link } = await customer(tenant.id)
    expect(wordsOf(await consent(link, double.person(tenant, 'Dora', 'declines')))).toContain('You declined')
    expect(wordsOf(await consent(link, double.person(other, 'Otto')))).toContain('That was another organisation')
    expect((await admin.open(`/tenants/${tenant.id}`)).status).toBe(404)
  })

  test('a tenant swapped into the callback is not bound', async () => {
    const tenant = double.tenant('swapped.example')
    const victim = double.tenant('victim.example')
    victim.consented = true
    for (const expected of [tenant.id, '']) {
      const { link } = await customer(expected)
      const browser = browserOf(double.person(tenant, 'Sven').id)
      const left = await browser.submit(await browser.open(link), `${new URL(link).pathname}/attempts`)
      const back = new URL((await browser.get(left.location ?? '')).location ?? '')
      back.searchParams.set('tenant', victim.id)
      await browser.open(back.href)
      expect((await admin.open(`/tenants/${victim.id}`)).status).toBe(404)
    }
  })

  test('a person of another tenant is not let in, whatever roles she brings', async () => {
    const elsewhere = double.tenant('elsewhere.example')
    const page = await signIn(browserOf(double.person(elsewhere, 'Eve', 'Muster.Admin').id))
    expect(page.url).not.toMatch(/\/$/)
    expect(wordsOf(await signIn(browserOf(double.person(partner, 'Nemo').id)))).toContain('You have no role in Muster')
  })

  test('a byte order mark hides no incident', async () => {
    const tenant = double.tenant('marked.example')
    const list = JSON.stringify({ value: [incident(api, 1)] })
    double.weather = (path, asked) =>
      asked === tenant && path.endsWith('/incidents') ? { status: 200, body: `\ufeff${list}` } : undefined
    await consent((await customer(tenant.id)).link, double.person(tenant, 'Mark'))
    await reading(tenant)
    double.weather = null
  })

  test('one incident whose alerts cannot be read holds up neither the others nor the tenant', async () => {
    if (api === 'defender') return expect(double.calls.filter((call) => call.endsWith('/alerts'))).toEqual([])
    const tenant = double.tenant(
      'large.example',
      [1, 2, 3].map((number) => incident(api, number)),
    )
    const before = double.calls.length
    double.weather = (path, asked) =>
      asked === tenant && /\/incidents\/2(\/|$)/.test(path) ? { status: 500, body: { error: { code: '' } } } : undefined
    await consent((await customer(tenant.id)).link, double.person(tenant, 'Lars'))
    const cursor = async () => (await getTenant(running.portal.db, tenant.id).catch(() => null))?.cursor
    await until(async () => Boolean(await cursor()), { what: 'its list is read' })
    double.weather = null
    const asked = double.calls.slice(before).filter((call) => call.includes('/incidents/2')).length
    expect((await getTenant(running.portal.db, tenant.id)).cursor).not.toBeNull()
    expect((await syncsOf(running.portal.db, tenant.id, 9)).map(({ outcome }) => outcome)).toContain('partial')
    expect((await admin.open(`/tenants/${tenant.id}/incidents/3`)).text).toContain('Alert of 3')
    expect(wordsOf(await admin.open(`/tenants/${tenant.id}`))).toContain('Its alerts could not be read')
    // Not asked for again at every pass: what is too large now is too large in a minute.
    expect(asked).toBeLessThanOrEqual(8)
  })
})
