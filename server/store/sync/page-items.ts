import type { Instant } from '../../model/incident.ts'
import { muster, recordAudit } from '../audit.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { alertsItem } from '../incidents/alerts.ts'
import { forgetRejected, recordRejected } from '../incidents/rejected.ts'
import type { IncidentRow, PageOfRows } from '../incidents/rows.ts'
import { storeIncidents } from '../incidents/write.ts'
import { noteFirstIncident } from '../tenants/counters.ts'
import { getTenant } from '../tenants/tenants.ts'

/** What a page brought. */
export interface PageStored {
  /** Incidents that were not there before. */
  added: number
  /** Those, and the ones that are newer now. */
  changed: number
  /** Missing or older here although they had changed before the time asked about. */
  differences: number
}

/** Stores what is on a page; part of the transaction that says what the page was part of. */
export async function storeItems(
  tx: Tx,
  tenantId: string,
  page: PageOfRows,
  now: Date,
  settledBefore: Instant | null,
): Promise<PageStored> {
  const { added, changed, keptBefore } = await storeIncidents(tx, tenantId, page.rows, now, page.partial)
  const overdue = (row: IncidentRow) =>
    settledBefore !== null &&
    row.last_update_at < settledBefore &&
    (keptBefore.get(row.incident_id) ?? '') < row.last_update_at
  const differences = new Set(page.rows.filter(overdue).map((row) => row.incident_id)).size
  await recordRejected(tx, tenantId, page.rejected, now)
  const rejected = new Set(page.rejected.map(({ id }) => id))
  const understood = page.rows.filter((row) => !page.partial && !rejected.has(row.incident_id))
  await forgetRejected(
    tx,
    tenantId,
    understood.flatMap(({ incident_id: id, alerts, redirect_id }) =>
      // A merged incident has none of its own any more: there is nothing left to read.
      alerts !== null || redirect_id !== null ? [id, alertsItem(id)] : [id],
    ),
  )
  if (added.size > 0) await noteFirst(tx, tenantId, now)
  return { added: added.size, changed: changed.size, differences }
}

async function noteFirst(tx: Tx, tenantId: string, now: Date): Promise<void> {
  if (!(await noteFirstIncident(tx, tenantId, now))) return
  const tenant = await getTenant(tx, tenantId)
  await recordAudit(tx, muster, { action: 'tenant.first-incident', at: now, customerId: tenant.customerId, tenantId })
}

/** IDs looked through at once. */
const lookedThrough = 1_000

/** What is kept and not gone of a stretch by last update, and was not among those that Microsoft listed. */
export async function unlistedOf(
  db: Database,
  tenantId: string,
  within: { from: Instant | null; before: Instant; openOnly: boolean },
  listed: ReadonlySet<string>,
): Promise<string[]> {
  const unlisted: string[] = []
  for (let last: { incident_id: string; last_update_at: string } | undefined; ; ) {
    const after = last
    const rows = await db
      .selectFrom('incidents')
      .select(['incident_id', 'last_update_at'])
      .where('tenant_id', '=', tenantId)
      .where('last_update_at', '<', within.before)
      .$if(within.from !== null, (query) => query.where('last_update_at', '>=', within.from ?? ''))
      .$if(within.openOnly, (query) => query.where('open', '=', 1).where('redirect_id', 'is', null))
      .where('gone_at', 'is', null)
      .$if(after !== undefined, (query) =>
        query.where(({ eb, refTuple, tuple }) =>
          eb(
            refTuple('last_update_at', 'incident_id'),
            '>',
            tuple(after?.last_update_at ?? '', after?.incident_id ?? ''),
          ),
        ),
      )
      .orderBy('last_update_at')
      .orderBy('incident_id')
      .limit(lookedThrough)
      .execute()
    unlisted.push(...rows.map((row) => row.incident_id).filter((id) => !listed.has(id)))
    last = rows.at(-1)
    if (rows.length < lookedThrough) return unlisted
  }
}
