import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { requestSync } from '../../server/store/sync/requests.ts'
import { requestReread, windowsOf } from '../../server/store/sync/windows.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { nextPause } from '../../server/sync/pace.ts'
import { before, connected, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { day, difference, hour, instantOf, minute, run, syncsOf, withoutComparison } from '../support/sync.ts'

describe('the pace', () => {
  const sync = { paceMs: 90_000, quietPaceMs: 600_000 }
  const now = new Date('2026-11-20T08:00:00.000Z')
  const at = (ago: number) => new Date(now.getTime() - ago).toISOString()

  test.each([
    ['active', 10 * minute, 72_000, 108_000],
    ['quiet for three hours', 3 * hour, 216_000, 270_000],
    ['quiet for a day', day, 480_000, 600_000],
  ])('of a tenant that is %s', (_, ago, least, most) => {
    const tenant = { lastChangeAt: at(ago), syncFailures: 0 }
    expect(nextPause(tenant, sync, now, () => 0)).toBeCloseTo(least)
    expect(nextPause(tenant, sync, now, () => 1)).toBeCloseTo(most)
  })

  test('after failures is left to chance, up to ten minutes', () => {
    const longest = [1, 2, 3, 6, 50].map((syncFailures) =>
      nextPause({ lastChangeAt: null, syncFailures }, sync, now, () => 1),
    )
    expect(longest).toEqual([30_000, 60_000, 120_000, 600_000, 600_000])
    expect(nextPause({ lastChangeAt: null, syncFailures: 9 }, sync, now, () => 0)).toBe(2_000)
  })
})

onEachEngine('a sync', (engine) => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startTestPortal(engine)
  })
  afterEach(() => here.close())

  test('reads 30 days back after what is open, and counts each incident as added once', async () => {
    const { tenant } = await connected(here, 'Contoso')
    here.simulator.world.generate(tenant.id, 400)
    const second = (await connected(here, 'Fabrikam')).tenant
    await run(here, 11 * minute)
    expect(await getTenant(here.portal.db, second.id)).toMatchObject({
      syncPhase: 'following',
      backfilledAt: expect.any(String),
    })
    await requestReread(
      here.portal.db,
      before,
      tenant.id,
      { from: new Date(here.portal.now().getTime() - 31 * day).toISOString(), to: here.portal.now().toISOString() },
      here.portal.now(),
    )
    await untilNothingIsDue(here)
    expect(await difference(here, tenant.id)).toEqual([])
    const windows = await windowsOf(here.portal.db, tenant.id, 9)
    expect(windows.map(({ kind, finishedAt }) => [kind, finishedAt !== null])).toEqual([
      ['reread', true],
      ['backfill', true],
    ])
    expect(windows[0]?.differences).toBeGreaterThan(300)
    const syncs = await syncsOf(here.portal.db, tenant.id, 1_000)
    const { incidentCount } = await getTenant(here.portal.db, tenant.id)
    expect(syncs.reduce((sum, sync) => sum + sync.added, 0)).toBe(incidentCount)
  })

  test('finds late arrivals beyond the overlap when it compares, says so, and then finds none', async () => {
    const { tenant } = await connected(here, 'Contoso')
    const { world } = here.simulator
    const late = new Date(here.portal.now().getTime() - 5 * hour).toISOString().replace('Z', '0000Z')
    world.addIncident(tenant.id, { createdAt: late, lastUpdateAt: late })
    await run(here, 11 * minute)
    expect(await difference(here, tenant.id)).toHaveLength(1)
    await run(here, 7 * hour)
    expect(await difference(here, tenant.id)).toEqual([])
    expect(await getTenant(here.portal.db, tenant.id)).toMatchObject({
      reconcileDifferences: 1,
      reconciledAt: expect.any(String),
    })
    await run(here, 7 * hour)
    expect(await getTenant(here.portal.db, tenant.id)).toMatchObject({ reconcileDifferences: 0 })
  })

  test('keeps what Microsoft no longer knows, and counts it as open no more', async () => {
    const { tenant } = await connected(here, 'Contoso')
    const [known] = here.simulator.world.tenant(tenant.id).incidents.all()
    await run(here, 11 * minute)
    here.simulator.world.removeIncident(tenant.id, known?.id ?? 0)
    await run(here, 7 * hour)
    const row = await here.portal.db.selectFrom('incidents').selectAll().executeTakeFirstOrThrow()
    expect(row).toMatchObject({ open: 0, gone_at: expect.any(String) })
    expect((await getTenant(here.portal.db, tenant.id)).open.high).toBe(0)
  })

  test('polls that bring nothing are one row', async () => {
    const { tenant } = await connected(here, 'Contoso')
    for (let n = 0; n < 4; n++) await run(here, 11 * minute)
    const [newest] = await syncsOf(here.portal.db, tenant.id, 1)
    expect(newest).toMatchObject({ kind: 'following', outcome: 'complete', stored: 0 })
    expect(newest?.polls).toBeGreaterThanOrEqual(4)
  })

  test('catches up in slices after a long outage', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await run(here, 11 * minute)
    // The comparison would mend what catching up lost.
    await here.portal.db.updateTable('tenants').set({ next_window_at: null, next_reconcile_at: null }).execute()
    here.clock.advance(20 * day)
    here.simulator.world.generate(tenant.id, 2_000, { days: 19 })
    await untilNothingIsDue(here)
    await run(here, 11 * minute)
    expect(await difference(here, tenant.id)).toEqual([])
  })

  test('asked for while Microsoft wants to be left alone, waits until then', async () => {
    const { tenant } = await connected(here, 'Contoso')
    here.simulator.world.setWeather(tenant.id, 'throttle', { retryAfter: 600, forMs: hour })
    await run(here, 11 * minute)
    const { notBefore } = await getTenant(here.portal.db, tenant.id)
    expect(Date.parse(notBefore ?? '') - here.portal.now().getTime()).toBeGreaterThan(590_000)
    await requestSync(here.portal.db, before, tenant.id, here.portal.now())
    expect((await getTenant(here.portal.db, tenant.id)).nextSyncAt).toBe(notBefore)
  })

  test('finds what shows up late within the overlap, also when it bears the time of the cursor', async () => {
    const { tenant } = await connected(here, 'Contoso')
    const { cursor } = await getTenant(here.portal.db, tenant.id)
    const early = new Date(Date.parse(cursor ?? '') - 14 * minute).toISOString().replace('Z', '0000Z')
    for (const at of [cursor ?? '', early])
      here.simulator.world.addIncident(tenant.id, { createdAt: at, lastUpdateAt: at })
    await run(here, 11 * minute)
    expect(await difference(here, tenant.id)).toEqual([])
    expect((await getTenant(here.portal.db, tenant.id)).cursor).toBe(cursor)
  })

  test('goes no further than Microsoft’s own clock says: what is shown late behind a time from the future is found', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await withoutComparison(here)
    await run(here, 20 * minute)
    const { world } = here.simulator
    const at = (ms: number) => instantOf(here.portal.now().getTime() + ms)
    world.addIncident(tenant.id, { createdAt: at(0), lastUpdateAt: at(14 * minute) })
    await run(here, 2 * minute)
    const { cursor } = await getTenant(here.portal.db, tenant.id)
    expect((cursor ?? '') < at(1_000)).toBe(true)
    world.addIncident(tenant.id, { createdAt: at(-5 * minute), lastUpdateAt: at(-5 * minute) })
    await run(here, 11 * minute)
    expect(await difference(here, tenant.id)).toEqual([])
  })

  test('keeps what is newer when a list comes from an old replica', async () => {
    const { tenant } = await connected(here, 'Contoso')
    const { world } = here.simulator
    const one = world.addIncident(tenant.id)
    await run(here, 11 * minute)
    world.updateIncident(tenant.id, one.id, { assignedTo: 'carol@contoso.example' })
    await run(here, 2 * minute)
    expect(await difference(here, tenant.id)).toEqual([])
    world.setWeather(tenant.id, 'stale', { ageMs: 5 * minute, count: 1 })
    await run(here, 2 * minute)
    expect(world.sky.active()).toEqual([])
    expect(await difference(here, tenant.id)).toEqual([])
  })

  test('takes no time from the future for its cursor, and stores what bears it', async () => {
    const { tenant } = await connected(here, 'Contoso')
    const { cursor } = await getTenant(here.portal.db, tenant.id)
    const future = new Date(here.portal.now().getTime() + 5 * day).toISOString().replace('Z', '0000Z')
    here.simulator.world.addIncident(tenant.id, { createdAt: future, lastUpdateAt: future })
    await run(here, 11 * minute)
    expect(await difference(here, tenant.id)).toEqual([])
    expect((await getTenant(here.portal.db, tenant.id)).cursor).toBe(cursor)
  })
})
