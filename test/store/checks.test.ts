import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { AccessEvidence } from '../../server/model/access.ts'
import { Refusal, type RefusalCode } from '../../server/model/refusal.ts'
import { listAudit } from '../../server/store/audit.ts'
import { ClaimLostError } from '../../server/store/engine/claim.ts'
import type { Database } from '../../server/store/engine/dialect.ts'
import { write } from '../../server/store/engine/write.ts'
import {
  claimFaultProbe,
  clearPartnerFaults,
  endFaultProbe,
  readPartnerFaults,
  recordPartnerFault,
} from '../../server/store/partner/faults.ts'
import { changeSettings, readSettings } from '../../server/store/partner/settings.ts'
import { claimDue } from '../../server/store/sync/claims.ts'
import { pruneSyncs } from '../../server/store/sync/rows.ts'
import { startSync } from '../../server/store/sync/syncs.ts'
import { checksOf, pruneChecks, recordCheck, requestCheck } from '../../server/store/tenants/checks.ts'
import { type AccessState, getTenant } from '../../server/store/tenants/tenants.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import { active, alice, bound, claimOf, contosoTenant, customer, granted, later, start } from '../support/store.ts'
import { syncsOf } from '../support/sync.ts'

const refused = (code: RefusalCode): AccessEvidence => ({
  ...granted,
  claims: null,
  tokenIssued: false,
  refusal: new Refusal(code, { at: start.toISOString(), aadsts: 7000229, correlationId: 'c-1' }),
})

describe.each(databases)('an access check on $name', ({ open }) => {
  let store: OpenDatabase
  beforeEach(async () => {
    store = await open()
    await bound(store.db, await customer(store.db, 'Contoso'), contosoTenant)
  })
  afterEach(() => store.close())

  async function check(state: AccessState, evidence: AccessEvidence, minutes: number, keepProving = false) {
    await requestCheck(store.db, alice, contosoTenant, later(minutes))
    const claim = await claimOf(store.db, 'check', contosoTenant, later(minutes))
    await recordCheck(
      store.db,
      claim,
      evidence,
      { state, nextCheckAt: later(minutes + 5), keepProving },
      later(minutes),
    )
  }

  test('keeps its evidence, and no token', async () => {
    await check('limited', { ...refused('role-missing'), missingRoles: ['Incident.Read.All'] }, 1)
    expect(await checksOf(store.db, contosoTenant, 9)).toMatchObject([
      {
        state: 'limited',
        attempt: 1,
        refusalCode: 'role-missing',
        refusal: { aadsts: 7000229, correlationId: 'c-1' },
        missingRoles: ['Incident.Read.All'],
        calls: granted.calls,
      },
    ])
  })

  test('that proves access makes the tenant due for reading, once', async () => {
    await check('active', granted, 1)
    expect(await getTenant(store.db, contosoTenant)).toMatchObject({
      accessState: 'active',
      stateCode: null,
      firstActiveAt: later(1).toISOString(),
      nextSyncAt: later(1).toISOString(),
      nextCheckAt: later(6).toISOString(),
      checkAttempts: 0,
      provingSince: null,
    })
    await claimOf(store.db, 'sync', contosoTenant, later(2), 60 * 60_000)
    await check('active', granted, 3)
    expect(await claimDue(store.db, 'sync', later(4), 9, 1_000)).toEqual([])
  })

  test('that finds the access gone stops the reading; the day it first worked stays', async () => {
    await check('active', granted, 1)
    await check('revoked', refused('not-consented'), 2)
    expect(await getTenant(store.db, contosoTenant)).toMatchObject({
      accessState: 'revoked',
      stateCode: 'not-consented',
      stateSince: later(2).toISOString(),
      firstActiveAt: later(1).toISOString(),
      nextSyncAt: null,
    })
  })

  test('leaves a witness for another state, and none for the same', async () => {
    await check('proving', refused('not-consented'), 1, true)
    await check('proving', refused('not-consented'), 2, true)
    await check('active', granted, 3)
    await check('active', granted, 4)
    const changes = await listAudit(store.db, { actions: ['access.changed'], limit: 9 })
    expect(changes.map((event) => event.facts)).toMatchObject([{ from: 'proving', to: 'active' }])
    expect(await checksOf(store.db, contosoTenant, 9)).toHaveLength(4)
  })

  test('counts its attempts for as long as the proof goes on', async () => {
    await check('proving', refused('not-consented'), 1, true)
    await check('proving', refused('not-consented'), 2, true)
    expect(await getTenant(store.db, contosoTenant)).toMatchObject({
      checkAttempts: 2,
      provingSince: start.toISOString(),
    })
    await check('unproven', refused('not-consented'), 3)
    expect(await getTenant(store.db, contosoTenant)).toMatchObject({ checkAttempts: 0, provingSince: null })
  })

  test('asked for while one is under way follows it, at the pace of the tenant', async () => {
    const claim = await claimOf(store.db, 'check', contosoTenant, start)
    await requestCheck(store.db, alice, contosoTenant, later(0.5))
    expect(await claimDue(store.db, 'check', later(0.5), 9, 60_000)).toEqual([])
    const verdict = { state: 'limited', nextCheckAt: later(360), keepProving: false } as const
    await recordCheck(store.db, claim, refused('role-missing'), verdict, later(0.6))
    expect(await claimDue(store.db, 'check', later(0.6), 9, 60_000)).toEqual([])
    expect(await claimDue(store.db, 'check', later(1.1), 9, 60_000)).toHaveLength(1)
  })

  test('asked for again and again is made twice a minute, noted once each, and delays none that is due sooner', async () => {
    let made = 0
    for (let second = 0; second < 300; second++) {
      const now = later(1 + second / 60)
      await requestCheck(store.db, alice, contosoTenant, now)
      for (const claim of await claimDue(store.db, 'check', now, 9, 60_000)) {
        made++
        const verdict = { state: 'active', nextCheckAt: later(360), keepProving: false } as const
        await recordCheck(store.db, claim, granted, verdict, now)
      }
    }
    expect(made).toBe(10)
    const asked = await listAudit(store.db, { actions: ['tenant.check-requested'], limit: 500 })
    expect(asked.length).toBeLessThanOrEqual(made + 1)
    const claim = await claimOf(store.db, 'check', contosoTenant, later(7))
    const soon = { state: 'proving', nextCheckAt: later(7.1), keepProving: true } as const
    await recordCheck(store.db, claim, refused('not-consented'), soon, later(7))
    await requestCheck(store.db, alice, contosoTenant, later(7.05))
    expect((await getTenant(store.db, contosoTenant)).nextCheckAt).toBe(later(7.1).toISOString())
  })

  test('asked for after the clock was set back is made at once', async () => {
    await check('active', granted, 60)
    await requestCheck(store.db, alice, contosoTenant, later(1))
    expect(await claimDue(store.db, 'check', later(1), 9, 60_000)).toHaveLength(1)
  })

  test('is pruned beyond the newest, except the latest that proved access', async () => {
    await check('active', granted, 1)
    await check('active', granted, 2)
    for (let minutes = 3; minutes < 9; minutes++) await check('revoked', refused('not-consented'), minutes)
    await pruneChecks(store.db, contosoTenant, 3)
    const kept = await checksOf(store.db, contosoTenant, 99)
    expect(kept.map((one) => one.at)).toEqual([8, 7, 6, 2].map((minutes) => later(minutes).toISOString()))
  })
})

describe.each(databases)('housekeeping on $name', ({ open }) => {
  let store: OpenDatabase
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  const facts = { aadsts: 7000215, status: 401, error: 'invalid_client', correlationId: null, traceId: null, at: '' }

  test('an alarm is one, however many tenants raise it at once, and clearing it twice clears it once', async () => {
    const other = await store.another()
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        write(i % 2 ? other : store.db, (tx) => recordPartnerFault(tx, 'partner-credential', facts, later(i))),
      ),
    )
    expect(await readPartnerFaults(store.db)).toHaveLength(1)
    expect(await listAudit(store.db, { actions: ['alarm.raised'], limit: 9 })).toHaveLength(1)
    await write(store.db, (tx) => clearPartnerFaults(tx, later(20)))
    await write(store.db, (tx) => clearPartnerFaults(tx, later(20)))
    expect(await readPartnerFaults(store.db)).toEqual([])
    expect(await listAudit(store.db, { actions: ['alarm.cleared'], limit: 9 })).toHaveLength(1)
  })

  test('one of many may probe an alarm, and not before its time', async () => {
    await write(store.db, (tx) => recordPartnerFault(tx, 'partner-credential', facts, start))
    const probe = (db: Database, at: Date) => write(db, (tx) => claimFaultProbe(tx, 'partner-credential', at))
    expect(await probe(store.db, later(0.9))).toBeNull()
    const other = await store.another()
    const claims = await Promise.all(Array.from({ length: 10 }, (_, i) => probe(i % 2 ? other : store.db, later(1))))
    const [claim, ...more] = claims.filter((one) => one !== null)
    expect([claim?.key, more]).toEqual(['partner-credential', []])
    if (!claim) return
    await write(store.db, (tx) => endFaultProbe(tx, claim, later(1)))
    expect(await probe(other, later(1.9))).toBeNull()
    // Whoever holds it and is never heard of again costs a minute, and has lost it then.
    expect(await probe(other, later(2))).not.toBeNull()
    const stolen = await probe(store.db, later(3))
    expect(stolen?.interrupted).toBe(true)
    await expect(write(store.db, (tx) => endFaultProbe(tx, claim, later(3)))).rejects.toThrow(ClaimLostError)
  })

  test('two people who change different settings at once both succeed', async () => {
    const other = await store.another()
    await Promise.all([
      changeSettings(store.db, alice, { partnerName: 'Northwind Security' }, start),
      changeSettings(other, alice, { linkDays: 7 }, start),
      changeSettings(store.db, alice, { contactName: 'Alice' }, start),
    ])
    expect(await readSettings(store.db)).toMatchObject({
      partnerName: 'Northwind Security',
      linkDays: 7,
      contactName: 'Alice',
    })
  })

  test('old passes go, and the newest of a tenant stays however old it is', async () => {
    await active(store.db, 'Contoso', contosoTenant)
    for (let pass = 0; pass < 5; pass++) {
      const claim = await claimOf(store.db, 'sync', contosoTenant, later(10 * pass + 1), 60_000)
      await startSync(store.db, claim, 'following', later(10 * pass + 1))
    }
    expect(await pruneSyncs(store.db, later(15))).toBe(2)
    expect(await pruneSyncs(store.db, later(99_999))).toBe(2)
    expect(await syncsOf(store.db, contosoTenant, 9)).toMatchObject([{ startedAt: later(41).toISOString() }])
  })
})
