import { z } from 'zod'
import { readQuery } from '../../http/forms.ts'
import type { Html } from '../../http/html.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { type AuditAction, auditActions, listAudit } from '../../store/audit.ts'
import { type Customer, listCustomers } from '../../store/customers/customers.ts'
import { countRefusedSignIns } from '../../store/operators/refused-sign-ins.ts'
import { type AuditLine, auditLine } from '../page/audit-line.ts'
import { type Sentence, sentenceOf } from '../page/audit-sentence.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import type { PageTools } from '../page/tools.ts'

const auditKinds = ['consent', 'tenants', 'customers', 'people'] as const

type AuditKind = (typeof auditKinds)[number]

const kindOf = (action: AuditAction): AuditKind => {
  if (/^(link|attempt|consent|review)\./.test(action)) return 'consent'
  if (/^(tenant|access|alarm|reading|note)\./.test(action)) return 'tenants'
  return /^customer\./.test(action) ? 'customers' : 'people'
}

interface AuditFacts {
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

interface AuditView {
  customers: Choice[]
  kinds: Choice[]
  /** Newest first; empty when nothing fits the filter. */
  days: { name: string; day: Html; lines: AuditLine[] }[]
  /** Where to turn the page; null when there is one alone. */
  turn: { newest: string | null; next: string | null } | null
}

interface Choice {
  value: string
  label: string
  selected: boolean
}

function auditView(facts: AuditFacts, tools: PageTools): AuditView {
  const { customers, kinds, filter, older, next, newest } = facts
  const days: AuditView['days'] = []
  for (const sentence of facts.sentences) {
    const day = tools.time(sentence.event.at, 'day')
    const name = day.toString().replace(/<[^>]*>/g, '')
    if (days.at(-1)?.name !== name) days.push({ name, day, lines: [] })
    days.at(-1)?.lines.push(auditLine(sentence, tools))
  }
  return {
    customers: customers.map(({ id, name }) => ({ value: id, label: name, selected: id === filter.customer })),
    kinds: kinds.map((kind) => ({ value: kind, label: tools.t(`audit.kind.${kind}`), selected: kind === filter.kind })),
    days,
    turn: older || next !== null ? { newest: older ? newest : null, next } : null,
  }
}

const auditPage = page('partner/audit', auditView)

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
    listAudit(
      portal.db,
      {
        ...(customer === null ? {} : { customerId: customer }),
        ...(kind === null ? {} : { actions: auditActions.filter((action) => kindOf(action) === kind) }),
        ...(before === null ? {} : { before }),
        limit: eventsPerPage + 1,
      },
      req.scope,
    ),
    listCustomers(portal.db, undefined, res.locals.reader.alphabet, req.scope),
  ])
  const rows = events.slice(0, eventsPerPage)
  const last = rows.at(-1)
  const counts = await countRefusedSignIns(
    portal.db,
    rows.flatMap(({ action, subjectId }) => (action === 'operator.sign-in-refused' && subjectId ? [subjectId] : [])),
  )
  await render(res, auditPage, {
    sentences: rows.map((event) => {
      const counted = counts.get(event.subjectId ?? '')
      return { ...sentenceOf(event, 'log'), ...(counted && counted.times > 1 ? { counted } : {}) }
    }),
    customers,
    filter: { customer, kind },
    kinds: auditKinds,
    older: before !== null,
    next: last && events.length > eventsPerPage ? hrefOf({ customer, kind, before: String(last.id) }) : null,
    newest: hrefOf({ customer, kind }),
  })
}

function hrefOf(parts: Record<string, string | null>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parts)) if (value !== null) search.set(name, value)
  return search.size === 0 ? '/audit' : `/audit?${search}`
}
