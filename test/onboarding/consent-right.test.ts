import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type ConsentRight, consentRightOf } from '../../server/onboarding/consent-right.ts'
import { confirmReview, dismissReview } from '../../server/onboarding/decisions.ts'
import type { DirectoryRole, Person } from '../../server/simulator/world/directory.ts'
import { write } from '../../server/store/engine/write.ts'
import { openReviews } from '../../server/store/onboarding/reviews.ts'
import { confirmPermissions } from '../../server/store/partner/asked-permissions.ts'
import {
  alice,
  boundTo,
  choose,
  type Invited,
  invite,
  leave,
  stateOf,
  walk,
  wordsOf,
  work,
} from '../support/consent.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const role = {
  global: '62e90394-69f5-4237-9190-012177145e10',
  privileged: 'e8611ab8-c189-46e8-94e1-60213ab1f814',
  application: '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3',
  cloudApplication: '158c047a-c907-4556-b7ef-446551a6b5f7',
  securityAdministrator: '194ae4cb-b126-40b2-bd5b-6091b380977d',
  member: 'b79fbf4d-3ef9-4689-8143-76b194e85509',
}

describe('who may give a tenant, by the directory roles of a validated token', () => {
  test.each<[string[] | null, ConsentRight, ConsentRight]>([
    [[role.global, role.member], 'shown', 'shown'],
    [[role.member, role.privileged], 'shown', 'shown'],
    [[role.application, role.member], 'shown', 'no-role'],
    [[role.cloudApplication, role.member], 'shown', 'no-role'],
    [[role.application, role.global], 'shown', 'shown'],
    [[role.securityAdministrator, role.member], 'no-role', 'no-role'],
    [[role.member], 'no-role', 'no-role'],
    [['Global Administrator'], 'no-role', 'no-role'],
    [null, 'roles-unseen', 'roles-unseen'],
  ])('%j: %s on Defender, %s on Graph; never a guest', (directoryRoles, defender, graph) => {
    expect(consentRightOf({ directoryRoles, guest: false }, 'defender')).toBe(defender)
    expect(consentRightOf({ directoryRoles, guest: false }, 'graph')).toBe(graph)
    expect(consentRightOf({ directoryRoles, guest: true }, 'defender')).toBe('guest')
    expect(consentRightOf({ directoryRoles, guest: true }, 'graph')).toBe('guest')
  })
})

onEachEngine('a link without an expected tenant', (engine) => {
  let here: TestPortal
  beforeAll(async () => {
    here = await startTestPortal(engine)
    const roles = ['Incident.Read.All', 'CrossTenantInformation.ReadBasic.All']
    here.simulator.world.consent(here.partner.id, here.portal.config.app.clientId, { roles, propagationMs: 0 })
  })
  afterAll(() => here.close())

  const app = () => here.simulator.world.registration(here.portal.config.app.clientId)

  /** Opens the link, claims that tenant without any consent, and signs in visibly as that person. */
  async function claimAndSignIn(invited: Invited, tenantId: string, person: Person, portal: TestPortal = here) {
    const browser = portal.browser()
    const left = await leave(browser, invited)
    const silent = await browser.get(`/consent/callback?admin_consent=True&tenant=${tenantId}&state=${stateOf(left)}`)
    const visible = await browser.get(`/consent/callback?error=login_required&state=${stateOf(silent)}`)
    return { browser, page: await choose(browser, await browser.get(visible.location ?? ''), person) }
  }

  /** A tenant whose administrator consented long ago, and one of its people. */
  async function consentedTenant(portal: TestPortal, directoryRole: DirectoryRole) {
    const other = await invite(portal)
    portal.simulator.world.consent(other.tenant.id, portal.portal.config.app.clientId)
    const person = portal.simulator.world.addPerson(other.tenant.id, { name: `Nils ${directoryRole}`, directoryRole })
    return { tenant: other.tenant, person }
  }

  test.each<DirectoryRole>(['User', 'Security Administrator'])(
    'binds nothing for a person who is %s in a tenant that consented: an Admin decides',
    async (directoryRole) => {
      const { tenant, person } = await consentedTenant(here, directoryRole)
      const invited = await invite(here)
      const { browser, page } = await claimAndSignIn(invited, tenant.id, person)
      expect(wordsOf(page)).toContain('Now a person looks at it')
      expect(await boundTo(here, invited)).toEqual([])
      const [review] = await openReviews(here.portal.db, invited.customer.id)
      expect(review).toMatchObject({
        kind: 'no-role',
        evidence: 'sign-in',
        tenantId: tenant.id,
        person: person.username,
      })
      const admin = await here.signedIn(here.cast.alice)
      const customer = await admin.open(`/customers/${invited.customer.id}`)
      expect(wordsOf(customer)).toContain('holds no active role that may consent')
      expect(customer.text).not.toContain('groupMembershipClaims')
      await confirmReview(here.portal, alice, review?.id ?? '')
      expect(await boundTo(here, invited)).toEqual([tenant.id])
      expect(wordsOf(await browser.open(page.url))).toContain('We are checking that it works')
    },
  )

  test.each<DirectoryRole>([
    'Global Administrator',
    'Privileged Role Administrator',
    'Application Administrator',
    'Cloud Application Administrator',
  ])('binds the tenant of a person who is %s there, on Defender', async (directoryRole) => {
    const { tenant, person } = await consentedTenant(here, directoryRole)
    const invited = await invite(here)
    const { page } = await claimAndSignIn(invited, tenant.id, person)
    expect(wordsOf(page)).toContain('We are checking with Microsoft')
    await work(here)
    expect(await boundTo(here, invited)).toEqual([tenant.id])
  })

  test('asks nobody about a tenant that this customer has already', async () => {
    const invited = await invite(here)
    const late = here.browser()
    const left = await leave(late, invited)
    await walk(here.browser(), invited)
    await work(here)
    const silent = await late.get(
      `/consent/callback?admin_consent=True&tenant=${invited.tenant.id}&state=${stateOf(left)}`,
    )
    const visible = await late.get(`/consent/callback?error=login_required&state=${stateOf(silent)}`)
    await choose(late, await late.get(visible.location ?? ''), invited.clerk)
    expect(await openReviews(here.portal.db, invited.customer.id)).toEqual([])
    expect(await boundTo(here, invited)).toEqual([invited.tenant.id])
  })

  test('waits for an Admin while the registration does not ask for directory roles, and tells so to the partner alone', async () => {
    app().groupMembershipClaims = null
    try {
      const invited = await invite(here)
      const browser = here.browser()
      const page = await walk(browser, invited)
      expect(wordsOf(page)).toContain('Now a person looks at it')
      expect(wordsOf(page)).not.toMatch(/role|cannot give|not allowed|administrator/i)
      expect(await boundTo(here, invited)).toEqual([])
      const [review] = await openReviews(here.portal.db, invited.customer.id)
      expect(review).toMatchObject({ kind: 'roles-unseen', evidence: 'sign-in', tenantId: invited.tenant.id })

      const admin = await here.signedIn(here.cast.alice)
      const customer = await admin.open(`/customers/${invited.customer.id}`)
      expect(wordsOf(customer)).toContain('This is a setting of yours, not of the customer.')
      expect(customer.text).toContain('href="/setup#step-app"')
      expect(wordsOf(await admin.open('/'))).toContain('a setting of your app is missing')
      await dismissReview(here.portal, alice, review?.id ?? '')
      // It is so for the next customer as well, whatever became of this one.
      expect(wordsOf(await admin.open('/'))).toContain('Customers’ sign-ins come without directory roles')
      expect(wordsOf(await (await here.signedIn(here.cast.bob)).open('/'))).not.toContain('without directory roles')
      here.clock.advance(60_000)
      expect(wordsOf(await admin.open('/doctor'))).toContain('have come without directory roles')
      await walk(here.browser(), await invite(here))
      expect(wordsOf(await admin.open('/'))).toContain('Customers’ sign-ins come without directory roles')

      app().groupMembershipClaims = 'DirectoryRole'
      await walk(here.browser(), await invite(here))
      expect(wordsOf(await admin.open('/'))).not.toContain('Customers’ sign-ins come without directory roles')
      here.clock.advance(60_000)
      expect(wordsOf(await admin.open('/doctor'))).toContain('directory roles could not be read')
    } finally {
      app().groupMembershipClaims = 'DirectoryRole'
    }
  })

  test.each([
    ['nothing on Graph', [], ['bound', null]],
    ['a role on Graph', ['Organization.Read.All'], [null, 'no-role']],
  ] as const)(
    'and an app that asks for %s beside Defender: what an Application Administrator may give',
    async (_what, roles, [bound, kind]) => {
      const asked = ['Incident.Read.All', ...roles]
      await write(here.portal.db, (tx) => confirmPermissions(tx, alice, { asked, known: asked }, here.portal.now()))
      const { tenant, person } = await consentedTenant(here, 'Application Administrator')
      const invited = await invite(here)
      await claimAndSignIn(invited, tenant.id, person)
      await work(here)
      expect(await boundTo(here, invited)).toEqual(bound === null ? [] : [tenant.id])
      const reviews = await openReviews(here.portal.db, invited.customer.id)
      expect(reviews.map((review) => review.kind)).toEqual(kind === null ? [] : [kind])
    },
  )

  test('shows an Admin name and domains of the tenant, each as Microsoft says it, and asks nobody before the page is opened', async () => {
    const { tenant, person } = await consentedTenant(here, 'User')
    const invited = await invite(here)
    const before = here.simulator.requests.length
    await claimAndSignIn(invited, tenant.id, person)
    const lookUps = () => here.simulator.requests.slice(before).filter(({ path }) => path.includes('findTenantInfo'))
    expect(lookUps()).toHaveLength(0)
    const admin = await here.signedIn(here.cast.alice)
    for (let n = 0; n < 2; n++) {
      const page = wordsOf(await admin.open(`/customers/${invited.customer.id}`))
      expect(page).toContain(tenant.displayName)
      expect(page).toContain(tenant.domains[1])
      expect(page).toContain(tenant.id)
    }
    expect(lookUps()).toHaveLength(1)
  })

  test('shows no domain that a token only says', async () => {
    const { tenant } = await consentedTenant(here, 'User')
    const liar = here.simulator.world.addPerson(tenant.id, { name: 'Lars', username: `lars@customer-1.example` })
    const invited = await invite(here)
    await claimAndSignIn(invited, tenant.id, liar)
    const admin = await here.signedIn(here.cast.alice)
    const page = await admin.open(`/customers/${invited.customer.id}`)
    const domains = /<dt>Domain<\/dt>.*?<\/div>/s.exec(page.text)?.[0] ?? ''
    expect(domains).not.toBe('')
    expect(domains).not.toContain('customer-1.example')
  })

  describe('on Graph', () => {
    let there: TestPortal
    beforeAll(async () => {
      there = await startTestPortal(engine, { config: { incidentsApi: 'graph' } })
      const { requiredResources } = there.simulator.world.registration(there.portal.config.app.clientId)
      requiredResources.splice(0, 1, { resource: 'graph', roles: ['SecurityIncident.Read.All'] })
    })
    afterAll(() => there.close())

    test.each<[DirectoryRole, boolean]>([
      ['Global Administrator', true],
      ['Privileged Role Administrator', true],
      ['Application Administrator', false],
      ['Cloud Application Administrator', false],
    ])('%s may give a tenant: %s', async (directoryRole, may) => {
      const { tenant, person } = await consentedTenant(there, directoryRole)
      const invited = await invite(there)
      await claimAndSignIn(invited, tenant.id, person, there)
      await work(there)
      expect(await boundTo(there, invited)).toEqual(may ? [tenant.id] : [])
      const reviews = await openReviews(there.portal.db, invited.customer.id)
      expect(reviews.map(({ kind }) => kind)).toEqual(may ? [] : ['no-role'])
    })

    test('an Admin sees a domain that discovery confirms, without any permission', async () => {
      const { tenant, person } = await consentedTenant(there, 'User')
      const invited = await invite(there)
      await claimAndSignIn(invited, tenant.id, person, there)
      const admin = await there.signedIn(there.cast.alice)
      expect(wordsOf(await admin.open(`/customers/${invited.customer.id}`))).toContain(tenant.domains[1])
    })
  })
})
