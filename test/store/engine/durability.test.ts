import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import Sqlite from 'libsql'
import pg from 'pg'
import { createLog } from '../../../server/log.ts'
import { muster, recordAudit } from '../../../server/store/audit.ts'
import { openDatabase } from '../../../server/store/engine/database.ts'
import { isUnavailable, write } from '../../../server/store/engine/write.ts'
import { changeSettings, readSettings } from '../../../server/store/partner/settings.ts'
import { databases, type OpenDatabase } from '../../support/databases.ts'
import { startProgram } from '../../support/programs.ts'
import { start } from '../../support/store.ts'
import { until } from '../../support/waiting.ts'

describe.each(databases)('what was written on $name', ({ name, open }) => {
  let store: OpenDatabase
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  const setting = async (pragma: string) =>
    Object.values(
      (await sql<Record<string, unknown>>`${sql.raw(`pragma ${pragma}`)}`.execute(store.db)).rows[0] ?? {},
    )[0]

  test('is whole and complete after a process was killed while writing, again and again', async () => {
    const acknowledged = new Set<string>()
    let next = 0
    for (let round = 0; round < 6; round++) {
      const program = startProgram('write-until-killed.ts', [store.url ?? '', store.dataDir, String(next)])
      await program.line('ready')
      await program.line(String(next + 5 + round * 3))
      program.kill('SIGKILL')
      const { lines } = await program.ended()
      const done = lines.filter((line) => line !== 'ready')
      for (const line of done) acknowledged.add(line)
      // The one after the last acknowledged may be there too: it was written, and nobody was told.
      next = Number(done.at(-1)) + 2
    }
    const kept = await store.db
      .selectFrom('audit_events')
      .select(({ fn }) => ['subject_id', fn.countAll<number>().as('rows')])
      .groupBy('subject_id')
      .execute()
    const whole = new Set(kept.map((row) => row.subject_id))
    expect(kept.filter((row) => Number(row.rows) !== 10)).toEqual([])
    expect([...acknowledged].filter((n) => !whole.has(n))).toEqual([])
    expect(kept.length).toBeGreaterThanOrEqual(acknowledged.size)
    if (name === 'SQLite') expect(await setting('integrity_check')).toBe('ok')
  })

  test('in a transaction that failed is not there, and the connection goes on', async () => {
    for (let round = 0; round < 20; round++) {
      const failing = write(store.db, async (tx) => {
        await recordAudit(tx, muster, { action: 'settings.changed', at: start })
        await sql`select * from nothing_of_that_name`.execute(tx)
      })
      await expect(failing).rejects.toThrow()
    }
    expect(await store.db.selectFrom('audit_events').select('id').execute()).toEqual([])
    await changeSettings(store.db, muster, { partnerName: 'Northwind' }, start)
    expect((await readSettings(store.db)).partnerName).toBe('Northwind')
  })

  test('inside a transaction in hand is part of it', async () => {
    const nested = write(store.db, async (tx) => {
      await write(tx, (inner) => changeSettings(inner, muster, { partnerName: 'Northwind' }, start))
      throw new Error('the outer one fails')
    })
    await expect(nested).rejects.toThrow('the outer one fails')
    expect((await readSettings(store.db)).partnerName).toBe('')
  })

  if (name === 'SQLite') {
    test('is written through to the disk at every commit', async () => {
      expect([await setting('journal_mode'), await setting('synchronous')]).toEqual(['wal', 2])
      const other = await openDatabase({ databaseUrl: null, dataDir: store.dataDir, log: createLog('silent') })
      const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(other)
      expect(rows).toEqual([{ synchronous: 2 }])
      await other.destroy()
    })

    test('waits for another process that writes, without standing still itself, and then goes on', async () => {
      const holder = new Sqlite(`${store.dataDir}/muster.db`)
      holder.exec('begin immediate')
      let over = false
      const waiting = Promise.all(
        ['A', 'B', 'C'].map((partnerName) => changeSettings(store.db, muster, { partnerName }, start)),
      )
      void waiting.then(() => {
        over = true
      })
      // This loop goes round all the while, and nothing is written.
      let turns = 0
      await until(() => ++turns > 30)
      expect(over).toBe(false)
      holder.exec('commit')
      await waiting
      holder.close()
      expect((await readSettings(store.db)).partnerName).toBe('C')
    })

    test('is refused as unavailable when another process never lets go, and possible again when it does', async () => {
      const holder = new Sqlite(`${store.dataDir}/muster.db`)
      holder.exec('begin immediate')
      const refused = await changeSettings(store.db, muster, { partnerName: 'A' }, start).catch(
        (error: unknown) => error,
      )
      expect(isUnavailable(refused)).toBe(true)
      holder.exec('commit')
      holder.close()
      await changeSettings(store.db, muster, { partnerName: 'B' }, start)
      expect((await readSettings(store.db)).partnerName).toBe('B')
    }, 20_000)

    test('tells the fault itself when the disk is full, and goes on when it is not', async () => {
      const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(store.db)
      await sql.raw(`pragma max_page_count = ${(rows[0]?.page_count ?? 0) + 2}`).execute(store.db)
      const filling = write(store.db, async (tx) => {
        const facts = { text: 'x'.repeat(200_000) }
        for (let n = 0; n < 50; n++) await recordAudit(tx, muster, { action: 'settings.changed', at: start, facts })
      })
      const error = await filling.catch((fault: unknown) => fault)
      expect(error).toMatchObject({ code: 'SQLITE_FULL' })
      expect(isUnavailable(error)).toBe(true)
      await sql.raw('pragma max_page_count = 1000000').execute(store.db)
      await changeSettings(store.db, muster, { partnerName: 'Northwind' }, start)
      expect(await store.db.selectFrom('audit_events').select('id').execute()).toHaveLength(1)
    })
  } else {
    const cut = async () => {
      const client = new pg.Client({ connectionString: store.url ?? '' })
      await client.connect()
      await client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      )
      await client.end()
    }

    test('survives that the server cuts an idle connection: it is logged, and the next request gets another', async () => {
      const lines: string[] = []
      const log = createLog('info', { write: (line: string) => void lines.push(line) })
      const db = await openDatabase({ databaseUrl: store.url, dataDir: store.dataDir, log })
      await Promise.all(Array.from({ length: 4 }, () => readSettings(db)))
      await cut()
      await until(() => lines.length >= 4)
      expect(lines.join('')).toContain('an idle database connection was lost')
      expect((await readSettings(db)).partnerName).toBe('')
      await db.destroy()
    })

    test('is not there when the connection is cut in mid-transaction, and the fault says "later"', async () => {
      const cutting = write(store.db, async (tx) => {
        await recordAudit(tx, muster, { action: 'settings.changed', at: start })
        await cut()
        await recordAudit(tx, muster, { action: 'settings.changed', at: start })
      })
      const error = await cutting.catch((fault: unknown) => fault)
      expect(isUnavailable(error)).toBe(true)
      expect(await store.db.selectFrom('audit_events').select('id').execute()).toEqual([])
    })

    test('after a deadlock is tried again by itself', async () => {
      const other = await store.another()
      for (const key of ['a', 'b']) {
        await store.db.insertInto('settings').values({ name: key, value: '0', changed_at: '' }).execute()
      }
      let tries = 0
      // Each goes on to the other's row once both have one.
      let held = 0
      const rowHeld = async () => {
        held++
        await until(() => held > 1)
      }
      const add = (db: OpenDatabase['db'], keys: string[]) =>
        write(db, async (tx) => {
          tries++
          for (const key of keys) {
            await sql`update settings set value = (value::int + 1)::text where name = ${key}`.execute(tx)
            if (key === keys[0]) await rowHeld()
          }
        })
      await Promise.all([add(store.db, ['a', 'b']), add(other, ['b', 'a'])])
      const rows = await store.db.selectFrom('settings').select('value').execute()
      expect(rows).toEqual([{ value: '2' }, { value: '2' }])
      expect(tries).toBe(3)
    })
  }
})

test('a server that is not there is unavailable, and not a fault of ours', async () => {
  const databaseUrl = 'postgres://postgres@127.0.0.1:9/none'
  const error = await openDatabase({ databaseUrl, dataDir: '', log: createLog('silent') }).catch(
    (fault: unknown) => fault,
  )
  expect(isUnavailable(error)).toBe(true)
})

test.each([null, undefined, new Error('a bug'), { code: 'SQLITE_CONSTRAINT_UNIQUE' }, { code: '23505' }, { code: 42 }])(
  'another fault is not taken for an absent database',
  (error) => expect(isUnavailable(error)).toBe(false),
)
