// The first sync of many tenants by the portal as it runs in production, against a floor that fetches the same addresses
// and stores the same bytes without any of the portal's logic.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../server/store/engine/dialect.ts'
import { bindTenants } from '../test/support/filled-store.ts'
import { clientId, clientSecret, tenantIdOf } from '../test/support/registered-app.ts'
import { until } from '../test/support/waiting.ts'
import type { Engine, Store } from './engines.ts'
import type { FloorInput } from './floor.ts'
import { type MemorySummary, summaryOf } from './memory.ts'
import { type Microsoft, machineTime, runScript, startMicrosoft, startPortal, type WatchedPortal } from './processes.ts'

export type Api = 'defender' | 'graph'

export const app = { clientId, clientSecret }
const floorAtOnce = 8
export const lists = { defender: '/api/incidents', graph: '/v1.0/security/incidents' } as const
export const tenantIds = (tenants: number): string[] =>
  Array.from({ length: tenants }, (_, index) => tenantIdOf(index + 1))

/** Times in milliseconds. */
export interface SyncFigures {
  ms: number
  requests: number
  bytes: number
  simulatorCpuMs: number
  /** Share of the whole machine. */
  machineBusy: number
  cpuMs: number
}

export interface SyncRow {
  row: 'first sync'
  engine: string
  api: Api
  latencyMs: number
  tenants: number
  incidents: number
  ours: SyncFigures
  floor: (SyncFigures & { stored: number }) | null
  ratios: number[]
  ratio: number | null
}

export interface MemoryRow extends MemorySummary {
  row: 'memory'
  engine: string
  api: Api
}

export interface SyncOptions {
  tenants: number
  incidents: number
  rounds: number
  api?: Api
  latencyMs?: number
  profileDir?: string | null
}

/**
 * A sync and its floor take turns so many rounds, and the best of each counts. The floor belongs to the Defender API
 * without a way to go; elsewhere a sync is measured alone.
 */
export async function measureFirstSync(engine: Engine, options: SyncOptions): Promise<[SyncRow, MemoryRow]> {
  const { tenants, incidents, rounds, api = 'defender', latencyMs = 0, profileDir = null } = options
  const ids = tenantIds(tenants)
  const withFloor = api === 'defender' && latencyMs === 0
  const microsoft = await startMicrosoft({ tenants: ids, incidents, prepared: lists[api], latencyMs })
  const syncs: Awaited<ReturnType<typeof syncOnce>>[] = []
  const floors: Awaited<ReturnType<typeof floorOnce>>[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      const profiling = round === 0 ? profileDir : null
      const sync = await syncOnce(engine, microsoft, ids, { incidents, api, profileDir: profiling })
      syncs.push(sync)
      if (withFloor) floors.push(await floorOnce(engine, microsoft, sync.addresses))
    }
  } finally {
    await microsoft.close()
  }
  const { addresses: _, memory, ...ours } = fastest(syncs)
  const floor = withFloor ? fastest(floors) : null
  return [
    {
      row: 'first sync',
      engine: engine.name,
      api,
      latencyMs,
      tenants,
      incidents: tenants * incidents,
      ours,
      floor,
      ratios: floors.map(({ ms }, round) => ms / (syncs[round]?.ms ?? Number.NaN)),
      ratio: floor ? floor.ms / ours.ms : null,
    },
    { row: 'memory', engine: engine.name, api, ...memory },
  ]
}

const fastest = <Timed extends { ms: number }>(list: readonly Timed[]): Timed =>
  list.reduce((one, other) => (other.ms < one.ms ? other : one))

async function syncOnce(
  engine: Engine,
  microsoft: Microsoft,
  ids: string[],
  { incidents, api, profileDir }: { incidents: number; api: Api; profileDir: string | null },
) {
  const store = await engine.open()
  let portal: WatchedPortal | null = null
  try {
    await bindTenants(store.db, ids)
    const before = await begin(microsoft)
    // The simulator counts no quota in this row, and the portal is told so.
    const env = { INCIDENTS_API: api, CALLS_PER_MINUTE: '999999', CALLS_PER_HOUR: '999999' }
    portal = await startPortal({ origin: microsoft.origin, store, env, profileDir })
    await backfilled(store.db, portal, ids.length, api)
    const figures = await finish(microsoft, before, await endOf(store.db, api))
    await sleep(600)
    const samples = portal.samples()
    // What was closed since the newest open one comes with the first poll, which waits its turn.
    const expected = ids.length * incidents
    await until(async () => (await stored(store.db)) === expected, { what: `${expected} incidents are stored` })
    const cpuMs = Math.max(...samples.map((sample) => sample.cpuMs))
    return { ...figures, cpuMs, memory: summaryOf(samples) }
  } finally {
    await portal?.close()
    await store.close()
  }
}

async function stored(db: Database): Promise<number> {
  const row = await db
    .selectFrom('incidents')
    .select((eb) => eb.fn.countAll().as('n'))
    .executeTakeFirstOrThrow()
  return Number(row.n)
}

/** Until every tenant has its 30 days, and on Graph the alerts of them. */
async function backfilled(db: Database, portal: WatchedPortal, tenants: number, api: Api): Promise<void> {
  await until(
    async () => {
      if (portal.ended()) throw new Error('the portal ended by itself')
      const { n } = await db
        .selectFrom('tenants')
        .select((eb) => eb.fn.countAll().as('n'))
        .where('backfilled_at', 'is not', null)
        .executeTakeFirstOrThrow()
      return Number(n) >= tenants && (api !== 'graph' || !(await withoutAlerts(db)))
    },
    { everyMs: 250, withinMs: 30 * 60_000, what: 'the first sync ends' },
  )
}

const withoutAlerts = (db: Database) =>
  db.selectFrom('incidents').select('incident_id').where('alerts_read_at', 'is', null).limit(1).executeTakeFirst()

/** When the last tenant had its 30 days, and on Graph the last incident its alerts. */
async function endOf(db: Database, api: Api): Promise<number> {
  const tenants = await db
    .selectFrom('tenants')
    .select((eb) => eb.fn.max('backfilled_at').as('at'))
    .executeTakeFirstOrThrow()
  const incidents = await db
    .selectFrom('incidents')
    .select((eb) => eb.fn.max('alerts_read_at').as('at'))
    .executeTakeFirstOrThrow()
  const times = [tenants.at, ...(api === 'graph' ? [incidents.at] : [])].map((at) => Date.parse(at ?? ''))
  return Math.max(...times)
}

async function floorOnce(engine: Engine, microsoft: Microsoft, addresses: Record<string, string[]>) {
  const store = await engine.open()
  try {
    const before = await begin(microsoft)
    const input: FloorInput = { origin: microsoft.origin, store: placeOf(store), addresses, atOnce: floorAtOnce, app }
    const { endedAt, stored, cpuMs } = await runScript('floor', input)
    const { addresses: _, ...figures } = await finish(microsoft, before, endedAt)
    return { ...figures, stored, cpuMs }
  } finally {
    await store.close()
  }
}

export const placeOf = ({ databaseUrl, dataDir }: Store) => ({ databaseUrl, dataDir })

interface Beginning {
  cpuMs: number
  machine: { all: number; busy: number }
}

export async function begin(microsoft: Microsoft): Promise<Beginning> {
  await microsoft.ask('reset')
  const { cpuMs } = await microsoft.ask('seen')
  return { cpuMs, machine: machineTime() }
}

/** What happened between the first request since `begin` and `endedAt`. */
export async function finish(
  microsoft: Microsoft,
  before: Beginning,
  endedAt: number,
): Promise<Omit<SyncFigures, 'cpuMs'> & { addresses: Record<string, string[]> }> {
  const seen = await microsoft.ask('seen')
  const machine = machineTime()
  const addresses: Record<string, string[]> = {}
  for (const { tenantId, url } of seen.requests) {
    const list = addresses[tenantId] ?? []
    addresses[tenantId] = list
    list.push(url)
  }
  return {
    ms: endedAt - (seen.firstAt ?? Number.NaN),
    requests: seen.requests.length,
    bytes: seen.bytes,
    simulatorCpuMs: seen.cpuMs - before.cpuMs,
    machineBusy: (machine.busy - before.machine.busy) / (machine.all - before.machine.all),
    addresses,
  }
}
