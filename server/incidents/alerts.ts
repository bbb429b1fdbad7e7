import type { Portal } from '../portal.ts'
import type { StoredAlert, StoredIncident } from '../store/incidents/incidents.ts'
import { inStory } from '../store/incidents/rows.ts'

/**
 * The alerts of a stored incident with everything Microsoft named in them, the earliest activity first. The store keeps
 * what lists and search need; the rest is read from what Microsoft sent. Where that cannot be understood, what the store keeps.
 */
export function alertsOf(
  { microsoft, log }: Pick<Portal, 'microsoft' | 'log'>,
  incident: StoredIncident,
): StoredAlert[] {
  const { tenantId, id, alerts } = incident
  if (alerts.length === 0) return alerts
  try {
    const read = microsoft.readAgain(tenantId, incident)?.alerts ?? null
    return read === null ? alerts : inStory(read).map(({ original: _, ...alert }) => alert)
  } catch (error) {
    log.error({ err: error, tenantId, incidentId: id }, 'what Microsoft sent of an incident could not be read again')
    return alerts
  }
}
