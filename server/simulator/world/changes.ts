import { pascal } from '../apis/defender-wire.ts'
import type { Incident, IncidentStatus } from './incidents.ts'
import type { IncidentChange } from './world.ts'

const statuses = new Map<string, IncidentStatus>([
  ['active', 'active'],
  ['inprogress', 'inProgress'],
  ['resolved', 'resolved'],
  ['redirected', 'redirected'],
])
/** https://learn.microsoft.com/defender-xdr/api-update-incidents: which determinations go with which classification. */
const determinations = new Map<string, readonly string[]>(
  Object.entries({
    truePositive: [
      ...['multiStagedAttack', 'maliciousUserActivity', 'compromisedAccount', 'malware', 'phishing'],
      ...['unwantedSoftware', 'other'],
    ],
    informationalExpectedActivity: ['securityTesting', 'lineOfBusinessApplication', 'confirmedActivity', 'other'],
    falsePositive: ['notMalicious', 'notEnoughDataToValidate', 'other'],
  } satisfies Record<string, readonly string[]>),
)

/** The change a PATCH body asks the Defender host for; null when the body is not one it takes. */
export function defenderChange(body: unknown, incident: Incident): IncidentChange | null {
  if (!body || typeof body !== 'object' || Array.isArray(body)) return null
  const { status, assignedTo, classification, determination, tags, comment, ...rest } = body as Record<string, unknown>
  if (Object.keys(rest).length > 0) return null
  const change: IncidentChange = {}
  if (status !== undefined) {
    const word = typeof status === 'string' ? statuses.get(status.toLowerCase()) : undefined
    if (!word) return null
    change.status = word
  }
  if (assignedTo !== undefined) {
    if (assignedTo !== null && typeof assignedTo !== 'string') return null
    change.assignedTo = assignedTo
  }
  if (classification !== undefined) {
    const word = [...determinations.keys()].find((value) => pascal(value) === classification)
    if (!word) return null
    change.classification = word
  }
  if (determination !== undefined) {
    const pair = determinations.get(change.classification ?? incident.classification) ?? []
    const word = pair.find((value) => pascal(value) === determination)
    if (!word) return null
    change.determination = word
  }
  if (tags !== undefined) {
    if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) return null
    change.tags = tags
  }
  if (comment !== undefined) {
    if (typeof comment !== 'string') return null
    change.comment = comment
  }
  return change
}

const graphStatuses: readonly string[] = ['active', 'resolved', 'inProgress', 'redirected', 'awaitingAction']
const graphClassifications: readonly string[] = [
  'unknown',
  'falsePositive',
  'truePositive',
  'informationalExpectedActivity',
]
const graphDeterminations: readonly string[] = [
  ...['unknown', 'apt', 'malware', 'securityPersonnel', 'securityTesting', 'unwantedSoftware', 'other'],
  ...['multiStagedAttack', 'compromisedAccount', 'phishing', 'maliciousUserActivity', 'notMalicious'],
  ...['notEnoughDataToValidate', 'confirmedActivity', 'lineOfBusinessApplication'],
]

/** The change a PATCH body asks Graph for; null when the body is not one it takes. */
export function graphChange(body: unknown): IncidentChange | null {
  if (!body || typeof body !== 'object' || Array.isArray(body)) return null
  const change: IncidentChange = {}
  for (const [key, value] of Object.entries(body)) {
    if (key === 'status' && typeof value === 'string' && graphStatuses.includes(value))
      change.status = value as IncidentStatus
    else if (key === 'classification' && typeof value === 'string' && graphClassifications.includes(value))
      change.classification = value
    else if (key === 'determination' && typeof value === 'string' && graphDeterminations.includes(value))
      change.determination = value
    else if (key === 'assignedTo' && (value === null || typeof value === 'string')) change.assignedTo = value
    else if (key === 'resolvingComment' && (value === null || typeof value === 'string'))
      change.resolvingComment = value
    else if (key === 'customTags' && Array.isArray(value) && value.every((tag) => typeof tag === 'string'))
      change.tags = value
    else if (!key.startsWith('@odata.')) return null
  }
  return change
}
