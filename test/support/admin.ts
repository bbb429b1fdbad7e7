import { enterTenant } from '../../server/onboarding/by-hand.ts'
import type { Tenant } from '../../server/simulator/world/directory.ts'
import type { NewTenant } from '../../server/simulator/world/tenancy.ts'
import { type Actor, muster } from '../../server/store/audit.ts'
import { type Customer, type CustomerDetails, createCustomer } from '../../server/store/customers/customers.ts'
import type { Schema } from '../../server/store/engine/schema.ts'
import { write } from '../../server/store/engine/write.ts'
import { openReview, openReviews, type Review } from '../../server/store/onboarding/reviews.ts'
import { runDue } from '../../server/worker/worker.ts'
import type { Page } from './browser.ts'
import type { TestPortal } from './portal.ts'

/** An admin who is not in a browser: what was done before a test begins. */
export const before: Actor & { kind: 'operator' } = {
  kind: 'operator',
  id: 'before',
  name: 'Ines Lindqvist',
  address: '192.0.2.1',
  requestId: null,
}

const nothing: CustomerDetails = {
  name: '',
  language: 'sv',
  contactName: null,
  contactEmail: null,
  notes: null,
  groups: [],
  expectedTenantId: null,
  expectedDomain: null,
}

export const customerNamed = (here: TestPortal, name: string, details: Partial<CustomerDetails> = {}) =>
  createCustomer(here.portal.db, before, { ...nothing, ...details, name }, here.portal.now())

/** A tenant at Microsoft whose administrator consented to the app, with an open incident in it. */
export function consentedTenant(here: TestPortal, displayName: string, more: Partial<NewTenant> = {}): Tenant {
  const { world } = here.simulator
  const tenant = world.addTenant({ displayName, ...more })
  world.consent(tenant.id, here.portal.config.app.clientId)
  world.addIncident(tenant.id, { severity: 'high', status: 'active' })
  return tenant
}

/** A customer whose tenant is proven and read. */
export async function connected(
  here: TestPortal,
  name: string,
  more: Partial<NewTenant> = {},
): Promise<{ customer: Customer; tenant: Tenant }> {
  const customer = await customerNamed(here, name)
  const tenant = consentedTenant(here, name, more)
  await enterTenant(here.portal, before, customer.id, tenant.id)
  await untilNothingIsDue(here)
  return { customer, tenant }
}

export async function untilNothingIsDue(here: TestPortal): Promise<void> {
  for (let rounds = 0; rounds < 50 && (await runDue(here.portal)) > 0; rounds++);
}

/** A consent that came back for a customer without saying enough: somebody has to decide. */
export async function waitingReview(
  here: TestPortal,
  customerId: string,
  tenantId: string,
  more: Partial<Pick<Review, 'tenantName' | 'tenantDomain' | 'evidence' | 'person' | 'kind'>> = {},
): Promise<Review> {
  const review = { kind: 'unpinned', tenantName: null, tenantDomain: null, evidence: 'callback', person: null } as const
  await write(here.portal.db, (tx) =>
    openReview(
      tx,
      muster,
      { ...review, ...more, customerId, linkId: null, attemptId: null, tenantId },
      here.portal.now(),
    ),
  )
  const found = (await openReviews(here.portal.db, customerId)).find((one) => one.tenantId === tenantId)
  if (!found) throw new Error('the review was not opened')
  return found
}

/** The token that the forms of this page carry. */
export const formToken = (page: Page): string => /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''

/** Everything that is kept, as one text. */
export async function wholeDatabase(here: TestPortal, but: readonly (keyof Schema)[] = []): Promise<string> {
  const tables: (keyof Schema)[] = [
    'operators',
    'sessions',
    'spent_tokens',
    'settings',
    'partner_faults',
    'customers',
    'customer_groups',
    'consent_links',
    'consent_attempts',
    'reviews',
    'tenants',
    'access_checks',
    'incidents',
    'rejected_items',
    'syncs',
    'audit_events',
  ]
  const rows = []
  for (const table of tables.filter((one) => !but.includes(one))) {
    const found: object[] = await here.portal.db.selectFrom(table).selectAll().execute()
    rows.push(...found.map((row) => `${table} ${JSON.stringify(row)}`))
  }
  return rows.sort().join('\n')
}
