import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { findTenant, getTenant } from '../../server/store/tenants/tenants.ts'
import { connected, untilNothingIsDue } from '../support/admin.ts'
import { invite, walk, wordsOf, work } from '../support/consent.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { difference, hour, instantOf, minute, run, startGraphPortal } from '../support/sync.ts'

onEachEngine('a state is named after what Microsoft said last', (engine) => {
  describe.each(['defender', 'graph'] as const)('over %s', (api) => {
    let here: TestPortal
    beforeEach(async () => {
      here = api === 'graph' ? await startGraphPortal(engine) : await startTestPortal(engine)
    })
    afterEach(() => here.close())

    const tenantOf = (id: string) => getTenant(here.portal.db, id)
    const twoDays = async () => {
      for (let n = 0; n < 49; n++) await run(here, hour)
    }

    test('Defender was never set up: the customer must do that, and nobody has to accept again', async () => {
      const { world } = here.simulator
      const invited = await invite(here, { pinned: true })
      world.setUpDefender(invited.tenant.id, false)
      const browser = here.browser()
      const { url } = await walk(browser, invited)
      await work(here)
      await twoDays()
      const tenant = await tenantOf(invited.tenant.id)
      expect(tenant).toMatchObject({
        accessState: 'unlicensed',
        stateCode: 'not-set-up',
        consentProvenAt: expect.any(String),
      })
      const words = wordsOf(await browser.open(url))
      expect(words).toContain('Your consent is there')
      expect(words).not.toMatch(/accept at Microsoft once more|No consent was found/)
      const alice = await here.signedIn(here.cast.alice)
      for (const address of [`/tenants/${tenant.tenantId}`, `/customers/${tenant.customerId}`]) {
        const page = wordsOf(await alice.open(address))
        expect(page).toContain('Microsoft Defender XDR is not set up in the customer’s tenant')
        expect(page).toContain('The consent is there and stays')
        expect(page).not.toContain('No consent found')
      }
      world.setUpDefender(invited.tenant.id, true)
      world.addIncident(invited.tenant.id)
      for (let n = 0; n < 8; n++) await run(here, hour)
      expect(await tenantOf(invited.tenant.id)).toMatchObject({ accessState: 'active', incidentCount: 1 })
    })

    test('Defender goes out of use in a tenant that is read: it is connected no more', async () => {
      const { tenant } = await connected(here, 'Contoso')
      await run(here, 20 * minute)
      here.simulator.world.setUpDefender(tenant.id, false)
      await run(here, 11 * minute)
      await run(here, minute)
      expect(await tenantOf(tenant.id)).toMatchObject({ accessState: 'unlicensed', stateCode: 'not-set-up' })
      await twoDays()
      expect((await tenantOf(tenant.id)).accessState).toBe('unlicensed')
      expect(await here.portal.db.selectFrom('incidents').select('gone_at').execute()).toEqual([{ gone_at: null }])
    })

    test('Microsoft is away for two days: it must act, and the consent is there', async () => {
      const { world } = here.simulator
      const invited = await invite(here, { pinned: true })
      world.setWeather(invited.tenant.id, 'outage', { status: 503 })
      const browser = here.browser()
      const { url } = await walk(browser, invited)
      await work(here)
      await twoDays()
      const tenant = await tenantOf(invited.tenant.id)
      expect(tenant).toMatchObject({ accessState: 'proving', stateCode: 'unavailable' })
      const words = wordsOf(await browser.open(url))
      expect(words).toContain('Your consent is not in question')
      expect(words).not.toMatch(/accept at Microsoft once more|No consent was found/)
      const alice = await here.signedIn(here.cast.alice)
      const page = wordsOf(await alice.open(`/tenants/${tenant.tenantId}`))
      expect(page).toContain('Microsoft did not answer, or answered that it is in trouble')
      expect(page).toContain('The consent is there')
      world.clearWeather()
      for (let n = 0; n < 2; n++) await run(here, 70 * minute)
      expect((await tenantOf(invited.tenant.id)).accessState).toBe('active')
    })

    test('the partner’s own credential fails for two days: the customer reads whose it is', async () => {
      const { world } = here.simulator
      const invited = await invite(here, { pinned: true })
      world.expireSecrets(here.portal.config.app.clientId)
      const browser = here.browser()
      const { url } = await walk(browser, invited)
      await work(here)
      await twoDays()
      // A claim that no token could prove binds nothing, however long the partner's own fault stands.
      expect(await findTenant(here.portal.db, invited.tenant.id)).toBeNull()
      const words = wordsOf(await browser.open(url))
      expect(words).toContain('has to mend something first, and has been told. You need not do anything.')
      expect(words).not.toMatch(/accept at Microsoft once more|No consent was found/)
    })

    test('a consent that a token proved and that is deleted is told as taken back', async () => {
      const { world } = here.simulator
      const invited = await invite(here, { pinned: true })
      world.setUpDefender(invited.tenant.id, false)
      const browser = here.browser()
      const { url } = await walk(browser, invited)
      await work(here)
      world.revoke(invited.tenant.id, here.portal.config.app.clientId)
      await twoDays()
      expect((await tenantOf(invited.tenant.id)).accessState).toBe('revoked')
      expect(wordsOf(await browser.open(url))).toContain('The consent was taken back')
    })
  })
})

onEachEngine('what vanished at Microsoft', (engine) => {
  describe.each(['defender', 'graph'] as const)('over %s', (api) => {
    let here: TestPortal
    beforeEach(async () => {
      here = api === 'graph' ? await startGraphPortal(engine) : await startTestPortal(engine)
      const { sync } = here.portal.config
      Object.assign(sync, { callsPerMinute: 5_000, callsPerHour: 50_000 })
      here.simulator.world.behaviour.quotas = false
    })
    afterEach(() => here.close())

    /** A tenant with 200 more incidents of the last two days, all of them read. */
    async function stocked() {
      const { world } = here.simulator
      const { tenant } = await connected(here, 'Contoso')
      const now = here.portal.now().getTime()
      for (let n = 1; n <= 200; n++) {
        const at = instantOf(now - n * 14 * minute)
        world.addIncident(tenant.id, { createdAt: at, lastUpdateAt: at, status: 'active' })
      }
      await compare()
      expect(await open()).toBe(201)
      return tenant
    }
    const open = async () =>
      (await here.portal.db.selectFrom('incidents').select('incident_id').where('open', '=', 1).execute()).length
    async function compare() {
      const at = here.portal.now().toISOString()
      await here.portal.db.updateTable('tenants').set({ next_window_at: at, next_reconcile_at: at }).execute()
      await untilNothingIsDue(here)
    }
    const vanish = (tenantId: string) => {
      const { world } = here.simulator
      for (const { id } of [...world.tenant(tenantId).incidents.all()]) world.removeIncident(tenantId, id)
    }

    test('is gone after one comparison, 200 incidents at once', async () => {
      const tenant = await stocked()
      vanish(tenant.id)
      await compare()
      expect(await open()).toBe(0)
      expect((await getTenant(here.portal.db, tenant.id)).reconcileDifferences).toBe(201)
    })

    test('is not gone by a 404 that does not speak of the incident', async () => {
      const tenant = await stocked()
      vanish(tenant.id)
      here.simulator.world.setWeather(tenant.id, 'outage', { status: 404, path: '/incidents/' })
      await compare()
      expect(await open()).toBe(201)
      here.simulator.world.clearWeather()
      await compare()
      expect(await open()).toBe(0)
    })

    test('is not gone when the whole service is out of use in the tenant', async () => {
      const tenant = await stocked()
      vanish(tenant.id)
      here.simulator.world.setUpDefender(tenant.id, false)
      await compare()
      expect(await open()).toBe(201)
      expect((await getTenant(here.portal.db, tenant.id)).stateCode).toBe('not-set-up')
    })
  })
})

onEachEngine('a page of fewer items than documented', (engine) => {
  describe.each(['defender', 'graph'] as const)('over %s', (api) => {
    let here: TestPortal
    beforeEach(async () => {
      here = api === 'graph' ? await startGraphPortal(engine) : await startTestPortal(engine)
    })
    afterEach(() => here.close())

    const refused = () => here.simulator.requests.filter(({ status }) => status === 400).length

    test('is taken, remembered, and tried as large as before another day', async () => {
      const { world } = here.simulator
      const { tenant } = await connected(here, 'Contoso')
      await run(here, 11 * minute)
      world.behaviour.maximumTop = 7
      for (let n = 0; n < 20; n++) world.addIncident(tenant.id)
      await run(here, 11 * minute)
      await run(here, 2 * minute)
      expect(await difference(here, tenant.id)).toEqual([])
      expect(await getTenant(here.portal.db, tenant.id)).toMatchObject({ syncFailures: 0, lastReadCode: null })
      const learning = refused()
      expect(learning).toBeGreaterThan(0)
      for (let n = 0; n < 3; n++) await run(here, 11 * minute)
      expect(refused()).toBe(learning)
      world.behaviour.maximumTop = null
      await run(here, 25 * hour)
      await run(here, 11 * minute)
      expect(here.simulator.requests.slice(-3).map(({ url }) => /top=(\d+)/.exec(url)?.[1])).toContain(
        api === 'graph' ? '50' : '100',
      )
    })

    test('a tenant that is proven and cannot be read is not called connected', async () => {
      const { world } = here.simulator
      const { customer, tenant } = await connected(here, 'Contoso')
      const badge = async (address: string) => {
        const { text } = await (await here.signedIn(here.cast.alice)).open(address)
        return /<span class="badge[^>]*>.*?<\/svg>(Connected|Being read|Blind)</.exec(text)?.[1]
      }
      expect(await badge(`/tenants/${tenant.id}`)).toBe('Connected')
      expect(await badge(`/customers/${customer.id}`)).toBe('Connected')
      const other = await connectedWhileRefused()
      expect(await badge(`/tenants/${other.tenant.id}`)).toBe('Being read')
      expect(await badge(`/customers/${other.customer.id}`)).toBe('Being read')
      for (let n = 0; n < 3; n++) await run(here, 11 * minute)
      expect(await badge(`/tenants/${other.tenant.id}`)).toBe('Blind')
      expect(await badge(`/customers/${other.customer.id}`)).toBe('Blind')

      async function connectedWhileRefused() {
        world.setWeather('*', 'outage', { status: 400, path: api === 'graph' ? 'status+eq' : 'status%20eq' })
        world.setWeather('*', 'outage', { status: 400, path: api === 'graph' ? 'status%20eq' : 'status+eq' })
        return connected(here, 'Fabrikam')
      }
    })
  })
})
