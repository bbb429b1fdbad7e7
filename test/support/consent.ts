import { issueConsentLink } from '../../server/onboarding/links.ts'
import type { Person, Tenant } from '../../server/simulator/world/directory.ts'
import type { Actor } from '../../server/store/audit.ts'
import { type Customer, createCustomer } from '../../server/store/customers/customers.ts'
import { attemptsOf } from '../../server/store/onboarding/attempt-list.ts'
import type { ConsentAttempt } from '../../server/store/onboarding/attempts.ts'
import { findTenant, tenantsOf } from '../../server/store/tenants/tenants.ts'
import { runDue } from '../../server/worker/worker.ts'
import type { Browser, Page } from './browser.ts'
import type { TestPortal } from './portal.ts'

export const alice: Actor & { kind: 'operator' } = {
  kind: 'operator',
  id: 'test.alice',
  name: 'Alice Admin',
  address: null,
  requestId: null,
}

/** A customer with a tenant of its own at Microsoft, its administrator, somebody without a role, and an open link. */
export interface Invited {
  customer: Customer
  tenant: Tenant
  admin: Person
  clerk: Person
  linkId: string
  /** Path of the landing page. */
  join: string
  classicUrl: string
}

let made = 0

/** `pinned` is how links are issued when the operator named the domain up front. */
export async function invite(
  here: TestPortal,
  options: { pinned?: boolean; name?: string; licensed?: boolean; language?: string } = {},
): Promise<Invited> {
  const { portal, simulator } = here
  made++
  const name = options.name ?? `Customer ${made}`
  const domain = `customer-${made}.example`
  const tenant = simulator.world.addTenant({
    displayName: name,
    domains: [`customer${made}.onmicrosoft.com`, domain],
    licensed: options.licensed ?? true,
  })
  const admin = simulator.world.addPerson(tenant.id, { name: `Åsa ${made}`, directoryRole: 'Global Administrator' })
  const clerk = simulator.world.addPerson(tenant.id, { name: `Karin ${made}` })
  const pinned = options.pinned ?? false
  const customer = await createCustomer(
    portal.db,
    alice,
    {
      name,
      language: options.language ?? 'en',
      contactName: null,
      contactEmail: null,
      notes: null,
      groups: [],
      expectedTenantId: pinned ? tenant.id : null,
      expectedDomain: pinned ? domain : null,
    },
    portal.now(),
  )
  const { link, url, classicUrl } = await issueConsentLink(portal, alice, { customerId: customer.id, days: 14 })
  return { customer, tenant, admin, clerk, linkId: link.id, join: new URL(url).pathname, classicUrl }
}

/** Presses the button of the landing page; the answer leads to Microsoft. */
export async function leave(browser: Browser, { join }: Pick<Invited, 'join'>): Promise<Page> {
  return browser.submit(await browser.open(join), `${join}/attempts`)
}

/** The state that a browser was sent to Microsoft with. */
export const stateOf = (left: Page): string => new URL(left.location ?? '').searchParams.get('state') ?? ''

/** At Microsoft's page with the accounts: chooses one. */
export async function choose(browser: Browser, accounts: Page, person: Person): Promise<Page> {
  return browser.follow(await browser.submit(accounts, '/', { account: person.id }))
}

/** At Microsoft, up to the answer that leads back: chooses the account and presses Accept or Cancel. */
export async function answerAtMicrosoft(
  browser: Browser,
  left: Page,
  person: Person,
  decision: 'accept' | 'cancel' = 'accept',
  more: Record<string, string> = {},
): Promise<Page> {
  const consent = await choose(browser, await browser.get(left.location ?? ''), person)
  return browser.submit(consent, '/', { decision, ...more })
}

/** The whole way, to the page at its end. */
export async function walk(browser: Browser, invited: Invited, person: Person = invited.admin): Promise<Page> {
  return browser.follow(await answerAtMicrosoft(browser, await leave(browser, invited), person))
}

/** The whole way, and what the worker does about it: to the page that says how it stands then. */
export async function connect(
  here: TestPortal,
  browser: Browser,
  invited: Invited,
  person = invited.admin,
): Promise<Page> {
  const page = await walk(browser, invited, person)
  await work(here)
  return browser.open(page.url)
}

/** Everything that is due, as the worker does it by and by. */
export async function work({ portal }: TestPortal): Promise<void> {
  for (let rounds = 0; rounds < 20 && (await runDue(portal)) > 0; rounds++);
}

/** What can be read on a page. */
export const wordsOf = (page: Page): string =>
  page.text
    .replace(/<(head|style|script)[^>]*>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')

/** The runs of a customer that somebody made, newest first; the classic link waits as one that nobody did. */
export async function runsOf(here: TestPortal, { customer }: Invited): Promise<ConsentAttempt[]> {
  const attempts = await attemptsOf(here.portal.db, customer.id)
  return attempts.filter(({ kind, returnedAt }) => kind === 'landing' || (kind === 'classic' && returnedAt !== null))
}

export const boundTo = async (here: TestPortal, { customer }: Invited): Promise<string[]> =>
  (await tenantsOf(here.portal.db, customer.id)).map(({ tenantId }) => tenantId)

export const ownerOf = async (here: TestPortal, tenantId: string): Promise<string | null> =>
  (await findTenant(here.portal.db, tenantId))?.customerId ?? null

/** What was asked of Microsoft by the portal itself: everything but people's own pages. */
export const asked = (here: TestPortal): string[] =>
  here.simulator.requests
    .map(({ method, path }) => `${method} ${path}`)
    .filter((line) => /\/token$|\/api\/|openid-configuration|\/keys$|\/v1\.0\//.test(line))
