import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { enterTenant } from '../../server/onboarding/by-hand.ts'
import type { Claim } from '../../server/store/engine/claim.ts'
import { changeSettings } from '../../server/store/partner/settings.ts'
import { claimDue } from '../../server/store/sync/claims.ts'
import { requestReread } from '../../server/store/sync/windows.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { closedLongAgo, removeClosed } from '../../server/store/upkeep/retention.ts'
import { syncTenant } from '../../server/sync/follow.ts'
import { before, connected, consentedTenant, customerNamed, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/waiting.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

onEachEngine('what must not stand still', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine)
  })
  afterAll(() => here.close())

  async function run(ms: number, steps = 1): Promise<void> {
    for (let step = 0; step < steps; step++) {
      here.clock.advance(ms)
      await untilNothingIsDue(here)
    }
  }

  test('goes on when one incident’s own address never answers', async () => {
    const { tenant } = await connected(here, 'Poisoned')
    const { db } = here.portal
    await run(hour)
    const old = new Date(here.portal.now().getTime() - 2 * hour).toISOString()
    const row = { tenant_id: tenant.id, item: '4711', reason: 'too-large', detail: 'x' }
    await db
      .insertInto('rejected_items')
      .values({ ...row, first_seen_at: old, last_seen_at: old })
      .execute()
    here.simulator.world.setWeather(tenant.id, 'outage', { status: 504, path: '/incidents/4711' })
    here.simulator.world.addIncident(tenant.id, { severity: 'high', status: 'active' })
    await run(2 * minute)
    expect(await getTenant(db, tenant.id)).toMatchObject({ incidentCount: 2, syncFailures: 0 })
    const { last_seen_at } = await db.selectFrom('rejected_items').selectAll().executeTakeFirstOrThrow()
    expect(last_seen_at > old).toBe(true)
    here.simulator.world.clearWeather(tenant.id)
  })

  test('a tenant that a version before windows followed, or had half read, is read to its beginning and compared', async () => {
    const { tenant: followed } = await connected(here, 'Followed')
    const { tenant: half } = await connected(here, 'Half read')
    const { db } = here.portal
    const never = { next_reconcile_at: null, next_deep_reconcile_at: null, reconciled_at: null, backfilled_at: null }
    await db.deleteFrom('windows').execute()
    await db
      .updateTable('tenants')
      .set((eb) => ({ ...never, next_window_at: eb.ref('next_sync_at') }))
      .where('tenant_id', '=', followed.id)
      .execute()
    await db
      .updateTable('tenants')
      .set({ ...never, sync_phase: 'backfill', next_window_at: null })
      .where('tenant_id', '=', half.id)
      .execute()
    await run(hour, 12)
    for (const { id } of [followed, half]) {
      const read = await getTenant(db, id)
      expect(read).toMatchObject({ syncPhase: 'following', reconcileDifferences: 0 })
      expect(here.portal.now().getTime() - Date.parse(read.reconciledAt ?? '')).toBeLessThan(8 * hour)
    }
    expect((await getTenant(db, half.id)).backfilledAt).not.toBeNull()
  })

  test('a stretch read again brings nothing back that was removed for its age', async () => {
    const { tenant } = await connected(here, 'Aged')
    const { db } = here.portal
    await changeSettings(db, before, { closedDays: 40 }, here.portal.now())
    for (let n = 0; n < 3; n++) here.simulator.world.addIncident(tenant.id, { severity: 'low', status: 'resolved' })
    await run(2 * minute)
    await run(30 * day, 2)
    const limit = new Date(here.portal.now().getTime() - 40 * day)
    const old = (await closedLongAgo(db, limit, 99)).filter((one) => one.tenantId === tenant.id)
    expect(old).toHaveLength(3)
    await removeClosed(db, tenant.id, { incidentIds: old.map((one) => one.incidentId) }, limit)
    const now = here.portal.now()
    const from = new Date(now.getTime() - 100 * day).toISOString()
    await requestReread(db, before, tenant.id, { from, to: now.toISOString() }, now)
    await untilNothingIsDue(here)
    const window = await db.selectFrom('windows').selectAll().where('kind', '=', 'reread').executeTakeFirstOrThrow()
    expect([window.added, window.finished_at === null]).toEqual([0, false])
    expect((await getTenant(db, tenant.id)).incidentCount).toBe(1)
  })
})

describe('a list that waits for its tenant’s calls', () => {
  test('holds no room meanwhile that others may be waiting for, and gives all of it back', async () => {
    const here = await startTestPortal('SQLite')
    try {
      Object.assign(here.portal.config.sync, { callsPerMinute: 3 })
      const customer = await customerNamed(here, 'Large')
      const { id } = consentedTenant(here, 'Large')
      for (let n = 0; n < 450; n++) here.simulator.world.addIncident(id, { severity: 'low', status: 'active' })
      await enterTenant(here.portal, before, customer.id, id)
      const { db } = here.portal
      const at = here.portal.now().toISOString()
      await db.updateTable('tenants').set({ access_state: 'active', next_sync_at: at }).execute()
      let held = 0
      let rests = 0
      let heldAtRest = 0
      const [claim] = await claimDue(db, 'sync', here.portal.now(), 1, hour)
      await syncTenant(here.portal, claim as Claim, {
        stopping: undefined,
        async rest(ms) {
          rests++
          // The page before is still being stored: its room comes back meanwhile, or never.
          await until(() => held === 0, { withinMs: 5_000 }).catch(() => undefined)
          heldAtRest += held
          here.clock.advance(ms)
        },
        async room() {
          held++
          let left = false
          return {
            hold: async () => undefined,
            leave() {
              if (!left) held--
              left = true
            },
          }
        },
      })
      expect(rests).toBeGreaterThan(0)
      expect([heldAtRest, held]).toEqual([0, 0])
      expect(await getTenant(db, id)).toMatchObject({ incidentCount: 451, syncPhase: 'following' })
    } finally {
      await here.close()
    }
  })
})
