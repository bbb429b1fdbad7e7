import type { CustomerLine, Step } from '../../customers/progress.ts'
import type { StateCounts, StateGroup } from '../../customers/state-groups.ts'
import type { CustomerStatus } from '../../customers/status.ts'
import type { Html } from '../../http/html.ts'
import type { OpenCounts } from '../../store/tenants/tenants.ts'
import type { PageTools } from '../page/tools.ts'
import { type OpenCountsView, openCountsView } from './counts-view.ts'

export interface CustomersFacts {
  rows: CustomerRow[]
  states: StateCounts
  groups: string[]
  filter: {
    show: StateGroup | null
    state: CustomerStatus | null
    group: string | null
    text: string
    order: 'trouble' | 'name'
  }
  counts: { customers: number; matching: number }
  page: { number: number; last: number; from: number; to: number }
  /** This list at another page, filter or order. */
  address(change: Record<string, string | number | null>): string
  mayChange: boolean
}

export interface CustomerRow extends CustomerLine {
  open: OpenCounts
  /** The tenant read longest ago speaks for all. */
  lastReadAt: string | null
  blindSince: string | null
  blindMs: number
  linkOpenUntil: string | null
  /** Milliseconds in this state, where that can be told. */
  sinceMs: number | null
}

export interface CustomersView extends Pick<CustomersFacts, 'counts' | 'mayChange'> {
  lead: string
  /** Over how many tenants; null without any. */
  open: string | null
  emptyNext: string
  views: { label: string; href: string; count: string; current: boolean }[]
  filter: { show: StateGroup | null; text: string }
  states: { name: CustomerStatus; label: string; selected: boolean }[]
  groups: { name: string; selected: boolean }[]
  orders: { name: string; label: string; selected: boolean }[]
  range: string
  rows: RowView[]
  /** Where to turn the page; null when there is one alone. */
  turn: { here: string; previous: string | null; next: string | null } | null
}

interface RowView {
  id: string
  name: Html
  groups: Html[]
  badge: Html
  note: string | null
  /** How far the consent is: nothing to tell, all of it, or step by step. */
  consent: {
    none: boolean
    complete: boolean
    pips: { x: number; class: string }[]
    last: string | null
    until: string | null
  }
  tenants: string | null
  isRead: boolean
  counts: OpenCountsView
  /** Whether how fresh it is says nothing, on a narrow screen. */
  noReading: boolean
  blind: string | null
  lastReadAt: string | null
}

export function customersView(facts: CustomersFacts, tools: PageTools): CustomersView {
  const { t, number, frame } = tools
  const { filter, counts, page, address, mayChange } = facts
  const { all, groups, states } = facts.states
  const fleet = frame?.fleet
  const open = { open: fleet?.openIncidents ?? 0, tenants: fleet?.tenants ?? 0, blind: fleet?.blind ?? 0 }
  return {
    counts,
    mayChange,
    lead: t(filter.order === 'name' ? 'customers.lead.by-name' : 'customers.lead', counts),
    open: open.tenants > 0 ? t('customers.lead.open', open) : null,
    emptyNext: t(mayChange ? 'customers.empty.next' : 'customers.empty.reader'),
    views: [
      {
        label: t('customers.all'),
        href: address({ show: null, state: null }),
        count: number(all),
        current: filter.show === null,
      },
      ...groups.map(({ name, count }) => ({
        label: t(`customers.show.${name}`),
        href: address({ show: name, state: null }),
        count: number(count),
        current: filter.show === name,
      })),
    ],
    filter,
    states: states.map(({ name, count }) => ({
      name,
      label: `${t(`standing.${name}`)} (${number(count)})`,
      selected: name === filter.state,
    })),
    groups: facts.groups.map((name) => ({ name, selected: name === filter.group })),
    orders: (['trouble', 'name'] as const).map((name) => ({
      name,
      label: t(`customers.filter.order.${name}`),
      selected: name === filter.order,
    })),
    range: t('customers.range', { from: page.from, to: page.to, all: counts.matching }),
    rows: facts.rows.map((row) => rowView(row, tools)),
    turn:
      page.last > 1
        ? {
            here: t('customers.pages.here', page),
            previous: page.number === 1 ? null : address({ page: page.number - 1 }),
            next: page.number === page.last ? null : address({ page: page.number + 1 }),
          }
        : null,
  }
}

function rowView(row: CustomerRow, tools: PageTools): RowView {
  const { t, number, named, span } = tools
  const { customer, tenants } = row
  return {
    id: customer.id,
    name: named(customer.name),
    groups: customer.groups.map(named),
    badge: tools.standing(row.standing),
    note: noteOf(row, tools),
    consent: consentOf(row, tools),
    tenants: tenants.length > 0 ? number(tenants.length) : null,
    isRead: row.lastReadAt !== null,
    counts: openCountsView(row.open, tools),
    noReading: tenants.length === 0 || row.standing === 'offboarded',
    blind: row.blindSince ? t('customers.blind-for', { span: span(row.blindMs) }) : null,
    lastReadAt: row.lastReadAt,
  }
}

function noteOf(row: CustomerRow, { t, word, span }: PageTools): string | null {
  const { standing, attempt, sinceMs } = row
  if (standing === 'declined' && attempt) return t(`customers.outcome.${attempt.outcome}`)
  const hasNote = standing === 'blind' || standing === 'review' || (standing !== 'active' && sinceMs !== null)
  return hasNote ? word('customers.note', standing, { span: span(sinceMs ?? 0) }) : null
}

const pipClasses: Record<Step['state'], string> = { done: 'on', now: 'now', stopped: 'bad', todo: '' }
/** From one pip to the next, in units of the drawing. */
const pipStep = 13

function consentOf({ standing, steps, tenants, linkOpenUntil }: CustomerRow, { t }: PageTools): RowView['consent'] {
  const last = steps.findLast((step) => step.state === 'done')
  const isProven = (standing === 'active' || standing === 'reading') && last?.name === 'proven'
  return {
    none: standing === 'not-invited' || standing === 'offboarded',
    complete: isProven || steps.every((step) => step.state === 'done'),
    pips: steps.map((step, i) => ({ x: i * pipStep, class: pipClasses[step.state] })),
    last: last ? t(`customers.step.${last.name}`) : null,
    until: tenants.length === 0 ? linkOpenUntil : null,
  }
}
