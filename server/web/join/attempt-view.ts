import { type Html, html } from '../../http/html.ts'
import type { Asking } from '../../partner/asked-permissions.ts'
import type { ConsentAttempt } from '../../store/onboarding/attempts.ts'
import type { AwaitedProof } from '../../store/onboarding/awaited-proofs.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import type { MessageKey } from '../../words.ts'
import type { PageTools } from '../page/tools.ts'
import type { AttemptEnd } from './attempt-end.ts'
import { drawn, namesFirst, needsOtherAccount, type OtherEnd, retried, saysApp, saysNumber } from './ends.ts'
import { type LetterView, type LinkOnPage, letterView, partnerName } from './join-view.ts'
import type { PartnerView } from './partner.ts'
import type { RemovalAdvice } from './removal-advice.ts'

export interface AttemptFacts {
  end: AttemptEnd
  partner: PartnerView
  customerName: string
  attempt: ConsentAttempt
  reference: string
  pinnedDomain: string | null
  tenant: Tenant | null
  /** How the search for a proof goes that this run waits for; null when it waits for none. */
  awaited: AwaitedProof | null
  /** Roles of the token that proved access; none when Microsoft's token could not be read. */
  provenRoles: string[]
  asking: Asking
  /** Milliseconds until the next try of the proof; null while one is under way. */
  nextTryIn: number | null
  /** What to do with the app that may be listed in the tenant now. */
  removal: RemovalAdvice
  /** Whether this browser has signed in to the tenant of the run; else it only named it. */
  signedIn: boolean
  /** Who holds the proof up: the partner by a fault of its own, or Microsoft; null for nobody. */
  heldUp: 'partner' | 'microsoft' | null
  /** Where another attempt starts; null when the link is over. */
  again: string | null
  /** The page this browser came from, while it is known and the link is open. */
  link: LinkOnPage | null
  /** What Microsoft said, by its number, where the end alone says too little. */
  told: { title: MessageKey; next: MessageKey; otherAccount: boolean } | null
  /** Seconds after which the page looks again by itself; null when nothing will change. */
  refresh: number | null
}

export interface AttemptView extends Pick<AttemptFacts, 'partner' | 'reference' | 'refresh'> {
  title: string
  /** Attributes of the part that renews itself. */
  region: Html
  /** One of them: the claim that Microsoft is asked about, the proof on its way, the proof to keep, or another end. */
  claimed: ProgressView | null
  proving: ProgressView | null
  done: DoneView | null
  ended: EndView | null
}

/** What came, for whom, and what is waited for. */
interface ProgressView {
  /** What is so already. */
  steps: { name: string; text: string | null; at: string | null }[]
  tries: Html | string
  lastAt: string | null
  /** What is still to come, by its number. */
  todo: { number: number; name: string }[]
  lead: string
  next: string
  /** The language that was asked for: it goes along. */
  lang: string | null
}

/** Proof that access works, to keep. */
interface DoneView {
  lead: string
  organisation: Html
  tenantId: string
  by: Html | null
  consentedAt: string | null
  permissions: string
  provenAt: string | null
  first: Html | string
}

/** A run that did not lead to access, or not yet: what is so, who must act, what to press. */
interface EndView {
  icon: string
  tone: string
  lead: string
  /** Another tenant came back than the one the link is for. */
  versus: { name: Html; expected: string | null; label: string; claimed: string } | null
  next: Html | string
  warning: string | null
  number: number | null
  /** The app, where the customer has to find it. */
  app: { name: string; id: string } | null
  over: string | null
  readAgain: string | null
  again: { path: string; label: string } | null
  phone: { href: string; text: string } | null
  email: string | null
  letter: LetterView | null
  /** Whether an app that nobody needs may be removed, and how. */
  tidy: boolean
}

interface Facts {
  partner: string
  customer: string
}

export function attemptView(facts: AttemptFacts, tools: PageTools): AttemptView {
  const { t, word, live } = tools
  const { end, partner, told, refresh } = facts
  const who = partnerName(partner, tools)
  const names: Facts = { partner: partner.name || t('join.partner.mid'), customer: facts.customerName }
  const title = word('join.end', end, 'title', { ...names, partner: end === 'misconfigured' ? who : names.partner })
  const isEnd = end !== 'claimed' && end !== 'proving' && end !== 'done'
  return {
    partner,
    reference: facts.reference,
    refresh,
    title: told ? t(told.title) : title,
    region: refresh ? live('state', refresh) : html`id="state"`,
    claimed: end === 'claimed' ? claimedView(facts, names, tools) : null,
    proving: end === 'proving' ? provingView(facts, names, tools) : null,
    done: end === 'done' ? doneView(facts, names, tools) : null,
    ended: isEnd ? endView(facts, names, tools) : null,
  }
}

const languageAsked = ({ path, lang }: PageTools) => (path.includes('lang=') ? lang : null)

/** How the search for a proof goes. */
function triesText({ heldUp, nextTryIn, partner }: AttemptFacts, tries: number, tools: PageTools): string {
  const { t, gap, span } = tools
  if (heldUp === 'partner') return t('join.step.held-up', { partner: partnerName(partner, tools) })
  if (heldUp === 'microsoft') return t('join.step.microsoft')
  const next = nextTryIn === null ? t('join.step.trying') : t('join.step.next', { span: span(nextTryIn) })
  return [t('join.step.tries', { n: tries }), next].join(gap)
}

function claimedView(facts: AttemptFacts, names: Facts, tools: PageTools): ProgressView {
  const { t, word } = tools
  const { attempt, awaited } = facts
  return {
    lead: t('join.end.claimed.lead'),
    steps: [
      {
        name: t('join.step.received'),
        text: word('join.step.said', String(attempt.evidence), { ...names }),
        at: attempt.returnedAt,
      },
    ],
    tries: triesText(facts, awaited?.tries ?? 0, tools),
    lastAt: awaited?.lastAt ?? null,
    todo: [
      { number: 3, name: t('join.step.for', { ...names }) },
      { number: 4, name: t('join.step.first') },
    ],
    next: t('join.end.proving.do', { partner: partnerName(facts.partner, tools) }),
    lang: languageAsked(tools),
  }
}

function provingView(facts: AttemptFacts, names: Facts, tools: PageTools): ProgressView {
  const { t, word } = tools
  const { attempt, tenant } = facts
  return {
    lead: t('join.end.proving.lead'),
    steps: [
      { name: t('join.step.received'), text: null, at: attempt.returnedAt },
      {
        name: t('join.step.for', { ...names }),
        text: word('join.step.how', String(tenant?.boundHow), { ...names }),
        at: tenant?.boundAt ?? null,
      },
    ],
    tries: triesText(facts, tenant?.checkAttempts ?? 0, tools),
    lastAt: tenant?.lastCheckAt ?? null,
    todo: [{ number: 4, name: t('join.step.first') }],
    next: t('join.end.proving.do', { partner: partnerName(facts.partner, tools) }),
    lang: languageAsked(tools),
  }
}

function doneView(
  { tenant, customerName, provenRoles, partner }: AttemptFacts,
  names: Facts,
  tools: PageTools,
): DoneView | null {
  if (tenant === null) return null
  const { t, named } = tools
  return {
    lead: t('join.end.done.lead', { ...names, partner: partnerName(partner, tools) }),
    organisation: named(tenant.displayName || customerName),
    tenantId: tenant.tenantId,
    by: tenant.boundHow === 'sign-in' && tenant.boundBy ? named(tenant.boundBy) : null,
    consentedAt: tenant.consentedAt,
    permissions: provenRoles.length > 0 ? provenRoles.join(', ') : t('join.ask.readIncidents'),
    provenAt: tenant.firstActiveAt,
    first: firstText(tenant, tools),
  }
}

function firstText(tenant: Tenant, { t, time }: PageTools): Html | string {
  if (tenant.firstIncidentAt) return time(tenant.firstIncidentAt, 'moment')
  if (tenant.partialSince) return t('join.done.first.partial')
  return t(tenant.lastReadAt ? 'join.done.first.none' : 'join.done.first.reading')
}

function endView(facts: AttemptFacts, names: Facts, tools: PageTools): EndView {
  const { t, word } = tools
  const { end, partner, told, attempt, link, again, removal, asking } = facts
  const [icon, tone] = drawn[end as OtherEnd]
  const leadNames = namesFirst.has(end) ? { ...names, partner: partnerName(partner, tools) } : { ...names }
  const mayRetry = retried.has(end)
  const otherAccount = told ? told.otherAccount : needsOtherAccount.has(end)
  const reads = end === 'declined' && link !== null
  const reachable = end !== 'review'
  return {
    icon,
    tone,
    lead: told ? t('join.end.told.lead') : word('join.end', end, 'lead', leadNames),
    versus:
      end === 'wrong-tenant' && attempt.claimedTenantId ? versusView(facts, attempt.claimedTenantId, tools) : null,
    next: nextText(facts, names, tools),
    warning: warningText(removal, end, tools),
    number: attempt.aadsts && saysNumber.has(end) ? attempt.aadsts : null,
    app: saysApp.has(end) ? { name: partner.appName, id: partner.appId } : null,
    over: mayRetry && !again ? t('join.over', { ...names }) : null,
    readAgain: mayRetry && again && reads ? link.path : null,
    again:
      mayRetry && again && !reads
        ? { path: again, label: t(otherAccount ? 'join.again.account' : 'join.again') }
        : null,
    phone:
      reachable && partner.phone?.href
        ? { href: partner.phone.href, text: t('join.call', { phone: partner.phone.text }) }
        : null,
    email: reachable && partner.email ? partner.email : null,
    letter:
      link && (end === 'declined' || end === 'not-admin')
        ? letterView({ partner, link, asking }, end === 'not-admin', tools)
        : null,
    tidy: removal === 'may-remove',
  }
}

function versusView(facts: AttemptFacts, claimed: string, { t, named, domainName }: PageTools): EndView['versus'] {
  const { pinnedDomain, attempt, signedIn, customerName } = facts
  return {
    name: named(customerName),
    expected: pinnedDomain ? domainName(pinnedDomain) : attempt.pinnedTenantId,
    label: t(signedIn ? 'join.signed-in' : 'join.named'),
    claimed,
  }
}

function nextText({ end, pinnedDomain, removal, told }: AttemptFacts, names: Facts, tools: PageTools): Html | string {
  const { t, word, domainName } = tools
  if (end === 'wrong-tenant' && pinnedDomain) {
    return t.rich('join.end.wrong-tenant.do.domain', { domain: domainName(pinnedDomain) }, { b: 'strong' })
  }
  if (end === 'offboarded' && removal !== 'may-remove') return t('join.removal.ended')
  return told ? t(told.next) : word('join.end', end, 'do', { ...names })
}

function warningText(removal: RemovalAdvice, end: AttemptEnd, { t }: PageTools): string | null {
  if (removal === 'ask-first' && end !== 'offboarded') return t('join.removal.ask-first')
  return removal === 'leave' && end !== 'connected' ? t('join.removal.leave') : null
}
