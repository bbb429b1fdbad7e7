// One poll of a thousand tenants in which nothing happened, with Microsoft's quotas counted, by the portal as it runs in
// production. What a poll costs in processor time, transactions and calls.
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Database } from '../server/store/engine/dialect.ts'
import { bindTenants } from '../test/support/filled-store.ts'
import { tenantIdOf } from '../test/support/registered-app.ts'
import { until } from '../test/support/waiting.ts'
import type { Engine } from './engines.ts'
import { type Microsoft, startMicrosoft, startPortal, type WatchedPortal } from './processes.ts'

interface Poll {
  ms: number
  cpuMsPerPoll: number
  transactionsPerPoll: number
  callsPerPoll: number
  throttled: number
  /** Calls by status of the answer. */
  statuses: Record<number, number>
  stored: number
}

export interface IdleRow {
  row: 'idle poll'
  engine: string
  tenants: number
  latencyMs: number
  polls: Poll[]
}

interface Ground {
  engine: Engine
  microsoft: Microsoft
  db: Database
  portal: WatchedPortal
  tenants: number
}

/** Two polls of all tenants, one after the other. */
export async function measureIdlePoll(
  engine: Engine,
  { tenants, incidents, latencyMs }: { tenants: number; incidents: number; latencyMs: number },
): Promise<IdleRow> {
  const ids = Array.from({ length: tenants }, (_, index) => tenantIdOf(index + 1))
  const microsoft = await startMicrosoft({ tenants: ids, incidents })
  const store = await engine.open()
  let portal: WatchedPortal | null = null
  try {
    await bindTenants(store.db, ids)
    portal = await startPortal({ origin: microsoft.origin, store })
    const ground = { engine, microsoft, db: store.db, portal, tenants }
    await allReached(ground, 'backfilled_at', '')
    await microsoft.ask('quotas', true)
    if (latencyMs > 0) await microsoft.ask('delay', latencyMs)
    const polls: Poll[] = []
    for (let round = 0; round < 2; round++) polls.push(await pollAll(ground))
    return { row: 'idle poll', engine: engine.name, tenants, latencyMs, polls }
  } finally {
    await portal?.close()
    await store.close()
    await microsoft.close()
  }
}

async function pollAll(ground: Ground): Promise<Poll> {
  const { engine, microsoft, db, tenants } = ground
  // What is still under way ends, and nothing else is due meanwhile.
  const later = new Date(Date.now() + 3_600_000).toISOString()
  await db
    .updateTable('tenants')
    .set({
      next_sync_at: later,
      next_window_at: null,
      next_reconcile_at: later,
      next_deep_reconcile_at: later,
      next_check_at: null,
    })
    .execute()
  await sleep(4_000)
  await microsoft.ask('reset')
  const before = await costs(ground)
  const from = new Date().toISOString()
  await db.updateTable('tenants').set({ next_sync_at: from }).execute()
  const looks = await allReached(ground, 'last_read_at', from)
  const { at } = await db
    .selectFrom('tenants')
    .select((eb) => eb.fn.max('last_read_at').as('at'))
    .executeTakeFirstOrThrow()
  const after = await costs(ground)
  const statuses = await microsoft.ask('statuses')
  const { n } = await db
    .selectFrom('syncs')
    .select((eb) => eb.fn.sum('stored').as('n'))
    .where('started_at', '>=', from)
    .executeTakeFirstOrThrow()
  // Looking is a transaction each, and so is what `costs` and this function ask.
  const ownTransactions = engine.name === 'SQLite' ? 0 : looks + 3
  return {
    ms: Date.parse(at ?? '') - Date.parse(from),
    cpuMsPerPoll: (after.cpuMs - before.cpuMs) / tenants,
    transactionsPerPoll: (after.transactions - before.transactions - ownTransactions) / tenants,
    callsPerPoll: Object.values(statuses).reduce((total, count) => total + count, 0) / tenants,
    throttled: statuses[429] ?? 0,
    statuses,
    stored: Number(n ?? 0),
  }
}

/** Looks seldom: the portal alone is to be measured. @returns how often it looked */
async function allReached(
  { portal, db, tenants }: Ground,
  column: 'backfilled_at' | 'last_read_at',
  from: string,
): Promise<number> {
  let looks = 0
  await sleep(1_000)
  await until(
    async () => {
      looks++
      if (portal.ended()) throw new Error('the portal ended by itself')
      const { n } = await db
        .selectFrom('tenants')
        .select((eb) => eb.fn.countAll().as('n'))
        .where(column, '>=', from)
        .executeTakeFirstOrThrow()
      return Number(n) === tenants
    },
    { everyMs: 1_000, withinMs: 900_000, what: `all tenants are read (${column})` },
  )
  return looks
}

/** Processor time of the portal, and transactions: of its own counting with SQLite, of the server's with PostgreSQL. */
async function costs({ engine, db, portal }: Ground): Promise<{ cpuMs: number; transactions: number }> {
  await sleep(1_500)
  const samples = portal.samples()
  const threads = ['main', 'worker', 'database'].map((thread) => samples.findLast((sample) => sample.thread === thread))
  const cpuMs = Math.max(...threads.map((sample) => sample?.cpuMs ?? 0))
  if (engine.name === 'SQLite') {
    return { cpuMs, transactions: threads.reduce((total, sample) => total + (sample?.commits ?? 0), 0) }
  }
  const { rows } = await sql<{
    xact_commit: string
  }>`select xact_commit from pg_stat_database where datname = current_database()`.execute(db)
  return { cpuMs, transactions: Number(rows[0]?.xact_commit) }
}
