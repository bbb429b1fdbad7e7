import { z } from 'zod'
import { readQuery } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { type AuditAction, type AuditEvent, auditActions, listAudit } from '../../store/audit.ts'
import { type Customer, listCustomers } from '../../store/customers/customers.ts'
import { countRefusedSignIns } from '../../store/operators/refused-sign-ins.ts'
import { en } from '../../words/en.ts'
import type { MessageKey } from '../../words.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'

/** One event as a sentence: `t.rich(key, values, tags)`, and the event for what stands beside it. */
export interface Sentence {
  event: AuditEvent
  key: MessageKey
  values: Record<string, string | number>
  tags: Record<string, string | { href: string; lang?: string }>
  /** How often it happened, where one event stands for several. */
  counted?: { times: number; lastAt: string }
}

/**
 * Says an event. `here` stands on the page of the customer it is about and does not name her again; `log` names customer
 * and tenant, with links.
 */
export function sentenceOf(event: AuditEvent, place: 'here' | 'log'): Sentence {
  const { customerId, customerName, tenantId, tenantName, facts } = event
  const claimed = typeof facts.tenantId === 'string' ? facts.tenantId : ''
  // Most tenants are called what their customer is called. A sentence that leads to the tenant need not name both; one
  // that only speaks of a tenant names it by its ID.
  const isSame = customerName !== null && isSameName(tenantName, customerName)
  const saidByTenant = isSame && en[`audit.${event.action}`].includes('<t>')
  return {
    event,
    key: `audit.${event.action}`,
    values: {
      who:
        event.actorKind === 'muster' ? 'muster' : (event.actorName ?? event.address) === null ? 'nobody' : 'somebody',
      actor: event.actorName ?? event.address ?? '',
      // A name is a person's; an address alone is where somebody was.
      named: event.actorName === null ? 'no' : 'yes',
      from: event.actorKind === 'customer' && event.address !== null ? event.address : '',
      place: place === 'log' && customerName !== null && !saidByTenant ? 'log' : 'here',
      customer: customerName ?? '',
      tenant: (isSame && !saidByTenant ? null : tenantName) ?? tenantId ?? claimed,
    },
    tags: {
      b: 'strong',
      c: customerId === null ? 'span' : linkTo(`/customers/${customerId}`, customerName),
      t: tenantId === null ? 'span' : linkTo(`/tenants/${tenantId}`, tenantName),
    },
  }
}

const isSameName = (one: string | null, other: string) => one?.trim().toLowerCase() === other.trim().toLowerCase()

const linkTo = (href: string, name: string | null) => (name && isChinese(name) ? { href, lang: 'zh-Hant' } : { href })

const isChinese = (text: string) => /\p{Script=Han}/u.test(text)

const auditKinds = ['consent', 'tenants', 'customers', 'people'] as const

type AuditKind = (typeof auditKinds)[number]

const kindOf = (action: AuditAction): AuditKind => {
  if (/^(link|attempt|consent|review)\./.test(action)) return 'consent'
  if (/^(tenant|access|alarm|reading|note)\./.test(action)) return 'tenants'
  return /^customer\./.test(action) ? 'customers' : 'people'
}

export interface AuditView {
  sentences: Sentence[]
  customers: Pick<Customer, 'id' | 'name'>[]
  filter: { customer: string | null; kind: AuditKind | null }
  kinds: readonly AuditKind[]
  /** Whether this page is not the newest. */
  older: boolean
  /** The page after this one; null at the beginning of the log. */
  next: string | null
  newest: string
}

const auditPage = page<AuditView>('partner/audit')

const eventsPerPage = 100

const query = z.object({
  customer: z
    .string()
    .regex(/^[\w-]{1,60}$/)
    .nullable()
    .catch(null),
  kind: z.enum(auditKinds).nullable().catch(null),
  before: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).nullable().catch(null),
})

/** Who did what to what, when and from where; newest first. */
export const showAudit: Handler<OperatorRequest> = async (portal, req, res) => {
  const { customer, kind, before } = readQuery(query, req)
  const [events, customers] = await Promise.all([
    listAudit(portal.db, {
      ...(customer === null ? {} : { customerId: customer }),
      ...(kind === null ? {} : { actions: auditActions.filter((action) => kindOf(action) === kind) }),
      ...(before === null ? {} : { before }),
      limit: eventsPerPage + 1,
    }),
    listCustomers(portal.db),
  ])
  const shown = events.slice(0, eventsPerPage)
  const last = shown.at(-1)
  const counts = await countRefusedSignIns(
    portal.db,
    shown.flatMap(({ action, subjectId }) => (action === 'operator.sign-in-refused' && subjectId ? [subjectId] : [])),
  )
  await render(res, auditPage, {
    sentences: shown.map((event) => {
      const counted = counts.get(event.subjectId ?? '')
      return { ...sentenceOf(event, 'log'), ...(counted && counted.times > 1 ? { counted } : {}) }
    }),
    customers,
    filter: { customer, kind },
    kinds: auditKinds,
    older: before !== null,
    next: last && events.length > eventsPerPage ? addressOf({ customer, kind, before: String(last.id) }) : null,
    newest: addressOf({ customer, kind }),
  })
}

function addressOf(parts: Record<string, string | null>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parts)) if (value !== null) query.set(name, value)
  return query.size === 0 ? '/audit' : `/audit?${query}`
}
