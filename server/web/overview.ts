import type { Severity } from '../microsoft/microsoft.ts'
import { ownerOf, type RefusalCode, type RefusalOwner } from '../microsoft/refusals.ts'
import { type CustomerLine, listStandings } from '../standing.ts'
import { type Alarm, readAlarms } from '../store/alarms.ts'
import { createdPerDay } from '../store/queue.ts'
import { openReviews, type Review } from '../store/reviews.ts'
import { blindSince, type Tenant } from '../store/tenants.ts'
import type { MessageKey } from '../words.ts'
import { type Chart, chartDays, chartOf } from './overview-chart.ts'
import { type Funnel, funnelOf } from './overview-funnel.ts'
import { severities } from './queue-filters.ts'
import { render } from './render.ts'
import type { Handler, OperatorRequest } from './route.ts'
import { refusalKeys } from './signals.ts'

/** What stands on the first page whether or not anything is read yet. */
interface Beginning {
  now: Date
  alarms: Alarm[]
  needs: Needs
  funnel: Funnel
}

export interface FirstDayView extends Beginning {
  customers: number
  /** Customers that were sent a link at any time. */
  invited: number
  mayAdd: boolean
}

export interface OverviewView extends Beginning {
  blind: { shown: Blind[]; more: number; byAlarm: number; high: number }
  tally: { severity: Severity; open: number; unassigned: number }[]
  unassigned: number
  heat: { rows: HeatRow[]; others: HeatRow | null; otherCustomers: number }
  chart: Chart
  isAdmin: boolean
}

/** A tenant where incidents may be arriving unseen: since when, why, who must act. */
export interface Blind {
  tenant: Tenant
  customerName: string
  since: string
  /** The sentence that says why, and the one that says what to do. */
  why: MessageKey
  next: MessageKey
  owner: RefusalOwner
  /** A new consent is the remedy. */
  byConsent: boolean
}

/** What only a person can move: tenants to decide on, and access lost too lately to be blind. */
interface Needs {
  reviews: (Review & { customerName: string | null })[]
  lost: { tenant: Tenant; customerName: string }[]
}

export interface HeatRow {
  customerId: string | null
  name: string
  counts: Record<Severity, number>
  blind: boolean
  /** The tenant read longest ago speaks for its customer. */
  oldest: Pick<Tenant, 'accessState' | 'firstActiveAt' | 'lastReadAt'>
}

const mostBlind = 10
const mostHeat = 12

/** The first page: what Muster cannot see, what needs somebody, what is open, how consent goes. */
export const showOverview: Handler<OperatorRequest> = async (portal, req, res) => {
  const { db } = portal
  const now = portal.now()
  const [lines, alarms, reviews] = await Promise.all([listStandings(db, now), readAlarms(db), openReviews(db)])
  const serving = lines.filter(({ customer }) => customer.offboardedAt === null)
  const tenants = serving.flatMap(({ tenants: own, customer }) =>
    own
      .filter(({ accessState }) => accessState !== 'offboarded')
      .map((tenant) => ({ tenant, customerName: customer.name })),
  )
  const beginning: Beginning = {
    now,
    alarms,
    needs: needsOf(serving, tenants, reviews, now),
    funnel: funnelOf(lines, now),
  }
  const seen = tenants.filter(({ tenant }) => tenant.firstActiveAt !== null)
  if (seen.length === 0) {
    const invited = serving.filter(({ link }) => link !== null).length
    const mayAdd = req.operator.role === 'Admin'
    await render(res, 'overview/first-day', { ...beginning, customers: serving.length, invited, mayAdd })
    return
  }
  const created = await createdPerDay(db, new Date(now.getTime() - (chartDays - 1) * 86_400_000))
  const tally = severities.map((severity) => ({
    severity,
    open: sum(seen, ({ tenant }) => tenant.open[severity]),
    unassigned: sum(seen, ({ tenant }) => tenant.unassigned[severity]),
  }))
  await render(res, 'overview/overview', {
    ...beginning,
    blind: blindOf(seen, alarms, now),
    tally,
    unassigned: sum(tally, (one) => one.unassigned),
    heat: heatOf(serving, now),
    chart: chartOf(created, now),
    isAdmin: req.operator.role === 'Admin',
  })
}

interface Owned {
  tenant: Tenant
  customerName: string
}

const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, item) => total + of(item), 0)

/** While the partner's own credential fails nothing is read at all: that is one trouble, not one for every tenant. */
function blindOf(tenants: readonly Owned[], alarms: readonly Alarm[], now: Date): OverviewView['blind'] {
  const blind = tenants.flatMap((owned) => {
    const since = blindSince(owned.tenant, now)
    return since === null ? [] : [{ ...owned, since, ...causeOf(owned.tenant) }]
  })
  const byAlarm = (one: (typeof blind)[number]) =>
    alarms.length > 0 && one.tenant.accessState === 'active' && (one.code === null || ownerOf(one.code) === 'partner')
  const own = blind.filter((one) => !byAlarm(one))
  own.sort((a, b) => b.tenant.open.high - a.tenant.open.high || (a.since < b.since ? -1 : 1))
  return {
    shown: own.slice(0, mostBlind),
    more: Math.max(0, own.length - mostBlind),
    byAlarm: blind.length - own.length,
    high: sum(blind, ({ tenant }) => tenant.open.high),
  }
}

const byConsent: ReadonlySet<string> = new Set<RefusalCode>(['not-consented', 'role-missing'])

function causeOf(tenant: Tenant): Omit<Blind, 'tenant' | 'customerName' | 'since'> & { code: RefusalCode | null } {
  const said = tenant.accessState === 'active' ? tenant.lastReadCode : tenant.stateCode
  if (said === null || said === 'internal') {
    const why = said === null ? 'overview.blind.late' : 'overview.blind.internal'
    return { code: null, why, next: `${why}.next`, owner: 'partner', byConsent: false }
  }
  const code = said as RefusalCode
  return {
    code,
    ...refusalKeys(code, tenant),
    owner: ownerOf(code),
    byConsent: byConsent.has(code),
  }
}

function needsOf(
  lines: readonly CustomerLine[],
  tenants: readonly Owned[],
  reviews: readonly Review[],
  now: Date,
): Needs {
  const names = new Map(lines.map(({ customer }) => [customer.id, customer.name]))
  return {
    reviews: reviews.map((review) => ({
      ...review,
      customerName: review.customerId === null ? null : (names.get(review.customerId) ?? null),
    })),
    lost: tenants.filter(
      ({ tenant }) => !['active', 'proving'].includes(tenant.accessState) && blindSince(tenant, now) === null,
    ),
  }
}

/** Customers with something open, worst first; the rest in one row. */
function heatOf(lines: readonly CustomerLine[], now: Date): OverviewView['heat'] {
  const rows = lines.flatMap(({ customer, tenants }) => {
    const seen = tenants.filter((tenant) => tenant.firstActiveAt !== null && tenant.accessState !== 'offboarded')
    return seen.length === 0 ? [] : [heatRow(customer.id, customer.name, seen, now)]
  })
  rows.sort((a, b) => severities.map((severity) => b.counts[severity] - a.counts[severity]).find((by) => by !== 0) ?? 0)
  const open = rows.filter(({ counts }) => severities.some((severity) => counts[severity] > 0))
  const shown = open.slice(0, mostHeat)
  const rest = new Set(rows.filter((row) => !shown.includes(row)).map(({ customerId }) => customerId))
  const others = lines.filter(({ customer }) => rest.has(customer.id)).flatMap(({ tenants }) => tenants)
  const seen = others.filter((tenant) => tenant.firstActiveAt !== null && tenant.accessState !== 'offboarded')
  return {
    rows: shown,
    others: seen.length === 0 ? null : heatRow(null, '', seen, now),
    otherCustomers: rest.size,
  }
}

function heatRow(customerId: string | null, name: string, tenants: readonly Tenant[], now: Date): HeatRow {
  const lastSeen = (tenant: Tenant) => tenant.lastReadAt ?? tenant.firstActiveAt ?? ''
  return {
    customerId,
    name,
    counts: Object.fromEntries(
      severities.map((severity) => [severity, sum(tenants, ({ open }) => open[severity])]),
    ) as Record<Severity, number>,
    blind: tenants.some((tenant) => blindSince(tenant, now) !== null),
    oldest: tenants.reduce((oldest, tenant) => (lastSeen(tenant) < lastSeen(oldest) ? tenant : oldest)),
  }
}
