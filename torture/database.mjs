// The portal's database as the harness looks at it: with its own eyes, past the portal's code.
import { join } from 'node:path'
import Sqlite from 'libsql'
import pg from 'pg'

/**
 * `all(statement)` reads; `run(statement)` writes, for what time and operators would do. Statements carry no values
 * but the harness's own. Null where the database is away or busy just now.
 */
export function openEyes({ databaseUrl, dataDir }) {
  return databaseUrl === null ? sqliteEyes(dataDir) : postgresEyes(databaseUrl)
}

function sqliteEyes(dataDir) {
  const db = new Sqlite(join(dataDir, 'muster.db'), { timeout: 2_000 })
  const attempt = (step) => {
    try {
      return step()
    } catch (error) {
      if (/^SQLITE_(BUSY|LOCKED)/.test(error.code ?? '')) return null
      throw error
    }
  }
  return {
    all: async (statement) => attempt(() => db.prepare(statement).all()),
    run: async (statement) => attempt(() => db.exec(statement) ?? true),
    close: async () => void db.close(),
  }
}

function postgresEyes(connectionString) {
  const pool = new pg.Pool({ connectionString, max: 2, connectionTimeoutMillis: 2_000, statement_timeout: 10_000 })
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const attempt = async (statement) => {
    try {
      return (await pool.query(statement)).rows
    } catch (error) {
      const away = /^(08|53|57P|58|ECONN|EPIPE)/.test(error.code ?? '') || /terminated|timeout/.test(error.message)
      if (away) return null
      throw error
    }
  }
  return { all: attempt, run: attempt, close: () => pool.end() }
}
