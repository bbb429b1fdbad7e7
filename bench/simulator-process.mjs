// A simulated Microsoft in a process of its own, so that what it costs is not counted as the portal's. With `prepared`,
// lists are answered out of texts written beforehand: a simulator that writes 10 kB of JSON for each incident it sends
// would be what is measured.
import { request as ask, createServer } from 'node:http'
import { defenderIncident, defenderStatus } from '../dist/simulator/apis/defender-wire.js'
import { incidentFilter, wholeNumber } from '../dist/simulator/apis/filter.js'
import { graphAlert, graphIncident } from '../dist/simulator/apis/graph-wire.js'
import { startSimulator } from '../dist/simulator/simulator.js'
import { alertsIn } from '../dist/simulator/world/evidence.js'

const { tenants, incidents, prepared, latencyMs, clientId, clientSecret, partnerTenantId } = JSON.parse(process.argv[2])
const simulator = await startSimulator({
  registrations: [
    {
      clientId,
      secrets: [{ value: clientSecret }],
      redirectUris: [],
      audience: 'multi',
      homeTenantId: partnerTenantId,
      displayName: 'Bench',
      publisher: 'Bench',
      requiredResources: [
        { resource: 'mtp', roles: ['Incident.Read.All'] },
        { resource: 'graph', roles: ['SecurityIncident.Read.All', 'SecurityAlert.Read.All'] },
      ],
    },
  ],
})
const { world } = simulator
world.manners.quotas = false
for (const [index, id] of tenants.entries()) {
  world.addTenant({ id, displayName: `Tenant ${index}`, domains: [`tenant${index}.example`] })
  world.consent(id, clientId)
  // 29 days: whatever is read 30 days back reaches all of them, also when the reading takes long.
  world.generate(id, incidents, { seed: index + 1, days: 29 })
}

const fieldsOf = (updated, created, statusOf) => ({
  [updated]: { kind: 'time', read: ({ lastUpdateAt }) => lastUpdateAt },
  [created]: { kind: 'time', read: ({ createdAt }) => createdAt },
  status: { kind: 'text', read: ({ status }) => statusOf(status) },
})
const graphAlerts = (tenant, incident) =>
  alertsIn(tenant, incident).map((alert) => graphAlert(alert, incident, tenant.id, true))
/** How each list answers: its filter, its largest page, its order, and one item of it. */
const lists = {
  '/api/incidents': {
    fields: fieldsOf('lastUpdateTime', 'createdTime', defenderStatus),
    updated: 'lastUpdateTime',
    top: 100,
    links: false,
    item: (tenant, incident) => defenderIncident(incident, alertsIn(tenant, incident)),
  },
  '/v1.0/security/incidents': {
    fields: fieldsOf('lastUpdateDateTime', 'createdDateTime', (status) => status),
    updated: 'lastUpdateDateTime',
    top: 50,
    links: true,
    item: (tenant, incident) => graphIncident(incident, tenant.id, true),
    expanded: (tenant, incident) => ({
      ...graphIncident(incident, tenant.id, true),
      alerts: graphAlerts(tenant, incident),
    }),
  },
}

const texts = new Map()
function textOf(kind, make, tenant, incident) {
  const key = `${kind} ${tenant.id} ${incident.id}`
  if (!texts.has(key)) texts.set(key, Buffer.from(JSON.stringify(make(tenant, incident))))
  return texts.get(key)
}

const tenantOfToken = new Map()
function tenantOf(req) {
  const token = req.headers.authorization ?? ''
  if (!tenantOfToken.has(token)) {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() || '{}')
    tenantOfToken.set(token, world.find(claims.tid ?? ''))
  }
  return tenantOfToken.get(token)
}

let seen = { firstAt: null, requests: [], bytes: 0 }

function answerList(list, tenant, url, req, res) {
  const query = Object.fromEntries(url.searchParams)
  const top = wholeNumber(query.$top, '$top', list.top)
  const skip = wholeNumber(query.$skip, '$skip', 0)
  const filter = incidentFilter(query.$filter, list.fields, list.updated)
  const descending = !query.$orderby?.endsWith('asc')
  const { page, more } = tenant.incidents.select({ ...filter, skip, top, descending })
  const expanded = query.$expand === 'alerts'
  const make = expanded ? list.expanded : list.item
  const parts = [Buffer.from('{"@odata.context":"bench","value":[')]
  for (const [index, incident] of page.entries()) {
    if (index > 0) parts.push(comma)
    parts.push(textOf(`${list.updated}${expanded}`, make, tenant, incident))
  }
  const next = new URL(url)
  next.searchParams.set('$skip', String(skip + top))
  // A script that knows Microsoft's host alone gets links that lead there.
  const host = req.headers['x-bench-host']
  const link =
    list.links && more
      ? `,"@odata.nextLink":${JSON.stringify(host ? `${host}${next.pathname}${next.search}` : next.href)}`
      : ''
  parts.push(Buffer.from(`]${link}}`))
  send(res, Buffer.concat(parts))
}

function answerAlerts(tenant, incidentId, res) {
  const make = (_, incident) => ({ '@odata.context': 'bench', value: graphAlerts(tenant, incident) })
  send(res, textOf('alerts', make, tenant, tenant.incidents.get(incidentId)))
}

function send(res, body) {
  seen.bytes += body.length
  res.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length }).end(body)
}

const later = (step) => (latencyMs > 0 ? setTimeout(step, latencyMs) : step())
const comma = Buffer.from(',')

function passOn(req, res) {
  const inner = ask(
    `${simulator.origin}${req.url}`,
    { method: req.method, headers: { ...req.headers, host: new URL(simulator.origin).host } },
    (answer) => {
      res.writeHead(answer.statusCode, answer.headers)
      answer.on('data', (chunk) => (seen.bytes += chunk.length))
      answer.pipe(res)
    },
  )
  inner.on('error', () => res.destroy())
  req.pipe(inner)
}

let origin = simulator.origin
if (prepared) {
  const list = lists[prepared]
  for (const tenant of world.tenants()) {
    for (const incident of tenant.incidents.all()) {
      textOf(`${list.updated}false`, list.item, tenant, incident)
      if (list.expanded) textOf(`${list.updated}true`, list.expanded, tenant, incident)
    }
  }
  const front = createServer((req, res) => {
    seen.firstAt ??= Date.now()
    const url = new URL(req.url, origin)
    const answering = req.method === 'GET' ? lists[url.pathname] : undefined
    const tenant = req.headers.authorization ? tenantOf(req) : undefined
    if (tenant) seen.requests.push({ tenantId: tenant.id, url: req.url })
    const alertsOf = /^\/v1\.0\/security\/incidents\/(\d+)\/alerts$/.exec(url.pathname)?.[1]
    later(() => {
      if (answering && tenant) answerList(answering, tenant, url, req, res)
      else if (alertsOf && tenant) answerAlerts(tenant, Number(alertsOf), res)
      else passOn(req, res)
    })
  })
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${front.address().port}`
}

/** What the parent asks: `[number, what, value]`, answered by `[number, answer]`. */
const answers = {
  /** Forgets what was asked so far. */
  reset() {
    seen = { firstAt: null, requests: [], bytes: 0 }
    simulator.requests.length = 0
  },
  seen: () => ({ ...seen, cpuMs: cpuMs() }),
  quotas: (on) => {
    world.manners.quotas = on
  },
  /** Calls by status, of the simulator itself. */
  statuses() {
    const counts = {}
    for (const { status } of simulator.requests) counts[status] = (counts[status] ?? 0) + 1
    return counts
  },
}
const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
process.on('message', ([number, what, value]) => process.send([number, answers[what](value) ?? null]))
process.on('disconnect', () => process.exit(0))
process.send({ origin, incidents: tenants.length * incidents })
