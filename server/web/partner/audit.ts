import { z } from 'zod'
import { readQuery } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { type AuditAction, auditActions, listAudit } from '../../store/audit.ts'
import { type Customer, listCustomers } from '../../store/customers/customers.ts'
import { countRefusedSignIns } from '../../store/operators/refused-sign-ins.ts'
import { type Sentence, sentenceOf } from '../page/audit-sentence.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'

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
