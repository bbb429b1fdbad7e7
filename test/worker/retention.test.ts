import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import type { RemoteIncident } from '../../server/model/incident.ts'
import { listAudit } from '../../server/store/audit.ts'
import { offboardCustomer, reinstateCustomer } from '../../server/store/customers/offboarding.ts'
import { type Database, isPostgres } from '../../server/store/engine/dialect.ts'
import { write } from '../../server/store/engine/write.ts'
import { addNote } from '../../server/store/incidents/notes.ts'
import { recordRejected } from '../../server/store/incidents/rejected.ts'
import { toRow } from '../../server/store/incidents/rows.ts'
import { storeIncidents } from '../../server/store/incidents/write.ts'
import { redeemState } from '../../server/store/onboarding/attempt-states.ts'
import { issueLink } from '../../server/store/onboarding/links.ts'
import { changeSettings } from '../../server/store/partner/settings.ts'
import { takeCalls } from '../../server/store/sync/budgets.ts'
import { openWindow, windowsOf } from '../../server/store/sync/windows.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { removeClosed } from '../../server/store/upkeep/retention.ts'
import { removeOld } from '../../server/worker/upkeep/retention.ts'
import { setOut } from '../support/old-runs.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { active, alert, alice, contosoTenant, customer, fabrikamTenant, incident } from '../support/store.ts'
import { until } from '../support/waiting.ts'

const day = 86_400_000
const ago = (days: number) => new Date(Date.now() - days * day)
const instant = (at: Date) => at.toISOString().replace('Z', '0000Z')

/** An incident that was closed, or merged, so many days ago. */
const closed = (id: string, days: number, about: Partial<RemoteIncident> = {}) =>
  incident(id, 0, {
    status: 'resolved',
    createdAt: instant(ago(days + 1)),
    lastUpdateAt: instant(ago(days)),
    alerts: [alert(`of-${id}`)],
    ...about,
  })
const merged = (id: string, into: string, days: number) => closed(id, days, { status: 'redirected', redirectId: into })

onEachEngine('what was kept long enough', (engine) => {
  let stage: TestPortal
  let db: Database
  let customerId: string
  beforeEach(async () => {
    stage = await startTestPortal(engine)
    db = stage.portal.db
    customerId = await active(db, 'Contoso', contosoTenant)
    await active(db, 'Fabrikam', fabrikamTenant)
  })
  afterEach(() => stage.close())

  const keep = (incidents: RemoteIncident[], tenantId = contosoTenant) =>
    write(db, async (tx) => {
      await storeIncidents(
        tx,
        tenantId,
        incidents.map((one) => toRow(tenantId, one, new Date())),
        new Date(),
      )
    })
  const settle = (change: Parameters<typeof changeSettings>[2]) => changeSettings(db, alice, change, new Date())
  const run = (stopping?: AbortSignal) => removeOld(stage.portal, stopping)
  const kept = async (tenantId = contosoTenant) => {
    const rows = await db.selectFrom('incidents').select('incident_id').where('tenant_id', '=', tenantId).execute()
    return rows.map((row) => row.incident_id).sort()
  }
  const rowsIn = async (table: 'incident_notes' | 'rejected_items' | 'windows' | 'syncs' | 'call_budgets') =>
    (await db.selectFrom(table).select('tenant_id').where('tenant_id', '=', contosoTenant).execute()).length
  const removals = async () =>
    (await listAudit(db, { limit: 500 })).filter(({ action }) => action === 'tenant.data-removed')
  /** What is counted of a tenant, beside what is there. */
  const counts = async (tenantId = contosoTenant) => {
    const { incidentCount, open } = await getTenant(db, tenantId)
    const rows = await db
      .selectFrom('incidents')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .where('tenant_id', '=', tenantId)
      .where('redirect_id', 'is', null)
      .executeTakeFirstOrThrow()
    return { counted: incidentCount, there: Number(rows.n), openMedium: open.medium }
  }

  test('is removed with its alerts and notes; what is younger, open, or another tenant’s stays', async () => {
    await keep([
      closed('old', 366),
      closed('young', 364),
      closed('open', 900, { status: 'active' }),
      closed('underway', 900, { status: 'inProgress' }),
    ])
    await keep([closed('old', 364), closed('high', 400, { severity: 'high' })], fabrikamTenant)
    await addNote(db, alice, { tenantId: contosoTenant, incidentId: 'old', text: 'seen before' }, new Date())
    await addNote(db, alice, { tenantId: contosoTenant, incidentId: 'open', text: 'still there' }, new Date())
    await write(db, (tx) =>
      recordRejected(tx, contosoTenant, [{ id: 'old alerts', reason: 'alerts-unread', detail: '' }], new Date()),
    )
    await run()
    expect(await kept()).toEqual(['open', 'underway', 'young'])
    expect(await kept(fabrikamTenant)).toEqual(['old'])
    expect([await rowsIn('incident_notes'), await rowsIn('rejected_items')]).toEqual([1, 0])
    expect(await counts()).toEqual({ counted: 3, there: 3, openMedium: 2 })
    expect(await counts(fabrikamTenant)).toMatchObject({ counted: 1, there: 1 })
  })

  test('takes what was merged into it along, chains too, and nothing whose survivor is kept', async () => {
    await keep([
      closed('c', 400),
      merged('b', 'c', 401),
      merged('a', 'b', 402),
      closed('living', 500, { status: 'active' }),
      merged('into-living', 'living', 600),
      closed('late', 400),
      merged('into-late', 'late', 20),
    ])
    await run()
    expect(await kept()).toEqual(['into-late', 'into-living', 'late', 'living'])
    expect(await counts()).toMatchObject({ counted: 2, there: 2 })
  })

  test('goes when it was merged into one that was never read, once it is old itself', async () => {
    await keep([merged('old', 'unknown', 400), merged('young', 'unknown', 20)])
    await run()
    expect(await kept()).toEqual(['young'])
    expect(await counts()).toMatchObject({ counted: 0, there: 0 })
  })

  test('is what the settings say, and never less than the 30 days that are compared with Microsoft', async () => {
    await keep([closed('34', 34), closed('36', 36), closed('100', 100)])
    await settle({ closedDays: 0, offboardedDays: 0 })
    await run()
    expect(await kept()).toHaveLength(3)
    await settle({ closedDays: 90 })
    await run()
    expect(await kept()).toEqual(['34', '36'])
    await settle({ closedDays: 5 })
    await run()
    expect(await kept()).toEqual(['34'])
  })

  test('leaves the counts of the days it was created on', async () => {
    await keep([closed('1', 400), closed('2', 400), merged('3', '2', 400), closed('4', 20)])
    const createdDay = instant(ago(401)).slice(0, 10)
    const count = async () => {
      const rows = await db.selectFrom('created_days').select('incidents').where('day', '=', createdDay).execute()
      return rows.reduce((sum, row) => sum + row.incidents, 0)
    }
    for (const shard of [90, 91]) {
      await write(db, (tx) =>
        tx.insertInto('created_days').values({ day: createdDay, severity: 'medium', shard, incidents: 4 }).execute(),
      )
    }
    const before = await count()
    await run()
    expect(await kept()).toEqual(['4'])
    expect(before - (await count())).toBe(2)
  })

  test('is removed in steps, each whole: what a stopped run leaves is counted right, and the next goes on', async () => {
    await keep(Array.from({ length: 220 }, (_, n) => closed(`old-${n}`, 400 + n)))
    const stopping = new AbortController()
    const running = run(stopping.signal)
    await until(async () => (await kept()).length < 220, { everyMs: 1 })
    stopping.abort()
    await running
    const left = (await kept()).length
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(220)
    expect(await counts()).toMatchObject({ counted: left, there: left })
    await run()
    expect(await kept()).toEqual([])
    expect(await counts()).toMatchObject({ counted: 0, there: 0 })
  })

  test('stays whole when a step breaks off in its middle', async () => {
    await keep([closed('1', 500), closed('2', 400)])
    const refuse = isPostgres(db)
      ? [
          sql`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`,
          sql`create trigger refused before delete on incidents for each row when (old.incident_id = '2') execute function refuse()`,
        ]
      : [
          sql`create trigger refused before delete on incidents when old.incident_id = '2' begin select raise(abort, 'no'); end`,
        ]
    for (const statement of refuse) await statement.execute(db)
    await expect(run()).rejects.toThrow('no')
    expect(await kept()).toEqual(['1', '2'])
    expect(await counts()).toMatchObject({ counted: 2, there: 2 })
    await (isPostgres(db) ? sql`drop trigger refused on incidents` : sql`drop trigger refused`).execute(db)
    await run()
    expect(await kept()).toEqual([])
  })

  test('stays when it was changed or opened again after it had been chosen', async () => {
    await keep([closed('opened', 400, { status: 'active' }), closed('changed', 1), closed('old', 400)])
    await keep([closed('old', 400)], fabrikamTenant)
    const incidentIds = ['opened', 'changed', 'old', 'never-there']
    expect(await removeClosed(db, contosoTenant, { incidentIds }, ago(365))).toBe(1)
    expect(await kept()).toEqual(['changed', 'opened'])
    expect(await kept(fabrikamTenant)).toEqual(['old'])
    await keep([merged('merged', 'opened', 400)])
    expect(await removeClosed(db, contosoTenant, { survivorIds: ['opened'] }, ago(365))).toBe(0)
  })

  test('is not removed by a clock that has gone wrong', async () => {
    await keep([closed('1', 20)])
    stage.clock.advance(800 * day)
    await run()
    expect(await kept()).toEqual(['1'])
    expect(stage.lines).toContainEqual(expect.objectContaining({ level: 'warn', aheadMs: expect.any(Number) }))
  })

  test('of an offboarded tenant goes after its days, open or not; the tombstone and what was done stay', async () => {
    await keep([closed('1', 20, { status: 'active' }), ...Array.from({ length: 120 }, (_, n) => closed(`n${n}`, 20))])
    await keep([merged('m', '1', 20)])
    await keep([closed('1', 20)], fabrikamTenant)
    await addNote(db, alice, { tenantId: contosoTenant, incidentId: '1', text: 'a note' }, new Date())
    await write(db, async (tx) => {
      await openWindow(
        tx,
        {
          tenantId: contosoTenant,
          kind: 'backfill',
          from: instant(ago(30)),
          to: instant(ago(0)),
          step: day,
          createdBy: null,
        },
        ago(100),
      )
      await tx
        .updateTable('tenants')
        .set({ cursor: instant(ago(20)), sync_phase: 'following', backfilled_at: ago(20).toISOString() })
        .where('tenant_id', '=', contosoTenant)
        .execute()
    })
    await takeCalls(db, contosoTenant, 1, { callsPerMinute: 50, callsPerHour: 50 }, new Date())
    await offboardCustomer(db, alice, customerId, ago(89))
    await run()
    expect(await kept()).toHaveLength(122)
    await settle({ offboardedDays: 0 })
    await run()
    expect(await kept()).toHaveLength(122)

    await settle({ offboardedDays: 88 })
    const stopping = new AbortController()
    const running = run(stopping.signal)
    await until(async () => (await kept()).length < 122, { everyMs: 1 })
    stopping.abort()
    await running
    expect((await kept()).length).toBeGreaterThan(0)
    expect(await removals()).toEqual([])
    await run()
    await run()
    expect(await kept()).toEqual([])
    for (const table of ['incident_notes', 'rejected_items', 'windows', 'syncs', 'call_budgets'] as const) {
      expect([table, await rowsIn(table)]).toEqual([table, 0])
    }
    expect(await removals()).toMatchObject([{ tenantId: contosoTenant, customerId, facts: { incidents: 121 } }])
    expect(await getTenant(db, contosoTenant)).toMatchObject({
      accessState: 'offboarded',
      syncPhase: 'open',
      cursor: null,
      backfilledAt: null,
      incidentCount: 0,
      open: { medium: 0 },
    })
    expect(await db.selectFrom('access_checks').select('id').execute()).toHaveLength(2)
    expect(await kept(fabrikamTenant)).toEqual(['1'])
  })

  test('of a customer who was taken back stays', async () => {
    await keep([closed('1', 20)])
    await offboardCustomer(db, alice, customerId, ago(200))
    await write(db, (tx) => reinstateCustomer(tx, alice, customerId, new Date()))
    await write(db, (tx) =>
      tx
        .updateTable('tenants')
        .set({ access_state: 'proving', offboarded_at: null })
        .where('tenant_id', '=', contosoTenant)
        .execute(),
    )
    await run()
    expect(await kept()).toEqual(['1'])
    expect(await removals()).toEqual([])
  })

  test('clears away rejected items nobody met again, but not those of a tenant that cannot be read', async () => {
    const item = (id: string) => [{ id, reason: 'unreadable' as const, detail: '' }]
    for (const tenantId of [contosoTenant, fabrikamTenant]) {
      await write(db, async (tx) => {
        await recordRejected(tx, tenantId, item('old'), ago(31))
        await recordRejected(tx, tenantId, item('young'), ago(29))
        await tx
          .updateTable('tenants')
          .set({ last_read_at: ago(tenantId === contosoTenant ? 0 : 31).toISOString() })
          .where('tenant_id', '=', tenantId)
          .execute()
      })
    }
    await run()
    const rows = await db.selectFrom('rejected_items').select(['tenant_id', 'item']).execute()
    expect(rows.map((row) => `${row.tenant_id === contosoTenant ? 'read' : 'blind'} ${row.item}`).sort()).toEqual([
      'blind old',
      'blind young',
      'read young',
    ])
  })

  test('keeps the newest 50 finished windows of a tenant, all unfinished ones, and no budget of a tenant that left', async () => {
    await write(db, async (tx) => {
      for (let n = 0; n < 55; n++) {
        const stretch = { from: instant(ago(30)), to: instant(ago(29)), step: day, createdBy: null }
        await openWindow(tx, { tenantId: contosoTenant, kind: 'reconcile', ...stretch }, ago(100 - n))
      }
      await tx
        .updateTable('windows')
        .set({ finished_at: ago(1).toISOString() })
        .execute()
      await openWindow(
        tx,
        {
          tenantId: contosoTenant,
          kind: 'reread',
          from: instant(ago(30)),
          to: instant(ago(29)),
          step: day,
          createdBy: null,
        },
        ago(200),
      )
    })
    const limits = { callsPerMinute: 50, callsPerHour: 50 }
    await takeCalls(db, contosoTenant, 1, limits, new Date())
    await takeCalls(db, 'nobodys', 1, limits, new Date())
    await run()
    const windows = await windowsOf(db, contosoTenant, 100)
    expect(windows.filter(({ finishedAt }) => finishedAt !== null)).toHaveLength(50)
    expect(windows.filter(({ finishedAt }) => finishedAt === null)).toHaveLength(1)
    expect(windows.some(({ createdAt }) => createdAt === ago(100).toISOString())).toBe(false)
    expect(await db.selectFrom('call_budgets').select('tenant_id').execute()).toEqual([{ tenant_id: contosoTenant }])
  })

  test('forgets old runs through Microsoft, but the latest of each customer and what a review rests on', async () => {
    const other = await customer(db, 'Wingtip')
    const begin = async (whose: string, days: number) => {
      const linkId = `link-${whose}`
      const at = ago(days)
      const { attempt, state } = await setOut(db, {
        linkId,
        customerId: whose,
        browser: 'a browser',
        now: at,
        expiresAt: at,
      })
      await write(db, (tx) => redeemState(tx, state, 'a browser', new Date(at.getTime() - 1)))
      return attempt.id
    }
    const [oldest, reviewed, young] = [await begin(other, 500), await begin(other, 450), await begin(other, 300)]
    const alone = await begin(customerId, 600)
    await write(db, (tx) =>
      tx
        .insertInto('reviews')
        .values({
          id: 'review',
          kind: 'late',
          customer_id: other,
          link_id: null,
          attempt_id: reviewed,
          tenant_id: 'x',
          tenant_name: null,
          tenant_domain: null,
          evidence: 'callback',
          person: null,
          created_at: ago(450).toISOString(),
          decided_at: null,
          decided_by: null,
          decision: null,
        })
        .execute(),
    )
    await run()
    const left = (await db.selectFrom('consent_attempts').select('id').execute()).map(({ id }) => id)
    expect(left.sort()).toEqual([reviewed, young, alone].sort())
    expect(left).not.toContain(oldest)
  })
})

describe('how long things are kept', () => {
  let stage: TestPortal
  beforeAll(async () => {
    stage = await startTestPortal()
  })
  afterAll(() => stage.close())

  const save = async (typed: Record<string, string>) => {
    const browser = await stage.signedIn(stage.cast.alice)
    return browser.submit(await browser.open('/settings'), '/settings', { linkDays: '14', ...typed })
  }
  const stored = async () => {
    const row = await stage.portal.db
      .selectFrom('settings')
      .select('value')
      .where('name', '=', 'partner')
      .executeTakeFirst()
    return JSON.parse(row?.value ?? '{}') as Record<string, unknown>
  }

  test('is on the settings page, with what goes and what stays, for a reader to see as well', async () => {
    for (const person of [stage.cast.alice, stage.cast.bob]) {
      const { text } = await (await stage.signedIn(person)).open('/settings')
      expect(text).toContain('365')
      expect(text).toContain('Closed incidents, after their last change')
    }
    const { text } = await (await stage.signedIn(stage.cast.alice)).open('/settings')
    expect(text).toContain('Open incidents are never removed')
    expect(text).toMatch(/What stays: .*the audit log/)
  })

  test.each([
    ['closedDays', '34'],
    ['closedDays', '3651'],
    ['closedDays', '-1'],
    ['closedDays', '36.5'],
    ['closedDays', ''],
    ['offboardedDays', '3651'],
    ['offboardedDays', 'never'],
  ])('takes no %s of %j, and keeps what was typed', async (field, value) => {
    const before = await stored()
    const answer = await save({ closedDays: '400', offboardedDays: '91', [field]: value })
    expect(answer.status).toBe(422)
    expect(answer.text).toContain('Give 0, or a whole number')
    expect(answer.text).toMatch(new RegExp(`name="${field}"[^>]* value="${value}"`))
    expect(answer.text).toMatch(field === 'closedDays' ? /name="offboardedDays"[^>]* value="91"/ : /value="400"/)
    expect(await stored()).toEqual(before)
  })

  test('is changed by an Admin, and the change is written to the audit log', async () => {
    expect((await save({ closedDays: '35', offboardedDays: '0' })).status).toBe(303)
    expect(await stored()).toMatchObject({ closedDays: 35, offboardedDays: 0 })
    const [event] = await listAudit(stage.portal.db, { actions: ['settings.changed'], limit: 1 })
    expect(event?.facts.names).toMatch(/closedDays.*offboardedDays|offboardedDays.*closedDays/)
  })

  test.each([
    ['en', 'A closed incident: 200 days after its last change', 'all of it goes after 45 days'],
    ['sv', 'En stängd incident: 200 dagar', 'raderas allt efter 45 dagar'],
    ['zh-Hant', '自最後一次變更起保存 200 天', '服務結束 45 天後'],
  ])('is what the customer’s page promises, in %s', async (language, closedWords, endedWords) => {
    const { db } = stage.portal
    await changeSettings(db, alice, { closedDays: 200, offboardedDays: 45 }, new Date())
    const whose = await customer(db, `Northwind ${language}`)
    const { token } = await write(db, (tx) =>
      issueLink(tx, alice, {
        customerId: whose,
        pinnedTenantId: null,
        pinnedDomain: null,
        days: 7,
        now: new Date(),
      }),
    )
    const { text } = await stage.browser().open(`/join/${token}?lang=${language}`)
    expect(text).toContain(closedWords)
    expect(text).toContain(endedWords)
  })
})
