import { originalOf } from '../../server/microsoft/incidents/split-list.ts'
import type { RemoteAlert, RemoteIncident } from '../../server/model/incident.ts'
import { write } from '../../server/store/engine/write.ts'
import { toRow } from '../../server/store/incidents/rows.ts'
import { storeIncidents } from '../../server/store/incidents/write.ts'
import type { TestPortal } from './portal.ts'

/** Microsoft's way of writing a time. */
export const instant = (at: Date): string => at.toISOString().replace('Z', '0000Z')

export function alertFor(more: Partial<RemoteAlert> & { id: string }): RemoteAlert {
  return {
    title: `Alert ${more.id}`,
    description: null,
    severity: 'medium',
    status: 'new',
    category: null,
    serviceSource: null,
    detectionSource: null,
    createdAt: null,
    firstActivityAt: null,
    lastActivityAt: null,
    techniques: [],
    entities: [],
    original: null,
    ...more,
  }
}

export function incidentFor(here: TestPortal, more: Partial<RemoteIncident> & { id: string }): RemoteIncident {
  const at = instant(here.portal.now())
  return {
    redirectId: null,
    title: `Incident ${more.id}`,
    description: null,
    severity: 'medium',
    status: 'active',
    rawSeverity: null,
    rawStatus: null,
    classification: null,
    determination: null,
    assignedTo: null,
    tags: [],
    comments: [],
    lastModifiedBy: null,
    priority: null,
    createdAt: at,
    lastUpdateAt: at,
    webUrl: null,
    alerts: [],
    ...originalOf({ id: more.id }, null),
    ...more,
  }
}

/** As a sync stores them: the incidents, and the counters in step with them. */
export async function arrive(here: TestPortal, tenantId: string, incidents: readonly RemoteIncident[]): Promise<void> {
  const { db, now } = here.portal
  await write(db, async (tx) => {
    await storeIncidents(
      tx,
      tenantId,
      incidents.map((one) => toRow(tenantId, one, now())),
      now(),
    )
  })
}
