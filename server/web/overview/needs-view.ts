import { type Html, html } from '../../http/html.ts'
import type { Review } from '../../store/onboarding/reviews.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import type { PageTools } from '../page/tools.ts'
import type { Funnel } from './funnel.ts'

/** What only a person can move: tenants to decide on, and access lost too lately to be blind. */
export interface Needs {
  reviews: (Review & { customerName: string | null })[]
  /** How many more wait for a decision. */
  moreReviews: number
  lost: Owned[]
  /** Paused by themselves, and too lately to be blind. */
  paused: Owned[]
  /** Whether who looks may resume those. */
  mayResume: boolean
}

export interface Owned {
  tenant: Tenant
  customerName: string
}

export interface NeedsView {
  reviews: { id: string; href: string; title: Html | string; kind: string; at: string }[]
  lost: { tenantId: string; name: Html; badge: Html; since: string }[]
  paused: { tenantId: string; name: Html; badge: Html; by: string; at: string | null }[]
  mayResume: boolean
  /** How many more there are, in words; null for none. */
  more: string | null
}

const mostTenants = 8

/** Null when nothing needs anybody. */
export function needsView(needs: Needs, tools: PageTools): NeedsView | null {
  const { t, named, standing, word } = tools
  const { reviews, lost, paused, moreReviews, mayResume } = needs
  if (reviews.length + lost.length + paused.length === 0) return null
  const beyond = (list: unknown[]) => Math.max(0, list.length - mostTenants)
  const more = moreReviews + beyond(lost) + beyond(paused)
  return {
    reviews: reviews.map(({ id, customerId, customerName, kind, createdAt }) => ({
      id,
      href: customerId ? `/customers/${customerId}` : '/customers?state=review',
      title: customerName ? html`${t('overview.needs.review')} ${named(customerName)}` : t('overview.needs.nobody'),
      kind: word('overview.needs', kind),
      at: createdAt,
    })),
    lost: lost.slice(0, mostTenants).map(({ tenant, customerName }) => ({
      tenantId: tenant.tenantId,
      name: named(customerName),
      badge: standing(tenant.accessState),
      since: tenant.stateSince,
    })),
    paused: paused.slice(0, mostTenants).map(({ tenant, customerName }) => ({
      tenantId: tenant.tenantId,
      name: named(customerName),
      badge: standing('paused'),
      by: t('overview.needs.paused', { by: tenant.pausedBy ?? '' }),
      at: tenant.pausedAt,
    })),
    mayResume,
    more: more > 0 ? t('overview.needs.more', { n: more }) : null,
  }
}

export interface FunnelView {
  /** Whether nothing stands above it. */
  isFirst: boolean
  of: string
  /** How many have not come as far as the proof, in words; null for none. */
  onTheirWay: string | null
  steps: { label: string; count: string; lost: string | null; width: string }[]
  waiting: { id: string; name: Html; stuck: string; since: string }[]
  more: string | null
}

const mostWaiting = 8

/** Null when no link was sent lately. */
export function funnelView(funnel: Funnel, isFirst: boolean, tools: PageTools): FunnelView | null {
  const { t, number, named, word } = tools
  const { links, steps, underWay } = funnel
  if (links === 0) return null
  return {
    isFirst,
    of: t('overview.funnel.of', { n: links }),
    onTheirWay: underWay.length > 0 ? t('overview.funnel.under-way', { n: underWay.length }) : null,
    steps: steps.map(({ name, count, lost, width }) => ({
      label: word('overview.step', name),
      count: number(count),
      lost: lost > 0 ? `−${number(lost)}` : null,
      width,
    })),
    waiting: underWay.slice(0, mostWaiting).map(({ customer, standing, link, since }) => ({
      id: customer.id,
      name: named(customer.name),
      stuck: word('overview.stuck', standing, { n: link?.openedCount ?? 0 }),
      since,
    })),
    more: underWay.length > mostWaiting ? t('overview.needs.more', { n: underWay.length - mostWaiting }) : null,
  }
}
