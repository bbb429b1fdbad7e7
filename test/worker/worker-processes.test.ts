import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { Tenant } from '../../server/simulator/world/directory.ts'
import { budgetOf, windowShare } from '../../server/store/sync/budgets.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { connected } from '../support/admin.ts'
import { build } from '../support/build.ts'
import { freshDatabase } from '../support/databases.ts'
import type { Place } from '../support/places.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { type StartedProcess, startNode } from '../support/processes.ts'
import { root } from '../support/root.ts'
import { until } from '../support/waiting.ts'

/** A lease of seconds; production's is half a minute. */
const leaseMs = 10_000
/** The lease of a claim, and a moment. */
const takenOver = leaseMs + 35_000

beforeAll(() => build('tools'), 120_000)

onEachEngine('several processes over one database', (engine) => {
  let here: TestPortal
  const running = new Set<StartedProcess>()
  beforeEach(async () => {
    here = await startTestPortal(engine)
  })
  afterEach(async () => {
    await Promise.all([...running].map(({ stop }) => stop('SIGKILL')))
    await here.close()
  })

  /** A process of its own, as `npm start` runs it except for the lease, over that database. */
  function start(role: 'all' | 'web' | 'worker', place: Place) {
    const { config } = here.portal
    const { credential } = config.app
    const env = {
      ROLE: role,
      PORT: '0',
      PUBLIC_URL: 'http://localhost:0',
      SESSION_SECRET: 'zY8xW6vU4tS2rQ0pO9nM7lK5jI3hG1fE',
      AZURE_CLIENT_ID: config.app.clientId,
      AZURE_CLIENT_SECRET: credential.kind === 'secret' ? credential.secret : '',
      AZURE_TENANT_ID: config.partnerTenantId,
      AZURE_AUTHORITY_HOST: config.authorityHost,
      DEFENDER_API_URL: config.authorityHost,
      GRAPH_API_URL: config.authorityHost,
      DATABASE_URL: place.databaseUrl ?? '',
      DATA_DIR: place.dataDir,
      LOG_LEVEL: 'info',
      TORTURE_DIST: join(root, 'dist'),
      TORTURE_SYNC: JSON.stringify({ leaseMs }),
    }
    const launcher = join(root, 'dist-tools', 'torture', 'portal.js')
    const started = startNode([launcher], { cwd: place.dataDir, env })
    running.add(started)
    void started.ended.then(() => running.delete(started))
    return started
  }

  const kept = async (tenant: Tenant) => (await getTenant(here.portal.db, tenant.id)).incidentCount

  /** A tenant whose next pass takes seconds, and a worker in the middle of it. */
  async function inAPass() {
    const { tenant } = await connected(here, 'Long')
    for (let n = 0; n < 450; n++) here.simulator.world.addIncident(tenant.id, { severity: 'low', status: 'active' })
    here.simulator.world.setWeather(tenant.id, 'slow', { surface: 'defender', delayMs: 400 })
    const at = here.portal.now().toISOString()
    await here.portal.db.updateTable('tenants').set({ next_sync_at: at }).execute()
    const worker = start('worker', here.portal.config)
    await until(async () => (await kept(tenant)) > 99, { withinMs: 90_000 })
    return { tenant, worker }
  }

  test('a worker killed in a pass is followed by another within its lease, and nothing is missing', async () => {
    const { tenant, worker } = await inAPass()
    worker.child.kill('SIGKILL')
    expect(await kept(tenant)).toBeLessThan(451)
    here.simulator.world.clearWeather()
    const asked = here.simulator.requests.length
    start('worker', here.portal.config)
    await until(async () => (await kept(tenant)) === 451, { withinMs: takenOver })
    const lists = here.simulator.requests.slice(asked).filter(({ path }) => path === '/api/incidents')
    expect(lists.length).toBeGreaterThan(3)
  })

  test('a worker stopped past its lease changes nothing when it wakes up', async () => {
    const { tenant, worker } = await inAPass()
    worker.child.kill('SIGSTOP')
    here.simulator.world.clearWeather()
    start('worker', here.portal.config)
    await until(async () => (await kept(tenant)) === 451, { withinMs: takenOver })
    await until(async () => !(await getTenant(here.portal.db, tenant.id)).syncing, { withinMs: 90_000 })
    const rows = async () =>
      JSON.stringify([
        await here.portal.db.selectFrom('tenants').selectAll().execute(),
        await here.portal.db.selectFrom('incidents').selectAll().orderBy('incident_id').execute(),
        await here.portal.db.selectFrom('syncs').selectAll().orderBy('id').execute(),
      ])
    await here.portal.db
      .updateTable('tenants')
      .set({ next_sync_at: new Date(here.portal.now().getTime() + 600_000).toISOString(), next_window_at: null })
      .execute()
    const before = await rows()
    worker.child.kill('SIGCONT')
    await worker.said(/a claim was overtaken/)
    // Whatever it would still do it has done when it ends.
    await worker.stop()
    expect(await rows()).toBe(before)
  })

  test('two workers and the pages read each due tenant once', async () => {
    const tenants: Tenant[] = []
    for (let n = 0; n < 30; n++) tenants.push((await connected(here, `Tenant ${n}`)).tenant)
    const hour = new Date(here.portal.now().getTime() + 3_600_000).toISOString()
    await here.portal.db
      .updateTable('tenants')
      .set({ next_sync_at: hour, next_window_at: null, next_check_at: hour, sync_phase: 'following' })
      .execute()
    const place = here.portal.config
    const processes = [start('worker', place), start('worker', place), start('all', place)]
    await Promise.all(processes.map(({ said }) => said(/Muster runs at/)))
    const lists = () => here.simulator.requests.filter(({ path }) => path === '/api/incidents')
    for (let round = 0; round < 3; round++) {
      const asked = lists().length
      const at = here.portal.now().toISOString()
      await here.portal.db.updateTable('tenants').set({ next_sync_at: at, next_window_at: null }).execute()
      const read = async () => {
        const rows = await here.portal.db.selectFrom('tenants').select('last_read_at').execute()
        return rows.every(({ last_read_at }) => (last_read_at ?? '') >= at)
      }
      await until(read, { withinMs: 90_000 })
      const tenantsRead = lists()
        .slice(asked)
        .map((one) => one.tenantId)
      expect(tenantsRead).toHaveLength(30)
      expect(new Set(tenantsRead).size).toBe(30)
    }
  })

  test('one worker after another keeps within one budget, and Microsoft refuses nobody', async () => {
    const { tenant } = await connected(here, 'Large')
    here.simulator.world.generate(tenant.id, 7_000)
    const at = here.portal.now().toISOString()
    // The comparison of thirty days finds them all: more pages than a minute has calls.
    await here.portal.db.updateTable('tenants').set({ next_window_at: at, next_reconcile_at: at }).execute()
    const before = here.simulator.requests.length
    // The simulator's clock stands still: of its fifty calls a minute none is ever free again.
    const calls = () =>
      here.simulator.requests
        .slice(before)
        .filter(({ path, tokenTid }) => path === '/api/incidents' && tokenTid === tenant.id)
    const first = start('worker', here.portal.config)
    await until(() => calls().length >= 12, { withinMs: 90_000 })
    first.child.kill('SIGKILL')
    const made = calls().length
    start('worker', here.portal.config)
    start('worker', here.portal.config)
    // Calls that it had taken and not made are lost with it: how many there are in all is a matter of when it was killed.
    await until(() => calls().length >= made + 10, { withinMs: takenOver })
    // What a comparison may take of a minute is used up, and every call is answered.
    const { sync } = here.portal.config
    const taken = async () =>
      sync.callsPerMinute - (await budgetOf(here.portal.db, tenant.id, sync, here.portal.now())).minuteLeft
    await until(async () => (await taken()) >= sync.callsPerMinute * windowShare, { what: 'the minute is used up' })
    await until(() => calls().every(({ endedAt }) => endedAt !== null))
    expect(calls().length).toBeLessThanOrEqual(50)
    expect(calls().filter(({ status }) => status === 429)).toEqual([])
  })

  test('five that start at once on an empty database all come up', async () => {
    const place = await freshDatabase(engine)
    try {
      const processes = Array.from({ length: 5 }, () => start('all', place))
      for (const { said, running: runs, text } of processes) {
        const [, port] = await said(/Muster runs at http:\/\/localhost:(\d+)/)
        await until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200)
        expect(runs()).toBe(true)
        expect(text()).not.toMatch(/"level":"(error|fatal)"/)
      }
      await Promise.all(processes.map(({ stop }) => stop('SIGKILL')))
    } finally {
      await place.drop()
    }
  })
})
