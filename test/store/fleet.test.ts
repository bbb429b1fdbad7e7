import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { listStatuses, outlineStatuses } from '../../server/customers/progress.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { write } from '../../server/store/engine/write.ts'
import { blindSince } from '../../server/store/tenants/blind.ts'
import { fleetSummary, heatOfFleet, openInFleet, troubledTenants } from '../../server/store/tenants/fleet.ts'
import { accessStates, listTenants, type Tenant } from '../../server/store/tenants/tenants.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import { alice, bound, customer, later, start } from '../support/store.ts'

const tenantId = (n: number) => `00000000-aaaa-4bbb-8ccc-${String(n).padStart(12, '0')}`
const severities = ['high', 'medium', 'low', 'informational', 'unknown'] as const
const now = later(60)

/** Sixty tenants of forty customers in every state there is, some of them failing, late, paused, or never read. */
describe.each(databases)('the fleet on $name', ({ open }) => {
  let store: OpenDatabase
  let all: (Tenant & { customerName: string })[]
  let gone: string

  beforeAll(async () => {
    store = await open()
    const customers: string[] = []
    for (let c = 0; c < 40; c++) customers.push(await customer(store.db, `Customer ${String(c).padStart(2, '0')}`))
    for (let t = 0; t < 60; t++) {
      await bound(store.db, customers[t % 40] ?? '', tenantId(t))
      await write(store.db, (tx) =>
        tx
          .updateTable('tenants')
          .set({
            access_state: t % 3 === 0 ? (accessStates[(t / 3) % accessStates.length] ?? 'active') : 'active',
            first_active_at: t % 11 === 0 ? null : start.toISOString(),
            last_read_at: t % 7 === 0 ? null : later(60 - ((t * 5) % 21)).toISOString(),
            sync_failures: t % 5,
            partial_since: t % 8 === 3 ? later(t % 60).toISOString() : null,
            paused_at: t % 13 === 1 ? start.toISOString() : null,
            open_high: (t * 7) % 4,
            open_medium: (t * 3) % 5,
            open_low: t % 4 === 0 ? 0 : t,
            open_unknown: t % 2,
            unassigned_high: t % 2,
            unassigned_low: t % 3,
          })
          .where('tenant_id', '=', tenantId(t))
          .execute(),
      )
    }
    // Nothing is open there, so that it is one of the others.
    await write(store.db, (tx) =>
      tx
        .updateTable('tenants')
        .set({ open_high: 0, open_medium: 0, open_low: 0, open_unknown: 0 })
        .where('customer_id', '=', customers[8] ?? '')
        .execute(),
    )
    gone = customers[20] ?? ''
    await offboardCustomer(store.db, alice, gone, start)
    all = await listTenants(store.db)
  })
  afterAll(() => store.close())

  const watched = () => all.filter((one) => one.firstActiveAt !== null && one.accessState !== 'offboarded')
  const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, item) => total + of(item), 0)
  const countsOf = (tenants: readonly Tenant[]) =>
    Object.fromEntries(severities.map((severity) => [severity, sum(tenants, ({ open }) => open[severity])]))

  test('names every tenant with which something is the matter, and no other', async () => {
    const troubled = (await troubledTenants(store.db, now)).map(({ tenant }) => tenant.tenantId)
    const wanted = all.filter(
      (one) =>
        one.accessState !== 'offboarded' &&
        (one.accessState !== 'active' || one.pausedAt !== null || blindSince(one, now) !== null),
    )
    expect(new Set(troubled).size).toBe(troubled.length)
    // A tenant never active may be named for its failures: it is not blind, and whoever shows it tells.
    expect(troubled).toEqual(expect.arrayContaining(wanted.map((one) => one.tenantId)))
    const others = all.filter((one) => troubled.includes(one.tenantId) && !wanted.includes(one))
    expect(others.filter((one) => one.firstActiveAt !== null)).toEqual([])
  })

  test('counts what is open and unassigned over all that ought to be seen', async () => {
    const { tenants, open, unassigned } = await openInFleet(store.db)
    expect([tenants, open]).toEqual([watched().length, countsOf(watched())])
    for (const severity of severities)
      expect(unassigned[severity]).toBe(sum(watched(), (one) => one.unassigned[severity]))
    const fleet = await fleetSummary(store.db, now)
    expect([fleet.tenants, fleet.openIncidents]).toEqual([tenants, sum(severities, (severity) => open[severity])])
  })

  test.each([0, 1, 12, 100])('shows %d customers at most and the rest together, each incident once', async (most) => {
    const { rows, others } = await heatOfFleet(store.db, most, now)
    const of = (customerId: string) => watched().filter((one) => one.customerId === customerId)
    const key = (one: { customerId: string }) =>
      severities.map((severity) => countsOf(of(one.customerId))[severity] ?? 0)
    const open = [...new Set(watched().map((one) => one.customerId))].filter(
      (id) => sum(key({ customerId: id }), (n) => n) > 0,
    )
    expect(rows).toHaveLength(Math.min(most, open.length))
    for (const row of rows) {
      expect(row.counts).toEqual(countsOf(of(row.customerId)))
      expect(row.blind).toBe(of(row.customerId).some((one) => blindSince(one, now) !== null))
      const seen = (one: Pick<Tenant, 'lastReadAt' | 'firstActiveAt'>) => one.lastReadAt ?? one.firstActiveAt ?? ''
      expect(seen(row.oldest)).toBe(of(row.customerId).map(seen).sort()[0])
    }
    const keys = rows.map(key)
    expect(keys).toEqual([...keys].sort((a, b) => a.map((n, i) => (b[i] ?? 0) - n).find((by) => by !== 0) ?? 0))
    const rest = watched().filter((one) => !rows.some((row) => row.customerId === one.customerId))
    expect(others?.counts).toEqual(countsOf(rest))
    expect(others?.customers).toBe(new Set(rest.map((one) => one.customerId)).size)
    expect(others?.blind).toBe(rest.some((one) => blindSince(one, now) !== null))
    expect(rows.map(({ customerId }) => customerId)).not.toContain(gone)
  })

  test('puts every customer in the list, where its page says it stands', async () => {
    const outlines = await outlineStatuses(store.db, now)
    const lines = await listStatuses(store.db, now)
    expect(outlines).toHaveLength(40)
    expect(outlines.map(({ customer: one, standing }) => [one.id, standing])).toEqual(
      lines.map(({ customer: one, standing }) => [one.id, standing]),
    )
    const some = lines.slice(3, 8)
    expect(
      await listStatuses(
        store.db,
        now,
        some.map((line) => line.customer.id),
      ),
    ).toEqual(some)
    expect(await listStatuses(store.db, now, [])).toEqual([])
  })
})
