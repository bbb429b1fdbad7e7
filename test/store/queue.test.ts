import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { CompiledQuery } from 'kysely'
import Sqlite from 'libsql'
import type { IncidentStatus, RemoteIncident, Severity } from '../../server/model/incident.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { sqliteFile } from '../../server/store/engine/database.ts'
import { write } from '../../server/store/engine/write.ts'
import { severityRank } from '../../server/store/incidents/incidents.ts'
import {
  countQueue,
  createdPerDay,
  neighboursOf,
  type QueueFilter,
  type QueueItem,
  type QueueOrder,
  readQueue,
} from '../../server/store/incidents/queue.ts'
import { toRow } from '../../server/store/incidents/rows.ts'
import { storeIncidents } from '../../server/store/incidents/write.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import { alert, alice, bound, customer, incident, instant, later, start } from '../support/store.ts'

const severities: Severity[] = ['high', 'medium', 'low', 'informational', 'unknown']
const statuses: IncidentStatus[] = ['active', 'inProgress', 'awaitingAction', 'resolved', 'unknown']
const openOnes = new Set<string>(['active', 'inProgress', 'awaitingAction', 'unknown'])
const tenantId = (n: number) => `00000000-aaaa-4bbb-8ccc-${String(n).padStart(12, '0')}`
const rowsOf = (n: number, incidents: RemoteIncident[]) => incidents.map((one) => toRow(tenantId(n), one, start))

type Known = RemoteIncident & { tenantId: string; customerId: string }

describe.each(databases)('the queue on $name', ({ name, open }) => {
  let store: OpenDatabase
  const all: Known[] = []
  const customers: string[] = []

  beforeAll(async () => {
    all.length = 0
    customers.length = 0
    store = await open()
    // Six tenants of three customers, 25 incidents each; many share their time to the last digit.
    for (let t = 0; t < 6; t++) {
      if (t % 2 === 0)
        customers.push(await customer(store.db, `Customer ${t / 2}`, { groups: [t < 4 ? 'gold' : 'silver'] }))
      const customerId = customers.at(-1) ?? ''
      await bound(store.db, customerId, tenantId(t))
      const incidents = Array.from({ length: 25 }, (_, i) =>
        incident(String(i + 1), i % 4, {
          severity: severities[(i * 7 + t) % 5] ?? 'high',
          status: statuses[(i * 3 + t) % 5] ?? 'active',
          title: i === 7 ? `100%_Wörk \\ "quoted" 釣魚 #${t}` : `Incident ${i} of tenant ${t}`,
          createdAt: instant(i * 24 * 60),
          alerts: i === 9 ? [alert('a', { title: `Malware NEEDLE-${t}` })] : [],
        }),
      )
      const merged = incident('99', 5, { redirectId: '1', status: 'redirected' })
      await write(store.db, async (tx) => {
        await storeIncidents(tx, tenantId(t), rowsOf(t, [...incidents, merged]), start)
      })
      for (const one of incidents) all.push({ ...one, tenantId: tenantId(t), customerId })
    }
    const gone = await customer(store.db, 'Gone', { groups: ['gold'] })
    await bound(store.db, gone, tenantId(77))
    await write(store.db, (tx) =>
      storeIncidents(tx, tenantId(77), rowsOf(77, [incident('1', 1), incident('9', 1)]), start),
    )
    await offboardCustomer(store.db, alice, gone, start)
    customers.push(gone)
  })
  afterAll(() => store.close())

  const keyOf = (one: { tenantId: string; incidentId: string }) => `${one.tenantId}/${one.incidentId}`
  const isOpen = (one: { status: string }) => (openOnes.has(one.status) ? 1 : 0)

  function expected(order: QueueOrder, keep: (one: Known) => boolean): string[] {
    const parts = (one: Known) => [
      ...(order === 'worst' ? [String(isOpen(one)), String(severityRank[one.severity])] : []),
      one.lastUpdateAt,
      one.tenantId,
      one.id,
    ]
    const compare = (a: Known, b: Known) => {
      const [left, right] = [parts(a), parts(b)]
      for (const [i, part] of left.entries()) {
        const other = right[i] ?? ''
        if (part !== other) return part < other ? 1 : -1
      }
      return 0
    }
    return all
      .filter(keep)
      .sort(compare)
      .map((one) => `${one.tenantId}/${one.id}`)
  }

  async function walk(filter: QueueFilter, order: QueueOrder, limit: number) {
    const forwards: QueueItem[][] = []
    let at: string | undefined
    do {
      const page = await readQueue(store.db, filter, { order, limit, at })
      forwards.push(page.items)
      if (page.next === null) break
      at = page.next
    } while (forwards.length < 500)
    const backwards: QueueItem[][] = []
    let page = await readQueue(store.db, filter, { order, limit, at })
    backwards.push(page.items)
    while (page.previous !== null && backwards.length < 500) {
      page = await readQueue(store.db, filter, { order, limit, at: page.previous })
      backwards.unshift(page.items)
    }
    return { forwards: forwards.flat().map(keyOf), backwards: backwards.flat().map(keyOf) }
  }

  const filters: [string, () => QueueFilter, (one: Known) => boolean][] = [
    ['nothing', () => ({}), () => true],
    ['open ones', () => ({ status: 'open' }), (one) => isOpen(one) === 1],
    ['closed ones', () => ({ status: 'closed' }), (one) => isOpen(one) === 0],
    ['one status', () => ({ status: 'awaitingAction' }), (one) => one.status === 'awaitingAction'],
    ['resolved ones', () => ({ status: 'resolved' }), (one) => one.status === 'resolved'],
    ['one tenant', () => ({ tenantId: tenantId(3) }), (one) => one.tenantId === tenantId(3)],
    ['one customer', () => ({ customerIds: [customers[1] ?? ''] }), (one) => one.customerId === customers[1]],
    [
      'two customers, open',
      () => ({ customerIds: [customers[0] ?? '', customers[2] ?? ''], status: 'open' }),
      (one) => isOpen(one) === 1 && one.customerId !== customers[1],
    ],
    ['a group', () => ({ groups: ['gold'] }), (one) => one.customerId !== customers[2]],
    ['groups and a tenant outside of them', () => ({ groups: ['gold'], tenantId: tenantId(5) }), () => false],
    ['an unknown customer', () => ({ customerIds: ['nobody'] }), () => false],
    [
      'two severities',
      () => ({ severities: ['low', 'high', 'low'] }),
      (one) => one.severity === 'low' || one.severity === 'high',
    ],
    [
      'severity, customer and status',
      () => ({ severities: ['medium', 'unknown'], customerIds: customers.slice(0, 2), status: 'open' }),
      (one) =>
        isOpen(one) === 1 &&
        ['medium', 'unknown'].includes(one.severity) &&
        customers.slice(0, 2).includes(one.customerId),
    ],
    ['text', () => ({ text: '  INCIDENT 1 ' }), (one) => one.title.startsWith('Incident 1')],
    ['text of an alert', () => ({ text: 'needle-4' }), (one) => one.tenantId === tenantId(4) && one.id === '10'],
    [
      'text and severity',
      () => ({ text: 'tenant 2', severities: ['high'] }),
      (one) => one.title.endsWith('tenant 2') && one.severity === 'high',
    ],
    ['a number', () => ({ text: '#17' }), (one) => one.id === '17'],
    ['two letters of Chinese', () => ({ text: '釣魚' }), (one) => one.title.includes('釣魚')],
    ['one letter', () => ({ text: '魚' }), (one) => one.title.includes('釣魚')],
    ['the last letter of all', () => ({ text: '#5' }), (one) => one.title.endsWith('#5') || one.id === '5'],
    ['letters that nothing holds', () => ({ text: 'zq' }), () => false],
  ]

  for (const order of ['worst', 'newest'] as const) {
    test.each(filters)(
      `narrowed by %s comes ${order} first, page by page, forwards and backwards`,
      async (_, filter, keep) => {
        const wanted = expected(order, keep)
        for (const limit of [1, 7, 50]) {
          if (limit === 1 && wanted.length > 30) continue
          const walked = await walk(filter(), order, limit)
          expect(walked.forwards).toEqual(wanted)
          expect(walked.backwards).toEqual(wanted)
        }
        expect(await countQueue(store.db, filter())).toEqual({ count: wanted.length, exact: true })
      },
    )
  }

  test.each(['%', '_', '100%_w', '\\', '\\ "quoted"', '%%%', "'", '"', '""" OR *', '(', 'a AND b', '\0', '-'])(
    'takes %j as text to look for, and nothing else',
    async (text) => {
      const wanted = all.filter((one) => {
        const sought = text.replaceAll('\0', '').trim().toLowerCase()
        return (
          one.title.toLowerCase().includes(sought) ||
          (sought !== '' && one.alerts?.some((a) => a.title.toLowerCase().includes(sought)))
        )
      })
      expect(await countQueue(store.db, { text })).toEqual({ count: wanted.length, exact: true })
    },
  )

  test.each([
    '',
    'x',
    'null',
    '[]',
    Buffer.from('["after",1,2,"x","y"]').toString('base64url'),
    Buffer.from('["after",1e99,0,"a","b","c"]').toString('base64url'),
    Buffer.from('["sideways",1,1,"a","b","c"]').toString('base64url'),
    Buffer.from('["after",1,1,"a\\u0000","b","c"]').toString('base64url'),
    'x'.repeat(100_000),
  ])('begins at the start for a cursor it did not write', async (at) => {
    const page = await readQueue(store.db, {}, { order: 'worst', limit: 5, at })
    expect(page.items.map(keyOf)).toEqual(expected('worst', () => true).slice(0, 5))
    expect(page.previous).toBeNull()
  })

  test('neither loses nor repeats a line when incidents come while somebody pages', async () => {
    const first = await readQueue(store.db, { tenantId: tenantId(0) }, { order: 'newest', limit: 10 })
    await write(store.db, (tx) =>
      storeIncidents(tx, tenantId(0), rowsOf(0, [incident('500', 60), incident('501', -5)]), start),
    )
    const rest: QueueItem[] = []
    for (let at = first.next; at !== null; ) {
      const page = await readQueue(store.db, { tenantId: tenantId(0) }, { order: 'newest', limit: 10, at })
      rest.push(...page.items)
      at = page.next
    }
    const seen = [...first.items, ...rest].map((item) => item.incidentId)
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toHaveLength(26)
    expect(seen).not.toContain('500')
    await store.db.deleteFrom('incidents').where('incident_id', 'in', ['500', '501']).execute()
  })

  test('shows what an offboarded customer had only to those who ask for that tenant', async () => {
    expect(await countQueue(store.db, { tenantId: tenantId(77) })).toEqual({ count: 2, exact: true })
    expect(await countQueue(store.db, { customerIds: [customers.at(-1) ?? ''] })).toEqual({ count: 0, exact: true })
    expect((await readQueue(store.db, {}, { order: 'worst', limit: 500 })).items).toHaveLength(150)
  })

  test('knows the neighbours of each line', async () => {
    const wanted = expected('worst', (one) => isOpen(one) === 1)
    const at = all.find((one) => `${one.tenantId}/${one.id}` === wanted[4])
    if (!at) throw new Error('no such line')
    const line = {
      tenantId: at.tenantId,
      incidentId: at.id,
      severity: at.severity,
      open: true,
      lastUpdateAt: at.lastUpdateAt,
    }
    const { previous, next } = await neighboursOf(store.db, { status: 'open' }, 'worst', line)
    expect([previous && keyOf(previous), next && keyOf(next)]).toEqual([wanted[3], wanted[5]])
  })

  if (name === 'SQLite') {
    test.each(filters)(
      'narrowed by %s is read out of an index, never by walking through all incidents',
      async (_, filter) => {
        const seen: CompiledQuery[] = []
        const watched = store.db.withPlugin({
          transformQuery: ({ node, queryId }) => {
            seen.push(store.db.getExecutor().compileQuery(node, queryId))
            return node
          },
          transformResult: async ({ result }) => result,
        })
        for (const order of ['worst', 'newest'] as const) {
          const { next } = await readQueue(watched, filter(), { order, limit: 2 })
          if (next !== null) await readQueue(watched, filter(), { order, limit: 2, at: next })
        }
        await countQueue(watched, filter())
        const steps: string[] = []
        const raw = new Sqlite(sqliteFile(store.dataDir))
        for (const query of seen) {
          const plan = raw.prepare(`explain query plan ${query.sql}`).all([...query.parameters]) as { detail: string }[]
          steps.push(...plan.map((step) => step.detail).filter((step) => /\bincidents\b/.test(step)))
        }
        raw.close()
        expect(steps.filter((step) => !/USING (COVERING )?INDEX|USING INTEGER PRIMARY KEY/.test(step))).toEqual([])
        expect(steps.length > 0 || seen.length <= 3).toBe(true)
      },
    )
  }

  test('counts no further than it is told to', async () => {
    expect(await countQueue(store.db, {}, 100)).toEqual({ count: 100, exact: false })
    expect(await countQueue(store.db, { severities: ['high', 'low'] }, 10)).toEqual({ count: 10, exact: false })
    expect(await countQueue(store.db, {}, 151)).toEqual({ count: 150, exact: true })
  })

  test('says how many incidents each day brought, merged ones left out', async () => {
    const days = await createdPerDay(store.db, later(20 * 24 * 60))
    expect(new Set(days.map((one) => one.day)).size).toBe(5)
    expect(days.reduce((sum, one) => sum + one.count, 0)).toBe(30)
    expect(days[0]?.day).toBe('2026-12-10')
  })
})
