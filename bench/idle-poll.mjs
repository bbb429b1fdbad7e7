// One poll of a thousand tenants in which nothing happened, with Microsoft's quotas counted, by the portal as it runs in
// production. What a poll costs in processor time, transactions and calls.
import { sql } from 'kysely'
import { bindTenants, startMicrosoft, startPortal, wait } from './processes.mjs'
import { tenantIdOf } from './stage.mjs'

/** @returns row `idle poll`: two polls of all, one after the other */
export async function measureIdlePoll(engine, { tenants, incidents }) {
  const ids = Array.from({ length: tenants }, (_, index) => tenantIdOf(index + 1))
  const microsoft = await startMicrosoft({ tenants: ids, incidents })
  const store = await engine.open()
  let portal = null
  try {
    await bindTenants(store.db, ids)
    portal = await startPortal({ origin: microsoft.origin, store })
    await until(portal, store.db, 'backfilled_at', '', tenants)
    await microsoft.ask('quotas', true)
    const polls = []
    for (let round = 0; round < 2; round++) polls.push(await pollAll(engine, microsoft, store.db, portal, tenants))
    return { row: 'idle poll', engine: engine.name, tenants, polls }
  } finally {
    await portal?.close()
    await store.close()
    await microsoft.close()
  }
}

async function pollAll(engine, microsoft, db, portal, tenants) {
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
  await wait(4_000)
  await microsoft.ask('reset')
  const before = await costs(engine, db, portal)
  const from = new Date().toISOString()
  await db.updateTable('tenants').set({ next_sync_at: from }).execute()
  const looked = await until(portal, db, 'last_read_at', from, tenants)
  const { at } = await db
    .selectFrom('tenants')
    .select((eb) => eb.fn.max('last_read_at').as('at'))
    .executeTakeFirstOrThrow()
  const after = await costs(engine, db, portal)
  const statuses = await microsoft.ask('statuses')
  const { n } = await db
    .selectFrom('syncs')
    .select((eb) => eb.fn.sum('stored').as('n'))
    .where('started_at', '>=', from)
    .executeTakeFirstOrThrow()
  return {
    ms: Date.parse(at) - Date.parse(from),
    cpuMsPerPoll: (after.cpuMs - before.cpuMs) / tenants,
    transactionsPerPoll:
      (after.transactions - before.transactions - (engine.name === 'SQLite' ? 0 : looked + 3)) / tenants,
    callsPerPoll: Object.values(statuses).reduce((total, count) => total + count, 0) / tenants,
    throttled: statuses[429] ?? 0,
    statuses,
    stored: Number(n ?? 0),
  }
}

/** Looks seldom: the portal alone is to be measured. @returns how often it looked */
async function until(portal, db, column, from, tenants) {
  for (let looks = 1; ; looks++) {
    await wait(1_000)
    if (portal.ended()) throw new Error('the portal ended by itself')
    if (looks > 900) throw new Error(`not all tenants were read in 15 minutes (${column})`)
    const { n } = await db
      .selectFrom('tenants')
      .select((eb) => eb.fn.countAll().as('n'))
      .where(column, '>=', from)
      .executeTakeFirstOrThrow()
    if (Number(n) === tenants) return looks
  }
}

/** Processor time of the portal, and transactions: of its own counting with SQLite, of the server's with PostgreSQL. */
async function costs(engine, db, portal) {
  await wait(1_500)
  const samples = portal.samples()
  const threads = ['main', 'worker', 'database'].map((thread) => samples.findLast((sample) => sample.thread === thread))
  const cpuMs = Math.max(...threads.map((sample) => sample?.cpuMs ?? 0))
  if (engine.name === 'SQLite') {
    return { cpuMs, transactions: threads.reduce((total, sample) => total + (sample?.commits ?? 0), 0) }
  }
  const { rows } = await sql`select xact_commit from pg_stat_database where datname = current_database()`.execute(db)
  return { cpuMs, transactions: Number(rows[0].xact_commit) }
}
