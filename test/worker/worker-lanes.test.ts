import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { enterTenant } from '../../server/onboarding/by-hand.ts'
import type { Tenant } from '../../server/simulator/world/directory.ts'
import { claimDue } from '../../server/store/sync/claims.ts'
import { pauseEverything, pauseTenant, resumeEverything } from '../../server/store/tenants/pauses.ts'

import { getTenant } from '../../server/store/tenants/tenants.ts'
import { atOnce } from '../../server/worker/lanes.ts'

import { Slots } from '../../server/worker/slots.ts'
import { runDue, startWorker, type Worker } from '../../server/worker/worker.ts'
import { before, connected, consentedTenant, customerNamed, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/waiting.ts'

const minute = 60_000

/** Few, so that a fleet that fills them is soon made. */
const most = { ...atOnce, sync: 24, troubled: 6 }

onEachEngine('tenants in flight', (engine) => {
  let here: TestPortal
  let worker: Worker | null = null
  beforeEach(async () => {
    here = await startTestPortal(engine)
  })
  afterEach(async () => {
    here.simulator.world.clearWeather()
    await worker?.stop()
    worker = null
    await here.close()
  }, 40_000)

  /** So many tenants, proven and read. */
  async function fleet(count: number): Promise<Tenant[]> {
    const customer = await customerNamed(here, 'Fleet')
    const tenants: Tenant[] = []
    for (let n = 0; n < count; n++) {
      const tenant = consentedTenant(here, `Fleet ${n}`)
      tenants.push(tenant)
      await enterTenant(here.portal, before, customer.id, tenant.id)
    }
    await untilNothingIsDue(here)
    here.clock.advance(minute)
    await untilNothingIsDue(here)
    return tenants
  }

  const change = (tenants: Tenant[], set: Record<string, unknown>) =>
    here.portal.db
      .updateTable('tenants')
      .set(set)
      .where(
        'tenant_id',
        'in',
        tenants.map(({ id }) => id),
      )
      .execute()

  /** Long enough for a test, and over before its end: a request that hangs for good holds a stop up. */
  const hang = (tenants: Tenant[], delayMs: number) => {
    for (const { id } of tenants) here.simulator.world.setWeather(id, 'slow', { surface: 'defender', delayMs })
  }

  /** Makes these due in this order of seconds past, starts the worker, and waits until all of `watched` were read. */
  async function untilRead(due: Tenant[][], watched: Tenant[]): Promise<void> {
    for (const [n, tenants] of due.entries()) {
      await change(tenants, { next_sync_at: new Date(here.portal.now().getTime() - (20 - n) * 1_000).toISOString() })
    }
    const started = here.portal.now()
    worker = startWorker(here.portal, most)
    const allRead = async () => {
      const rows = await here.portal.db
        .selectFrom('tenants')
        .select('tenant_id')
        .where('last_read_at', '>=', started.toISOString())
        .execute()
      const ids = new Set(rows.map((row) => row.tenant_id))
      return watched.every(({ id }) => ids.has(id))
    }
    await until(allRead, { withinMs: 120_000, everyMs: 50, what: `${watched.length} tenants are read` })
  }

  /** How many requests to these tenants have been answered, since so many requests. */
  function answered(tenants: Tenant[], since: number): number {
    const ids = new Set<string | null>(tenants.map(({ id }) => id))
    return here.simulator.requests.slice(since).filter((one) => ids.has(one.tenantId) && one.endedAt !== null).length
  }

  /** The most of these tenants whose requests were under way at one moment, since so many requests. */
  function mostAtOnce(tenants: Tenant[], since: number): number {
    const ids = new Set<string | null>(tenants.map(({ id }) => id))
    const own = here.simulator.requests.slice(since).filter(({ tenantId }) => ids.has(tenantId))
    const open = (at: number) => own.filter((one) => one.at <= at && (one.endedAt === null || one.endedAt > at))
    return Math.max(...own.map(({ at }) => new Set(open(at).map(({ tenantId }) => tenantId)).size))
  }

  test('that hang for the first time, more than there are places, delay the others by seconds', async () => {
    const tenants = await fleet(most.sync + 25)
    const [hung, sound] = [tenants.slice(0, -5), tenants.slice(-5)]
    hang(hung, 12_000)
    const before = here.simulator.requests.length
    await untilRead([hung, sound], sound)
    expect(answered(hung, before)).toBeLessThan(hung.length)
  })

  test('that hung before wait in a lane of their own and delay nobody', async () => {
    const tenants = await fleet(3 * most.troubled + 5)
    const [hung, sound] = [tenants.slice(0, -5), tenants.slice(-5)]
    hang(hung, 2_000)
    await change(hung, { sync_failures: 2 })
    const before = here.simulator.requests.length
    await untilRead([hung, sound], sound)
    expect(answered(hung, before)).toBeLessThan(hung.length / 2)
    const hungIds = new Set<string | null>(hung.map(({ id }) => id))
    const asked = () => here.simulator.requests.slice(before).filter(({ tenantId }) => hungIds.has(tenantId))
    await until(() => new Set(asked().map(({ tenantId }) => tenantId)).size > most.troubled, {
      what: 'the next of them are asked for',
    })
    expect(mostAtOnce(hung, before)).toBeLessThanOrEqual(most.troubled)
  })

  test('with 50,000 incidents in one of them: the others are read at once meanwhile', async () => {
    const [large, ...small] = await fleet(6)
    if (!large) throw new Error('no tenant')
    here.simulator.world.generate(large.id, 50_000, { seed: 5, days: 1 })
    await untilRead([[large]], [])
    const kept = async () => (await getTenant(here.portal.db, large.id)).incidentCount
    for (let round = 0; round < 3; round++) {
      const before = await kept()
      await until(async () => (await kept()) > before, { what: 'more of the large one is stored' })
      await worker?.stop()
      await untilRead([[large], small], small)
    }
    expect(await kept()).toBeLessThan(50_000)
  })

  test('are never more than there are places, however many are due, and all of them come up', async () => {
    const tenants = await fleet(most.sync + 50)
    here.simulator.world.setWeather('*', 'slow', { surface: 'defender', delayMs: 500 })
    const before = here.simulator.requests.length
    await untilRead([tenants], tenants)
    const inFlight = mostAtOnce(tenants, before)
    expect(inFlight).toBeGreaterThan(most.sync / 4)
    expect(inFlight).toBeLessThanOrEqual(most.sync)
  })

  test('are left alone until the time Microsoft or our budget set, whatever else is due', async () => {
    const [one, other] = await fleet(2)
    if (!one || !other) throw new Error('no tenants')
    const at = here.portal.now()
    await change([one, other], { next_sync_at: at.toISOString(), next_window_at: at.toISOString() })
    await change([one], { sync_not_before: new Date(at.getTime() + 5_000).toISOString() })
    const due = async (work: 'sync' | 'window', seconds: number) =>
      (await claimDue(here.portal.db, work, new Date(at.getTime() + seconds * 1_000), 9, 1)).map((one) => one.tenantId)
    expect(await due('sync', 0)).toEqual([other.id])
    expect(await due('window', 4)).not.toContain(one.id)
    expect(await due('sync', 5)).toContain(one.id)
  })

  test('that an operator paused are neither read nor checked; with everything paused, only proofs go on', async () => {
    const [paused, other] = await fleet(2)
    if (!paused || !other) throw new Error('no tenants')
    const { db } = here.portal
    await pauseTenant(db, before, paused.id, here.portal.now())
    here.clock.advance(600 * minute)
    const asked = here.simulator.requests.length
    await untilNothingIsDue(here)
    const since = here.simulator.requests.slice(asked)
    expect(since.some((one) => one.tenantId === other.id)).toBe(true)
    expect(since.some((one) => one.tenantId === paused.id)).toBe(false)

    await pauseEverything(db, before, here.portal.now())
    const late = consentedTenant(here, 'Late')
    await enterTenant(here.portal, before, (await customerNamed(here, 'Late')).id, late.id)
    here.clock.advance(600 * minute)
    const then = here.simulator.requests.length
    await untilNothingIsDue(here)
    expect((await getTenant(db, late.id)).accessState).toBe('active')
    expect(here.simulator.requests.slice(then).some((one) => one.tenantId === other.id)).toBe(false)
    expect((await getTenant(db, late.id)).lastReadAt).toBeNull()

    await resumeEverything(db, before, here.portal.now())
    await untilNothingIsDue(here)
    expect((await getTenant(db, late.id)).lastReadAt).not.toBeNull()
    expect((await getTenant(db, other.id)).lastReadAt).not.toBeNull()
  })

  test('stop at their next page when everything is paused, and go on when it is resumed', async () => {
    const { tenant } = await connected(here, 'Long')
    const { db } = here.portal
    for (let n = 0; n < 450; n++) here.simulator.world.addIncident(tenant.id, { severity: 'low', status: 'active' })
    here.clock.advance(20 * minute)
    here.simulator.world.setWeather(tenant.id, 'slow', { surface: 'defender', delayMs: 500 })
    worker = startWorker(here.portal, most)
    const kept = async () => (await getTenant(db, tenant.id)).incidentCount
    await until(async () => (await kept()) >= 100)
    await pauseEverything(db, before, here.portal.now())
    await until(async () => !(await getTenant(db, tenant.id)).syncing, { what: 'it stops' })
    const stopped = await getTenant(db, tenant.id)
    expect(stopped).toMatchObject({ syncing: false, syncFailures: 0 })
    expect(stopped.incidentCount).toBeLessThan(451)
    here.simulator.world.clearWeather()
    await worker.stop()
    expect(await runDue(here.portal)).toBe(0)
    expect(await kept()).toBe(stopped.incidentCount)
    await resumeEverything(db, before, here.portal.now())
    while ((await runDue(here.portal)) > 0);
    expect(await kept()).toBe(451)
  })
})

describe('places', () => {
  const patient = { slowAfterMs: 30, borrowed: 1 }

  test('are given in the order of asking, and not to who gave up', async () => {
    const places = new Slots(1, patient)
    const first = places.take()
    const order: string[] = []
    const giving = new AbortController()
    const gone = places.enter(giving.signal)
    const second = places.enter().then((place) => {
      order.push('second')
      place.leave()
    })
    const third = places.enter().then(() => order.push('third'))
    giving.abort(new Error('enough'))
    await expect(gone).rejects.toThrow('enough')
    first.leave()
    first.leave()
    await Promise.all([second, third])
    expect(order).toEqual(['second', 'third'])
    expect([places.held, places.free]).toEqual([1, 0])
  })

  test('make room for others while somebody is slow, for so many and no more', async () => {
    const places = new Slots(1, patient)
    const slow = places.take()
    const next = await places.enter()
    expect(places.held).toBe(2)
    let third = false
    const waiting = places.enter().then((place) => {
      third = true
      return place
    })
    // A place elsewhere, given for the same reason but later: by now the patience with the second is over as well.
    const elsewhere = new Slots(1, { ...patient, slowAfterMs: 2 * patient.slowAfterMs })
    elsewhere.take()
    await elsewhere.enter()
    expect(third).toBe(false)
    slow.leave()
    const last = await waiting
    expect(places.held).toBe(2)
    next.leave()
    last.leave()
    expect([places.held, places.free]).toEqual([0, 1])
  })
})
