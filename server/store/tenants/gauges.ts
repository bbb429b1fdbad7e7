import { sql } from 'kysely'
import type { Work } from '../engine/claim.ts'
import type { Database } from '../engine/dialect.ts'
import { countDue } from '../sync/claims.ts'
import { aheadOf, blindAfterMs, blindAfterPolls } from './blind.ts'

/** What is measured over all tenants at once. */
export interface FleetGauges {
  /** Tenants in which incidents may be arriving unseen, as `blindSince` has it. */
  blind: number
  /** When the tenant that was read longest ago was read, among those that ought to be seen; null when there are none. */
  oldestReadAt: string | null
  /** Tenants that are due, not paused, and held by nobody. */
  due: Record<Work, number>
}

/** Two statements over the table of tenants: their cost grows with tenants, never with incidents. */
export async function fleetGauges(db: Database, now: Date): Promise<FleetGauges> {
  const limit = new Date(now.getTime() - blindAfterMs).toISOString()
  const ahead = aheadOf(now)
  const lastRead = sql`coalesce(case when last_read_at <= ${ahead} then last_read_at end, first_active_at)`
  const { rows } = await sql<{ blind: number | null; oldest: string | null }>`
    select
      sum(case when first_active_at is not null and access_state <> 'offboarded'
        and (sync_failures >= ${blindAfterPolls} or partial_since is not null or ${lastRead} < ${limit} or last_read_at > ${ahead})
        then 1 else 0 end) as blind,
      min(case when access_state = 'active' and paused_at is null then ${lastRead} end) as oldest
    from tenants`.execute(db)
  const [row] = rows
  const due = await countDue(db, now)
  return {
    blind: Number(row?.blind ?? 0),
    oldestReadAt: row?.oldest ?? null,
    due: { check: Number(due.check), sync: Number(due.sync), window: Number(due.window) },
  }
}
