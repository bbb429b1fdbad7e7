import { describe, expect, test } from '@jest/globals'
import { firstItemIn } from '../../server/microsoft/incidents/list-head.ts'
import type { IncidentPage } from '../../server/model/incident.ts'
import { compileFilter, type FilterField, parseFilter } from '../../server/simulator/apis/filter.ts'
import { rejectedOf } from '../../server/store/incidents/rejected.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { connected } from '../support/admin.ts'
import { appToken, type Call, connect, consented, contoso, listen, type Reply } from '../support/microsoft.ts'
import { defenderIncident, graphIncident } from '../support/payloads.ts'
import { onEachEngine, startTestPortal } from '../support/portal.ts'
import { hour, run, syncsOf } from '../support/sync.ts'

const giant = 'x'.repeat(10_500_000)
const instant = (second: number) =>
  new Date(Date.UTC(2026, 10, 20) + second * 1_000).toISOString().replace('Z', '0000Z')

interface Item {
  n: number
  large: boolean
}

/** A service that filters and counts; its giants hold what is large at their end, as Microsoft's alerts and comments are. */
function answering(api: 'defender' | 'graph', items: Item[], { first = false } = {}) {
  const graph = api === 'graph'
  const field = graph ? 'lastUpdateDateTime' : 'lastUpdateTime'
  const created = graph ? 'createdDateTime' : 'createdTime'
  const fields = new Map<string, FilterField<Item>>([
    [field, { kind: 'time', read: ({ n }) => instant(n) }],
    [created, { kind: 'time', read: ({ n }) => instant(n) }],
    ['status', { kind: 'text', read: () => 'active' }],
    ['severity', { kind: 'text', read: () => 'high' }],
  ])
  const record = ({ n, large }: Item) => {
    const times = { [field]: instant(n), [created]: instant(n) }
    const own = graph
      ? graphIncident({ id: String(n), ...times })
      : defenderIncident({ incidentId: n, ...times, alerts: [] })
    if (!large) return own
    return first ? { large: giant, ...own } : { ...own, large: giant }
  }
  return ({ query }: Call): Reply => {
    const filter = query.get('$filter')
    const matches = filter === null ? () => true : compileFilter(parseFilter(filter), fields)
    const order = query.has('$orderby') ? 1 : -1
    const found = items.filter(matches).sort((a, b) => order * (a.n - b.n))
    const [skip, top] = [Number(query.get('$skip') ?? 0), Number(query.get('$top'))]
    const value = found.slice(skip, skip + top).map(record)
    return { json: { value, ...(query.has('$count') ? { '@odata.count': found.length } : {}) } }
  }
}

const roles = { roles: ['Incident.Read.All', 'SecurityIncident.Read.All'] }

describe.each(['defender', 'graph'] as const)('on %s, incidents too large to be read', (api) => {
  async function read(items: Item[], more: { first?: boolean } = {}) {
    await using double = await listen(consented(answering(api, items, more), (tenant) => appToken(tenant, roles)))
    const { microsoft } = connect(double.origin, { incidentsApi: api })
    const pages: IncidentPage[] = []
    for await (const page of microsoft.listIncidents(contoso, {})) pages.push(page)
    return {
      ids: [...new Set(pages.flatMap(({ incidents }) => incidents.map(({ id }) => Number(id))))].sort((a, b) => a - b),
      rejected: pages.flatMap(({ rejected }) => rejected.map(({ id, reason }) => `${id} ${reason}`)),
      evidence: await microsoft.checkAccess(contoso),
    }
  }
  const items = (count: number, large: number[]) =>
    Array.from({ length: count }, (_, n) => ({ n: n + 1, large: large.includes(n + 1) }))
  const others = (count: number, large: number[]) => items(count, large).flatMap((one) => (one.large ? [] : [one.n]))

  test.each([
    ['the newest', 8, [8]],
    ['the oldest', 8, [1]],
    ['the only one', 1, [1]],
    ['four', 12, [3, 4, 9, 12]],
    ['one in a list of several pages', 230, [120]],
  ])('are each one thing: %s', async (_name, count, large) => {
    const { ids, rejected, evidence } = await read(items(count, large))
    expect(ids).toEqual(others(count, large))
    expect([...rejected].sort()).toEqual(large.map((n) => `${n} too-large`).sort())
    expect(evidence).toMatchObject({ refusal: null, calls: [{ status: 200 }] })
  })

  test('are each one thing where their beginning does not say which', async () => {
    const large = [5, 40]
    const { ids, rejected } = await read(items(60, large), { first: true })
    expect(ids).toEqual(others(60, large))
    expect(rejected.every((item) => item === 'null too-large')).toBe(true)
    expect(rejected.length).toBeLessThanOrEqual(2)
  })

  test('prove the access by the status alone', async () => {
    await using double = await listen(
      consented(
        () => ({ status: 403, json: { error: { code: 'Forbidden', message: giant } } }),
        (tenant) => appToken(tenant, roles),
      ),
    )
    const { microsoft } = connect(double.origin, { incidentsApi: api })
    const { refusal, calls } = await microsoft.checkAccess(contoso)
    expect([calls[0]?.status, refusal?.facts.status, refusal?.facts.error]).toEqual([
      403,
      403,
      expect.not.stringContaining('large'),
    ])
  })
})

onEachEngine('a customer whose newest incident is too large', (engine) => {
  test.each(['defender', 'graph'] as const)('is connected and read on %s', async (api) => {
    const items = [1, 2, 9].map((n) => ({ n, large: n === 9 }))
    await using double = await listen((call) => {
      const [, id, part] = /\/incidents(?:\/([^/]+))?(?:\/(alerts))?$/.exec(call.path) ?? []
      if (part !== undefined) return { json: { value: [] } }
      if (id === undefined) return answering(api, items)(call)
      return { json: { ...(api === 'graph' ? graphIncident({ id }) : defenderIncident({ incidentId: id })), giant } }
    })
    const here = await startTestPortal(engine, {
      config: { incidentsApi: api, defenderUrl: double.origin, graphUrl: double.origin },
    })
    if (api === 'graph') {
      const { requiredResources } = here.simulator.world.registration(here.portal.config.app.clientId)
      requiredResources.push({ resource: 'graph', roles: ['SecurityIncident.Read.All'] })
    }
    const { tenant } = await connected(here, 'Contoso')
    const { db } = here.portal
    expect((await getTenant(db, tenant.id)).accessState).toBe('active')
    const rows = await db.selectFrom('incidents').select('incident_id').orderBy('incident_id').execute()
    expect(rows.map((row) => row.incident_id)).toEqual(['1', '2'])
    const rejected = async () => (await rejectedOf(db, tenant.id)).map(({ item, reason }) => [item, reason])
    expect(await rejected()).toEqual([['9', 'too-large']])
    await run(here, 2 * hour)
    expect(await rejected()).toEqual([['9', 'too-large']])
    expect((await syncsOf(db, tenant.id, 50)).filter(({ outcome }) => outcome === 'failed')).toEqual([])
    await here.close()
  })
})

describe('the beginning of a list that is cut', () => {
  const head = (text: string) => ({ ...firstItemIn(Buffer.from(text)) })
  test.each([
    [
      '{"@odata.context":"x","value":[{"id":"1","n":2,"deep":{"a":[1,{"b":"}"}]},"at":"t","cut":"never',
      { id: '1', n: 2, at: 't' },
    ],
    ['{"value":[{"id":"1","deep":{"a":', { id: '1' }],
    ['{"value":[{"id":"a\\"b","null":null,"yes":true,"n":12', { id: 'a"b', null: null, yes: true }],
    ['{"value":[{"id":1},{"id":2', { id: 1 }],
    ['{"value":[{', {}],
    ['{"value":[]}', {}],
    ['<html>', {}],
    ['', {}],
  ])('%s', (text, fields) => {
    expect(head(text)).toEqual(fields)
  })
})
