import { type Html, html } from '../../http/html.ts'
import type { PermissionWords } from '../../microsoft/registration/role-facts.ts'
import type { Asking } from '../../partner/asked-permissions.ts'
import type { Language } from '../../words.ts'
import type { PageTools } from '../page/tools.ts'
import type { PartnerView } from './partner.ts'
import { type ToldText, toldHtml } from './told-text.ts'

/** A link as its page knows it. */
export interface LinkOnPage {
  /** Path and full address of its page. */
  path: string
  url: string
  reference: string
  expiresAt: string
  pinnedTenantId: string | null
  pinnedDomain: string | null
}

export interface LinkPage {
  partner: PartnerView
  link: LinkOnPage
  /** What consent is asked for, as far as it is known. */
  asking: Asking
}

export interface JoinFacts extends LinkPage {
  customerName: string
  /** The host at which people sign in. */
  loginHost: string
  kept: {
    where: ToldText | null
    closedDays: number
    offboardedDays: number
    howLong: ToldText | null
    who: ToldText | null
  }
  /** Shown again after it was open for too long: what was pressed there did nothing. */
  again: boolean
  /** The language of this page, when the visitor chose it: it goes along. */
  chosen: Language | null
}

/** The text for an administrator, with the address of the link, ready to copy or to send. */
export interface LetterView {
  isOpen: boolean
  text: string
  /** `mailto:` with subject and text. */
  href: string
}

/** Who can consent, and until when. */
export interface TermsView {
  consenters: string
  until: string
}

export const partnerName = (partner: PartnerView, { t }: PageTools): string => partner.name || t('join.partner')

/** Whether there is any way to reach the partner. */
export const isReachable = ({ contactName, phone, email }: PartnerView): boolean =>
  Boolean(contactName || phone || email)

/** How the partner is reached. What is not filled in is left out. */
export interface ContactView {
  name: Html | null
  /** Null when there is no way but the name. */
  ways: { person: string | null; phone: PartnerView['phone']; email: string; both: boolean } | null
}

export const contactView = (partner: PartnerView, { t, named }: PageTools): ContactView => ({
  name: partner.name ? named(partner.name) : null,
  ways: isReachable(partner)
    ? {
        person: partner.contactName ? t('join.asks.contact', { name: partner.contactName }) : null,
        phone: partner.phone,
        email: partner.email,
        both: partner.phone !== null && partner.email !== '',
      }
    : null,
})

export function letterView({ partner, link, asking }: LinkPage, isOpen: boolean, tools: PageTools): LetterView {
  const { t, dateText, word } = tools
  const who = partnerName(partner, tools)
  const does = asking.changes ? 'work' : 'read'
  const subject = t('join.forward.subject', { partner: who, does })
  const text = t('join.forward.text', {
    partner: who,
    does,
    cannot: asking.cannot.length > 0 ? 'yes' : 'no',
    url: link.url,
    consenters: word('join.consenters', asking.consenters),
    until: dateText(link.expiresAt),
  })
  return { isOpen, text, href: `mailto:?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(text)}` }
}

export const termsView = ({ link, asking }: Pick<LinkPage, 'link' | 'asking'>, { word }: PageTools): TermsView => ({
  consenters: word('join.consenters', asking.consenters),
  until: link.expiresAt,
})

const drawings: Record<PermissionWords, string> = {
  readIncidents: 'inbox',
  writeIncidents: 'message-circle',
  readAlerts: 'inbox',
  writeAlerts: 'message-circle',
  hunting: 'search',
  readDetections: 'search',
  writeDetections: 'message-circle',
  organisationProfile: 'building',
  readOrganisations: 'building',
  readApps: 'settings',
  readDirectory: 'user',
  ownProfile: 'user',
  other: 'alert-circle',
}

export interface JoinView extends Pick<JoinFacts, 'partner' | 'link' | 'again' | 'chosen' | 'loginHost'> {
  title: string
  /** Null when nothing is known of the partner. */
  contact: ContactView | null
  customerName: Html
  /** For which tenant, as far as that is settled. */
  pinned: string | null
  terms: TermsView
  permissions: { icon: string; title: string; why: string; names: string }[]
  /** Whether there may be more of them than Muster knows. */
  mayBeMore: boolean
  cannot: string[]
  kept: { where: Html | null; howLong: string; besides: Html | null; who: Html | null }
  address: string
  accept: Html
  isUnpinned: boolean
  letter: LetterView
  notAdminHref: Html
  attemptsPath: string
  openingPath: string
}

export function joinView(facts: JoinFacts, tools: PageTools): JoinView {
  const { t, named, word, gap } = tools
  const { partner, link, asking, kept, chosen } = facts
  const mayBeMore = asking.source === 'unknown'
  const n = asking.permissions.filter(({ kind }) => kind === 'application').length
  const bold = { b: 'strong' }
  const notAdmin = `${link.path}/not-admin${chosen ? `?lang=${chosen}` : ''}`
  return {
    partner,
    link,
    again: facts.again,
    chosen,
    loginHost: facts.loginHost,
    title: t(asking.changes ? 'join.title.work' : 'join.title', { partner: partnerName(partner, tools) }),
    contact: partner.name || isReachable(partner) ? contactView(partner, tools) : null,
    customerName: named(facts.customerName),
    pinned: pinnedText(link, tools),
    terms: termsView(facts, tools),
    permissions: asking.permissions.map(({ words, resource, name }) => ({
      icon: drawings[words],
      title: word('join.ask', words),
      why: word('join.ask', words, 'why'),
      names: [resource, name].filter(Boolean).join(' · '),
    })),
    mayBeMore,
    cannot: asking.cannot.map((what) => word('join.cannot', what)),
    kept: {
      where: kept.where && toldHtml(kept.where, tools),
      howLong: [
        t('join.keep.how-long.closed', { days: kept.closedDays }),
        t('join.keep.how-long.ended', { days: kept.offboardedDays }),
      ].join(gap),
      besides: kept.howLong ? html`${gap}${toldHtml(kept.howLong, tools)}` : null,
      who: kept.who && toldHtml(kept.who, tools),
    },
    address: `${partner.publicUrl}/`,
    accept: mayBeMore ? t.rich('join.next.accept.more', {}, bold) : t.rich('join.next.accept', { n }, bold),
    isUnpinned: link.pinnedTenantId === null,
    letter: letterView(facts, false, tools),
    notAdminHref: t.rich('join.forward.stuck', {}, { a: { href: notAdmin } }),
    attemptsPath: `${link.path}/attempts`,
    openingPath: `${link.path}/opening`,
  }
}

function pinnedText({ pinnedDomain, pinnedTenantId }: LinkOnPage, { t, domainName }: PageTools): string | null {
  if (pinnedDomain) return t('join.for.domain', { domain: domainName(pinnedDomain) })
  return pinnedTenantId ? t('join.for.tenant', { tenant: pinnedTenantId }) : null
}

export interface NotAdminView extends Pick<LinkPage, 'partner' | 'link'> {
  terms: TermsView
  asked: string
  letter: LetterView
}

export function notAdminView(facts: LinkPage, tools: PageTools): NotAdminView {
  const { partner, link } = facts
  const whoKey = link.pinnedTenantId ? 'join.not-admin.asked.pinned' : 'join.not-admin.asked.unpinned'
  return {
    partner,
    link,
    terms: termsView(facts, tools),
    asked: tools.t(whoKey),
    letter: letterView(facts, true, tools),
  }
}
