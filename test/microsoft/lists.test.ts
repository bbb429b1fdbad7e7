import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { defenderIncidents } from '../../server/microsoft/incidents/defender.ts'
import { graphIncidents } from '../../server/microsoft/incidents/graph.ts'
import { readIncidents } from '../../server/microsoft/incidents/lists.ts'
import { instantAfter } from '../../server/microsoft/incidents/spans.ts'
import type { IncidentPage, IncidentQuery } from '../../server/model/incident.ts'
import { Refusal } from '../../server/model/refusal.ts'
import { compileFilter, type FilterField, parseFilter } from '../../server/simulator/apis/filter.ts'
import { configFor, contoso } from '../support/microsoft.ts'
import { defenderIncident, graphIncident } from '../support/payloads.ts'

interface Held {
  id: number
  updated: number
  created: number
  status: 'active' | 'inProgress' | 'resolved'
  severity: string
}

const instantOf = (second: number) =>
  new Date(Date.UTC(2026, 10, 1) + second * 1_000).toISOString().replace('Z', '0000Z')

type Order = 'newest' | 'oldest' | 'created' | 'id'
const before: Record<Order, (a: Held, b: Held) => number> = {
  newest: (a, b) => b.updated - a.updated || a.id - b.id,
  oldest: (a, b) => a.updated - b.updated || a.id - b.id,
  created: (a, b) => b.created - a.created || a.id - b.id,
  id: (a, b) => a.id - b.id,
}

interface Manners {
  /** What the list is in, whatever was asked for; null keeps to `$orderby`, newest first without one. */
  order?: Order | null
  /** Nothing is given from here on, without a word. */
  wall?: number
  /** A page that begins here or behind it is empty, without a word. */
  cliff?: number
  /** Whether `$orderby` is refused. */
  refusing?: boolean
  counting?: boolean
  /** More items than this a page are refused. */
  most?: number
}

/** A service of its own, after the documentation: filter, order, offset, and whatever behaviour the test gives it. */
function serviceOf(
  api: 'defender' | 'graph',
  world: Held[],
  behaviour: Manners,
  between: () => void = () => undefined,
) {
  const graph = api === 'graph'
  const config = configFor('http://127.0.0.1:1')
  const time = (read: (item: Held) => string) => ({ kind: 'time' as const, read })
  const text = (read: (item: Held) => string) => ({ kind: 'text' as const, read })
  const fields = new Map<string, FilterField<Held>>([
    [graph ? 'lastUpdateDateTime' : 'lastUpdateTime', time(({ updated }) => instantOf(updated))],
    [graph ? 'createdDateTime' : 'createdTime', time(({ created }) => instantOf(created))],
    ['status', text(({ status }) => status)],
    ...(graph ? [['severity', text(({ severity }) => severity)] as const] : []),
  ])
  const asked: URLSearchParams[] = []
  const get = async (url: string) => {
    const query = new URL(url).searchParams
    asked.push(query)
    if (query.has('$orderby') && behaviour.refusing) throw new Refusal('unexpected-answer', { at: '', status: 400 })
    if (Number(query.get('$top')) > (behaviour.most ?? Number.POSITIVE_INFINITY)) {
      throw new Refusal('unexpected-answer', { at: '', status: 400 })
    }
    const filter = query.get('$filter')
    const matches = filter === null ? () => true : compileFilter(parseFilter(filter), fields)
    const found = world.filter(matches).sort(before[behaviour.order ?? (query.has('$orderby') ? 'oldest' : 'newest')])
    const [skip, top] = [Number(query.get('$skip') ?? 0), Number(query.get('$top'))]
    const end =
      skip >= (behaviour.cliff ?? Number.POSITIVE_INFINITY) ? 0 : Math.min(skip + top, behaviour.wall ?? found.length)
    const value = found.slice(skip, Math.max(skip, end)).map(graph ? graphRecord : defenderRecord)
    between()
    return {
      body: { value, ...(query.has('$count') && behaviour.counting !== false ? { '@odata.count': found.length } : {}) },
      bytes: 0,
    }
  }
  const source = graph ? graphIncidents(config) : defenderIncidents(config)
  const log = { warn: () => undefined } as never
  return {
    asked,
    async read(query: IncidentQuery = {}) {
      const pages: IncidentPage[] = []
      const paging = { source, tenantId: contoso, query, get, now: () => new Date(), log }
      for await (const page of readIncidents(paging)) pages.push(page)
      return pages.flatMap(({ incidents }) => incidents)
    },
  }
}

const graphRecord = ({ id, updated, created, status, severity }: Held) =>
  graphIncident({
    id: String(id),
    lastUpdateDateTime: instantOf(updated),
    createdDateTime: instantOf(created),
    status,
    severity,
  })
const pascal = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
const defenderRecord = ({ id, updated, created, status }: Held) =>
  defenderIncident({
    incidentId: id,
    lastUpdateTime: instantOf(updated),
    createdTime: instantOf(created),
    status: pascal(status),
    alerts: [],
  })

const worldOf = (count: number, change: (index: number) => Partial<Held> = () => ({})): Held[] =>
  Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    updated: index,
    created: index,
    status: 'active',
    severity: 'high',
    ...change(index),
  }))

const idsOf = (incidents: { id: string }[]) => new Set(incidents.map(({ id }) => Number(id)))
const everyId = (world: Held[]) => new Set(world.map(({ id }) => id))

describe.each(['defender', 'graph'] as const)(
  'a list of %s whose pages may have fewer items than documented',
  (api) => {
    test.each([3, 10, 25, 49])('%i items a page', async (most) => {
      const world = worldOf(120)
      const service = serviceOf(api, world, { most })
      expect(idsOf(await service.read())).toEqual(everyId(world))
      expect(Math.max(...service.asked.slice(10).map((query) => Number(query.get('$top'))))).toBeLessThanOrEqual(most)
    })

    test('and that refuses every page says so, after as few calls as that takes', async () => {
      const service = serviceOf(api, worldOf(120), { most: 0 })
      await expect(service.read()).rejects.toMatchObject({ facts: { status: 400 } })
      expect(service.asked.length).toBeLessThan(12)
    })
  },
)

describe('a list of Graph is read whole', () => {
  const orders: [string, Manners][] = [
    ['as asked for', {}],
    ['newest first, whatever was asked for', { order: 'newest' }],
    ['by creation', { order: 'created' }],
    ['by ID', { order: 'id' }],
    ['without an order, which is refused', { refusing: true }],
    ['by ID, and not counted', { order: 'id', counting: false }],
    ['newest first, and not counted', { order: 'newest', counting: false }],
  ]
  for (const [name, behaviour] of orders) {
    for (const wall of [undefined, 50, 75, 100]) {
      test(`${name}, with ${wall === undefined ? 'no end' : `a wall at ${wall}`}`, async () => {
        const world = worldOf(430, (index) => ({ updated: (index * 7919) % 401, created: index % 37 }))
        const service = serviceOf('graph', world, { ...behaviour, ...(wall === undefined ? {} : { wall }) })
        expect(idsOf(await service.read())).toEqual(everyId(world))
        expect(service.asked.length).toBeLessThan(behaviour.order || behaviour.refusing ? 130 : 13)
      })
    }
  }

  test.each(['newest', 'created', 'id'] as const)('by %s, with an empty page behind a full one', async (order) => {
    for (const cliff of [50, 100, 150]) {
      for (const count of [150, 200, 430]) {
        const world = worldOf(count, (index) => ({ updated: (index * 7919) % 401, created: index % 37 }))
        const service = serviceOf('graph', world, { order, cliff, counting: count !== 200 })
        expect([cliff, count, idsOf(await service.read())]).toEqual([cliff, count, everyId(world)])
        expect(service.asked.length).toBeLessThan(130)
      }
    }
  })

  test('in a number of calls that grows with the list alone', async () => {
    const calls = async (count: number, behaviour: Manners) => {
      const service = serviceOf('graph', worldOf(count), { wall: 100, ...behaviour })
      await service.read()
      return service.asked.length
    }
    expect(await calls(1_000, {})).toBeLessThan(24)
    expect(await calls(1_000, { order: 'newest' })).toBeLessThan(100)
    expect(await calls(4_000, { order: 'newest' })).toBeLessThan(400)
  })

  test('where it looks sorted and is not', async () => {
    // Sorted by ID, and the first 100 happen to come in the order of their updates; the rest was updated before.
    const world = worldOf(300, (index) => ({ updated: index < 100 ? 1_000 + index : index }))
    expect(idsOf(await serviceOf('graph', world, { order: 'id', wall: 100 }).read())).toEqual(everyId(world))
  })

  test('where the first page is all of one instant, and the rest is older', async () => {
    const world = worldOf(266, (index) => ({ updated: Math.floor(index / 54) }))
    const service = serviceOf('graph', world, { order: 'newest', counting: false })
    expect(idsOf(await service.read())).toEqual(everyId(world))
  })

  const alike: [string, (index: number) => Partial<Held>][] = [
    ['creation', (index) => ({ created: index })],
    [
      'status and severity',
      (index) => ({
        created: 1,
        status: (['active', 'inProgress', 'resolved'] as const)[index % 3] ?? 'active',
        severity: ['high', 'low', 'odd'][Math.floor(index / 3) % 3] ?? 'odd',
      }),
    ],
  ]
  test.each(alike)('with 300 updates in one instant, told apart by %s', async (_name, change) => {
    const world = worldOf(300, (index) => ({ ...change(index), updated: 7 }))
    const service = serviceOf('graph', world, { wall: 100 })
    expect(idsOf(await service.read())).toEqual(everyId(world))
    expect(service.asked.length).toBeLessThan(60)
  })

  test('or refused, when 300 are alike in every way and there is a wall', async () => {
    const world = worldOf(300, () => ({ updated: 7, created: 1 }))
    const refused = serviceOf('graph', world, { wall: 100 })
    await expect(refused.read()).rejects.toMatchObject({
      code: 'unexpected-answer',
      facts: { error: 'too_many_alike' },
    })
    expect(refused.asked.length).toBeLessThan(60)
    expect(idsOf(await serviceOf('graph', world, {}).read())).toEqual(everyId(world))
  })

  test('with ties across every edge of a page', async () => {
    const world = worldOf(333, (index) => ({ updated: Math.floor(index / 49) }))
    expect(idsOf(await serviceOf('graph', world, { wall: 100 }).read())).toEqual(everyId(world))
  })
})

describe('a list of Defender is read whole', () => {
  test.each([1, 99, 100, 101, 198, 300, 1_000])('with %i incidents, many of them at one instant', async (count) => {
    const world = worldOf(count, (index) => ({ updated: Math.floor(index / 130) }))
    const service = serviceOf('defender', world, { order: 'newest' })
    const read = await service.read()
    expect(idsOf(read)).toEqual(everyId(world))
    expect(read).toHaveLength(count)
    expect(service.asked.length).toBeLessThanOrEqual(Math.floor(count / 98) + 1)
  })

  test('when half of it leaves between two pages', async () => {
    const world = worldOf(400)
    let turn = 0
    const service = serviceOf('defender', world, { order: 'newest' }, () => {
      if (++turn === 2) for (const item of world) if (item.id % 2 === 0) item.status = 'resolved'
    })
    const left = world.filter(({ id }) => id % 2 === 1).map(({ id }) => id)
    expect([...idsOf(await service.read({ status: 'active' }))]).toEqual(expect.arrayContaining(left))
  })

  test('or refused, when it is another one at each look', async () => {
    const world = worldOf(300)
    let now = 1_000
    const service = serviceOf('defender', world, { order: 'newest' }, () => {
      for (const item of world) item.updated = now++
    })
    await expect(service.read()).rejects.toMatchObject({ facts: { error: 'list_keeps_moving' } })
    expect(service.asked.length).toBeLessThan(90)
  })
})

describe('whatever happens between pages', () => {
  const mutation = fc.record({
    pick: fc.nat(),
    kind: fc.constantFrom('touch', 'resolve', 'create', 'burst', 'nothing', 'nothing'),
  })
  const query = fc.constantFrom<IncidentQuery>(
    {},
    { updatedSince: instantOf(20) },
    { updatedSince: instantOf(20), updatedBefore: instantOf(400) },
    { status: 'active' },
    { createdSince: instantOf(10), updatedBefore: instantOf(400) },
  )
  const cases = fc.record({
    api: fc.constantFrom('defender' as const, 'graph' as const),
    order: fc.constantFrom<Order | null>(null, 'newest', 'created'),
    wall: fc.constantFrom(undefined, 50, 120),
    counting: fc.boolean(),
    count: fc.integer({ min: 0, max: 420 }),
    tie: fc.integer({ min: 1, max: 60 }),
    query,
    mutations: fc.array(mutation, { maxLength: 60 }),
  })

  test('what matched from the start and did not change is read', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ api, order, wall, counting, count, tie, query, mutations }) => {
        const world = worldOf(count, (index) => ({
          updated: Math.floor(index / tie),
          created: Math.floor(index / 3),
          status: index % 5 === 0 ? 'resolved' : 'active',
        }))
        const start = new Map(world.map((item) => [item.id, { ...item }]))
        let now = 500
        const pending = [...mutations]
        const touch = (item: Held | undefined) => item && Object.assign(item, { updated: now++ })
        const between = () => {
          const next = pending.shift()
          if (!next) return
          const item = world[next.pick % Math.max(1, world.length)]
          if (next.kind === 'touch') touch(item)
          if (next.kind === 'resolve') Object.assign(touch(item) ?? {}, { status: 'resolved' })
          if (next.kind === 'burst') for (const one of world.slice(-30)) touch(one)
          if (next.kind === 'create')
            world.push({ id: world.length + 1, updated: now, created: now++, status: 'active', severity: 'low' })
        }
        const service = serviceOf(
          api,
          world,
          { order, counting, ...(wall === undefined || api === 'defender' ? {} : { wall }) },
          between,
        )
        const read = new Set((await service.read(query)).map(({ id, lastUpdateAt }) => `${id} ${lastUpdateAt}`))
        const lost = world.filter((item) => {
          const was = start.get(item.id)
          const since = query.updatedSince ?? ''
          const until = query.updatedBefore ?? '9'
          if (!was || was.updated !== item.updated || was.status !== item.status) return false
          if (query.status && item.status !== query.status) return false
          if (query.createdSince && instantOf(item.created) < query.createdSince) return false
          const at = instantOf(item.updated)
          return at >= since && at < until && !read.has(`${item.id} ${at}`)
        })
        expect(lost.map(({ id }) => id)).toEqual([])
      }),
      { numRuns: 150 },
    )
  })
})

test('the next instant is one tick away, over the second as well', () => {
  expect(instantAfter('2026-11-20T06:07:08.1234567Z')).toBe('2026-11-20T06:07:08.1234568Z')
  expect(instantAfter('2026-12-31T23:59:59.9999999Z')).toBe('2027-01-01T00:00:00.0000000Z')
})
