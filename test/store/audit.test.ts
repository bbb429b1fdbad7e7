import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import { type AuditAction, listAudit, recordAudit } from '../../server/store/audit.ts'
import { createCustomer } from '../../server/store/customers/customers.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import type { Database, Tx } from '../../server/store/engine/dialect.ts'
import { write } from '../../server/store/engine/write.ts'
import { bindTenant, proveAnew } from '../../server/store/onboarding/bindings.ts'
import { recordOpening } from '../../server/store/onboarding/link-visits.ts'
import { completeLink, issueLink, withdrawLink } from '../../server/store/onboarding/links.ts'
import { decideReview, openReview, openReviews } from '../../server/store/onboarding/reviews.ts'
import { changeSettings } from '../../server/store/partner/settings.ts'
import { requestSync } from '../../server/store/sync/requests.ts'
import { requestCheck } from '../../server/store/tenants/checks.ts'
import { nameTenant } from '../../server/store/tenants/tenants.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import { active, alice, contosoTenant, customer, fabrikamTenant, later, start, visitor } from '../support/store.ts'

describe.each(databases)('the audit log on $name', ({ name, open }) => {
  let store: OpenDatabase
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  const rows = (db: Database = store.db) => db.selectFrom('audit_events').selectAll().orderBy('id').execute()

  test('lets no event be changed, replaced or removed', async () => {
    await customer(store.db, 'Contoso')
    const before = await rows()
    const attempts = [
      sql`update audit_events set actor_name = 'Mallory'`,
      sql`update audit_events set id = id + 100`,
      sql`delete from audit_events`,
      sql`delete from audit_events where id = 1`,
      ...(name === 'SQLite'
        ? [
            sql`insert or replace into audit_events select id, at, actor_kind, actor_id, 'Mallory', action, customer_id,
              tenant_id, subject_id, facts, address, request_id from audit_events`,
          ]
        : [sql`truncate audit_events`, sql`truncate audit_events restart identity cascade`]),
    ]
    for (const attempt of attempts) {
      await expect(write(store.db, (tx) => attempt.execute(tx))).rejects.toThrow(
        /append-only|can only be updated to DEFAULT/,
      )
    }
    expect(await rows()).toEqual(before)
    expect(before).toHaveLength(1)
  })

  test('has who, what, when and from where; of what Muster does by itself it has nobody', async () => {
    const contoso = await active(store.db, 'Contoso', contosoTenant)
    const events = await listAudit(store.db, { customerId: contoso, limit: 9 })
    expect(events.map((event) => [event.action, event.actorKind, event.actorName, event.address])).toEqual([
      ['access.changed', 'muster', null, null],
      ['tenant.bound', 'customer', null, '198.51.100.7'],
      ['customer.created', 'operator', 'Alice', '192.0.2.1'],
    ])
    expect(events[0]).toMatchObject({ at: start.toISOString(), customerName: 'Contoso', tenantId: contosoTenant })
  })

  test('is read a page at a time, newest first, and narrowed', async () => {
    const contoso = await active(store.db, 'Contoso', contosoTenant)
    await active(store.db, 'Fabrikam', fabrikamTenant)
    const seen: number[] = []
    for (let before: number | undefined; ; ) {
      const page = await listAudit(store.db, { limit: 2, ...(before === undefined ? {} : { before }) })
      seen.push(...page.map((event) => event.id))
      before = page.at(-1)?.id
      if (page.length < 2) break
    }
    expect(seen).toEqual([...seen].sort((a, b) => b - a))
    expect(seen).toHaveLength(6)
    expect(await listAudit(store.db, { customerId: contoso, limit: 99 })).toHaveLength(3)
    expect(await listAudit(store.db, { tenantId: fabrikamTenant, actions: ['tenant.bound'], limit: 99 })).toHaveLength(
      1,
    )
  })

  test('keeps what a hostile name says as a name', async () => {
    const hostile = { ...visitor, name: `'); drop table audit_events;-- <script>` }
    await write(store.db, (tx) => recordAudit(tx, hostile, { action: 'link.opened', at: start }))
    expect(await listAudit(store.db, { limit: 9 })).toMatchObject([{ actorName: hostile.name, facts: {} }])
  })

  /** Every change that is witnessed: how to come to it, and what its witness says. */
  const changes: [AuditAction, (db: Database) => Promise<(tx: Tx) => Promise<unknown>>][] = [
    ['customer.created', async () => (db) => createCustomer(db, alice, { ...details, name: 'Fabrikam' }, start)],
    ['settings.changed', async () => (db) => changeSettings(db, alice, { partnerName: 'Northwind' }, start)],
    [
      'link.issued',
      async (db) => {
        const id = await customer(db, 'C')
        return (tx) => issueLink(tx, alice, linkFor(id))
      },
    ],
    [
      'link.withdrawn',
      async (db) => {
        const link = await linkOf(db)
        return (tx) => withdrawLink(tx, alice, link.id, start)
      },
    ],
    [
      'link.opened',
      async (db) => {
        const link = await linkOf(db)
        return (tx) => recordOpening(tx, visitor, link, start)
      },
    ],
    [
      'link.completed',
      async (db) => {
        const link = await linkOf(db)
        return (tx) => completeLink(tx, visitor, link.id, start)
      },
    ],
    [
      'tenant.bound',
      async (db) => {
        const id = await customer(db, 'C')
        return (tx) => bindTenant(tx, visitor, bindingOf(id, 'pinned'), start)
      },
    ],
    [
      'tenant.entered',
      async (db) => {
        const id = await customer(db, 'C')
        return (tx) => bindTenant(tx, alice, bindingOf(id, 'entered'), start)
      },
    ],
    [
      'tenant.check-requested',
      async (db) => {
        await active(db, 'C', contosoTenant)
        return (tx) => requestCheck(tx, alice, contosoTenant, later(1))
      },
    ],
    [
      'tenant.check-requested',
      async (db) => {
        await active(db, 'C', contosoTenant)
        return (tx) => proveAnew(tx, visitor, contosoTenant, later(1), { consented: true, revive: false })
      },
    ],
    [
      'tenant.sync-requested',
      async (db) => {
        await active(db, 'C', contosoTenant)
        return (tx) => requestSync(tx, alice, contosoTenant, later(1))
      },
    ],
    [
      'tenant.profile-read',
      async (db) => {
        await active(db, 'C', contosoTenant)
        return (tx) => nameTenant(tx, alice, contosoTenant, { displayName: 'C AB', defaultDomain: null }, later(1))
      },
    ],
    [
      'customer.offboarded',
      async (db) => {
        const id = await customer(db, 'C')
        return (tx) => offboardCustomer(tx, alice, id, later(1))
      },
    ],
    [
      'consent.received',
      async (db) => {
        const id = await customer(db, 'C')
        return (tx) => openReview(tx, visitor, reviewOf(id, 'unpinned'), start)
      },
    ],
    [
      'consent.unclaimed',
      async (db) => {
        const id = await customer(db, 'C')
        return (tx) => openReview(tx, visitor, reviewOf(id, 'unclaimed'), start)
      },
    ],
    [
      'review.confirmed',
      async (db) => {
        const id = await reviewIn(db)
        return (tx) => decideReview(tx, alice, id, 'confirmed', start)
      },
    ],
    [
      'review.dismissed',
      async (db) => {
        const id = await reviewIn(db)
        return (tx) => decideReview(tx, alice, id, 'dismissed', start)
      },
    ],
  ]

  test.each(changes)('%s: one change, one witness, and neither without the other', async (action, prepare) => {
    const change = await prepare(store.db)
    const snapshot = async () => {
      const tables = ['customers', 'settings', 'consent_links', 'tenants', 'reviews'] as const
      return JSON.stringify(await Promise.all(tables.map((table) => store.db.selectFrom(table).selectAll().execute())))
    }
    const [witnesses, state] = [await rows(), await snapshot()]
    const undone = write(store.db, async (tx) => {
      await change(tx)
      expect(await rows(tx)).toHaveLength(witnesses.length + 1)
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect([await rows(), await snapshot()]).toEqual([witnesses, state])
    await write(store.db, change)
    const after = await rows()
    expect(after.slice(witnesses.length).map((row) => row.action)).toEqual([action])
    expect(await snapshot()).not.toBe(state)
  })

  const details = {
    language: 'en',
    contactName: null,
    contactEmail: null,
    notes: null,
    groups: [],
    expectedTenantId: null,
    expectedDomain: null,
  }
  const linkFor = (customerId: string) => ({
    customerId,
    pinnedTenantId: null,
    pinnedDomain: null,
    days: 14,
    now: start,
  })
  const linkOf = async (db: Database) => {
    const id = await customer(db, 'C')
    return (await write(db, (tx) => issueLink(tx, alice, linkFor(id)))).link
  }
  const bindingOf = (customerId: string, how: 'pinned' | 'entered') => ({
    tenantId: contosoTenant,
    customerId,
    how,
    by: '',
    region: null,
    consented: true,
  })
  const reviewOf = (customerId: string, kind: 'unpinned' | 'unclaimed') => ({
    kind,
    customerId,
    linkId: null,
    attemptId: null,
    tenantId: contosoTenant,
    tenantName: null,
    tenantDomain: null,
    evidence: 'callback' as const,
    person: null,
  })
  const reviewIn = async (db: Database) => {
    const id = await customer(db, 'C')
    await write(db, (tx) => openReview(tx, visitor, reviewOf(id, 'unpinned'), start))
    return (await openReviews(db))[0]?.id ?? ''
  }
})
