import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Database } from '../../server/store/engine/dialect.ts'
import { budgetOf, type CallLimits, countCalls, giveCallsBack, takeCalls } from '../../server/store/sync/budgets.ts'
import { claimDue } from '../../server/store/sync/claims.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import { active, fabrikamTenant, later, start, contosoTenant as tenant } from '../support/store.ts'

const limits: CallLimits = { callsPerMinute: 50, callsPerHour: 1_500 }
const after = (seconds: number) => new Date(start.getTime() + seconds * 1_000)

describe.each(databases)('a budget of calls on $name', ({ open }) => {
  let store: OpenDatabase
  let db: Database
  beforeEach(async () => {
    store = await open()
    db = store.db
  })
  afterEach(() => store.close())

  /** The most calls that any stretch of so many seconds holds, of calls made at these seconds. */
  const densest = (made: number[], seconds: number) => {
    const sorted = [...made].sort((a, b) => a - b)
    let most = 0
    for (let i = 0, from = 0; i < sorted.length; i++) {
      while ((sorted[i] ?? 0) - (sorted[from] ?? 0) >= seconds) from++
      most = Math.max(most, i - from + 1)
    }
    return most
  }

  test('no 60 seconds in a row and no hour hold more than their limit, however late within its time a call goes out', async () => {
    const small = { callsPerMinute: 10, callsPerHour: 100 }
    const made: number[] = []
    let seed = 7
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed / 2_147_483_647
    }
    for (let at = 0; at < 5_000; ) {
      const { granted, waitMs } = await takeCalls(db, tenant, 1 + Math.floor(random() * 5), small, after(at))
      expect(granted > 0).toBe(waitMs === 0)
      for (let n = 0; n < granted; n++) made.push(at + random() * 10)
      at += granted > 0 ? random() * 4 : waitMs / 1_000
    }
    expect(densest(made, 60)).toBeLessThanOrEqual(10)
    expect(densest(made, 3_600)).toBeLessThanOrEqual(100)
    // Nor is it far too careful: the hour is used up.
    expect(made.length).toBeGreaterThan(110)
    const row = await db.selectFrom('call_budgets').select('calls').executeTakeFirstOrThrow()
    expect(row.calls.length).toBeLessThan(2_000)
  })

  test('many that take at once over two connections get no more than there is, and all of it', async () => {
    const other = await store.another()
    const taken = await Promise.all(
      Array.from({ length: 30 }, (_, i) => takeCalls(i % 2 ? db : other, tenant, 4, limits, start)),
    )
    expect(taken.reduce((sum, { granted }) => sum + granted, 0)).toBe(50)
    expect(await budgetOf(db, tenant, limits, start)).toEqual({
      minuteLeft: 0,
      hourLeft: 1_450,
      nextAt: after(71).toISOString(),
    })
  })

  test('says when the next call may be made, and then grants it', async () => {
    await takeCalls(db, tenant, 50, limits, start)
    const { granted, waitMs } = await takeCalls(db, tenant, 1, limits, after(20.5))
    expect(granted).toBe(0)
    expect((await takeCalls(db, tenant, 1, limits, after(20.5 + waitMs / 1_000 - 1))).granted).toBe(0)
    expect((await takeCalls(db, tenant, 60, limits, after(20.5 + waitMs / 1_000))).granted).toBe(50)
  })

  test('an hour used up waits for the hour, in marks that stay few', async () => {
    for (let at = 0; at < 30 * 71; at += 71) await takeCalls(db, tenant, 50, limits, after(at))
    const { granted, waitMs } = await takeCalls(db, tenant, 1, limits, after(30 * 71))
    expect(granted).toBe(0)
    expect(waitMs).toBeGreaterThan(1_400_000)
    expect(waitMs).toBeLessThan(1_600_000)
  })

  test('windows leave a fifth to polls', async () => {
    expect((await takeCalls(db, tenant, 99, limits, start, 0.8)).granted).toBe(40)
    expect((await takeCalls(db, tenant, 1, limits, start, 0.8)).granted).toBe(0)
    expect((await takeCalls(db, tenant, 99, limits, start)).granted).toBe(10)
  })

  test('what is given back is there again, also seconds and other calls later, and no more than it', async () => {
    await takeCalls(db, tenant, 5, limits, after(0.9))
    await takeCalls(db, tenant, 5, limits, after(2))
    await giveCallsBack(db, tenant, 3, after(0.9))
    expect(await budgetOf(db, tenant, limits, after(3))).toMatchObject({ minuteLeft: 43, hourLeft: 1_493 })
    await giveCallsBack(db, tenant, 99, after(0.9))
    expect(await budgetOf(db, tenant, limits, after(3))).toMatchObject({ minuteLeft: 45 })
    await giveCallsBack(db, tenant, 4, after(900))
    expect(await budgetOf(db, tenant, limits, after(3))).toMatchObject({ minuteLeft: 45 })
  })

  test('a clock put back a day delays by no more than a window, and frees nothing', async () => {
    await takeCalls(db, tenant, 50, limits, after(86_400))
    expect((await takeCalls(db, tenant, 1, limits, start)).granted).toBe(0)
    expect((await takeCalls(db, tenant, 1, limits, after(60))).granted).toBe(0)
    expect((await takeCalls(db, tenant, 1, limits, after(72))).granted).toBe(1)
  })

  test('after a clock was put back, calls are taken again as soon as one was written by it', async () => {
    await takeCalls(db, tenant, 20, limits, after(86_400))
    await takeCalls(db, tenant, 1, limits, start)
    expect(await budgetOf(db, tenant, limits, after(80))).toMatchObject({ minuteLeft: 50, hourLeft: 1_479 })
  })

  test('a clock that leaps forward forgets what it takes for old', async () => {
    await takeCalls(db, tenant, 50, limits, start)
    expect((await takeCalls(db, tenant, 50, limits, after(7_200))).granted).toBe(50)
  })

  test('calls of access checks count, and are never refused', async () => {
    await takeCalls(db, tenant, 49, limits, start)
    await countCalls(db, tenant, 3, start)
    expect(await budgetOf(db, tenant, limits, start)).toMatchObject({ minuteLeft: 0, hourLeft: 1_448 })
  })

  test('a claim brings one call along, as long as there is one, and is claimed without', async () => {
    await active(db, 'Contoso', tenant)
    await active(db, 'Fabrikam', fabrikamTenant)
    await takeCalls(db, tenant, 50, limits, later(1))
    const claims = await claimDue(db, 'sync', later(1), 10, 60_000, { callLimits: limits })
    const calls = Object.fromEntries(claims.map((claim) => [claim.tenantId, claim.calls]))
    expect(calls).toEqual({ [tenant]: 0, [fabrikamTenant]: 1 })
    expect(await budgetOf(db, fabrikamTenant, limits, later(1))).toMatchObject({ minuteLeft: 49 })
  })
})
