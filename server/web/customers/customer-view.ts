import type { ExpectedConflict } from '../../customers/expected.ts'
import type { CustomerRecord, Step } from '../../customers/progress.ts'
import type { CustomerStatus } from '../../customers/status.ts'
import type { FieldFault, Typed } from '../../http/forms.ts'
import { type Html, html } from '../../http/html.ts'
import type { Customer, CustomerName } from '../../store/customers/customers.ts'
import type { ConsentAttempt } from '../../store/onboarding/attempts.ts'
import type { ConsentLink, LinkState } from '../../store/onboarding/links.ts'
import type { Review } from '../../store/onboarding/reviews.ts'
import type { AccessCheck } from '../../store/tenants/checks.ts'
import type { OpenCounts, Tenant } from '../../store/tenants/tenants.ts'
import { type AuditLine, auditLine } from '../page/audit-line.ts'
import type { Sentence } from '../page/audit-sentence.ts'
import { howBound } from '../page/tenant-words.ts'
import type { PageTools } from '../page/tools.ts'
import type { ClaimedTenant } from './claimed-tenant.ts'
import { type OpenCountsView, openCountsView } from './counts-view.ts'
import type { IssuedLink } from './issued-link.ts'
import type { ObstacleView } from './link-obstacle.ts'
import { type ReviewView, reviewView } from './review-view.ts'
import { type StepView, stepViews } from './steps-view.ts'
import { type CalmView, type OutageView, troubleView } from './trouble-view.ts'

export interface CustomerFacts {
  customer: Customer
  stands: CustomerStatus
  steps: Step[]
  /** How many steps are done; `skipped` of them nobody had to take. */
  progress: { steps: number; done: number; skipped: number }
  link: ConsentLink | null
  linkState: LinkState | null
  linkDays: number
  /** Whole days until the link ends. */
  daysLeft: number
  /** Just issued: shown now and never again. */
  issued: IssuedLink | null
  /** What was learned against the expected tenant since it was saved; nobody is named to people who may not change it. */
  conflict: { kind: ExpectedConflict['kind']; customer: CustomerName | null } | null
  /** Why no link can be issued; null when one can. */
  obstacle: ObstacleView | null
  /** Runs through Microsoft, newest first. */
  attempts: ConsentAttempt[]
  reviews: (Review & { claimed: ClaimedTenant })[]
  /** The proof that the run which moved last waits for. */
  awaited: CustomerRecord['awaited']
  tenants: (Tenant & { blindSince: string | null })[]
  open: OpenCounts & { total: number }
  /** The tenant that the standing speaks of, with its last proof, and for how many milliseconds it has been so. */
  worst: { tenant: Tenant; check: AccessCheck | null; blindSince: string | null; span: number } | null
  events: Sentence[]
  mayChange: boolean
  mayCheck: boolean
  faults: FieldFault[] | null
  typed: Typed
  notice: Notice | null
}

/** Why a tenant was not bound, with what only operators are told. */
export type Notice = { kind: 'taken'; customer: Customer } | { kind: 'partner' }

export interface CustomerView
  extends Pick<CustomerFacts, 'customer' | 'linkDays' | 'progress' | 'faults' | 'obstacle' | 'mayChange'> {
  badge: Html
  /** Since when, how many tenants, and whom to write to. */
  about: Html
  /** Whether the customer is served and this operator may change something about it. */
  mayAct: boolean
  incidents: { label: string; primary: boolean } | null
  notice: { title: string; text: Html | string } | null
  conflict: { title: string; other: { id: string; label: string } | null } | null
  issued: IssuedView | null
  /** Attributes of the part that renews itself. */
  region: Html
  outage: OutageView | null
  calm: CalmView | null
  places: string[]
  reviews: ReviewView[]
  steps: StepView[]
  tenants: TenantCard[]
  adding: { open: boolean; typed: string; wrong: boolean }
  link: LinkCard
  departures: { n: number; lastAt: string | null } | null
  attempts: AttemptRow[]
  noAttempts: { title: string; text: string }
  notes: string[]
  events: AuditLine[]
}

interface IssuedView extends Omit<IssuedLink, 'mails'> {
  expiresAt: string
  reference: string
  mails: (IssuedLink['mails'][number] & { selected: 'true' | 'false' })[]
  write: string
}

interface TenantCard extends Pick<Tenant, 'tenantId' | 'region' | 'boundAt' | 'lastReadAt'> {
  name: Html
  badge: Html
  domain: string
  how: string
  blindSince: string | null
  counts: OpenCountsView
}

interface LinkCard {
  issued: { by: string; at: string; until: string; left: string } | null
  state: { label: string; icon: string; class: string } | null
  obstacle: boolean
  text: string
  /** What the form that issues one holds; null where none can be issued. */
  form: { days: string; wrong: boolean; button: string } | null
  /** The link that can be withdrawn. */
  withdraws: string | null
  opened: { text: string; at: string | null; reference: string } | null
}

interface AttemptRow {
  id: string
  at: string | null
  isClassic: boolean
  outcome: string
  act: string
  claimedTenantId: string | null
  answer: string | null
}

export function customerView(facts: CustomerFacts, tools: PageTools): CustomerView {
  const { t, named } = tools
  const { customer, stands, linkDays, progress, faults, obstacle, mayChange, notice, link } = facts
  const mayAct = mayChange && customer.offboardedAt === null
  const mayIssue = mayChange && !obstacle
  const isRead = facts.tenants.some((tenant) => tenant.lastReadAt)
  const left = (link?.departures ?? 0) > 0
  return {
    customer,
    linkDays,
    progress,
    faults,
    obstacle,
    mayChange,
    badge: tools.standing(stands),
    about: aboutOf(facts, tools),
    mayAct,
    incidents: isRead ? incidentsButton(facts, tools) : null,
    notice: notice && noticeView(notice, tools),
    conflict: facts.conflict && conflictView(facts.conflict, tools),
    issued: issuedView(facts, tools),
    region: regionOf(facts, tools),
    ...troubleView({ ...facts, mayIssue, hasIssued: facts.issued !== null }, tools),
    places: ['progress', 'tenants', 'link', 'attempts', 'timeline', ...(mayAct ? ['offboarding'] : [])],
    reviews: facts.reviews.map((review) => reviewView(review, facts, tools)),
    steps: stepViews(facts, tools),
    tenants: facts.tenants.map((tenant) => ({
      ...tenant,
      name: named(
        tenant.displayName ?? tenant.defaultDomain ?? t('tenants.nameless', { id: tenant.tenantId.slice(0, 8) }),
      ),
      badge: tools.tenantState(tenant),
      domain: tenant.defaultDomain ?? t('tenants.not-known'),
      how: howBound(tenant, tools),
      counts: openCountsView(tenant.open, tools),
    })),
    adding: {
      open: isFaulty(faults, 'tenant') || notice !== null,
      typed: typeof facts.typed.tenant === 'string' ? facts.typed.tenant : '',
      wrong: isFaulty(faults, 'tenant'),
    },
    link: linkCard(facts, mayAct, tools),
    departures: link && left ? { n: link.departures, lastAt: link.lastDepartedAt } : null,
    attempts: facts.attempts.map((attempt) => attemptRow(attempt, tools)),
    noAttempts: {
      title: t(left ? 'customers.attempts.none-back' : 'customers.attempts.none'),
      text: t(left ? 'customers.attempts.none-back.next' : 'customers.attempts.none.next'),
    },
    notes: customer.notes ? customer.notes.split('\n').map((line) => line || '\u00a0') : [],
    events: facts.events.map((event) => auditLine(event, tools)),
  }
}

const isFaulty = (faults: FieldFault[] | null, field: string) => (faults ?? []).some((fault) => fault.field === field)

function aboutOf({ customer, tenants }: CustomerFacts, { t, time }: PageTools): Html {
  const contact = [customer.contactName, customer.contactEmail].filter(Boolean).join(', ')
  const parts = [
    html`${t('customers.added')} ${time(customer.createdAt, 'date')}`,
    tenants.length > 0 ? t('customers.tenants-count', { n: tenants.length }) : null,
    contact ? t('customers.contact', { name: contact }) : null,
  ].filter((part) => part !== null)
  return html`${parts.flatMap((part, i) => (i === 0 ? [part] : [' · ', part]))}`
}

function incidentsButton({ stands, open, issued }: CustomerFacts, { t }: PageTools): CustomerView['incidents'] {
  const isActive = stands === 'active'
  return {
    label: t(isActive ? 'customers.open-incidents' : 'customers.open-as-read', { n: open.total }),
    primary: isActive && !issued,
  }
}

function conflictView(
  { kind, customer }: NonNullable<CustomerFacts['conflict']>,
  { t }: PageTools,
): CustomerView['conflict'] {
  return {
    title: t(`customers.conflict.${kind}`, { customer: customer?.name ?? t('customers.conflict.another') }),
    other: customer && { id: customer.id, label: t('customers.form.look-at', { name: customer.name }) },
  }
}

function noticeView(notice: Notice, { t }: PageTools): CustomerView['notice'] {
  if (notice.kind === 'partner')
    return { title: t('customers.partner-tenant'), text: t('customers.partner-tenant.next') }
  const { customer } = notice
  const next = customer.offboardedAt ? 'customers.taken.offboarded' : 'customers.taken.next'
  return {
    title: t('customers.taken', { customer: customer.name }),
    text: t.rich(next, {}, { a: { href: `/customers/${customer.id}` } }),
  }
}

function issuedView({ issued, link, customer }: CustomerFacts, { t }: PageTools): IssuedView | null {
  if (!issued || !link) return null
  const address = customer.contactEmail
  return {
    ...issued,
    expiresAt: link.expiresAt,
    reference: link.reference,
    mails: issued.mails.map((mail, i) => ({ ...mail, selected: i === 0 ? 'true' : 'false' })),
    write: address ? t('customers.issued.mail.write-to', { address }) : t('customers.issued.mail.open'),
  }
}

/** The answer to a form that was not taken stands at that form's address: what renews itself would ask there. */
function regionOf({ faults, notice, steps }: CustomerFacts, { live }: PageTools): Html {
  if (faults !== null || notice !== null) return html`id="customer"`
  const seconds = steps.some((step) => step.state === 'now') ? 3 : 10
  return html`${live('customer', seconds)} hx-select-oob="#customer-head:morph"`
}

const linkIcons: Record<LinkState, string> = {
  issued: 'circle-check',
  completed: 'check',
  expired: 'clock',
  withdrawn: 'link-off',
}
const linkTexts = {
  issued: 'customers.link.hash',
  completed: 'customers.link.again',
  expired: 'customers.link.over',
  withdrawn: 'customers.link.over',
} as const

function linkCard(facts: CustomerFacts, mayAct: boolean, { t }: PageTools): LinkCard {
  const { customer, link, linkState, linkDays, daysLeft, obstacle, typed, faults } = facts
  const isOpen = linkState === 'issued'
  const left = isOpen ? `, ${t('customers.link.left', { n: daysLeft })}` : ''
  return {
    issued: link && {
      by: t('customers.link.issued-by', { by: link.issuedBy }),
      at: link.issuedAt,
      until: link.expiresAt,
      left,
    },
    state: linkState && {
      label: t(`customers.link.state.${linkState}`),
      icon: linkIcons[linkState],
      class: isOpen ? 'badge green' : 'badge',
    },
    obstacle: obstacle !== null && customer.offboardedAt === null,
    text: t(linkState ? linkTexts[linkState] : 'customers.link.none'),
    form:
      mayAct && !obstacle
        ? {
            days: typeof typed.days === 'string' ? typed.days : String(linkDays),
            wrong: isFaulty(faults, 'days'),
            button: t(link ? 'customers.link.issue' : 'customers.primary.issue-first'),
          }
        : null,
    withdraws: mayAct && isOpen ? (link?.id ?? null) : null,
    opened: link && {
      text: t('customers.link.opened', { n: link.openedCount }),
      at: link.openedAt,
      reference: t('customers.link.reference', { reference: link.reference }),
    },
  }
}

function attemptRow(attempt: ConsentAttempt, { t, word, aadstsText }: PageTools): AttemptRow {
  const isClassic = attempt.kind === 'classic'
  return {
    id: attempt.id,
    at: isClassic ? attempt.returnedAt : attempt.startedAt,
    isClassic,
    outcome: t(`customers.outcome.${attempt.outcome}`),
    act: word('customers.act', attempt.outcome),
    claimedTenantId: attempt.claimedTenantId,
    answer: attempt.aadsts ? aadstsText(attempt.aadsts) : null,
  }
}
