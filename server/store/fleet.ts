import { type ExpressionBuilder, sql } from 'kysely'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'
import { blindAfterMs } from './tenants.ts'

export interface FleetSummary {
  /** Tenants that have been active and are not offboarded: those Muster ought to see. */
  tenants: number
  read: number
  blind: number
  newestReadAt: string | null
  oldestReadAt: string | null
  openIncidents: number
  /** Those that were open in blind tenants when they were last read. */
  openInBlind: number
  customers: number
  reviews: number
}

/** Over how many tenants the numbers on this page are, and how fresh. */
export async function fleetSummary(db: Database, now: Date): Promise<FleetSummary> {
  const limit = new Date(now.getTime() - blindAfterMs).toISOString()
  const [tenants, customers, reviews] = await Promise.all([
    db
      .selectFrom('tenants')
      .where('first_active_at', 'is not', null)
      .where('access_state', '!=', 'offboarded')
      .select(({ fn, eb }) => [
        fn.countAll<number>().as('tenants'),
        fn
          .sum<number | null>(
            eb.case().when(fn.coalesce('last_read_at', 'first_active_at'), '>=', limit).then(1).else(0).end(),
          )
          .as('read'),
        fn.max('last_read_at').as('newest'),
        fn.min(fn.coalesce('last_read_at', 'first_active_at')).as('oldest'),
        fn.sum<number | null>(openOf(eb)).as('open'),
        fn
          .sum<number | null>(
            eb.case().when(fn.coalesce('last_read_at', 'first_active_at'), '<', limit).then(openOf(eb)).else(0).end(),
          )
          .as('open_in_blind'),
      ])
      .executeTakeFirstOrThrow(),
    db
      .selectFrom('customers')
      .where('offboarded_at', 'is', null)
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow(),
    db
      .selectFrom('reviews')
      .where('decided_at', 'is', null)
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow(),
  ])
  const read = Number(tenants.read ?? 0)
  return {
    tenants: Number(tenants.tenants),
    read,
    blind: Number(tenants.tenants) - read,
    newestReadAt: tenants.newest,
    oldestReadAt: (tenants.oldest as string | null) ?? null,
    openIncidents: Number(tenants.open ?? 0),
    openInBlind: Number(tenants.open_in_blind ?? 0),
    customers: Number(customers.n),
    reviews: Number(reviews.n),
  }
}

const openOf = (eb: ExpressionBuilder<Schema, 'tenants'>) =>
  sql<number>`${eb.ref('open_high')} + ${eb.ref('open_medium')} + ${eb.ref('open_low')} + ${eb.ref('open_informational')} + ${eb.ref('open_unknown')}`
