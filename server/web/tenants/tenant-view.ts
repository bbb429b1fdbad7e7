import type { Html } from '../../http/html.ts'
import { html } from '../../http/html.ts'
import type { ApiExample } from '../../microsoft/registration/examples.ts'
import type { RefusalFacts, RefusalOwner } from '../../model/refusal.ts'
import type { Customer } from '../../store/customers/customers.ts'
import type { rejectedOf } from '../../store/incidents/rejected.ts'
import type { AccessCheck } from '../../store/tenants/checks.ts'
import type { AccessState, Tenant } from '../../store/tenants/tenants.ts'
import { answerText, howBound } from '../page/tenant-words.ts'
import type { PageTools } from '../page/tools.ts'
import { type CapabilityLine, type CapabilityView, capabilityView } from './capabilities-view.ts'
import { type LanguageView, languageViews } from './examples-view.ts'
import { type PastCheckView, type ProofView, pastCheckView, proofView } from './proof-view.ts'
import type { ReadingView as ReadingFacts } from './reading.ts'
import { type ReadingView, type RereadForm, readingView } from './reading-view.ts'
import { titleOf } from './runs-view.ts'

export interface TenantFacts {
  tenant: Tenant
  customer: Customer
  blindSince: string | null
  /** For how many milliseconds it has been blind, or in its state. */
  sinceMs: number
  /** The next check is due, and begins as soon as a worker is free. */
  checkDue: boolean
  /** Seconds until the page looks again: few while something is about to change. */
  renewal: number
  /** Open incidents as last read. */
  open: number
  /** Newest first; the first one is the proof that the page explains. */
  checks: AccessCheck[]
  /** Who must act on what the last check met; null when it met nothing. */
  mustAct: RefusalOwner | null
  capabilities: CapabilityLine[]
  reading: ReadingFacts
  blindAfterMs: number
  reread: RereadForm
  rejected: Awaited<ReturnType<typeof rejectedOf>>
  examples: ApiExample[]
  /** Our own app, for comparison with the token's. */
  appId: string
  linkDays: number
  mayChange: boolean
  mayCheck: boolean
}

export interface TenantView extends Pick<TenantFacts, 'tenant' | 'customer' | 'renewal' | 'linkDays'> {
  title: string
  badge: Html
  /** What the button to its incidents says; null before it was read. */
  incidents: string | null
  paused: { at: string; by: string; why: string; mayResume: boolean } | null
  waits: { what: string; until: string | null } | null
  alert: AlertView | null
  access: AccessView | null
  buttons: ButtonsView | null
  places: string[]
  reading: ReadingView
  rejected: { item: string; reason: string; detail: string | null; firstSeenAt: string; lastSeenAt: string }[]
  steps: StepView[]
  proof: ProofView
  capabilities: CapabilityView[]
  past: { title: string; checks: PastCheckView[] } | null
  languages: LanguageView[]
}

interface AlertView {
  kind: 'alert-info' | 'alert-warning' | 'alert-danger'
  icon: string
  title: Html | string
  sentences: string
}

interface AccessView {
  act: { who: string; answer: string; refusal: RefusalFacts | null } | null
  tried: string | null
  next: Html | string
}

interface ButtonsView {
  /** A new link: what helps most, what helps as well, or neither. */
  issue: boolean
  issueQuietly: boolean
  check: { class: string } | null
  read: { class: string } | null
  cannotRead: string | null
}

interface StepView {
  name: string
  label: string
  shape: 'done' | 'now' | 'bad' | 'todo'
  isNow: boolean
  mark: Html | number
  text: Html | string | null
  at: string | null
}

const renewable: readonly AccessState[] = ['revoked', 'limited', 'unproven', 'gone']
const noCodes = { aadsts: 0, status: 0 }

export function tenantView(facts: TenantFacts, tools: PageTools): TenantView {
  const { t, word } = tools
  const { tenant, customer, renewal, linkDays, rejected, checks, appId } = facts
  const isServed = tenant.accessState !== 'offboarded'
  const past = checks.slice(1)
  return {
    tenant,
    customer,
    renewal,
    linkDays,
    title: titleOf(tenant, tools),
    badge: tools.tenantState(tenant),
    incidents: tenant.lastReadAt ? incidentsLabel(facts, tools) : null,
    paused: isServed ? pausedView(facts, tools) : null,
    waits:
      isServed && facts.reading.waits
        ? { what: word('tenants.reading.waits', facts.reading.waits), until: tenant.notBefore }
        : null,
    alert: alertView(facts, tools),
    access: accessView(facts, tools),
    buttons: isServed ? buttonsView(facts, tools) : null,
    places: ['reading', ...(rejected.length > 0 ? ['rejected'] : []), 'state', 'proof', 'capabilities', 'examples'],
    reading: readingView(facts, tools),
    rejected: rejected.map((one) => ({ ...one, reason: word('tenants.reason', one.reason) })),
    steps: stepViews(facts, tools),
    proof: proofView(checks[0] ?? null, { tenantId: tenant.tenantId, appId }, tools),
    capabilities: facts.capabilities.map((line) => capabilityView(line, tools)),
    past:
      past.length > 0
        ? { title: t('tenants.checks', { n: past.length }), checks: past.map((check) => pastCheckView(check, tools)) }
        : null,
    languages: languageViews(facts.examples, tools),
  }
}

function incidentsLabel({ tenant, blindSince, open }: TenantFacts, { t }: PageTools): string {
  const isSeen = tenant.accessState === 'active' && !blindSince
  return t(isSeen ? 'tenants.open' : 'customers.open-as-read', { n: open })
}

function pausedView({ reading, blindAfterMs, mayChange }: TenantFacts, { t, span }: PageTools): TenantView['paused'] {
  const { pause } = reading
  if (!pause || pause.all) return null
  const why = t('tenants.paused.why', { span: span(blindAfterMs) })
  return {
    at: pause.at,
    by: t('tenants.paused.by', { name: pause.by }),
    why: mayChange ? why : `${why} ${t('tenants.paused.admin')}`,
    mayResume: mayChange,
  }
}

const isTroubled = ({ tenant, blindSince }: TenantFacts) =>
  (tenant.accessState !== 'active' && tenant.accessState !== 'offboarded') || blindSince !== null

/** While a consent spreads, Microsoft answers as if there were none: that is not yet anybody's fault. */
function isSpreading({ tenant, checks }: TenantFacts): boolean {
  const code = checks[0]?.refusalCode
  return tenant.accessState === 'proving' && (code === 'not-consented' || code === 'role-missing')
}

function alertView(facts: TenantFacts, tools: PageTools): AlertView | null {
  const { t } = tools
  const { tenant, blindSince } = facts
  if (tenant.accessState === 'proving') {
    const sentences = provingSentences(facts, tools).join(' ')
    return { kind: 'alert-info', icon: 'refresh', title: t('tenants.proving'), sentences }
  }
  if (!isTroubled(facts)) return null
  const isMild = tenant.accessState === 'unlicensed' || tenant.accessState === 'unproven'
  return {
    kind: isMild ? 'alert-warning' : 'alert-danger',
    icon: blindSince ? 'eye-off' : 'alert-triangle',
    title: troubleTitle(facts, tools),
    sentences: troubleSentences(facts, tools).join(' '),
  }
}

function provingSentences(facts: TenantFacts, { t, refusalKeys }: PageTools): string[] {
  const { tenant, checks, mustAct } = facts
  const check = checks[0] ?? null
  const code = check?.refusalCode ?? null
  const keys = code ? refusalKeys(code, tenant, check?.refusal ?? null) : null
  const sentences: string[] = []
  if (isSpreading(facts)) sentences.push(t('tenants.proving.spreading'))
  else if (keys) {
    const { aadsts, status } = check?.refusal ?? {}
    sentences.push(t(keys.why, { aadsts: aadsts ?? 0, status: status ?? 0 }))
  }
  const isOthers = keys && (mustAct === 'microsoft' || mustAct === 'partner')
  sentences.push(isOthers ? t(keys.next, noCodes) : t('tenants.proving.next'))
  if (tenant.consentProvenAt) sentences.push(t('tenants.proving.consented'))
  else if (tenant.boundHow === 'entered') sentences.push(t('tenants.proving.by-hand'))
  return sentences
}

function troubleTitle({ tenant, blindSince, sinceMs }: TenantFacts, { t, time, span }: PageTools): Html {
  const state = t(`standing.${tenant.accessState}`)
  const what = blindSince ? t('tenants.blind-since') : t('tenants.since', { state })
  const besides = blindSince && tenant.accessState !== 'active' ? `: ${state}` : ''
  return html`${what} ${time(blindSince ?? tenant.stateSince)}, ${t('tenants.for', { span: span(sinceMs) })}${besides}`
}

function troubleSentences(facts: TenantFacts, { t, word, refusalKeys, lacking }: PageTools): string[] {
  const { tenant, checks, blindSince, reading } = facts
  const check = checks[0] ?? null
  const sentences: string[] = []
  if (check?.refusalCode) {
    const { why, next } = refusalKeys(check.refusalCode, tenant, check.refusal)
    const { aadsts, status } = check.refusal ?? {}
    sentences.push(t(why, { aadsts: aadsts ?? 0, status: status ?? 0 }), t(next, noCodes))
  } else if (tenant.lastReadCode === 'internal') {
    sentences.push(`${t('tenants.failed.internal')}.`)
  } else if (tenant.lastReadCode) {
    sentences.push(word('refusal', tenant.lastReadCode, noCodes), word('refusal', tenant.lastReadCode, 'next', noCodes))
  } else if (tenant.partial) {
    sentences.push(lacking(tenant.partial), t('signal.partial.next'))
  }
  const isTold = tenant.partial !== null && !check?.refusalCode && !tenant.lastReadCode
  if (blindSince && tenant.accessState === 'active' && !reading.pause && !isTold)
    sentences.push(t('customers.next.blind'))
  return sentences
}

function accessView(facts: TenantFacts, tools: PageTools): AccessView | null {
  const { t, time, word } = tools
  const { tenant, checks, mustAct, checkDue } = facts
  const check = checks[0] ?? null
  if (!check?.refusalCode && !tenant.nextCheckAt) return null
  const refusal = check?.refusalCode ? check.refusal : null
  const comes = tenant.nextCheckAt ? time(tenant.nextCheckAt, 'seconds') : t('tenants.none-due')
  return {
    act: mustAct && {
      who: isSpreading(facts) ? t('tenants.act.nobody') : word('tenants.owner', mustAct),
      answer: answerText(refusal, tools),
      refusal,
    },
    tried: tenant.checkAttempts > 0 ? t('tenants.tried.times', { n: tenant.checkAttempts }) : null,
    next: checkDue ? t('tenants.due-now') : comes,
  }
}

function buttonsView(facts: TenantFacts, { t }: PageTools): ButtonsView {
  const { tenant, reading, blindSince, mayChange, mayCheck } = facts
  const { accessState } = tenant
  const isRenewable = renewable.includes(accessState)
  const trouble = isTroubled(facts)
  const isActive = accessState === 'active'
  const cannot = reading.controls.read
  return {
    issue: isRenewable && mayChange,
    issueQuietly: !isRenewable && mayChange && trouble && accessState !== 'proving' && !isActive,
    check: mayCheck ? { class: trouble && !isRenewable && !isActive ? 'btn btn-primary' : 'btn' } : null,
    read: mayCheck && isActive && !cannot ? { class: blindSince ? 'btn btn-primary' : 'btn' } : null,
    cannotRead: mayCheck && isActive && cannot ? t(cannot) : null,
  }
}

function stepViews({ tenant, customer }: TenantFacts, tools: PageTools): StepView[] {
  const { t, time, icon, word } = tools
  const steps = [
    { name: 'bound', at: tenant.boundAt },
    { name: 'proven', at: tenant.firstActiveAt },
    { name: 'read', at: tenant.firstIncidentAt },
  ]
  const reached = steps.findLastIndex(({ at }) => at !== null)
  const next = tenant.accessState === 'proving' || tenant.accessState === 'active' ? 'now' : 'bad'
  const consented = tenant.consentedAt ? html` · ${t('tenants.consented')} ${time(tenant.consentedAt)}` : ''
  return steps.map(({ name, at }, i) => {
    const shape = i <= reached ? 'done' : i > reached + 1 ? 'todo' : next
    const drawings = { done: icon('check'), bad: icon('x'), now: i + 1, todo: i + 1 }
    const isEmpty = name === 'read' && shape === 'now' && tenant.lastReadAt
    return {
      name,
      label: word('tenants.step', name, { customer: customer.name }),
      shape,
      isNow: shape === 'now',
      mark: drawings[shape],
      text:
        name === 'bound' ? html`${howBound(tenant, tools)}${consented}` : isEmpty ? t('tenants.step.read.none') : null,
      at,
    }
  })
}
