// SQLite in its own thread, as the compiled worker uses it, put through what the store relies on. One JSON line each.
import { rmSync } from 'node:fs'
import { sql } from 'kysely'
import { createLog } from '../../dist/log.js'
import { connectDatabase, isUnavailable, openDatabase, write } from '../../dist/store/database.js'

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

const pending = failing(write(db, (tx) => put(tx, 'last')))
await db.destroy()
say('the end waits for what was asked', [await pending, (await names(beside)).includes('last')])
say('after the end nothing is done', (await failing(names())).message)
await beside.destroy()
