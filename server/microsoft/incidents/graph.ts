import type { Config } from '../../config/config.ts'
import { withoutRepeats } from '../../model/entity-identity.ts'
import type { RemoteAlert, RemoteIncident } from '../../model/incident.ts'
import { readEvidence } from '../evidence/graph.ts'
import { withQuery } from '../wire/addresses.ts'
import {
  belongsElsewhere,
  camel,
  idOf,
  instant,
  keepingOriginals,
  portalAddress,
  records,
  serviceSourceOf,
  severityOf,
  statusOf,
  text,
  texts,
  wholeNumber,
} from '../wire/reading.ts'
import type { IncidentSource, ListQuery } from './incidents.ts'
import { originalOf } from './split-list.ts'
import { unnamedAlert } from './unnamed.ts'

/**
 * https://learn.microsoft.com/graph/api/security-list-incidents. At most 50 a page, above that 400. `$orderby` works and
 * is not documented, so nothing depends on it. Without the header, `awaitingAction` arrives as `unknownFutureValue`.
 */
export function graphIncidents(config: Config): IncidentSource {
  const address = `${config.graphUrl}/v1.0/security/incidents`
  return {
    api: 'graph',
    origin: config.graphUrl,
    headers: { prefer: 'include-unknown-enum-members' },
    pageSize: 50,
    listUrl: (query, { top, skip, ordered, counted }) =>
      withQuery(address, {
        $top: String(top),
        ...(skip > 0 ? { $skip: String(skip) } : {}),
        ...(ordered ? { $orderby: 'lastUpdateDateTime asc' } : {}),
        ...(counted ? { $count: 'true' } : {}),
        $filter: filterOf(query),
      }),
    openLists: ['active', 'inProgress', 'other'],
    kinds: [apart('status', statuses), apart('severity', ['high', 'medium', 'low', 'informational'])],
    incidentUrl: (incidentId) => `${address}/${encodeURIComponent(incidentId)}`,
    readIncident,
    // The second is for services that do not offer the first; `$expand` fails on large incidents, so it comes last.
    alertsUrls: (incidentId) => [
      `${address}/${encodeURIComponent(incidentId)}/alerts`,
      `${address}/${encodeURIComponent(incidentId)}?$expand=alerts`,
    ],
    readAlerts: (body, tenantId) =>
      records(Array.isArray(body.value) ? body.value : body.alerts).flatMap((record, index) =>
        belongsElsewhere(record.tenantId, tenantId) ? [] : readApart(record, index),
      ),
  }
}

const statuses = ['active', 'inProgress', 'resolved', 'redirected']

/** Conditions that take a list apart: one for each value, and one for all other values. */
function apart(field: string, values: readonly string[]): string[] {
  return [...values.map((value) => `${field} eq '${value}'`), none(field, values)]
}

const none = (field: string, values: readonly string[]) => values.map((value) => `${field} ne '${value}'`).join(' and ')

function filterOf({
  updatedSince,
  updatedBefore,
  createdSince,
  createdBefore,
  status,
  kinds = [],
}: ListQuery): string | undefined {
  const conditions = [
    updatedSince && `lastUpdateDateTime ge ${updatedSince}`,
    updatedBefore && `lastUpdateDateTime lt ${updatedBefore}`,
    createdSince && `createdDateTime ge ${createdSince}`,
    createdBefore && `createdDateTime lt ${createdBefore}`,
    // Without naming them: a service may refuse a word that it has for callers alone who ask for it.
    status && (status === 'other' ? none('status', statuses) : `status eq '${status}'`),
    ...kinds,
  ].filter(Boolean)
  return conditions.length === 0 ? undefined : conditions.join(' and ')
}

function readIncident(
  record: Record<string, unknown>,
  _tenantId: string,
  sent: Uint8Array | null,
): RemoteIncident | 'no-id' | 'no-time' {
  const id = idOf(text(record.id, 100))
  if (id === null) return 'no-id'
  const createdAt = instant(record.createdDateTime)
  const lastUpdateAt = instant(record.lastUpdateDateTime) ?? createdAt
  if (lastUpdateAt === null) return 'no-time'
  const rawSeverity = text(record.severity, 100)
  const rawStatus = text(record.status, 100)
  // Microsoft's samples have `tags`, the service has the other two.
  const tags = [...texts(record.customTags, 200), ...texts(record.systemTags, 200), ...texts(record.tags, 200)]
  return {
    id,
    redirectId: idOf(text(record.redirectIncidentId, 100)),
    title: text(record.displayName, 1_000) ?? `#${id}`,
    description: text(record.description, 20_000),
    severity: severityOf(rawSeverity),
    status: statusOf(rawStatus),
    rawSeverity,
    rawStatus,
    classification: camel(text(record.classification, 100)),
    determination: camel(text(record.determination, 100)),
    assignedTo: text(record.assignedTo, 500),
    tags: [...new Set(tags)],
    comments: records(record.comments).flatMap(readComment),
    lastModifiedBy: text(record.lastModifiedBy, 500),
    priority: wholeNumber(record.priorityScore),
    createdAt: createdAt ?? lastUpdateAt,
    lastUpdateAt,
    webUrl: portalAddress(text(record.incidentWebUrl, 2_000)),
    alerts: Array.isArray(record.alerts) ? records(record.alerts).map(readWithin) : null,
    ...originalOf(record, sent),
  }
}

function readComment(record: Record<string, unknown>): RemoteIncident['comments'] {
  const words = text(record.comment, 20_000)
  if (words === null) return []
  const by = text(record.createdByDisplayName, 500) ?? text(record.createdBy, 500)
  return [{ text: words, by, at: instant(record.createdDateTime) ?? instant(record.createdTime) }]
}

function readWithin(record: Record<string, unknown>, index: number): RemoteAlert {
  const id = text(record.id, 200) ?? unnamedAlert(index)
  const source = serviceSourceOf(text(record.serviceSource, 100))
  return {
    id,
    title: text(record.title, 1_000) ?? id,
    description: text(record.description, 20_000),
    severity: severityOf(text(record.severity, 100)),
    status: camel(text(record.status, 100)),
    category: text(record.category, 200),
    // Two alerts in five come with a source that has no name yet; the product's own name is there all the same.
    serviceSource:
      source === null || source === 'unknownFutureValue' ? (text(record.productName, 200) ?? source) : source,
    detectionSource: camel(text(record.detectionSource, 100)),
    createdAt: instant(record.createdDateTime),
    firstActivityAt: instant(record.firstActivityDateTime),
    lastActivityAt: instant(record.lastActivityDateTime),
    techniques: texts(record.mitreTechniques, 50),
    entities: withoutRepeats(records(record.evidence).map(readEvidence)),
    original: null,
  }
}

const readApart = keepingOriginals(readWithin)
