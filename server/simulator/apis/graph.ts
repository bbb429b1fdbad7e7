import { type Request, type Response, Router } from 'express'
import type { SimulatorParts } from '../parts.ts'
import { alertsIn } from '../world/alerts/evidence.ts'
import { graphChange } from '../world/changes.ts'
import type { IncidentIndex, Selection } from '../world/incident-index.ts'
import type { Incident } from '../world/incidents.ts'
import { sendGraphError, sendJson } from './answers.ts'
import { admit, type Call, listedIn, queryOf, sendList, sendRecord } from './api.ts'
import { FilterError, type FilterField, incidentFilter } from './filter.ts'
import { alertsOfOne, listAlerts } from './graph-alerts.ts'
import { findTenant, oneApplication, oneServicePrincipal, organization } from './graph-directory.ts'
import {
  expandsAlerts,
  fieldsOfBoth,
  incidentNamed,
  nextLink,
  selected,
  sendFilterError,
  skipOf,
  topOf,
  usualTop,
  wantsAllMembers,
  withoutData,
} from './graph-query.ts'
import { graphAlert, graphIncident } from './graph-wire.ts'
import { huntIn } from './hunting.ts'
import { quotas } from './quotas.ts'

const incidentReaders = ['SecurityIncident.Read.All', 'SecurityIncident.ReadWrite.All']
const incidentWriters = ['SecurityIncident.ReadWrite.All']

const incidentFields = new Map<string, FilterField<Incident>>(Object.entries(fieldsOfBoth))

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
    const top = topOf(query.$top, parts.world.behaviour.maximumTop ?? usualTop)
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

async function hunt(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', quotas.graphSecurity, ['ThreatHunting.Read.All'])
  if (!call || (await withoutData(call))) return
  const query: unknown = (req.body as Record<string, unknown> | undefined)?.Query
  const result = typeof query === 'string' ? huntIn(call.tenant, query) : null
  if (!result)
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
    schema: result.schema,
    results: result.rows,
  })
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
