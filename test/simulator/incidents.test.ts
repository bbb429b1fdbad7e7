import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Quotas, quotas } from '../../server/simulator/apis/quotas.ts'
import type { Simulator } from '../../server/simulator/simulator.ts'
import { instantOf } from '../../server/simulator/world/instants.ts'
import {
  type Answer,
  appId,
  call,
  customerId,
  graphRoles,
  otherId,
  partnerId,
  stage,
  start,
  tokenFor,
} from '../support/simulator.ts'

let simulator: Simulator

beforeEach(async () => {
  simulator = (await stage()).simulator
  simulator.world.registration(appId).requiredResources.push({ resource: 'graph', roles: graphRoles })
  simulator.world.consent(customerId, appId)
})
afterEach(() => simulator.close())

const minutes = (n: number) => instantOf(start - n * 60_000, 1234)
const incident = (id: number, ago: number, more: Record<string, unknown> = {}) =>
  simulator.world.addIncident(customerId, { id, createdAt: minutes(ago + 1), lastUpdateAt: minutes(ago), ...more })

describe('the Defender API', () => {
  let token: string
  const get = (query: Record<string, string> = {}, path = '/api/incidents') =>
    call(simulator, token, `${path}?${new URLSearchParams(query)}`)
  const ids = ({ body }: Answer) => body.value.map(({ incidentId }: { incidentId: number }) => incidentId)
  const patch = (id: number | string, body: unknown) =>
    call(simulator, token, `/api/incidents/${id}`, { method: 'PATCH', body })

  beforeEach(async () => {
    token = await tokenFor(simulator, customerId)
  })

  test('lists newest update first, with alerts and entities in the envelope of the documentation', async () => {
    incident(1, 30, { story: 'multi-stage' })
    incident(3, 10)
    incident(2, 20)
    const answer = await get()
    expect(answer.body['@odata.context']).toBe('https://api.security.microsoft.com/api/$metadata#Incidents')
    expect(ids(answer)).toEqual([3, 2, 1])
    expect(answer.body).not.toHaveProperty(['@odata.nextLink'])
    expect(answer.body.value[2]).toMatchObject({
      incidentId: 1,
      redirectIncidentId: null,
      status: 'Active',
      severity: 'High',
      classification: 'Unknown',
      determination: 'NotAvailable',
    })
    expect(answer.body.value[2].alerts).toHaveLength(10)
    const size = JSON.stringify(answer.body.value[2]).length
    expect(size).toBeGreaterThan(5_000)
    expect(size).toBeLessThan(150_000)
  })

  test('tells the same incident in the same words every time', async () => {
    incident(1, 30, { story: 'hands-on' })
    const first = await get()
    expect((await get()).body).toEqual(first.body)
  })

  test('writes absent entity fields as null in one incident and leaves them out in the next', async () => {
    incident(1, 30, { story: 'travel' })
    incident(2, 30, { story: 'travel' })
    const [even, odd] = (await get()).body.value
    expect(odd.alerts[0].entities[0]).toHaveProperty('registryKey', null)
    expect(even.alerts[0].entities[0]).not.toHaveProperty('registryKey')
  })

  test('writes times with 0 to 7 fraction digits', async () => {
    incident(1, 0, { lastUpdateAt: instantOf(start), createdAt: instantOf(start, 1) })
    incident(2, 0, { lastUpdateAt: instantOf(start - 500, 0) })
    const [first, second] = (await get()).body.value
    expect(first.lastUpdateTime).toBe('2026-11-20T08:00:00Z')
    expect(first.createdTime).toBe('2026-11-20T08:00:00.0000001Z')
    expect(second.lastUpdateTime).toBe('2026-11-20T07:59:59.5Z')
  })

  test('keeps exact ties apart by ID and pages through them with $skip', async () => {
    for (let id = 1; id <= 7; id++) incident(id, 10)
    expect(ids(await get({ $top: '3' }))).toEqual([7, 6, 5])
    expect(ids(await get({ $top: '3', $skip: '3' }))).toEqual([4, 3, 2])
    expect(ids(await get({ $top: '3', $skip: '6' }))).toEqual([1])
    expect(ids(await get({ $skip: '7' }))).toEqual([])
  })

  test.each([
    ["lastUpdateTime ge 2026-11-20T07:40:00.0001234Z and status eq 'Active'", [3, 2]],
    ['lastUpdateTime gt 2026-11-20T07:40:00.0001234Z', [4, 3]],
    ['lastUpdateTime lt 2026-11-20T07:40:00Z', [1]],
    ['createdTime le 2026-11-20T07:39:00.0001234Z', [2, 1]],
    ["status eq 'Resolved' or assignedTo eq 'Ada@Customer.example'", [4, 1]],
    ["not (status eq 'Active') and lastUpdateTime ge 2026-11-01T00:00:00Z", [4]],
    ['assignedTo eq null', [4, 3, 2]],
    ['assignedTo ne null', [1]],
    ["status eq 'active'", [3, 2, 1]],
    ['lastUpdateTime ge 2026-11-20T08:40:00+01:00', [4, 3, 2]],
  ])('filters by %s', async ($filter, expected) => {
    incident(1, 30, { assignedTo: 'ada@customer.example' })
    incident(2, 20)
    incident(3, 10)
    incident(4, 5, { status: 'resolved' })
    expect(ids(await get({ $filter }))).toEqual(expected)
  })

  test.each([
    ['$top above 100', { $top: '101' }],
    ['$top that is no number', { $top: 'all' }],
    ['a negative $skip', { $skip: '-1' }],
    ['a filter on severity', { $filter: "severity eq 'High'" }],
    ['a filter on an inherited name', { $filter: "constructor eq 'High'" }],
    ['half a filter', { $filter: 'status eq' }],
    ['an unbalanced filter', { $filter: "(status eq 'Active'" }],
    ['an open quote', { $filter: "status eq 'Active" }],
    ['a bad date', { $filter: 'lastUpdateTime ge yesterday' }],
    ['an order on a text', { $filter: "status gt 'Active'" }],
  ])('refuses %s with 400 and a target', async (_name, query) => {
    const { status, body } = await get(query)
    expect([status, body.error.code]).toEqual([400, 'BadRequest'])
    expect(body.error.target).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('reads one incident, and knows no other', async () => {
    incident(1, 30)
    const one = await get({}, '/api/incidents/1')
    expect(one.body['@odata.context']).toMatch(/#Incidents\/\$entity$/)
    expect(one.body.incidentId).toBe(1)
    for (const id of ['2', 'abc', '1.5']) expect((await get({}, `/api/incidents/${id}`)).status).toBe(404)
  })

  test('takes a change, appends the comment, replaces the tags and moves the last update', async () => {
    incident(1, 30, { tags: ['Old'], comments: [{ comment: 'first', createdBy: 'x', createdAt: minutes(30) }] })
    const { status, body } = await patch(1, {
      status: 'Resolved',
      assignedTo: 'secop@halvard.example',
      classification: 'TruePositive',
      determination: 'Malware',
      tags: ['New', '夜班'],
      comment: 'pen testing',
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      status: 'Resolved',
      classification: 'TruePositive',
      determination: 'Malware',
      tags: ['New', '夜班'],
      assignedTo: 'secop@halvard.example',
    })
    expect(body.comments.map(({ comment, createdBy }: Record<string, string>) => [comment, createdBy])).toEqual([
      ['first', 'x'],
      ['pen testing', 'Halvard SOC Connector'],
    ])
    expect(Date.parse(body.lastUpdateTime)).toBe(start)
    expect(body.alerts[0].status).toBe('Resolved')
  })

  test.each([
    [{ status: 'Done' }],
    [{ status: 'Resolved', severity: 'Low' }],
    [{ classification: 'TruePositive', determination: 'Clean' }],
    [{ comments: ['x'] }],
    [{ comment: 7 }],
    [{ tags: 'one' }],
    [[]],
  ])('refuses the change %j and changes nothing', async (body) => {
    incident(1, 30)
    const before = await get({}, '/api/incidents/1')
    const answer = await patch(1, body)
    expect([answer.status, answer.body.error.code]).toEqual([400, 'InvalidRequestBody'])
    expect((await get({}, '/api/incidents/1')).body).toEqual(before.body)
  })

  test('shows merged incidents as they were observed', async () => {
    for (const id of [258, 259, 260]) incident(id, 30, { name: `Incident ${id}`, story: 'powershell' })
    simulator.world.mergeIncidents(customerId, [258, 259, 260])
    const list = (await get()).body.value
    const survivor = list.find(({ incidentId }: { incidentId: number }) => incidentId === 261)
    const merged = list.filter(({ incidentId }: { incidentId: number }) => incidentId < 261)
    expect(survivor.alerts).toHaveLength(9)
    expect(survivor.alerts.every((alert: { incidentId: number }) => alert.incidentId === 261)).toBe(true)
    for (const one of merged) {
      expect(one).toMatchObject({
        incidentName: `Incident ${one.incidentId}`,
        status: 'Redirected',
        severity: 'UnSpecified',
        redirectIncidentId: 261,
        alerts: [],
      })
      const behind = Date.parse(one.lastUpdateTime) - Date.parse(survivor.createdTime)
      expect(behind).toBeGreaterThanOrEqual(2695)
      expect(behind).toBeLessThanOrEqual(2705)
    }
  })

  test('keeps to 50 lists a minute and says when calls may begin again', async () => {
    for (let n = 0; n < 50; n++) expect((await get({ $top: '1' })).status).toBe(200)
    const { status, body, headers } = await get({ $top: '1' })
    expect([status, body.error.code, headers.get('retry-after')]).toEqual([429, 'TooManyRequests', null])
    expect(body.error.message).toContain('2026-11-20T08:01:00.000Z')
    simulator.clock.advance(60_001)
    expect((await get({ $top: '1' })).status).toBe(200)
  })

  test('keeps to 1,500 lists an hour, and counts those it refuses', () => {
    const counted = new Quotas(simulator.clock)
    const spend = () => counted.spend(quotas.defenderList, appId, customerId)
    for (let n = 0; n < 1500; n++) {
      expect(spend()).toBe(0)
      simulator.clock.advance(1_500)
    }
    const wait = spend()
    expect(wait).toBe(3_600_000 - 1500 * 1_500)
    simulator.clock.advance(wait - 1)
    expect(spend()).toBeGreaterThan(0)
    simulator.clock.advance(1)
    expect(spend()).toBeGreaterThan(0)
  })

  test('counts quotas per tenant', async () => {
    simulator.world.consent(otherId, appId)
    const other = await tokenFor(simulator, otherId)
    for (let n = 0; n < 51; n++) await get({ $top: '1' })
    expect((await call(simulator, other, '/api/incidents')).status).toBe(200)
  })

  test('answers 401 without a token, with a forged or expired one, and with one for Graph', async () => {
    const graph = await tokenFor(simulator, customerId, 'https://graph.microsoft.com')
    const [head, payload, signature] = token.split('.')
    const forged = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()), tid: otherId }),
    ).toString('base64url')
    for (const bad of [null, 'abc', graph, `${head}.${forged}.${signature}`]) {
      const { status, body } = await call(simulator, bad, '/api/incidents')
      expect([status, body.error.code]).toEqual([401, 'Unauthorized'])
    }
    expect((await get()).status).toBe(200)
    simulator.clock.advance(2 * 3_600_000)
    expect((await get()).status).toBe(401)
  })

  test('answers 403 in its own words when the role is missing, and tokens outlive a revocation', async () => {
    simulator.world.revoke(customerId, appId)
    expect((await get()).status).toBe(200)
    simulator.world.consent(customerId, appId, { roles: [] })
    token = await tokenFor(simulator, customerId)
    const { status, body } = await get()
    expect([status, body.error.code]).toEqual([403, 'Forbidden'])
    expect(body.error.message).toBe(
      'The application does not have any of the required application permissions (Incident.Read.All, Incident.ReadWrite.All) to access the resource.',
    )
  })

  test('lets a reader read and not write', async () => {
    incident(1, 30)
    simulator.world.removeRoles(customerId, appId, 'Incident.ReadWrite.All')
    token = await tokenFor(simulator, customerId)
    expect((await get()).status).toBe(200)
    expect((await patch(1, { status: 'Resolved' })).status).toBe(403)
  })

  test('says DisabledFeature when the licence is gone', async () => {
    simulator.world.setLicensed(customerId, false)
    expect((await get()).body.error.code).toBe('DisabledFeature')
  })

  test('shows each tenant its own incidents', async () => {
    incident(1, 30)
    simulator.world.consent(otherId, appId)
    expect((await call(simulator, await tokenFor(simulator, otherId), '/api/incidents')).body.value).toEqual([])
    expect((await call(simulator, await tokenFor(simulator, otherId), '/api/incidents/1')).status).toBe(404)
  })

  test('offers a next link only when told to', async () => {
    for (let id = 1; id <= 5; id++) incident(id, id)
    simulator.world.behaviour.defenderNextLink = true
    const { body } = await get({ $top: '2', $filter: "status eq 'Active'" })
    const next = new URL(body['@odata.nextLink'])
    expect(next.searchParams.get('$skip')).toBe('2')
    expect(ids(await call(simulator, token, `${next.pathname}${next.search}`))).toEqual([3, 4])
  })
})

describe('Graph', () => {
  let token: string
  const get = (query: Record<string, string> = {}, path = '/v1.0/security/incidents', headers = {}) =>
    call(simulator, token, `${path}?${new URLSearchParams(query)}`, { headers })
  const ids = ({ body }: Answer) => body.value.map(({ id }: { id: string }) => id)

  beforeEach(async () => {
    token = await tokenFor(simulator, customerId, 'https://graph.microsoft.com')
  })

  test('lists incidents in the key set of 2026, without alerts', async () => {
    incident(29, 10, { story: 'multi-stage' })
    const { body } = await get()
    expect(body['@odata.context']).toBe('https://graph.microsoft.com/v1.0/$metadata#security/incidents')
    expect(body.value[0]).toEqual({
      id: '29',
      tenantId: customerId,
      status: 'active',
      incidentWebUrl: `https://security.microsoft.com/incident2/29/overview?tid=${customerId}`,
      redirectIncidentId: null,
      displayName: expect.stringContaining('Multi-stage'),
      createdDateTime: expect.any(String),
      lastUpdateDateTime: expect.any(String),
      assignedTo: null,
      classification: 'unknown',
      determination: 'unknown',
      severity: 'high',
      customTags: [],
      systemTags: ['Attack disruption'],
      description: null,
      lastModifiedBy: 'Microsoft 365 Defender-IncidentCreation',
      resolvingComment: null,
      summary: null,
      priorityScore: expect.any(Number),
      comments: [],
    })
  })

  test('refuses $top above 50 in the exact words', async () => {
    const { status, body } = await get({ $top: '200' })
    expect(status).toBe(400)
    expect(body.error.message).toBe(
      "The query specified in the URI is not valid. The limit of '50' for Top query has been exceeded. The value from the incoming request is '200'.",
    )
    expect(body.error.innerError['request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test.each(['skip', 'skiptoken'] as const)(
    'pages by next links with $%s that keep the filter and order',
    async (style) => {
      simulator.world.behaviour.nextLinkStyle = style
      for (let id = 1; id <= 7; id++) incident(id, 10 * id, { severity: id === 4 ? 'low' : 'high' })
      let answer = await get({ $top: '2', $filter: "severity eq 'high'", $orderby: 'lastUpdateDateTime asc' })
      const seen = [...ids(answer)]
      while (answer.body['@odata.nextLink']) {
        const next = new URL(answer.body['@odata.nextLink'])
        expect(next.origin).toBe(simulator.origin)
        answer = await call(simulator, token, `${next.pathname}${next.search}`)
        seen.push(...ids(answer))
      }
      expect(seen).toEqual(['7', '6', '5', '3', '2', '1'])
    },
  )

  test('pages of 50 by default, newest first, and counts when asked', async () => {
    simulator.world.generate(customerId, 120)
    const first = await get({ $count: 'true' })
    expect(first.body.value).toHaveLength(50)
    expect(first.body['@odata.count']).toBe(120)
    const times = first.body.value.map(({ lastUpdateDateTime }: Record<string, string>) =>
      Date.parse(lastUpdateDateTime ?? ''),
    )
    expect(times).toEqual([...times].sort((a, b) => b - a))
  })

  test('orders by creation, either way', async () => {
    incident(1, 1, { createdAt: minutes(100) })
    incident(2, 2, { createdAt: minutes(300) })
    incident(3, 3, { createdAt: minutes(200) })
    expect(ids(await get({ $orderby: 'createdDateTime desc' }))).toEqual(['1', '3', '2'])
    expect(ids(await get({ $orderby: 'createdDateTime asc', $top: '2' }))).toEqual(['2', '3'])
  })

  test('stops giving pages at the wall', async () => {
    simulator.world.generate(customerId, 120)
    simulator.world.setSkipWall(customerId, 100)
    expect((await get({ $skip: '0' })).body).toHaveProperty(['@odata.nextLink'])
    expect((await get({ $skip: '50' })).body).not.toHaveProperty(['@odata.nextLink'])
  })

  test('expands alerts with evidence, except in a large tenant, where that is a repeatable 500', async () => {
    incident(29, 10, { story: 'powershell' })
    const { body } = await get({ $expand: 'alerts' })
    expect(body['@odata.context']).toMatch(/incidents\(alerts\(\)\)$/)
    const [alert] = body.value[0].alerts
    expect(alert.providerAlertId).toBe(alert.id.slice(2))
    expect(alert.evidence[0]['@odata.type']).toBe('#microsoft.graph.security.deviceEvidence')
    simulator.world.setLarge(customerId, true)
    expect((await get({ $expand: 'alerts' })).status).toBe(500)
    expect((await get({ $expand: 'alerts' })).status).toBe(500)
    expect((await get()).status).toBe(200)
  })

  test('hides members that came later from callers without the Prefer header', async () => {
    incident(1, 10, { status: 'awaitingAction' })
    expect((await get()).body.value[0].status).toBe('unknownFutureValue')
    const told = await get({}, undefined, { prefer: 'include-unknown-enum-members' })
    expect(told.body.value[0].status).toBe('awaitingAction')
  })

  test('gives the alerts of one incident, and alerts of all, with a filter', async () => {
    incident(1, 10, { story: 'multi-stage' })
    incident(2, 5, { story: 'reported' })
    expect((await get({}, '/v1.0/security/incidents/1/alerts')).body.value).toHaveLength(10)
    expect((await get({}, '/v1.0/security/incidents/9/alerts')).status).toBe(404)
    const high = await get({ $filter: "severity eq 'high'" }, '/v1.0/security/alerts_v2')
    expect(high.body.value.length).toBeGreaterThan(0)
    expect(high.body.value.every((alert: { severity: string }) => alert.severity === 'high')).toBe(true)
    const page = await get({ $top: '4', $skip: '2' }, '/v1.0/security/alerts_v2')
    expect(page.body.value).toHaveLength(4)
    expect(page.body['@odata.nextLink']).toContain('skip=6')
  })

  test('takes a change and a comment, as this app', async () => {
    incident(1, 10)
    const changed = await call(simulator, token, '/v1.0/security/incidents/1', {
      method: 'PATCH',
      body: {
        status: 'resolved',
        classification: 'falsePositive',
        determination: 'notMalicious',
        customTags: ['x'],
        resolvingComment: 'Known tool.',
      },
    })
    expect(changed.body).toMatchObject({
      status: 'resolved',
      lastModifiedBy: 'API-App:Halvard SOC Connector',
      resolvingComment: 'Known tool.',
    })
    const commented = await call(simulator, token, '/v1.0/security/incidents/1/comments', {
      method: 'POST',
      body: { comment: 'Ringde kunden.' },
    })
    expect(commented.body.value.at(-1)).toMatchObject({
      comment: 'Ringde kunden.',
      createdByDisplayName: 'Halvard SOC Connector',
    })
    for (const body of [{ status: 'done' }, { severity: 'low' }, { customTags: 'x' }]) {
      expect((await call(simulator, token, '/v1.0/security/incidents/1', { method: 'PATCH', body })).status).toBe(400)
    }
  })

  test('takes a change to a merged incident with 200, still redirected', async () => {
    incident(1, 10)
    incident(2, 9)
    simulator.world.mergeIncidents(customerId, [1], 2)
    const { status, body } = await call(simulator, token, '/v1.0/security/incidents/1', {
      method: 'PATCH',
      body: { status: 'resolved', assignedTo: 'x' },
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ status: 'redirected', redirectIncidentId: '2', assignedTo: 'x' })
  })

  test('names the roles a token lacks and cuts the list it holds', async () => {
    simulator.world.consent(customerId, appId, {
      roles: [
        'Organization.Read.All',
        'ThreatHunting.Read.All',
        'CrossTenantInformation.ReadBasic.All',
        'SecurityAlert.Read.All',
      ],
    })
    token = await tokenFor(simulator, customerId, 'https://graph.microsoft.com')
    const { status, body } = await get()
    expect([status, body.error.code]).toEqual([403, 'Forbidden'])
    expect(body.error.message).toMatch(
      /^Missing application roles\. API required roles: SecurityIncident\.Read\.All,SecurityIncident\.ReadWrite\.All, application roles: .+[A-Za-z]\.$/,
    )
    expect(body.error.message).not.toContain('SecurityAlert.Read.All')
    expect((await get({}, '/v1.0/security/alerts_v2')).status).toBe(200)
  })

  test('answers 403 in its other meaning when nothing is onboarded', async () => {
    simulator.world.setLicensed(customerId, false)
    const { status, body } = await get()
    expect([status, body.error.code, body.error.message]).toEqual([
      403,
      'Forbidden',
      'Tenant is not onboarded to Microsoft Defender XDR.',
    ])
  })

  test('describes this organisation, and any tenant by ID or domain', async () => {
    const own = await get({}, '/v1.0/organization')
    expect(own.body.value[0]).toMatchObject({
      id: customerId,
      displayName: 'Customer & Sons',
      verifiedDomains: [
        { name: 'customer.onmicrosoft.com', isInitial: true },
        { name: 'customer.example', isDefault: true },
      ],
    })
    const base = '/v1.0/tenantRelationships/findTenantInformationBy'
    const byId = await get({}, `${base}TenantId(tenantId='${otherId}')`)
    expect(byId.body).toMatchObject({
      tenantId: otherId,
      displayName: 'Other Ltd',
      defaultDomainName: 'other.onmicrosoft.com',
      federationBrandName: null,
    })
    expect((await get({}, `${base}DomainName(domainName=%27other.example%27)`)).body.tenantId).toBe(otherId)
    expect((await get({}, `${base}DomainName(domainName='nobody.example')`)).status).toBe(404)
    simulator.world.removeRoles(customerId, appId, 'CrossTenantInformation.ReadBasic.All')
    token = await tokenFor(simulator, customerId, 'https://graph.microsoft.com')
    expect((await get({}, `${base}TenantId(tenantId='${otherId}')`)).status).toBe(403)
  })

  test('runs a sliver of hunting', async () => {
    incident(1, 10, { story: 'multi-stage' })
    const hunt = (Query: string) =>
      call(simulator, token, '/v1.0/security/runHuntingQuery', { method: 'POST', body: { Query } })
    const high = await hunt('AlertInfo | where Severity == "High" | take 2')
    expect(high.body.schema[0]).toEqual({ name: 'Timestamp', type: 'DateTime' })
    expect(high.body.results).toHaveLength(2)
    expect((await hunt('DeviceInfo')).body.results.length).toBeGreaterThan(0)
    expect((await hunt('Nothing | take 1')).status).toBe(400)
  })

  test('keeps to 150 requests a minute and names the seconds', async () => {
    for (let n = 0; n < 150; n++) await get({ $top: '1' })
    const { status, headers, body } = await get({ $top: '1' })
    expect([status, body.error.code, headers.get('retry-after')]).toEqual([429, 'TooManyRequests', '60'])
  })

  test('refuses tokens for the other API and garbage', async () => {
    const defender = await tokenFor(simulator, customerId)
    for (const bad of [null, 'x', defender]) {
      const { status, body } = await call(simulator, bad, '/v1.0/security/incidents')
      expect([status, body.error.code]).toEqual([401, 'InvalidAuthenticationToken'])
    }
  })
})

test('ten thousand incidents are filtered and counted through like ten', async () => {
  simulator.world.generate(partnerId, 10_000, { seed: 7 })
  const token = await tokenFor(simulator, partnerId)
  const { body } = await call(
    simulator,
    token,
    `/api/incidents?${new URLSearchParams({ $filter: "status eq 'Active'", $top: '20', $skip: '300' })}`,
  )
  expect(body.value).toHaveLength(20)
})

test('the same seed makes the same incidents', async () => {
  const { world } = simulator
  world.generate(customerId, 50, { seed: 3 })
  world.generate(otherId, 50, { seed: 3 })
  const names = (tenantId: string) =>
    world
      .tenant(tenantId)
      .incidents.all()
      .map(({ name, lastUpdateAt }) => [name, lastUpdateAt])
  expect(names(customerId).map(([, at]) => at)).toEqual(names(otherId).map(([, at]) => at))
})
