import { type CustomerOutline, outlineStatuses } from '../../customers/progress.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { folded } from '../../model/alphabet.ts'
import { openQueue } from '../../store/incidents/queue.ts'
import { filterOf, readQueueQuery } from '../incidents/filters.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { type SearchFacts, searchView } from './search-view.ts'

const searchPage = page('search/search', searchView)

/** Of each kind so many are shown; the list of the kind has the rest. */
const mostShown = 10

/** One box for everything: customers, tenants and incidents that hold the text, whatever their state. */
export const showSearch: Handler<OperatorRequest> = async (portal, req, res) => {
  const { db } = portal
  const text = readQueueQuery({ q: req.query.q }).text
  const outlines = await outlineStatuses(db, portal.now(), res.locals.reader.alphabet, req.scope)
  const list = { query: readQueueQuery({ q: text, status: 'any', order: 'newest' }), tenantId: null }
  const needle = folded(text)
  const newest = { order: 'newest', limit: mostShown } as const
  const queue = text === '' ? null : await openQueue(db, filterOf(list), newest, req.scope)
  const customers = text === '' ? [] : outlines.filter((line) => namesOf(line).some((name) => holds(name, needle)))
  const tenants =
    text === ''
      ? []
      : tenantsIn(outlines).filter(({ tenant }) => tenantNames(tenant).some((name) => holds(name, needle)))
  const facts: SearchFacts = {
    text,
    customers: { shown: customers.slice(0, mostShown), count: customers.length },
    tenants: { shown: tenants.slice(0, mostShown), count: tenants.length },
    incidents: { shown: queue?.items ?? [], count: queue?.count ?? { count: 0, exact: true } },
    list,
    looked: { customers: outlines.length, tenants: outlines.reduce((sum, { tenants: own }) => sum + own.length, 0) },
  }
  await render(res, searchPage, facts)
}

const holds = (name: string | null, needle: string) => name !== null && folded(name).includes(needle)

const namesOf = ({ customer, link }: CustomerOutline) => [
  customer.name,
  customer.contactName,
  customer.contactEmail,
  customer.expectedDomain,
  customer.expectedTenantId,
  ...customer.groups,
  link?.reference ?? null,
]

const tenantsIn = (outlines: readonly CustomerOutline[]) =>
  outlines.flatMap(({ customer, tenants }) => tenants.map((tenant) => ({ tenant, customer })))

const tenantNames = ({ displayName, defaultDomain, tenantId }: CustomerOutline['tenants'][number]) => [
  displayName,
  defaultDomain,
  tenantId,
]
