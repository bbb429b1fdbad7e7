import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import { ClaimLostError, type DueClaim } from '../../../server/store/engine/claim.ts'
import type { Database } from '../../../server/store/engine/dialect.ts'
import {
  claimDueRows,
  type DueQuery,
  type DueWork,
  endDueClaim,
  extendDueRow,
  firstDueAt,
  holdDueRow,
} from '../../../server/store/engine/due.ts'
import { write } from '../../../server/store/engine/write.ts'
import { databases, type OpenDatabase } from '../../support/databases.ts'
import { bound, customer, later } from '../../support/store.ts'

const minute = 60_000
const onTenants = { table: 'tenants', key: 'tenant_id' } as const
/** Two kinds of work on one table, with a lease of their own and a shared one. */
const check: DueWork = {
  ...onTenants,
  name: 'check',
  due: 'next_check_at',
  lease: 'check_lease_until',
  fence: 'check_fence',
}
const sync: DueWork = {
  ...onTenants,
  name: 'sync',
  due: 'next_sync_at',
  lease: 'sync_lease_until',
  fence: 'sync_fence',
}
const window: DueWork = { ...sync, name: 'window', due: 'next_window_at' }

describe.each(databases)('work that is due on rows, on $name', ({ open }) => {
  let store: OpenDatabase
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  const idOf = (i: number) => `00000000-aaaa-4bbb-8ccc-${String(i).padStart(12, '0')}`
  async function rows(count: number, dueAt: (i: number) => Date = () => later(0)): Promise<void> {
    const contoso = await customer(store.db, 'Contoso')
    for (let i = 0; i < count; i++) await bound(store.db, contoso, idOf(i), dueAt(i))
  }
  const claim = (work: DueWork, now: Date, more: Partial<DueQuery> = {}, db: Database = store.db) =>
    write(db, (tx) => claimDueRows(tx, work, { now, limit: 10, leaseMs: minute, ...more }))
  async function one(work: DueWork, now: Date, more: Partial<DueQuery> = {}): Promise<DueClaim> {
    const [first] = await claim(work, now, more)
    if (!first) throw new Error(`no ${work.name} is due`)
    return first
  }
  const dueTimes = async (column: 'next_check_at' | 'next_sync_at') =>
    (await store.db.selectFrom('tenants').select(column).orderBy('tenant_id').execute()).map((row) => row[column])

  test('is given to one of any number of claimers, over two connections', async () => {
    await rows(60)
    const other = await store.another()
    const taken: DueClaim[] = []
    const claimer = async (db: Database) => {
      for (let claims = await claim(check, later(0), { limit: 3 }, db); claims.length > 0; ) {
        taken.push(...claims)
        claims = await claim(check, later(0), { limit: 3 }, db)
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, i) => claimer(i % 2 ? other : store.db)))
    expect(new Set(taken.map(({ key }) => key)).size).toBe(60)
    expect(taken).toHaveLength(60)
  })

  test('comes longest due first, by another order where one is asked for, and not before its time', async () => {
    await rows(3, (i) => later([2, 1, 5][i] ?? 0))
    expect(await claim(check, later(0))).toEqual([])
    const [first, ...rest] = await claim(check, later(2), { limit: 1 })
    expect(first).toMatchObject({ key: idOf(1), fence: 1, dueAt: later(1).toISOString(), interrupted: false })
    expect(rest).toEqual([])
    const backwards = await claim(check, later(2), { order: sql`tenant_id desc`, early: true })
    expect(backwards.map(({ key }) => key)).toEqual([idOf(2), idOf(0)])
  })

  test('is narrowed by a condition, and changes what goes along with the claim', async () => {
    await rows(2)
    const narrow = { where: sql`tenant_id <> ${idOf(0)}`, set: sql`check_attempts = check_attempts + 7` }
    expect((await claim(check, later(0), narrow)).map(({ key }) => key)).toEqual([idOf(1)])
    const kept = await store.db.selectFrom('tenants').select('check_attempts').orderBy('tenant_id').execute()
    expect(kept.map((row) => row.check_attempts)).toEqual([0, 7])
  })

  test('whose holder dies is due again when the lease ends, and says that it was interrupted', async () => {
    await rows(1)
    const first = await one(check, later(0))
    expect(await claim(check, later(0.9))).toEqual([])
    const second = await one(check, later(1))
    expect(second).toMatchObject({ fence: first.fence + 1, interrupted: true })
    await expect(write(store.db, (tx) => holdDueRow(tx, check, first))).rejects.toThrow(ClaimLostError)
    await expect(write(store.db, (tx) => endDueClaim(tx, check, first, null))).rejects.toThrow(ClaimLostError)
    await expect(extendDueRow(store.db, check, first, later(1.1), minute)).rejects.toThrow(ClaimLostError)
    expect(await dueTimes('next_check_at')).toEqual([later(2).toISOString()])
  })

  test('of two kinds that share a lease is done one at a time, and apart from what has a lease of its own', async () => {
    await rows(1)
    await store.db
      .updateTable('tenants')
      .set({ next_sync_at: later(0).toISOString(), next_window_at: later(0).toISOString() })
      .execute()
    const held = await one(sync, later(0))
    expect(await claim(window, later(0))).toEqual([])
    expect(await claim(check, later(0))).toHaveLength(1)
    await write(store.db, (tx) => endDueClaim(tx, sync, held, later(5)))
    expect(await claim(window, later(0))).toMatchObject([{ interrupted: false }])
  })

  test('that goes on keeps its row', async () => {
    await rows(1)
    const held = await one(check, later(0))
    await extendDueRow(store.db, check, held, later(0.9), minute)
    expect(await claim(check, later(1.5))).toEqual([])
    expect(await dueTimes('next_check_at')).toEqual([later(1.9).toISOString()])
  })

  test('asked for anew while it was done is due when that was asked, whether the claim is extended or ended', async () => {
    await rows(1)
    const held = await one(check, later(0), { leaseMs: 10 * minute })
    const asked = later(0.5).toISOString()
    await store.db.updateTable('tenants').set({ next_check_at: asked }).execute()
    await extendDueRow(store.db, check, held, later(0.6), 10 * minute)
    expect(await dueTimes('next_check_at')).toEqual([asked])
    await write(store.db, (tx) => endDueClaim(tx, check, held, null))
    expect(await dueTimes('next_check_at')).toEqual([asked])
    const again = await one(check, later(1), { leaseMs: 10 * minute })
    await store.db
      .updateTable('tenants')
      .set({ next_check_at: later(4).toISOString() })
      .execute()
    await write(store.db, (tx) => endDueClaim(tx, check, again, later(2)))
    expect(await dueTimes('next_check_at')).toEqual([later(2).toISOString()])
  })

  test('that has ended is nobody’s, and is not lengthened by a late beat', async () => {
    await rows(1)
    const held = await one(check, later(0))
    await write(store.db, (tx) => endDueClaim(tx, check, held, null))
    await extendDueRow(store.db, check, held, later(0.5), minute)
    expect(await dueTimes('next_check_at')).toEqual([null])
    expect(await firstDueAt(store.db, check, later(0.5))).toBeNull()
  })

  test('is rolled back with the transaction that claimed it', async () => {
    await rows(1)
    const failed = write(store.db, async (tx) => {
      await claimDueRows(tx, check, { now: later(0), limit: 1, leaseMs: minute })
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await one(check, later(0))).toMatchObject({ fence: 1, interrupted: false })
  })

  test('says when it is next due, whoever holds a row left out', async () => {
    await rows(2, (i) => later(i))
    expect(await firstDueAt(store.db, check, later(0))).toBe(later(0).toISOString())
    await one(check, later(0), { leaseMs: 5 * minute })
    expect(await firstDueAt(store.db, check, later(0))).toBe(later(1).toISOString())
    expect(await firstDueAt(store.db, check, later(0), sql`tenant_id = ${idOf(0)}`)).toBeNull()
  })
})
