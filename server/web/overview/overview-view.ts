import type { Html } from '../../http/html.ts'
import type { Severity } from '../../model/incident.ts'
import type { RefusalOwner } from '../../model/refusal.ts'
import type { PartnerCredential } from '../../partner/expiry.ts'
import type { PartnerFault } from '../../store/partner/faults.ts'
import type { FleetHeat } from '../../store/tenants/fleet.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import type { MessageKey, MessageValues } from '../../words.ts'
import type { ObstacleView } from '../customers/link-obstacle.ts'
import type { PageTools } from '../page/tools.ts'
import type { Chart } from './chart.ts'
import { type ChartView, chartView } from './chart-view.ts'
import { type CredentialView, credentialViews } from './credentials-view.ts'
import type { Funnel } from './funnel.ts'
import { type FunnelView, funnelView, type Needs, type NeedsView, needsView } from './needs-view.ts'
import { type ScopedTo, scopedText } from './scoped.ts'

/** What stands on the first page whether or not anything is read yet. */
export interface Beginning {
  now: Date
  alarms: PartnerFault[]
  needs: Needs
  funnel: Funnel
  /** Why no link can be issued for anybody; null when links can be. */
  obstacle: ObstacleView | null
  /** Since when customers' sign-ins have come without directory roles, for an Admin; null when they have them. */
  rolesUnseenSince: string | null
  /** Over whom the numbers are; null for everybody. */
  scoped: ScopedTo | null
  credentials: readonly PartnerCredential[]
}

export interface OverviewFacts extends Beginning {
  blind: { shown: Blind[]; more: number; byAlarm: number; byPause: number; high: number }
  tally: { severity: Severity; open: number; unassigned: number }[]
  unassigned: number
  heat: FleetHeat
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
  values: MessageValues
  /** Microsoft asked to be left alone until then. */
  waitsUntil: string | null
  owner: RefusalOwner
  /** A new consent is the remedy. */
  byConsent: boolean
}

export interface OverviewView {
  now: Date
  /** Whether she may look at the checks of the whole portal. */
  runsPortal: boolean
  /** Over how many tenants the numbers are. */
  cover: Html
  newestReadAt: string | null
  oldestReadAt: string | null
  blind: BlindView | null
  alarms: AlarmView[]
  credentials: CredentialView[]
  obstacle: ObstacleView | null
  rolesUnseenSince: string | null
  /** That the numbers are over some customers alone; null where they are over all. */
  scoped: Html | null
  open: { title: string; lead: string }
  tally: { href: string; badge: Html; open: string; unassigned: string }[]
  unknown: string | null
  heat: HeatView
  chart: ChartView
  needs: NeedsView | null
  funnel: FunnelView | null
}

export interface AlarmView {
  code: string
  why: string
  next: string
  since: string
  number: string | null
  correlationId: string | null
}

interface BlindView {
  title: string
  open: string
  tenants: BlindTenant[]
  /** Those that share one cause, in words each. */
  together: { title: string; why: string }[]
  more: string | null
}

interface BlindTenant {
  tenantId: string
  customerId: string
  name: Html
  domain: string
  since: string
  span: string
  /** What its access is in, where that is more than blind. */
  state: string | null
  why: string
  waitsUntil: string | null
  act: string
  next: string
  /** The class of the button that leads to a new link; null without one. */
  consentButton: string | null
  mayResume: boolean
}

interface HeatView {
  columns: { label: string; title: string | null }[]
  rows: {
    id: string
    href: string
    name: Html | string
    blind: boolean
    hatched: boolean
    cells: { text: string | null; href: string; class: string }[]
    fresh: Html
  }[]
}

export function overviewView(facts: OverviewFacts, tools: PageTools): OverviewView {
  const { t, number, severity, frame } = tools
  const { now, alarms, needs, isAdmin } = facts
  if (frame === null) throw new Error('the overview is a page of operators, who have a frame')
  const { fleet } = frame
  const covered = { read: number(fleet.read), tenants: number(fleet.tenants) }
  const someoneNeeded = needs.reviews.length + needs.lost.length + needs.paused.length > 0
  const unknown = facts.tally.at(-1)?.open ?? 0
  return {
    now,
    runsPortal: frame.runs,
    cover: t.rich(frame.pause ? 'overview.reading.paused' : 'overview.reading', covered, { b: 'b' }),
    newestReadAt: fleet.newestReadAt,
    oldestReadAt: fleet.oldestReadAt,
    blind: fleet.blind > 0 ? blindView(facts, fleet, tools) : null,
    alarms: alarms.map((alarm) => alarmView(alarm, tools)),
    credentials: credentialViews(facts.credentials, now, tools),
    obstacle: isAdmin ? facts.obstacle : null,
    rolesUnseenSince: facts.rolesUnseenSince,
    scoped: facts.scoped && scopedText(facts.scoped, tools),
    open: { title: t('overview.open', { n: fleet.openIncidents }), lead: openLead(facts, fleet, tools) },
    tally: facts.tally
      .filter((one) => one.severity !== 'unknown')
      .map((one) => ({
        href: `/incidents?severity=${one.severity}`,
        badge: severity(one.severity),
        open: number(one.open),
        unassigned: t('overview.unassigned', { n: one.unassigned }),
      })),
    unknown: unknown > 0 ? t('overview.unknown', { n: unknown }) : null,
    heat: heatView(facts.heat, unknown > 0, tools),
    chart: chartView(facts.chart, tools),
    needs: needsView(needs, tools),
    funnel: funnelView(facts.funnel, !someoneNeeded, tools),
  }
}

type Fleet = NonNullable<PageTools['frame']>['fleet']

/** A trouble of the partner's own. */
export function alarmView({ code, facts, since }: PartnerFault, { t, refusalKeys, aadstsText }: PageTools): AlarmView {
  const { why, next } = refusalKeys(code, { firstActiveAt: null }, facts)
  return {
    code,
    why: t(why),
    next: t(next),
    since,
    number: facts.aadsts ? aadstsText(facts.aadsts) : null,
    correlationId: facts.correlationId ?? null,
  }
}

function openLead({ unassigned }: OverviewFacts, fleet: Fleet, { t, number }: PageTools): string {
  const covered = { read: number(fleet.read), tenants: number(fleet.tenants) }
  const parts = [
    t('overview.open.over', { tenants: fleet.tenants, blind: fleet.blind }),
    fleet.openIncidents === 0 ? t('overview.open.none', covered) : t('overview.unassigned', { n: unassigned }),
  ]
  if (fleet.blind > 0) parts.push(t('overview.open.blind', { n: fleet.blind }))
  return parts.join(' · ')
}

function blindView({ blind, now, isAdmin, needs }: OverviewFacts, fleet: Fleet, tools: PageTools): BlindView {
  const { t } = tools
  const together = [
    { n: blind.byPause, why: t('overview.blind.by-pause.why') },
    { n: blind.byAlarm, why: t('overview.blind.by-alarm.why') },
  ]
  return {
    title: t('overview.blind', { n: fleet.blind }),
    open: t('overview.blind.open', { n: fleet.openInBlind, high: blind.high }),
    tenants: blind.shown.map((one, i) => blindTenant(one, { isFirst: i === 0, now, isAdmin, needs }, tools)),
    together: together
      .filter(({ n }) => n > 0)
      .map(({ n, why }) => ({ title: t('overview.blind.by-alarm', { n }), why })),
    more: blind.more > 0 ? t('overview.blind.more', { n: blind.more }) : null,
  }
}

function blindTenant(
  { tenant, customerName, since, why, next, values, waitsUntil, owner, byConsent }: Blind,
  { isFirst, now, isAdmin, needs }: { isFirst: boolean; now: Date; isAdmin: boolean; needs: Needs },
  { t, named, span, word }: PageTools,
): BlindTenant {
  return {
    tenantId: tenant.tenantId,
    customerId: tenant.customerId,
    name: named(customerName),
    domain: tenant.defaultDomain || tenant.tenantId,
    since,
    span: span(now.getTime() - Date.parse(since)),
    state: tenant.accessState === 'active' ? null : t(`standing.${tenant.accessState}`),
    why: t(why, values),
    waitsUntil,
    act: word('overview.act', owner),
    next: t(next, values),
    consentButton: byConsent && isAdmin ? `btn btn-sm${isFirst ? ' btn-primary' : ''}` : null,
    mayResume: needs.mayResume && why === 'overview.blind.paused',
  }
}

/** The letter of a severity's shades, and how many there are. */
const shades: Record<Severity, [string, number]> = {
  high: ['r', 2],
  medium: ['o', 3],
  low: ['y', 3],
  informational: ['b', 2],
  unknown: ['b', 2],
}

function shadeOf(severity: Severity, count: number): string {
  const [letter, darkest] = shades[severity]
  return `${letter}${Math.min(darkest, Math.ceil(Math.log2(count + 1)))}`
}

function heatView(
  { rows, others }: FleetHeat,
  withUnknown: boolean,
  { t, number, named, freshness }: PageTools,
): HeatView {
  const severities: Severity[] = [
    'high',
    'medium',
    'low',
    'informational',
    ...(withUnknown ? ['unknown' as const] : []),
  ]
  const cells = (counts: Record<Severity, number>, customer: string) =>
    severities.map((one) => ({
      text: counts[one] === 0 ? null : number(counts[one]),
      href: `/incidents?${customer}severity=${one}`,
      class: shadeOf(one, counts[one]),
    }))
  const otherKey = rows.length > 0 ? 'overview.heat.others' : 'overview.heat.customers'
  return {
    columns: severities.map((one) =>
      one === 'informational'
        ? { label: t('overview.info'), title: t('severity.informational') }
        : { label: t(`severity.${one}`), title: null },
    ),
    rows: [
      ...rows.map((row) => ({
        id: row.customerId,
        href: `/customers/${row.customerId}`,
        name: named(row.name),
        blind: Boolean(row.blind),
        hatched: Boolean(row.blind),
        cells: cells(row.counts, `customer=${row.customerId}&`),
        fresh: freshness(row.oldest),
      })),
      ...(others ? [others] : []).map((row) => ({
        id: 'others',
        href: '/customers',
        name: t(otherKey, { n: row.customers }),
        blind: Boolean(row.blind),
        hatched: false,
        cells: cells(row.counts, ''),
        fresh: freshness(row.oldest),
      })),
    ],
  }
}
