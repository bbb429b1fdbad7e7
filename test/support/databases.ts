import { afterAll, describe, test } from '@jest/globals'
import { sql } from 'kysely'
import { createLog } from '../../server/log.ts'
import { openDatabase } from '../../server/store/engine/database.ts'
import type { Database } from '../../server/store/engine/dialect.ts'
import { type Engine, freshPlace } from './places.ts'

export type { Engine } from './places.ts'

const postgres = process.env.TEST_DATABASE_URL

/** A place for one database, empty, gone with `drop`: PostgreSQL's is on the server of TEST_DATABASE_URL. */
export const freshDatabase = (engine: Engine) => freshPlace(engine, postgres)

export interface OpenDatabase {
  db: Database
  url: string | null
  dataDir: string
  /** The same database as another process would have it. */
  another(): Promise<Database>
  close(): Promise<void>
}

/** PostgreSQL takes long to make and drop databases: those of one test file are emptied and used again. */
const spare: Awaited<ReturnType<typeof freshDatabase>>[] = []
afterAll(async () => {
  for (const place of spare) await place.drop()
})

async function empty(db: Database): Promise<void> {
  const tables = (await db.introspection.getTables()).map((table) => sql.table(table.name))
  await db.connection().execute(async (connection) => {
    // Even the audit log, which lets nobody else do this.
    await sql`set session_replication_role = replica`.execute(connection)
    await sql`truncate ${sql.join(tables)} restart identity`.execute(connection)
    await sql`set session_replication_role = origin`.execute(connection)
  })
}

async function open(engine: Engine): Promise<OpenDatabase> {
  const place = (engine === 'PostgreSQL' ? spare.pop() : undefined) ?? (await freshDatabase(engine))
  const connect = () => openDatabase({ ...place, log: createLog('silent') })
  const opened = [await connect()]
  return {
    db: opened[0] as Database,
    url: place.databaseUrl,
    dataDir: place.dataDir,
    async another() {
      const db = await connect()
      opened.push(db)
      return db
    },
    async close() {
      if (engine === 'PostgreSQL') await empty(opened[0] as Database)
      for (const db of opened) await db.destroy()
      if (engine === 'PostgreSQL') spare.push(place)
      else await place.drop()
    },
  }
}

/** For `describe.each`: the same tests on every engine there is. */
export const databases: { name: Engine; open(): Promise<OpenDatabase> }[] = [
  { name: 'SQLite', open: () => open('SQLite') },
]

if (postgres) databases.push({ name: 'PostgreSQL', open: () => open('PostgreSQL') })
else {
  describe.skip('on PostgreSQL', () => {
    test('skipped: TEST_DATABASE_URL is not set', () => undefined)
  })
}
