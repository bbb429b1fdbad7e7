import type { FieldFault } from '../../http/forms.ts'
import type { Html } from '../../http/html.ts'
import type { Customer } from '../../store/customers/customers.ts'
import type { ConsentAttempt } from '../../store/onboarding/attempts.ts'
import type { Review } from '../../store/onboarding/reviews.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import type { PageTools } from '../page/tools.ts'
import type { ClaimedTenant } from './claimed-tenant.ts'

/** One claimed tenant that a person decides on, in words. */
export interface ReviewView {
  id: string
  /** When a code came with a classic link that had ended: it names no tenant to decide on. Null for all others. */
  codeCameAt: Html | null
  why: string
  /** Whether no sign-in can show who may give a tenant, which Setup puts right. */
  rolesUnseen: boolean
  /** Whether she may go where that is mended. */
  maySetUp: boolean
  /** What was expected beside what came back. */
  rows: { label: string; expected: Html | string; returned: Html | string; class: string }[]
  /** The checkbox that says that the customer was asked. */
  field: string
  isWrong: boolean
  asked: string
  confirm: string
  mayDecide: boolean
  mayConfirm: boolean
}

export interface ReviewFacts {
  customer: Customer
  attempts: ConsentAttempt[]
  tenants: Pick<Tenant, 'tenantId' | 'accessState'>[]
  faults: FieldFault[] | null
  mayChange: boolean
}

export function reviewView(
  review: Review & { claimed: ClaimedTenant },
  facts: ReviewFacts,
  tools: PageTools,
): ReviewView {
  const { t, named, time } = tools
  const { customer, attempts, faults, mayChange } = facts
  const { name, domains } = review.claimed
  const title = name ?? domains[0] ?? review.tenantId ?? ''
  const field = `asked-${review.id}`
  const attempt = attempts.find((one) => one.id === review.attemptId)
  const nothing = t('customers.review.nothing')
  const unknown = t('customers.review.not-known')
  return {
    id: review.id,
    codeCameAt: review.kind === 'code' ? time(review.createdAt) : null,
    why: tools.word('customers.review', whyOf(review, facts)),
    rolesUnseen: review.kind === 'roles-unseen',
    maySetUp: mayChange && tools.frame?.runs === true,
    rows: [
      {
        label: t('customers.review.name'),
        expected: named(customer.name),
        returned: name ? named(name) : unknown,
        class: '',
      },
      {
        label: t('customers.review.domain'),
        expected: customer.expectedDomain ? tools.domainName(customer.expectedDomain) : nothing,
        returned: domains.join(', ') || unknown,
        class: 'mono',
      },
      {
        label: t('customers.review.tenant-id'),
        expected: customer.expectedTenantId ?? nothing,
        returned: review.tenantId ?? unknown,
        class: 'mono',
      },
      { label: t('customers.review.signed-in'), expected: nothing, returned: signedIn(review, tools), class: '' },
      {
        label: t('customers.review.came'),
        expected: nothing,
        returned: time(attempt?.returnedAt ?? review.createdAt),
        class: '',
      },
    ],
    field,
    isWrong: (faults ?? []).some((fault) => fault.field === field),
    asked: t('customers.review.asked', { tenant: title }),
    confirm: t('customers.review.confirm', { tenant: title }),
    mayDecide: mayChange,
    mayConfirm: mayChange && customer.offboardedAt === null,
  }
}

/** Why a person decides: a tenant that was taken off, one that is not the expected one, or the kind of the review. */
function whyOf(review: Review, { customer, tenants }: ReviewFacts): string {
  const { tenantId } = review
  if (tenants.some((one) => one.tenantId === tenantId && one.accessState === 'offboarded')) return 'tombstone'
  return customer.expectedTenantId && customer.expectedTenantId !== tenantId ? 'other' : review.kind
}

function signedIn({ evidence, person }: Review, { t }: PageTools): string {
  if (evidence !== 'sign-in') return t('customers.review.not-proven')
  return person ? t('customers.review.proven', { person }) : t('customers.review.proven-nameless')
}
