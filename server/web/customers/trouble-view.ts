import type { CustomerStatus } from '../../customers/status.ts'
import { type Html, html } from '../../http/html.ts'
import type { ConsentAttempt } from '../../store/onboarding/attempts.ts'
import type { LinkState } from '../../store/onboarding/links.ts'
import type { AccessCheck } from '../../store/tenants/checks.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import { answerText, tenantName } from '../page/tenant-words.ts'
import type { PageTools } from '../page/tools.ts'

export interface TroubleFacts {
  stands: CustomerStatus
  /** The tenant that the standing speaks of, with its last proof, and for how many milliseconds it has been so. */
  worst: { tenant: Tenant; check: AccessCheck | null; blindSince: string | null; span: number } | null
  linkState: LinkState | null
  attempts: ConsentAttempt[]
  mayChange: boolean
  mayCheck: boolean
  /** Whether a link can be issued, by this operator and now. */
  mayIssue: boolean
  /** Whether one was just issued: then nothing else is what to do next. */
  hasIssued: boolean
}

/** A tenant that is in trouble: what is wrong, since when, and what can be done about it. */
export interface OutageView {
  kind: 'alert-warning' | 'alert-danger'
  icon: string
  title: Html
  sentences: (Html | string)[]
  tenantId: string
  tenantName: Html
  /** Microsoft's last answer; null when it refused nothing. */
  answer: { text: string; correlationId: string | null } | null
  lastCheckAt: string | null
  nextCheckAt: string | null
  /** What can be pressed; `primary` is the one to press. */
  buttons: { issue: Button | null; resume: boolean; read: Button | null; check: Button | null }
}

interface Button {
  primary: boolean
}

/** A customer with whom nothing is wrong, and who needs somebody to go on. */
export interface CalmView {
  kind: 'alert-warning' | 'alert-info'
  icon: string
  title: string
  text: Html | string
  /** Whether a link would help and cannot be issued. */
  obstacle: boolean
  mayTakeBack: boolean
  /** What the button says that issues a link; null without one. */
  issue: string | null
}

/** Where consent is what is missing, so that a new link is what helps. */
const renewable: readonly CustomerStatus[] = ['revoked', 'limited', 'unproven', 'gone']
const mild: readonly CustomerStatus[] = ['unlicensed', 'unproven', 'paused']
const wellOrOver: readonly CustomerStatus[] = ['active', 'reading', 'proving', 'offboarded']
const calmStandings: readonly CustomerStatus[] = ['declined', 'expired', 'withdrawn', 'not-invited', 'offboarded']

/** What needs somebody on the page of a customer, who that is, and the one button for it. */
export function troubleView(
  facts: TroubleFacts,
  tools: PageTools,
): { outage: OutageView | null; calm: CalmView | null } {
  const { stands, worst, hasIssued } = facts
  if (worst && !wellOrOver.includes(stands)) return { outage: outageView(facts, worst, tools), calm: null }
  return { outage: null, calm: calmStandings.includes(stands) && !hasIssued ? calmView(facts, tools) : null }
}

type Worst = NonNullable<TroubleFacts['worst']>

function outageView(facts: TroubleFacts, worst: Worst, tools: PageTools): OutageView {
  const { stands } = facts
  const { tenant } = worst
  const refusal = refusalOf(worst)
  return {
    kind: mild.includes(stands) ? 'alert-warning' : 'alert-danger',
    icon: worst.blindSince ? 'eye-off' : 'alert-triangle',
    title: outageTitle(stands, worst, tools),
    sentences: outageSentences(stands, worst, tools),
    tenantId: tenant.tenantId,
    tenantName: tools.named(tenantName(tenant)),
    answer: refusal?.refusal
      ? { text: answerText(refusal.refusal, tools), correlationId: refusal.refusal.correlationId ?? null }
      : null,
    lastCheckAt: tenant.lastCheckAt,
    nextCheckAt: tenant.nextCheckAt,
    buttons: buttonsOf(facts, tenant),
  }
}

const refusalOf = ({ check }: Worst) => (check?.refusalCode ? check : null)

function outageTitle(stands: CustomerStatus, worst: Worst, { t, time, span }: PageTools): Html {
  const { tenant, blindSince } = worst
  const since = blindSince ?? (stands === 'paused' ? tenant.pausedAt : tenant.stateSince)
  const word = t(`standing.${stands}`)
  const what = blindSince ? t('customers.trouble.blind') : t('customers.trouble.since', { standing: word })
  const besides = blindSince && stands !== 'blind' ? `: ${word}` : ''
  return html`${what} ${time(since)}, ${t('customers.trouble.for', { span: span(worst.span) })}${besides}`
}

function outageSentences(stands: CustomerStatus, worst: Worst, tools: PageTools): (Html | string)[] {
  const { t, word, lacking, refusalKeys } = tools
  const { tenant } = worst
  const refusal = refusalOf(worst)
  const isBlind = stands === 'blind'
  const sentences: string[] = []
  if (refusal?.refusalCode) {
    const { why, next } = refusalKeys(refusal.refusalCode, tenant, refusal.refusal)
    const { aadsts, status } = refusal.refusal ?? {}
    sentences.push(t(why, { aadsts: aadsts ?? 0, status: status ?? 0 }))
    if (!renewable.includes(stands) && !isBlind) sentences.push(t(next, { aadsts: 0, status: 0 }))
  } else if (isBlind && tenant.lastReadCode && tenant.lastReadCode !== 'internal') {
    sentences.push(word('refusal', tenant.lastReadCode, { aadsts: 0, status: 0 }))
  } else if (isBlind && tenant.partial) {
    sentences.push(lacking(tenant.partial), t('signal.partial.next'))
  }
  if (tenant.pausedAt)
    sentences.push(t('overview.blind.paused', { by: tenant.pausedBy ?? '' }), t('customers.next.paused'))
  else if (!(isBlind && tenant.partial)) sentences.push(word('customers.next', stands))
  if (tenant.lastReadAt) sentences.push(t('customers.trouble.as-last-read'))
  return sentences.flatMap((sentence, i) => (i === 0 ? [sentence] : [' ', sentence]))
}

function buttonsOf(facts: TroubleFacts, tenant: Tenant): OutageView['buttons'] {
  const { stands, mayIssue, mayChange, mayCheck, hasIssued } = facts
  const issues = renewable.includes(stands) && mayIssue
  const isPaused = tenant.pausedAt !== null
  return {
    issue: issues ? { primary: !hasIssued } : null,
    resume: isPaused && mayChange,
    read: !isPaused && mayCheck && stands === 'blind' ? { primary: !hasIssued } : null,
    check: !isPaused && mayCheck && stands !== 'blind' ? { primary: !issues && !hasIssued } : null,
  }
}

function calmView(facts: TroubleFacts, tools: PageTools): CalmView {
  const { stands, mayChange, mayIssue } = facts
  const { t, word } = tools
  const isOffboarded = stands === 'offboarded'
  const icons: Partial<Record<CustomerStatus, string>> = { offboarded: 'archive', declined: 'circle-x' }
  const issue = t(stands === 'not-invited' ? 'customers.primary.issue-first' : 'customers.primary.issue')
  return {
    kind: stands === 'declined' ? 'alert-warning' : 'alert-info',
    icon: icons[stands] ?? 'link',
    title: word('customers.calm', stands),
    text: stands === 'declined' ? declinedText(facts, tools) : word('customers.calm', stands, 'next'),
    obstacle: mayChange && !mayIssue && !isOffboarded,
    mayTakeBack: mayChange && isOffboarded,
    issue: mayIssue && !isOffboarded ? issue : null,
  }
}

function declinedText({ attempts, linkState }: TroubleFacts, { t, word, aadstsText }: PageTools): Html | string {
  const next = t(linkState === 'issued' ? 'customers.calm.declined.open' : 'customers.calm.declined.over')
  const [latest] = attempts
  if (!latest) return next
  const number = latest.aadsts ? ` (${aadstsText(latest.aadsts)})` : ''
  return html`${word('customers.outcome', latest.outcome)}${number}. ${next}`
}
