// How long a page takes against an empty page through the same middleware, at two sizes of the store, while a worker in a
// process of its own stores the first sync of other tenants into the same database.

import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Express } from 'express'
import { sql } from 'kysely'
import { createApp } from '../server/app.ts'
import { readConfig } from '../server/config/config.ts'
import type { Route } from '../server/http/route.ts'
import { Memory } from '../server/memory.ts'
import { connectMicrosoft } from '../server/microsoft/connect.ts'
import type { Database } from '../server/store/engine/dialect.ts'
import { write } from '../server/store/engine/write.ts'
import { toRow } from '../server/store/incidents/rows.ts'
import { storeIncidents } from '../server/store/incidents/write.ts'
import { recount } from '../server/store/tenants/counters.ts'
import { page } from '../server/web/page/page.ts'
import { render } from '../server/web/page/render.ts'
import { routes } from '../server/web/routes.ts'
import { bindTenants, signInAdmin } from '../test/support/filled-store.ts'
import { closed, listen } from '../test/support/ports.ts'
import { environmentOf, tenantIdOf } from '../test/support/registered-app.ts'
import { type Engine, log } from './engines.ts'
import { incidentOf } from './incident.ts'
import { type Microsoft, startMicrosoft, startPortal, type WatchedPortal } from './processes.ts'
import { percentile } from './statistics.ts'
import { timed } from './timed-page.ts'

/** One page at one size of the store; times in milliseconds. */
export interface PageRow {
  row: 'page'
  engine: string
  /** In the whole store. */
  incidents: number
  name: string
  p50: number
  p95: number
  /** To the empty page. */
  ratio: number
  judged: boolean
  /** What the sync beside it did. */
  meanwhile: Meanwhile
}

interface Meanwhile {
  stored: number
  seconds: number
}

const tenants = 1_000
/** These are being read meanwhile; what is stored of them comes on top. */
const synced = { tenants: 20, incidents: 500 }
const rounds = 100

const filled = Array.from({ length: tenants }, (_, t) => tenantIdOf(t + 1))
const reading = Array.from({ length: synced.tenants }, (_, t) => tenantIdOf(tenants + t + 1))

/** A template of this folder; the portal's own begin at views/. */
const nothing = page<object>('../bench/empty')

/** The same frame, session and headers around nothing. */
const emptyPage: Route = {
  method: 'GET',
  path: '/empty',
  access: 'Reader',
  handler: (_portal, _req, res) => render(res, nothing, {}),
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

/** A row for each page and size. */
export async function measurePages(engine: Engine, sizes: readonly number[]): Promise<PageRow[]> {
  const store = await engine.open()
  let microsoft: Microsoft | null = null
  let worker: WatchedPortal | null = null
  try {
    microsoft = await startMicrosoft({ tenants: reading, incidents: synced.incidents, prepared: '/api/incidents' })
    const { origin } = microsoft
    const config = readConfig({ ...environmentOf(origin, store), LOG_LEVEL: 'silent' })
    const now = () => new Date()
    const portal = {
      config,
      db: store.db,
      microsoft: connectMicrosoft(config, { log, now }),
      log,
      now,
      memory: new Memory(),
    }
    const cookie = await signInAdmin(store.db, config)
    await bindTenants(store.db, [...filled, ...reading])
    await standStill(store.db)
    const rows: PageRow[] = []
    let stored = 0
    for (const size of sizes) {
      await fill(store.db, engine, stored / tenants, size / tenants)
      stored = size
      const env = { ROLE: 'worker', CALLS_PER_MINUTE: '999999', CALLS_PER_HOUR: '999999' }
      worker = await startPortal({ origin, store, env })
      const app = createApp(portal, { draining: false }, [...routes, emptyPage])
      const host = new URL(config.publicUrl).host
      const { times, meanwhile } = await timesOf(app, host, cookie, store.db)
      await worker.close()
      worker = null
      rows.push(...rowsOf(engine.name, size, times, meanwhile))
    }
    return rows
  } finally {
    await worker?.close()
    await store.close()
    await microsoft?.close()
  }
}

/** Milliseconds of each page, in turn, while the sync stores. */
async function timesOf(app: Express, host: string, cookie: string, db: Database) {
  const server = createServer(app)
  // Filling and emptying the store holds this process up: its connections are not idle for that.
  server.keepAliveTimeout = 120_000
  const port = await listen(server)
  const sync = keepReading(db)
  await sync.begun
  const times = new Map<string, number[]>(Object.keys(paths).map((name) => [name, []]))
  for (let round = -5; round < rounds; round++) {
    for (const [name, path] of Object.entries(paths)) {
      const ms = await timed(port, host, path, cookie)
      if (round >= 0) times.get(name)?.push(ms)
    }
  }
  const meanwhile = await sync.end()
  await closed(server)
  if (meanwhile.stored === 0) throw new Error('nothing was stored while the pages were measured')
  return { times, meanwhile }
}

function rowsOf(
  engine: string,
  incidents: number,
  times: ReadonlyMap<string, number[]>,
  meanwhile: Meanwhile,
): PageRow[] {
  const sorted = [...times].map(([name, list]) => ({ name, list: list.toSorted((a, b) => a - b) }))
  const share = (list: readonly number[], of: number) => percentile(list, of) ?? Number.NaN
  const floor = share(sorted.find(({ name }) => name === 'empty')?.list ?? [], 0.5)
  return sorted.map(({ name, list }) => {
    const p50 = share(list, 0.5)
    const judged = !besides.has(name)
    return { row: 'page', engine, incidents, name, p50, p95: share(list, 0.95), ratio: p50 / floor, judged, meanwhile }
  })
}

/** Filled tenants are read by nobody and still well: what is measured is the page, not a thousand that are blind. */
async function standStill(db: Database): Promise<void> {
  await write(db, (tx) =>
    tx
      .updateTable('tenants')
      .set({ next_sync_at: null, next_window_at: null, next_check_at: null, sync_phase: 'following' })
      .execute(),
  )
  await sayRead(db)
}

const sayRead = (db: Database) =>
  write(db, (tx) => tx.updateTable('tenants').set({ last_read_at: new Date().toISOString() }).execute())

/** The first sync of the tenants that are read, again and again: what was stored of them is taken out in between. */
function keepReading(db: Database) {
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
  let begins = () => {}
  const begun = new Promise<void>((resolve) => {
    begins = resolve
  })
  const whole = (async () => {
    while (!ended) {
      for (const tenantId of reading) await forget(db, tenantId)
      for (;;) {
        await sleep(250)
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
    async end(): Promise<Meanwhile> {
      ended = true
      await whole
      return { stored: total, seconds: (Date.now() - began) / 1000 }
    },
  }
}

/** A tenant as if it had only just been bound. Whoever was reading it has lost his right to write. */
async function forget(db: Database, tenantId: string): Promise<void> {
  await write(db, async (tx) => {
    for (const table of ['incidents', 'windows'] as const) {
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

const incidentColumns = sql.raw(`incident_id, title, severity, severity_rank, status, open, assigned_to, classification,
  determination, redirect_id, created_at, created_day, alert_count, alerts_read_at, search_text, content_hash, facts,
  original, alerts, first_seen_at, stored_at`)

/** Incidents `from` to `to` of every filled tenant. */
async function fill(db: Database, engine: Engine, from: number, to: number): Promise<void> {
  const now = Date.now()
  for (const [t, tenantId] of filled.slice(0, originals).entries()) {
    const rows = Array.from({ length: to - from }, (_, k) =>
      toRow(tenantId, incidentOf(from + k, now, t), new Date(now)),
    )
    await write(db, (tx) => storeIncidents(tx, tenantId, rows, new Date(now)))
  }
  await copyIncidents(db, from, to)
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

/** What the originals have, to all the other tenants. */
async function copyIncidents(db: Database, from: number, to: number): Promise<void> {
  const perTransaction = Math.max(1, Math.ceil(2_000 / (to - from)))
  for (let start = originals; start < tenants; start += perTransaction) {
    await write(db, async (tx) => {
      for (let t = start; t < Math.min(tenants, start + perTransaction); t++) {
        // No two tenants at the same instant.
        const instant = `${String(t).padStart(7, '0')}Z`
        const wanted = sql`tenant_id = ${filled[t % originals]} and cast(incident_id as integer) >= ${from}`
        await sql`insert into incidents (tenant_id, last_update_at, ${incidentColumns})
          select ${filled[t]}, substr(last_update_at, 1, 20) || ${instant}, ${incidentColumns}
          from incidents where ${wanted}`.execute(tx)
      }
    })
  }
}
