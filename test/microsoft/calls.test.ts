import { describe, expect, test } from '@jest/globals'
import type { Config } from '../../server/config/config.ts'
import { microsoftCalls } from '../../server/metrics.ts'
import { defenderIncidents } from '../../server/microsoft/incidents/defender.ts'
import { readItems } from '../../server/microsoft/incidents/incidents.ts'
import { partialIn } from '../../server/microsoft/incidents/partial.ts'
import type { CallMeter, Microsoft } from '../../server/microsoft/microsoft.ts'
import { outbound } from '../../server/microsoft/wire/http.ts'
import type { IncidentPage } from '../../server/model/incident.ts'
import { Refusal } from '../../server/model/refusal.ts'
import { configFor, connect, consented, contoso, fabrikam, type Handler, listen } from '../support/microsoft.ts'
import { defenderAlert, defenderIncident, graphAlert, graphIncident } from '../support/payloads.ts'
import { afterMs, turnsOfLoop } from '../support/slow.ts'

type Api = Config['incidentsApi']

/** Notes for each request to the API how many had been asked for by then. */
function meterOf(most = Number.POSITIVE_INFINITY) {
  const meter = {
    taken: 0,
    async take() {
      if (meter.taken >= most) {
        throw new Refusal('throttled', { at: '', error: 'own_budget' }, { retryAfterMs: 1_234 })
      }
      meter.taken++
    },
  }
  return meter
}

async function pagesOf(microsoft: Microsoft, calls?: CallMeter): Promise<IncidentPage[]> {
  const pages: IncidentPage[] = []
  for await (const page of microsoft.listIncidents(contoso, {}, calls)) pages.push(page)
  return pages
}

async function at(handler: Handler, api: Api = 'defender') {
  const double = await listen(consented(handler))
  const { microsoft, lines } = connect(double.origin, { incidentsApi: api })
  const asked = () => double.calls.filter(({ path }) => !path.endsWith('/token')).length
  return { microsoft, lines, asked, double, [Symbol.asyncDispose]: () => double[Symbol.asyncDispose]() }
}

const many = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => defenderIncident({ incidentId: from + index, alerts: [] }))

describe('the meter of a tenant’s calls', () => {
  test('is asked before every request to the API, and not before one for a token', async () => {
    const all = many(0, 250)
    let before = -1
    const meter = meterOf()
    await using stage = await at((call) => {
      expect(meter.taken).toBe(stage.asked())
      if (before < 0) before = meter.taken
      const skip = Number(call.query.get('$skip') ?? 0)
      return { json: { value: all.slice(skip, skip + 100) } }
    })
    await pagesOf(stage.microsoft, meter)
    expect(before).toBe(1)
    expect(meter.taken).toBe(3)
    expect(stage.double.tokenCalls()).toHaveLength(1)
  })

  test.each([500, 503])('is asked again for each try after a %i, four at most', async (status) => {
    await using stage = await at(() => ({ status }))
    const meter = meterOf()
    await expect(pagesOf(stage.microsoft, meter)).rejects.toMatchObject({ code: 'unavailable' })
    expect([stage.asked(), meter.taken]).toEqual([4, 4])
  })

  test('is asked for both calls of a token that is refused for good', async () => {
    await using stage = await at(() => ({ status: 401 }))
    const meter = meterOf()
    await expect(pagesOf(stage.microsoft, meter)).rejects.toMatchObject({ code: 'unauthorized' })
    expect([stage.asked(), meter.taken]).toEqual([2, 2])
  })

  test('ends a list with its own refusal, and keeps the pages that came', async () => {
    const all = many(0, 500)
    await using stage = await at((call) => {
      const skip = Number(call.query.get('$skip') ?? 0)
      return { json: { value: all.slice(skip, skip + 100) } }
    })
    const pages: IncidentPage[] = []
    const read = async () => {
      for await (const page of stage.microsoft.listIncidents(contoso, {}, meterOf(2))) pages.push(page)
    }
    await expect(read()).rejects.toMatchObject({
      code: 'throttled',
      retryAfterMs: 1_234,
      facts: { error: 'own_budget' },
    })
    expect(stage.asked()).toBe(2)
    expect(pages).toHaveLength(2)
  })

  test('ends a repeated try as well', async () => {
    await using stage = await at(() => ({ status: 503 }))
    await expect(pagesOf(stage.microsoft, meterOf(1))).rejects.toMatchObject({ facts: { error: 'own_budget' } })
    expect(stage.asked()).toBe(1)
  })

  test('is asked for one incident and for the pages of its alerts', async () => {
    await using stage = await at((call) => {
      const skip = Number(call.query.get('$skip') ?? 0)
      if (!call.path.endsWith('/alerts')) return { json: graphIncident({ alerts: undefined }) }
      const next = `http://${call.headers.host}${call.path}?$skip=${skip + 1}`
      return { json: { value: [graphAlert({ id: `a${skip}` })], ...(skip < 6 ? { '@odata.nextLink': next } : {}) } }
    }, 'graph')
    const meter = meterOf()
    expect((await stage.microsoft.alertsOf(contoso, '4711', meter)).alerts).toHaveLength(7)
    expect(meter.taken).toBe(7)
    expect((await stage.microsoft.readIncident(contoso, '4711', meter)).found).toMatchObject({
      id: '4711',
      alerts: null,
    })
    expect(meter.taken).toBe(8)
    await expect(stage.microsoft.alertsOf(contoso, '4711', meterOf(3))).rejects.toMatchObject({ code: 'throttled' })
  })

  test('may keep a request waiting longer than the request itself may take', async () => {
    await using double = await listen(() => ({ json: {} }))
    const send = outbound({ fetch, now: () => new Date() })
    const request = { url: double.origin, deadlineMs: 150, limitBytes: 1_000, tries: 1 }
    expect((await send({ ...request, before: () => afterMs(400) })).status).toBe(200)
  })
})

describe('a throttled list', () => {
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toUTCString()
  test.each<[string | null, (ms: number | null) => void, number]>([
    ['0', (ms) => expect(ms).toBe(0), 4],
    ['-5', (ms) => expect(ms).toBeNull(), 1],
    ['junk', (ms) => expect(ms).toBeNull(), 1],
    [null, (ms) => expect(ms).toBeNull(), 1],
    ['1000000000', (ms) => expect(ms).toBe(900_000), 1],
    ['20', (ms) => expect(ms).toBe(20_000), 1],
    [inSeconds(600), (ms) => expect(ms).toBeGreaterThan(60_000), 1],
    [inSeconds(-600), (ms) => expect(ms).toBe(0), 4],
  ])('that says “Retry-After: %s” hands on how long, within four tries', async (value, check, tries) => {
    await using stage = await at(() => ({ status: 429, headers: value === null ? {} : { 'retry-after': value } }))
    const meter = meterOf()
    const error = await pagesOf(stage.microsoft, meter).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'throttled' })
    check((error as Refusal).retryAfterMs)
    expect([stage.asked(), meter.taken]).toEqual([tries, tries])
  })
})

describe('a service that hangs', () => {
  const send = outbound({ fetch, now: () => new Date() })

  test('is given up at the deadline of all tries together', async () => {
    await using double = await listen(() => 'handled')
    await expect(
      send({ url: double.origin, answerMs: 100, deadlineMs: 1_200, limitBytes: 1_000, tries: 40 }),
    ).rejects.toMatchObject({ code: 'unavailable', facts: { error: 'timeout' } })
    expect(double.calls.length).toBeGreaterThan(1)
    expect(double.calls.length).toBeLessThan(40)
  })

  test('once is asked again as soon as it has not said a word for too long', async () => {
    let turn = 0
    await using double = await listen(() => (turn++ === 0 ? 'handled' : { json: { ok: true } }))
    const answer = await send({ url: double.origin, answerMs: 150, deadlineMs: 5_000, limitBytes: 1_000, tries: 2 })
    expect(answer.status).toBe(200)
  })

  test('in the middle of a page has until the deadline', async () => {
    await using double = await listen((_call, response) => {
      response.writeHead(200).write('{')
      void afterMs(400).then(() => response.end('}'))
      return 'handled'
    })
    const answer = await send({ url: double.origin, answerMs: 150, deadlineMs: 5_000, limitBytes: 1_000, tries: 1 })
    expect(answer.text).toBe('{}')
  })
})

test('an answer with something missing (206) is read and marked, and its warning is logged', async () => {
  const warning = '199 - "Microsoft/Defender/504/10001"'
  await using stage = await at(() => ({ status: 206, headers: { warning }, json: { value: many(1, 3) } }))
  const [page] = await pagesOf(stage.microsoft)
  expect(page).toMatchObject({ partial: { sources: [{ name: 'Microsoft/Defender', status: 504 }] } })
  expect(page?.incidents).toHaveLength(3)
  expect(stage.lines.join()).toContain('Microsoft/Defender/504/10001')
  const { refusal, calls } = await stage.microsoft.checkAccess(contoso)
  expect(refusal).toBeNull()
  expect(calls[0]).toMatchObject({ status: 206, partial: { sources: [{ name: 'Microsoft/Defender', status: 504 }] } })
})

test.each([
  ['206 without a word', 206, null, []],
  ['206 with a word of another kind', 206, '299 - "Deprecated"', []],
  ['200 with the word', 200, '199 - "Microsoft/WDATP/401/228"', [['Microsoft/WDATP', 401]]],
  [
    'several sources, one of them twice',
    206,
    '199 - "Microsoft/WDATP/401/228", 199 - "Microsoft/MCAS/504", 199 - "Microsoft/WDATP/403/9"',
    [
      ['Microsoft/WDATP', 403],
      ['Microsoft/MCAS', 504],
    ],
  ],
  ['markup in a name', 206, '199 - "Micro<b>soft/WD=ATP/403/9"', [['Microbsoft/WDATP', 403]]],
])('what an answer lacks is read from %s', (_, status, warning, sources) => {
  const headers = new Headers(warning === null ? {} : { warning })
  expect(partialIn({ status, headers })?.sources.map((source) => [source.name, source.status])).toEqual(sources)
  expect(partialIn({ status: 200, headers: new Headers({ warning: '110 - "Response is Stale"' }) })).toBeNull()
})

describe('one incident by its ID', () => {
  test('comes with its alerts from the Defender API', async () => {
    await using stage = await at((call) => {
      expect(call.path).toBe('/api/incidents/4711')
      return { json: defenderIncident() }
    })
    const { found } = await stage.microsoft.readIncident(contoso, '4711')
    expect(found).toMatchObject({ id: '4711', alerts: [{ title: 'Suspicious access to LSASS' }] })
  })

  test.each([
    ['of the incident', 'ResourceNotFound', 'Incident 4711 was not found', true],
    ['of the incident in a tenant', 'NotFound', 'Incident 4711 not found in tenant Contoso.', true],
    ['of the incident in words alone', 'UnknownError', 'The incident does not exist.', true],
    ['of the tenant', 'UnknownTenantId', 'Tenant is unknown.', false],
    ['of the tenant, as not found', 'TenantNotFound', '', false],
    ['of a tenant under the same code', 'ResourceNotFound', 'The tenant with ID 1 was not found.', false],
    ['of no service', 'NotFound', 'The tenant is not provisioned.', false],
    ['of nothing', '', '', false],
  ])('is gone by a 404 that speaks %s alone', async (_, code, message, gone) => {
    await using stage = await at(() => ({ status: 404, json: { error: { code, message } } }))
    const asked = stage.microsoft.readIncident(contoso, '4711')
    if (gone) expect(await asked).toEqual({ found: null, partial: null })
    else await expect(asked).rejects.toMatchObject({ name: 'Refusal', unknownItem: false })
  })

  test('is not gone by a 404 of a gateway', async () => {
    await using stage = await at(() => ({ status: 404, text: '<html>Not Found</html>' }))
    await expect(stage.microsoft.readIncident(contoso, '4711')).rejects.toMatchObject({ name: 'Refusal' })
  })

  test('that Microsoft knows no longer is null', async () => {
    for (const api of ['defender', 'graph'] as const) {
      await using stage = await at(() => ({ status: 404, json: { error: { code: 'ResourceNotFound' } } }), api)
      expect((await stage.microsoft.readIncident(contoso, '4711')).found).toBeNull()
    }
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['another tenant', { tenantId: fabrikam }, 'other-tenant'],
    ['another incident', { incidentId: 4712 }, 'unreadable'],
    ['no incident', { incidentId: null }, 'no-id'],
    ['no time', { createdTime: null, lastUpdateTime: null }, 'no-time'],
  ])('that names %s is rejected', async (_name, changes, reason) => {
    await using stage = await at(() => ({ json: defenderIncident(changes) }))
    expect((await stage.microsoft.readIncident(contoso, '4711')).found).toMatchObject({ reason })
  })

  test.each([403, 500])('refused with %i is refused, and not gone', async (status) => {
    await using stage = await at(() => ({ status, json: {} }))
    await expect(stage.microsoft.readIncident(contoso, '4711')).rejects.toMatchObject({ name: 'Refusal' })
  })
})

test('every request is counted by API and status', async () => {
  const counted = async (api: string, status: string) =>
    (await microsoftCalls.get()).values.find(({ labels }) => labels.api === api && String(labels.status) === status)
      ?.value ?? 0
  const before = [await counted('token', '200'), await counted('defender', '503'), await counted('defender', '200')]
  let turn = 0
  await using stage = await at(() => (turn++ === 0 ? { status: 503 } : { json: { value: [] } }))
  await pagesOf(stage.microsoft)
  const after = [await counted('token', '200'), await counted('defender', '503'), await counted('defender', '200')]
  expect(after.map((value, index) => value - (before[index] ?? 0))).toEqual([1, 1, 1])
  const lost = await counted('other', 'none')
  const send = outbound({ fetch, now: () => new Date() })
  await send({ url: 'http://127.0.0.1:1', deadlineMs: 500, limitBytes: 1, tries: 1 }).catch(() => undefined)
  expect((await counted('other', 'none')) - lost).toBe(1)
})

describe('a heavy list', () => {
  /** 60 KB each. */
  const heavyAlerts = Array.from({ length: 40 }, (_, index) => defenderAlert({ alertId: `da${index}` }))
  const all = Array.from({ length: 300 }, (_, index) => defenderIncident({ incidentId: index, alerts: heavyAlerts }))

  test('is asked for in smaller pages, read whole, and never holds up everything else', async () => {
    const tops: number[] = []
    await using stage = await at((call) => {
      const [top, skip] = [Number(call.query.get('$top')), Number(call.query.get('$skip') ?? 0)]
      tops.push(top)
      return { json: { value: all.slice(skip, skip + top) } }
    })
    const read = (await pagesOf(stage.microsoft)).flatMap(({ incidents }) => incidents)
    expect(new Set(read.map(({ id }) => id)).size).toBe(300)
    expect(tops[0]).toBe(100)
    expect(Math.max(...tops.slice(1))).toBeLessThan(60)
  })

  test('lets others run while a page is read', async () => {
    const body = { value: all.slice(0, 100) }
    const source = defenderIncidents(configFor('http://127.0.0.1:1'))
    const items = Array.from({ length: 5 }, () => body.value).flat()
    const loop = turnsOfLoop()
    const started = performance.now()
    await readItems(source, items, contoso, 0)
    loop.stop()
    // A turn of the event loop about every 8 ms.
    expect(performance.now() - started).toBeGreaterThan(60)
    expect(loop.turns()).toBeGreaterThan(4)
  })
})
