// The store against Microsoft, item by item and both ways.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Selectable } from 'kysely'
import { pascal } from '../server/simulator/apis/defender-wire.ts'
import { alertsIn } from '../server/simulator/world/alerts/evidence.ts'
import type { Tenant } from '../server/simulator/world/directory.ts'
import type { Incident } from '../server/simulator/world/incidents.ts'
import type { World } from '../server/simulator/world/world.ts'
import type { Schema } from '../server/store/engine/schema.ts'
import type { Eyes } from './database.ts'
import type { Api, RunTenant } from './options.ts'
import { count } from './randomness.ts'

const mostShown = 40
const openStatuses = new Set<string>(['active', 'inProgress', 'awaitingAction'])
const lower = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)

type IncidentRow = Selectable<Schema['incidents']>

interface Sides {
  eyes: Eyes
  world: World
  tenants: readonly RunTenant[]
}

/** What the portal should hold of an incident, by the names of its own columns. */
function expected(tenant: Tenant, incident: Incident, api: Api) {
  const spelled = (value: string) => (api === 'graph' ? value : lower(pascal(value)))
  const determination = incident.determination === 'unknown' && api === 'defender' ? 'notAvailable' : null
  return {
    title: incident.name,
    severity: incident.severity,
    status: incident.status,
    assigned_to: incident.assignedTo,
    classification: spelled(incident.classification),
    determination: determination ?? spelled(incident.determination),
    redirect_id: incident.redirectId === null ? null : String(incident.redirectId),
    created_at: incident.createdAt,
    last_update_at: incident.lastUpdateAt,
    tags: [...new Set([...incident.tags, ...(api === 'graph' ? incident.systemTags : [])])].sort().join(','),
    comments: incident.comments.length,
    alerts: [...new Set(alertsIn(tenant, incident).map(({ id }) => id))].sort().join(','),
  }
}

type Held = ReturnType<typeof expected>

function held(row: IncidentRow): Record<keyof Held, unknown> {
  const facts: { tags: string[]; comments: unknown[] } = JSON.parse(row.facts)
  const alerts: { id: string }[] = JSON.parse(row.alerts ?? '[]')
  return {
    title: row.title,
    severity: row.severity,
    status: row.status,
    assigned_to: row.assigned_to,
    classification: row.classification,
    determination: row.determination,
    redirect_id: row.redirect_id,
    created_at: row.created_at,
    last_update_at: row.last_update_at,
    tags: facts.tags.toSorted().join(','),
    comments: facts.comments.length,
    alerts: alerts
      .map(({ id }) => id)
      .sort()
      .join(','),
  }
}

/** Whether a comparison leaves this one out; the incident is null where only the store has it. */
export type Skips = (tenantId: string, incident: Incident | null, id: string) => boolean

interface Comparison {
  /** Lines, one per difference. */
  differences: string[]
  /** Incidents compared. */
  items: number
}

export async function compareIncidents({
  eyes,
  world,
  tenants,
  api,
  skips,
}: Sides & { api: Api; skips: Skips }): Promise<Comparison> {
  const all: Comparison = { differences: [], items: 0 }
  for (const { id, index } of tenants) {
    const rows = await readAll<IncidentRow>(eyes, `select * from incidents where tenant_id = '${id}'`)
    const { differences, items } = compareTenant(world.tenant(id), rows, { api, skips })
    all.differences.push(...differences.map((line) => `tenant ${index}, ${line}`))
    all.items += items
  }
  return all
}

function compareTenant(
  tenant: Tenant,
  rows: readonly IncidentRow[],
  { api, skips }: { api: Api; skips: Skips },
): Comparison {
  const differences: string[] = []
  let items = 0
  const stored = new Map(rows.map((row) => [row.incident_id, row]))
  const truth = new Map(tenant.incidents.truth().map((incident) => [String(incident.id), incident]))
  for (const [id, incident] of truth) {
    if (skips(tenant.id, incident, id)) continue
    items++
    const row = stored.get(id)
    if (!row) differences.push(`incident ${id}: Microsoft has it since ${incident.createdAt}, we have not`)
    else
      differences.push(...wrongColumns(expected(tenant, incident, api), row).map((what) => `incident ${id}: ${what}`))
  }
  for (const [id, row] of stored) {
    if (truth.has(id) || skips(tenant.id, null, id)) continue
    items++
    if (row.gone_at === null) differences.push(`incident ${id}: we have it, Microsoft no longer has`)
  }
  return { differences, items }
}

/** One line with every column that is wrong; none where all are right. */
function wrongColumns(want: Held, row: IncidentRow): string[] {
  const have = held(row)
  const names = (Object.keys(want) as (keyof Held)[]).filter((name) => want[name] !== have[name])
  const wrong = names.map((name) => `${name} ${brief(have[name])} instead of ${brief(want[name])}`)
  if (row.gone_at !== null) wrong.push(`gone_at ${brief(row.gone_at)} instead of ${brief(null)}`)
  return wrong.length > 0 ? [wrong.join('; ')] : []
}

const brief = (value: unknown) => JSON.stringify(value ?? null).slice(0, 120)

/** Items that were not understood under the weather are, once they were read again. */
export async function compareRejected({ eyes, world, tenants }: Sides): Promise<string[]> {
  const rows = await readAll<{ tenant_id: string; item: string; reason: string }>(
    eyes,
    'select tenant_id, item, reason from rejected_items',
  )
  return rows.flatMap(({ tenant_id, item, reason }) => {
    const [id] = item.split(' ')
    if (!world.tenant(tenant_id).incidents.latest(Number(id))) return []
    const index = tenants.find((tenant) => tenant.id === tenant_id)?.index
    return [`tenant ${index}, incident ${id}: still listed as rejected (${reason})`]
  })
}

/** What counters and chart are counted from. */
interface Countable {
  createdAt: string
  severity: string
}

/** The counters of every tenant and the chart's days, against counts of what Microsoft has. */
export async function compareCounters({ eyes, world, tenants }: Sides): Promise<string[]> {
  const tenantRows = await readAll<Record<string, unknown>>(eyes, 'select * from tenants')
  const rows = new Map(tenantRows.map((row) => [row.tenant_id, row]))
  const goneRows = await readAll<IncidentRow>(
    eyes,
    'select * from incidents where gone_at is not null and redirect_id is null',
  )
  const differences: string[] = []
  const counted: Countable[] = []
  for (const { id, index } of tenants) {
    const { incidents } = world.tenant(id)
    const listed = incidents.truth().filter(({ redirectId }) => redirectId === null)
    const gone = goneRows.filter((row) => row.tenant_id === id)
    const row = rows.get(id)
    for (const [name, value] of Object.entries(countersOf(listed, gone.length))) {
      if (Number(row?.[name]) !== value) {
        differences.push(`tenant ${index}: ${name} is ${row?.[name]} instead of ${value}`)
      }
    }
    counted.push(...listed, ...gone.map(({ created_at, severity }) => ({ createdAt: created_at, severity })))
  }
  return [...differences, ...(await compareChart(eyes, counted))]
}

function countersOf(listed: readonly Incident[], gone: number): Record<string, number> {
  const open = listed.filter(({ status }) => openStatuses.has(status))
  const counters: Record<string, number> = { incident_count: listed.length + gone }
  for (const severity of ['high', 'medium', 'low', 'informational', 'unknown']) {
    const those = open.filter((incident) => incident.severity === severity)
    counters[`open_${severity}`] = those.length
    counters[`unassigned_${severity}`] = those.filter(({ assignedTo }) => assignedTo === null).length
  }
  return counters
}

async function compareChart(eyes: Eyes, counted: readonly Countable[]): Promise<string[]> {
  const days: Record<string, number> = {}
  for (const { createdAt, severity } of counted) count(days, `${createdAt.slice(0, 10)} ${severity}`)
  const charted = await readAll<{ day: string; severity: string; n: number | string }>(
    eyes,
    'select day, severity, sum(incidents) as n from created_days group by day, severity',
  )
  const keys = new Set(charted.map(({ day, severity }) => `${day} ${severity}`))
  const wrong = charted.flatMap(({ day, severity, n }) => {
    const key = `${day} ${severity}`
    const want = days[key] ?? 0
    return Number(n) === want ? [] : [`chart: ${key} is ${n} instead of ${want}`]
  })
  const missing = Object.entries(days).filter(([key]) => !keys.has(key))
  return [...wrong, ...missing.map(([key, n]) => `chart: ${key} is missing instead of ${n}`)]
}

/** @throws Error when the database is away for five seconds */
async function readAll<Row>(eyes: Eyes, statement: string): Promise<Row[]> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const rows = await eyes.all<Row>(statement)
    if (rows !== null) return rows
    await sleep(250)
  }
  throw new Error(`the database did not answer: ${statement}`)
}

export function shown(differences: readonly string[]): string[] {
  const more = differences.length - mostShown
  return [...differences.slice(0, mostShown), ...(more > 0 ? [`… and ${more} more`] : [])]
}
