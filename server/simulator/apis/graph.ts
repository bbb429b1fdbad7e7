import { type Request, type Response, Router } from 'express'
import type { SimulatorParts } from '../parts.ts'
import { graphChange } from '../world/changes.ts'
import { alertsIn } from '../world/evidence.ts'
import type { IncidentIndex, Selection } from '../world/incident-index.ts'
import type { Alert, Incident } from '../world/incidents.ts'
import { sendGraphError, sendJson } from './answers.ts'
import { admit, type Call, listedIn, queryOf, sendList, sendRecord } from './api.ts'
import { compileFilter, FilterError, type FilterField, incidentFilter, parseFilter, wholeNumber } from './filter.ts'
import { oneApplication, oneServicePrincipal } from './graph-directory.ts'
import { graphAlert, graphIncident } from './graph-wire.ts'
import { huntIn } from './hunting.ts'
import { quotas } from './quotas.ts'

const incidentReaders = ['SecurityIncident.Read.All', 'SecurityIncident.ReadWrite.All']
const incidentWriters = ['SecurityIncident.ReadWrite.All']
/** As the service's own 403 lists them: the incident role alone is enough for alerts. */
const alertReaders = ['SecurityAlert.Read.All', 'SecurityAlert.ReadWrite.All', ...incidentReaders]
const maximumTop = 50
const maximumAlertsTop = 1000

interface Filterable {
  lastUpdateAt: string
  createdAt: string
  assignedTo: string | null
  classification: string | null
  determination: string | null
  severity: string
  status: string
}
const fieldsOfBoth = {
  lastUpdateDateTime: { kind: 'time', read: ({ lastUpdateAt }) => lastUpdateAt },
  createdDateTime: { kind: 'time', read: ({ createdAt }) => createdAt },
  assignedTo: { kind: 'text', read: ({ assignedTo }) => assignedTo },
  classification: { kind: 'text', read: ({ classification }) => classification },
  determination: { kind: 'text', read: ({ determination }) => determination },
  severity: { kind: 'text', read: ({ severity }) => severity },
  status: { kind: 'text', read: ({ status }) => status },
} satisfies Record<string, FilterField<Filterable>>
const incidentFields = new Map<string, FilterField<Incident>>(Object.entries(fieldsOfBoth))
const alertFields = new Map<string, FilterField<Alert>>(
  Object.entries({ ...fieldsOfBoth, serviceSource: { kind: 'text', read: ({ service }: Alert) => service } }),
)

/** Microsoft Graph, as far as security incidents go: https://learn.microsoft.com/graph/api/security-list-incidents */
export function graphRoutes(parts: SimulatorParts): Router {
  const routes = Router()
  for (const version of ['/v1.0', '/beta']) {
    routes.get(`${version}/security/incidents`, (req, res) => listIncidents(parts, req, res))
    routes.get(`${version}/security/incidents/:id`, (req, res) => oneIncident(parts, req, res))
    routes.patch(`${version}/security/incidents/:id`, (req, res) => update(parts, req, res))
    routes.get(`${version}/security/incidents/:id/alerts`, (req, res) => alertsOfOne(parts, req, res))
    routes.post(`${version}/security/incidents/:id/comments`, (req, res) => comment(parts, req, res))
    routes.get(`${version}/security/alerts_v2`, (req, res) => listAlerts(parts, req, res))
    routes.post(`${version}/security/runHuntingQuery`, (req, res) => hunt(parts, req, res))
    routes.get(`${version}/organization`, (req, res) => organization(parts, req, res))
  }
  routes.get(
    /^\/(?:v1\.0|beta)\/tenantRelationships\/findTenantInformationBy(?:TenantId\(tenantId|DomainName\(domainName)=(?:'|%27)([^'%]*)(?:'|%27)\)$/,
    (req, res) => findTenant(parts, req, res),
  )
  routes.get(/^\/(?:v1\.0|beta)\/applications\(appId=(?:'|%27)([^'%]*)(?:'|%27)\)$/, (req, res) =>
    oneApplication(parts, req, res),
  )
  routes.get(/^\/(?:v1\.0|beta)\/servicePrincipals\(appId=(?:'|%27)([^'%]*)(?:'|%27)\)$/, (req, res) =>
    oneServicePrincipal(parts, req, res),
  )
  return routes
}

async function listIncidents(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', quotas.graphSecurity, incidentReaders)
  if (!call || (await withoutData(call))) return
  try {
    const query = queryOf(req)
    const top = topOf(query.$top, parts.world.behaviour.maximumTop ?? maximumTop)
    const skip = skipOf(query)
    const filter = incidentFilter(query.$filter, incidentFields, 'lastUpdateDateTime')
    const expand = expandsAlerts(query.$expand)
    if (expand && call.tenant.large) {
      // Repeatable, unlike an outage: https://github.com/elastic/integrations/issues/18144
      return sendGraphError(parts, req, res, 500, 'InternalServerError', 'An internal server error occurred.')
    }
    const selection = { ...filter, skip, top }
    const counting = query.$count === 'true'
    const { page, more, total } = ordered(listedIn(call), query.$orderby, selection, counting)
    const walled = call.tenant.skipWall !== null && skip + top >= call.tenant.skipWall
    const all = wantsAllMembers(req)
    const items = page.map((incident) => {
      const item = graphIncident(incident, call.tenant.id, all)
      if (expand)
        item.alerts = alertsIn(call.tenant, incident).map((alert) => graphAlert(alert, incident, call.tenant.id, all))
      return selected(item, query.$select)
    })
    await sendList(
      call,
      {
        '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#security/incidents${expand ? '(alerts())' : ''}`,
        ...(counting ? { '@odata.count': total } : {}),
        ...(more && !walled ? { '@odata.nextLink': nextLink(parts, req, skip + top) } : {}),
      },
      items,
    )
  } catch (error) {
    await sendFilterError(parts, req, res, error)
  }
}

function ordered(
  shelf: IncidentIndex,
  orderBy: string | undefined,
  selection: Omit<Selection, 'descending'>,
  counting: boolean,
): ReturnType<IncidentIndex['select']> {
  const [field = 'lastUpdateDateTime', direction = orderBy ? 'asc' : 'desc'] = orderBy?.trim().split(/\s+/) ?? []
  const descending = direction.toLowerCase() === 'desc'
  if (field === 'lastUpdateDateTime') return shelf.select({ ...selection, descending }, counting)
  if (field !== 'createdDateTime')
    throw new FilterError(
      `The query specified in the URI is not valid. The property '${field}' cannot be used in the $orderby query option.`,
    )
  const all = shelf.select({ ...selection, skip: 0, top: Number.POSITIVE_INFINITY, descending }, true)
  const sign = descending ? -1 : 1
  all.page.sort((a, b) => (a.createdAt < b.createdAt ? -sign : a.createdAt > b.createdAt ? sign : a.id - b.id))
  const { skip, top } = selection
  return { page: all.page.slice(skip, skip + top), more: all.page.length > skip + top, total: all.total }
}

async function oneIncident(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', quotas.graphSecurity, incidentReaders)
  if (!call || (await withoutData(call))) return
  const incident = await incidentNamed(call)
  if (!incident) return
  const { $expand } = queryOf(req)
  const all = wantsAllMembers(req)
  const alerts = expandsAlerts($expand)
    ? { alerts: alertsIn(call.tenant, incident).map((alert) => graphAlert(alert, incident, call.tenant.id, all)) }
    : {}
  await sendRecord(call, { ...incidentBody(call, incident), ...alerts }, ['alerts'])
}

async function update(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', quotas.graphSecurity, incidentWriters)
  if (!call || (await withoutData(call))) return
  const incident = await incidentNamed(call)
  if (!incident) return
  const change = graphChange(req.body)
  if (change === null) return sendGraphError(parts, req, res, 400, 'BadRequest', 'The request body is not valid.')
  // A merged incident takes the change as well: 200, still redirected.
  if (incident.status === 'redirected') delete change.status
  const after = parts.world.updateIncident(call.tenant.id, incident.id, change, authorOf(call))
  await sendJson(res, 200, incidentBody(call, after))
}

async function comment(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', quotas.graphSecurity, incidentWriters)
  if (!call || (await withoutData(call))) return
  const incident = await incidentNamed(call)
  if (!incident) return
  const text: unknown = (req.body as Record<string, unknown> | undefined)?.comment
  if (typeof text !== 'string' || text === '')
    return sendGraphError(parts, req, res, 400, 'BadRequest', 'The comment is empty.')
  const after = parts.world.updateIncident(call.tenant.id, incident.id, { comment: text }, authorOf(call))
  const { comments } = graphIncident(after, call.tenant.id, true)
  await sendJson(res, 200, { value: comments })
}

async function alertsOfOne(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', quotas.graphSecurity, alertReaders)
  if (!call || (await withoutData(call))) return
  const incident = await incidentNamed(call)
  if (!incident) return
  const all = wantsAllMembers(req)
  await sendList(
    call,
    { '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#security/incidents('${incident.id}')/alerts` },
    alertsIn(call.tenant, incident).map((alert) => graphAlert(alert, incident, call.tenant.id, all)),
  )
}

async function listAlerts(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', quotas.graphSecurity, alertReaders)
  if (!call || (await withoutData(call))) return
  try {
    const query = queryOf(req)
    const top = Math.min(wholeNumber(query.$top, '$top', maximumTop), maximumAlertsTop)
    const skip = skipOf(query)
    const matches = query.$filter ? compileFilter(parseFilter(query.$filter), alertFields) : () => true
    const all = wantsAllMembers(req)
    const items: Record<string, unknown>[] = []
    let seen = 0
    for (const incident of call.tenant.incidents.all().toReversed()) {
      for (const alert of alertsIn(call.tenant, incident)) {
        if (!matches(alert)) continue
        seen++
        if (seen > skip && items.length < top) items.push(graphAlert(alert, incident, call.tenant.id, all))
      }
      if (seen > skip + top) break
    }
    await sendList(
      call,
      {
        '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#security/alerts_v2',
        ...(seen > skip + top ? { '@odata.nextLink': nextLink(parts, req, skip + top) } : {}),
      },
      items,
    )
  } catch (error) {
    await sendFilterError(parts, req, res, error)
  }
}

async function hunt(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', quotas.graphSecurity, ['ThreatHunting.Read.All'])
  if (!call || (await withoutData(call))) return
  const asked: unknown = (req.body as Record<string, unknown> | undefined)?.Query
  const found = typeof asked === 'string' ? huntIn(call.tenant, asked) : null
  if (!found)
    return sendGraphError(
      parts,
      req,
      res,
      400,
      'BadRequest',
      'The query is empty or names a table that does not exist.',
    )
  await sendJson(res, 200, {
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security.huntingQueryResults',
    schema: found.schema,
    results: found.rows,
  })
}

async function organization(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', null, ['Organization.Read.All'])
  if (!call) return
  const { tenant } = call
  await sendList(call, { '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#organization' }, [
    {
      id: tenant.id,
      displayName: tenant.displayName,
      tenantType: 'AAD',
      countryLetterCode: null,
      verifiedDomains: tenant.domains.map((name, n) => ({
        name,
        isInitial: n === 0,
        isDefault: n === tenant.domains.length - 1,
        type: 'Managed',
        capabilities: 'Email, OfficeCommunicationsOnline',
      })),
    },
  ])
}

async function findTenant(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', null, ['CrossTenantInformation.ReadBasic.All'])
  if (!call) return
  const tenant = parts.world.find(String(req.params[0] ?? ''))
  if (!tenant || tenant.deleted) {
    return sendGraphError(
      parts,
      req,
      res,
      404,
      'Request_ResourceNotFound',
      'Unable to find a tenant with the given identifier.',
    )
  }
  await sendJson(res, 200, {
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.tenantInformation',
    tenantId: tenant.id,
    federationBrandName: null,
    displayName: tenant.displayName,
    defaultDomainName: tenant.domains[0] ?? null,
  })
}

/** The role is granted and the data still is not there: the other meaning of 403. */
async function withoutData({ parts, req, res, tenant }: Call): Promise<boolean> {
  if (!tenant.setUp) {
    await sendGraphError(parts, req, res, 404, 'UnknownTenantId', `Tenant ${tenant.id} is unknown.`)
    return true
  }
  if (tenant.licensed) return false
  await sendGraphError(parts, req, res, 403, 'Forbidden', 'Tenant is not onboarded to Microsoft Defender XDR.')
  return true
}

async function incidentNamed({ parts, req, res, tenant }: Call): Promise<Incident | null> {
  const id = String(req.params.id)
  const incident = /^\d{1,15}$/.test(id) ? tenant.incidents.get(Number(id)) : undefined
  if (!incident) await sendGraphError(parts, req, res, 404, 'ResourceNotFound', `Incident '${id}' was not found.`)
  return incident ?? null
}

function incidentBody(call: Call, incident: Incident): Record<string, unknown> {
  return {
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#security/incidents/$entity',
    ...graphIncident(incident, call.tenant.id, wantsAllMembers(call.req)),
  }
}

function authorOf({ parts, claims }: Call): { by: string; author: string } {
  const name = parts.world.registration(claims.appid).displayName
  return { by: `API-App:${name}`, author: name }
}

function wantsAllMembers(req: Request): boolean {
  return (req.get('prefer') ?? '').toLowerCase().includes('include-unknown-enum-members')
}

function topOf(value: string | undefined, most: number): number {
  const top = wholeNumber(value, '$top', maximumTop)
  if (top > most) {
    throw new FilterError(
      `The query specified in the URI is not valid. The limit of '${most}' for Top query has been exceeded. The value from the incoming request is '${top}'.`,
    )
  }
  return top
}

function skipOf(query: Record<string, string | undefined>): number {
  if (query.$skiptoken === undefined) return wholeNumber(query.$skip, '$skip', 0)
  return wholeNumber(Buffer.from(query.$skiptoken, 'base64url').toString(), '$skiptoken', 0)
}

function expandsAlerts(expand: string | undefined): boolean {
  if (expand === undefined) return false
  if (expand !== 'alerts')
    throw new FilterError(`Could not find a property named '${expand}' on type 'microsoft.graph.security.incident'.`)
  return true
}

function selected(item: Record<string, unknown>, select: string | undefined): Record<string, unknown> {
  if (select === undefined) return item
  const wanted = new Set([...select.split(',').map((name) => name.trim()), 'alerts'])
  return Object.fromEntries(Object.entries(item).filter(([name]) => wanted.has(name)))
}

function nextLink(parts: SimulatorParts, req: Request, skip: number): string {
  const url = new URL(req.originalUrl, parts.origin)
  url.searchParams.delete('$skip')
  url.searchParams.delete('$skiptoken')
  if (parts.world.behaviour.nextLinkStyle === 'skip') url.searchParams.set('$skip', String(skip))
  else url.searchParams.set('$skiptoken', Buffer.from(String(skip)).toString('base64url'))
  return url.href.replaceAll('%24', '$')
}

async function sendFilterError(parts: SimulatorParts, req: Request, res: Response, error: unknown): Promise<void> {
  if (!(error instanceof FilterError)) throw error
  await sendGraphError(parts, req, res, 400, 'BadRequest', error.message)
}
