import type { AlertsRead, PartialAnswer } from '../../model/incident.ts'
import { Refusal } from '../../model/refusal.ts'
import type { IncidentSource } from './incidents.ts'
import { followable } from './pages.ts'
import { bothLack } from './partial.ts'
import { isUnnamed } from './unnamed.ts'

interface AlertReading {
  source: IncidentSource
  tenantId: string
  /** One GET with this tenant's token, to the source's own origin. @throws Refusal */
  get(url: string): Promise<{ body: Record<string, unknown>; partial?: PartialAnswer | null }>
  now: () => Date
}

/**
 * The alerts of one incident. A way that the service does not know, or cannot manage for this incident, leads to the next.
 * @throws Refusal
 */
export async function readAlertsOf(
  { source, tenantId, get, now }: AlertReading,
  incidentId: string,
): Promise<AlertsRead> {
  const ways = source.alertsUrls(incidentId)
  for (const [index, url] of ways.entries()) {
    try {
      return await readAlertPages({ source, tenantId, get, now }, url)
    } catch (error) {
      const otherWay = error instanceof Refusal && [400, 404, 500, 501].includes(error.facts.status ?? 0)
      if (!otherWay || index === ways.length - 1) throw error
    }
  }
  return { alerts: [], odd: 0, partial: null }
}

const mostAlertPages = 100

async function readAlertPages({ source, tenantId, get, now }: AlertReading, url: string): Promise<AlertsRead> {
  const unexpected = (error: string) => new Refusal('unexpected-answer', { at: now().toISOString(), error })
  const found: AlertsRead = { alerts: [], odd: 0, partial: null }
  const visited = new Set<string>()
  let next: string | null = url
  while (next !== null) {
    if (visited.has(next) || visited.size >= mostAlertPages) throw unexpected('same_page_again')
    visited.add(next)
    const { body, partial = null }: Awaited<ReturnType<typeof get>> = await get(next)
    const listed = Array.isArray(body.value) ? body.value : body.alerts
    if (!Array.isArray(listed)) throw unexpected('no_list')
    found.partial = bothLack(found.partial ?? null, partial)
    const alerts = source.readAlerts(body, tenantId)
    found.alerts.push(...alerts)
    found.odd += listed.length - alerts.filter(({ id }) => !isUnnamed(id)).length
    const link = body['@odata.nextLink'] ?? null
    next = link === null ? null : followable(link, url, unexpected)
  }
  return found
}
