// A server in front of the simulator that answers its lists out of texts written beforehand, and counts.
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { defenderIncident, defenderStatus } from '../server/simulator/apis/defender-wire.ts'
import { type FilterField, incidentFilter, wholeNumber } from '../server/simulator/apis/filter.ts'
import { graphAlert, graphIncident } from '../server/simulator/apis/graph-wire.ts'
import type { Simulator } from '../server/simulator/simulator.ts'
import { alertsIn } from '../server/simulator/world/alerts/evidence.ts'
import type { Tenant } from '../server/simulator/world/directory.ts'
import type { Incident } from '../server/simulator/world/incidents.ts'
import { listen } from '../test/support/ports.ts'

type Writer = (tenant: Tenant, incident: Incident) => unknown

/** How a list answers: its filter, its largest page, and one item of it. */
interface List {
  fields: ReadonlyMap<string, FilterField<Incident>>
  updated: string
  top: number
  /** Whether a page names the next one. */
  links: boolean
  item: Writer
  /** With its alerts, where those have to be asked for. */
  expanded?: Writer
}

const fieldsOf = (updated: string, created: string, statusOf: (status: string) => string) =>
  new Map<string, FilterField<Incident>>([
    [updated, { kind: 'time', read: ({ lastUpdateAt }) => lastUpdateAt }],
    [created, { kind: 'time', read: ({ createdAt }) => createdAt }],
    ['status', { kind: 'text', read: ({ status }) => statusOf(status) }],
  ])
const graphAlerts = (tenant: Tenant, incident: Incident) =>
  alertsIn(tenant, incident).map((alert) => graphAlert(alert, incident, tenant.id, true))

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
} as const satisfies Record<string, List>

export type ListPath = keyof typeof lists

const listAt = new Map<string, List>(Object.entries(lists))
const alertsPath = /^\/v1\.0\/security\/incidents\/(\d+)\/alerts$/
const comma = Buffer.from(',')

/** Since the last reset. */
export interface Seen {
  /** Milliseconds since the epoch; null before the first request. */
  firstAt: number | null
  /** Those with a token. */
  requests: { tenantId: string; url: string }[]
  /** Sent in bodies. */
  bytes: number
}

export const nothingSeen = (): Seen => ({ firstAt: null, requests: [], bytes: 0 })

export class PreparedLists {
  readonly #simulator: Simulator
  readonly #latencyMs: number
  readonly #texts = new Map<string, Buffer>()
  readonly #tenantOfToken = new Map<string, Tenant | undefined>()
  #origin = ''
  seen: Seen = nothingSeen()

  constructor(simulator: Simulator, prepared: ListPath, latencyMs: number) {
    this.#simulator = simulator
    this.#latencyMs = latencyMs
    const list: List = lists[prepared]
    for (const tenant of simulator.world.tenants()) {
      for (const incident of tenant.incidents.all()) {
        this.#textOf(`${list.updated}false`, list.item, tenant, incident)
        if (list.expanded) this.#textOf(`${list.updated}true`, list.expanded, tenant, incident)
      }
    }
  }

  /** @returns the origin that takes the simulator's place */
  async listen(): Promise<string> {
    const port = await listen(createServer((req, res) => this.#answer(req, res)))
    this.#origin = `http://127.0.0.1:${port}`
    return this.#origin
  }

  reset(): void {
    this.seen = nothingSeen()
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    this.seen.firstAt ??= Date.now()
    const url = new URL(req.url ?? '/', this.#origin)
    const list = req.method === 'GET' ? listAt.get(url.pathname) : undefined
    const tenant = req.headers.authorization ? this.#tenantOf(req) : undefined
    if (tenant) this.seen.requests.push({ tenantId: tenant.id, url: req.url ?? '/' })
    const incidentId = alertsPath.exec(url.pathname)?.[1]
    const answer = () => {
      if (list && tenant) this.#answerList(list, tenant, url, req, res)
      else if (incidentId && tenant) this.#answerAlerts(tenant, Number(incidentId), res)
      else this.#passOn(req, res)
    }
    if (this.#latencyMs > 0) setTimeout(answer, this.#latencyMs)
    else answer()
  }

  #tenantOf(req: IncomingMessage): Tenant | undefined {
    const token = req.headers.authorization ?? ''
    if (!this.#tenantOfToken.has(token)) {
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() || '{}')
      this.#tenantOfToken.set(token, this.#simulator.world.find(claims.tid ?? ''))
    }
    return this.#tenantOfToken.get(token)
  }

  #textOf(kind: string, write: Writer, tenant: Tenant, incident: Incident): Buffer {
    const key = `${kind} ${tenant.id} ${incident.id}`
    const kept = this.#texts.get(key)
    if (kept) return kept
    const text = Buffer.from(JSON.stringify(write(tenant, incident)))
    this.#texts.set(key, text)
    return text
  }

  #answerList(list: List, tenant: Tenant, url: URL, req: IncomingMessage, res: ServerResponse): void {
    const query: Record<string, string | undefined> = Object.fromEntries(url.searchParams)
    const top = wholeNumber(query.$top, '$top', list.top)
    const skip = wholeNumber(query.$skip, '$skip', 0)
    const filter = incidentFilter(query.$filter, list.fields, list.updated)
    const descending = !query.$orderby?.endsWith('asc')
    const { page, more } = tenant.incidents.select({ ...filter, skip, top, descending })
    const expanded = query.$expand === 'alerts'
    const write = (expanded && list.expanded) || list.item
    const parts: Buffer[] = [Buffer.from('{"@odata.context":"bench","value":[')]
    for (const [index, incident] of page.entries()) {
      if (index > 0) parts.push(comma)
      parts.push(this.#textOf(`${list.updated}${expanded}`, write, tenant, incident))
    }
    const next = new URL(url)
    next.searchParams.set('$skip', String(skip + top))
    // A script that knows Microsoft's host alone gets links that lead there.
    const host = req.headers['x-bench-host']
    const address = host ? `${host}${next.pathname}${next.search}` : next.href
    const link = list.links && more ? `,"@odata.nextLink":${JSON.stringify(address)}` : ''
    parts.push(Buffer.from(`]${link}}`))
    this.#send(res, Buffer.concat(parts))
  }

  #answerAlerts(tenant: Tenant, incidentId: number, res: ServerResponse): void {
    const incident = tenant.incidents.get(incidentId)
    if (!incident) return void res.writeHead(404).end()
    const write = () => ({ '@odata.context': 'bench', value: graphAlerts(tenant, incident) })
    this.#send(res, this.#textOf('alerts', write, tenant, incident))
  }

  #send(res: ServerResponse, body: Buffer): void {
    this.seen.bytes += body.length
    res.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length }).end(body)
  }

  #passOn(req: IncomingMessage, res: ServerResponse): void {
    const { origin } = this.#simulator
    const inner = ask(
      `${origin}${req.url}`,
      { method: req.method, headers: { ...req.headers, host: new URL(origin).host } },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.on('data', (chunk: Buffer) => {
          this.seen.bytes += chunk.length
        })
        answer.pipe(res)
      },
    )
    inner.on('error', () => res.destroy())
    req.pipe(inner)
  }
}
