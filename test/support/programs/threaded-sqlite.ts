// SQLite in its own thread, as the compiled worker uses it, put through what the store relies on. One JSON line each.
import { rmSync } from 'node:fs'
import { sql } from 'kysely'
import { createLog } from '../../../server/log.ts'
import { type Claim, ClaimLostError } from '../../../server/store/engine/claim.ts'
import { connectDatabase, openDatabase } from '../../../server/store/engine/database.ts'
import type { Database, Tx } from '../../../server/store/engine/dialect.ts'
import { isUnavailable, write } from '../../../server/store/engine/write.ts'
import { budgetOf, takeCalls } from '../../../server/store/sync/budgets.ts'
import { storePage } from '../../../server/store/sync/syncs.ts'
import { until } from '../waiting.ts'

const where = { databaseUrl: null, dataDir: process.argv[2] ?? '', log: createLog('silent') }
const say = (what: string, found: unknown) => process.stdout.write(`${JSON.stringify({ what, found })}\n`)
const failing = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing' as const,
    (error: Error & { code?: string }) => ({
      code: error.code ?? null,
      unavailable: isUnavailable(error),
      message: error.message,
    }),
  )

const messageOf = (fault: Awaited<ReturnType<typeof failing>>) => (fault === 'nothing' ? fault : fault.message)

const beside = await openDatabase(where)
const db = connectDatabase({ ...where, threaded: true })
if (process.argv[3] === 'crash') {
  // No directory is a database file: the thread cannot even begin.
  const lost = connectDatabase({ ...where, dataDir: `${where.dataDir}/nowhere`, threaded: true })
  rmSync(`${where.dataDir}/nowhere`, { recursive: true })
  await failing(lost.selectFrom('settings').selectAll().execute())
}
const names = async (from: Database = db) =>
  (await from.selectFrom('settings').select('name').orderBy('name').execute()).map((row) => row.name)
const put = (tx: Tx, name: string) =>
  tx.insertInto('settings').values({ name, value: '{}', changed_at: 'now' }).execute()

await write(db, (tx) => put(tx, 'a'))
say('a commit is seen by other connections', await names(beside))

const thrown = await failing(
  write(db, async (tx) => {
    await put(tx, 'b')
    throw new Error('changed my mind')
  }),
)
say('what throws is rolled back', [messageOf(thrown), await names()])

say('a constraint is an error with its code', await failing(write(db, (tx) => put(tx, 'a'))))
await write(db, (tx) => put(tx, 'c'))
say('and in nobody’s way', await names())

const order: string[] = []
await Promise.all(
  [1, 2, 3].map((n) =>
    write(db, async (tx) => {
      order.push(`${n} begins`)
      await put(tx, `t${n}`)
      await sql`select 1`.execute(tx)
      order.push(`${n} ends`)
    }),
  ),
)
say('transactions take turns', order)

// The other connection holds the lock for a moment: the thread waits for it, and the loop that asked does not.
let holds = false
let release = () => {}
const released = new Promise<void>((resolve) => {
  release = resolve
})
const held = write(beside, async (tx) => {
  await put(tx, 'held')
  holds = true
  await released
})
await until(() => holds)
let done = false
const waited = write(db, (tx) => put(tx, 'waited')).then(() => {
  done = true
})
let turns = 0
await until(() => ++turns > 30, { everyMs: 5 })
const meanwhile = done
release()
await Promise.all([held, waited])
say('a writer beside is waited for without holding the loop', !meanwhile)

const { numUpdatedRows } = await write(db, (tx) =>
  tx.updateTable('settings').set({ value: '[]' }).where('name', 'like', 't%').executeTakeFirst(),
)
say('changed rows are counted', numUpdatedRows === 3n)

// Whole changes are made over there: what they answer comes back, and so does what they throw, with its class.
const limits = { callsPerMinute: 10, callsPerHour: 100 }
const now = new Date()
const inTurn: string[] = []
const [, granted] = await Promise.all([
  write(db, async (tx) => {
    inTurn.push('transaction begins')
    await put(tx, 'beside a change')
    await sql`select 1`.execute(tx)
    inTurn.push('transaction ends')
  }),
  takeCalls(db, 'tenant', 3, limits, now).then((taken) => {
    inTurn.push('change ends')
    return taken
  }),
])
say('a change waits for the transaction in hand', inTurn)
say('a change is made, and its answer comes back', [
  granted,
  (await budgetOf(beside, 'tenant', limits, now)).minuteLeft,
])
const claim: Claim = {
  work: 'sync',
  key: 'tenant',
  tenantId: 'tenant',
  fence: 7,
  dueAt: '',
  calls: 0,
  interrupted: false,
}
const page = { incidents: [], rejected: [] }
const lost: unknown = await storePage(db, claim, 'sync', page, now).catch((error: unknown) => error)
say('a claim that was lost is told as one', lost instanceof ClaimLostError ? [true, lost.claim] : [false])
const refused = await failing(takeCalls(db, null as never, 1, limits, now))
say('a change that fails tells its code', refused === 'nothing' ? null : refused.code)
say('and leaves everything to the next', [
  (await takeCalls(db, 'tenant', 1, limits, now)).granted,
  (await budgetOf(beside, 'tenant', limits, now)).minuteLeft,
])

const pending = failing(write(db, (tx) => put(tx, 'last')))
await db.destroy()
say('the end waits for what was asked', [await pending, (await names(beside)).includes('last')])
say('after the end nothing is done', messageOf(await failing(names())))
await beside.destroy()
