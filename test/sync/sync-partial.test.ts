import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { rejectedOf } from '../../server/store/incidents/rejected.ts'
import { syncsPage } from '../../server/store/sync/history.ts'
import { windowsOf } from '../../server/store/sync/windows.ts'
import { blindSince } from '../../server/store/tenants/blind.ts'
import { fleetGauges } from '../../server/store/tenants/gauges.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { connected, formToken, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { day, difference, hour, minute, run, startGraphPortal } from '../support/sync.ts'

const silent = [{ name: 'Microsoft/WDATP', status: 401 }]

onEachEngine('a tenant that Microsoft answers in part (206)', (engine) => {
  describe.each(['defender', 'graph'] as const)('over %s', (api) => {
    let here: TestPortal
    beforeEach(async () => {
      here = api === 'graph' ? await startGraphPortal(engine) : await startTestPortal(engine)
    })
    afterEach(() => here.close())

    const tenantOf = (id: string) => getTenant(here.portal.db, id)
    /** Everything is due and done again, for so long. */
    const passHours = async (hours: number) => {
      for (let n = 0; n < hours * 4; n++) await run(here, 15 * minute)
    }

    test('from the first day on is blind, says who is silent, and has no window that is whole', async () => {
      const { world } = here.simulator
      world.setWeather('*', 'partial', {})
      const { tenant, customer } = await connected(here, 'Contoso')
      await run(here, 20 * minute)
      const { portal } = here
      const read = await tenantOf(tenant.id)
      expect(read).toMatchObject({
        accessState: 'active',
        cursor: null,
        lastReadAt: null,
        backfilledAt: null,
        syncFailures: 0,
        partialSince: expect.any(String),
        partial: { sources: silent },
      })
      expect(blindSince(read, portal.now())).toBe(read.partialSince)
      expect((await fleetGauges(portal.db, portal.now())).blind).toBe(1)
      for (const { outcome, partial } of await syncsPage(portal.db, tenant.id, { limit: 50 })) {
        expect([outcome, partial]).toEqual(['partial', { sources: silent }])
      }
      expect((await windowsOf(portal.db, tenant.id, 9)).map(({ finishedAt }) => finishedAt)).not.toContainEqual(
        expect.any(String),
      )
      const alice = await here.signedIn(here.cast.alice)
      const said = 'Microsoft answers in part only: Microsoft/WDATP (401) did not answer it.'
      const overview = (await alice.open('/')).text
      expect(overview).toContain(`id="blind-${tenant.id}"`)
      expect(overview).toContain(said)
      expect(overview).toContain('1 tenant is blind')
      const page = (await alice.open(`/tenants/${tenant.id}`)).text
      expect(page).toContain(said)
      expect(page).toContain('Answered in part since')
      expect(page).toContain('Partly read')
      expect(page).toContain('not read whole yet')
      expect((await alice.open(`/customers/${customer.id}`)).text).toContain(said)
      const queue = (await alice.open(`/tenants/${tenant.id}/incidents`)).text
      expect(queue).toContain(said)
      expect(queue).not.toContain('Nothing is open<')
      expect((await alice.open('/incidents')).text).toContain('1 blind')
      expect((await alice.open('/customers?state=blind')).text).toContain(`id="c-${customer.id}"`)
    })

    test('is read whole from where its cursor stands, once the answers are whole', async () => {
      const { world } = here.simulator
      world.setWeather('*', 'partial', {})
      const { tenant } = await connected(here, 'Contoso')
      await passHours(2)
      for (let n = 0; n < 5; n++) world.addIncident(tenant.id)
      await passHours(1)
      expect((await tenantOf(tenant.id)).cursor).toBeNull()
      world.clearWeather()
      await passHours(1)
      expect(await difference(here, tenant.id)).toEqual([])
      expect(await tenantOf(tenant.id)).toMatchObject({
        partialSince: null,
        partial: null,
        partialCursor: null,
        backfilledAt: expect.any(String),
        lastReadAt: expect.any(String),
      })
    })

    test('later keeps its cursor and its time of reading, goes on with what comes, and loses nothing', async () => {
      const { world } = here.simulator
      const { tenant } = await connected(here, 'Contoso')
      await run(here, 20 * minute)
      const sound = await tenantOf(tenant.id)
      world.setWeather(tenant.id, 'partial', { keep: 2 })
      for (let n = 0; n < 4; n++) {
        for (let one = 0; one < 4; one++) world.addIncident(tenant.id)
        await passHours(1)
      }
      const partly = await tenantOf(tenant.id)
      expect(partly).toMatchObject({ cursor: sound.cursor, partial: { sources: silent } })
      expect(Date.parse(partly.lastReadAt ?? '')).toBeLessThan(Date.parse(partly.partialSince ?? ''))
      expect(partly.incidentCount).toBeGreaterThan(sound.incidentCount)
      expect(partly.partialCursor?.localeCompare(sound.cursor ?? '')).toBe(1)
      expect(await difference(here, tenant.id)).not.toEqual([])
      world.clearWeather()
      // Polls alone bring it: the comparison would as well.
      await here.portal.db.updateTable('tenants').set({ next_window_at: null, next_reconcile_at: null }).execute()
      await here.portal.db.updateTable('windows').set({ finished_at: here.portal.now().toISOString() }).execute()
      await run(here, 11 * minute)
      await run(here, 2 * minute)
      await run(here, 2 * minute)
      expect(await difference(here, tenant.id)).toEqual([])
      expect(await tenantOf(tenant.id)).toMatchObject({ partialSince: null, partialCursor: null })
    })

    test('compares nothing, and takes nothing for gone, while its lists lack something', async () => {
      const { world } = here.simulator
      const { tenant } = await connected(here, 'Contoso')
      await run(here, 20 * minute)
      world.setWeather(tenant.id, 'partial', {})
      for (const { id } of [...world.tenant(tenant.id).incidents.all()]) world.removeIncident(tenant.id, id)
      await passHours(8)
      const gone = () => here.portal.db.selectFrom('incidents').select('gone_at').executeTakeFirstOrThrow()
      expect((await gone()).gone_at).toBeNull()
      expect((await tenantOf(tenant.id)).reconciledAt).toBeNull()
      world.clearWeather()
      await passHours(1)
      expect((await gone()).gone_at).not.toBeNull()
      expect((await tenantOf(tenant.id)).reconciledAt).not.toBeNull()
    })

    test('and that is told so by its proof is blind from the proof on', async () => {
      const { world } = here.simulator
      const { tenant } = await connected(here, 'Contoso')
      await run(here, 20 * minute)
      world.setWeather(tenant.id, 'partial', { path: 'top=1' })
      const carol = await here.signedIn(here.cast.carol)
      await carol.post(`/tenants/${tenant.id}/checks`, { _csrf: formToken(await carol.open('/settings')) })
      await here.portal.db.updateTable('tenants').set({ next_sync_at: null, next_window_at: null }).execute()
      await untilNothingIsDue(here)
      const proven = await tenantOf(tenant.id)
      expect(proven).toMatchObject({ accessState: 'active', partial: { sources: silent } })
      expect(blindSince(proven, here.portal.now())).toBe(proven.partialSince)
      expect((await carol.open(`/tenants/${tenant.id}`)).text).toMatch(
        /→ 206 in \d+ ms · Microsoft answers in part only/,
      )
    })
  })
})

onEachEngine('the parts that Microsoft answers by themselves', (engine) => {
  let here: TestPortal
  afterEach(() => here.close())

  test('alerts that came in part do not replace more, are listed, and are read again', async () => {
    here = await startGraphPortal(engine)
    const { world } = here.simulator
    const { tenant } = await connected(here, 'Contoso')
    here.clock.advance(20 * minute)
    const { id } = world.addIncident(tenant.id, { alerts: 3 })
    world.setWeather(tenant.id, 'partial', { path: '/alerts', keep: 1 })
    await untilNothingIsDue(here)
    await run(here, 2_000)
    const alerts = async () =>
      (
        await here.portal.db
          .selectFrom('incidents')
          .select('alert_count')
          .where('incident_id', '=', String(id))
          .executeTakeFirstOrThrow()
      ).alert_count
    expect(await alerts()).toBe(1)
    expect(await rejectedOf(here.portal.db, tenant.id)).toMatchObject([
      { item: `${id} alerts`, reason: 'alerts-partly-answered', detail: 'Microsoft/WDATP (401)' },
      { item: '1 alerts', reason: 'alerts-partly-answered' },
    ])
    const partly = await getTenant(here.portal.db, tenant.id)
    expect(blindSince(partly, here.portal.now())).toBe(partly.partialSince)
    // The lists are whole all the while: that alone does not make the tenant whole.
    for (let n = 0; n < 3; n++) await run(here, 11 * minute)
    expect((await getTenant(here.portal.db, tenant.id)).partialSince).toBe(partly.partialSince)
    world.clearWeather()
    for (let n = 0; n < 3; n++) await run(here, 11 * minute)
    expect(await rejectedOf(here.portal.db, tenant.id)).toEqual([])
    expect(await difference(here, tenant.id)).toEqual([])
    world.setWeather(tenant.id, 'partial', { path: '/alerts' })
    world.updateIncident(tenant.id, id, { assignedTo: 'x@y.example' })
    for (let n = 0; n < 3; n++) await run(here, 11 * minute)
    expect(await alerts()).toBeGreaterThanOrEqual(3)
  })

  test('a single incident that came in part is kept, listed, and asked for again', async () => {
    here = await startTestPortal(engine)
    const { world } = here.simulator
    const { tenant } = await connected(here, 'Contoso')
    await run(here, 20 * minute)
    const late = new Date(here.portal.now().getTime() - 2 * day).toISOString().replace('Z', '0000Z')
    const { id } = world.addIncident(tenant.id, { createdAt: late, lastUpdateAt: late, alerts: 2 })
    const asked = { item: String(id), reason: 'unreadable', detail: '', first_seen_at: late, last_seen_at: late }
    await here.portal.db
      .insertInto('rejected_items')
      .values({ tenant_id: tenant.id, ...asked })
      .execute()
    world.setWeather(tenant.id, 'partial', { path: `/incidents/${id}` })
    await run(here, 11 * minute)
    expect(await rejectedOf(here.portal.db, tenant.id)).toMatchObject([
      { item: String(id), reason: 'partly-answered', detail: 'Microsoft/WDATP (401)' },
    ])
    expect(await getTenant(here.portal.db, tenant.id)).toMatchObject({ partial: { sources: silent } })
    expect(await difference(here, tenant.id)).toHaveLength(1)
    world.clearWeather()
    for (let n = 0; n < 3; n++) await run(here, 11 * minute)
    expect(await rejectedOf(here.portal.db, tenant.id)).toEqual([])
    expect(await difference(here, tenant.id)).toEqual([])
    expect(await getTenant(here.portal.db, tenant.id)).toMatchObject({ partialSince: null })
  })

  test('a list too long for one poll keeps its cursor before what it lacks, and still comes to its end', async () => {
    here = await startTestPortal(engine)
    const { world } = here.simulator
    const { tenant } = await connected(here, 'Contoso')
    await run(here, 20 * minute)
    const { cursor } = await getTenant(here.portal.db, tenant.id)
    here.clock.advance(20 * day)
    world.generate(tenant.id, 1_200, { days: 19 })
    await here.portal.db.updateTable('tenants').set({ next_window_at: null, next_reconcile_at: null }).execute()
    world.setWeather(tenant.id, 'partial', { keep: 80 })
    await untilNothingIsDue(here)
    await run(here, hour)
    expect(await getTenant(here.portal.db, tenant.id)).toMatchObject({ cursor, partialCursor: expect.any(String) })
    world.clearWeather()
    for (let n = 0; n < 3; n++) await run(here, 11 * minute)
    expect(await getTenant(here.portal.db, tenant.id)).toMatchObject({ partialSince: null, partialCursor: null })
    expect(await difference(here, tenant.id)).toEqual([])
  })
})
