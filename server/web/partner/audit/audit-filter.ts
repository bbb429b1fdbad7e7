import { z } from 'zod'
import { readQuery } from '../../../http/forms.ts'
import type { OperatorRequest } from '../../../http/route.ts'
import { type AuditAction, auditActions } from '../../../store/audit.ts'
import type { AuditFilter } from '../../../store/partner/audit-log.ts'
import { day } from '../../../time.ts'
import { momentsOf } from '../../page/zoned-time.ts'

export const auditKinds = ['consent', 'tenants', 'customers', 'people'] as const

export type AuditKind = (typeof auditKinds)[number]

export function kindOf(action: AuditAction): AuditKind {
  if (/^(link|attempt|consent|review)\./.test(action)) return 'consent'
  if (/^(tenant|access|alarm|reading|note)\./.test(action)) return 'tenants'
  return /^customer\./.test(action) ? 'customers' : 'people'
}

/** What was asked for, as it stands in the address. */
export interface AskedAudit {
  customer: string | null
  who: string | null
  /** A kind, or one action. */
  kind: AuditKind | AuditAction | null
  /** Days, as the reader's clocks tell them: `2026-11-20`. */
  from: string | null
  to: string | null
  q: string | null
  request: string | null
  before: number | null
}

/** One value that fits a shape. What does not is passed over, as it is where a link was cut off. */
const shaped = (shape: RegExp) => z.string().trim().regex(shape).nullable().catch(null)

const query = z.object({
  customer: shaped(/^[\w-]{1,60}$/),
  who: shaped(/^[\w.:-]{1,200}$/),
  kind: z
    .enum([...auditKinds, ...auditActions])
    .nullable()
    .catch(null),
  from: shaped(/^\d{4}-\d{2}-\d{2}$/),
  to: shaped(/^\d{4}-\d{2}-\d{2}$/),
  q: shaped(/^.{1,200}$/u),
  request: shaped(/^[\w-]{1,100}$/),
  before: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).nullable().catch(null),
})

export const readAudit = (req: OperatorRequest): AskedAudit => readQuery(query, req)

/** The first moment of a day in a zone; null for no day at all. */
function beginOf(date: string | null, zone: string): Date | null {
  if (date === null) return null
  // Where clocks are set forward over midnight, the day begins an hour later.
  for (const hour of ['00', '01', '02']) {
    const [moment] = momentsOf(`${date}T${hour}:00`, zone) ?? []
    if (moment) return moment
  }
  return null
}

export function filterOf(asked: AskedAudit, zone: string): AuditFilter {
  const { kind } = asked
  const isKind = (auditKinds as readonly (string | null)[]).includes(kind)
  const next = beginOf(asked.to, zone)
  // Noon of the next day, whatever the clocks do at night, and back to its beginning.
  const after = next && beginOf(new Date(Date.parse(`${asked.to}T12:00:00Z`) + day).toISOString().slice(0, 10), zone)
  return {
    who: asked.who,
    actions: kind === null ? null : isKind ? auditActions.filter((one) => kindOf(one) === kind) : [kind as AuditAction],
    customerId: asked.customer,
    from: beginOf(asked.from, zone)?.toISOString() ?? null,
    until: after?.toISOString() ?? null,
    text: asked.q,
    requestId: asked.request,
  }
}

/** The address of the log, or of its export, so filtered. */
export function hrefOf(path: string, asked: AskedAudit, more: Record<string, string | null> = {}): string {
  const search = new URLSearchParams()
  const parts = { ...asked, before: null, ...more }
  for (const [name, value] of Object.entries(parts)) if (value !== null) search.set(name, String(value))
  return search.size === 0 ? path : `${path}?${search}`
}
