// The engines to measure, and a store on each.
import { createLog } from '../server/log.ts'
import { openDatabase } from '../server/store/engine/database.ts'
import type { Database } from '../server/store/engine/dialect.ts'
import { type Engine as EngineName, freshPlace, type Place } from '../test/support/places.ts'

export const log = createLog('silent')

export interface Store extends Place {
  db: Database
  close(): Promise<void>
}

export interface Engine {
  name: EngineName
  /** An empty store of today's schema. */
  open(): Promise<Store>
}

/** SQLite always, PostgreSQL where BENCH_DATABASE_URL names a database beside which others may be made. */
export function engines(): Engine[] {
  const server = process.env.BENCH_DATABASE_URL
  const names: EngineName[] = server ? ['SQLite', 'PostgreSQL'] : ['SQLite']
  return names.map((name) => ({ name, open: () => openStore(name, server) }))
}

async function openStore(name: EngineName, server: string | undefined): Promise<Store> {
  const { drop, ...place } = await freshPlace(name, server)
  const db = await openDatabase({ ...place, log })
  return { ...place, db, close: () => db.destroy().then(drop) }
}
