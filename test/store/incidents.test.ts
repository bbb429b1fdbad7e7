import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { RemoteIncident } from '../../server/model/incident.ts'
import { write } from '../../server/store/engine/write.ts'
import { alertsDue } from '../../server/store/incidents/alerts.ts'
import { findSurvivor, getIncident, mergedInto } from '../../server/store/incidents/incidents.ts'
import { countQueue, createdPerDay } from '../../server/store/incidents/queue.ts'
import { forgetRejected, recordRejected, rejectedOf } from '../../server/store/incidents/rejected.ts'
import { toRow } from '../../server/store/incidents/rows.ts'
import { markGone, storeAlertsOf, storeIncidents } from '../../server/store/incidents/write.ts'
import { completeSync, startSync, storePage } from '../../server/store/sync/syncs.ts'
import { recount } from '../../server/store/tenants/counters.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import {
  active,
  alert,
  claimOf,
  contosoTenant,
  fabrikamTenant,
  incident,
  instant,
  later,
  start,
} from '../support/store.ts'

describe.each(databases)('incidents on $name', ({ open }) => {
  let store: OpenDatabase
  beforeEach(async () => {
    store = await open()
    await active(store.db, 'Contoso', contosoTenant)
    await active(store.db, 'Fabrikam', fabrikamTenant)
  })
  afterEach(() => store.close())

  const keep = (incidents: RemoteIncident[], tenantId = contosoTenant, now = start) =>
    write(store.db, async (tx) => {
      const { changed } = await storeIncidents(
        tx,
        tenantId,
        incidents.map((one) => toRow(tenantId, one, now)),
        now,
      )
      expect(await recount(tx, tenantId)).toEqual({ drifted: false })
      return changed
    })
  const titleOf = async (id: string, tenantId = contosoTenant) => (await getIncident(store.db, tenantId, id)).title

  test('are overwritten by a newer reading alone', async () => {
    await keep([incident('1', 10, { title: 'second' })])
    expect(await keep([incident('1', 5, { title: 'first' })])).toEqual(new Set())
    expect(await titleOf('1')).toBe('second')
    expect(await keep([incident('1', 10.0001, { title: 'third' })])).toEqual(new Set(['1']))
    expect(await titleOf('1')).toBe('third')
  })

  test('are told apart to the ten-millionth of a second', async () => {
    await keep([incident('1', 0, { lastUpdateAt: '2026-11-20T08:00:00.1234567Z', title: 'newer' })])
    await keep([incident('1', 0, { lastUpdateAt: '2026-11-20T08:00:00.1234566Z', title: 'older' })])
    expect(await titleOf('1')).toBe('newer')
  })

  test('read again unchanged change nothing; of the same instant but other content, the later reading counts', async () => {
    await keep([incident('1', 1, { title: 'as it was' })])
    expect(await keep([incident('1', 1, { title: 'as it was' })])).toEqual(new Set())
    expect(await keep([incident('1', 1, { title: 'changed in the same instant' })])).toEqual(new Set(['1']))
    expect(await titleOf('1')).toBe('changed in the same instant')
  })

  test('of the same number in two tenants are two incidents', async () => {
    await keep([incident('1', 1, { title: 'of Contoso', alerts: [alert('a', { title: 'in Contoso' })] })])
    await keep(
      [incident('1', 1, { title: 'of Fabrikam', alerts: [alert('a', { title: 'in Fabrikam' })] })],
      fabrikamTenant,
    )
    await keep([incident('1', 2, { title: 'of Fabrikam, later', alerts: [] })], fabrikamTenant)
    expect(await getIncident(store.db, contosoTenant, '1')).toMatchObject({
      title: 'of Contoso',
      customerName: 'Contoso',
      alerts: [{ title: 'in Contoso' }],
    })
    expect(await getIncident(store.db, fabrikamTenant, '1')).toMatchObject({ title: 'of Fabrikam, later', alerts: [] })
  })

  test('that do not exist, or exist elsewhere, are not found', async () => {
    await keep([incident('1', 1)])
    for (const [tenantId, id] of [
      [fabrikamTenant, '1'],
      [contosoTenant, '2'],
      ['', ''],
    ] as const) {
      await expect(getIncident(store.db, tenantId, id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
  })

  test('merged into another give it their alerts, and leave every list and counter', async () => {
    await keep([
      incident('1', 1, { alerts: [alert('a'), alert('b')], severity: 'high' }),
      incident('2', 1, { alerts: [alert('c')] }),
    ])
    await keep([
      incident('1', 2, { redirectId: '2', status: 'redirected', alerts: [] }),
      incident('2', 2, { alerts: [alert('a'), alert('b'), alert('c')] }),
    ])
    expect((await getIncident(store.db, contosoTenant, '2')).alerts.map((one) => one.id)).toEqual(['a', 'b', 'c'])
    expect((await getIncident(store.db, contosoTenant, '1')).alerts).toEqual([])
    expect(await countQueue(store.db, {})).toEqual({ count: 1, exact: true })
    expect(await getTenant(store.db, contosoTenant)).toMatchObject({ incidentCount: 1, open: { high: 0, medium: 1 } })
    expect(await findSurvivor(store.db, contosoTenant, '2')).toBe('2')
    expect(await mergedInto(store.db, contosoTenant, '2')).toMatchObject([{ incidentId: '1' }])
  })

  test('an old reading of a merged incident, arriving late, takes no alert from the survivor', async () => {
    await keep([incident('2', 10, { alerts: [alert('a')] })])
    await keep([incident('1', 5, { alerts: [alert('a')] })])
    await keep([incident('1', 10, { redirectId: '2', status: 'redirected', alerts: null })])
    expect((await getIncident(store.db, contosoTenant, '2')).alerts.map((one) => one.id)).toEqual(['a'])
    expect((await getIncident(store.db, contosoTenant, '1')).alerts).toEqual([])
    expect(await alertsDue(store.db, contosoTenant, 9, new Date())).toEqual([])
  })

  test('chains of merges lead to their end; loops and chains out of the store lead nowhere', async () => {
    await keep([
      incident('1', 1, { redirectId: '2' }),
      incident('2', 1, { redirectId: '3' }),
      incident('3', 1),
      incident('4', 1, { redirectId: '5' }),
      incident('5', 1, { redirectId: '4' }),
      incident('6', 1, { redirectId: '6' }),
      incident('7', 1, { redirectId: '99' }),
    ])
    const ends = await Promise.all(['1', '3', '4', '6', '7'].map((id) => findSurvivor(store.db, contosoTenant, id)))
    expect(ends).toEqual(['3', '3', null, null, null])
    expect(await findSurvivor(store.db, fabrikamTenant, '1')).toBeNull()
  })

  test('are counted by severity, by whether somebody has them, and only while they are open', async () => {
    await keep([
      incident('1', 1, { severity: 'high' }),
      incident('2', 1, { severity: 'high', assignedTo: 'bob@northwind.example' }),
      incident('3', 1, { severity: 'unknown', status: 'unknown' }),
      incident('4', 1, { severity: 'low', status: 'awaitingAction' }),
      incident('5', 1, { severity: 'high', status: 'resolved' }),
      incident('6', 1, { severity: 'informational', redirectId: '1' }),
    ])
    const counted = await getTenant(store.db, contosoTenant)
    expect(counted.open).toEqual({ high: 2, medium: 0, low: 1, informational: 0, unknown: 1, unassigned: 3 })
    expect(counted.unassigned).toMatchObject({ high: 1, low: 1, unknown: 1 })
    expect(counted.incidentCount).toBe(5)
    await keep([incident('1', 2, { severity: 'high', status: 'resolved' })])
    expect((await getTenant(store.db, contosoTenant)).open).toMatchObject({ high: 1 })
    expect((await getTenant(store.db, fabrikamTenant)).incidentCount).toBe(0)
  })

  test('keep odd text: NUL, half a surrogate pair, right-to-left, quotes, very long', async () => {
    const odd = ['a\0b', '\ud800x', 'x\udfff', '\u202egnp.exe', `'";--%_\\`, '🙂'.repeat(3000), 'ſ', 'İ']
    await keep(
      odd.map((title, i) =>
        incident(
          String(i),
          1,
          { title, assignedTo: title, tags: [title], alerts: [alert(`a${i}`, { title })] },
          JSON.stringify({ title }),
        ),
      ),
    )
    for (const i of odd.keys()) {
      const kept = await getIncident(store.db, contosoTenant, String(i))
      expect(JSON.parse(kept.original)).toEqual({ title: odd[i] })
      expect(kept.alerts[0]?.title).toBe(odd[i])
    }
    const rows = await store.db.selectFrom('incidents').select(['title', 'search_text']).execute()
    for (const row of rows) expect(row.title).not.toMatch(/\0|\p{Surrogate}/u)
    expect(Math.max(...rows.map((row) => row.search_text.length))).toBeLessThanOrEqual(16_000)
  })

  test('of a page far beyond every limit on parameters are all kept', async () => {
    const many = Array.from({ length: 5_000 }, (_, i) => incident(String(i), 1, { alerts: [alert(`a${i}`)] }))
    expect((await keep(many)).size).toBe(5_000)
    expect(
      await keep([incident('one', 1, { alerts: Array.from({ length: 12_000 }, (_, i) => alert(`b${i}`)) })]),
    ).toEqual(new Set(['one']))
    expect(await getTenant(store.db, contosoTenant)).toMatchObject({ incidentCount: 5_001 })
    const kept = await getIncident(store.db, contosoTenant, 'one')
    expect([kept.alerts.length, kept.alertCount]).toEqual([12_000, 12_000])
  })

  test('twice in one page, count once: by their newest reading', async () => {
    await keep([incident('1', 3, { title: 'new' }), incident('1', 1, { title: 'old' }), incident('2', 1)])
    await keep([incident('2', 2, { title: 'a' }), incident('2', 2, { title: 'b' })])
    expect([await titleOf('1'), await titleOf('2')]).toEqual(['new', 'b'])
  })

  test('whose alerts come by themselves are due for them, worst first, until read; a change makes them due again', async () => {
    await keep([
      incident('1', 1, { alerts: null, severity: 'low' }),
      incident('2', 1, { alerts: null, severity: 'high' }),
      incident('3', 1, { alerts: null, severity: 'high', status: 'resolved' }),
      incident('4', 1, { alerts: [] }),
    ])
    const due = await alertsDue(store.db, contosoTenant, 9, new Date())
    expect(due.map((one) => one.id)).toEqual(['2', '1', '3'])
    const user = { kind: 'user', name: 'Anna@Contoso.example', detail: null, verdict: null, remediation: null } as const
    await write(store.db, (tx) =>
      storeAlertsOf(
        tx,
        contosoTenant,
        due[0] ?? { id: '', title: '', assignedTo: null, tags: [] },
        [alert('a', { entities: [user] })],
        start,
      ),
    )
    expect((await alertsDue(store.db, contosoTenant, 9, new Date())).map((one) => one.id)).toEqual(['1', '3'])
    expect(await countQueue(store.db, { text: 'anna@contoso' })).toEqual({ count: 1, exact: true })
    await keep([incident('2', 2, { alerts: null, severity: 'high' })])
    expect((await getIncident(store.db, contosoTenant, '2')).alerts).toHaveLength(1)
    expect((await alertsDue(store.db, contosoTenant, 9, new Date())).map((one) => one.id)).toEqual(['2', '1', '3'])
  })

  test('that were not understood are kept by name once, and forgotten when they are', async () => {
    const rejected = [
      { id: '7', reason: 'no-time', detail: 'first\0' },
      { id: null, reason: 'not-an-object', detail: 'null' },
      { id: 'x'.repeat(5_000), reason: 'unreadable', detail: 'y'.repeat(5_000) },
    ] as const
    await write(store.db, (tx) => recordRejected(tx, contosoTenant, rejected, start))
    await write(store.db, (tx) => recordRejected(tx, contosoTenant, [{ ...rejected[0], detail: 'again' }], later(1)))
    const listed = await rejectedOf(store.db, contosoTenant)
    expect(listed).toHaveLength(3)
    expect(listed.map(({ detail }) => detail)).not.toContainEqual(expect.stringContaining('\0'))
    expect(listed[0]).toMatchObject({ item: '7', detail: 'again', firstSeenAt: start.toISOString() })
    await write(store.db, (tx) => forgetRejected(tx, contosoTenant, ['7', 'never seen']))
    await write(store.db, (tx) => forgetRejected(tx, fabrikamTenant, ['?not-an-object']))
    expect(await rejectedOf(store.db, contosoTenant)).toHaveLength(2)
  })

  test('that Microsoft knows no longer are no open work; listed again they are, whatever their reading says', async () => {
    await keep([incident('1', 5, { status: 'active' }), incident('2', 5, { status: 'resolved' })])
    const open = async () => {
      const { open: counts } = await getTenant(store.db, contosoTenant)
      return [counts.high + counts.medium + counts.low + counts.informational + counts.unknown, counts.unassigned]
    }
    const before = await open()
    for (const id of ['1', '2', 'never seen']) await write(store.db, (tx) => markGone(tx, contosoTenant, id, later(1)))
    expect(await open()).toEqual([0, 0])
    expect(await countQueue(store.db, { status: 'open' })).toMatchObject({ count: 0 })
    expect((await getIncident(store.db, contosoTenant, '1')).goneAt).toBe(later(1).toISOString())
    // An older reading: its content does not count, its being there does.
    await keep([incident('1', 1, { status: 'resolved', title: 'older' }), incident('2', 1, { status: 'active' })])
    expect(await getIncident(store.db, contosoTenant, '1')).toMatchObject({ goneAt: null, status: 'active' })
    expect(await open()).toEqual(before)
    expect(await countQueue(store.db, { status: 'open' })).toMatchObject({ count: 1 })
  })

  test('are counted by what changes as they would be counted anew, day by day as well', async () => {
    const states = fc.record({
      id: fc.constantFrom('1', '2', '3', '4'),
      minutes: fc.integer({ min: 0, max: 8 }),
      severity: fc.constantFrom('high', 'low', 'unknown'),
      status: fc.constantFrom('active', 'resolved', 'redirected'),
      assignedTo: fc.constantFrom(null, 'carol@example.com'),
      redirectId: fc.constantFrom(null, null, '4'),
      createdAt: fc.constantFrom('2026-11-18T08:00:00.0000000Z', '2026-11-19T08:00:00.0000000Z'),
      gone: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    })
    let tenant = 0
    const exact = async () => {
      const rows = await store.db
        .selectFrom('incidents')
        .select(({ fn }) => ['created_day as day', 'severity', fn.countAll<number>().as('n')])
        .where('redirect_id', 'is', null)
        .groupBy(['created_day', 'severity'])
        .orderBy('created_day')
        .orderBy('severity')
        .execute()
      return rows.map(({ day, severity, n }) => ({ day, severity, count: Number(n) }))
    }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(states, { maxLength: 4 }), { maxLength: 6 }), async (pages) => {
        const tenantId = `00000000-cccc-4bbb-8ccc-${String(++tenant).padStart(12, '0')}`
        await active(store.db, `Tenant ${tenant}`, tenantId)
        for (const page of pages) {
          // `keep` finds that the counters of the tenant have not drifted.
          await keep(
            page.map(({ id, minutes, gone: _, ...facts }) => incident(id, minutes, facts as Partial<RemoteIncident>)),
            tenantId,
          )
          for (const { id, gone } of page) {
            if (gone) await write(store.db, (tx) => markGone(tx, tenantId, id, later(1)))
          }
          expect(await write(store.db, (tx) => recount(tx, tenantId))).toEqual({ drifted: false })
        }
        expect(await createdPerDay(store.db, new Date('2026-11-01'))).toEqual(await exact())
      }),
      { numRuns: 40 },
    )
  })

  test('of a page that fails half-way are not kept, and neither are its counters', async () => {
    const claim = await claimOf(store.db, 'sync', contosoTenant, later(1))
    const syncId = await startSync(store.db, claim, 'open', later(1))
    const broken = incident('2', 1)
    Object.defineProperty(broken, 'comments', {
      get: () => {
        throw new Error('unreadable')
      },
      enumerable: true,
    })
    const page = { incidents: [...Array.from({ length: 250 }, (_, i) => incident(`n${i}`, 1)), broken], rejected: [] }
    await expect(storePage(store.db, claim, syncId, page, later(1))).rejects.toThrow('unreadable')
    expect(await getTenant(store.db, contosoTenant)).toMatchObject({ incidentCount: 0, firstIncidentAt: null })
    expect(await countQueue(store.db, {})).toEqual({ count: 0, exact: true })
  })

  test('the cursor moves with the end of a pass, to what was seen; the first incident is witnessed once', async () => {
    for (const round of [1, 2]) {
      const claim = await claimOf(store.db, 'sync', contosoTenant, later(10 * round))
      const syncId = await startSync(store.db, claim, 'following', later(10 * round))
      await storePage(
        store.db,
        claim,
        syncId,
        { incidents: [incident(`${round}`, round)], rejected: [] },
        later(10 * round),
      )
      const done = {
        cursor: round === 1 ? instant(1) : null,
        phase: 'following',
        nextSyncAt: later(10 * round + 1),
        incomplete: false,
      } as const
      await completeSync(store.db, claim, syncId, done, later(10 * round))
    }
    expect(await getTenant(store.db, contosoTenant)).toMatchObject({
      cursor: instant(1),
      lastReadAt: later(20).toISOString(),
    })
    const events = await store.db
      .selectFrom('audit_events')
      .select('id')
      .where('action', '=', 'tenant.first-incident')
      .execute()
    expect(events).toHaveLength(1)
  })

  test('end as the newest reading of each, in whatever order and however often the readings arrive', async () => {
    const versions = fc.array(
      fc.record({ id: fc.constantFrom('1', '2', '3'), minutes: fc.integer({ min: 0, max: 6 }) }),
      { minLength: 1, maxLength: 14 },
    )
    let tenant = 0
    await fc.assert(
      fc.asyncProperty(
        versions,
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
        async (all, sizes) => {
          const tenantId = `00000000-bbbb-4bbb-8ccc-${String(++tenant).padStart(12, '0')}`
          const readings = all.map(({ id, minutes }) =>
            incident(id, minutes, {
              title: `${id} at ${minutes}`,
              status: minutes % 3 === 0 ? 'resolved' : 'active',
              // One alert of its own, and one that wanders from incident to incident.
              alerts: [alert(`${id}-${minutes}`), ...(minutes % 2 === 0 ? [alert('wanderer')] : [])],
            }),
          )
          for (let at = 0, turn = 0; at < readings.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1
            await keep(readings.slice(at, at + size), tenantId)
            at += size
          }
          const kept = await store.db
            .selectFrom('incidents')
            .select(['incident_id', 'title', 'open', 'alert_count'])
            .where('tenant_id', '=', tenantId)
            .orderBy('incident_id')
            .execute()
          const newest = new Map<string, RemoteIncident>()
          for (const one of readings) {
            const known = newest.get(one.id)
            if (!known || known.lastUpdateAt < one.lastUpdateAt) newest.set(one.id, one)
          }
          expect(kept).toEqual(
            [...newest.values()]
              .sort((a, b) => a.id.localeCompare(b.id))
              .map((one) => ({
                incident_id: one.id,
                title: one.title,
                open: one.status === 'active' ? 1 : 0,
                alert_count: one.alerts?.length ?? 0,
              })),
          )
          const alerts = await store.db
            .selectFrom('incidents')
            .select(['incident_id', 'alerts'])
            .where('tenant_id', '=', tenantId)
            .execute()
          const keptAlerts = alerts.flatMap((row) =>
            (JSON.parse(row.alerts ?? '[]') as { id: string }[]).map(({ id }) => `${row.incident_id}/${id}`),
          )
          expect(new Set(keptAlerts)).toEqual(
            new Set([...newest.values()].flatMap((one) => (one.alerts ?? []).map(({ id }) => `${one.id}/${id}`))),
          )
        },
      ),
      { numRuns: 40 },
    )
  })
})
