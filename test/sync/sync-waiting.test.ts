import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { Actor } from '../../server/store/audit.ts'
import { takeCalls } from '../../server/store/sync/budgets.ts'
import { nudgeSync, requestSync } from '../../server/store/sync/requests.ts'
import { requestReread, windowsOf } from '../../server/store/sync/windows.ts'
import { blindSince } from '../../server/store/tenants/blind.ts'
import { pauseEverything, pauseTenant, resumeEverything, resumeTenant } from '../../server/store/tenants/pauses.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { runDue } from '../../server/worker/worker.ts'
import { before, connected, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { day, difference, hour, minute, run, syncsOf } from '../support/sync.ts'

onEachEngine('a tenant that has to wait', (engine) => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startTestPortal(engine)
  })
  afterEach(() => here.close())

  const read = (tenantId: string) => getTenant(here.portal.db, tenantId)
  const now = () => here.portal.now()
  const asked = (requestId: string): Actor & { kind: 'operator' } => ({ ...before, requestId })
  const lists = () => here.simulator.requests.filter(({ path }) => path.endsWith('/api/incidents')).length
  const stretch = (days = 30) => ({
    from: new Date(now().getTime() - days * day).toISOString(),
    to: now().toISOString(),
  })
  /** Whoever else asked Microsoft for this tenant used up what an hour allows. */
  const useUp = async (tenantId: string, calls: number) => {
    const { sync } = here.portal.config
    const all = { callsPerMinute: 100_000, callsPerHour: 100_000 }
    const { granted } = await takeCalls(here.portal.db, tenantId, Math.min(calls, sync.callsPerHour), all, now())
    expect(granted).toBe(calls)
  }

  test('is due at once for whoever opens it, unless it was read a moment ago', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await run(here, 11 * minute)
    const { nextSyncAt } = await read(tenant.id)
    await nudgeSync(here.portal.db, tenant.id, now())
    expect((await read(tenant.id)).nextSyncAt).toBe(nextSyncAt)
    here.clock.advance(31_000)
    const at = now()
    await nudgeSync(here.portal.db, tenant.id, at)
    expect((await read(tenant.id)).nextSyncAt).toBe(at.toISOString())
  })

  test('is not hurried by whoever opens it while it is paused, read or failing', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await run(here, 11 * minute)
    here.clock.advance(31_000)
    const nudged = async () => {
      const { nextSyncAt } = await read(tenant.id)
      await nudgeSync(here.portal.db, tenant.id, now())
      return (await read(tenant.id)).nextSyncAt !== nextSyncAt
    }
    await pauseTenant(here.portal.db, before, tenant.id, now())
    expect(await nudged()).toBe(false)
    await here.portal.db.updateTable('tenants').set({ paused_at: null, sync_lease_until: '9999' }).execute()
    expect(await nudged()).toBe(false)
    await here.portal.db.updateTable('tenants').set({ sync_lease_until: null }).execute()
    here.simulator.world.setWeather(tenant.id, 'outage', { status: 503, retryAfter: null, forMs: 10 * minute })
    await run(here, 11 * minute)
    here.simulator.world.setWeather(tenant.id, 'outage', { status: 503, retryAfter: null, forMs: minute })
    await requestSync(here.portal.db, before, tenant.id, now())
    await untilNothingIsDue(here)
    expect((await read(tenant.id)).syncFailures).toBe(1)
    expect(await nudged()).toBe(false)
  })

  test('because Microsoft said so is asked by nobody before: poll, window, button and nudge', async () => {
    const { tenant } = await connected(here, 'Contoso')
    here.simulator.world.setWeather(tenant.id, 'throttle', { retryAfter: 800, count: 1 })
    await requestReread(here.portal.db, before, tenant.id, stretch(), now())
    await untilNothingIsDue(here)
    const { notBefore } = await read(tenant.id)
    expect(Date.parse(notBefore ?? '') - now().getTime()).toBeGreaterThan(790_000)
    const called = lists()
    here.clock.advance(10 * minute)
    await nudgeSync(here.portal.db, tenant.id, now())
    expect((await read(tenant.id)).nextSyncAt).toBe(notBefore)
    await requestSync(here.portal.db, before, tenant.id, now())
    expect((await read(tenant.id)).nextSyncAt).toBe(notBefore)
    // Even where a row says otherwise, the worker waits.
    await here.portal.db.updateTable('tenants').set({ next_sync_at: now().toISOString() }).execute()
    expect(await runDue(here.portal)).toBe(0)
    expect(lists()).toBe(called)
    await run(here, 11 * minute)
    expect(lists()).toBeGreaterThan(called)
    expect(await read(tenant.id)).toMatchObject({ notBefore: null, syncFailures: 0 })
    expect((await windowsOf(here.portal.db, tenant.id, 1))[0]).toMatchObject({
      kind: 'reread',
      finishedAt: expect.any(String),
    })
  })

  test('keeps the name of the request, also when the pass for it had to wait and brought nothing', async () => {
    const { tenant } = await connected(here, 'Contoso')
    here.simulator.world.setWeather(tenant.id, 'throttle', { retryAfter: 600, count: 1 })
    await run(here, 11 * minute)
    await requestSync(here.portal.db, asked('the-button'), tenant.id, now())
    await run(here, 11 * minute)
    for (let n = 0; n < 3; n++) await run(here, 11 * minute)
    await requestSync(here.portal.db, asked('again'), tenant.id, now())
    await untilNothingIsDue(here)
    for (let n = 0; n < 2; n++) await run(here, 11 * minute)
    const [after, again] = await syncsOf(here.portal.db, tenant.id, 2)
    expect(again).toMatchObject({ requestId: 'again', polls: 1 })
    expect(after).toMatchObject({ requestId: null, polls: 2 })
    const named = (await syncsOf(here.portal.db, tenant.id, 99)).filter(({ requestId }) => requestId === 'the-button')
    expect(named).toMatchObject([{ kind: 'following', outcome: 'complete', stored: 0, polls: 1 }])
  })

  test('for a window, because our own budget is used up, goes on later and is no failure', async () => {
    const { tenant } = await connected(here, 'Contoso')
    here.simulator.world.generate(tenant.id, 300)
    await useUp(tenant.id, 1_200)
    await requestReread(here.portal.db, before, tenant.id, stretch(), now())
    await untilNothingIsDue(here)
    expect((await windowsOf(here.portal.db, tenant.id, 1))[0]).toMatchObject({ kind: 'reread', finishedAt: null })
    const waiting = await read(tenant.id)
    expect(waiting).toMatchObject({ notBefore: null, syncFailures: 0, lastReadCode: null })
    expect(blindSince(waiting, now())).toBeNull()
    const { lastReadAt } = waiting
    // A fifth is left to polls.
    await run(here, 11 * minute)
    const meanwhile = await read(tenant.id)
    expect(meanwhile.lastReadAt === lastReadAt).toBe(false)
    await run(here, hour)
    expect((await windowsOf(here.portal.db, tenant.id, 1))[0]?.finishedAt).not.toBeNull()
    expect(await difference(here, tenant.id)).toEqual([])
  })

  test('for a poll, because our own budget is used up, has not failed', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await useUp(tenant.id, 1_500)
    here.simulator.world.addIncident(tenant.id)
    const called = lists()
    for (let n = 0; n < 4; n++) {
      await requestSync(here.portal.db, before, tenant.id, now())
      await run(here, 11 * minute)
    }
    expect(lists()).toBe(called)
    expect(await read(tenant.id)).toMatchObject({ syncFailures: 0, notBefore: expect.any(String) })
    await run(here, 30 * minute)
    expect(await difference(here, tenant.id)).toEqual([])
    expect(await read(tenant.id)).toMatchObject({ syncFailures: 0, notBefore: null, lastReadCode: null })
  })

  test.each([
    ['no stretch at all', 1, 1],
    ['one that ends before it begins', 1, 2],
    ['one that begins before what Microsoft keeps', 182, 0],
    ['one of the future', -1, -2],
  ])('is not read again over %s', async (_, from, to) => {
    const { tenant } = await connected(here, 'Contoso')
    const at = (days: number) => new Date(now().getTime() - days * day).toISOString()
    const reread = requestReread(here.portal.db, before, tenant.id, { from: at(from), to: at(to) }, now())
    await expect(reread).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  test('is not asked for while it is paused, everything is, or it is asked so already', async () => {
    const { tenant } = await connected(here, 'Contoso')
    const { db } = here.portal
    const reread = () => requestReread(db, before, tenant.id, stretch(), now())
    const sync = () => requestSync(db, before, tenant.id, now())
    await pauseTenant(db, before, tenant.id, now())
    await expect(reread()).rejects.toMatchObject({ code: 'TENANT_PAUSED' })
    await expect(sync()).rejects.toMatchObject({ code: 'TENANT_PAUSED' })
    await resumeTenant(db, before, tenant.id, now())
    await pauseEverything(db, before, now())
    await expect(reread()).rejects.toMatchObject({ code: 'READING_PAUSED' })
    await expect(sync()).rejects.toMatchObject({ code: 'READING_PAUSED' })
    await resumeEverything(db, before, now())
    await reread()
    await expect(reread()).rejects.toMatchObject({ code: 'CONFLICT' })
    await untilNothingIsDue(here)
    await expect(reread()).resolves.toBeUndefined()
  })
})
