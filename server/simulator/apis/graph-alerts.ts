import type { Request, Response } from 'express'
import type { SimulatorParts } from '../parts.ts'
import { alertsIn } from '../world/alerts/evidence.ts'
import type { Alert } from '../world/incidents.ts'
import { admit, queryOf, sendList } from './api.ts'
import { compileFilter, type FilterField, parseFilter, wholeNumber } from './filter.ts'
import {
  fieldsOfBoth,
  incidentNamed,
  nextLink,
  sendFilterError,
  skipOf,
  usualTop,
  wantsAllMembers,
  withoutData,
} from './graph-query.ts'
import { graphAlert } from './graph-wire.ts'
import { quotas } from './quotas.ts'

/** As the service's own 403 lists them: the incident role alone is enough for alerts. */
const alertReaders = [
  'SecurityAlert.Read.All',
  'SecurityAlert.ReadWrite.All',
  'SecurityIncident.Read.All',
  'SecurityIncident.ReadWrite.All',
]
const mostAlerts = 1000
const alertFields = new Map<string, FilterField<Alert>>(
  Object.entries({ ...fieldsOfBoth, serviceSource: { kind: 'text', read: ({ service }: Alert) => service } }),
)

/** https://learn.microsoft.com/graph/api/security-list-alerts_v2 */
export async function alertsOfOne(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
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

export async function listAlerts(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', quotas.graphSecurity, alertReaders)
  if (!call || (await withoutData(call))) return
  try {
    const query = queryOf(req)
    const top = Math.min(wholeNumber(query.$top, '$top', usualTop), mostAlerts)
    const skip = skipOf(query)
    const matches = query.$filter ? compileFilter(parseFilter(query.$filter), alertFields) : () => true
    const all = wantsAllMembers(req)
    const items: Record<string, unknown>[] = []
    let count = 0
    for (const incident of call.tenant.incidents.all().toReversed()) {
      for (const alert of alertsIn(call.tenant, incident)) {
        if (!matches(alert)) continue
        count++
        if (count > skip && items.length < top) items.push(graphAlert(alert, incident, call.tenant.id, all))
      }
      if (count > skip + top) break
    }
    await sendList(
      call,
      {
        '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#security/alerts_v2',
        ...(count > skip + top ? { '@odata.nextLink': nextLink(parts, req, skip + top) } : {}),
      },
      items,
    )
  } catch (error) {
    await sendFilterError(parts, req, res, error)
  }
}
