import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ClaimLostError } from '../../server/store/engine/claim.ts'
import type { Database } from '../../server/store/engine/dialect.ts'
import { write } from '../../server/store/engine/write.ts'
import {
  awaitProof,
  type ClaimedProof,
  claimAwaitedProofs,
  endAwaitedProof,
  findAwaitedProof,
  postponeProof,
} from '../../server/store/onboarding/awaited-proofs.ts'
import { claimLook, endLook, mayLook } from '../../server/store/partner/asked-permissions.ts'
import { lookAhead } from '../../server/store/sync/claims.ts'
import { hour, minute } from '../../server/time.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import { contosoTenant, fabrikamTenant, later, start } from '../support/store.ts'

describe.each(databases)('a proof that is awaited, on $name', ({ open }) => {
  let store: OpenDatabase
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  const await_ = (tenantId: string, at: Date) => write(store.db, (tx) => awaitProof(tx, tenantId, at))
  const claim = (at: Date, db: Database = store.db) => write(db, (tx) => claimAwaitedProofs(tx, at, 10))
  async function one(at: Date): Promise<ClaimedProof> {
    const [first] = await claim(at)
    if (!first) throw new Error('nothing is due')
    return first
  }
  const postpone = (proof: ClaimedProof, at: Date) =>
    write(store.db, (tx) => postponeProof(tx, proof, { at, code: 'not-consented' }))
  const end = (proof: ClaimedProof) => write(store.db, (tx) => endAwaitedProof(tx, proof))

  test('is given to one of any number of processes, and nobody sees it as due until they are done', async () => {
    await await_(contosoTenant, start)
    await await_(fabrikamTenant, start)
    const other = await store.another()
    const claims = await Promise.all(Array.from({ length: 8 }, (_, i) => claim(start, i % 2 ? other : store.db)))
    expect(claims.flat().map(({ tenantId }) => tenantId)).toEqual([contosoTenant, fabrikamTenant])
    expect((await lookAhead(store.db, start)).proof).toBeNull()
    for (const proof of claims.flat()) await postpone(proof, later(1))
    expect((await lookAhead(store.db, start)).proof).toBe(later(1).toISOString())
    expect(await findAwaitedProof(store.db, contosoTenant)).toMatchObject({ tries: 1, lastCode: 'not-consented' })
  })

  test('is due again when whoever had it is never heard of again, and whoever was overtaken ends nothing', async () => {
    await await_(contosoTenant, start)
    const lost = await one(start)
    expect(await claim(later(1.9))).toEqual([])
    const taken = await one(later(2))
    await expect(postpone(lost, later(9))).rejects.toThrow(ClaimLostError)
    await expect(end(lost)).rejects.toThrow(ClaimLostError)
    await end(taken)
    expect(await findAwaitedProof(store.db, contosoTenant)).toBeNull()
    await expect(postpone(taken, later(9))).rejects.toThrow(ClaimLostError)
  })

  test('that is claimed while it is looked for is looked for again within a minute, whether it was found or not', async () => {
    await await_(contosoTenant, start)
    const proof = await one(start)
    await await_(contosoTenant, later(0.1))
    await postpone(proof, later(360))
    expect(await claim(later(0.9))).toEqual([])
    const again = await one(later(1))
    await await_(contosoTenant, later(1.1))
    await end(again)
    expect(await claim(later(1.9))).toEqual([])
    expect((await one(later(2))).claims).toBe(3)
  })
})

describe.each(databases)('the look at what customers are asked for, on $name', ({ open }) => {
  test('is taken by one process, early by who is in a hurry, and again when that one died', async () => {
    const store = await open()
    const look = (at: Date, everyMs: number, db: Database = store.db) => write(db, (tx) => claimLook(tx, everyMs, at))
    const other = await store.another()
    expect(await mayLook(store.db, hour, start)).toBe(true)
    const claims = await Promise.all(Array.from({ length: 6 }, (_, i) => look(start, hour, i % 2 ? other : store.db)))
    const [claim, ...more] = claims.filter((one) => one !== null)
    expect(more).toEqual([])
    expect([await mayLook(store.db, 0, start), await look(start, 0)]).toEqual([false, null])
    if (claim) await write(store.db, (tx) => endLook(tx, claim, start))
    expect([await mayLook(store.db, 10 * minute, later(9)), await look(later(9), 10 * minute)]).toEqual([false, null])
    expect([await mayLook(store.db, hour, later(10)), await look(later(10), hour)]).toEqual([false, null])
    expect([await mayLook(store.db, 10 * minute, later(10)), await look(later(10), 10 * minute)]).toEqual([
      true,
      expect.objectContaining({ interrupted: false }),
    ])
    expect(await look(later(11.9), hour)).toBeNull()
    expect(await look(later(12), hour)).toMatchObject({ interrupted: true })
    await store.close()
  })
})
