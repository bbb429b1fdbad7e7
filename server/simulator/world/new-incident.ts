import { day, hour } from '../../time.ts'
import { longestGapMs } from './alerts/evidence.ts'
import type { Tenant } from './directory.ts'
import type { Comment, Incident, IncidentStatus, Severity } from './incidents.ts'
import { type Instant, instantOf, msOf } from './instants.ts'
import type { Random } from './random.ts'
import { type Story, stories, storyOf } from './stories.ts'

export interface NewIncident {
  id?: number
  name?: string
  /** Key of a story in stories.ts; random by default. */
  story?: string
  severity?: Severity
  status?: IncidentStatus
  /** How many alerts; the story's own number by default. */
  alerts?: number
  createdAt?: Instant
  lastUpdateAt?: Instant
  assignedTo?: string | null
  classification?: string
  determination?: string
  tags?: string[]
  systemTags?: string[]
  comments?: Comment[]
  description?: string | null
  seed?: number
}

const nothing: readonly string[] = Object.freeze([])
const noComments: readonly Comment[] = Object.freeze([])
const outcomes = [
  { classification: 'truePositive', determination: 'phishing' },
  { classification: 'truePositive', determination: 'malware' },
  { classification: 'falsePositive', determination: 'notMalicious' },
  { classification: 'informationalExpectedActivity', determination: 'securityTesting' },
  { classification: 'unknown', determination: 'unknown' },
  { classification: 'unknown', determination: 'unknown' },
]

/** Ticks that leave 0 to 7 fraction digits on the wire in a realistic mix. */
export function digits(random: Random): number {
  return random.chance(0.3) ? 0 : random.chance(0.5) ? random.pick([3333, 6667]) : random.int(0, 9999)
}

const allWeights = stories.reduce((sum, { weight }) => sum + weight, 0)

function weighted(random: Random): Story {
  let left = random.next() * allWeights
  for (const story of stories) {
    left -= story.weight
    if (left < 0) return story
  }
  return random.pick(stories)
}

/** A new incident with the next number, from a story. */
export function compose(tenant: Tenant, input: NewIncident, random: Random, nowMs: number): Incident {
  const story = input.story ? storyOf(input.story) : weighted(random)
  const id = input.id ?? tenant.nextIncidentId
  tenant.nextIncidentId = Math.max(tenant.nextIncidentId, id + 1)
  const createdAt = input.createdAt ?? instantOf(nowMs, digits(random))
  // What an incident tells of has happened by the time it is made, its last alert included.
  const startMs = msOf(createdAt) - random.int(5, 120) * 60_000 - story.alerts.length * longestGapMs
  const seed = input.seed ?? random.int(1, 2 ** 31)
  return {
    id,
    name: input.name ?? story.name,
    createdAt,
    lastUpdateAt: input.lastUpdateAt ?? createdAt,
    status: input.status ?? 'active',
    severity: input.severity ?? story.severity,
    classification: input.classification ?? 'unknown',
    determination: input.determination ?? 'unknown',
    assignedTo: input.assignedTo ?? null,
    tags: input.tags ?? nothing,
    systemTags: input.systemTags ?? story.systemTags ?? nothing,
    comments: input.comments ?? noComments,
    description: input.description ?? null,
    summary: null,
    resolvingComment: null,
    lastModifiedBy: 'Microsoft 365 Defender-IncidentCreation',
    priorityScore: { high: 85, medium: 45, low: 15, informational: 3, unknown: 3 }[story.severity] + (seed % 15),
    redirectId: null,
    recipes: [{ story: story.key, seed, startMs, count: input.alerts ?? story.alerts.length }],
  }
}

/** Incidents of the last `days`, oldest first: most of them settled, the youngest still open. */
export function composeHistory(
  tenant: Tenant,
  count: number,
  options: { days: number; openShare: number | null },
  random: Random,
  nowMs: number,
): Incident[] {
  const created = Array.from({ length: count }, () => nowMs - Math.floor(random.next() * options.days * day))
  return created
    .sort((a, b) => a - b)
    .map((createdMs) => {
      const age = nowMs - createdMs
      const open = random.chance(options.openShare ?? (age < 2 * day ? 0.5 : 0.06))
      const settled = Math.floor(random.next() * Math.min(age, open ? hour : 2 * day))
      const nobody = tenant.people.length === 0 || (open && random.chance(0.6))
      const owner = nobody ? null : random.pick(tenant.people).username
      const outcome = random.pick(outcomes)
      return compose(
        tenant,
        {
          story: weighted(random).key,
          status: open ? (owner ? 'inProgress' : 'active') : 'resolved',
          createdAt: instantOf(createdMs, random.int(0, 9999)),
          lastUpdateAt: instantOf(Math.min(nowMs, createdMs + settled + 1), digits(random)),
          assignedTo: owner,
          ...(open ? {} : outcome),
          ...(random.chance(0.1)
            ? { tags: [random.pick(['Tuning', 'Waiting for the user', '夜班', 'Red team'])] }
            : {}),
        },
        random,
        nowMs,
      )
    })
}
