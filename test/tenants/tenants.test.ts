import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { findEntry } from '../../server/model/dictionary.ts'
import { enterTenant } from '../../server/onboarding/by-hand.ts'
import { listAudit } from '../../server/store/audit.ts'
import { requestedCheckGapMs } from '../../server/store/tenants/checks.ts'
import { findTenant } from '../../server/store/tenants/tenants.ts'
import { before, connected, consentedTenant, customerNamed, formToken, untilNothingIsDue } from '../support/admin.ts'
import type { Browser, Page } from '../support/browser.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const mainOf = (page: Page) => /<main[\s\S]*<\/main>/.exec(page.text)?.[0] ?? ''
const hour = 3_600_000

onEachEngine('the page of a tenant', (engine) => {
  let here: TestPortal
  let alice: Browser
  beforeAll(async () => {
    here = await startTestPortal(engine)
    alice = await here.signedIn(here.cast.alice)
  })
  afterAll(() => here.close())

  const appId = () => here.portal.config.app.clientId
  /** Time passes, sessions end with it, and everything that is due is done. */
  const later = async (ms: number) => {
    here.clock.advance(ms)
    await untilNothingIsDue(here)
    alice = await here.signedIn(here.cast.alice)
  }

  test('shows the proof: whose token it was, what it may, and what Microsoft answered', async () => {
    const { customer, tenant } = await connected(here, 'Proof')
    const page = await alice.open(`/tenants/${tenant.id.toUpperCase()}`)
    expect(page.text).toContain('Right tenant, right app')
    expect(page.text).toContain('the bound tenant')
    expect(page.text).toContain('Incident.Read.All')
    expect(page.text).toMatch(/GET \/api\/incidents\?\$top=1 → 200 in \d+ ms/)
    expect(page.text).toContain(`/customers/${customer.id}`)
    expect(page.text).toContain(`/tenants/${tenant.id}/incidents`)
    expect(page.text).toContain('never shows or stores the token')
  })

  test('holds no token, and none of its secrets', async () => {
    const { tenant } = await connected(here, 'Secrets')
    const { text } = await alice.open(`/tenants/${tenant.id}`)
    expect(text).not.toMatch(/eyJ[\w-]{10,}/)
    expect(text).not.toContain('Muster-secret')
  })

  test('gives calls to run elsewhere, with this tenant and this app in them', async () => {
    const { tenant } = await connected(here, 'Elsewhere')
    const { text } = await alice.open(`/tenants/${tenant.id}`)
    const code = [...text.matchAll(/<code>([\s\S]*?)<\/code>/g)].map(([, one]) => one ?? '')
    expect(code).toHaveLength(6)
    for (const one of code) {
      expect(one).toContain(tenant.id)
      expect(one).toContain(appId())
      expect(one).toContain('AZURE_CLIENT_SECRET')
    }
  })

  test('says of a capability nobody asks for that it is not asked for, instead of missing', async () => {
    const { tenant } = await connected(here, 'Asked')
    const { text } = await alice.open(`/tenants/${tenant.id}`)
    expect(text.match(/Not asked for/g)).toHaveLength(3)
    expect(text).not.toContain('cap no')
  })

  test.each([
    ['revoked', 'Consent revoked', 'AADSTS7000229', 'The customer’s administrator', 'btn-primary'],
    ['disabled', 'App disabled', 'AADSTS7000112', 'The customer’s administrator', null],
    ['blocked', 'Blocked by Conditional Access', 'AADSTS53003', 'The customer’s administrator', null],
    ['gone', 'Tenant not available', 'AADSTS90002', 'The customer’s administrator', 'btn-primary'],
  ] as const)(
    'explains %s: who must act, what Microsoft answered, what next',
    async (state, word, number, who, issue) => {
      const { tenant } = await connected(here, `State ${state}`)
      const { world } = here.simulator
      if (state === 'revoked') world.revoke(tenant.id, appId())
      if (state === 'disabled') world.disableApp(tenant.id, appId())
      if (state === 'blocked') world.blockByPolicy(tenant.id)
      if (state === 'gone') world.deleteTenant(tenant.id)
      await later(7 * hour)
      const page = await alice.open(`/tenants/${tenant.id}`)
      expect((await findTenant(here.portal.db, tenant.id))?.accessState).toBe(state)
      expect(page.text).toContain(word)
      expect(page.text).toContain('Blind since')
      expect(page.text).toContain(number)
      expect(page.text).toContain(who)
      expect(page.text).toMatch(/data-copy-text="[0-9a-f-]{36}" aria-label="Copy the correlation ID"/)
      expect(page.text).toMatch(/data-copy-text="\d{4}-[^"]+Z" aria-label="Copy the time"/)
      expect(page.text).toContain('1 open, as last read')
      const button = /<button class="([^"]*)"><svg[^>]*>(?:(?!<\/svg>).)*<\/svg>Issue a new consent link/.exec(
        page.text,
      )
      expect(button?.[1]?.includes('btn-primary') ?? false).toBe(issue !== null)
    },
  )

  test.each([
    [5000224, 'gone', 'Tenant not available', 'Microsoft has made the customer’s tenant unavailable'],
    [5000225, 'gone', 'Tenant not available', 'because nobody used it for long'],
    [501051, 'limited', 'Permission missing', 'this permission is not assigned to it'],
    [500014, 'unlicensed', 'No Defender data', 'app behind the permission is switched off'],
    [53000, 'blocked', 'Blocked by Conditional Access', 'asks for a managed or approved device'],
  ] as const)('told AADSTS%i says what that number says, and what it is', async (code, state, word, why) => {
    const { tenant } = await connected(here, `Number ${code}`)
    here.simulator.world.setWeather(tenant.id, 'refusal', { code })
    await later(7 * hour)
    here.simulator.world.clearWeather(tenant.id)
    const page = await alice.open(`/tenants/${tenant.id}`)
    expect((await findTenant(here.portal.db, tenant.id))?.accessState).toBe(state)
    expect(page.text).toContain(word)
    expect(page.text).toContain(why)
    expect(page.text).toContain(`AADSTS${code} (${findEntry(code)?.fact})`)
  })

  test('says that a consent still has to spread, and turns by itself', async () => {
    const customer = await customerNamed(here, 'Spreading')
    const tenant = here.simulator.world.addTenant({ displayName: 'Spreading' })
    await enterTenant(here.portal, before, customer.id, tenant.id)
    await untilNothingIsDue(here)
    const proving = await alice.open(`/tenants/${tenant.id}`)
    expect(proving.text).toContain('Muster is proving the access')
    expect(proving.text).toContain('hx-trigger="every 3s"')
    expect(proving.text).toContain('Nothing was read yet')
    expect(proving.text).toContain('If nobody there has consented to this app yet')
    const read = /Incident\.Read\.All<\/div>.*?<span class="cap (\w+)">/s.exec(proving.text)
    expect(read?.[1]).toBe('unk')
    here.simulator.world.consent(tenant.id, appId())
    here.clock.advance(2 * 60_000)
    await untilNothingIsDue(here)
    const proven = await alice.get(`/tenants/${tenant.id}`, { 'X-Muster-Live': '1' })
    expect(proven.text).toContain('Connected')
    expect(proven.text).toContain('Earlier proofs (1)')
  })

  test('that was asked for a check says that it is due now, and looks again soon', async () => {
    const { tenant } = await connected(here, 'Asked again')
    const before = await alice.open(`/tenants/${tenant.id}`)
    expect(before.text).toContain('hx-trigger="every 10s"')
    here.clock.advance(requestedCheckGapMs)
    expect((await alice.submit(before, `/tenants/${tenant.id}/checks`)).status).toBe(303)
    const asked = await alice.open(`/tenants/${tenant.id}`)
    expect(asked.text).toContain('<dt>Next check</dt><dd>Now</dd>')
    expect(asked.text).toContain('hx-trigger="every 3s"')
    await untilNothingIsDue(here)
    expect((await alice.open(`/tenants/${tenant.id}`)).text).not.toContain('<dd>Now</dd>')
  })

  test('lists what of an answer was not understood, and keeps the rest', async () => {
    const { world } = here.simulator
    const customer = await customerNamed(here, 'Odd')
    const tenant = consentedTenant(here, 'Odd')
    world.addIncident(tenant.id, { severity: 'low', status: 'active' })
    world.setWeather(tenant.id, 'odd-item', { oddity: 'no-id' })
    await enterTenant(here.portal, before, customer.id, tenant.id)
    await untilNothingIsDue(here)
    world.clearWeather()
    const { text } = await alice.open(`/tenants/${tenant.id}`)
    expect(text).toContain('id="rejected"')
    expect(text).toContain('Without an ID')
    expect(text).toContain('1 open incident')
  })

  test('names a tenant as Microsoft writes it, escaped, and marks Chinese as Chinese', async () => {
    const customer = await customerNamed(here, '遠澤海運物流股份有限公司')
    const tenant = consentedTenant(here, 'x')
    await enterTenant(here.portal, before, customer.id, tenant.id)
    await here.portal.db
      .updateTable('tenants')
      .set({ display_name: '<img src=x>', default_domain: 'x.example' })
      .where('tenant_id', '=', tenant.id)
      .execute()
    const page = await alice.open(`/tenants/${tenant.id}`)
    expect(page.text).toContain('&lt;img src=x&gt;')
    expect(page.text).not.toContain('<img')
    expect(page.text).toContain('<span lang="zh-Hant">遠澤海運物流股份有限公司</span>')
  })

  test.each(['nothing', '00000000-0000-0000-0000-000000000000', '%00', '..%2f..', 'x'.repeat(500)])(
    'does not exist for %s',
    async (id) => {
      expect((await alice.open(`/tenants/${id}`)).status).toBe(404)
      const token = formToken(await alice.open('/settings'))
      expect((await alice.post(`/tenants/${id}/checks`, { _csrf: token })).status).toBe(404)
    },
  )

  test('lets an analyst check and refresh at once, with a witness, and a reader only look', async () => {
    const { customer, tenant } = await connected(here, 'Pressed')
    here.clock.advance(requestedCheckGapMs)
    const carol = await here.signedIn(here.cast.carol)
    const address = `/tenants/${tenant.id}`
    const page = await carol.open(address)
    for (const action of ['checks', 'syncs']) {
      const pressed = await carol.submit(page, `${address}/${action}`)
      expect([pressed.status, pressed.location]).toEqual([303, `${here.portal.config.publicUrl}${address}`])
    }
    const due = await findTenant(here.portal.db, tenant.id)
    expect([due?.nextCheckAt, due?.nextSyncAt].every((at) => at && at <= here.clock.now().toISOString())).toBe(true)
    const events = await listAudit(here.portal.db, { tenantId: tenant.id, limit: 2 })
    expect(events.map(({ action, actorName, customerId }) => [action, actorName, customerId])).toEqual([
      ['tenant.sync-requested', 'Carol Analyst', customer.id],
      ['tenant.check-requested', 'Carol Analyst', customer.id],
    ])
    expect(mainOf(page)).not.toContain('Issue a new consent link')
    const bob = await here.signedIn(here.cast.bob)
    const seen = await bob.open(address)
    expect(seen.status).toBe(200)
    expect(mainOf(seen)).not.toContain('<form')
  })

  test('that cannot be read cannot be refreshed, and says so calmly', async () => {
    const { tenant } = await connected(here, 'Unreadable')
    const stale = await alice.open(`/tenants/${tenant.id}`)
    here.simulator.world.revoke(tenant.id, appId())
    here.clock.advance(7 * hour)
    await untilNothingIsDue(here)
    alice = await here.signedIn(here.cast.alice)
    const _csrf = formToken(await alice.open('/settings'))
    const answer = await alice.post(`/tenants/${tenant.id}/syncs`, { _csrf })
    expect(answer.status).toBe(409)
    expect(answer.text).toContain('CONFLICT')
    expect(stale.text).toContain('Read now')
    expect((await alice.open(`/tenants/${tenant.id}`)).text).not.toContain('Read now')
  })
})
