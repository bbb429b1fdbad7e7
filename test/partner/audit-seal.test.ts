import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import { sealAudit } from '../../server/partner/audit-seal.ts'
import { recordAudit } from '../../server/store/audit.ts'
import { connectDatabase } from '../../server/store/engine/database.ts'
import { isPostgres } from '../../server/store/engine/dialect.ts'
import { write } from '../../server/store/engine/write.ts'
import { verifySeals } from '../../server/store/partner/audit-seals.ts'
import { before } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

onEachEngine('the seal of the audit log', (engine) => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startTestPortal(engine)
  })
  afterEach(() => here.close())

  const add = (many = 1) =>
    write(here.portal.db, async (tx) => {
      for (let n = 0; n < many; n++) {
        await recordAudit(tx, before, { action: 'reading.paused', at: here.portal.now(), facts: { n } })
      }
    })
  const seal = async () => {
    here.clock.advance(61_000)
    await sealAudit(here.portal)
  }
  const verdict = async (most: number | null = null, config = here.portal.config) => {
    const { kind, eventId } = await verifySeals(here.portal.db, config, most)
    return [kind, eventId]
  }
  const sealed = async () =>
    (await here.portal.db.selectFrom('audit_seals').selectAll().orderBy('sequence').execute()).length
  const told = () => here.lines.filter(({ msg }) => msg === 'the audit log is sealed')

  /** What somebody does who may do anything with the database: past whatever keeps events from being changed. */
  const tamper = async (statement: string) => {
    const { db } = here.portal
    if (isPostgres(db)) await sql`alter table audit_events disable trigger all`.execute(db)
    else
      for (const verb of ['update', 'delete'])
        await sql.raw(`drop trigger if exists audit_events_no_${verb}`).execute(db)
    await sql.raw(statement).execute(db)
  }

  test('is made afterwards of what was committed, once for each event, and holds', async () => {
    expect(await verdict()).toEqual(['none', null])
    await add(5)
    await seal()
    expect(await sealed()).toBe(5)
    await add(1_500)
    await seal()
    // The hourly word that it is sealed is an event as well.
    expect(await sealed()).toBe(1_506)
    expect(await verdict()).toEqual(['none', null])
    expect(await verdict(1_000)).toEqual(['none', null])
  })

  test.each([
    ['changed', "update audit_events set actor_name = 'Mallory' where id = 3", ['changed', 3]],
    ['changed in its facts alone', `update audit_events set facts = '{"n":7}' where id = 4`, ['changed', 4]],
    ['removed', 'delete from audit_events where id = 3', ['missing', 3]],
    ['removed, the last', 'delete from audit_events where id = 6', ['missing', 6]],
    [
      'removed with its seal',
      'delete from audit_seals where event_id = 3; delete from audit_events where id = 3',
      ['changed', 4],
    ],
    ['left, and its seal removed', 'delete from audit_seals where event_id = 3', ['added', 3]],
    ['moved', 'update audit_seals set event_id = 99 where event_id = 2', ['added', 2]],
    [
      'cut off at the end, with the seals',
      'delete from audit_seals where event_id > 3; delete from audit_events where id > 3',
      ['missing', 4],
    ],
    ['cut off altogether', 'delete from audit_seals; delete from audit_events', ['missing', 1]],
  ])('names the first event that was %s', async (_what, statements, expected) => {
    await add(6)
    await seal()
    for (const statement of statements.split('; ')) await tamper(statement)
    expect(await verdict()).toEqual(expected)
  })

  test('names an event that was added by hand where a hole was, and never seals it', async () => {
    await add(3)
    const { db } = here.portal
    if (isPostgres(db)) await sql`select nextval(pg_get_serial_sequence('audit_events', 'id'))`.execute(db)
    else await sql`update sqlite_sequence set seq = 4 where name = 'audit_events'`.execute(db)
    await add(2)
    await seal()
    expect(await verdict()).toEqual(['none', null])
    await sql`insert into audit_events (id, at, actor_kind, action, facts) ${sql.raw(isPostgres(db) ? 'overriding system value' : '')}
      values (4, '2026-01-01T00:00:00.000Z', 'muster', 'reading.paused', '{}')`.execute(db)
    expect(await verdict()).toEqual(['added', 4])
    await add()
    await seal()
    expect(await verdict()).toEqual(['added', 4])
  })

  test('is told hourly to the log and as an event, by one process', async () => {
    await add(2)
    await seal()
    await Promise.all([sealAudit(here.portal), sealAudit(here.portal)])
    expect(told()).toEqual([
      expect.objectContaining({ sequence: 2, eventId: 2, mac: expect.stringMatching(/^[\w-]{43}$/) }),
    ])
    const events = () =>
      here.portal.db.selectFrom('audit_events').select('facts').where('action', '=', 'audit.sealed').execute()
    expect(JSON.parse((await events())[0]?.facts ?? '')).toMatchObject({ sequence: 2, eventId: 2 })
    here.clock.advance(3_600_000)
    await Promise.all([sealAudit(here.portal), sealAudit(here.portal)])
    expect([told().length, (await events()).length]).toEqual([2, 2])
  })

  test('holds under a key that was replaced, and says when it is gone', async () => {
    await add(2)
    await seal()
    const { config } = here.portal
    expect(await verdict(null, { ...config, dataKeys: ['a-new-key-of-more-than-thirty-two-characters'] })).toEqual([
      'none',
      null,
    ])
    const gone = { ...config, dataKeys: [], sessionSecrets: ['another-secret-of-more-than-32-characters'] }
    expect(await verdict(null, gone)).toEqual(['key-lost', null])
  })

  test('waits for a transaction that has an ID and has not ended, and leaves nothing of it out', async () => {
    const { db, config } = here.portal
    if (!isPostgres(db)) return
    const second = connectDatabase({ ...config, log: here.portal.log })
    await add(1)
    let go = () => {}
    const waits = new Promise<void>((resolve) => {
      go = resolve
    })
    let begun = () => {}
    const wrote = new Promise<void>((resolve) => {
      begun = resolve
    })
    const slow = second.transaction().execute(async (tx) => {
      await recordAudit(tx, before, { action: 'reading.paused', at: here.portal.now() })
      begun()
      await waits
    })
    await wrote
    await add(1)
    await seal()
    expect(await sealed()).toBe(0)
    go()
    await slow
    await seal()
    expect(await sealed()).toBe(3)
    expect(await verdict()).toEqual(['none', null])
    await second.destroy()
  })
})
