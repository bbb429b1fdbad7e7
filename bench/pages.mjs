// How long a page takes against an empty page through the same middleware, at two sizes of the store, while a worker in a
// process of its own stores the first sync of other tenants into the same database.
import { Agent, request } from 'node:http'
import { sql } from 'kysely'
import { createApp } from '../dist/app.js'
import { connectMicrosoft } from '../dist/microsoft/connect.js'
import { write } from '../dist/store/engine/write.js'
import { toRow } from '../dist/store/incidents/rows.js'
import { storeIncidents } from '../dist/store/incidents/write.js'
import { recount } from '../dist/store/tenants/counters.js'
import { render } from '../dist/web/page/render.js'
import { routes } from '../dist/web/routes.js'
import { bindTenants, startMicrosoft, startPortal, wait } from './processes.mjs'
import { configFor, incidentOf, log, percentile, serve, signedIn, tenantIdOf } from './stage.mjs'

const tenants = 1_000
/** These are being read meanwhile; what is stored of them comes on top. */
const synced = { tenants: 20, incidents: 500 }
const rounds = 100
const agent = new Agent({ keepAlive: true })

const filled = Array.from({ length: tenants }, (_, t) => tenantIdOf(t + 1))
const reading = Array.from({ length: synced.tenants }, (_, t) => tenantIdOf(tenants + t + 1))

/** The same frame, session and headers around nothing. */
const emptyPage = {
  method: 'GET',
  path: '/empty',
  access: 'Reader',
  handler: (_portal, _req, res) => render(res, '../bench/empty', {}),
}

const first = filled[0]
const paths = {
  empty: '/empty',
  overview: '/',
  queue: '/incidents',
  'queue, three filters': '/incidents?severity=high&status=open&q=phishing',
  'queue, a rare text': '/incidents?status=any&q=user7%40',
  'queue, a text that 2 % hold': '/incidents?status=any&q=ws-13',
  'queue, a text that none holds': '/incidents?severity=high&status=open&q=malware+phishing',
  'one tenant': `/tenants/${first}`,
  'one tenant’s incidents': `/tenants/${first}/incidents`,
  'one incident': `/tenants/${first}/incidents/1`,
  'one incident of a narrowed list': `/tenants/${first}/incidents/0?from=${encodeURIComponent('/incidents?severity=high&status=open')}`,
  customers: '/customers',
}

/** Measured to see where it hurts; no figure is to be reached there. */
const besides = new Set(['empty', 'queue, a rare text', 'queue, a text that 2 % hold', 'queue, a text that none holds'])

/** @returns rows `page`, one for each page and size; `stored` is how many incidents the sync stored meanwhile */
export async function measurePages(engine, sizes) {
  const store = await engine.open()
  const { db } = store
  let microsoft = null
  let worker = null
  try {
    microsoft = await startMicrosoft({ tenants: reading, incidents: synced.incidents, prepared: '/api/incidents' })
    const config = configFor(microsoft.origin)
    const now = () => new Date()
    const portal = { config, db, microsoft: connectMicrosoft(config, { log, now }), log, now }
    const cookie = await signedIn(portal)
    await bindTenants(db, [...filled, ...reading])
    await standStill(db)
    const rows = []
    let stored = 0
    for (const size of sizes) {
      await fill(db, engine, stored / tenants, size / tenants)
      stored = size
      const env = { ROLE: 'worker', CALLS_PER_MINUTE: '999999', CALLS_PER_HOUR: '999999' }
      worker = await startPortal({ origin: microsoft.origin, store, env })
      const served = await serve(createApp(portal, { draining: false }, [...routes, emptyPage]))
      const sync = keepReading(db)
      await sync.begun
      const host = new URL(config.publicUrl).host
      const times = Object.fromEntries(Object.keys(paths).map((name) => [name, []]))
      for (let round = -5; round < rounds; round++) {
        for (const [name, path] of Object.entries(paths)) {
          const ms = await timed(served.port, host, path, cookie)
          if (round >= 0) times[name].push(ms)
        }
      }
      const meanwhile = await sync.end()
      await worker.close()
      worker = null
      await served.close()
      if (meanwhile.stored === 0) throw new Error('nothing was stored while the pages were measured')
      for (const list of Object.values(times)) list.sort((a, b) => a - b)
      const floor = percentile(times.empty, 0.5)
      for (const [name, list] of Object.entries(times)) {
        rows.push({
          row: 'page',
          engine: engine.name,
          incidents: size,
          name,
          p50: percentile(list, 0.5),
          p95: percentile(list, 0.95),
          ratio: percentile(list, 0.5) / floor,
          judged: !besides.has(name),
          meanwhile,
        })
      }
    }
    return rows
  } finally {
    await worker?.close()
    await store.close()
    await microsoft?.close()
  }
}

/** Filled tenants are read by nobody and still well: what is measured is the page, not a thousand that are blind. */
async function standStill(db) {
  await write(db, (tx) =>
    tx
      .updateTable('tenants')
      .set({ next_sync_at: null, next_window_at: null, next_check_at: null, sync_phase: 'following' })
      .execute(),
  )
  await sayRead(db)
}

const sayRead = (db) =>
  write(db, (tx) => tx.updateTable('tenants').set({ last_read_at: new Date().toISOString() }).execute())

/** The first sync of the tenants that are read, again and again: what was stored of them is taken out in between. */
function keepReading(db) {
  let ended = false
  let total = 0
  const began = Date.now()
  const count = async () => {
    const { n } = await db
      .selectFrom('incidents')
      .select((eb) => eb.fn.countAll().as('n'))
      .where('tenant_id', 'in', reading)
      .executeTakeFirstOrThrow()
    return Number(n)
  }
  let begins
  const begun = new Promise((resolve) => {
    begins = resolve
  })
  const whole = (async () => {
    while (!ended) {
      for (const tenantId of reading) await forget(db, tenantId)
      for (;;) {
        await wait(250)
        const kept = await count()
        if (kept > 0) begins()
        if (ended || kept >= synced.tenants * synced.incidents) {
          total += kept
          break
        }
      }
    }
  })()
  return {
    begun,
    async end() {
      ended = true
      await whole
      return { stored: total, seconds: (Date.now() - began) / 1000 }
    },
  }
}

/** A tenant as if it had only just been bound. Whoever was reading it has lost his right to write. */
async function forget(db, tenantId) {
  await write(db, async (tx) => {
    for (const table of ['incidents', 'windows']) {
      await tx.deleteFrom(table).where('tenant_id', '=', tenantId).execute()
    }
    const at = new Date().toISOString()
    await tx
      .updateTable('tenants')
      .set((eb) => ({
        sync_phase: 'open',
        sync_fence: eb('sync_fence', '+', 1),
        sync_lease_until: null,
        cursor: null,
        backfilled_at: null,
        next_window_at: null,
        next_sync_at: at,
      }))
      .where('tenant_id', '=', tenantId)
      .execute()
    await recount(tx, tenantId)
  })
}

/** Tenants whose incidents are stored as the portal stores them; the others get copies. */
const originals = 40

/** Incidents `from` to `to` of every filled tenant. */
async function fill(db, engine, from, to) {
  const now = Date.now()
  for (let t = 0; t < originals; t++) {
    await write(db, async (tx) => {
      const batch = Array.from({ length: to - from }, (_, k) => incidentOf(from + k, now, t))
      await storeIncidents(
        tx,
        filled[t],
        batch.map((one) => toRow(filled[t], one, new Date(now))),
        new Date(now),
      )
    })
  }
  const incidentColumns = `incident_id, title, severity, severity_rank, status, open, assigned_to, classification,
    determination, redirect_id, created_at, created_day, alert_count, alerts_read_at, search_text, content_hash, facts,
    original, alerts, first_seen_at, stored_at`
  const perTransaction = Math.max(1, Math.ceil(2_000 / (to - from)))
  for (let start = originals; start < tenants; start += perTransaction) {
    await write(db, async (tx) => {
      for (let t = start; t < Math.min(tenants, start + perTransaction); t++) {
        // No two tenants at the same instant.
        const instant = `${String(t).padStart(7, '0')}Z`
        const wanted = sql`tenant_id = ${filled[t % originals]} and cast(incident_id as integer) >= ${from}`
        await sql`insert into incidents (tenant_id, last_update_at, ${sql.raw(incidentColumns)})
          select ${filled[t]}, substr(last_update_at, 1, 20) || ${instant}, ${sql.raw(incidentColumns)}
          from incidents where ${wanted}`.execute(tx)
      }
    })
  }
  await write(db, async (tx) => {
    for (const tenantId of filled) await recount(tx, tenantId)
    await tx.deleteFrom('created_days').execute()
    await sql`insert into created_days (day, severity, shard, incidents)
      select created_day, severity, 0, count(*) from incidents where redirect_id is null
      group by created_day, severity`.execute(tx)
  })
  // As PostgreSQL does by itself within minutes.
  if (engine.name === 'PostgreSQL') await sql`vacuum analyze`.execute(db)
  await sayRead(db)
}

/** Not `fetch`: that one does not let the Host header be said, and the portal answers to its public host alone. */
async function timed(port, host, path, cookie) {
  const started = performance.now()
  const { status, body } = await new Promise((resolve, reject) => {
    const headers = { cookie, host, accept: 'text/html', 'sec-fetch-site': 'same-origin' }
    request({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }))
      response.on('error', reject)
    })
      .on('error', reject)
      .end()
  })
  if (status !== 200) throw new Error(`${path} answered ${status}: ${body.slice(0, 300)}`)
  return performance.now() - started
}
