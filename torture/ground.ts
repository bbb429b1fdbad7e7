// Everything a run needs, standing: Microsoft and its tenants, a filled store, the portal's processes, and who watches.
import { join } from 'node:path'
import type { Config } from '../server/config/config.ts'
import type { Simulator } from '../server/simulator/simulator.ts'
import type { World } from '../server/simulator/world/world.ts'
import { clientId, tenantIdOf } from '../test/support/registered-app.ts'
import { type Eyes, openEyes } from './database.ts'
import { Faults } from './faults.ts'
import { environmentFor, fillStore, startMicrosoft } from './microsoft.ts'
import { built, mutantOf } from './mutants.ts'
import { Mutator } from './mutations.ts'
import type { Api, RunOptions, RunTenant } from './options.ts'
import { Pages } from './pages.ts'
import { type Cluster, startCluster } from './postgres.ts'
import type { PortalProcess } from './processes.ts'
import { streamOf } from './randomness.ts'
import { placesFor, type Topology, topologyFor } from './topology.ts'
import { Watch } from './watch.ts'
import { Forecast } from './weather.ts'

/** Hours and minutes of the portal, as seconds. */
export const overlapMs = 4_000
const leaseMs = 5_000
const callLimits: Record<Api, number> = { defender: 50, graph: 150 }
/** Incidents of the busy tenant, of the second, and of the quiet ones. */
const sizes = { wide: [260, 130, 25], tight: [70, 40, 10] } as const

/** Takes what has to be done at the end; done in the opposite order. */
export type Undo = (() => unknown)[]

export interface Ground {
  world: World
  /** All of them; the first is the busy one. */
  tenants: readonly RunTenant[]
  busy: RunTenant
  second: RunTenant
  quietest: RunTenant
  mutator: Mutator
  forecast: Forecast
  faults: Faults
  eyes: Eyes
  watch: Watch
  pages: Pages
  places: PortalProcess[]
  topology: Topology
  tight: boolean
}

/** @param options of the run, and the folder for its data and logs */
export async function layGround(options: RunOptions & { folder: string }, undo: Undo): Promise<Ground> {
  const { seed, api, folder } = options
  const tight = options.budget === 'tight'
  const simulator = await startMicrosoft({ api, quotas: tight })
  undo.push(() => simulator.close())
  if (options.far) simulator.world.behaviour.lateMs = wayMs
  const tenants = Array.from({ length: options.tenants }, (_, n) => ({ id: tenantIdOf(n + 1), index: n + 1 }))
  const [busy, second] = tenants
  const quietest = tenants.at(-1)
  if (!busy || !second || !quietest) throw new RangeError('a run needs two tenants')
  const mutator = populated(simulator, tenants, options)
  if (api === 'graph') simulator.world.setSkipWall(second.id, 150)
  const { store, cluster } = await storeOf(options, undo)
  const env = { origin: simulator.origin, api, ...store }
  const cookie = await fillStore(store, {
    tenants: tenants.map(({ id }) => id),
    env: environmentFor({ ...env, role: 'web', port: 3000 }),
  })
  const eyes = openEyes(store)
  undo.push(() => eyes.close())

  const sync = syncSettings(tight, api)
  const topology = topologyFor(options, streamOf(seed, 'plan'))
  const dist = options.mutant ? mutantOf(options.mutant, join(folder, 'mutant')) : built
  const places = await placesFor({ topology, folder, dist, sync, env })
  undo.push(() => Promise.all(places.map((place) => place.kill())))
  const { ever } = mutator
  const newestOf = (tenantId: string) => mutator.newestOf(tenantId)
  const watch = new Watch({ eyes, simulator, tenants, ever, newestOf, callsPerMinute: sync.callsPerMinute })
  const { world } = simulator
  const caught = {
    world,
    busy,
    mutate: (tenant: RunTenant) => mutator.stepIn(tenant),
    listing: (tenantId: string) => watch.listing(tenantId),
  }
  const faults = new Faults({ random: streamOf(seed, 'faults'), places, cluster, leaseMs, caught })
  const forecast = new Forecast({ world, random: streamOf(seed, 'weather'), tenants, overlapMs })
  const pages = new Pages(places, cookie)
  for (const place of places) await place.start()
  const actors = { mutator, forecast, faults, eyes, watch, pages, places }
  return { ...actors, world, tenants, busy, second, quietest, topology, tight }
}

/** The way from Microsoft of a run that is far away, in milliseconds. */
const wayMs = [200, 3_000] as const

/** Every tenant consents and has its incidents. */
function populated({ world }: Simulator, tenants: readonly RunTenant[], { seed, budget }: RunOptions): Mutator {
  const massLimit = budget === 'tight' ? 40 : 130
  const mutator = new Mutator({ world, random: streamOf(seed, 'mutations'), tenants, overlapMs, massLimit })
  const [ofBusy, ofSecond, ofQuiet] = sizes[budget]
  for (const [n, tenant] of tenants.entries()) {
    world.addTenant({ id: tenant.id, displayName: `Tenant ${tenant.index}`, domains: [`t${tenant.index}.example`] })
    world.consent(tenant.id, clientId)
    mutator.populate(tenant, [ofBusy, ofSecond][n] ?? ofQuiet)
  }
  return mutator
}

/** Where the portal's data will be, and the PostgreSQL that may be stopped under it. */
async function storeOf({ engine, databaseUrl, folder }: RunOptions & { folder: string }, undo: Undo) {
  const dataDir = join(folder, 'data')
  if (engine === 'sqlite') return { store: { databaseUrl: null, dataDir }, cluster: null }
  if (databaseUrl !== undefined) return { store: { databaseUrl, dataDir }, cluster: null }
  const cluster: Cluster = await startCluster()
  undo.push(() => cluster.remove())
  return { store: { databaseUrl: cluster.url, dataDir }, cluster }
}

function syncSettings(tight: boolean, api: Api): Partial<Config['sync']> & { callsPerMinute: number } {
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
