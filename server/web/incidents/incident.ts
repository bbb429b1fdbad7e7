import type { Response } from 'express'
import { type FieldFault, pathValue, type Typed } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { tenantFor } from '../../http/scope.ts'
import { alertsOf } from '../../incidents/alerts.ts'
import type { Portal } from '../../portal.ts'
import { findSurvivor, getIncident, mergedInto, type StoredIncident } from '../../store/incidents/incidents.ts'
import { notesOf } from '../../store/incidents/notes.ts'
import { neighboursOf, type QueueItem } from '../../store/incidents/queue.ts'
import { blindSince } from '../../store/tenants/blind.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import { overLines } from '../json-lines.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { noteOpened } from '../tenants/opened.ts'
import { defenderUrl } from './defender-portal.ts'
import { entitiesOf } from './entities.ts'
import { filterOf, hrefOf, incidentAddress, listFrom, type QueueAddress } from './filters.ts'
import { type Back, type IncidentFacts, incidentView, mergedView, type Raw } from './incident-view.ts'
import { notesView } from './notes.ts'
import { storyOf } from './timeline.ts'

const incidentPage = page('incidents/incident', incidentView)
const mergedPage = page('incidents/merged', mergedView)

const mostRaw = 200_000
/** Alerts told of, the earliest first. */
const mostAlerts = 500

/** One incident; one that was merged leads to the incident it ended in. */
export const showIncident: Handler<OperatorRequest> = (portal, req, res) => showIncidentWith(portal, req, res, null)

interface NotKept {
  faults: FieldFault[]
  typed: Typed
}

/** The page of the incident that the address names, after a note for it was not taken as it was. @throws PortalError NOT_FOUND */
export async function showIncidentWith(
  portal: Portal,
  req: OperatorRequest,
  res: Response,
  said: NotKept | null,
): Promise<void> {
  const tenant = await tenantFor(portal, req, pathValue(req, 'tenantId'))
  noteOpened(portal, req, res, tenant.tenantId)
  await show(portal, req, res, tenant, pathValue(req, 'incidentId'), said)
}

async function show(
  portal: Portal,
  req: OperatorRequest,
  res: Response,
  tenant: Tenant,
  incidentId: string,
  said: NotKept | null,
): Promise<void> {
  const incident = await getIncident(portal.db, tenant.tenantId, incidentId)
  const list = listFrom(req.query.from, tenant.tenantId)
  const notes = async () =>
    notesView(req, tenant.tenantId, incident.id, await notesOf(portal.db, tenant.tenantId, incident.id))
  const original = {
    typed: typeof said?.typed.text === 'string' ? said.typed.text : '',
    faults: said?.faults ?? null,
  }
  const code = said === null ? 200 : 422
  if (incident.redirectId !== null || incident.status === 'redirected') {
    const survivor = await survivorOfMerged(portal, incident)
    // A note that could not be kept is not lost to a redirect.
    if (survivor !== null && said !== null) return show(portal, req, res, tenant, survivor, said)
    if (survivor !== null) {
      const address = new URL(incidentAddress(tenant.tenantId, survivor, list), portal.config.publicUrl)
      address.searchParams.set('merged', incident.id)
      res.redirect(303, `${address.pathname}${address.search}`)
      return
    }
    const defender = defenderUrl(portal.config, tenant.tenantId, incident.redirectId ?? incident.id)
    const facts = { incident, tenant, back: backTo(list), defender, notes: await notes(), ...original }
    await render(res, mergedPage, facts, code)
    return
  }
  const [neighbours, merged, cameFrom, written] = await Promise.all([
    neighboursIn(portal, req, list, incident),
    mergedInto(portal.db, tenant.tenantId, incident.id),
    confirmMerged(portal, incident, req.query.merged),
    notes(),
  ])
  const alerts = alertsOf(portal, incident)
  const addressIn = (item: QueueItem | null) =>
    item === null ? null : incidentAddress(item.tenantId, item.incidentId, list)
  const facts: IncidentFacts = {
    incident,
    tenant,
    blindFrom: blindSince(tenant, portal.now()),
    back: backTo(list),
    defender: defenderUrl(portal.config, tenant.tenantId, incident.id, incident.webUrl),
    previous: addressIn(neighbours.previous),
    next: addressIn(neighbours.next),
    cameFrom,
    merged: merged.map((one) => ({ ...one, href: incidentAddress(tenant.tenantId, one.incidentId, list) })),
    story: storyOf(alerts.slice(0, mostAlerts)),
    entities: entitiesOf(alerts, {
      all: req.query.entities === 'all',
      allHref: withAllEntities(portal, incidentAddress(tenant.tenantId, incident.id, list)),
    }),
    notes: written,
    ...original,
    raw: rawOf(incident),
  }
  await render(res, incidentPage, facts, code)
}

const survivorOfMerged = async ({ db }: Portal, { tenantId, redirectId }: StoredIncident) =>
  redirectId === null ? null : findSurvivor(db, tenantId, redirectId)

/** The address says an incident was merged into this one: shown only when it is so. */
async function confirmMerged({ db }: Portal, incident: StoredIncident, value: unknown): Promise<string | null> {
  if (typeof value !== 'string' || !/^[\w.-]{1,100}$/.test(value) || value === incident.id) return null
  return (await findSurvivor(db, incident.tenantId, value)) === incident.id ? value : null
}

/** Who stands next to it in the list its reader came from. A list found by text is left: finding it again takes too long. */
async function neighboursIn({ db }: Portal, { scope }: OperatorRequest, list: QueueAddress, incident: StoredIncident) {
  if (list.query.text !== '') return { previous: null, next: null }
  const place = {
    tenantId: incident.tenantId,
    incidentId: incident.id,
    severity: incident.severity,
    open: incident.status !== 'resolved',
    lastUpdateAt: incident.lastUpdateAt,
  }
  return neighboursOf(db, filterOf(list), list.query.order, place, scope)
}

function withAllEntities({ config }: Portal, href: string): string {
  const address = new URL(href, config.publicUrl)
  address.searchParams.set('entities', 'all')
  return `${address.pathname}${address.search}#entities`
}

function backTo(list: QueueAddress): Back {
  const href = hrefOf(list, { at: list.query.at })
  if (list.tenantId !== null) return { href, kind: 'tenant' }
  return { href, kind: href === '/incidents' ? 'open' : 'filtered' }
}

/** What Microsoft sent, alerts included where they came by themselves. */
function rawOf({ original, alertOriginals }: StoredIncident): Raw {
  const whole = withAlerts(original, alertOriginals)
  return { ...overLines(whole, mostRaw), length: whole.length }
}

function withAlerts(original: string, alertOriginals: string | null): string {
  const record = JSON.parse(original) as unknown
  if (typeof record !== 'object' || record === null || Array.isArray(record) || 'alerts' in record) return original
  const start = original.slice(0, original.lastIndexOf('}'))
  const comma = Object.keys(record).length === 0 ? '' : ','
  return `${start}${comma}"alerts":${alertOriginals ?? '[]'}}`
}
