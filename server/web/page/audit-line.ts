import { type Html, html } from '../../http/html.ts'
import type { AuditAction } from '../../store/audit.ts'
import type { Sentence } from './audit-sentence.ts'
import { aadstsText } from './badges.ts'
import type { PageTools } from './tools.ts'

/** One event of the audit log as a page shows it. */
export interface AuditLine {
  id: number
  at: string
  action: string
  text: Html
  /** What it says beside its sentence; null when that is nothing. */
  detail: Html | null
  address: string | null
  requestId: string | null
}

type Facts = Sentence['event']['facts']

const isGiven = (value: unknown) => value !== undefined && value !== null && value !== ''

/** Reasons of a refused sign-in that have words; others are shown as they were kept. */
const knownReasons = ['other-organisation', 'no-role', 'many-addresses']

type Part = string | Html
type Details = (facts: Facts, tools: PageTools, event: Sentence['event']) => Part[]

const refusal = (facts: Facts, { word }: PageTools) => [word('refusal', String(facts.code), { aadsts: 0, status: 0 })]

const changed: Details = (facts, { t, word }) => {
  const names = String(facts.names ?? '')
    .split(', ')
    .filter(Boolean)
  if (names.length === 0) return [t('audit.detail.unchanged')]
  return [t('audit.detail.changed', { names: names.map((name) => word('audit.field', name)).join(', ') })]
}
const names: Details = (facts) => (isGiven(facts.names) ? [String(facts.names)] : [])
const outcome: Details = (facts, { word }) => [word('customers.outcome', String(facts.outcome))]
const evidence: Details = (facts, { word }) => [word('audit.evidence', String(facts.evidence))]
const incident: Details = (facts, { t }) =>
  isGiven(facts.incident) ? [t('audit.detail.incident', { id: String(facts.incident) })] : []
const alarm: Details = (facts, tools) => (isGiven(facts.code) ? refusal(facts, tools) : [])

/** What each action says beside its sentence; the others say nothing. */
const details: Partial<Record<AuditAction, Details>> = {
  'customer.changed': changed,
  'settings.changed': changed,
  'operator.limited': ({ groups, customers }, { t }) =>
    typeof customers === 'number'
      ? [t('audit.detail.limited', { n: customers, groups: isGiven(groups) ? String(groups) : 'none' })]
      : [t('audit.detail.everything')],
  'audit.sealed': ({ sequence, eventId, mac }, { t }) => [
    t('audit.detail.sealed', { event: String(eventId), sequence: String(sequence), mac: String(mac) }),
  ],
  'audit.exported': ({ format }) => [String(format).toUpperCase()],
  'permissions.seen': names,
  'permissions.confirmed': names,
  'link.issued': (facts, { t, time }) => [
    html`${t('audit.detail.until')} ${time(String(facts.expiresAt))}`,
    ...(isGiven(facts.pinned) ? [t('audit.detail.expecting', { tenant: String(facts.pinned) })] : []),
  ],
  'attempt.refused': outcome,
  'attempt.declined': outcome,
  'consent.received': evidence,
  'consent.unclaimed': evidence,
  'tenant.refused': (facts, { word }) => [word('audit.reason', String(facts.reason))],
  'tenant.bound': (facts, { word }, event) => [word('tenants.how', String(facts.how), { by: event.actorName ?? '' })],
  'tenant.check-requested': (facts, { t }) => (facts.consented === true ? [t('audit.detail.consented')] : []),
  'access.changed': (facts, tools) => [
    tools.t('audit.detail.states', {
      from: tools.word('standing', String(facts.from)),
      to: tools.word('standing', String(facts.to)),
    }),
    ...(isGiven(facts.code) ? refusal(facts, tools) : []),
  ],
  'tenant.reread-requested': (facts, { time }) => [html`${time(String(facts.from))} – ${time(String(facts.to))}`],
  'note.added': incident,
  'note.removed': incident,
  'customer.offboarded': (facts, { t }) => [t('audit.detail.tenants', { n: Number(facts.tenants ?? 0) })],
  'operator.sign-in-refused': (facts, { word }) => {
    if (!isGiven(facts.reason)) return []
    const reason = String(facts.reason)
    return [knownReasons.includes(reason) ? word('audit.reason', reason) : reason]
  },
  'alarm.raised': alarm,
  'alarm.cleared': alarm,
  'tenant.profile-read': (facts) => (isGiven(facts.defaultDomain) ? [String(facts.defaultDomain)] : []),
}

/** An event in words. */
export function auditLine(sentence: Sentence, tools: PageTools): AuditLine {
  const { event, counted } = sentence
  const { facts } = event
  const { t, time } = tools
  const parts = details[event.action]?.(facts, tools, event) ?? []
  if (counted) parts.push(html`${t('audit.detail.times', { n: counted.times })} ${time(counted.lastAt, 'clock')}`)
  if (isGiven(facts.aadsts)) parts.push(aadstsText(Number(facts.aadsts)))
  return {
    id: event.id,
    at: event.at,
    action: event.action,
    text: t.rich(sentence.key, { ...sentence.values, actor: t('audit.who', sentence.values) }, sentence.tags),
    detail: parts.length === 0 ? null : html`${parts.flatMap((part, i) => (i === 0 ? [part] : [' · ', part]))}`,
    address: event.address,
    requestId: event.requestId,
  }
}
