import type { RemoteAlert, RemoteIncident } from '../../model/incident.ts'
import { isRecord, records } from '../wire/reading.ts'
import type { IncidentSource } from './incidents.ts'

/**
 * An incident out of what was once sent of it. Which of the two APIs it came from shows in its fields: a portal may have
 * been turned to the other since.
 * @returns null for a record that is not understood; `alerts` null where none were sent, or not every one is understood
 * @throws SyntaxError for what is no JSON
 */
export function readKept(
  sources: Record<'defender' | 'graph', IncidentSource>,
  tenantId: string,
  { original, alertOriginals }: { original: string; alertOriginals: string | null },
): { incident: RemoteIncident; alerts: RemoteAlert[] | null } | null {
  const record: unknown = JSON.parse(original)
  if (!isRecord(record)) return null
  const source = 'incidentId' in record ? sources.defender : sources.graph
  const incident = source.readIncident(record, tenantId, new TextEncoder().encode(original))
  if (typeof incident === 'string') return null
  if (alertOriginals === null) return { incident, alerts: incident.alerts }
  const alertRecords = records(JSON.parse(alertOriginals))
  const alerts = source.readAlerts({ value: alertRecords, alerts: alertRecords }, tenantId)
  return { incident, alerts: alerts.length === alertRecords.length ? alerts : null }
}
