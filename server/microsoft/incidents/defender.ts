import { cloudFor } from '../../config/clouds.ts'
import type { Config } from '../../config/config.ts'
import { withoutRepeats } from '../../model/entity-identity.ts'
import type { RemoteAlert, RemoteIncident } from '../../model/incident.ts'
import { readDevice, readNamed } from '../evidence/defender.ts'
import { withQuery } from '../wire/addresses.ts'
import {
  camel,
  idOf,
  instant,
  keepingOriginals,
  records,
  serviceSourceOf,
  severityOf,
  statusOf,
  text,
  texts,
} from '../wire/reading.ts'
import type { IncidentSource, ListQuery } from './incidents.ts'
import { originalOf } from './split-list.ts'
import { unnamedAlert } from './unnamed.ts'

/** https://learn.microsoft.com/defender-xdr/api-list-incidents: at most 100 a page, above that 400. */
export function defenderIncidents(config: Config): IncidentSource {
  const address = `${config.defenderUrl}/api/incidents`
  const { defenderPortal } = cloudFor(config)
  return {
    api: 'defender',
    origin: config.defenderUrl,
    headers: {},
    pageSize: 100,
    listUrl: (query, { top, skip }) =>
      withQuery(address, { $top: String(top), ...(skip > 0 ? { $skip: String(skip) } : {}), $filter: filterOf(query) }),
    // This API has no other status: what awaits an action is in progress here.
    openLists: ['active', 'inProgress'],
    kinds: [],
    incidentUrl: (incidentId) => `${address}/${encodeURIComponent(incidentId)}`,
    readIncident: (record, tenantId, sent) => readIncident(record, tenantId, sent, defenderPortal),
    alertsUrls: (incidentId) => [`${address}/${encodeURIComponent(incidentId)}`],
    readAlerts: (body) => records(body.alerts).flatMap(readApart),
  }
}

/** `$filter` takes lastUpdateTime, createdTime, status and assignedTo, and no others. */
function filterOf({ updatedSince, updatedBefore, createdSince, createdBefore, status }: ListQuery): string | undefined {
  const wireStatus = { active: 'Active', inProgress: 'InProgress', resolved: 'Resolved' }
  const conditions = [
    updatedSince && `lastUpdateTime ge ${updatedSince}`,
    updatedBefore && `lastUpdateTime lt ${updatedBefore}`,
    createdSince && `createdTime ge ${createdSince}`,
    createdBefore && `createdTime lt ${createdBefore}`,
    status && status !== 'other' && `status eq '${wireStatus[status]}'`,
  ].filter(Boolean)
  return conditions.length === 0 ? undefined : conditions.join(' and ')
}

function readIncident(
  record: Record<string, unknown>,
  tenantId: string,
  sent: Uint8Array | null,
  portal: string,
): RemoteIncident | 'no-id' | 'no-time' {
  const id = idOf(text(record.incidentId, 100))
  if (id === null) return 'no-id'
  const createdAt = instant(record.createdTime)
  const lastUpdateAt = instant(record.lastUpdateTime) ?? createdAt
  if (lastUpdateAt === null) return 'no-time'
  const rawSeverity = text(record.severity, 100)
  const rawStatus = text(record.status, 100)
  return {
    id,
    redirectId: idOf(text(record.redirectIncidentId, 100)),
    title: text(record.incidentName, 1_000) ?? `#${id}`,
    description: text(record.description, 20_000),
    severity: severityOf(rawSeverity),
    status: statusOf(rawStatus),
    rawSeverity,
    rawStatus,
    classification: camel(text(record.classification, 100)),
    determination: camel(text(record.determination, 100)),
    assignedTo: text(record.assignedTo, 500),
    tags: texts(record.tags, 200),
    comments: records(record.comments).flatMap(readComment),
    lastModifiedBy: null,
    priority: null,
    createdAt: createdAt ?? lastUpdateAt,
    lastUpdateAt,
    // This API sends no address of its own.
    webUrl: `${portal}/incident2/${encodeURIComponent(id)}/overview?tid=${tenantId}`,
    alerts: records(record.alerts).map(readWithin),
    ...originalOf(record, sent),
  }
}

function readComment(record: Record<string, unknown>): RemoteIncident['comments'] {
  const words = text(record.comment, 20_000)
  if (words === null) return []
  const by = text(record.createdBy, 500) ?? text(record.createdByDisplayName, 500)
  return [{ text: words, by, at: instant(record.createdTime) ?? instant(record.createdDateTime) }]
}

function readWithin(record: Record<string, unknown>, index: number): RemoteAlert {
  const id = text(record.alertId, 200) ?? unnamedAlert(index)
  return {
    id,
    title: text(record.title, 1_000) ?? id,
    description: text(record.description, 20_000),
    severity: severityOf(text(record.severity, 100)),
    status: camel(text(record.status, 100)),
    category: text(record.category, 200),
    serviceSource: serviceSourceOf(text(record.serviceSource, 100)),
    detectionSource: camel(text(record.detectionSource, 100)),
    createdAt: instant(record.creationTime),
    firstActivityAt: instant(record.firstActivity),
    lastActivityAt: instant(record.lastActivity),
    techniques: texts(record.mitreTechniques, 50),
    entities: withoutRepeats([...records(record.devices).map(readDevice), ...records(record.entities).map(readNamed)]),
    original: null,
  }
}

const readApart = keepingOriginals(readWithin)
