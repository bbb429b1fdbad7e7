// The first sync of many tenants by the portal as it runs in production, against a floor that fetches the same addresses
// and stores the same bytes without any of the portal's logic, and against a plain script of Microsoft's own libraries.
import { summaryOf } from './memory.mjs'
import { bindTenants, machineTime, runScript, startMicrosoft, startPortal, wait } from './processes.mjs'
import { clientId, clientSecret, tenantIdOf } from './stage.mjs'

const app = { clientId, clientSecret }
const floorAtOnce = 8
const lists = { defender: '/api/incidents', graph: '/v1.0/security/incidents' }
const idsOf = (tenants) => Array.from({ length: tenants }, (_, index) => tenantIdOf(index + 1))

/**
 * A sync and its floor take turns so many rounds, and the best of each counts. The floor belongs to the Defender API
 * without a way to go; elsewhere a sync is measured alone.
 * @returns rows `first sync` and `memory`
 */
export async function measureFirstSync(engine, options) {
  const { tenants, incidents, rounds, api = 'defender', latencyMs = 0, profileDir = null } = options
  const ids = idsOf(tenants)
  const floored = api === 'defender' && latencyMs === 0
  const microsoft = await startMicrosoft({ tenants: ids, incidents, prepared: lists[api], latencyMs })
  const runs = []
  try {
    for (let round = 0; round < rounds; round++) {
      const ours = await syncOnce(engine, microsoft, ids, incidents, {
        api,
        profileDir: round === 0 ? profileDir : null,
      })
      const floor = floored ? await floorOnce(engine, microsoft, ours.addresses) : null
      runs.push({ ours, floor })
    }
  } finally {
    await microsoft.close()
  }
  const best = (list) => list.reduce((one, other) => (other.ms < one.ms ? other : one))
  const ours = best(runs.map((run) => run.ours))
  const floor = floored ? best(runs.map((run) => run.floor)) : null
  const { addresses: _, memory, ...figures } = ours
  return [
    {
      row: 'first sync',
      engine: engine.name,
      api,
      latencyMs,
      tenants,
      incidents: tenants * incidents,
      ours: figures,
      floor,
      ratios: floor ? runs.map((run) => run.floor.ms / run.ours.ms) : [],
      ratio: floor ? floor.ms / ours.ms : null,
    },
    { row: 'memory', engine: engine.name, api, ...memory },
  ]
}

async function syncOnce(engine, microsoft, ids, incidents, { api, profileDir }) {
  const store = await engine.open()
  let portal = null
  try {
    await bindTenants(store.db, ids)
    const before = await begin(microsoft)
    // The simulator counts no quota in this row, and the portal is told so.
    const env = { INCIDENTS_API: api, CALLS_PER_MINUTE: '999999', CALLS_PER_HOUR: '999999' }
    portal = await startPortal({ origin: microsoft.origin, store, env, profileDir })
    await until(store.db, portal, ids.length, api)
    const figures = await finish(microsoft, before, await endOf(store.db, api))
    await wait(600)
    const samples = portal.samples()
    const { n } = await store.db
      .selectFrom('incidents')
      .select((eb) => eb.fn.countAll().as('n'))
      .executeTakeFirstOrThrow()
    if (Number(n) !== ids.length * incidents) throw new Error(`${n} incidents stored of ${ids.length * incidents}`)
    const cpuMs = Math.max(...samples.map((sample) => sample.cpuMs))
    return { ...figures, cpuMs, memory: summaryOf(samples) }
  } finally {
    await portal?.close()
    await store.close()
  }
}

/** Until every tenant has its 30 days, and on Graph the alerts of them. */
async function until(db, portal, tenants, api) {
  for (const started = Date.now(); ; await wait(250)) {
    if (portal.ended()) throw new Error('the portal ended by itself')
    if (Date.now() - started > 30 * 60_000) throw new Error('the first sync did not end in 30 minutes')
    const { n } = await db
      .selectFrom('tenants')
      .select((eb) => eb.fn.countAll().as('n'))
      .where('backfilled_at', 'is not', null)
      .executeTakeFirstOrThrow()
    if (Number(n) < tenants) continue
    if (api !== 'graph' || !(await withoutAlerts(db))) return
  }
}

const withoutAlerts = (db) =>
  db.selectFrom('incidents').select('incident_id').where('alerts_read_at', 'is', null).limit(1).executeTakeFirst()

async function endOf(db, api) {
  const { at, alertsAt } = await db
    .selectFrom('tenants')
    .select((eb) => [
      eb.fn.max('backfilled_at').as('at'),
      eb
        .selectFrom('incidents')
        .select((inner) => inner.fn.max('alerts_read_at').as('m'))
        .as('alertsAt'),
    ])
    .executeTakeFirstOrThrow()
  return Date.parse(api === 'graph' && alertsAt > at ? alertsAt : at)
}

async function floorOnce(engine, microsoft, addresses) {
  const store = await engine.open()
  try {
    const before = await begin(microsoft)
    const input = { origin: microsoft.origin, tenants: addresses, atOnce: floorAtOnce, app }
    const { endedAt, stored, cpuMs } = await runScript('./floor.mjs', { ...input, store: placeOf(store) })
    const { addresses: _, ...figures } = await finish(microsoft, before, endedAt)
    return { ...figures, stored, cpuMs }
  } finally {
    await store.close()
  }
}

const placeOf = ({ databaseUrl, dataDir }) => ({ databaseUrl, dataDir })

/**
 * The plain script beside the portal, over the same number of incidents: one tenant after another and eight at once,
 * with the alerts expanded and without. Measured over fewer tenants than the sync where its rate does not depend on it.
 */
export async function measureRival(engine, { tenants, incidents, latencyMs = 0 }) {
  const ids = idsOf(tenants)
  const graph = await startMicrosoft({ tenants: ids, incidents, prepared: lists.graph, latencyMs })
  const rivals = []
  try {
    for (const [atOnce, expand] of [
      [1, true],
      [8, true],
      [1, false],
      [8, false],
    ]) {
      const store = await engine.open()
      try {
        const before = await begin(graph)
        const input = { origin: graph.origin, store: placeOf(store), tenants: ids, atOnce, expand, app }
        const { endedAt, stored, cpuMs } = await runScript('./rival.mjs', input)
        if (stored !== tenants * incidents) throw new Error(`the script stored ${stored} of ${tenants * incidents}`)
        const { addresses: _, ...figures } = await finish(graph, before, endedAt)
        rivals.push({ atOnce, expand, stored, cpuMs, ...figures })
      } finally {
        await store.close()
      }
    }
  } finally {
    await graph.close()
  }
  return { row: 'rival', engine: engine.name, latencyMs, tenants, incidents: tenants * incidents, rivals }
}

async function begin(microsoft) {
  await microsoft.ask('reset')
  const { cpuMs } = await microsoft.ask('seen')
  return { cpuMs, machine: machineTime() }
}

async function finish(microsoft, before, endedAt) {
  const seen = await microsoft.ask('seen')
  const machine = machineTime()
  const ms = endedAt - seen.firstAt
  const addresses = {}
  for (const { tenantId, url } of seen.requests) {
    addresses[tenantId] ??= []
    addresses[tenantId].push(url)
  }
  return {
    ms,
    requests: seen.requests.length,
    bytes: seen.bytes,
    simulatorCpuMs: seen.cpuMs - before.cpuMs,
    machineBusy: (machine.busy - before.machine.busy) / (machine.all - before.machine.all),
    addresses,
  }
}
