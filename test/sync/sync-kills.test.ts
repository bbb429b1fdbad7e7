import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { windowsOf } from '../../server/store/sync/windows.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { connected, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import {
  day,
  difference,
  expectExactCounts,
  hour,
  instantOf,
  minute,
  mortalPortal,
  rereadAll,
  run,
  syncsOf,
  withoutComparison,
} from '../support/sync.ts'

onEachEngine('a pass that is killed', (engine) => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startTestPortal(engine)
  })
  afterEach(() => here.close())

  const read = (tenantId: string) => getTenant(here.portal.db, tenantId)

  test('at any write of a first sync, goes on where it was and loses nothing', async () => {
    const { portal, clock, simulator } = here
    const { live } = mortalPortal(here)
    const { tenant } = await connected(here, 'Contoso')
    simulator.world.generate(tenant.id, 260)
    for (let n = 0; ; n++) {
      for (const table of ['incidents', 'syncs', 'windows'] as const)
        await portal.db.deleteFrom(table).where('tenant_id', '=', tenant.id).execute()
      const afresh = { sync_phase: 'open', cursor: null, next_sync_at: portal.now().toISOString() }
      const nothing = { next_window_at: null, backfilled_at: null, next_reconcile_at: null, sync_lease_until: null }
      await portal.db
        .updateTable('tenants')
        .set({ ...afresh, ...nothing, incident_count: 0 })
        .execute()
      const lived = await live(n)
      clock.advance(2 * minute)
      await untilNothingIsDue(here)
      await run(here, 11 * minute)
      expect([n, await difference(here, tenant.id)]).toEqual([n, []])
      const { backfilledAt } = await read(tenant.id)
      const added = (await syncsOf(portal.db, tenant.id, 999)).reduce((sum, sync) => sum + sync.added, 0)
      expect([n, backfilledAt !== null, added]).toEqual([n, true, 261])
      here.takeErrors()
      if (lived) return expect(n).toBeGreaterThan(8)
    }
  })

  test('at any write of a poll, loses nothing that lies before the overlap', async () => {
    const { live } = mortalPortal(here)
    const { tenant } = await connected(here, 'Contoso')
    for (let n = 0; ; n++) {
      await withoutComparison(here)
      for (let added = 0; added < 3; added++) {
        here.clock.advance(40 * minute)
        here.simulator.world.addIncident(tenant.id)
      }
      const lived = await live(n)
      await run(here, 11 * minute)
      expect([n, await difference(here, tenant.id)]).toEqual([n, []])
      here.takeErrors()
      if (lived) return expect(n).toBeGreaterThan(0)
    }
  })

  test('at any write of a comparison, finds every difference, and counts it once', async () => {
    const { live } = mortalPortal(here)
    const { portal, simulator } = here
    const { world } = simulator
    const { tenant } = await connected(here, 'Contoso')
    world.generate(tenant.id, 120, { days: 3 })
    await rereadAll(here, tenant.id)
    for (let n = 0; ; n++) {
      const ago = (ms: number) => instantOf(portal.now().getTime() - ms)
      for (const at of [ago(2 * hour), ago(20 * hour), ago(2 * day)])
        world.addIncident(tenant.id, { createdAt: at, lastUpdateAt: at })
      const [known] = world.tenant(tenant.id).incidents.all().slice(-9)
      if (known) world.removeIncident(tenant.id, known.id)
      await portal.db
        .updateTable('tenants')
        .set({ next_reconcile_at: portal.now().toISOString(), next_window_at: portal.now().toISOString() })
        .execute()
      const lived = await live(n)
      await run(here, 2 * minute)
      expect([n, await difference(here, tenant.id)]).toEqual([n, []])
      const [window] = await windowsOf(portal.db, tenant.id, 1)
      expect([n, window?.kind, window?.differences, window?.finishedAt !== null]).toEqual([n, 'reconcile', 4, true])
      await expectExactCounts(here, tenant.id)
      here.takeErrors()
      if (lived) return expect(n).toBeGreaterThan(4)
    }
  })

  test('while it catches up after a long outage, keeps what it did', async () => {
    const { live } = mortalPortal(here)
    const { tenant } = await connected(here, 'Contoso')
    await run(here, 11 * minute)
    await withoutComparison(here)
    here.clock.advance(20 * day)
    // More than two minutes of Microsoft's quota, so that it goes on over several passes as well.
    here.simulator.world.generate(tenant.id, 2_600, { days: 19 })
    const cursors = [(await read(tenant.id)).cursor ?? '']
    let lived = false
    for (let n = 24; !lived && cursors.length < 30; n++) {
      lived = await live(n)
      cursors.push((await read(tenant.id)).cursor ?? '')
      here.clock.advance(2 * minute)
    }
    expect(lived).toBe(true)
    // Each life brings it further, and never is anything lost behind it.
    expect(cursors).toEqual([...cursors].sort())
    expect(new Set(cursors).size).toBeGreaterThan(2)
    await run(here, 11 * minute)
    expect(await difference(here, tenant.id)).toEqual([])
    here.takeErrors()
  })
})
