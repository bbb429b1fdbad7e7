import { parentPort, workerData } from 'node:worker_threads'
import type Sqlite from 'libsql'
import { ClaimLostError } from './claim.ts'
import { connectSqlite } from './database.ts'
import { changeNamed } from './offload.ts'
import { openSqliteFile } from './sqlite.ts'
import type { Asked, AskedStatement, Told } from './thread-driver.ts'
import '../offloaded.ts'

/** This thread does nothing else: it waits for other writers inside SQLite. */
const busyTimeout = 5_000
/** Statements kept prepared, each with what it was last given: the worker's are few, and some of them are long. */
const mostPrepared = 100

const { file } = workerData as { file: string }
const sqlite = openSqliteFile(file, { busyTimeout, cacheMb: 8 })
// Pages of the indexes change with every commit: a longer log writes each of them to the file less often.
sqlite.pragma('wal_autocheckpoint = 4000')
const prepared = new Map<string, Sqlite.Statement>()
const db = connectSqlite(sqlite, prepare)

parentPort?.on('message', async (request: Asked) => {
  if (request.id === null) {
    await db.destroy()
    parentPort?.close()
    return
  }
  const { id } = request
  let reply: Told
  try {
    reply =
      'sql' in request
        ? { id, ...answer(request) }
        : { id, result: await changeNamed(request.change)(db, ...request.about) }
  } catch (error) {
    // A statement that failed may be left half-way; none of them is used again.
    prepared.clear()
    const { message, code } = error as { message: string; code?: unknown }
    const claim = error instanceof ClaimLostError ? error.claim : null
    reply = { id, failed: { message, code: typeof code === 'string' ? code : null, claim } }
  }
  parentPort?.postMessage(reply)
})

function answer({ sql, parameters }: AskedStatement): Pick<Told, 'rows' | 'changes' | 'lastId'> {
  if (parameters === null) {
    // A full disk or a failed write has rolled back by itself; what has to be told is that error.
    if (sql !== 'rollback' || sqlite.inTransaction) sqlite.exec(sql)
    return {}
  }
  const statement = prepare(sql)
  if (statement.reader) return { rows: statement.all(parameters) }
  const { changes, lastInsertRowid } = statement.run(parameters)
  return { changes, lastId: Number(lastInsertRowid) }
}

/** Only within a transaction: outside of one a statement may meet SQLITE_BUSY, and is in the way from then on. */
function prepare(sql: string): Sqlite.Statement {
  if (!sqlite.inTransaction) return sqlite.prepare(sql)
  const statement = prepared.get(sql) ?? sqlite.prepare(sql)
  // The one that was longest unused stands first.
  prepared.delete(sql)
  if (prepared.size >= mostPrepared) prepared.delete(prepared.keys().next().value ?? '')
  prepared.set(sql, statement)
  return statement
}
