import type { Html } from '../../http/html.ts'
import { html } from '../../http/html.ts'
import type { QueueCount, QueueItem } from '../../store/incidents/queue.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import type { Seen } from '../page/badges.ts'
import type { PageTools } from '../page/tools.ts'
import { type FilterView, filterViews } from './filter-views.ts'
import type { Chip, QueueQuery } from './filters.ts'

export interface QueueFacts {
  query: QueueQuery
  rows: QueueRow[]
  count: QueueCount
  chips: Chip[]
  /** What can be chosen; empty where the list is one tenant's. */
  choices: { customers: { id: string; name: string }[]; groups: string[] }
  /** Addresses: of the form, and of this list elsewhere. */
  action: string
  next: string | null
  previous: string | null
  first: string
  clear: string
  anyStatus: string
  resolved: string
  /** The one tenant whose list this is. */
  only: { tenant: Tenant; customerName: string; mayRefresh: boolean; blind: boolean } | null
}

interface QueueRow extends QueueItem {
  href: string
  defender: string
  /** Since Microsoft created it. */
  ageMs: number
}

export interface QueueView {
  title: string
  /** The one tenant whose list this is. */
  only: OnlyView | null
  cover: CoverView
  action: string
  text: string
  filters: FilterView[]
  chips: { href: string; label: string; text: Html | string }[]
  /** Where all filters go at once; null for one of them. */
  clear: string | null
  /** Null when nothing is to be shown. */
  table: TableView | null
  empty: EmptyView | null
}

interface OnlyView {
  tenantId: string
  customerId: string
  customerName: Html
  name: Html
  domain: string
  badge: Html
  read: Html | string
  mayRefresh: boolean
}

/** Over how many tenants the list is; null where it is over one. */
interface CoverView {
  over: Html | string | null
  blind: string | null
  newestReadAt: string | null
}

interface TableView {
  caption: string
  rows: RowView[]
  foot: Html
  blind: string | null
  turn: { previous: string | null; next: string | null } | null
}

interface RowView {
  id: string
  href: string
  defender: string
  defenderLabel: string
  severity: Html
  status: Html
  title: string
  number: string
  alerts: string
  /** Null where the list is one tenant's. */
  customer: { name: Html; tenant: string } | null
  owner: Html
  age: string
  createdAt: string
  fresh: Html
}

interface EmptyView {
  icon: string
  title: string
  text: Html | string
  buttons: { href: string; label: string; class: string }[]
}

type Fleet = NonNullable<PageTools['frame']>['fleet']

export function queueView(facts: QueueFacts, tools: PageTools): QueueView {
  const { t, word, frame } = tools
  const { query, rows, chips, only, action, clear } = facts
  if (frame === null) throw new Error('the queue is a page of operators, who have a frame')
  const { fleet } = frame
  return {
    title: only
      ? t('incidents.title.tenant', { tenant: only.tenant.displayName || only.customerName })
      : t('incidents.title'),
    only: only && onlyView(only, tools),
    cover: coverView(facts, fleet, tools),
    action,
    text: query.text,
    filters: filterViews(facts, tools),
    chips: chips.map((chip) => chipView(chip, tools)),
    clear: chips.length > 1 ? clear : null,
    table: rows.length > 0 ? tableView(facts, fleet, tools) : null,
    empty: rows.length === 0 ? emptyView(facts, fleet, word('incidents.foot.status', query.status), tools) : null,
  }
}

function onlyView({ tenant, customerName, mayRefresh }: NonNullable<QueueFacts['only']>, tools: PageTools): OnlyView {
  const { t, named, ago } = tools
  return {
    tenantId: tenant.tenantId,
    customerId: tenant.customerId,
    customerName: named(customerName),
    name: named(tenant.displayName || tenant.defaultDomain || tenant.tenantId),
    domain: tenant.defaultDomain || tenant.tenantId,
    badge: tools.tenantState(tenant),
    read: tenant.lastReadAt ? html`${t('incidents.read')} ${ago(tenant.lastReadAt)}` : t('signal.not-read'),
    mayRefresh,
  }
}

function isLooking({ only }: QueueFacts, fleet: Fleet): boolean {
  return only ? only.tenant.firstActiveAt !== null : fleet.tenants > 0
}

function coverView(facts: QueueFacts, fleet: Fleet, { t, number }: PageTools): CoverView {
  if (facts.only) return { over: null, blind: null, newestReadAt: null }
  if (!isLooking(facts, fleet)) return { over: t('shell.watch.none'), blind: null, newestReadAt: null }
  const covered = { read: number(fleet.read), tenants: number(fleet.tenants) }
  return {
    over: t.rich('incidents.over', covered, { b: 'b' }),
    blind: fleet.blind > 0 ? t('shell.watch.blind', { n: fleet.blind }) : null,
    newestReadAt: fleet.newestReadAt,
  }
}

function chipView({ kind, value, without }: Chip, { t, word, named }: PageTools): QueueView['chips'][number] {
  const words = {
    customer: value || t('incidents.chip.no-customer'),
    group: value,
    text: value,
    severity: kind === 'severity' ? word('severity', value) : '',
    status: kind === 'status' ? word('incidents.status', value) : '',
  }
  const isName = (kind === 'customer' && value !== '') || kind === 'group'
  const text = kind === 'text' ? `“${value}”` : words[kind]
  return { href: without, label: `${t('incidents.chip.remove')} ${words[kind]}`, text: isName ? named(value) : text }
}

function tableView(facts: QueueFacts, fleet: Fleet, tools: PageTools): TableView {
  const { t, word, number } = tools
  const { query, count, only, next, previous } = facts
  const counted = count.exact ? number(count.count) : t('incidents.more-than', { n: number(count.count) })
  const status = word('incidents.foot.status', query.status)
  const over = { counted, status, read: number(fleet.read), tenants: number(fleet.tenants) }
  return {
    caption: word('incidents.caption', query.order),
    rows: facts.rows.map((row) => rowView(row, only !== null, tools)),
    foot: only
      ? t.rich('incidents.foot.tenant', { counted, status }, { b: 'b' })
      : t.rich('incidents.foot', over, { b: 'b' }),
    blind: !only && fleet.blind > 0 ? t('incidents.foot.blind', { n: fleet.blind, open: fleet.openInBlind }) : null,
    turn: next !== null || previous !== null ? { previous, next } : null,
  }
}

/** So much of a title is shown; the rest stands on the incident's own page. */
const titleLength = 300

function rowView(row: QueueRow, isOnly: boolean, tools: PageTools): RowView {
  const { t, named, short, brief } = tools
  return {
    id: `${row.tenantId}-${row.incidentId}`,
    href: row.href,
    defender: row.defender,
    defenderLabel: t('incidents.defender.of', { id: row.incidentId }),
    severity: tools.severity(row.severity),
    status: tools.status(row.status),
    title: short(row.title, titleLength),
    number: `#${row.incidentId}`,
    alerts: t('incidents.alerts', { n: row.alertCount }),
    customer: isOnly
      ? null
      : { name: named(row.customerName), tenant: row.tenantName || row.tenantDomain || row.tenantId },
    owner: tools.owner(row.assignedTo),
    age: brief(row.ageMs),
    createdAt: `${row.createdAt.slice(0, 19).replace('T', ' ')} UTC`,
    fresh: tools.freshness(row as Seen),
  }
}

const small = 'btn btn-sm'

function emptyView(facts: QueueFacts, fleet: Fleet, status: string, tools: PageTools): EmptyView {
  const { t } = tools
  const { only, query, chips, clear, first, anyStatus } = facts
  if (!isLooking(facts, fleet)) return notLooking(facts, tools)
  if (query.at) {
    const buttons = [{ href: first, label: t('incidents.empty.first'), class: small }]
    return { icon: 'inbox', title: t('incidents.empty.past-end'), text: t('incidents.empty.past-end.why'), buttons }
  }
  if (chips.length > 0) {
    const isAny = query.status === 'any'
    const any = { href: anyStatus, label: t('incidents.empty.any'), class: small }
    return {
      icon: 'filter',
      title: t('incidents.empty.filtered', { n: chips.length }),
      text: isAny ? t('incidents.empty.filtered.any') : t('incidents.empty.filtered.status', { status }),
      buttons: [
        ...(isAny ? [] : [any]),
        { href: clear, label: t('incidents.empty.clear'), class: `${small} btn-quiet` },
      ],
    }
  }
  if (only?.tenant.accessState === 'unlicensed') {
    const buttons = [{ href: `/tenants/${only.tenant.tenantId}`, label: t('incidents.empty.tenant'), class: small }]
    return {
      icon: 'license',
      title: t('incidents.empty.unlicensed'),
      text: t('incidents.empty.unlicensed.why'),
      buttons,
    }
  }
  return nothingOpen(facts, fleet, tools)
}

function notLooking({ only }: QueueFacts, { t, frame }: PageTools): EmptyView {
  const icon = 'plug-connected-x'
  if (only) {
    const buttons = [{ href: `/tenants/${only.tenant.tenantId}`, label: t('incidents.empty.tenant'), class: small }]
    const title = t('incidents.empty.tenant-not-looking')
    return { icon, title, text: t('incidents.empty.tenant-not-looking.why'), buttons }
  }
  const customers = { href: '/customers', label: t('incidents.empty.customers'), class: `${small} btn-primary` }
  return {
    icon,
    title: t('incidents.empty.not-looking'),
    text: t('incidents.empty.not-looking.why'),
    buttons: frame?.operator.role === 'Admin' ? [customers] : [],
  }
}

function nothingOpen({ only, resolved }: QueueFacts, fleet: Fleet, tools: PageTools): EmptyView {
  const { t, number } = tools
  const isBlind = only ? only.blind : fleet.blind > 0
  const covered = t('incidents.empty.open.over', { read: number(fleet.read), tenants: number(fleet.tenants) })
  const rest =
    fleet.blind > 0
      ? t.rich('incidents.empty.open.blind', { n: fleet.blind }, { a: { href: '/#blind' } })
      : t('incidents.empty.open.whole')
  return {
    icon: isBlind ? 'eye-off' : 'circle-check',
    title: t(isBlind ? 'incidents.empty.blind' : 'incidents.empty.open'),
    text: only ? stateText(only.tenant, tools) : html`${covered} ${rest}`,
    buttons: [{ href: resolved, label: t('incidents.empty.resolved'), class: small }],
  }
}

function stateText(tenant: Tenant, { t, ago, lacking, tenantState }: PageTools): Html {
  const lack = tenant.partial ? html`${lacking(tenant.partial)} ` : ''
  const read = t(tenant.lastReadAt ? 'incidents.read' : 'signal.not-read')
  return html`${tenantState(tenant)} ${lack}${read} ${ago(tenant.lastReadAt)}`
}
