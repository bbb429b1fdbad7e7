import { setTimeout as sleep } from 'node:timers/promises'
import type { Database, Tx } from './dialect.ts'

export const busyPatience = 5_000

export async function whileBusy<T>(step: () => T | Promise<T>, passing = isBusy): Promise<T> {
  for (const started = performance.now(); ; ) {
    try {
      return await step()
    } catch (error) {
      if (!passing(error) || performance.now() - started > busyPatience) throw error
      await sleep(5 + Math.random() * 30)
    }
  }
}

/** One change, whole or not at all; joins the transaction in hand. Tries again when PostgreSQL asks for it. */
export async function write<T>(db: Database, change: (tx: Tx) => Promise<T>): Promise<T> {
  if (db.isTransaction) return change(db as Tx)
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(change)
    } catch (error) {
      if (attempt >= 5 || !isConflict(error)) throw error
      await sleep(5 + Math.random() * 20 * attempt)
    }
  }
}

export const sqlState = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

export const isBusy = (error: unknown) => /^SQLITE_(BUSY|LOCKED)/.test(sqlState(error))

/** 40001 serialization_failure, 40P01 deadlock_detected: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const isConflict = (error: unknown) => sqlState(error) === '40001' || sqlState(error) === '40P01'

/** The database is away, full or starting; the same request can succeed later. */
export function isUnavailable(error: unknown): boolean {
  const code = sqlState(error)
  return (
    isBusy(error) ||
    /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|SQLITE_(IOERR|FULL|CANTOPEN|READONLY))/.test(code) ||
    /^(08|53|57P|58)/.test(code) ||
    (error instanceof Error &&
      /Connection terminated|timeout exceeded when trying to connect|not queryable/.test(error.message))
  )
}
