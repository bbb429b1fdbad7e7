import type { CustomerRecord, Step } from '../../customers/progress.ts'
import { type Html, html } from '../../http/html.ts'
import type { ConsentLink } from '../../store/onboarding/links.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import { howBound, tenantName } from '../page/tenant-words.ts'
import type { PageTools } from '../page/tools.ts'

/** One of the seven steps from link to first incident, in words. */
export interface StepView {
  name: Step['name']
  label: string
  /** The class that draws it. */
  shape: 'done' | 'now' | 'bad' | 'todo'
  isNow: boolean
  mark: Html | string | number
  /** For assistive technology, which does not see the shape. */
  state: string | null
  text: Html | string | null
  at: string | null
}

export type StepFacts = Pick<CustomerRecord, 'attempts' | 'tenants' | 'reviews' | 'awaited'> & {
  steps: Step[]
  link: ConsentLink | null
}

const shapes = { done: 'done', now: 'now', stopped: 'bad', todo: 'todo' } as const

export function stepViews(facts: StepFacts, tools: PageTools): StepView[] {
  const { t, icon } = tools
  return facts.steps.map((step, i) => {
    const skipped = step.state === 'done' && step.at === null
    const drawings = { done: icon('check'), stopped: icon('x'), now: i + 1, todo: i + 1 }
    const skippedText = i === 0 ? t('customers.step.skipped') : null
    return {
      name: step.name,
      label: t(`customers.step.${step.name}`),
      shape: skipped ? 'todo' : shapes[step.state],
      isNow: step.state === 'now',
      mark: skipped ? '–' : drawings[step.state],
      state: step.state !== 'todo' && !skipped ? tools.word('customers.step', step.state) : null,
      text: skipped ? skippedText : textOf(step, facts, tools),
      at: step.at,
    }
  })
}

function textOf(step: Step, facts: StepFacts, tools: PageTools): Html | string | null {
  const { t, word } = tools
  const { link, attempts, tenants } = facts
  const tenant =
    tenants.find((one) => attempts.some(({ boundTenantId }) => boundTenantId === one.tenantId)) ?? tenants[0]
  switch (step.name) {
    case 'issued':
      return link && issuedText(link, tools)
    case 'opened':
      if (!link) return null
      if (link.openedCount > 0) return t('customers.step.opened.times', { n: link.openedCount })
      return step.state === 'todo' || step.state === 'done' ? null : t('customers.step.opened.not')
    case 'sent':
      return link && link.departures > 0 ? t('customers.step.sent.attempts', { n: link.departures }) : null
    case 'returned': {
      const back = attempts.find((attempt) => attempt.linkId === link?.id && attempt.returnedAt !== null)
      return back ? word('customers.outcome', back.outcome) : null
    }
    case 'bound':
      return boundText(step, tenant, facts, tools)
    case 'proven':
      return tenant && step.state !== 'todo' ? provenText(step, tenant, tools) : null
    default:
      if (!tenant || step.state !== 'now') return null
      return t(tenant.lastReadAt ? 'customers.step.read.none' : 'customers.step.read.soon')
  }
}

function issuedText(link: ConsentLink, { t, domainName }: PageTools): string {
  const expected = link.pinnedDomain ? domainName(link.pinnedDomain) : link.pinnedTenantId
  if (!expected) return t('customers.step.issued.by-open', { by: link.issuedBy })
  return t('customers.step.issued.by', { by: link.issuedBy, tenant: expected })
}

function boundText(step: Step, tenant: Tenant | undefined, facts: StepFacts, tools: PageTools): Html | string | null {
  const { t, time, named } = tools
  const { reviews, awaited } = facts
  if (step.state === 'now' && reviews.length > 0) return t('customers.step.bound.waits')
  if (step.state === 'now' && awaited) {
    return html`${t('customers.step.bound.asked', { n: awaited.tries })} ${time(awaited.nextAt, 'clock')}`
  }
  return step.state === 'done' && tenant ? html`${named(tenantName(tenant))}, ${howBound(tenant, tools)}` : null
}

function provenText(step: Step, tenant: Tenant, { t, time }: PageTools): Html | string | null {
  if (step.state === 'now') {
    return html`${t('customers.step.proven.proving', { n: tenant.checkAttempts })} ${time(tenant.nextCheckAt, 'clock')}`
  }
  if (tenant.accessState === 'active') return null
  const state = t(`standing.${tenant.accessState}`)
  return t(step.state === 'done' ? 'customers.step.proven.lost' : 'customers.step.proven.not', { state })
}
