// Incidents to fill a store with.

import { originalOf } from '../server/microsoft/incidents/split-list.ts'
import type { RemoteAlert, RemoteEntity, RemoteIncident, Severity } from '../server/model/incident.ts'

const titles = [
  'Multi-stage incident involving Initial access & Exfiltration on multiple endpoints',
  'Suspicious inbox manipulation rule involving one user',
  'Adversary-in-the-middle (AiTM) phishing attack involving one user',
  'Suspicious PowerShell command line on one endpoint',
  'Email reported by user as malware or phish involving one user',
]
const severities: readonly Severity[] = ['high', 'medium', 'low', 'low', 'informational']
const severityOf = (n: number): Severity => severities[n % severities.length] ?? 'low'

/** Whatever its severity. */
const titleOf = (n: number) => titles[Math.floor(n / severities.length) % titles.length] ?? ''

/** Incident `n` of tenant `t` as the portal holds one: about 8 kB of original, two alerts, six entities. */
export function incidentOf(n: number, now: number, t = 0): RemoteIncident {
  const updated = new Date(now - ((n * 7_919 + t * 48_611) % (30 * 86_400)) * 1_000).toISOString().replace('Z', '0000Z')
  const open = n % 12 === 0
  const entity = (kind: RemoteEntity['kind'], name: string): RemoteEntity => ({
    kind,
    name,
    detail: null,
    verdict: 'suspicious',
    remediation: null,
  })
  const alert = (k: number): RemoteAlert => ({
    id: `da${n}_${k}`,
    title: titleOf(n + k + t * 7),
    description: 'A process was started in a way that is seldom seen in this organisation.',
    severity: severityOf(n),
    status: 'new',
    category: 'InitialAccess',
    serviceSource: 'microsoftDefenderForEndpoint',
    detectionSource: 'antivirus',
    createdAt: updated,
    firstActivityAt: updated,
    lastActivityAt: updated,
    techniques: ['T1566.002'],
    entities: [
      entity('user', `user${n % 500}@tenant.example`),
      entity('device', `WS-${n % 800}`),
      entity('ip', `203.0.113.${n % 250}`),
    ],
    original: null,
  })
  return {
    id: String(n),
    redirectId: null,
    title: titleOf(n + t * 7),
    description: null,
    severity: severityOf(n),
    status: open ? 'active' : 'resolved',
    rawSeverity: severityOf(n),
    rawStatus: open ? 'Active' : 'Resolved',
    classification: null,
    determination: null,
    assignedTo: n % 3 === 0 ? 'analyst@partner.example' : null,
    tags: [],
    comments: [],
    lastModifiedBy: null,
    priority: null,
    createdAt: updated,
    lastUpdateAt: updated,
    webUrl: null,
    alerts: [alert(0), alert(1)],
    ...originalOf({ incidentId: n, padding: 'x'.repeat(8_000) }, null),
  }
}
