import { type ExpressionBuilder, type RawBuilder, sql } from 'kysely'
import { type Alphabet, byName, nameOrder } from '../../model/alphabet.ts'
import type { Severity } from '../../model/incident.ts'
import type { Database } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { everything, type Scope, within } from '../scope.ts'
import { aheadOf, blindAfterMs, blindAfterPolls } from './blind.ts'
import { type Sight, sightColumns, sightOf } from './outline.ts'
import { fromRow, type Tenant } from './tenants.ts'

export interface FleetSummary {
  /** Tenants that have been active and are not offboarded: those Muster ought to see. */
  tenants: number
  read: number
  blind: number
  newestReadAt: string | null
  oldestReadAt: string | null
  openIncidents: number
  /** Incidents that were open in blind tenants when these were last read. */
  openInBlind: number
  /** All there are, as their list counts them: offboarded ones stand in it as well. */
  customers: number
  reviews: number
}

/** Over how many tenants the numbers on this page are, and how fresh. */
export async function fleetSummary(db: Database, now: Date, scope: Scope = everything): Promise<FleetSummary> {
  const limit = seenWithin(now)
  const [tenants, customers, reviews] = await Promise.all([
    db
      .selectFrom('tenants')
      .where('first_active_at', 'is not', null)
      .where('access_state', '!=', 'offboarded')
      .where(within(db, scope, 'customer_id'))
      .select(({ fn, eb }) => [
        fn.countAll<number>().as('tenants'),
        fn.sum<number | null>(eb.case().when(isBlind(eb, limit)).then(0).else(1).end()).as('read'),
        fn.max('last_read_at').as('newest'),
        fn.min(fn.coalesce('last_read_at', 'first_active_at')).as('oldest'),
        fn.sum<number | null>(openOf(eb)).as('open'),
        fn.sum<number | null>(eb.case().when(isBlind(eb, limit)).then(openOf(eb)).else(0).end()).as('open_in_blind'),
      ])
      .executeTakeFirstOrThrow(),
    db
      .selectFrom('customers')
      .where(within(db, scope, 'id'))
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow(),
    db
      .selectFrom('reviews')
      .where('decided_at', 'is', null)
      .where(within(db, scope, 'customer_id'))
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

/** Read before that, a tenant is blind. */
const unseenBefore = (now: Date) => new Date(now.getTime() - blindAfterMs).toISOString()

/** Read by a clock that is right, and not long ago. */
interface Seen {
  after: string
  before: string
}

const seenWithin = (now: Date): Seen => ({ after: unseenBefore(now), before: aheadOf(now) })

/** As `blindSince` says it. */
const isBlind = (eb: ExpressionBuilder<Schema, 'tenants'>, limit: Seen) =>
  eb.or([
    eb('sync_failures', '>=', blindAfterPolls),
    eb('partial_since', 'is not', null),
    eb(eb.fn.coalesce('last_read_at', 'first_active_at'), '<', limit.after),
    eb('last_read_at', '>', limit.before),
  ])

const openOf = (eb: ExpressionBuilder<Schema, 'tenants'>) =>
  sql<number>`${eb.ref('open_high')} + ${eb.ref('open_medium')} + ${eb.ref('open_low')} + ${eb.ref('open_informational')} + ${eb.ref('open_unknown')}`

/**
 * Every tenant of a customer that is served with which something is the matter: blind, paused, or in any state but
 * `active`. By the name of the customer.
 */
export async function troubledTenants(
  db: Database,
  now: Date,
  alphabet?: Alphabet,
  scope: Scope = everything,
): Promise<{ tenant: Tenant; customerName: string }[]> {
  const rows = await db
    .selectFrom('tenants')
    .innerJoin('customers', 'customers.id', 'tenants.customer_id')
    .where('customers.offboarded_at', 'is', null)
    .where('tenants.access_state', '!=', 'offboarded')
    .where(within(db, scope, 'tenants.customer_id'))
    .where((eb) =>
      eb.or([
        eb('tenants.access_state', '!=', 'active'),
        eb('tenants.paused_at', 'is not', null),
        eb('tenants.sync_failures', '>=', blindAfterPolls),
        eb('tenants.partial_since', 'is not', null),
        eb(eb.fn.coalesce('tenants.last_read_at', 'tenants.first_active_at'), '<', unseenBefore(now)),
        eb('tenants.last_read_at', '>', aheadOf(now)),
      ]),
    )
    .selectAll('tenants')
    .select('customers.name as customer_name')
    .execute()
  const troubled = rows.map((row) => ({ tenant: fromRow(row), customerName: row.customer_name }))
  return byName(
    troubled,
    ({ customerName }) => customerName,
    ({ tenant }) => `${tenant.customerId} ${tenant.boundAt} ${tenant.tenantId}`,
    alphabet,
  )
}

type Counts = Record<Severity, number>

/** Open incidents over all tenants that ought to be seen, and the unassigned ones of them. */
export async function openInFleet(
  db: Database,
  scope: Scope = everything,
): Promise<{ tenants: number; open: Counts; unassigned: Counts }> {
  const row = await db
    .selectFrom('tenants')
    .where('first_active_at', 'is not', null)
    .where('access_state', '!=', 'offboarded')
    .where(within(db, scope, 'customer_id'))
    .select(openSums)
    .select(({ fn }) => [
      fn.countAll<number>().as('tenants'),
      fn.sum<number | null>('unassigned_high').as('unassigned_high'),
      fn.sum<number | null>('unassigned_medium').as('unassigned_medium'),
      fn.sum<number | null>('unassigned_low').as('unassigned_low'),
      fn.sum<number | null>('unassigned_informational').as('unassigned_informational'),
      fn.sum<number | null>('unassigned_unknown').as('unassigned_unknown'),
    ])
    .executeTakeFirstOrThrow()
  return {
    tenants: Number(row.tenants),
    open: countsOf(row),
    unassigned: {
      high: Number(row.unassigned_high ?? 0),
      medium: Number(row.unassigned_medium ?? 0),
      low: Number(row.unassigned_low ?? 0),
      informational: Number(row.unassigned_informational ?? 0),
      unknown: Number(row.unassigned_unknown ?? 0),
    },
  }
}

/** The tenants of a customer, or of many, in one line. */
export interface Heat {
  counts: Counts
  blind: boolean
  /** The tenant read longest ago speaks for all. */
  oldest: Sight
}

export interface FleetHeat {
  /** Customers with something open, worst first. */
  rows: (Heat & { customerId: string; name: string })[]
  /** All other customers together; null when there are none. */
  others: (Heat & { customers: number }) | null
}

/** Open incidents by customer, of tenants that ought to be seen: so many customers by themselves, the rest together. */
export async function heatOfFleet(
  db: Database,
  most: number,
  now: Date,
  alphabet?: Alphabet,
  scope: Scope = everything,
): Promise<FleetHeat> {
  const limit = seenWithin(now)
  const watched = db
    .selectFrom('tenants')
    .innerJoin('customers', 'customers.id', 'tenants.customer_id')
    .where('tenants.first_active_at', 'is not', null)
    .where('tenants.access_state', '!=', 'offboarded')
    .where('customers.offboarded_at', 'is', null)
    .where(within(db, scope, 'tenants.customer_id'))
  const worst = watched
    .groupBy(['customers.id', 'customers.name'])
    .select(['customers.id', 'customers.name', ...openSums, blindOnes(limit)])
    .having(sql`sum(open_high + open_medium + open_low + open_informational + open_unknown)`, '>', 0)
    .orderBy('open_high', 'desc')
    .orderBy('open_medium', 'desc')
    .orderBy('open_low', 'desc')
    .orderBy('open_informational', 'desc')
    .orderBy('open_unknown', 'desc')
  const listed = await worst.limit(most).execute()
  const last = listed.at(-1)
  // Among customers with as much open as the last of them, the name decides, which no database here can order: all are read.
  const level = last && listed.length === most ? await ofLevel(worst, last).execute() : []
  const candidates = [...new Map([...listed, ...level].map((row) => [row.id, row])).values()]
  const shown = worstFirst(candidates, alphabet).slice(0, most)
  const ids = shown.map(({ id }) => id)
  const rest = ids.length === 0 ? watched : watched.where('customers.id', 'not in', ids)
  const oldestFirst = (query: typeof watched) =>
    query.orderBy(sql`coalesce(last_read_at, first_active_at)`).select(['customer_id', ...sightColumns])
  const [own, all, oldestOfRest] = await Promise.all([
    ids.length === 0 ? [] : oldestFirst(watched.where('customers.id', 'in', ids)).execute(),
    rest
      .select([...openSums, blindOnes(limit)])
      .select(({ fn }) => fn.count<number>('customers.id').distinct().as('customers'))
      .executeTakeFirstOrThrow(),
    oldestFirst(rest).limit(1).executeTakeFirst(),
  ])
  return {
    rows: shown.flatMap((row) => {
      const oldest = own.find(({ customer_id }) => customer_id === row.id)
      if (!oldest) return []
      const { id: customerId, name } = row
      return [{ customerId, name, counts: countsOf(row), blind: Number(row.blind) > 0, oldest: sightOf(oldest) }]
    }),
    others: oldestOfRest
      ? {
          counts: countsOf(all),
          blind: Number(all.blind) > 0,
          oldest: sightOf(oldestOfRest),
          customers: Number(all.customers),
        }
      : null,
  }
}

const heatSeverities = ['high', 'medium', 'low', 'informational', 'unknown'] as const satisfies readonly Severity[]

type OpenSums = Record<`open_${Severity}`, number | null>

const ofLevel = <Query extends { having(sum: RawBuilder<unknown>, operator: '=', value: number): Query }>(
  query: Query,
  row: OpenSums,
): Query =>
  heatSeverities.reduce(
    (narrowed, severity) =>
      narrowed.having(sql`sum(${sql.ref(`open_${severity}`)})`, '=', Number(row[`open_${severity}`] ?? 0)),
    query,
  )

function worstFirst<Row extends OpenSums & { id: string; name: string }>(rows: readonly Row[], alphabet?: Alphabet) {
  const compare = nameOrder(alphabet)
  const more = (a: Row, b: Row) => {
    const severity = heatSeverities.find((one) => Number(a[`open_${one}`] ?? 0) !== Number(b[`open_${one}`] ?? 0))
    return severity === undefined ? 0 : Number(b[`open_${severity}`] ?? 0) - Number(a[`open_${severity}`] ?? 0)
  }
  return [...rows].sort((a, b) => more(a, b) || compare(a.name, b.name) || (a.id < b.id ? -1 : 1))
}

const openSums = [
  sql<number | null>`sum(open_high)`.as('open_high'),
  sql<number | null>`sum(open_medium)`.as('open_medium'),
  sql<number | null>`sum(open_low)`.as('open_low'),
  sql<number | null>`sum(open_informational)`.as('open_informational'),
  sql<number | null>`sum(open_unknown)`.as('open_unknown'),
] as const

const blindOnes = (limit: Seen) =>
  sql<number | null>`sum(case when sync_failures >= ${blindAfterPolls}
    or partial_since is not null or coalesce(last_read_at, first_active_at) < ${limit.after}
    or last_read_at > ${limit.before} then 1 else 0 end)`.as('blind')

const countsOf = (row: OpenSums): Counts => ({
  high: Number(row.open_high ?? 0),
  medium: Number(row.open_medium ?? 0),
  low: Number(row.open_low ?? 0),
  informational: Number(row.open_informational ?? 0),
  unknown: Number(row.open_unknown ?? 0),
})
