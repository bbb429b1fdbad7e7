import { type Request, type Response, Router } from 'express'
import type { SimulatorParts } from '../parts.ts'
import { alertsIn } from '../world/alerts/evidence.ts'
import { defenderChange } from '../world/changes.ts'
import type { Incident } from '../world/incidents.ts'
import { sendDefenderError, sendJson } from './answers.ts'
import { admit, type Call, listedIn, queryOf, sendList, sendRecord } from './api.ts'
import { defenderIncident, defenderStatus } from './defender-wire.ts'
import { FilterError, type FilterField, incidentFilter, wholeNumber } from './filter.ts'
import { huntIn } from './hunting.ts'
import { quotas } from './quotas.ts'

const context = 'https://api.security.microsoft.com/api/$metadata#Incidents'
const readers = ['Incident.Read.All', 'Incident.ReadWrite.All']
const writers = ['Incident.ReadWrite.All']
const maximumTop = 100

/** The documented four; severity is not among them. */
const filterFields = new Map<string, FilterField<Incident>>(
  Object.entries({
    lastUpdateTime: { kind: 'time', read: ({ lastUpdateAt }) => lastUpdateAt },
    createdTime: { kind: 'time', read: ({ createdAt }) => createdAt },
    status: { kind: 'text', read: ({ status }) => defenderStatus(status) },
    assignedTo: { kind: 'text', read: ({ assignedTo }) => assignedTo },
  } satisfies Record<string, FilterField<Incident>>),
)

/** The Defender XDR API: https://learn.microsoft.com/defender-xdr/api-list-incidents and its neighbours. */
export function defenderRoutes(parts: SimulatorParts): Router {
  const routes = Router()
  routes.get('/api/incidents', (req, res) => list(parts, req, res))
  routes.get('/api/incidents/:id', (req, res) => one(parts, req, res))
  routes.patch('/api/incidents/:id', (req, res) => update(parts, req, res))
  routes.post(['/api/advancedhunting/run', '/api/advancedqueries/run'], (req, res) => hunt(parts, req, res))
  return routes
}

async function list(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'defender', quotas.defenderList, readers)
  if (!call || (await withoutData(call))) return
  try {
    const query = queryOf(req)
    const top = wholeNumber(query.$top, '$top', maximumTop)
    const most = parts.world.behaviour.maximumTop ?? maximumTop
    if (top > most)
      throw new FilterError(
        `The limit of '${most}' for Top query has been exceeded. The value from the incoming request is '${top}'.`,
      )
    const skip = wholeNumber(query.$skip, '$skip', 0)
    const filter = incidentFilter(query.$filter, filterFields, 'lastUpdateTime')
    const { page, more } = listedIn(call).select({ ...filter, skip, top, descending: true })
    const next =
      more && parts.world.behaviour.defenderNextLink ? { '@odata.nextLink': nextLink(parts, req, skip + top) } : {}
    await sendList(
      call,
      { '@odata.context': context, ...next },
      page.map((incident) => render(call, incident)),
    )
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    await sendDefenderError(res, 400, 'BadRequest', error.message)
  }
}

async function one(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'defender', quotas.defenderGet, readers)
  if (!call || (await withoutData(call))) return
  const incident = await incidentNamed(call)
  if (incident) await sendIncident(call, incident)
}

async function update(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'defender', quotas.defenderList, writers)
  if (!call || (await withoutData(call))) return
  const incident = await incidentNamed(call)
  if (!incident) return
  const change = defenderChange(req.body, incident)
  if (change === null) return sendDefenderError(res, 400, 'InvalidRequestBody', 'Request body is incorrect')
  const name = parts.world.registration(call.claims.appid).displayName
  const after = parts.world.updateIncident(call.tenant.id, incident.id, change, {
    by: `API-App:${name}`,
    author: name,
  })
  await sendIncident(call, after)
}

async function hunt(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'defender', null, ['AdvancedHunting.Read.All'])
  if (!call || (await withoutData(call))) return
  const query: unknown = (req.body as Record<string, unknown> | undefined)?.Query
  const result = typeof query === 'string' ? huntIn(call.tenant, query) : null
  if (!result)
    return sendDefenderError(res, 400, 'BadRequest', 'The query is empty or names a table that does not exist.')
  await sendJson(res, 200, {
    Stats: { ExecutionTime: 0.04, dataset_statistics: [{ table_row_count: result.rows.length, table_size: 102 }] },
    Schema: result.schema.map(({ name, type }) => ({ Name: name, Type: type })),
    Results: result.rows,
  })
}

/** A token that outlived the licence, or a service that was never opened. */
async function withoutData({ res, tenant }: Call): Promise<boolean> {
  if (!tenant.setUp) {
    await sendDefenderError(res, 404, 'UnknownTenantId', `Tenant ${tenant.id} is unknown.`)
    return true
  }
  if (tenant.licensed) return false
  await sendDefenderError(res, 403, 'DisabledFeature', 'Tenant feature is not enabled.')
  return true
}

async function incidentNamed({ req, res, tenant }: Call): Promise<Incident | null> {
  const id = String(req.params.id)
  const incident = /^\d{1,15}$/.test(id) ? tenant.incidents.get(Number(id)) : undefined
  if (!incident) await sendDefenderError(res, 404, 'ResourceNotFound', `Incident ${id} was not found`)
  return incident ?? null
}

function render(call: Call, incident: Incident): Record<string, unknown> {
  return defenderIncident(incident, alertsIn(call.tenant, incident))
}

async function sendIncident(call: Call, incident: Incident): Promise<void> {
  await sendRecord(call, { '@odata.context': `${context}/$entity`, ...render(call, incident) }, ['alerts'])
}

function nextLink(parts: SimulatorParts, req: Request, skip: number): string {
  const url = new URL(req.originalUrl, parts.origin)
  url.searchParams.set('$skip', String(skip))
  return url.href.replaceAll('%24', '$')
}
