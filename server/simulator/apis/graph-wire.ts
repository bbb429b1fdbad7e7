import type { Alert, Incident } from '../world/incidents.ts'
import { onWire } from '../world/instants.ts'
import { graphDevice, graphEvidence } from './graph-evidence.ts'

const products = new Map<string, string>([
  ['microsoftDefenderForEndpoint', 'Microsoft Defender for Endpoint'],
  ['microsoftDefenderForIdentity', 'Microsoft Defender for Identity'],
  ['microsoftDefenderForCloudApps', 'Microsoft Defender for Cloud Apps'],
  ['microsoftDefenderForOffice365', 'Microsoft Defender for Office 365'],
  ['microsoft365Defender', 'Microsoft Defender XDR'],
  ['azureAdIdentityProtection', 'Microsoft Entra ID Protection'],
  ['dataLossPrevention', 'Microsoft Data Loss Prevention'],
])

/** Members that came after `unknownFutureValue`: sent only to callers with `Prefer: include-unknown-enum-members`. */
const laterMembers = new Set(['awaitingAction', 'dataLossPrevention'])

/** Hides evolvable enum members from callers that did not ask for them. */
function evolvable(value: string, all: boolean): string {
  return laterMembers.has(value) && !all ? 'unknownFutureValue' : value
}

/** An incident as Graph sends it; the key set is the one seen on the wire in 2026. */
export function graphIncident(incident: Incident, tenantId: string, allMembers: boolean): Record<string, unknown> {
  return {
    id: String(incident.id),
    tenantId,
    status: evolvable(incident.status, allMembers),
    incidentWebUrl: `https://security.microsoft.com/incident2/${incident.id}/overview?tid=${tenantId}`,
    redirectIncidentId: incident.redirectId === null ? null : String(incident.redirectId),
    displayName: incident.name,
    createdDateTime: onWire(incident.createdAt),
    lastUpdateDateTime: onWire(incident.lastUpdateAt),
    assignedTo: incident.assignedTo,
    classification: incident.classification,
    determination: incident.determination,
    severity: incident.severity,
    customTags: incident.tags,
    systemTags: incident.systemTags,
    description: incident.description,
    lastModifiedBy: incident.lastModifiedBy,
    resolvingComment: incident.resolvingComment,
    summary: incident.summary,
    priorityScore: incident.priorityScore,
    comments: incident.comments.map(({ comment, createdBy, createdAt }) => ({
      comment,
      createdByDisplayName: createdBy,
      createdDateTime: onWire(createdAt),
    })),
  }
}

export function graphAlert(
  alert: Alert,
  incident: Incident,
  tenantId: string,
  allMembers: boolean,
): Record<string, unknown> {
  return {
    id: alert.id,
    providerAlertId: alert.id.slice(2),
    incidentId: String(incident.id),
    status: alert.status,
    severity: alert.severity,
    classification: alert.classification,
    determination: alert.determination,
    serviceSource: evolvable(alert.service, allMembers),
    detectionSource: alert.detectionSource,
    productName: products.get(alert.service) ?? 'Microsoft Defender XDR',
    detectorId: alert.detectorId,
    tenantId,
    title: alert.title,
    description: alert.description,
    recommendedActions: alert.recommendedActions,
    category: alert.category,
    categories: [alert.category],
    assignedTo: alert.assignedTo,
    alertWebUrl: `https://security.microsoft.com/alerts/${alert.id}?tid=${tenantId}`,
    incidentWebUrl: `https://security.microsoft.com/incident2/${incident.id}/overview?tid=${tenantId}`,
    actorDisplayName: alert.actorName,
    threatDisplayName: null,
    threatFamilyName: alert.threatFamily,
    mitreTechniques: alert.techniques,
    createdDateTime: onWire(alert.createdAt),
    lastUpdateDateTime: onWire(alert.lastUpdateAt),
    resolvedDateTime: alert.resolvedAt === null ? null : onWire(alert.resolvedAt),
    firstActivityDateTime: onWire(alert.firstActivityAt),
    lastActivityDateTime: onWire(alert.lastActivityAt),
    systemTags: [],
    alertPolicyId: null,
    investigationState: alert.investigationState,
    comments: [],
    customDetails: {},
    evidence: [
      ...alert.devices.map((device) => graphDevice(device, alert)),
      ...alert.entities.map((entity) => graphEvidence(entity, alert)),
    ],
    additionalData: {},
  }
}
