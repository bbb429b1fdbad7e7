import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Claim, ClaimLostError } from '../../server/store/engine/claim.ts'
import { write } from '../../server/store/engine/write.ts'
import { storeAlerts } from '../../server/store/incidents/alerts.ts'
import { proveAnew } from '../../server/store/onboarding/bindings.ts'
import { claimDue, extendClaim, holdClaim, releaseClaim } from '../../server/store/sync/claims.ts'
import { requestSync } from '../../server/store/sync/requests.ts'
import { completeSync, failSync, startSync, storePage } from '../../server/store/sync/syncs.ts'
import { recordCheck } from '../../server/store/tenants/checks.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import {
  active,
  alert,
  alice,
  bound,
  claimOf,
  contosoTenant,
  customer,
  granted,
  incident,
  instant,
  later,
  start,
  visitor,
} from '../support/store.ts'
import { syncsOf } from '../support/sync.ts'

const minute = 60_000

describe.each(databases)('a claim on $name', ({ open }) => {
  let store: OpenDatabase
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  async function tenants(count: number): Promise<void> {
    const contoso = await customer(store.db, 'Contoso')
    for (let i = 0; i < count; i++) {
      await bound(store.db, contoso, `00000000-aaaa-4bbb-8ccc-${String(i).padStart(12, '0')}`)
    }
  }

  test('eight claimers at once over two connections share 60 due tenants without doubling one', async () => {
    await tenants(60)
    const other = await store.another()
    const claims: Claim[] = []
    const claimer = async (db: OpenDatabase['db']) => {
      for (;;) {
        const taken = await claimDue(db, 'check', start, 3, minute)
        if (taken.length === 0) return
        claims.push(...taken)
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, i) => claimer(i % 2 ? other : store.db)))
    expect(new Set(claims.map((claim) => claim.tenantId)).size).toBe(60)
    expect(claims).toHaveLength(60)
  })

  test('takes what is due longest first, and nothing that is not due', async () => {
    const contoso = await customer(store.db, 'Contoso')
    await bound(store.db, contoso, '00000000-aaaa-4bbb-8ccc-000000000001', later(2))
    await bound(store.db, contoso, '00000000-aaaa-4bbb-8ccc-000000000002', later(1))
    await bound(store.db, contoso, '00000000-aaaa-4bbb-8ccc-000000000003', later(5))
    expect(await claimDue(store.db, 'check', later(0), 10, minute)).toEqual([])
    const claims = await claimDue(store.db, 'check', later(2), 10, minute)
    expect(claims.map((claim) => claim.tenantId.at(-1))).toEqual(['2', '1'])
    expect(claims[0]).toMatchObject({ fence: 1, dueAt: later(1).toISOString() })
  })

  test('ends with its lease: another worker takes over, and the claim of a check is none of a pass', async () => {
    await active(store.db, 'Contoso', contosoTenant)
    const first = await claimOf(store.db, 'sync', contosoTenant, later(1), minute)
    expect(await claimDue(store.db, 'sync', later(1.9), 10, minute)).toEqual([])
    const second = await claimOf(store.db, 'sync', contosoTenant, later(2), minute)
    expect(second.fence).toBe(first.fence + 1)
    expect(await claimDue(store.db, 'check', later(500), 10, minute)).toHaveLength(1)
  })

  test('extended, lasts longer', async () => {
    await active(store.db, 'Contoso', contosoTenant)
    const claim = await claimOf(store.db, 'sync', contosoTenant, later(1), minute)
    await extendClaim(store.db, claim, later(1.9), minute)
    expect(await claimDue(store.db, 'sync', later(2.5), 10, minute)).toEqual([])
    expect(await claimDue(store.db, 'sync', later(2.9), 10, minute)).toHaveLength(1)
  })

  test('extended, keeps what was asked for meanwhile, and takes back nothing that has ended', async () => {
    await active(store.db, 'Contoso', contosoTenant)
    const claim = await claimOf(store.db, 'sync', contosoTenant, later(1), minute)
    const asked = later(1.2).toISOString()
    await store.db.updateTable('tenants').set({ next_sync_at: asked }).execute()
    await extendClaim(store.db, claim, later(1.5), minute)
    expect((await getTenant(store.db, contosoTenant)).nextSyncAt).toBe(asked)
    await releaseClaim(store.db, claim, later(9))
    await extendClaim(store.db, claim, later(1.6), minute)
    expect((await getTenant(store.db, contosoTenant)).nextSyncAt).toBe(later(9).toISOString())
  })

  test('given back, is due again when it was said to be', async () => {
    await active(store.db, 'Contoso', contosoTenant)
    const claim = await claimOf(store.db, 'sync', contosoTenant, later(1), 60 * minute)
    await releaseClaim(store.db, claim, later(3))
    expect(await claimDue(store.db, 'sync', later(2), 10, minute)).toEqual([])
    expect(await claimDue(store.db, 'sync', later(3), 10, minute)).toHaveLength(1)
  })

  test('overtaken, writes nothing any more: no page, no alert, no cursor, no failure, no verdict, no lease', async () => {
    await active(store.db, 'Contoso', contosoTenant)
    const slow = await claimOf(store.db, 'sync', contosoTenant, later(1), minute)
    const slowSync = await startSync(store.db, slow, 'open', later(1))
    const slowCheck = await claimOf(store.db, 'check', contosoTenant, later(400), minute)
    const quick = await claimOf(store.db, 'sync', contosoTenant, later(2), minute)
    await claimOf(store.db, 'check', contosoTenant, later(402), minute)
    const everything = async () =>
      JSON.stringify([
        await store.db.selectFrom('tenants').selectAll().execute(),
        await store.db.selectFrom('incidents').selectAll().execute(),
        await store.db.selectFrom('syncs').selectAll().execute(),
        await store.db.selectFrom('access_checks').selectAll().execute(),
        await store.db.selectFrom('audit_events').selectAll().execute(),
        await store.db.selectFrom('rejected_items').selectAll().execute(),
      ])
    const before = await everything()
    const page = {
      incidents: [incident('1', 1)],
      rejected: [{ id: '2', reason: 'no-time', detail: '' } as const],
    }
    const done = { cursor: instant(9), phase: 'following', nextSyncAt: later(9), incomplete: false } as const
    const failure = { code: 'throttled', nextSyncAt: later(9), checkAccess: true } as const
    const verdict = { state: 'revoked', nextCheckAt: later(9), keepProving: false } as const
    const late = [
      () => storePage(store.db, slow, slowSync, page, later(3)),
      () => storeAlerts(store.db, slow, incident('1', 1), { alerts: [alert('a')], odd: 0 }, later(3)),
      () => completeSync(store.db, slow, slowSync, done, later(3)),
      () => failSync(store.db, slow, slowSync, failure, later(3)),
      () => startSync(store.db, slow, 'open', later(3)),
      () => extendClaim(store.db, slow, later(3), minute),
      () => releaseClaim(store.db, slow, later(3)),
      () => recordCheck(store.db, slowCheck, granted, verdict, later(403)),
    ]
    for (const attempt of late) await expect(attempt()).rejects.toBeInstanceOf(ClaimLostError)
    expect(await everything()).toBe(before)
    await startSync(store.db, quick, 'open', later(3))
    expect((await syncsOf(store.db, contosoTenant, 9)).map((sync) => sync.outcome)).toEqual([null, 'overtaken'])
  })

  test('is not overtaken in the middle of a write: the write is kept, and the next one is refused', async () => {
    await active(store.db, 'Contoso', contosoTenant)
    const slow = await claimOf(store.db, 'sync', contosoTenant, later(1), minute)
    const syncId = await startSync(store.db, slow, 'open', later(1))
    const other = await store.another()
    const page = (db: OpenDatabase['db'], id: string) =>
      storePage(db, slow, syncId, { incidents: [incident(id, 1)], rejected: [] }, later(3))
    let taken: Claim[] = []
    let taking: Promise<unknown> | undefined
    await write(store.db, async (tx) => {
      await holdClaim(tx, slow)
      taking = claimDue(other, 'sync', later(3), 1, minute).then((claims) => {
        taken = claims
      })
      // PostgreSQL passes the row by, SQLite waits for the transaction: nobody takes it while much is written.
      for (let n = 0; n < 30; n++) {
        await page(tx, '1')
        expect(taken).toEqual([])
      }
    })
    await taking
    if (taken.length === 0) expect(await claimDue(other, 'sync', later(3), 1, minute)).toHaveLength(1)
    await expect(page(store.db, '2')).rejects.toBeInstanceOf(ClaimLostError)
    const kept = await store.db.selectFrom('incidents').select('incident_id').execute()
    expect(kept).toEqual([{ incident_id: '1' }])
  })

  test('a consent that comes during a check makes that check stale, and the tenant due at once', async () => {
    const contoso = await customer(store.db, 'Contoso')
    await bound(store.db, contoso, contosoTenant)
    const stale = await claimOf(store.db, 'check', contosoTenant, start)
    await write(store.db, (tx) => proveAnew(tx, visitor, contosoTenant, later(0.5), { consented: true, revive: false }))
    const verdict = { state: 'unproven', nextCheckAt: later(360), keepProving: false } as const
    await expect(recordCheck(store.db, stale, granted, verdict, later(0.6))).rejects.toBeInstanceOf(ClaimLostError)
    expect(await claimDue(store.db, 'check', later(0.6), 10, minute)).toHaveLength(1)
  })

  test('"refresh now" during a pass changes nothing, and after it makes the tenant due', async () => {
    await active(store.db, 'Contoso', contosoTenant)
    const claim = await claimOf(store.db, 'sync', contosoTenant, later(1), 10 * minute)
    await requestSync(store.db, alice, contosoTenant, later(2))
    expect(await claimDue(store.db, 'sync', later(2), 10, minute)).toEqual([])
    await releaseClaim(store.db, claim, later(60))
    await requestSync(store.db, alice, contosoTenant, later(3))
    expect(await claimDue(store.db, 'sync', later(3), 10, minute)).toHaveLength(1)
  })

  test('a tenant found revoked during a pass is not read again when that pass ends', async () => {
    await active(store.db, 'Contoso', contosoTenant)
    const sync = await claimOf(store.db, 'sync', contosoTenant, later(1), 600 * minute)
    const syncId = await startSync(store.db, sync, 'open', later(1))
    const check = await claimOf(store.db, 'check', contosoTenant, later(400))
    const verdict = { state: 'revoked', nextCheckAt: later(405), keepProving: false } as const
    await recordCheck(store.db, check, granted, verdict, later(400))
    const failure = { code: 'not-consented', nextSyncAt: later(401), checkAccess: false } as const
    await failSync(store.db, sync, syncId, failure, later(401))
    expect(await getTenant(store.db, contosoTenant)).toMatchObject({ accessState: 'revoked', nextSyncAt: null })
    const again = await claimOf(store.db, 'check', contosoTenant, later(405))
    const good = { state: 'active', nextCheckAt: later(900), keepProving: false } as const
    await recordCheck(store.db, again, granted, good, later(405))
    expect(await claimDue(store.db, 'sync', later(405), 10, minute)).toHaveLength(1)
  })
})
