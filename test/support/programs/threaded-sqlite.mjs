// SQLite in its own thread, as the compiled worker uses it, put through what the store relies on. One JSON line each.
import { rmSync } from 'node:fs'
import { sql } from 'kysely'
import { createLog } from '../../../dist/log.js'
import { ClaimLostError } from '../../../dist/store/engine/claim.js'
import { connectDatabase, openDatabase } from '../../../dist/store/engine/database.js'
import { isUnavailable, write } from '../../../dist/store/engine/write.js'
import { budgetOf, takeCalls } from '../../../dist/store/sync/budgets.js'
import { storePage } from '../../../dist/store/sync/syncs.js'

const where = { databaseUrl: null, dataDir: process.argv[2], log: createLog('silent') }
const say = (what, found) => process.stdout.write(`${JSON.stringify({ what, found })}\n`)
const failing = (promise) =>
  promise.then(
    () => 'nothing',
    (error) => ({ code: error.code ?? null, unavailable: isUnavailable(error), message: error.message }),
  )

const beside = await openDatabase(where)
const db = connectDatabase({ ...where, threaded: true })
if (process.argv[3] === 'crash') {
  // No directory is a database file: the thread cannot even begin.
  const lost = connectDatabase({ ...where, dataDir: `${where.dataDir}/nowhere`, threaded: true })
  rmSync(`${where.dataDir}/nowhere`, { recursive: true })
  await failing(lost.selectFrom('settings').selectAll().execute())
}
const names = async (from = db) =>
  (await from.selectFrom('settings').select('name').orderBy('name').execute()).map((row) => row.name)
const put = (tx, name) => tx.insertInto('settings').values({ name, value: '{}', changed_at: 'now' }).execute()

await write(db, (tx) => put(tx, 'a'))
say('a commit is seen by other connections', await names(beside))

const thrown = await failing(
  write(db, async (tx) => {
    await put(tx, 'b')
    throw new Error('changed my mind')
  }),
)
say('what throws is rolled back', [thrown.message, await names()])

say('a constraint is an error with its code', await failing(write(db, (tx) => put(tx, 'a'))))
await write(db, (tx) => put(tx, 'c'))
say('and in nobody’s way', await names())

const order = []
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
let ticks = 0
const ticking = setInterval(() => ticks++, 5)
const held = write(beside, async (tx) => {
  await put(tx, 'held')
  await new Promise((resolve) => setTimeout(resolve, 400))
})
await new Promise((resolve) => setTimeout(resolve, 50))
await write(db, (tx) => put(tx, 'waited'))
await held
clearInterval(ticking)
say('a writer beside is waited for without holding the loop', ticks > 30)

const { numUpdatedRows } = await write(db, (tx) =>
  tx.updateTable('settings').set({ value: '[]' }).where('name', 'like', 't%').executeTakeFirst(),
)
say('changed rows are counted', numUpdatedRows === 3n)

// Whole changes are made over there: what they answer comes back, and so does what they throw, with its class.
const limits = { callsPerMinute: 10, callsPerHour: 100 }
const now = new Date()
const inTurn = []
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
const claim = { work: 'sync', tenantId: 'tenant', fence: 7, dueAt: '', calls: 0 }
const page = { incidents: [], rejected: [] }
const lost = await storePage(db, claim, 'sync', page, now).catch((error) => error)
say('a claim that was lost is told as one', [lost instanceof ClaimLostError, lost.claim])
const refused = await failing(takeCalls(db, null, 1, limits, now))
say('a change that fails tells its code', refused.code)
say('and leaves everything to the next', [
  (await takeCalls(db, 'tenant', 1, limits, now)).granted,
  (await budgetOf(beside, 'tenant', limits, now)).minuteLeft,
])

const pending = failing(write(db, (tx) => put(tx, 'last')))
await db.destroy()
say('the end waits for what was asked', [await pending, (await names(beside)).includes('last')])
say('after the end nothing is done', (await failing(names())).message)
await beside.destroy()
