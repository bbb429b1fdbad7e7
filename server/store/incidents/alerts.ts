import { sql } from 'kysely'
import type { AlertsRead, RemoteIncident } from '../../model/incident.ts'
import { hour } from '../../time.ts'
import type { Claim } from '../engine/claim.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import { holdClaim } from '../sync/claims.ts'
import { notePartialAnswer, partialTriedEvery, partlyAnswered, sourcesInWords } from '../sync/partial.ts'
import type { Named } from './incidents.ts'
import { forgetRejected, recordRejected } from './rejected.ts'
import { storeAlertsOf } from './write.ts'

/** What cannot be read of one incident is often a matter of its size, and lasts. */
const triedEvery = hour
/** Alerts and entities keep arriving after the change that announced them: they are read once more this much later. */
const againAfter = 10 * 60_000
/** Changes longer ago than this are not looked at again for that. */
const againWithin = 60 * 60_000
/** So many of the latest changes are looked through for it. */
const lookedThrough = 200

/** Incidents whose alerts are still to be read and were not refused lately: open ones first, worst first. */
export async function alertsDue(db: Database, tenantId: string, limit: number, now: Date): Promise<Named[]> {
  const rows = await readable(db, tenantId, now)
    .where('alerts_read_at', 'is', null)
    .orderBy('open', 'desc')
    .orderBy('severity_rank', 'desc')
    .orderBy('last_update_at', 'desc')
    .limit(limit)
    .execute()
  return rows.map(namesOf)
}

/** Incidents that changed a while ago and whose alerts were read right then: more may have come since. */
export async function alertsDueAgain(db: Database, tenantId: string, limit: number, now: Date): Promise<Named[]> {
  const ago = (ms: number) => new Date(now.getTime() - ms).toISOString()
  const rows = await readable(db, tenantId, now)
    .where('last_update_at', '>=', ago(againWithin))
    .where('stored_at', '<=', ago(againAfter))
    .where('alerts_read_at', 'is not', null)
    .where('redirect_id', 'is', null)
    .orderBy('last_update_at', 'desc')
    .limit(lookedThrough)
    .execute()
  const readEarly = ({ alerts_read_at, stored_at }: (typeof rows)[number]) =>
    Date.parse(alerts_read_at ?? '') < Date.parse(stored_at) + againAfter
  return rows.filter(readEarly).slice(0, limit).map(namesOf)
}

const readable = (db: Database, tenantId: string, now: Date) =>
  db
    .selectFrom('incidents')
    .select(['incident_id', 'title', 'assigned_to', 'facts', 'alerts_read_at', 'stored_at'])
    .where('tenant_id', '=', tenantId)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('rejected_items')
            .select('item')
            .whereRef('rejected_items.tenant_id', '=', 'incidents.tenant_id')
            .where('rejected_items.item', '=', sql<string>`incidents.incident_id || ' alerts'`)
            .where(({ eb, or, and }) => {
              const within = (ms: number) =>
                eb('rejected_items.last_seen_at', '>', new Date(now.getTime() - ms).toISOString())
              const partly = eb('rejected_items.reason', 'in', [...partlyAnswered])
              return or([and([partly, within(partialTriedEvery)]), and([eb.not(partly), within(triedEvery)])])
            }),
        ),
      ),
    )

const namesOf = (row: { incident_id: string; title: string; assigned_to: string | null; facts: string }): Named => ({
  id: row.incident_id,
  title: row.title,
  assignedTo: row.assigned_to,
  tags: (JSON.parse(row.facts) as RemoteIncident).tags,
})

/**
 * Stores the alerts that were read for one incident. Where some of them were not understood the rest are kept, and all
 * are read again later. @throws ClaimLostError
 */
export async function storeAlerts(
  db: Database,
  claim: Claim,
  incident: Named,
  { alerts, odd, partial = null }: AlertsRead,
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    const id = alertsItem(incident.id)
    // What was read whole before is more than what is answered in part now.
    const less = partial !== null && alerts.length < (await alertCountOf(tx, claim.tenantId, incident.id))
    if (!less) {
      await storeAlertsOf(tx, claim.tenantId, incident, alerts, odd === 0 && partial === null ? now : null)
    }
    if (partial !== null) {
      const detail = sourcesInWords(partial)
      await recordRejected(tx, claim.tenantId, [{ id, reason: 'alerts-partly-answered', detail }], now)
      await notePartialAnswer(tx, claim.tenantId, partial, now)
    } else if (odd > 0) {
      await recordRejected(tx, claim.tenantId, [{ id, reason: 'alerts-unread', detail: `${odd} not understood` }], now)
    } else await forgetRejected(tx, claim.tenantId, [id])
  })
}

async function alertCountOf(tx: Tx, tenantId: string, incidentId: string): Promise<number> {
  const row = await tx
    .selectFrom('incidents')
    .select('alert_count')
    .where('tenant_id', '=', tenantId)
    .where('incident_id', '=', incidentId)
    .executeTakeFirst()
  return row?.alert_count ?? 0
}

/** The alerts of one incident cannot be read: they wait their turn, and the tenant's page says so. @throws ClaimLostError */
export async function setAlertsAside(
  db: Database,
  claim: Claim,
  incidentId: string,
  detail: string,
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await recordRejected(tx, claim.tenantId, [{ id: alertsItem(incidentId), reason: 'alerts-unread', detail }], now)
  })
}

/** What the alerts of an incident are listed as among what was rejected. */
export const alertsItem = (incidentId: string) => `${incidentId} alerts`
