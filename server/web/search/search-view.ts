import type { CustomerOutline } from '../../customers/progress.ts'
import type { Html } from '../../http/html.ts'
import type { Customer } from '../../store/customers/customers.ts'
import type { QueueCount, QueueItem } from '../../store/incidents/queue.ts'
import { hrefOf, incidentAddress, type QueueAddress } from '../incidents/filters.ts'
import type { PageTools } from '../page/tools.ts'

type Tenant = CustomerOutline['tenants'][number]

export interface SearchFacts {
  text: string
  customers: { shown: CustomerOutline[]; count: number }
  tenants: { shown: { tenant: Tenant; customer: Customer }[]; count: number }
  incidents: { shown: QueueItem[]; count: QueueCount }
  /** All incidents that hold the text, as a list. */
  list: QueueAddress
  /** How many of each there are. */
  looked: { customers: number; tenants: number }
}

interface Hit {
  href: string
  name: Html
  badge: Html
  notes: (Html | string)[]
}

interface Kind {
  name: 'customers' | 'tenants' | 'incidents'
  title: string
  icon: string
  count: string
  hits: Hit[]
  /** Where the rest is, in words; null when all are here. */
  more: { href: string; label: string } | null
}

export interface SearchView {
  text: string
  /** What was found, or that nothing was asked or found. */
  lead: string
  kinds: Kind[]
  /** Where Muster looked, by kind. */
  looked: { title: string; text: string }[]
  blind: string | null
}

export function searchView(facts: SearchFacts, tools: PageTools): SearchView {
  const { t, frame } = tools
  const { text } = facts
  const kinds = [customersOf(facts, tools), tenantsOf(facts, tools), incidentsOf(facts, tools)]
  const groups = kinds.filter(({ hits }) => hits.length > 0)
  const blind = frame?.fleet.blind ?? 0
  return {
    text,
    lead: text === '' ? t('search.nothing-asked') : t(groups.length > 0 ? 'search.found' : 'search.none', { text }),
    kinds: groups,
    looked: [
      { title: t('shell.place.customers'), text: t('search.looked.customers', { n: facts.looked.customers }) },
      { title: t('search.tenants'), text: t('search.looked.tenants', { n: facts.looked.tenants }) },
      { title: t('shell.place.incidents'), text: t('search.looked.incidents') },
    ],
    blind: blind > 0 ? t('search.blind', { n: blind }) : null,
  }
}

function customersOf({ text, customers }: SearchFacts, { t, number, named, standing }: PageTools): Kind {
  return {
    name: 'customers',
    title: t('shell.place.customers'),
    icon: 'building',
    count: number(customers.count),
    hits: customers.shown.map(({ customer, standing: status, tenants }) => ({
      href: `/customers/${customer.id}`,
      name: named(customer.name),
      badge: standing(status),
      notes: [
        ...customer.groups.map(named),
        ...(tenants.length > 0 ? [t('customers.tenants-count', { n: tenants.length })] : []),
      ],
    })),
    more:
      customers.count > customers.shown.length
        ? { href: `/customers?q=${encodeURIComponent(text)}`, label: t('search.more', { n: customers.count }) }
        : null,
  }
}

function tenantsOf({ text, tenants }: SearchFacts, { t, number, named, tenantState }: PageTools): Kind {
  return {
    name: 'tenants',
    title: t('search.tenants'),
    icon: 'server',
    count: number(tenants.count),
    hits: tenants.shown.map(({ tenant, customer }) => ({
      href: `/tenants/${tenant.tenantId}`,
      name: named(tenant.displayName ?? tenant.defaultDomain ?? tenant.tenantId),
      badge: tenantState(tenant),
      notes: [tenant.defaultDomain ?? '', tenant.tenantId, named(customer.name)].filter((note) => note !== ''),
    })),
    // The list of customers is searched by their tenants as well.
    more:
      tenants.count > tenants.shown.length
        ? { href: `/customers?q=${encodeURIComponent(text)}`, label: t('search.more', { n: tenants.count }) }
        : null,
  }
}

function incidentsOf({ incidents, list }: SearchFacts, tools: PageTools): Kind {
  const { t, number, named, short, severity, status, time } = tools
  const { count, exact } = incidents.count
  const countText = exact ? number(count) : t('incidents.more-than', { n: number(count) })
  return {
    name: 'incidents',
    title: t('shell.place.incidents'),
    icon: 'inbox',
    count: countText,
    hits: incidents.shown.map((item) => ({
      href: incidentAddress(item.tenantId, item.incidentId, list),
      name: named(short(item.title, 300)),
      badge: severity(item.severity),
      notes: [`#${item.incidentId}`, status(item.status), named(item.customerName), time(item.lastUpdateAt)],
    })),
    more:
      !exact || count > incidents.shown.length
        ? { href: hrefOf(list), label: t('search.more', { n: countText }) }
        : null,
  }
}
