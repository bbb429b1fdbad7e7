import { statSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { Migrator, sql } from 'kysely'
import { createLog } from '../../../server/log.ts'
import { connectDatabase, openDatabase, sqliteFile } from '../../../server/store/engine/database.ts'
import {
  isMigrated,
  migrate,
  migrations,
  SchemaTooNewError,
  schemaState,
} from '../../../server/store/engine/migrations.ts'
import { databases, freshDatabase } from '../../support/databases.ts'
import { startProgram } from '../../support/programs.ts'

const log = createLog('silent')

describe.each(databases)('the schema on $name', ({ name }) => {
  async function inFresh(look: (place: Awaited<ReturnType<typeof freshDatabase>>) => Promise<void>): Promise<void> {
    const place = await freshDatabase(name)
    try {
      await look(place)
    } finally {
      await place.drop()
    }
  }

  test(
    'is made once by five processes that start at the same moment, and serves all of them',
    () =>
      inFresh(async (place) => {
        const programs = Array.from({ length: 5 }, () =>
          startProgram('open-database.ts', [place.databaseUrl ?? '', place.dataDir]),
        )
        for (const program of programs) await program.line('ready')
        for (const program of programs) program.tell('go')
        const ends = await Promise.all(programs.map((program) => program.ended()))
        expect(ends.map(({ code, errors }) => [code, errors])).toEqual(Array.from({ length: 5 }, () => [0, '']))
        const db = await openDatabase({ ...place, log })
        expect(await db.selectFrom('settings').selectAll().execute()).toHaveLength(1)
        const { rows } = await sql<{ n: number }>`select count(*) as n from kysely_migration`.execute(db)
        expect(Number(rows[0]?.n)).toBe(Object.keys(migrations).length)
        const events = await db.selectFrom('audit_events').select('id').execute()
        expect(events).toHaveLength(5)
        await db.destroy()
      }),
    60_000,
  )

  test('that is up to date is left alone', () =>
    inFresh(async (place) => {
      const first = await openDatabase({ ...place, log })
      const migrated = () => sql`select * from kysely_migration`.execute(first)
      const before = (await migrated()).rows
      const second = await openDatabase({ ...place, log })
      await migrate(second)
      expect((await migrated()).rows).toEqual(before)
      expect(await isMigrated(second)).toBe(true)
      await first.destroy()
      await second.destroy()
    }))

  test('made by a newer version is refused by name, and left as it is', () =>
    inFresh(async (place) => {
      const db = await openDatabase({ ...place, log })
      await sql`insert into kysely_migration (name, timestamp) values ('9999-of-tomorrow', '2027-01-01')`.execute(db)
      expect([await isMigrated(db), await schemaState(db)]).toEqual([false, 'newer'])
      await expect(openDatabase({ ...place, log })).rejects.toThrow(SchemaTooNewError)
      await expect(openDatabase({ ...place, log })).rejects.toThrow(/9999-of-tomorrow/)
      await db.destroy()
    }))

  test('of the first release is brought up to date with what it holds', () =>
    inFresh(async (place) => {
      const old = connectDatabase({ ...place, log })
      const { '0001-initial': initial } = migrations
      const first = await new Migrator({
        db: old,
        provider: { getMigrations: async () => ({ '0001-initial': initial }) },
      }).migrateToLatest()
      expect(first.error).toBeUndefined()
      const tenant = (id: string, phase: string, cursor: string | null) => sql`insert into tenants
        (tenant_id, customer_id, bound_at, bound_how, bound_by, access_state, state_since, capabilities, sync_phase, cursor, next_sync_at)
        values (${id}, 'c', '2026-11-01', 'pinned', 'x', 'active', '2026-11-01', '{}', ${phase}, ${cursor}, '2026-11-20')`
      await tenant('half-read', 'backfill', null).execute(old)
      await tenant('followed', 'following', '2026-11-20T08:00:00.0000000Z').execute(old)
      const incident = (id: string, day: string, severity: string, redirect: string | null) => sql`insert into incidents
        (tenant_id, incident_id, title, severity, status, redirect_id, created_at, created_day, last_update_at, search_text,
         content_hash, facts, original, first_seen_at, stored_at)
        values ('followed', ${id}, 't', ${severity}, 'active', ${redirect}, ${day}, ${day}, ${day}, 't', 'h', '{}', '{}', ${day}, ${day})`
      await incident('1', '2026-11-18', 'high', null).execute(old)
      await incident('2', '2026-11-18', 'high', null).execute(old)
      await incident('3', '2026-11-19', 'low', null).execute(old)
      await incident('4', '2026-11-19', 'low', '3').execute(old)
      await sql`update incidents set alerts_read_at = '2026-11-20' where incident_id <> '4'`.execute(old)
      const alert = (
        incidentId: string,
        id: string,
        at: string | null,
        original: string | null,
      ) => sql`insert into alerts
        (tenant_id, incident_id, alert_id, first_activity_at, facts, original)
        values ('followed', ${incidentId}, ${id}, ${at}, ${JSON.stringify({ id, title: 'Ä "t"' })}, ${original})`
      await alert('1', 'later', '2026-11-18T02', null).execute(old)
      await alert('1', 'sooner', '2026-11-18T01', null).execute(old)
      await alert('2', 'b', null, '{"id":"b","n":2}').execute(old)
      await alert('2', 'a', null, '{"id":"a","n":1}').execute(old)
      await old.destroy()

      const db = await openDatabase({ ...place, log })
      expect(await schemaState(db)).toBe('current')
      const folded = await db
        .selectFrom('incidents')
        .select(['incident_id', 'alerts', 'alert_originals'])
        .orderBy('incident_id')
        .execute()
      const parsed = (text: string | null) => (text === null ? null : (JSON.parse(text) as unknown))
      const titled = (id: string) => ({ id, title: 'Ä "t"' })
      expect(folded.map((row) => [row.incident_id, parsed(row.alerts), parsed(row.alert_originals)])).toEqual([
        ['1', [titled('sooner'), titled('later')], null],
        [
          '2',
          [titled('a'), titled('b')],
          [
            { id: 'a', n: 1 },
            { id: 'b', n: 2 },
          ],
        ],
        ['3', [], null],
        ['4', null, null],
      ])
      const tenants = await db
        .selectFrom('tenants')
        .select(['tenant_id', 'sync_phase', 'cursor', 'next_window_at', 'reconcile_differences', 'paused_at'])
        .orderBy('tenant_id')
        .execute()
      const quiet = { reconcile_differences: 0, paused_at: null }
      expect(tenants).toEqual([
        // Compared with Microsoft soon: what was lost before is found.
        {
          tenant_id: 'followed',
          sync_phase: 'following',
          cursor: '2026-11-20T08:00:00.0000000Z',
          next_window_at: '2026-11-20',
          ...quiet,
        },
        { tenant_id: 'half-read', sync_phase: 'open', cursor: null, next_window_at: null, ...quiet },
      ])
      const days = await db.selectFrom('created_days').selectAll().orderBy('day').execute()
      expect(days).toEqual([
        { day: '2026-11-18', severity: 'high', shard: 0, incidents: 2 },
        { day: '2026-11-19', severity: 'low', shard: 0, incidents: 1 },
      ])
      await db.destroy()
    }))

  test('of the first release gives back what was bound by a claim that nobody proved', () =>
    inFresh(async (place) => {
      const old = connectDatabase({ ...place, log })
      const { '0001-initial': initial, '0002-windows': windows } = migrations
      const released = { '0001-initial': initial, '0002-windows': windows }
      const first = await new Migrator({ db: old, provider: { getMigrations: async () => released } }).migrateToLatest()
      expect(first.error).toBeUndefined()
      const at = '2026-11-20T08:00:00.000Z'
      const tenant = (id: string, state: string, how: string, proven: string | null) => sql`insert into tenants
        (tenant_id, customer_id, bound_at, bound_how, bound_by, consented_at, access_state, state_since, capabilities,
         sync_phase, proving_since, check_attempts, next_check_at, first_active_at)
        values (${id}, ${`of ${id}`}, ${at}, ${how}, 'x', ${at}, ${state}, ${at}, '{}', 'open', ${at}, 3, ${at}, ${proven})`
      const link = (id: string, issuedAt: string, completedAt: string | null) => sql`insert into consent_links
        (id, customer_id, token_hash, reference, pinned_tenant_id, issued_at, issued_by, expires_at, completed_at)
        values (${`link of ${id} ${issuedAt}`}, ${`of ${id}`}, ${`${id} ${issuedAt}`}, 'r', ${id}, ${issuedAt}, 'x', ${at}, ${completedAt})`
      const attempt = (id: string) => sql`insert into consent_attempts
        (id, link_id, customer_id, kind, state_hash, browser_hash, started_at, expires_at, returned_at, outcome,
         claimed_tenant_id, bound_tenant_id, finished_at)
        values (${id}, ${`link of ${id} ${at}`}, ${`of ${id}`}, 'landing', ${id}, 'b', ${at}, ${at}, ${at}, 'bound',
          ${id}, ${id}, ${at})`
      const cases: [string, string, string, string | null][] = [
        ['claimed', 'proving', 'pinned', null],
        ['given-up', 'unproven', 'sign-in', null],
        ['proven', 'active', 'pinned', at],
        ['lost', 'revoked', 'pinned', at],
        ['decided', 'proving', 'confirmed', null],
        ['no-data', 'unlicensed', 'pinned', null],
        ['issued-anew', 'proving', 'pinned', null],
      ]
      for (const [id, state, how, proven] of cases) {
        await tenant(id, state, how, proven).execute(old)
        await link(id, at, at).execute(old)
        await attempt(id).execute(old)
      }
      await link('issued-anew', '2026-11-21T08:00:00.000Z', null).execute(old)
      await old.destroy()

      const db = await openDatabase({ ...place, log })
      const tenants = await db.selectFrom('tenants').select('tenant_id').orderBy('tenant_id').execute()
      expect(tenants.map((row) => row.tenant_id)).toEqual(['decided', 'lost', 'no-data', 'proven'])
      const open = await db.selectFrom('consent_links').select('id').where('completed_at', 'is', null).execute()
      expect(open.map((row) => row.id).sort()).toEqual([
        `link of claimed ${at}`,
        `link of given-up ${at}`,
        'link of issued-anew 2026-11-21T08:00:00.000Z',
      ])
      const attempts = await db
        .selectFrom('consent_attempts')
        .select(['id', 'outcome', 'claimed_tenant_id', 'bound_tenant_id', 'evidence', 'person'])
        .where('outcome', '!=', 'bound')
        .orderBy('id')
        .execute()
      const back = (id: string, outcome: string, evidence: string) =>
        ({ id, outcome, claimed_tenant_id: id, bound_tenant_id: null, evidence, person: 'x' }) as const
      expect(attempts).toEqual([
        back('claimed', 'awaiting-proof', 'callback'),
        back('given-up', 'unproven', 'sign-in'),
        back('issued-anew', 'awaiting-proof', 'callback'),
      ])
      const awaited = await db.selectFrom('awaited_proofs').select(['tenant_id', 'tries', 'next_at']).execute()
      expect(awaited.map((row) => row.tenant_id).sort()).toEqual(['claimed', 'issued-anew'])
      expect(awaited[0]).toMatchObject({ tries: 3, next_at: at })
      await db.destroy()
    }))

  test('that was never made is told apart from one of this version', () =>
    inFresh(async (place) => {
      const db = await openDatabase({ ...place, log })
      await sql`delete from kysely_migration`.execute(db)
      expect([await isMigrated(db), await schemaState(db)]).toEqual([false, 'empty'])
      await sql`drop table kysely_migration`.execute(db)
      expect(await schemaState(db)).toBe('empty')
      await db.destroy()
    }))

  test('sorts text byte by byte, so that text order is time order', () =>
    inFresh(async (place) => {
      const db = await openDatabase({ ...place, log })
      for (const id of ['b', 'a', 'B', 'A', '2', '10', 'ä', '_', '-']) {
        await db.insertInto('settings').values({ name: id, value: '', changed_at: '' }).execute()
      }
      const sorted = (await db.selectFrom('settings').select('name').orderBy('name').execute()).map((row) => row.name)
      expect(sorted).toEqual(['-', '10', '2', 'A', 'B', '_', 'a', 'b', 'ä'])
      await db.destroy()
    }))

  if (name === 'SQLite') {
    test('lies in a file that only its owner reads', () =>
      inFresh(async (place) => {
        const dataDir = `${place.dataDir}/made/by/us`
        const db = await openDatabase({ databaseUrl: null, dataDir, log })
        expect(statSync(dataDir).mode & 0o777).toBe(0o700)
        expect(statSync(sqliteFile(dataDir)).mode & 0o777).toBe(0o600)
        await db.destroy()
      }))
  }
})
