// The store against Microsoft, item by item and both ways.
import { pascal } from '../dist/simulator/apis/defender-wire.js'
import { alertsIn } from '../dist/simulator/world/evidence.js'

const mostShown = 40
const openStatuses = new Set(['active', 'inProgress', 'awaitingAction'])
const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1)

/** What the portal should hold of an incident, by the names of its own columns. */
function expected(tenant, incident, api) {
  const spelled = (value) => (api === 'graph' ? value : lower(pascal(value)))
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

function held(row) {
  const facts = JSON.parse(row.facts)
  return {
    ...Object.fromEntries(
      [
        'title',
        'severity',
        'status',
        'assigned_to',
        'classification',
        'determination',
        'redirect_id',
        'created_at',
        'last_update_at',
      ].map((name) => [name, row[name]]),
    ),
    tags: facts.tags.toSorted().join(','),
    comments: facts.comments.length,
    alerts: JSON.parse(row.alerts ?? '[]')
      .map(({ id }) => id)
      .sort()
      .join(','),
  }
}

/**
 * @param skips `(tenantId, incident | null, id) => boolean`: what this comparison does not ask for
 * @returns lines, one per difference, and how many items were compared
 */
export async function compareIncidents({ eyes, world, tenants, api, skips }) {
  const differences = []
  let items = 0
  for (const { id: tenantId, index } of tenants) {
    const rows = await readOr(eyes, `select * from incidents where tenant_id = '${tenantId}'`)
    const stored = new Map(rows.map((row) => [row.incident_id, row]))
    const tenant = world.tenant(tenantId)
    const truth = new Map(tenant.incidents.truth().map((incident) => [String(incident.id), incident]))
    for (const [id, incident] of truth) {
      if (skips(tenantId, incident, id)) continue
      items++
      const row = stored.get(id)
      if (!row) {
        differences.push(`tenant ${index}, incident ${id}: Microsoft has it since ${incident.createdAt}, we have not`)
        continue
      }
      const [want, have] = [expected(tenant, incident, api), held(row)]
      const wrong = Object.keys(want).filter((name) => want[name] !== have[name])
      if (row.gone_at !== null) wrong.push('gone_at')
      if (wrong.length > 0) {
        const said = wrong.map((name) => `${name} ${brief(have[name] ?? row[name])} instead of ${brief(want[name])}`)
        differences.push(`tenant ${index}, incident ${id}: ${said.join('; ')}`)
      }
    }
    for (const [id, row] of stored) {
      if (truth.has(id) || skips(tenantId, null, id)) continue
      items++
      if (row.gone_at === null) differences.push(`tenant ${index}, incident ${id}: we have it, Microsoft no longer has`)
    }
  }
  return { differences, items }
}

const brief = (value) => JSON.stringify(value ?? null).slice(0, 120)

/** Items that were not understood under the weather are, once they were read again. */
export async function compareRejected({ eyes, world, tenants }) {
  const rows = await readOr(eyes, 'select tenant_id, item, reason from rejected_items')
  return rows.flatMap(({ tenant_id, item, reason }) => {
    const [id] = item.split(' ')
    if (!world.tenant(tenant_id).incidents.latest(Number(id))) return []
    const { index } = tenants.find((tenant) => tenant.id === tenant_id)
    return [`tenant ${index}, incident ${id}: still listed as rejected (${reason})`]
  })
}

/** The counters of every tenant and the chart's days, against counts of what Microsoft has. */
export async function compareCounters({ eyes, world, tenants }) {
  const differences = []
  const rows = new Map((await readOr(eyes, 'select * from tenants')).map((row) => [row.tenant_id, row]))
  const gone = new Map(tenants.map(({ id }) => [id, []]))
  for (const row of await readOr(eyes, 'select * from incidents where gone_at is not null')) {
    gone.get(row.tenant_id).push(row)
  }
  const days = new Map()
  for (const { id, index } of tenants) {
    const listed = world
      .tenant(id)
      .incidents.truth()
      .filter(({ redirectId }) => redirectId === null)
    const open = listed.filter(({ status }) => openStatuses.has(status))
    const kept = gone.get(id).filter(({ redirect_id }) => redirect_id === null)
    const want = { incident_count: listed.length + kept.length }
    for (const severity of ['high', 'medium', 'low', 'informational', 'unknown']) {
      const those = open.filter((incident) => incident.severity === severity)
      want[`open_${severity}`] = those.length
      want[`unassigned_${severity}`] = those.filter(({ assignedTo }) => assignedTo === null).length
    }
    const row = rows.get(id)
    for (const [name, value] of Object.entries(want)) {
      if (Number(row[name]) !== value) differences.push(`tenant ${index}: ${name} is ${row[name]} instead of ${value}`)
    }
    for (const { createdAt, severity } of [...listed, ...kept.map(asListed)]) {
      const key = `${createdAt.slice(0, 10)} ${severity}`
      days.set(key, (days.get(key) ?? 0) + 1)
    }
  }
  const charted = await readOr(
    eyes,
    'select day, severity, sum(incidents) as n from created_days group by day, severity',
  )
  for (const { day, severity, n } of charted) {
    const key = `${day} ${severity}`
    if (Number(n) !== (days.get(key) ?? 0)) differences.push(`chart: ${key} is ${n} instead of ${days.get(key) ?? 0}`)
    days.delete(key)
  }
  for (const [key, n] of days) differences.push(`chart: ${key} is missing instead of ${n}`)
  return differences
}

const asListed = (row) => ({ createdAt: row.created_at, severity: row.severity })

async function readOr(eyes, statement) {
  for (let attempt = 0; attempt < 20; attempt++) {
    const rows = await eyes.all(statement)
    if (rows !== null) return rows
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error(`the database did not answer: ${statement}`)
}

export function shown(differences) {
  const more = differences.length - mostShown
  return [...differences.slice(0, mostShown), ...(more > 0 ? [`… and ${more} more`] : [])]
}
