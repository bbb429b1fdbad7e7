import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { enterTenant } from '../../server/onboarding/by-hand.ts'
import { rejectedOf } from '../../server/store/incidents/rejected.ts'
import { budgetOf, takeCalls } from '../../server/store/sync/budgets.ts'
import { claimDue } from '../../server/store/sync/claims.ts'
import { windowsOf } from '../../server/store/sync/windows.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { syncTenant } from '../../server/sync/follow.ts'
import { proveTenant } from '../../server/tenants/access-check.ts'
import { before, connected, consentedTenant, customerNamed, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { difference, hour, instantOf, minute, run, syncsOf, withoutComparison } from '../support/sync.ts'

onEachEngine('a first sync', (engine) => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startTestPortal(engine)
  })
  afterEach(() => here.close())

  const read = (tenantId: string) => getTenant(here.portal.db, tenantId)

  /** The proof and the first sync run, and nothing after. */
  const firstPass = async () => {
    const { portal } = here
    for (const work of ['check', 'sync'] as const) {
      const [claim] = await claimDue(portal.db, work, portal.now(), 1, minute)
      if (!claim) throw new Error(`no ${work} is due`)
      await (work === 'check' ? proveTenant(portal, claim) : syncTenant(portal, claim))
    }
  }

  test('has what is open before anything else, and says how far back it is', async () => {
    const customer = await customerNamed(here, 'Contoso')
    const tenant = consentedTenant(here, 'Contoso')
    const { world } = here.simulator
    world.generate(tenant.id, 1_500, { openShare: 0.1 })
    await enterTenant(here.portal, before, customer.id, tenant.id)
    await firstPass()
    const all = world.tenant(tenant.id).incidents.all()
    const open = all.filter(({ status }) => status !== 'resolved' && status !== 'redirected')
    const rows = await here.portal.db.selectFrom('incidents').select(['incident_id', 'open']).execute()
    const kept = rows.filter((row) => row.open === 1).map((row) => row.incident_id)
    expect(kept.sort()).toEqual(open.map(({ id }) => String(id)).sort())
    expect(rows.length).toBeLessThan(all.length)
    await untilNothingIsDue(here)
    const [done] = await windowsOf(here.portal.db, tenant.id, 1)
    expect(done).toMatchObject({ kind: 'backfill', finishedAt: expect.any(String), reached: done?.from })
    expect(done?.expected).toBe(done?.seen)
    expect(done?.seen).toBeGreaterThan(1_300)
    // In slices, the newest first; a list that is broken off in between leaves the newer ones.
    const lists = here.simulator.requests
      .map(({ url }) => decodeURIComponent(url.replaceAll('+', ' ')))
      .filter((url) => url.includes('lastUpdateTime lt') || url.includes('lastUpdateTime le'))
      .map((url) => /lastUpdateTime l[te] (\S+)/.exec(url)?.[1] ?? '')
    expect(lists.length).toBeGreaterThan(3)
    expect(lists).toEqual([...lists].sort().reverse())
  })

  test('of thousands that are open goes on in slices, the newest first, and none of them twice', async () => {
    const customer = await customerNamed(here, 'Contoso')
    const tenant = consentedTenant(here, 'Contoso')
    const { world } = here.simulator
    world.generate(tenant.id, 2_600, { openShare: 0.95, days: 400 })
    world.behaviour.quotas = false
    Object.assign(here.portal.config.sync, { callsPerMinute: 999, callsPerHour: 40 })
    await enterTenant(here.portal, before, customer.id, tenant.id)
    await firstPass()
    const lists = () => here.simulator.requests.filter(({ path }) => path === '/api/incidents')
    expect(lists().length).toBeLessThan(25)
    const windows = () => windowsOf(here.portal.db, tenant.id, 9)
    expect((await windows()).map(({ kind }) => kind).sort()).toEqual(['backfill', 'open'])
    // Broken off again and again, by the budget, it never begins anew.
    const reached: string[] = []
    for (let n = 0; n < 30 && (await read(tenant.id)).backfilledAt === null; n++) {
      await run(here, 61 * minute)
      const open = (await windows()).find(({ kind }) => kind === 'open')
      if (open?.finishedAt === null) reached.push(open.reached)
    }
    expect(reached.length).toBeGreaterThan(1)
    expect(reached).toEqual([...reached].sort().reverse())
    expect((await windows()).filter(({ finishedAt }) => finishedAt === null)).toEqual([])
    const rows = await here.portal.db.selectFrom('incidents').select('incident_id').where('open', '=', 1).execute()
    const open = world
      .tenant(tenant.id)
      .incidents.all()
      .filter(({ status }) => status !== 'resolved' && status !== 'redirected')
    expect(open.length).toBeGreaterThan(2_000)
    expect(rows.map((row) => row.incident_id).sort()).toEqual(open.map(({ id }) => String(id)).sort())
    const history = await syncsOf(here.portal.db, tenant.id, 99)
    expect(history.reduce((sum, { added }) => sum + added, 0)).toBe((await read(tenant.id)).incidentCount)
    expect(history.reduce((sum, { differences }) => sum + differences, 0)).toBe(0)
  })

  test('is compared in slices, and with what has been open for long, however much the budget of an hour allows', async () => {
    const customer = await customerNamed(here, 'Contoso')
    const tenant = consentedTenant(here, 'Contoso')
    const { world } = here.simulator
    world.generate(tenant.id, 4_200, { openShare: 0.98, days: 170 })
    world.behaviour.quotas = false
    Object.assign(here.portal.config.sync, { callsPerMinute: 999, callsPerHour: 999 })
    await enterTenant(here.portal, before, customer.id, tenant.id)
    await untilNothingIsDue(here)
    // Of those that have been open for long, one was lost here, whatever the reason, and one is known there no longer.
    const { db } = here.portal
    const old = instantOf(here.portal.now().getTime() - 100 * 24 * hour)
    const isOld = ({ lastUpdateAt, status }: { lastUpdateAt: string; status: string }) =>
      lastUpdateAt < old && (status === 'active' || status === 'inProgress')
    const [lost, removed] = world.tenant(tenant.id).incidents.all().filter(isOld)
    const deleted = await db.deleteFrom('incidents').where('incident_id', '=', String(lost?.id)).executeTakeFirst()
    expect(deleted.numDeletedRows).toBe(1n)
    world.removeIncident(tenant.id, removed?.id ?? 0)
    // Less than the list of what has been open for longer than the window.
    Object.assign(here.portal.config.sync, { callsPerHour: 40 })
    const comparison = async () => (await windowsOf(db, tenant.id, 9)).find(({ kind }) => kind === 'reconcile')
    const reached = new Set<string>()
    let held = 0
    for (let hours = 0; hours < 40 && (await read(tenant.id)).reconciledAt === null; hours++) {
      await run(here, 61 * minute)
      const { lastReadAt } = await read(tenant.id)
      held = Math.max(held, here.portal.now().getTime() - Date.parse(lastReadAt ?? ''))
      const open = await comparison()
      if (open?.finishedAt === null && open.reached < open.from) reached.add(open.reached)
    }
    expect(await comparison()).toMatchObject({ finishedAt: expect.any(String), differences: 2 })
    expect([...reached].length).toBeGreaterThan(1)
    expect([...reached]).toEqual([...reached].sort().reverse())
    expect(held).toBeLessThan(15 * minute)
    // What was closed before the first 30 days is never read.
    const differences = await difference(here, tenant.id)
    expect(differences.filter((line) => !line.includes(' · resolved · '))).toEqual([])
  })

  test('stopped halfway goes on there, and its figures say where that is', async () => {
    const customer = await customerNamed(here, 'Contoso')
    const tenant = consentedTenant(here, 'Contoso')
    here.simulator.world.generate(tenant.id, 1_000, { openShare: 0 })
    await enterTenant(here.portal, before, customer.id, tenant.id)
    await firstPass()
    // Of the four fifths that windows may use, six calls are left.
    const { db, config } = here.portal
    const { hourLeft } = await budgetOf(db, tenant.id, config.sync, here.portal.now())
    const made = config.sync.callsPerHour - hourLeft
    const unlimited = { callsPerMinute: 9_999, callsPerHour: 9_999 }
    await takeCalls(db, tenant.id, 1_200 - made - 6, unlimited, here.portal.now())
    await run(here, 2 * minute)
    const [half] = await windowsOf(here.portal.db, tenant.id, 1)
    expect(half?.finishedAt).toBeNull()
    expect(half && half.reached < half.to && half.reached > half.from).toBe(true)
    expect(half?.expected).toBeGreaterThan(half?.seen ?? 0)
    expect((await read(tenant.id)).backfilledAt).toBeNull()
    for (let n = 0; n < 8; n++) await run(here, 11 * minute)
    expect((await read(tenant.id)).backfilledAt).not.toBeNull()
    const added = (await syncsOf(here.portal.db, tenant.id, 99)).reduce((sum, sync) => sum + sync.added, 0)
    expect(added).toBe((await read(tenant.id)).incidentCount)
  })
})

onEachEngine('an item that cannot be understood', (engine) => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startTestPortal(engine)
  })
  afterEach(() => here.close())

  const listed = async (tenantId: string) => (await rejectedOf(here.portal.db, tenantId)).map(({ item }) => item)

  test('is listed, asked for again after an hour, and leaves the list', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await withoutComparison(here)
    await run(here, 30 * minute)
    const { world, requests } = here.simulator
    const odd = world.addIncident(tenant.id)
    world.setWeather(tenant.id, 'odd-item', { oddity: 'foreign-tenant', surface: 'defender', count: 1 })
    await run(here, 11 * minute)
    expect(await listed(tenant.id)).toEqual([String(odd.id)])
    expect(await difference(here, tenant.id)).toHaveLength(1)
    expect((await syncsOf(here.portal.db, tenant.id, 9)).map(({ outcome }) => outcome)).toContain('partial')
    // Later changes carry the cursor past it: no poll lists it again.
    here.clock.advance(40 * minute)
    await here.portal.db
      .updateTable('tenants')
      .set({ cursor: instantOf(here.portal.now().getTime()) })
      .execute()
    const byId = () => requests.filter(({ path }) => path.endsWith(`/incidents/${odd.id}`)).length
    await untilNothingIsDue(here)
    expect(byId()).toBe(0)
    await run(here, 30 * minute)
    expect(byId()).toBe(1)
    expect(await listed(tenant.id)).toEqual([])
    expect(await difference(here, tenant.id)).toEqual([])
  })

  test('leaves the list as well when Microsoft knows it no longer', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await withoutComparison(here)
    await run(here, 30 * minute)
    const { world } = here.simulator
    const odd = world.addIncident(tenant.id)
    world.setWeather(tenant.id, 'odd-item', { oddity: 'foreign-tenant', surface: 'defender', count: 1 })
    await run(here, 11 * minute)
    world.removeIncident(tenant.id, odd.id)
    expect(await listed(tenant.id)).toEqual([String(odd.id)])
    await run(here, 2 * hour)
    expect(await listed(tenant.id)).toEqual([])
  })
})
