import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Config } from '../../server/config/config.ts'
import { defenderIncidents } from '../../server/microsoft/incidents/defender.ts'
import { readIncidents } from '../../server/microsoft/incidents/lists.ts'
import { instantOf, portalAddress } from '../../server/microsoft/wire/reading.ts'
import type { IncidentPage, IncidentQuery, RemoteIncident } from '../../server/model/incident.ts'
import { Refusal } from '../../server/model/refusal.ts'
import {
  appToken,
  type Call,
  configFor,
  connect,
  consented,
  contoso,
  fabrikam,
  type Handler,
  listen,
  tenantIn,
  tokenReply,
} from '../support/microsoft.ts'
import { defenderAlert, defenderIncident, graphAlert, graphIncident } from '../support/payloads.ts'
import { publicFixture } from '../support/public-fixtures.ts'

type Api = Config['incidentsApi']

async function list(handler: Handler, api: Api = 'defender', query: IncidentQuery = {}) {
  await using double = await listen(
    consented(handler, (tenant) => appToken(tenant, { roles: ['Incident.Read.All', 'SecurityIncident.Read.All'] })),
  )
  const { microsoft, lines } = connect(double.origin, { incidentsApi: api })
  const pages: IncidentPage[] = []
  let error: unknown
  try {
    for await (const page of microsoft.listIncidents(contoso, query)) pages.push(page)
  } catch (thrown) {
    error = thrown
  }
  const calls = double.calls.filter(({ path }) => !path.endsWith('/token'))
  return {
    pages,
    error,
    lines,
    calls,
    tokens: double.tokenCalls().length,
    incidents: pages.flatMap(({ incidents }) => incidents),
    rejected: pages.flatMap(({ rejected }) => rejected),
  }
}

const one = async (api: Api, record: unknown) => (await list(() => ({ json: { value: [record] } }), api)).incidents[0]
const page = (...value: unknown[]) => ({ json: { value } })
const textOf = (read: RemoteIncident | undefined) => Buffer.from(read?.original ?? []).toString()

describe('an incident of the Defender API', () => {
  test('is read with its alerts and entities', async () => {
    const record = defenderIncident()
    const read = await one('defender', record)
    expect(read).toMatchObject({
      id: '4711',
      redirectId: null,
      title: 'Credential dumping on one endpoint',
      severity: 'unknown',
      rawSeverity: 'UnSpecified',
      status: 'active',
      rawStatus: 'Active',
      classification: 'unknown',
      determination: 'notAvailable',
      createdAt: '2026-11-19T21:04:05.1366667Z',
      lastUpdateAt: '2026-11-20T06:07:08.3200000Z',
      webUrl: `https://security.microsoft.com/incident2/4711/overview?tid=${contoso}`,
    })
    expect(JSON.parse(textOf(read))).toEqual(record)
    const [alert] = read?.alerts ?? []
    expect(alert).toMatchObject({
      severity: 'high',
      status: 'new',
      serviceSource: 'microsoftDefenderForEndpoint',
      techniques: ['T1003.001'],
      lastActivityAt: '2026-11-19T21:03:00.1230000Z',
    })
    expect(alert?.entities.map(({ kind, name, detail }) => [kind, name, detail])).toEqual([
      ['device', 'SRV-01.contoso.example', 'WindowsServer2022 21H2'],
      ['user', 'CONTOSO\\k.lund', 'S-1-5-21-1'],
      ['user', 'S-1-5-21-2', null],
      ['ip', 'fe80::8505:87aa:de7a:4c9f', null],
      ['url', 'https://phish.example/a?b=c', null],
      ['file', 'tool.exe', 'e3b0'],
      ['process', 'tool.exe', 'tool.exe -dump'],
      ['mailbox', 'k.lund@contoso.example', 'Karin Lund'],
      ['mail', 'Invoice', 'a@b.example'],
      ['mail', 'Subject;P2SenderDomain', null],
      ['registry', 'HKLM\\SOFTWARE\\Run', 'x'],
      ['group', 'Domain Admins', 'S-1-5-21-512'],
      ['other', 'q1', 'QuantumDevice'],
      ['file', 'File', null],
    ])
    expect(alert?.entities[5]?.verdict).toBe('malicious')
  })

  test('that was merged leads to its survivor', async () => {
    const merged = defenderIncident({ status: 'Redirected', redirectIncidentId: 261, alerts: [] })
    expect(await one('defender', merged)).toMatchObject({ status: 'redirected', redirectId: '261', alerts: [] })
  })

  test.each([
    ['MicrosoftDefenderForEndpoint', 'microsoftDefenderForEndpoint'],
    ['MicrosoftDefenderATP', 'microsoftDefenderForEndpoint'],
    ['WindowsDefenderAtp', 'microsoftDefenderForEndpoint'],
    ['OfficeATP', 'microsoftDefenderForOffice365'],
    ['MicrosoftCloudAppSecurity', 'microsoftDefenderForCloudApps'],
    ['SomethingNew', 'somethingNew'],
    [null, null],
  ])('names the source %s as %s', async (serviceSource, expected) => {
    const read = await one('defender', defenderIncident({ alerts: [defenderAlert({ serviceSource })] }))
    expect(read?.alerts?.[0]?.serviceSource).toBe(expected)
  })
})

describe('an incident of Graph', () => {
  test('is read, and says that its alerts are elsewhere', async () => {
    expect(await one('graph', graphIncident())).toMatchObject({
      id: '4711',
      severity: 'medium',
      status: 'active',
      classification: 'truePositive',
      tags: ['Demo', 'Defender Experts'],
      priority: 42,
      lastUpdateAt: '2026-11-20T06:07:08.0000000Z',
      webUrl: 'https://security.microsoft.com/incident2/4711/overview?tid=11111111-aaaa-4bbb-8ccc-0123456789ab',
      alerts: null,
    })
  })

  test('may carry the keys of Microsoft’s samples instead of the service’s', async () => {
    const { customTags: _, systemTags: __, ...rest } = graphIncident()
    const comments = [
      { comment: 'one', createdByDisplayName: 'Ines', createdDateTime: '2026-11-20T06:00:00Z' },
      { comment: 'two', createdBy: 'Tomasz', createdTime: '2026-11-20T06:00:00Z' },
      { comment: null },
      'three',
    ]
    const read = await one('graph', { ...rest, tags: ['Old'], comments })
    expect(read?.tags).toEqual(['Old'])
    expect(read?.comments).toEqual([
      { text: 'one', by: 'Ines', at: '2026-11-20T06:00:00.0000000Z' },
      { text: 'two', by: 'Tomasz', at: '2026-11-20T06:00:00.0000000Z' },
    ])
  })

  test('keeps the words it does not know', async () => {
    const read = await one(
      'graph',
      graphIncident({ status: 'snoozed', severity: 'catastrophic', determination: 'new1' }),
    )
    expect(read).toMatchObject({
      status: 'unknown',
      rawStatus: 'snoozed',
      severity: 'unknown',
      rawSeverity: 'catastrophic',
      determination: 'new1',
    })
    expect((await one('graph', graphIncident({ status: 'awaitingAction' })))?.status).toBe('awaitingAction')
  })

  test.each([
    'javascript:alert(1)',
    'http://security.microsoft.com/incident2/1',
    'https://security.microsoft.com.evil.example/',
    'https://security.microsoft.com@evil.example/',
    'https://user:word@security.microsoft.com/',
    'https://security.microsoft.com:8443/',
    'https://sеcurity.microsoft.com/',
    'data:text/html,x',
    '//evil.example',
    '',
    42,
  ])('leads nowhere when its address is %s', async (incidentWebUrl) => {
    expect((await one('graph', graphIncident({ incidentWebUrl })))?.webUrl).toBeNull()
  })

  test('may stand on the portal of another of Microsoft’s clouds', () => {
    expect(portalAddress('https://security.microsoft.us/incidents/1')).toBe('https://security.microsoft.us/incidents/1')
  })
})

describe('bad items', () => {
  test.each<[string, unknown, string]>([
    ['null', null, 'not-an-object'],
    ['a list', [], 'not-an-object'],
    ['text', 'incident', 'not-an-object'],
    ['no ID', defenderIncident({ incidentId: null }), 'no-id'],
    ['an ID that is a path', defenderIncident({ incidentId: '../1' }), 'no-id'],
    ['no time', defenderIncident({ createdTime: null, lastUpdateTime: undefined }), 'no-time'],
    [
      'a time that would carry the cursor away',
      defenderIncident({ lastUpdateTime: '9999-12-31T23:59:59Z', createdTime: null }),
      'no-time',
    ],
    ['another tenant', defenderIncident({ tenantId: fabrikam }), 'other-tenant'],
  ])('with %s are rejected alone', async (_name, bad, reason) => {
    const { incidents, rejected, lines } = await list(() =>
      page(defenderIncident(), bad, defenderIncident({ incidentId: 2 })),
    )
    expect(incidents.map(({ id }) => id)).toEqual(['4711', '2'])
    expect(rejected).toMatchObject([{ reason }])
    expect(lines.join()).not.toContain('Credential dumping')
  })

  test('of more than five megabytes are rejected alone', async () => {
    const huge = defenderIncident({ incidentId: 3, alerts: [defenderAlert({ junk: 'x'.repeat(6_000_000) })] })
    const { incidents, rejected } = await list(() => page(defenderIncident(), huge))
    expect(incidents).toHaveLength(1)
    expect(rejected).toMatchObject([{ id: '3', reason: 'too-large' }])
  })

  test('with fields of the wrong kind are read as far as they go', async () => {
    const odd = defenderIncident({
      incidentName: { text: 'x' },
      tags: 'a',
      comments: { 0: 'x' },
      alerts: [null, 7, { entities: 'none', devices: [null, {}], mitreTechniques: [1, null, 'T1'] }],
      classification: ['x'],
      redirectIncidentId: 0.5,
      assignedTo: true,
    })
    expect(await one('defender', odd)).toMatchObject({
      title: '#4711',
      tags: [],
      comments: [],
      classification: null,
      assignedTo: null,
      alerts: [
        {
          id: 'unnamed-1',
          title: 'unnamed-1',
          techniques: ['1', 'T1'],
          entities: [{ kind: 'device', name: 'device' }],
        },
      ],
    })
  })

  test('carry no NUL further, which PostgreSQL would refuse, and show where one was', async () => {
    const read = await one('defender', defenderIncident({ incidentName: 'a\0b', junk: { deep: ['c\0d'] } }))
    expect(read?.title).toBe('a\ufffdb')
    expect(textOf(read)).not.toContain('\\u0000')
  })

  test('of any shape never stop a page', async () => {
    const source = defenderIncidents(configFor('http://127.0.0.1:1'))
    const anything = fc.oneof(
      fc.anything(),
      fc.record({ incidentId: fc.anything(), createdTime: fc.anything(), alerts: fc.anything() }),
    )
    const sample = fc.sample(fc.array(anything, { maxLength: 50 }), 30)
    for (const items of sample) {
      const get = async () => ({ body: { value: items }, bytes: 0 })
      const read: IncidentPage[] = []
      const paging = {
        source,
        tenantId: contoso,
        query: {},
        get,
        now: () => new Date(),
        log: connect('http://127.0.0.1:1') as never,
      }
      const log = { warn: () => undefined } as never
      for await (const got of readIncidents({ ...paging, log })) read.push(got)
      expect(read.flatMap(({ incidents, rejected }) => [...incidents, ...rejected])).toHaveLength(items.length)
    }
  })
})

test('times become seven digits of UTC, so that text order is time order', () => {
  expect(instantOf('2026-11-20T06:07:08Z')).toBe('2026-11-20T06:07:08.0000000Z')
  expect(instantOf('2026-11-20T06:07:08.1Z')).toBe('2026-11-20T06:07:08.1000000Z')
  expect(instantOf('2026-11-20T06:07:08.1234567Z')).toBe('2026-11-20T06:07:08.1234567Z')
  expect(instantOf('2026-11-20T06:07:08.123456789Z')).toBe('2026-11-20T06:07:08.1234567Z')
  expect(instantOf('2026-11-20T06:07:08')).toBe('2026-11-20T06:07:08.0000000Z')
  expect(instantOf('2026-11-20T08:07:08.5+02:00')).toBe('2026-11-20T06:07:08.5000000Z')
  for (const bad of ['', 'yesterday', '2026-13-01T00:00:00Z', '2026-02-31', '0001-01-01T00:00:00Z', '1700000000'])
    expect(instantOf(bad)).toBeNull()
})

describe('a list is asked for', () => {
  test('as the Defender API wants it', async () => {
    const query = {
      updatedSince: '2026-11-20T06:00:00.1234567Z',
      createdSince: '2026-11-01T00:00:00.0000000Z',
      status: 'inProgress',
    } as const
    const { calls } = await list(() => page(), 'defender', query)
    expect(calls).toHaveLength(1)
    expect(calls[0]?.path).toBe('/api/incidents')
    expect(Object.fromEntries(calls[0]?.query ?? [])).toEqual({
      $top: '100',
      $filter:
        "lastUpdateTime ge 2026-11-20T06:00:00.1234567Z and createdTime ge 2026-11-01T00:00:00.0000000Z and status eq 'InProgress'",
    })
  })

  test('as Graph wants it', async () => {
    const { calls } = await list(() => page(), 'graph', {
      updatedSince: '2026-11-20T06:00:00.1234567Z',
      status: 'active',
    })
    expect(calls[0]?.path).toBe('/v1.0/security/incidents')
    expect(calls[0]?.headers.prefer).toBe('include-unknown-enum-members')
    expect(Object.fromEntries(calls[0]?.query ?? [])).toEqual({
      $top: '50',
      $orderby: 'lastUpdateDateTime asc',
      $count: 'true',
      $filter: "lastUpdateDateTime ge 2026-11-20T06:00:00.1234567Z and status eq 'active'",
    })
  })

  test('without an order where Graph refuses one', async () => {
    const { calls, incidents } = await list(
      (call) =>
        call.query.has('$orderby') ? { status: 400, json: { error: { code: 'BadRequest' } } } : page(graphIncident()),
      'graph',
    )
    expect(calls).toHaveLength(2)
    expect(incidents).toHaveLength(1)
  })
})

describe('pages', () => {
  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => defenderIncident({ incidentId: from + index, alerts: [] }))

  test('go on by $skip while they come full, each showing the end of the one before', async () => {
    const { incidents, calls } = await list((call) =>
      page(...many(0, 230).slice(Number(call.query.get('$skip') ?? 0), Number(call.query.get('$skip') ?? 0) + 100)),
    )
    expect(calls.map(({ query }) => query.get('$skip'))).toEqual([null, '98', '196'])
    expect(incidents).toHaveLength(230)
  })

  test('go on by the service’s own link where there is one, even after a short page', async () => {
    const { incidents, calls } = await list((call) => ({
      json: call.query.has('$skiptoken')
        ? { value: many(3, 1) }
        : { value: many(1, 2), '@odata.nextLink': `http://${call.headers.host}/api/incidents?$skiptoken=a%2Bb&x=%20` },
    }))
    expect(incidents).toHaveLength(3)
    expect(calls[1]?.query.get('$skiptoken')).toBe('a+b')
  })

  test('end with a page that is not full', async () => {
    expect((await list(() => page(...many(1, 99)))).calls).toHaveLength(1)
  })

  test('that are empty end the list', async () => {
    const { calls, error } = await list(() => page())
    expect(calls).toHaveLength(1)
    expect(error).toBeUndefined()
  })

  const refusedLinks: [string, (call: Call, canary: string) => unknown][] = [
    ['another host', (_call, canary) => `${canary}/api/incidents`],
    ['another port', () => 'http://127.0.0.1:1/api/incidents'],
    ['a user name', (call) => `http://user:word@${call.headers.host}/api/incidents`],
    ['our host as user name', (call, canary) => `http://${call.headers.host}@${canary.slice(7)}/api/incidents`],
    ['https elsewhere', () => 'https://graph.microsoft.com/api/incidents'],
    ['a look-alike', () => 'http://127.0.0.1.evil.example/api/incidents'],
    ['another path', (call) => `http://${call.headers.host}/api/machines`],
    ['a path that climbs', (call) => `http://${call.headers.host}/api/incidents/../../v1.0/users`],
    ['no scheme', (call) => `//${call.headers.host}/api/incidents`],
    ['a relative address', () => '/api/incidents?$skip=100'],
    ['javascript', () => 'javascript:alert(1)'],
    ['a file', () => 'file:///etc/passwd'],
    ['a list', (call) => [`http://${call.headers.host}/api/incidents`]],
    ['a number', () => 42],
    ['nothing', () => ''],
    ['endless text', (call) => `http://${call.headers.host}/api/incidents?${'x'.repeat(9_000)}`],
  ]
  test.each(refusedLinks)('are not followed to %s', async (_name, link) => {
    await using canary = await listen(() => page())
    const { error, pages, calls } = await list((call) => ({
      json: { value: many(1, 2), '@odata.nextLink': link(call, canary.origin) },
    }))
    expect(error).toMatchObject({ name: 'Refusal', code: 'unexpected-answer' })
    expect(pages).toHaveLength(1)
    expect(calls).toHaveLength(1)
    expect(canary.calls).toEqual([])
  })

  test('that lead to themselves end', async () => {
    const { error, calls } = await list((call) => ({
      json: { value: many(1, 2), '@odata.nextLink': `http://${call.headers.host}/api/incidents?$skiptoken=1` },
    }))
    expect(error).toMatchObject({ code: 'unexpected-answer', facts: { error: 'same_page_again' } })
    expect(calls).toHaveLength(2)
  })

  test('that are always the same end, whatever $skip says', async () => {
    const { error, calls } = await list(() => page(...many(1, 100)))
    expect(error).toMatchObject({ code: 'unexpected-answer', facts: { error: 'same_page_again' } })
    expect(calls).toHaveLength(2)
  })

  test('without end are ended, by count and by time', async () => {
    const source = defenderIncidents(configFor('http://127.0.0.1:1'))
    let served = 0
    const get = async () => ({
      body: {
        value: many(served++ * 2, 2),
        '@odata.nextLink': `http://127.0.0.1:1/api/incidents?$skiptoken=${served}`,
      },
      bytes: 0,
    })
    const run = async (limits: object) => {
      const paging = {
        source,
        tenantId: contoso,
        query: {},
        get,
        now: () => new Date(),
        log: { warn: () => undefined } as never,
      }
      for await (const _page of readIncidents({ ...paging, limits: { pages: 1_000, ms: 60_000, ...limits } }));
    }
    await expect(run({ pages: 7 })).rejects.toMatchObject({ facts: { error: 'too_many_pages' } })
    expect(served).toBe(7)
    await expect(run({ ms: 5 })).rejects.toMatchObject({ facts: { error: 'pages_without_end' } })
  })

  test('that are too large are asked for in smaller pieces', async () => {
    const source = defenderIncidents(configFor('http://127.0.0.1:1'))
    const all = many(0, 230)
    const asked: string[] = []
    const get = async (url: string) => {
      const { searchParams } = new URL(url)
      const [top, skip] = [Number(searchParams.get('$top')), Number(searchParams.get('$skip') ?? 0)]
      asked.push(`${top}@${skip}`)
      if (skip <= 7 && skip + top > 7) throw new Refusal('unexpected-answer', { at: '', error: 'answer_too_large' })
      return { body: { value: all.slice(skip, skip + top) }, bytes: 0 }
    }
    const read: IncidentPage[] = []
    for await (const got of readIncidents({
      source,
      tenantId: contoso,
      query: {},
      get,
      now: () => new Date(),
      log: { warn: () => undefined } as never,
    }))
      read.push(got)
    expect(read.flatMap(({ incidents }) => incidents.map(({ id }) => Number(id))).sort((a, b) => a - b)).toEqual(
      all.map(({ incidentId }) => incidentId).filter((id) => id !== 7),
    )
    expect(read.flatMap(({ rejected }) => rejected)).toMatchObject([{ reason: 'too-large' }])
    expect(asked.length).toBeLessThan(25)
  })
})

describe('a long list of Graph', () => {
  const at = (index: number) =>
    `2026-11-20T00:${String(Math.floor(index / 60)).padStart(2, '0')}:${String(index % 60).padStart(2, '0')}Z`
  /** Graph over these records, in order of change, which gives nothing beyond `wall`. */
  const graphOf =
    (records: Record<string, unknown>[], wall: number): Handler =>
    (call) => {
      const since = /ge (\S+)/.exec(call.query.get('$filter') ?? '')?.[1] ?? ''
      const found = records.filter(({ lastUpdateDateTime }) => (instantOf(String(lastUpdateDateTime)) ?? '') >= since)
      const skip = Number(call.query.get('$skip') ?? 0)
      return page(...found.slice(skip, Math.min(skip + 50, wall)))
    }

  test('is read on from the last change, with ties neither lost nor doubled', async () => {
    const records = Array.from({ length: 333 }, (_, index) =>
      graphIncident({ id: String(index), lastUpdateDateTime: at(Math.floor(index / 7)) }),
    )
    const { incidents, error } = await list(graphOf(records, 100), 'graph')
    expect(error).toBeUndefined()
    expect(incidents.map(({ id }) => id)).toEqual(records.map(({ id }) => id))
  })

  test('with more in one instant than Graph will give, and nothing to tell them apart by, is refused', async () => {
    const records = Array.from({ length: 200 }, (_, index) =>
      graphIncident({ id: String(index), lastUpdateDateTime: at(1) }),
    )
    const { error, calls } = await list(graphOf(records, 100), 'graph')
    expect(error).toMatchObject({ code: 'unexpected-answer' })
    expect(calls.length).toBeLessThan(20)
  })

  test('of a page or less is asked for once', async () => {
    const records = Array.from({ length: 49 }, (_, index) =>
      graphIncident({ id: String(index), lastUpdateDateTime: at(index) }),
    )
    expect((await list(graphOf(records, 1_000), 'graph')).calls).toHaveLength(1)
  })
})

describe('a list that fails', () => {
  test('with 401 is tried once more with a fresh token, then given up', async () => {
    const { error, calls, tokens } = await list(() => ({ status: 401, json: { error: { code: 'Unauthorized' } } }))
    expect(error).toMatchObject({ code: 'unauthorized' })
    expect(calls).toHaveLength(2)
    expect(tokens).toBe(2)
  })

  test('with 401 for an old token goes on with the fresh one', async () => {
    let turn = 0
    const { error, incidents } = await list(() => (turn++ === 0 ? { status: 401 } : page(defenderIncident())))
    expect(error).toBeUndefined()
    expect(incidents).toHaveLength(1)
  })

  test.each([
    ['60', 60_000],
    ['100000', 900_000],
    ['soon', null],
  ])('with 429 and “Retry-After: %s” says how long, without waiting here', async (value, retryAfterMs) => {
    const { error, calls } = await list(() => ({ status: 429, headers: { 'retry-after': value }, json: {} }))
    expect(error).toMatchObject({ code: 'throttled', retryAfterMs })
    expect(calls).toHaveLength(1)
  })

  test.each<[string, object, string]>([
    ['HTML', { text: '<html>' }, 'unexpected-answer'],
    ['nothing', { text: '' }, 'unexpected-answer'],
    ['half a document', { text: '{"value":[{' }, 'unexpected-answer'],
    ['no list', { json: { items: [] } }, 'unexpected-answer'],
    ['a list of the wrong kind', { json: { value: { 0: 1 } } }, 'unexpected-answer'],
    ['a list at the top', { json: [] }, 'unexpected-answer'],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'unexpected-answer'],
    ['400', { status: 400, json: { error: { code: 'BadRequest', message: 'limit of 50' } } }, 'unexpected-answer'],
    ['404', { status: 404 }, 'unexpected-answer'],
    ...(
      [
        [404, 'UnknownTenantId', '', 'not-set-up'],
        [404, 'NotFound', 'Tenant 1234 was not found.', 'not-set-up'],
        [404, 'ResourceNotFound', '', 'unexpected-answer'],
        [410, 'Gone', 'The tenant was deprovisioned.', 'not-set-up'],
        [410, 'Gone', '', 'unexpected-answer'],
        [400, 'BadRequest', 'The tenant is not onboarded.', 'not-set-up'],
        [400, 'BadRequest', 'The query option is not enabled.', 'unexpected-answer'],
        [404, 'DisabledFeature', '', 'not-set-up'],
      ] as const
    ).map(([status, code, message, read]): [string, object, string] => [
      `${status} ${code} ${message}`,
      { status, json: { error: { code, message } } },
      read,
    ]),
    ['403 and no words, with the role in the token', { status: 403, text: '' }, 'data-unavailable'],
    ['403 and talk of a licence', { status: 403, json: { error: { message: 'Tenant has no license' } } }, 'unlicensed'],
  ])('with %s says so', async (_name, reply, code) => {
    const { error, pages } = await list(() => reply)
    expect(error).toMatchObject({ name: 'Refusal', code })
    expect(pages).toEqual([])
  })

  test('with 403 for a token without the role says that the role is missing, whatever the words', async () => {
    await using double = await listen(
      consented(
        () => ({ status: 403, json: { error: { code: 'Forbidden', message: 'No valid license' } } }),
        (tenant) => appToken(tenant, { roles: [] }),
      ),
    )
    const pages = connect(double.origin).microsoft.listIncidents(contoso, {})
    await expect(pages.next()).rejects.toMatchObject({ code: 'role-missing' })
  })

  test('says nothing of what was in the answer, nor of the token', async () => {
    const { error, lines } = await list((call) => ({
      status: 403,
      json: {
        error: {
          code: 'Forbidden',
          message: `leaked ${call.headers.authorization}`,
          target: '43f4cb08-8fac-4b65-9db1-745c2ae65f3a',
        },
      },
    }))
    const written = `${(error as Error).stack} ${JSON.stringify(error)} ${lines.join()}`
    expect(written).not.toMatch(/leaked|Bearer|eyJ/)
    expect(error).toMatchObject({
      facts: { correlationId: '43f4cb08-8fac-4b65-9db1-745c2ae65f3a', error: 'Forbidden' },
    })
  })

  test('after a page keeps the page', async () => {
    const full = Array.from({ length: 100 }, (_, index) => defenderIncident({ incidentId: index, alerts: [] }))
    const { error, incidents } = await list((call) => (call.query.has('$skip') ? { status: 403 } : page(...full)))
    expect(incidents).toHaveLength(100)
    expect(error).toMatchObject({ code: 'data-unavailable' })
  })
})

describe('the alerts of one incident', () => {
  async function alertsOf(handler: Handler, api: Api = 'graph') {
    await using double = await listen((call, response) =>
      call.path.endsWith('/token') ? tokenReply(appToken(tenantIn(call.path))) : handler(call, response),
    )
    const { microsoft } = connect(double.origin, { incidentsApi: api })
    const { alerts, odd } = await microsoft.alertsOf(contoso, '4711')
    return {
      alerts,
      odd,
      calls: double.calls
        .filter(({ path }) => !path.endsWith('/token'))
        .map(({ path, query }) => path + (query.has('$expand') ? '+' : '')),
    }
  }

  test('come from Graph page by page, evidence of every kind', async () => {
    const { alerts, calls } = await alertsOf((call) => ({
      json: call.query.has('$skip')
        ? { value: [graphAlert({ id: 'two' })] }
        : { value: [graphAlert()], '@odata.nextLink': `http://${call.headers.host}${call.path}?$skip=1` },
    }))
    expect(calls).toHaveLength(2)
    expect(alerts).toHaveLength(2)
    expect(alerts[0]).toMatchObject({
      title: 'Suspicious crond',
      serviceSource: 'Microsoft Defender for Something New',
      description: 'first line\nsecond line',
    })
    expect(alerts[0]?.entities.map(({ kind, name, detail }) => [kind, name, detail])).toEqual([
      ['device', 'host.contoso.example', 'CentOS 7.9'],
      ['user', 'root', null],
      ['ip', '0.0.0.0', null],
      ['url', 'https://phish.example', null],
      ['file', 'crond', 'fdfe'],
      ['process', 'crond', '/usr/sbin/crond -n'],
      ['mailbox', 'k.lund@contoso.example', 'Karin Lund'],
      ['mail', 'Invoice', 'a@b.example'],
      ['registry', 'HKLM\\SOFTWARE\\Run', null],
      ['registry', 'SOFTWARE\\Run\\x', 'y'],
      ['group', 'Admins', 'g1'],
      ['app', 'Odd app', 'Nobody'],
      ['other', 'Q', 'quantumDevice'],
      ['file', 'file', null],
    ])
  })

  test.each([400, 404, 500])('are asked for another way where the first answers %i', async (status) => {
    const { alerts, calls } = await alertsOf((call) =>
      call.query.has('$expand') ? { json: graphIncident({ alerts: [graphAlert()] }) } : { status, json: {} },
    )
    expect(alerts).toHaveLength(1)
    expect(calls.at(-1)).toBe('/v1.0/security/incidents/4711+')
  })

  test('come from the Defender API with the incident', async () => {
    const { alerts, calls } = await alertsOf(() => ({ json: defenderIncident() }), 'defender')
    expect(calls).toEqual(['/api/incidents/4711'])
    expect(alerts).toHaveLength(1)
  })

  test('of another tenant are left out, and so is what is no alert, but not without a word', async () => {
    const { alerts, odd } = await alertsOf(() => page(graphAlert({ tenantId: fabrikam }), graphAlert(), null as never))
    expect([alerts.length, odd]).toEqual([1, 2])
  })

  test('without their IDs are shown, and asked for again', async () => {
    const { alerts, odd } = await alertsOf(() => page(graphAlert({ id: null }), graphAlert()))
    expect([alerts.length, odd]).toEqual([2, 1])
  })

  test('that were refused are refused', async () => {
    await expect(alertsOf(() => ({ status: 403, json: {} }))).rejects.toMatchObject({ name: 'Refusal' })
  })
})

describe('recorded payloads', () => {
  const lists: [string, Api, number][] = [
    ['microsoft-docs/xdr-list-incidents.2021.json', 'defender', 3],
    ['demisto-content/xdr-empty-list.json', 'defender', 0],
    ['rapid7-insightconnect/microsoft_defender_incidents/test_list_incidents.json', 'defender', -1],
    ['demisto-content/graph-incidents-list.json', 'graph', 2],
    ['microsoft-docs/graph-list-incidents.2026.json', 'graph', -1],
    ['microsoft-docs/graph-list-incidents.2026-expand-alerts.json', 'graph', -1],
    ['microsoft-docs/graph-list-incidents.example1.json', 'graph', -1],
    ['microsoft-docs/graph-list-incidents.example2-expand-alerts.json', 'graph', -1],
    ['public-issues/graph-nextLink.json', 'graph', 1],
  ]
  for (const [path, api, count] of lists) {
    const body = publicFixture(path) as { value: Record<string, unknown>[] } | null
    if (body === null) continue
    test(`${path} is read whole`, async () => {
      // The samples come from tenants of their own.
      const value = body.value.map(({ tenantId: _, ...record }) => record)
      const { incidents, rejected, error } = await list(() => ({ json: { value } }), api)
      expect(error).toBeUndefined()
      expect(rejected).toEqual([])
      expect(incidents).toHaveLength(count < 0 ? value.length : count)
      for (const incident of incidents) {
        expect(incident.lastUpdateAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/)
        expect(incident.title).not.toBe('')
        for (const alert of incident.alerts ?? []) {
          expect(alert.entities.every(({ name }) => name !== '')).toBe(true)
        }
      }
    })
  }

  const singles: [string, Api][] = [
    ['rapid7-insightconnect/microsoft_defender_incidents/test_get_incident.json', 'defender'],
    ['demisto-content/graph-incident-get.json', 'graph'],
    ['demisto-content/graph-incident-patch-redirected.response.json', 'graph'],
  ]
  for (const [path, api] of singles) {
    const body = publicFixture(path) as Record<string, unknown> | null
    if (body === null) continue
    test(`${path} is read`, async () => {
      const { tenantId: _, ...record } = body
      expect(await one(api, record)).toMatchObject({ id: expect.any(String), title: expect.any(String) })
    })
  }

  for (const path of [
    'demisto-content/graph-alerts_v2.json',
    'stix-shifter/alert_v2.json',
    'stix-shifter/alertV2_respons.json',
  ]) {
    const body = publicFixture(path)
    if (body === null) continue
    test(`${path} is read as alerts`, async () => {
      const found = Array.isArray(body) ? body : ((body as { value?: unknown[] }).value ?? [body])
      const alerts = (found as Record<string, unknown>[]).map(({ tenantId: _, ...alert }) => alert)
      const read = await one('graph', graphIncident({ alerts }))
      expect(read?.alerts).toHaveLength(alerts.length)
      for (const alert of read?.alerts ?? []) {
        expect(alert.title).not.toBe('')
        expect(alert.entities.every(({ name }) => name !== '')).toBe(true)
      }
    })
  }
})
