import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { listAudit } from '../../server/store/audit.ts'
import { changeCustomer, getCustomer, listCustomers, listGroups } from '../../server/store/customers/customers.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { ClaimLostError } from '../../server/store/engine/claim.ts'
import { write } from '../../server/store/engine/write.ts'
import { bindTenant, proveAnew } from '../../server/store/onboarding/bindings.ts'
import { issueLink, usableLink } from '../../server/store/onboarding/links.ts'
import { decideReview, openReview, openReviews } from '../../server/store/onboarding/reviews.ts'
import { claimDue } from '../../server/store/sync/claims.ts'
import { startSync, storePage } from '../../server/store/sync/syncs.ts'
import { blindAfterMs, blindSince } from '../../server/store/tenants/blind.ts'
import { recordCheck, requestCheck } from '../../server/store/tenants/checks.ts'
import { fleetSummary } from '../../server/store/tenants/fleet.ts'
import { findTenant, getTenant, listTenants, nameTenant } from '../../server/store/tenants/tenants.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import {
  active,
  alice,
  bound,
  claimOf,
  contosoTenant,
  customer,
  fabrikamTenant,
  granted,
  incident,
  later,
  start,
  visitor,
} from '../support/store.ts'

describe.each(databases)('a tenant on $name', ({ open }) => {
  let store: OpenDatabase
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  const binding = (tenantId: string, customerId: string) =>
    ({ tenantId, customerId, how: 'sign-in', by: 'Anna', region: null, consented: true }) as const

  test('belongs to one customer; a second binding changes nothing, and its transaction can still tell of it', async () => {
    const contoso = await customer(store.db, 'Contoso')
    const fabrikam = await customer(store.db, 'Fabrikam')
    await bound(store.db, contoso, contosoTenant)
    const before = await getTenant(store.db, contosoTenant)
    await write(store.db, async (tx) => {
      expect(await bindTenant(tx, visitor, binding(contosoTenant, fabrikam), later(1))).toBe(false)
      await tx.updateTable('customers').set({ notes: 'refused' }).where('id', '=', fabrikam).execute()
    })
    expect(await getTenant(store.db, contosoTenant)).toEqual(before)
    expect((await getCustomer(store.db, fabrikam)).notes).toBe('refused')
  })

  test('claimed by twenty customers at the same moment goes to exactly one', async () => {
    const other = await store.another()
    const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => customer(store.db, `Customer ${i}`)))
    const bound = await Promise.all(
      ids.map((id, i) =>
        write(i % 2 ? other : store.db, (tx) => bindTenant(tx, visitor, binding(contosoTenant, id), start)),
      ),
    )
    expect(bound.filter(Boolean)).toHaveLength(1)
    expect(await listAudit(store.db, { actions: ['tenant.bound'], limit: 50 })).toHaveLength(1)
  })

  test('is bound to nobody who is not served any more, and to nobody unknown', async () => {
    const contoso = await customer(store.db, 'Contoso')
    await offboardCustomer(store.db, alice, contoso, start)
    await expect(bound(store.db, contoso, contosoTenant)).rejects.toMatchObject({ code: 'CUSTOMER_OFFBOARDED' })
    await expect(bound(store.db, 'nobody', contosoTenant)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await findTenant(store.db, contosoTenant)).toBeNull()
  })

  test('offboarded, is a tombstone: not read, not checked, not bound elsewhere, and still on the list', async () => {
    const contoso = await active(store.db, 'Contoso', contosoTenant)
    const fabrikam = await customer(store.db, 'Fabrikam')
    await offboardCustomer(store.db, alice, contoso, later(1))
    const elsewhere = write(store.db, (tx) => bindTenant(tx, visitor, binding(contosoTenant, fabrikam), later(2)))
    expect(await elsewhere).toBe(false)
    expect(await claimDue(store.db, 'check', later(99_999), 10, 1_000)).toEqual([])
    expect(await claimDue(store.db, 'sync', later(99_999), 10, 1_000)).toEqual([])
    await expect(requestCheck(store.db, alice, contosoTenant, later(2))).rejects.toMatchObject({
      code: 'CUSTOMER_OFFBOARDED',
    })
    for (const revive of [false, true]) {
      const again = write(store.db, (tx) =>
        proveAnew(tx, visitor, contosoTenant, later(3), { consented: true, revive }),
      )
      await expect(again).rejects.toMatchObject({ code: revive ? 'CUSTOMER_OFFBOARDED' : 'TENANT_TAKEN' })
    }
    expect(await listTenants(store.db)).toMatchObject([{ accessState: 'offboarded', customerName: 'Contoso' }])
    await expect(offboardCustomer(store.db, alice, contoso, later(4))).rejects.toMatchObject({
      code: 'CUSTOMER_OFFBOARDED',
    })
  })

  test('offboarded in the middle of a pass or a check keeps nothing of what they write afterwards', async () => {
    const contoso = await active(store.db, 'Contoso', contosoTenant)
    const sync = await claimOf(store.db, 'sync', contosoTenant, later(1))
    const syncId = await startSync(store.db, sync, 'open', later(1))
    const check = await claimOf(store.db, 'check', contosoTenant, later(400))
    await offboardCustomer(store.db, alice, contoso, later(401))
    const page = { incidents: [incident('1', 1)], rejected: [] }
    await expect(storePage(store.db, sync, syncId, page, later(402))).rejects.toBeInstanceOf(ClaimLostError)
    const verdict = { state: 'active', nextCheckAt: later(800), keepProving: false } as const
    await expect(recordCheck(store.db, check, granted, verdict, later(402))).rejects.toBeInstanceOf(ClaimLostError)
    expect(await getTenant(store.db, contosoTenant)).toMatchObject({ accessState: 'offboarded', incidentCount: 0 })
  })

  test('offboarded while it is asked for again ends as a tombstone, whoever was first', async () => {
    const other = await store.another()
    for (let round = 0; round < 5; round++) {
      const tenantId = `c0450000-aaaa-4bbb-8ccc-00000000010${round}`
      const contoso = await active(store.db, `Contoso ${round}`, tenantId)
      await Promise.allSettled([
        requestCheck(store.db, alice, tenantId, later(1)),
        offboardCustomer(other, alice, contoso, later(1)),
        write(store.db, (tx) => proveAnew(tx, visitor, tenantId, later(1), { consented: true, revive: false })),
      ])
      const kept = await getTenant(store.db, tenantId)
      expect(kept).toMatchObject({ accessState: 'offboarded', nextCheckAt: null, nextSyncAt: null })
      expect(kept.offboardedAt).not.toBeNull()
    }
  })

  test('offboarding withdraws the open link, each change with its witness', async () => {
    const contoso = await active(store.db, 'Contoso', contosoTenant)
    const request = { customerId: contoso, pinnedTenantId: contosoTenant, pinnedDomain: null, days: 1, now: start }
    const { token } = await write(store.db, (tx) => issueLink(tx, alice, request))
    await offboardCustomer(store.db, alice, contoso, later(1))
    await expect(usableLink(store.db, token, later(1))).rejects.toMatchObject({ code: 'LINK_WITHDRAWN' })
    const actions = (await listAudit(store.db, { customerId: contoso, limit: 3 })).map((event) => event.action)
    expect(actions.sort()).toEqual(['customer.offboarded', 'link.withdrawn', 'tenant.offboarded'])
  })

  test('named by Microsoft, is renamed with a witness, and only when the name is another', async () => {
    const contoso = await customer(store.db, 'Contoso')
    await bound(store.db, contoso, contosoTenant)
    const nobody = { displayName: null, defaultDomain: null }
    await nameTenant(store.db, alice, contosoTenant, nobody, start)
    const profile = { displayName: 'Contoso AB', defaultDomain: 'contoso.example' }
    await nameTenant(store.db, alice, contosoTenant, profile, start)
    await nameTenant(store.db, alice, contosoTenant, profile, later(1))
    await nameTenant(store.db, alice, contosoTenant, { ...profile, defaultDomain: 'contoso.test' }, later(2))
    expect(await listAudit(store.db, { actions: ['tenant.profile-read'], limit: 9 })).toHaveLength(2)
    expect(await getTenant(store.db, contosoTenant)).toMatchObject({ defaultDomain: 'contoso.test' })
  })

  test('is blind exactly when it was not read for longer than the limit, in the summary as by itself', async () => {
    const contoso = await active(store.db, 'Contoso', contosoTenant)
    await bound(store.db, contoso, fabrikamTenant)
    const tenant = await getTenant(store.db, contosoTenant)
    for (const [ms, blind] of [
      [blindAfterMs, 0],
      [blindAfterMs + 1, 1],
    ] as const) {
      const now = new Date(start.getTime() + ms)
      expect(await fleetSummary(store.db, now)).toMatchObject({ tenants: 1, blind, read: 1 - blind, customers: 1 })
      expect(blindSince(tenant, now) === null ? 0 : 1).toBe(blind)
    }
    await offboardCustomer(store.db, alice, contoso, later(60))
    expect(await fleetSummary(store.db, later(61))).toMatchObject({ tenants: 0, blind: 0, customers: 1 })
  })

  test('an empty fleet has a summary too', async () => {
    expect(await fleetSummary(store.db, start)).toMatchObject({
      tenants: 0,
      read: 0,
      blind: 0,
      newestReadAt: null,
      oldestReadAt: null,
      openIncidents: 0,
      customers: 0,
      reviews: 0,
    })
  })
})

describe.each(databases)('a customer on $name', ({ open }) => {
  let store: OpenDatabase
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  test('keeps odd text as it was typed, and its groups once each', async () => {
    const name = `Åkerö "Żółć" 'x'; drop table customers;-- 百度 🙂`
    const id = await customer(store.db, name, { groups: ['b', 'a', 'b', '%'], notes: 'a\nb\u2028c' })
    expect(await getCustomer(store.db, id)).toMatchObject({ name, groups: ['%', 'a', 'b'], notes: 'a\nb\u2028c' })
    expect(await listGroups(store.db)).toEqual(['%', 'a', 'b'])
  })

  test('changed by two people at once is whole, and both changes have their witness', async () => {
    const id = await customer(store.db, 'Contoso', { groups: ['gold'] })
    const other = await store.another()
    const { createdAt: _, offboardedAt: __, id: ___, ...details } = await getCustomer(store.db, id)
    await Promise.all(
      [store.db, other, store.db, other].map((db, i) =>
        changeCustomer(db, alice, id, { ...details, groups: [`group ${i}`, 'gold'] }, later(i)),
      ),
    )
    expect((await getCustomer(store.db, id)).groups).toHaveLength(2)
    expect(await listAudit(store.db, { actions: ['customer.changed'], limit: 9 })).toHaveLength(4)
  })

  test('lists in the same order on both engines, capitals beside small letters', async () => {
    for (const name of ['beta', 'Alpha', 'alpha', 'Beta', 'Ärtan', '0 nine']) await customer(store.db, name)
    const listed = async (alphabet?: string) =>
      (await listCustomers(store.db, undefined, alphabet)).map(({ name }) => name.toLowerCase())
    expect(await listed()).toEqual(['0 nine', 'alpha', 'alpha', 'ärtan', 'beta', 'beta'])
    expect(await listed('sv')).toEqual(['0 nine', 'alpha', 'alpha', 'beta', 'beta', 'ärtan'])
  })
})

describe.each(databases)('a review on $name', ({ open }) => {
  let store: OpenDatabase
  let contoso: string
  beforeEach(async () => {
    store = await open()
    contoso = await customer(store.db, 'Contoso')
  })
  afterEach(() => store.close())

  const review = (evidence: 'callback' | 'sign-in', customerId: string | null = contoso, db = store.db) =>
    write(db, (tx) =>
      openReview(
        tx,
        visitor,
        {
          kind: 'unpinned',
          customerId,
          linkId: null,
          attemptId: null,
          tenantId: contosoTenant,
          tenantName: null,
          tenantDomain: null,
          evidence,
          person: evidence === 'sign-in' ? 'anna@contoso.example' : null,
        },
        start,
      ),
    )

  test('is opened once while it is undecided, however often the same claim comes, and from wherever', async () => {
    const other = await store.another()
    await Promise.all([
      review('callback'),
      review('callback', contoso, other),
      review('callback'),
      review('callback', null),
    ])
    await review('callback', null)
    expect(await openReviews(store.db)).toHaveLength(2)
    expect(await listAudit(store.db, { actions: ['consent.received'], limit: 9 })).toHaveLength(2)
  })

  test('becomes a better one when the claim is proven by a sign-in, and never a worse one', async () => {
    await review('callback')
    await review('sign-in')
    await review('callback')
    expect(await openReviews(store.db, contoso)).toMatchObject([
      { evidence: 'sign-in', person: 'anna@contoso.example' },
    ])
  })

  test('is decided once, and the same claim can be reviewed again afterwards', async () => {
    await review('callback')
    const [found] = await openReviews(store.db)
    const id = found?.id ?? ''
    const other = await store.another()
    const decided = await Promise.allSettled([
      write(store.db, (tx) => decideReview(tx, alice, id, 'confirmed', later(1))),
      write(other, (tx) => decideReview(tx, alice, id, 'dismissed', later(1))),
    ])
    expect(decided.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
    expect(decided.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))).toEqual(['REVIEW_DECIDED'])
    await expect(write(store.db, (tx) => decideReview(tx, alice, 'nothing', 'dismissed', start))).rejects.toMatchObject(
      {
        code: 'NOT_FOUND',
      },
    )
    await review('callback')
    expect(await openReviews(store.db)).toHaveLength(1)
  })
})
