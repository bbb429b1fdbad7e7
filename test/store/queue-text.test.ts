import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { RemoteIncident, Severity } from '../../server/model/incident.ts'
import { write } from '../../server/store/engine/write.ts'
import { severityRank } from '../../server/store/incidents/incidents.ts'
import {
  countQueue,
  openQueue,
  type QueueFilter,
  type QueueOrder,
  readQueue,
} from '../../server/store/incidents/queue.ts'
import { toRow } from '../../server/store/incidents/rows.ts'
import { storeIncidents } from '../../server/store/incidents/write.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import { bound, customer, incident, start } from '../support/store.ts'

const tenants = ['00000000-aaaa-4bbb-8ccc-000000000001', '00000000-aaaa-4bbb-8ccc-000000000002']
const severities: Severity[] = ['high', 'medium', 'low', 'informational', 'unknown']
const each = 2_600

type Known = RemoteIncident & { tenantId: string }

/**
 * More than the candidates that are fetched one by one: `everywhere` is in all titles, `bygone` in all but the newest
 * eleven hundred, and of those that hold it only six are high.
 */
describe.each(databases)('text that thousands of incidents hold, on $name', ({ open }) => {
  let store: OpenDatabase
  const all: Known[] = []

  beforeAll(async () => {
    all.length = 0
    store = await open()
    for (const tenantId of tenants) {
      await bound(store.db, await customer(store.db, `Customer of ${tenantId}`), tenantId)
      const incidents = Array.from({ length: each }, (_, i) => {
        const bygone = i < each - 550
        const severity = severities[bygone ? (i % 700 === 0 ? 0 : 1 + (i % 4)) : i % 5] ?? 'high'
        return incident(String(i + 1), Math.floor(i / 3), {
          severity,
          status: i % 3 === 0 ? 'active' : 'resolved',
          title: `Everywhere ${bygone ? 'bygone 2600' : 'recent'} ${i}`,
        })
      })
      await write(store.db, (tx) =>
        storeIncidents(
          tx,
          tenantId,
          incidents.map((one) => toRow(tenantId, one, start)),
          start,
        ),
      )
      for (const one of incidents) all.push({ ...one, tenantId })
    }
  })
  afterAll(() => store.close())

  const bygone = ({ title }: Known) => title.includes('bygone')
  const isOpen = ({ status }: Known) => status === 'active'

  const cases: [string, QueueFilter, (one: Known) => boolean][] = [
    ['that all of them hold', { text: 'everywhere' }, () => true],
    ['of a single letter', { text: 'y' }, () => true],
    ['that the first of them do not hold', { text: 'bygone' }, bygone],
    ['that is the number of another', { text: '2600' }, (one) => bygone(one) || one.id === '2600'],
    ['and a status', { text: 'BYGONE', status: 'open' }, (one) => bygone(one) && isOpen(one)],
    [
      'and a tenant',
      { text: 'bygone', tenantId: tenants[1] ?? '' },
      (one) => bygone(one) && one.tenantId === tenants[1],
    ],
    [
      'and a severity hardly any of them has',
      { text: 'bygone', severities: ['high'] },
      (one) => bygone(one) && one.severity === 'high',
    ],
    [
      'and two severities, open',
      { text: 'bygone', severities: ['high', 'unknown'], status: 'open' },
      (one) => bygone(one) && isOpen(one) && ['high', 'unknown'].includes(one.severity),
    ],
  ]

  function expected(order: QueueOrder, keep: (one: Known) => boolean): string[] {
    const worst = (one: Known) => (isOpen(one) ? 10 : 0) + severityRank[one.severity]
    const key = (one: Known) => `${one.lastUpdateAt} ${one.tenantId} ${one.id}`
    return all
      .filter(keep)
      .sort((a, b) => (order === 'worst' ? worst(b) - worst(a) : 0) || (key(a) < key(b) ? 1 : -1))
      .map((one) => `${one.tenantId}/${one.id}`)
  }

  describe.each(['worst', 'newest'] as const)('%s first', (order) => {
    test.each(cases)('is paged in order, there and back: one %s', async (_, filter, keep) => {
      const wanted = expected(order, keep)
      const limit = 400
      const pages: string[][] = []
      const backwards: string[][] = []
      let at: string | undefined
      let back: string | null = null
      for (;;) {
        const page = await readQueue(store.db, filter, { order, limit, at })
        pages.push(page.items.map((one) => `${one.tenantId}/${one.incidentId}`))
        back = page.previous
        if (page.next === null) break
        at = page.next
      }
      expect(pages.flat()).toEqual(wanted)
      while (back !== null) {
        const page = await readQueue(store.db, filter, { order, limit, at: back })
        backwards.unshift(page.items.map((one) => `${one.tenantId}/${one.incidentId}`))
        back = page.previous
      }
      expect(backwards.flat()).toEqual(pages.slice(0, -1).flat())
    })
  })

  test.each(cases)('is never said to be in more incidents than hold it: one %s', async (_, filter, keep) => {
    const wanted = all.filter(keep).length
    const { count, exact } = await countQueue(store.db, filter)
    expect(count).toBeLessThanOrEqual(wanted)
    expect(exact).toBe(count === wanted)
    // A page and more is always known of.
    expect(count).toBeGreaterThanOrEqual(Math.min(wanted, 50))
    const { count: beside, items } = await openQueue(store.db, filter, { order: 'worst', limit: 50 })
    expect([beside, items.length]).toEqual([{ count, exact }, Math.min(wanted, 50)])
  })
})
