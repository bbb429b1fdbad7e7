import { z } from 'zod'
import { type CustomerLine, type CustomerOutline, listStatuses, outlineStatuses } from '../../customers/progress.ts'
import { countStates, groupOf, stateGroups, troubleFirst } from '../../customers/state-groups.ts'
import { statusSince } from '../../customers/status.ts'
import { readQuery } from '../../http/forms.ts'
import { runsPortal } from '../../http/operator.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { folded } from '../../model/alphabet.ts'
import { listGroups } from '../../store/customers/customers.ts'
import { linkState } from '../../store/onboarding/links.ts'
import { blindSince } from '../../store/tenants/blind.ts'
import type { OpenCounts, Tenant } from '../../store/tenants/tenants.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { type CustomerRow, customersView } from './list-view.ts'

const customersPage = page('customers/customers', customersView)

const rank = new Map(troubleFirst.map((standing, index) => [standing, index]))

const rowsPerPage = 50

const query = z.object({
  show: z.enum(stateGroups).nullable().catch(null),
  state: z.enum(troubleFirst).nullable().catch(null),
  group: z.string().min(1).max(100).nullable().catch(null),
  q: z.string().max(200).catch(''),
  order: z.enum(['trouble', 'name']).catch('trouble'),
  page: z.coerce.number().int().min(1).max(1_000).catch(1),
})

/** Every customer and where it stands; nobody is left out for failing. */
export const showCustomers: Handler<OperatorRequest> = async (portal, req, res) => {
  const { state, group, q, order, page, ...asked } = readQuery(query, req)
  const show = state === null ? asked.show : groupOf(state)
  const now = portal.now()
  const { alphabet } = res.locals.reader
  const [outlines, groups] = await Promise.all([
    outlineStatuses(portal.db, now, alphabet, req.scope),
    listGroups(portal.db, alphabet, req.scope),
  ])
  const text = folded(q.trim())
  const matches = outlines.filter(
    (line) => (group === null || line.customer.groups.includes(group)) && holds(line, text),
  )
  const matching = matches.filter(({ standing }) =>
    state === null ? show === null || groupOf(standing) === show : standing === state,
  )
  if (order === 'trouble') matching.sort((a, b) => (rank.get(a.standing) ?? 0) - (rank.get(b.standing) ?? 0))
  const last = Math.max(1, Math.ceil(matching.length / rowsPerPage))
  const number = Math.min(page, last)
  const from = (number - 1) * rowsPerPage
  const ids = matching.slice(from, from + rowsPerPage).map(({ customer }) => customer.id)
  const lines = new Map(
    (await listStatuses(portal.db, now, ids, alphabet, req.scope)).map((line) => [line.customer.id, line]),
  )
  const shown = ids.flatMap((id) => lines.get(id) ?? [])
  await render(res, customersPage, {
    rows: shown.map((line) => rowOf(line, now)),
    states: countStates(
      matches.map(({ standing }) => standing),
      show,
      state,
    ),
    groups,
    filter: { show, state, group, text: q.trim(), order },
    counts: {
      customers: outlines.length,
      matching: matching.length,
    },
    page: { number, last, from: shown.length === 0 ? 0 : from + 1, to: from + shown.length },
    address: (change) => hrefOf({ show: state === null ? show : null, state, group, q: q.trim(), order, ...change }),
    mayChange: runsPortal(req),
  })
}

function holds(line: CustomerOutline, text: string): boolean {
  if (text === '') return true
  const { customer, tenants } = line
  const names = [
    customer.name,
    customer.contactName,
    customer.contactEmail,
    customer.expectedDomain,
    ...customer.groups,
  ]
  const ids = [customer.expectedTenantId, line.link?.reference ?? null]
  for (const tenant of tenants) names.push(tenant.displayName, tenant.defaultDomain, tenant.tenantId)
  return [...names, ...ids].some((name) => name !== null && folded(name).includes(text))
}

function rowOf(line: CustomerLine, now: Date): CustomerRow {
  const { tenants, link } = line
  const live = tenants.filter((tenant) => tenant.accessState !== 'offboarded')
  const blind = live.map((tenant) => blindSince(tenant, now)).filter((at) => at !== null)
  const since = statusSince(line)
  const blindAt = earliest(blind)
  return {
    ...line,
    open: addUp(tenants),
    lastReadAt: earliest(live.map((tenant) => tenant.lastReadAt).filter((at) => at !== null)),
    blindSince: blindAt,
    blindMs: blindAt === null ? 0 : now.getTime() - Date.parse(blindAt),
    linkOpenUntil: link && linkState(link, now) === 'issued' ? link.expiresAt : null,
    sinceMs: since === null ? null : now.getTime() - Date.parse(since),
  }
}

/** Open incidents over all tenants of one customer. */
export function addUp(tenants: readonly Tenant[]): OpenCounts {
  const sum: OpenCounts = { high: 0, medium: 0, low: 0, informational: 0, unknown: 0, unassigned: 0 }
  for (const { open } of tenants) {
    for (const key of Object.keys(sum) as (keyof OpenCounts)[]) sum[key] += open[key]
  }
  return sum
}

const earliest = (times: readonly string[]): string | null =>
  times.reduce<string | null>((first, at) => (first === null || at < first ? at : first), null)

function hrefOf(parts: Record<string, string | number | null>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parts)) {
    if (
      value !== null &&
      value !== '' &&
      !(name === 'order' && value === 'trouble') &&
      !(name === 'page' && value === 1)
    )
      search.set(name, String(value))
  }
  return search.size === 0 ? '/customers' : `/customers?${search}`
}
