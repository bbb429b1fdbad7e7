// The portal's database as the harness looks at it: with its own eyes, past the portal's code.
import { join } from 'node:path'
import Sqlite from 'libsql'
import pg from 'pg'
import type { Place } from '../test/support/places.ts'

export interface Eyes {
  /** Reads. Statements carry no values but the harness's own. Null where the database is away or busy just now. */
  all<Row = Record<string, unknown>>(statement: string): Promise<Row[] | null>
  /** Writes, for what time and operators would do. Nothing happens where the database is away or busy just now. */
  run(statement: string): Promise<void>
  close(): Promise<void>
}

export function openEyes({ databaseUrl, dataDir }: Place): Eyes {
  return databaseUrl === null ? sqliteEyes(dataDir) : postgresEyes(databaseUrl)
}

/** As the drivers throw. */
type DriverError = Error & { code?: string }

function sqliteEyes(dataDir: string): Eyes {
  const db = new Sqlite(join(dataDir, 'muster.db'), { timeout: 2_000 })
  const attempt = <Result>(step: () => Result): Result | null => {
    try {
      return step()
    } catch (error) {
      if (/^SQLITE_(BUSY|LOCKED)/.test((error as DriverError).code ?? '')) return null
      throw error
    }
  }
  return {
    all: async <Row>(statement: string) => attempt(() => db.prepare(statement).all() as Row[]),
    run: async (statement) => void attempt(() => db.exec(statement)),
    close: async () => void db.close(),
  }
}

function postgresEyes(connectionString: string): Eyes {
  const pool = new pg.Pool({ connectionString, max: 2, connectionTimeoutMillis: 2_000, statement_timeout: 10_000 })
  pool.on('error', () => undefined)
  pool.on('connect', (client) => void client.on('error', () => undefined))
  const attempt = async <Row>(statement: string) => {
    try {
      return (await pool.query(statement)).rows as Row[]
    } catch (error) {
      const { code = '', message } = error as DriverError
      const away = /^(08|53|57P|58|ECONN|EPIPE)/.test(code) || /terminated|timeout/.test(message)
      if (away) return null
      throw error
    }
  }
  return { all: attempt, run: async (statement) => void (await attempt(statement)), close: () => pool.end() }
}
