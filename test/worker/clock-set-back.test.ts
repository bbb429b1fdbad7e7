import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { blindSince } from '../../server/store/tenants/blind.ts'
import { fleetSummary, troubledTenants } from '../../server/store/tenants/fleet.ts'
import { fleetGauges } from '../../server/store/tenants/gauges.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { ClockWatch, mendFutureTimes } from '../../server/worker/upkeep/clock-watch.ts'
import { startWorker } from '../../server/worker/worker.ts'
import { connected } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { hour, minute, run, withoutComparison } from '../support/sync.ts'
import { until } from '../support/waiting.ts'

onEachEngine('a clock that was an hour ahead and is put right', (engine) => {
  let here: TestPortal
  let tenantId: string
  beforeEach(async () => {
    here = await startTestPortal(engine)
    tenantId = (await connected(here, 'Contoso')).tenant.id
    await withoutComparison(here)
    await run(here, hour)
    // What happened before has an age of its own.
    here.clock.advance(5_000 - hour)
  })
  afterEach(() => here.close())

  const tenant = () => getTenant(here.portal.db, tenantId)
  const blind = async () => blindSince(await tenant(), here.portal.now()) !== null

  test('leaves no success from the future that counts as fresh', async () => {
    const { db, now } = here.portal
    expect((await tenant()).lastReadAt ?? '').toMatch(/^2/)
    expect(Date.parse((await tenant()).lastReadAt ?? '') - now().getTime()).toBeGreaterThan(50 * minute)
    expect(await blind()).toBe(true)
    expect((await fleetSummary(db, now())).blind).toBe(1)
    expect((await fleetGauges(db, now())).blind).toBe(1)
    expect(await troubledTenants(db, now())).toHaveLength(1)
    const bob = await here.signedIn(here.cast.bob)
    for (const path of ['/', '/incidents', '/customers', `/tenants/${tenantId}`]) {
      const { text, status } = await bob.open(path)
      expect([path, status]).toEqual([path, 200])
      expect(text).not.toMatch(/>0 s ago<|[Bb]ehind[^.]*\b0 s\b/)
    }
  })

  test.each([
    ['by a worker that saw it', hour],
    ['by one that was started since', 0],
  ])('is mended %s: what was due is due, and blind is what was not read for 15 minutes', async (_name, setBackMs) => {
    const asked = () => here.simulator.requests.filter(({ path }) => path.includes('/incidents')).length
    // The quota of an hour was used up in the hour that never was.
    const second = Math.floor(here.portal.now().getTime() / 1_000)
    const calls = JSON.stringify([[second + 3_600, 100_000]])
    await here.portal.db.updateTable('call_budgets').set({ calls }).execute()
    await here.portal.db
      .updateTable('tenants')
      .set({ sync_lease_until: new Date((second + 3_700) * 1_000).toISOString() })
      .execute()
    await mendFutureTimes(here.portal, setBackMs)
    const { lastReadAt } = await tenant()
    expect(Date.parse(lastReadAt ?? '')).toBeLessThanOrEqual(here.portal.now().getTime())
    expect(await blind()).toBe(false)
    await here.portal.db.deleteFrom('call_budgets').execute()
    const before = asked()
    await run(here, 11 * minute)
    expect(asked()).toBeGreaterThan(before)
    expect(await blind()).toBe(false)
    here.simulator.world.setWeather(tenantId, 'outage', { status: 503, retryAfter: null, forMs: hour })
    await run(here, 16 * minute)
    expect(await blind()).toBe(true)
  })

  test('is noticed by a worker that runs', async () => {
    const worker = startWorker(here.portal)
    await until(async () => ((await tenant()).lastReadAt ?? '') <= here.portal.now().toISOString())
    await worker.stop()
    expect(await blind()).toBe(false)
  })
})

describe('a watch over the clock', () => {
  test('tells a clock that was put back from one that goes on or was put forward', () => {
    let clock = 1_000_000
    let passed = 0
    const watch = new ClockWatch(
      () => new Date(clock),
      () => passed,
    )
    const after = (ms: number, jump = 0) => {
      passed += ms
      clock += ms + jump
      return watch.setBack()
    }
    expect(after(500)).toBe(0)
    expect(after(500, -hour)).toBe(hour)
    expect(after(500)).toBe(0)
    expect(after(500, hour)).toBe(0)
    expect(after(10 * hour)).toBe(0)
  })
})
