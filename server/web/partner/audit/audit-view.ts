import type { Html } from '../../../http/html.ts'
import { auditActions } from '../../../store/audit.ts'
import type { Customer } from '../../../store/customers/customers.ts'
import type { Operator } from '../../../store/operators/operators.ts'
import { type AuditLine, auditLine } from '../../page/audit-line.ts'
import type { Sentence } from '../../page/audit-sentence.ts'
import type { PageTools } from '../../page/tools.ts'
import { type AskedAudit, auditKinds, hrefOf, kindOf } from './audit-filter.ts'

interface AuditFacts {
  sentences: Sentence[]
  customers: Pick<Customer, 'id' | 'name'>[]
  operators: Pick<Operator, 'id' | 'oid' | 'name' | 'username'>[]
  asked: AskedAudit
  /** Whether this page is not the newest. */
  older: boolean
  /** The page after this one; null at the beginning of the log. */
  next: string | null
  newest: string
  /** How far a text was looked for; null where the whole log was gone through, or there was none. */
  lookedBackTo: string | null
}

interface AuditView {
  customers: Choice[]
  people: Choice[]
  /** Every action, by its kind; the kind itself comes first. */
  kinds: { label: string; choices: Choice[] }[]
  text: { q: string; request: string; from: string; to: string }
  exports: { csv: string; jsonl: string }
  lookedBackTo: string | null
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

export function auditView(facts: AuditFacts, tools: PageTools): AuditView {
  const { customers, operators, asked, older, next, newest } = facts
  const { t } = tools
  const days: AuditView['days'] = []
  for (const sentence of facts.sentences) {
    const day = tools.time(sentence.event.at, 'day')
    const name = day.toString().replace(/<[^>]*>/g, '')
    if (days.at(-1)?.name !== name) days.push({ name, day, lines: [] })
    days.at(-1)?.lines.push(auditLine(sentence, tools))
  }
  const choice = (value: string, label: string, chosen: string | null) => ({ value, label, selected: value === chosen })
  const everybody: [string, string][] = [
    ...operators.map((one): [string, string] => [one.id, one.name ?? one.username ?? one.oid]),
    ['kind:muster', t('audit.filter.muster')],
    ['kind:customer', t('audit.filter.visitors')],
  ]
  return {
    customers: customers.map(({ id, name }) => choice(id, name, asked.customer)),
    people: everybody.map(([id, name]) => choice(id, name, asked.who)),
    kinds: auditKinds.map((kind) => ({
      label: t(`audit.kind.${kind}`),
      choices: [
        choice(kind, t('audit.kind.all', { kind: t(`audit.kind.${kind}`) }), asked.kind),
        ...auditActions.filter((one) => kindOf(one) === kind).map((one) => choice(one, one, asked.kind)),
      ],
    })),
    text: { q: asked.q ?? '', request: asked.request ?? '', from: asked.from ?? '', to: asked.to ?? '' },
    exports: {
      csv: hrefOf('/audit/export', asked, { format: 'csv' }),
      jsonl: hrefOf('/audit/export', asked, { format: 'jsonl' }),
    },
    lookedBackTo: facts.lookedBackTo,
    days,
    turn: older || next !== null ? { newest: older ? newest : null, next } : null,
  }
}
