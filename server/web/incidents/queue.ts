import { pathValue } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { customerFor, tenantFor } from '../../http/scope.ts'
import type { Portal } from '../../portal.ts'
import { customerNames, listGroups } from '../../store/customers/customers.ts'
import { openQueue } from '../../store/incidents/queue.ts'
import { blindSince } from '../../store/tenants/blind.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { noteOpened } from '../tenants/opened.ts'
import { defenderUrl } from './defender-portal.ts'
import { chipsOf, filterOf, hrefOf, incidentAddress, type QueueAddress, readQueueQuery } from './filters.ts'
import { queueView } from './queue-view.ts'

const queuePage = page('incidents/queue', queueView)

const pageSize = 50

/** All tenants' incidents in one list, out of our own store: whatever Microsoft does at this moment, it opens. */
export const showIncidents: Handler<OperatorRequest> = async (portal, req, res) => {
  const list: QueueAddress = { query: readQueueQuery(req.query), tenantId: null }
  const { alphabet } = res.locals.reader
  const [queue, customers, groups] = await Promise.all([
    find(portal, req, list),
    customerNames(portal.db, undefined, alphabet, req.scope),
    listGroups(portal.db, alphabet, req.scope),
  ])
  const names = new Map(customers.map(({ id, name }) => [id, name]))
  await render(res, queuePage, {
    ...viewOf(portal, list, queue),
    chips: chipsOf(list, names),
    choices: { customers: customers.filter(({ offboardedAt }) => offboardedAt === null), groups },
    only: null,
  })
}

/** The same over one tenant; an offboarded one shows what was read while it was served. */
export const showTenantIncidents: Handler<OperatorRequest> = async (portal, req, res) => {
  const tenant = await tenantFor(portal, req, pathValue(req, 'tenantId'))
  noteOpened(portal, req, res, tenant.tenantId)
  const list: QueueAddress = { query: readQueueQuery(req.query), tenantId: tenant.tenantId }
  const [queue, customer] = await Promise.all([find(portal, req, list), customerFor(portal, req, tenant.customerId)])
  await render(res, queuePage, {
    ...viewOf(portal, list, queue),
    chips: chipsOf(list, new Map()),
    choices: { customers: [], groups: [] },
    only: {
      tenant,
      customerName: customer.name,
      blind: blindSince(tenant, portal.now()) !== null,
      mayRefresh: tenant.accessState === 'active' && tenant.pausedAt === null && req.operator.role !== 'Reader',
    },
  })
}

const find = ({ db }: Portal, { scope }: OperatorRequest, list: QueueAddress) =>
  openQueue(db, filterOf(list), { order: list.query.order, limit: pageSize, at: list.query.at ?? undefined }, scope)

function viewOf({ config, now }: Portal, list: QueueAddress, page: Awaited<ReturnType<typeof find>>) {
  return {
    query: list.query,
    rows: page.items.map((item) => ({
      ...item,
      href: incidentAddress(item.tenantId, item.incidentId, list),
      defender: defenderUrl(config, item.tenantId, item.incidentId),
      ageMs: now().getTime() - Date.parse(item.createdAt),
    })),
    count: page.count,
    action: hrefOf(list).split('?')[0] as string,
    next: page.next === null ? null : hrefOf(list, { at: page.next }),
    previous: page.previous === null ? null : hrefOf(list, { at: page.previous }),
    first: hrefOf(list),
    clear: hrefOf(list, { customers: [], groups: [], severities: [], status: 'open', text: '' }),
    anyStatus: hrefOf(list, { status: 'any' }),
    resolved: hrefOf(list, { status: 'resolved', order: 'newest' }),
  }
}
