// Everything a run needs, standing: Microsoft and its tenants, a filled store, the portal's processes, and who watches.
import { join } from 'node:path'
import { openEyes } from './database.mjs'
import { Faults } from './faults.mjs'
import { built, mutantOf } from './mutants.mjs'
import { Mutator } from './mutations.mjs'
import { Pages } from './pages.mjs'
import { startCluster } from './postgres.mjs'
import { streamOf } from './randomness.mjs'
import { clientId, environmentFor, fillStore, startMicrosoft, tenantIdOf } from './stage.mjs'
import { placesFor, topologyFor } from './topology.mjs'
import { Watch } from './watch.mjs'
import { Forecast } from './weather.mjs'

/** Hours and minutes of the portal, as seconds. */
export const overlapMs = 4_000
const leaseMs = 5_000
const callLimits = { defender: 50, graph: 150 }
/** Incidents of the busy tenant, of the second, and of the quiet ones. */
const sizes = { wide: [260, 130, 25], tight: [70, 40, 10] }

/**
 * @param options of `torture`, and the run's `folder`
 * @param undo takes what has to be done at the end, in the order it was set up
 */
export async function layGround(options, undo) {
  const { seed, engine, api, mutant, folder } = options
  const tight = options.budget === 'tight'
  const simulator = await startMicrosoft({ api, quotas: tight })
  undo.push(() => simulator.close())
  const { world } = simulator
  const tenants = Array.from({ length: options.tenants }, (_, n) => ({ id: tenantIdOf(n + 1), index: n + 1 }))
  const mutator = new Mutator({
    world,
    random: streamOf(seed, 'mutations'),
    tenants,
    overlapMs,
    massLimit: tight ? 40 : 130,
  })
  populate(world, tenants, mutator, tight ? sizes.tight : sizes.wide)
  if (api === 'graph') world.setSkipWall(tenants[1].id, 150)

  const cluster = engine === 'postgres' && !options.databaseUrl ? await startCluster() : null
  if (cluster) undo.push(() => cluster.remove())
  const databaseUrl = engine === 'postgres' ? (options.databaseUrl ?? cluster.url) : null
  const store = { databaseUrl, dataDir: join(folder, 'data') }
  const env = { origin: simulator.origin, api, ...store }
  const cookie = await fillStore({
    ...store,
    tenants: tenants.map(({ id }) => id),
    env: environmentFor({ ...env, role: 'web', port: 3000 }),
  })
  const eyes = openEyes(store)
  undo.push(() => eyes.close())

  const sync = settings(tight, api)
  const random = streamOf(seed, 'plan')
  const topology = topologyFor({ engine, mutant }, random)
  const dist = mutant ? mutantOf(mutant, join(folder, 'mutant')) : built
  const places = await placesFor({ topology, folder, dist, sync, env })
  undo.push(() => Promise.all(places.map((place) => place.kill())))
  const watch = new Watch({
    eyes,
    simulator,
    tenants,
    ever: mutator.ever,
    newestOf: (tenantId) => mutator.newestOf(tenantId),
    callsPerMinute: sync.callsPerMinute,
  })
  const caught = {
    simulator,
    tenants,
    mutate: (tenant) => mutator.stepIn(tenant),
    listing: (tenantId) => watch.listing(tenantId),
  }
  const faults = new Faults({ random: streamOf(seed, 'faults'), places, cluster, leaseMs, stage: caught })
  const forecast = new Forecast({ world, random: streamOf(seed, 'weather'), tenants, overlapMs })
  const pages = new Pages(places, cookie)
  for (const place of places) await place.start()
  return { world, tenants, mutator, forecast, faults, eyes, watch, pages, places, topology, tight }
}

function populate(world, tenants, mutator, counts) {
  for (const [n, tenant] of tenants.entries()) {
    world.addTenant({ id: tenant.id, displayName: `Tenant ${tenant.index}`, domains: [`t${tenant.index}.example`] })
    world.consent(tenant.id, clientId)
    mutator.populate(tenant, counts[Math.min(n, counts.length - 1)])
  }
}

/** A tight budget is Microsoft's own quota, which the simulator then enforces; a wide one is never reached. */
function settings(tight, api) {
  return {
    paceMs: tight ? 3_000 : 1_500,
    quietPaceMs: tight ? 6_000 : 3_000,
    overlapMs,
    reconcileMs: 12_000,
    deepReconcileMs: 20_000,
    leaseMs,
    callsPerMinute: tight ? callLimits[api] : 900,
    callsPerHour: 50_000,
  }
}
