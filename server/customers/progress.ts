import type { Alphabet } from '../model/alphabet.ts'
import { type Customer, listCustomers } from '../store/customers/customers.ts'
import type { Database } from '../store/engine/dialect.ts'
import { attemptsOf, latestAttempts } from '../store/onboarding/attempt-list.ts'
import type { ConsentAttempt } from '../store/onboarding/attempts.ts'
import { type AwaitedProof, findAwaitedProof } from '../store/onboarding/awaited-proofs.ts'
import { latestLinks, linksOf } from '../store/onboarding/link-list.ts'
import { type ConsentLink, linkState } from '../store/onboarding/links.ts'
import { countOpenReviews, openReviews, type Review } from '../store/onboarding/reviews.ts'
import { everything, type Scope } from '../store/scope.ts'
import { outlineTenants, type TenantOutline } from '../store/tenants/outline.ts'
import { listTenants, type Tenant, tenantsOf } from '../store/tenants/tenants.ts'
import { type CustomerStatus, refusedOutcomes, statusOf } from './status.ts'

/** Everything about one customer's way from link to incidents. */
export interface CustomerRecord {
  customer: Customer
  /** Newest first. */
  links: ConsentLink[]
  /** Newest first. */
  attempts: ConsentAttempt[]
  tenants: Tenant[]
  reviews: Review[]
  /** The proof that the run which moved last waits for. */
  awaited: AwaitedProof | null
}

/** Everything about a customer's way so far. */
export async function loadCustomerRecord(db: Database, customer: Customer): Promise<CustomerRecord> {
  const customerId = customer.id
  const [links, attempts, tenants, reviews] = await Promise.all([
    linksOf(db, customerId),
    attemptsOf(db, customerId),
    tenantsOf(db, customerId),
    openReviews(db, customerId),
  ])
  const [current] = attempts
  const awaited =
    current?.outcome === 'awaiting-proof' && current.claimedTenantId !== null
      ? await findAwaitedProof(db, current.claimedTenantId)
      : null
  return { customer, links, attempts, tenants, reviews, awaited }
}

/** One line of the list of customers. */
export interface CustomerLine {
  customer: Customer
  standing: CustomerStatus
  tenants: Tenant[]
  /** The newest. */
  link: ConsentLink | null
  /** The run through Microsoft that moved last. */
  attempt: ConsentAttempt | null
  steps: Step[]
}

/** As much of a customer as a list of all is sorted, filtered and searched by. */
export interface CustomerOutline {
  customer: Customer
  standing: CustomerStatus
  tenants: TenantOutline[]
  link: ConsentLink | null
}

/** Every customer in outline, by name. */
export async function outlineStatuses(
  db: Database,
  now: Date,
  alphabet?: Alphabet,
  scope: Scope = everything,
): Promise<CustomerOutline[]> {
  const files = await loadRecords(db, outlineTenants(db, scope), now, { alphabet, scope })
  return files.map(({ customer, standing, tenants, link }) => ({ customer, standing, tenants, link }))
}

/** Where every customer stands, or each of those named, by name: five queries, however many there are. */
export async function listStatuses(
  db: Database,
  now: Date,
  customerIds?: readonly string[],
  alphabet?: Alphabet,
  scope: Scope = everything,
): Promise<CustomerLine[]> {
  if (customerIds?.length === 0) return []
  const files = await loadRecords(db, listTenants(db, customerIds, scope), now, { customerIds, alphabet, scope })
  return files.map(({ customer, standing, tenants, link, attempt }) => {
    const file: CustomerRecord = {
      customer,
      links: link ? [link] : [],
      attempts: attempt ? [attempt] : [],
      tenants,
      reviews: [],
      awaited: null,
    }
    return { customer, standing, tenants, link, attempt, steps: stepsOf(file, now) }
  })
}

/** What decides where customers stand, with their tenants in as much detail as `loading` brings. */
async function loadRecords<T extends TenantOutline>(
  db: Database,
  loading: Promise<T[]>,
  now: Date,
  asked: { customerIds?: readonly string[] | undefined; alphabet: Alphabet | undefined; scope: Scope },
) {
  const { customerIds, alphabet, scope } = asked
  const [customers, links, attempts, tenants, reviews] = await Promise.all([
    listCustomers(db, customerIds, alphabet, scope),
    latestLinks(db, customerIds, scope),
    latestAttempts(db, customerIds, scope),
    loading,
    countOpenReviews(db, scope),
  ])
  const tenantsBy = byCustomer(tenants)
  return customers.map((customer) => {
    const file = {
      customer,
      link: links.get(customer.id) ?? null,
      attempt: attempts.get(customer.id) ?? null,
      tenants: tenantsBy.get(customer.id) ?? [],
      reviews: reviews.get(customer.id) ?? 0,
    }
    return { ...file, standing: statusOf(file, now) }
  })
}

function byCustomer<T extends { customerId: string | null }>(items: readonly T[]): Map<string | null, T[]> {
  const lists = new Map<string | null, T[]>()
  for (const item of items) {
    const list = lists.get(item.customerId)
    if (list) list.push(item)
    else lists.set(item.customerId, [item])
  }
  return lists
}

/** Where the customer of a file stands. */
export const statusOfRecord = (file: CustomerRecord, now: Date): CustomerStatus =>
  statusOf(
    {
      ...file,
      link: file.links[0] ?? null,
      attempt: file.attempts[0] ?? null,
      reviews: file.reviews.length,
    },
    now,
  )

export type StepName = 'issued' | 'opened' | 'sent' | 'returned' | 'bound' | 'proven' | 'read'

export interface Step {
  name: StepName
  state: 'done' | 'now' | 'stopped' | 'todo'
  at: string | null
}

/** The seven steps from link to first incident, of the newest link and the tenant it led to. */
export function stepsOf(file: CustomerRecord, now: Date): Step[] {
  const link = file.links[0] ?? null
  const attempt = link ? file.attempts.find((one) => one.linkId === link.id) : undefined
  const tenant = file.tenants.find((one) => one.tenantId === attempt?.boundTenantId) ?? file.tenants[0] ?? null
  const times: Record<StepName, string | null> = {
    issued: link?.issuedAt ?? null,
    opened: link?.openedAt ?? null,
    sent: attempt?.startedAt ?? link?.lastDepartedAt ?? null,
    returned: attempt?.returnedAt ?? null,
    bound: tenant?.boundAt ?? null,
    proven: tenant?.firstActiveAt ?? null,
    read: tenant?.firstIncidentAt ?? null,
  }
  const names: StepName[] = ['issued', 'opened', 'sent', 'returned', 'bound', 'proven', 'read']
  const reached = names.findLastIndex((name) => times[name] !== null)
  const stopped =
    (attempt !== undefined && refusedOutcomes.has(attempt.outcome)) ||
    (tenant === null && attempt?.outcome !== 'awaiting-proof' && link !== null && linkState(link, now) !== 'issued') ||
    (tenant !== null && !['proving', 'active'].includes(tenant.accessState))
  return names.map((name, index) => {
    if (index <= reached) return { name, state: 'done', at: times[name] }
    if (index > reached + 1) return { name, state: 'todo', at: null }
    return { name, state: stopped ? 'stopped' : 'now', at: null }
  })
}
