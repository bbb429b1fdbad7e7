import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { listStatuses, outlineStatuses } from '../../server/customers/progress.ts'
import type { Severity } from '../../server/model/incident.ts'
import { listAudit } from '../../server/store/audit.ts'
import { customerNames, findCustomer, listCustomers, listGroups } from '../../server/store/customers/customers.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import type { Database } from '../../server/store/engine/dialect.ts'
import { write } from '../../server/store/engine/write.ts'
import {
  countQueue,
  createdPerDay,
  openQueue,
  type QueueFilter,
  readQueue,
} from '../../server/store/incidents/queue.ts'
import { toRow } from '../../server/store/incidents/rows.ts'
import { storeIncidents } from '../../server/store/incidents/write.ts'
import { invitedCustomers, latestLinks } from '../../server/store/onboarding/link-list.ts'
import { issueLink } from '../../server/store/onboarding/links.ts'
import { countOpenReviews, openReview, openReviews } from '../../server/store/onboarding/reviews.ts'
import { everything, type Scope } from '../../server/store/scope.ts'
import { fleetSummary, heatOfFleet, openInFleet, troubledTenants } from '../../server/store/tenants/fleet.ts'
import { outlineTenants } from '../../server/store/tenants/outline.ts'
import { findTenant, listTenants } from '../../server/store/tenants/tenants.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import { alice, bound, customer, incident, instant, later, start, visitor } from '../support/store.ts'

const severities: Severity[] = ['high', 'medium', 'low', 'informational', 'unknown']
const tenantId = (n: number) => `00000000-aaaa-4bbb-8ccc-${String(n).padStart(12, '0')}`
const now = later(60)

interface Filled {
  store: OpenDatabase
  ids: Map<string, string>
}

/** Customer `n` with its tenant, incidents, link and review; every fourth is offboarded, every third is not read. */
async function fill(db: Database, ids: Map<string, string>, n: number, groups: string[]): Promise<void> {
  const name = `Customer ${n}`
  const id = await customer(db, name, { groups })
  ids.set(id, name)
  await bound(db, id, tenantId(n))
  const incidents = Array.from({ length: 8 }, (_, i) =>
    incident(String(100 * n + i), i, {
      severity: severities[(i + n) % 5] ?? 'high',
      status: i % 3 === 0 ? 'resolved' : 'active',
      title: `${i % 2 === 0 ? 'needle' : 'straw'} ${n}.${i}`,
      createdAt: instant((i % 4) * 24 * 60),
    }),
  )
  const merged = incident(String(100 * n + 99), 5, { redirectId: String(100 * n), status: 'redirected' })
  await write(db, async (tx) => {
    const rows = [...incidents, merged].map((one) => toRow(tenantId(n), one, start))
    await storeIncidents(tx, tenantId(n), rows, start)
    await tx
      .updateTable('tenants')
      .set({
        access_state: n % 5 === 0 ? 'revoked' : 'active',
        first_active_at: start.toISOString(),
        last_read_at: n % 3 === 0 ? null : later(55).toISOString(),
      })
      .where('tenant_id', '=', tenantId(n))
      .execute()
    await openReview(
      tx,
      visitor,
      {
        kind: 'unpinned',
        customerId: id,
        linkId: null,
        attemptId: null,
        tenantId: tenantId(1_000 + n),
        tenantName: null,
        tenantDomain: null,
        evidence: 'callback',
        person: null,
      },
      later(n),
    )
  })
  await write(db, (tx) =>
    issueLink(tx, alice, { customerId: id, pinnedTenantId: null, pinnedDomain: null, days: 14, now: later(n) }),
  )
  if (n % 4 === 0) await offboardCustomer(db, alice, id, later(30))
}

const own = [1, 4, 6, 9, 10]
const others = [2, 3, 5, 7, 8, 11, 12]

describe.each(databases)('a scope on $name', ({ open }) => {
  let alone: Filled
  let among: Filled
  let scopes: Record<string, Scope>

  /** A store in which the customers of the scope are the only ones, and one in which they are some of many. */
  beforeAll(async () => {
    alone = { store: await open(), ids: new Map() }
    among = { store: await open(), ids: new Map() }
    for (const n of own) await fill(alone.store.db, alone.ids, n, ['North East'])
    for (const n of [...own, ...others].sort((a, b) => a - b)) {
      await fill(among.store.db, among.ids, n, [own.includes(n) ? 'North East' : 'North_West'])
    }
    const names = own.map((n) => `Customer ${n}`)
    const customerIds = [...among.ids].filter(([, name]) => names.includes(name)).map(([id]) => id)
    scopes = {
      'customers by their IDs': { customerIds, groups: [], groupValues: [] },
      'a group': { customerIds: [], groups: ['North East'], groupValues: [] },
      'a group as a role value names it': { customerIds: [], groups: [], groupValues: ['North_East'] },
      'customers and a group': { customerIds: customerIds.slice(0, 2), groups: ['North East'], groupValues: ['None'] },
    }
  })
  afterAll(async () => {
    await alone.store.close()
    await among.store.close()
  })

  const filters: QueueFilter[] = [
    {},
    { status: 'open' },
    { severities: ['high', 'low'] },
    { text: 'needle' },
    { text: 'ne', status: 'closed' },
    { groups: ['North East', 'North_West'] },
  ]

  /** Whatever is listed, counted, searched or charted, with names for the IDs that differ between two stores. */
  async function answers({ store: { db }, ids }: Filled, scope: Scope): Promise<string[]> {
    const asked: Record<string, unknown> = {
      fleetSummary: await fleetSummary(db, now, scope),
      troubledTenants: await troubledTenants(db, now, undefined, scope),
      openInFleet: await openInFleet(db, scope),
      heat: await heatOfFleet(db, 2, now, undefined, scope),
      outlines: (await outlineTenants(db, scope)).sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1)),
      listTenants: await listTenants(db, undefined, scope),
      listCustomers: await listCustomers(db, undefined, undefined, scope),
      customerNames: await customerNames(db, undefined, undefined, scope),
      listGroups: await listGroups(db, undefined, scope),
      openReviews: (await openReviews(db, undefined, 50, scope)).map(({ id: _, ...review }) => review),
      countOpenReviews: [...(await countOpenReviews(db, scope))].map(([id, n]) => `${ids.get(id ?? '')} ${n}`).sort(),
      latestLinks: [...(await latestLinks(db, undefined, scope)).keys()].map((id) => ids.get(id)).sort(),
      invited: (await invitedCustomers(db, null, scope)).map((id) => ids.get(id)).sort(),
      created: await createdPerDay(db, start, scope),
      outlineStatuses: (await outlineStatuses(db, now, undefined, scope)).map(({ customer, standing }) => [
        customer,
        standing,
      ]),
      standings: (await listStatuses(db, now, undefined, undefined, scope)).map(({ customer, standing, tenants }) => [
        customer,
        standing,
        tenants,
      ]),
      audit: (await listAudit(db, { limit: 500 }, scope)).map(({ action, tenantId, customerName }) => [
        action,
        tenantId,
        customerName,
      ]),
    }
    for (const [i, filter] of filters.entries()) {
      for (const order of ['worst', 'newest'] as const) {
        const first = await openQueue(db, filter, { order, limit: 4 }, scope)
        asked[`queue ${i} ${order}`] = first
        if (first.next)
          asked[`next ${i} ${order}`] = await readQueue(db, filter, { order, limit: 4, at: first.next }, scope)
      }
      asked[`count ${i}`] = await countQueue(db, filter, 10_000, scope)
    }
    return Object.entries(asked).map(([name, answer]) => {
      const text = JSON.stringify(answer, (key, value) => (key === 'createdAt' || key === 'reference' ? null : value))
      return [...ids].reduce((told, [id, customerName]) => told.replaceAll(id, customerName), `${name} ${text}`)
    })
  }

  test('of all is what no scope is', async () => {
    expect(await answers(among, everything)).toContainEqual(expect.stringMatching(/^countOpenReviews .*Customer 7 1/))
  })

  test.each(['customers by their IDs', 'a group', 'a group as a role value names it', 'customers and a group'])(
    'of %s answers as if nobody else was there',
    async (name) => {
      const wanted = await answers(alone, everything)
      expect(await answers(among, scopes[name] ?? everything)).toEqual(wanted)
      expect(wanted.some((answer) => answer.includes('needle'))).toBe(true)
    },
  )

  test('of nobody answers as an empty store does', async () => {
    const empty = { store: await open(), ids: new Map<string, string>() }
    const wanted = await answers(empty, everything)
    for (const nobody of [
      { customerIds: [], groups: [], groupValues: [] },
      { customerIds: ['nobody'], groups: ["' or 1=1 --", ''], groupValues: ['', '%'] },
    ]) {
      expect(await answers(among, nobody)).toEqual(wanted)
    }
    await empty.store.close()
  })

  test('finds by an ID what lies in it, and nothing else', async () => {
    const { db } = among.store
    for (const [id, name] of among.ids) {
      const n = Number(name.split(' ')[1])
      const scope = scopes['a group'] ?? everything
      expect([name, (await findCustomer(db, id, scope)) !== null]).toEqual([name, own.includes(n)])
      expect([name, (await findTenant(db, tenantId(n), scope)) !== null]).toEqual([name, own.includes(n)])
    }
  })
})
