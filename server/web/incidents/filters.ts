import type { Request } from 'express'
import { z } from 'zod'
import { several } from '../../http/forms.ts'
import type { Severity } from '../../model/incident.ts'
import type { QueueFilter, QueueOrder } from '../../store/incidents/queue.ts'

export const severities = ['high', 'medium', 'low', 'informational', 'unknown'] as const satisfies readonly Severity[]
export const statusChoices = ['open', 'active', 'inProgress', 'awaitingAction', 'resolved', 'any'] as const

/** What somebody asked the queue for, as it stands in the address of the page. */
export interface QueueQuery {
  customers: string[]
  groups: string[]
  severities: Severity[]
  /** `open` unless said: everything but resolved. `any` is really any. */
  status: (typeof statusChoices)[number]
  text: string
  order: QueueOrder
  /** A cursor; opaque. */
  at: string | null
}

/** The list somebody came from, or is at: over all tenants, or over one. */
export interface QueueAddress {
  query: QueueQuery
  tenantId: string | null
}

// Addresses are typed, mailed and cut off: what cannot be understood narrows nothing instead of ending in an error.
// PostgreSQL takes no text with a NUL in it.
const words = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => !value.includes('\0'))

const understood = <T extends z.ZodType>(item: T) =>
  z.preprocess(
    (value) => (Array.isArray(value) ? value : [value]).filter((one) => item.safeParse(one).success).slice(0, 200),
    several(item, 200),
  )

const parameters = z.object({
  customer: understood(words(100).min(1)),
  group: understood(words(100).min(1)),
  severity: understood(z.enum(severities)),
  status: z.enum(statusChoices).catch('open'),
  q: z
    .string()
    .transform((value) => value.replaceAll('\0', '').slice(0, 200).trim())
    .catch(''),
  order: z.enum(['worst', 'newest']).catch('worst'),
  at: words(600).min(1).nullable().catch(null),
})

export function readQueueQuery(query: Request['query']): QueueQuery {
  const { customer, group, severity, status, q, order, at } = parameters.parse(query)
  return { customers: customer, groups: group, severities: severity, status, text: q, order, at }
}

export function filterOf({ query, tenantId }: QueueAddress): QueueFilter {
  return {
    ...(tenantId === null ? { customerIds: query.customers, groups: query.groups } : { tenantId }),
    severities: query.severities,
    ...(query.status === 'any' ? {} : { status: query.status }),
    ...(query.text === '' ? {} : { text: query.text }),
  }
}

/** The address of this list, with changes; what goes without saying is left out. Any change but of `at` begins at its top. */
export function hrefOf({ query, tenantId }: QueueAddress, change: Partial<QueueQuery> = {}): string {
  const { customers, groups, severities, status, text, order, at } = { ...query, at: null, ...change }
  const search = new URLSearchParams()
  if (text !== '') search.set('q', text)
  for (const id of customers) search.append('customer', id)
  for (const name of groups) search.append('group', name)
  for (const severity of severities) search.append('severity', severity)
  if (status !== 'open') search.set('status', status)
  if (order !== 'worst') search.set('order', order)
  if (at !== null) search.set('at', at)
  const path = tenantId === null ? '/incidents' : `/tenants/${encodeURIComponent(tenantId)}/incidents`
  return search.size === 0 ? path : `${path}?${search}`
}

const everything: QueueQuery = {
  customers: [],
  groups: [],
  severities: [],
  status: 'open',
  text: '',
  order: 'worst',
  at: null,
}

/**
 * The list that `from` names: one of ours, taken apart and never followed as it is. Anything else is the open queue over
 * all tenants.
 */
export function listFrom(from: unknown, tenantId: string): QueueAddress {
  const base = 'https://own.invalid'
  const url = typeof from === 'string' && from.length <= 8_000 && URL.canParse(from, base) ? new URL(from, base) : null
  const own = `/tenants/${encodeURIComponent(tenantId)}/incidents`
  if (url === null || url.origin !== base || (url.pathname !== '/incidents' && url.pathname !== own)) {
    return { query: everything, tenantId: null }
  }
  const parameterOf = (name: string) => {
    const values = url.searchParams.getAll(name)
    return values.length === 1 ? values[0] : values
  }
  const query = Object.fromEntries([...new Set(url.searchParams.keys())].map((name) => [name, parameterOf(name)]))
  return { query: readQueueQuery(query), tenantId: url.pathname === own ? tenantId : null }
}

/** The address of an incident's page that knows the way back to the list. */
export function incidentAddress(tenantId: string, incidentId: string, list: QueueAddress): string {
  const path = `/tenants/${encodeURIComponent(tenantId)}/incidents/${encodeURIComponent(incidentId)}`
  const from = hrefOf(list, { at: list.query.at })
  return from === '/incidents' ? path : `${path}?from=${encodeURIComponent(from)}`
}

/** One narrowing of the list, and the address without it. */
export interface Chip {
  kind: 'text' | 'customer' | 'group' | 'severity' | 'status'
  value: string
  without: string
}

/** What narrows this list beyond its beginning. A customer that is not here any more has no name. */
export function chipsOf(list: QueueAddress, customerNames: ReadonlyMap<string, string>): Chip[] {
  const { query, tenantId } = list
  const chip = (kind: Chip['kind'], value: string, change: Partial<QueueQuery>): Chip => ({
    kind,
    value,
    without: hrefOf(list, change),
  })
  const without = <T>(all: readonly T[], one: T) => all.filter((other) => other !== one)
  return [
    ...(query.text === '' ? [] : [chip('text', query.text, { text: '' })]),
    ...(tenantId === null ? query.customers : []).map((id) =>
      chip('customer', customerNames.get(id) ?? '', { customers: without(query.customers, id) }),
    ),
    ...(tenantId === null ? query.groups : []).map((name) =>
      chip('group', name, { groups: without(query.groups, name) }),
    ),
    ...query.severities.map((one) => chip('severity', one, { severities: without(query.severities, one) })),
    ...(query.status === 'open' ? [] : [chip('status', query.status, { status: 'open' })]),
  ]
}
