import { z } from 'zod'
import type { Config } from '../config.ts'
import { withQuery } from './addresses.ts'
import { readEvidence } from './evidence.ts'
import type { IncidentSource } from './incidents.ts'
import type { IncidentQuery, RemoteAlert, RemoteIncident } from './microsoft.ts'
import {
  belongsElsewhere,
  camel,
  firstOf,
  idOf,
  instant,
  isRecord,
  portalAddress,
  records,
  serviceSourceOf,
  severityOf,
  statusOf,
  text,
  texts,
  wholeNumber,
  withoutRepeats,
} from './reading.ts'

/**
 * https://learn.microsoft.com/graph/api/security-list-incidents. At most 50 a page, above that 400. `$orderby` works and
 * is not documented, so it is dropped when refused. Without the header, `awaitingAction` arrives as `unknownFutureValue`.
 */
export function graphIncidents(config: Config): IncidentSource {
  const address = `${config.graphUrl}/v1.0/security/incidents`
  return {
    api: 'graph',
    origin: config.graphUrl,
    headers: { prefer: 'include-unknown-enum-members' },
    pageSize: 50,
    listUrl: (query, { top, skip, ordered }) =>
      withQuery(address, {
        $top: String(top),
        ...(skip > 0 ? { $skip: String(skip) } : {}),
        ...(ordered ? { $orderby: 'lastUpdateDateTime asc' } : {}),
        $filter: filterOf(query),
      }),
    readIncident,
    // The second is for services that do not offer the first; `$expand` fails on large incidents, so it comes last.
    alertsUrls: (incidentId) => [
      `${address}/${encodeURIComponent(incidentId)}/alerts`,
      `${address}/${encodeURIComponent(incidentId)}?$expand=alerts`,
    ],
    readAlerts: (body, tenantId) =>
      records.parse(Array.isArray(body.value) ? body.value : body.alerts).flatMap((record, index) => {
        const read = readAlert(record, index)
        return belongsElsewhere(record.tenantId, tenantId) ? [] : [read]
      }),
  }
}

function filterOf({ updatedSince, createdSince, status }: IncidentQuery): string | undefined {
  const conditions = [
    updatedSince && `lastUpdateDateTime ge ${updatedSince}`,
    createdSince && `createdDateTime ge ${createdSince}`,
    status && `status eq '${status}'`,
  ].filter(Boolean)
  return conditions.length === 0 ? undefined : conditions.join(' and ')
}

const incident = z.object({
  id: text(100),
  redirectIncidentId: text(100),
  displayName: text(1_000),
  description: text(20_000),
  createdDateTime: instant,
  lastUpdateDateTime: instant,
  assignedTo: text(500),
  classification: text(100),
  determination: text(100),
  status: text(100),
  severity: text(100),
  customTags: texts(200),
  systemTags: texts(200),
  // Microsoft's samples have `tags`, the service has the two above.
  tags: texts(200),
  comments: records,
  lastModifiedBy: text(500),
  priorityScore: wholeNumber,
  incidentWebUrl: text(2_000),
})

const comment = z.object({
  comment: text(20_000),
  createdByDisplayName: text(500),
  createdBy: text(500),
  createdDateTime: instant,
  createdTime: instant,
})

function readIncident(record: Record<string, unknown>): RemoteIncident | 'no-id' | 'no-time' {
  const said = incident.parse(record)
  const id = idOf(said.id)
  if (id === null) return 'no-id'
  const lastUpdateAt = said.lastUpdateDateTime ?? said.createdDateTime
  if (lastUpdateAt === null) return 'no-time'
  return {
    id,
    redirectId: idOf(said.redirectIncidentId),
    title: said.displayName ?? `#${id}`,
    description: firstOf(said.description),
    severity: severityOf(said.severity),
    status: statusOf(said.status),
    rawSeverity: said.severity,
    rawStatus: said.status,
    classification: camel(said.classification),
    determination: camel(said.determination),
    assignedTo: said.assignedTo,
    tags: [...new Set([...said.customTags, ...said.systemTags, ...said.tags])],
    comments: said.comments.flatMap((entry) => {
      const { comment: words, ...by } = comment.parse(entry)
      return words === null
        ? []
        : [{ text: words, by: by.createdByDisplayName ?? by.createdBy, at: by.createdDateTime ?? by.createdTime }]
    }),
    lastModifiedBy: said.lastModifiedBy,
    priority: said.priorityScore ?? null,
    createdAt: said.createdDateTime ?? lastUpdateAt,
    lastUpdateAt,
    webUrl: portalAddress(said.incidentWebUrl),
    alerts: Array.isArray(record.alerts) ? records.parse(record.alerts).map(readAlert) : null,
    original: record,
  }
}

const alert = z.object({
  id: text(200),
  title: text(1_000),
  description: text(20_000),
  severity: text(100),
  status: text(100),
  category: text(200),
  serviceSource: text(100),
  productName: text(200),
  detectionSource: text(100),
  createdDateTime: instant,
  firstActivityDateTime: instant,
  lastActivityDateTime: instant,
  mitreTechniques: texts(50),
  evidence: records,
})

function readAlert(record: Record<string, unknown>, index: number): RemoteAlert {
  const said = alert.parse(record)
  const id = said.id ?? `unnamed-${index + 1}`
  const source = serviceSourceOf(said.serviceSource)
  return {
    id,
    title: said.title ?? id,
    description: said.description,
    severity: severityOf(said.severity),
    status: camel(said.status),
    category: said.category,
    // Two alerts in five come with a source that has no name yet; the product's own name is there all the same.
    serviceSource: source === null || source === 'unknownFutureValue' ? (said.productName ?? source) : source,
    detectionSource: camel(said.detectionSource),
    createdAt: said.createdDateTime,
    firstActivityAt: said.firstActivityDateTime,
    lastActivityAt: said.lastActivityDateTime,
    techniques: said.mitreTechniques,
    entities: withoutRepeats(said.evidence.filter(isRecord).map(readEvidence)),
    original: record,
  }
}
