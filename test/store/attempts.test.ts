import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { write } from '../../server/store/engine/write.ts'
import { newToken } from '../../server/store/identifiers.ts'
import {
  abandonedAttempts,
  findAttemptOfBrowser,
  findLatestAttemptOfBrowser,
} from '../../server/store/onboarding/attempt-list.ts'
import { redeemState } from '../../server/store/onboarding/attempt-states.ts'
import { recordOutcome } from '../../server/store/onboarding/attempts.ts'
import { issueLink } from '../../server/store/onboarding/links.ts'
import { spend } from '../../server/store/operators/spent-states.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import { setOut } from '../support/old-runs.ts'
import { startProgram } from '../support/programs.ts'
import { alice, contosoTenant, customer, later, start } from '../support/store.ts'

describe.each(databases)('a consent attempt on $name', ({ open }) => {
  let store: OpenDatabase
  let contoso: string
  let linkId: string
  const browser = newToken()
  beforeEach(async () => {
    store = await open()
    contoso = await customer(store.db, 'Contoso')
    const request = { customerId: contoso, pinnedTenantId: null, pinnedDomain: null, days: 14, now: start }
    linkId = (await write(store.db, (tx) => issueLink(tx, alice, request))).link.id
  })
  afterEach(() => store.close())

  const begin = (more: { browser?: string | null; minutes?: number } = {}) =>
    setOut(store.db, {
      linkId,
      customerId: contoso,
      browser: more.browser === undefined ? browser : more.browser,
      now: start,
      expiresAt: later(more.minutes ?? 60),
    })

  test('is redeemed by its state once, and the state is nowhere to be read', async () => {
    const { attempt, state } = await begin()
    expect(await write(store.db, (tx) => redeemState(tx, state, browser, later(1)))).toMatchObject({
      found: 'fresh',
      attempt: { id: attempt.id },
    })
    expect(await write(store.db, (tx) => redeemState(tx, state, browser, later(1)))).toMatchObject({ found: 'spent' })
    const rows = await store.db.selectFrom('consent_attempts').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain(state)
    expect(JSON.stringify(rows)).not.toContain(browser)
  })

  test('fifty callbacks at once over two connections redeem it exactly once', async () => {
    const { state } = await begin()
    const other = await store.another()
    const redeemed = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        write(i % 2 ? other : store.db, (tx) => redeemState(tx, state, browser, later(1))),
      ),
    )
    expect(redeemed.filter((one) => one.found === 'fresh')).toHaveLength(1)
    expect(redeemed.filter((one) => one.found === 'spent')).toHaveLength(49)
  })

  test('callbacks in several processes at once redeem it exactly once', async () => {
    const { state } = await begin()
    const programs = [1, 2, 3].map(() =>
      startProgram('redeem-state.ts', [store.url ?? '', store.dataDir, state, browser]),
    )
    for (const program of programs) await program.line('ready')
    for (const program of programs) program.tell('go')
    const found = (await Promise.all(programs.map((program) => program.ended()))).flatMap(({ lines }) =>
      lines.filter((line) => line.startsWith('found ')),
    )
    expect(found).toHaveLength(30)
    expect(found.filter((line) => line === 'found fresh')).toHaveLength(1)
  })

  test('a foreign or missing browser consumes nothing', async () => {
    const { state } = await begin()
    expect(await write(store.db, (tx) => redeemState(tx, state, newToken(), later(1)))).toMatchObject({
      found: 'other-browser',
    })
    expect(await write(store.db, (tx) => redeemState(tx, state, null, later(1)))).toMatchObject({
      found: 'other-browser',
    })
    expect(await write(store.db, (tx) => redeemState(tx, state, browser, later(1)))).toMatchObject({ found: 'fresh' })
  })

  test('is late at its last instant', async () => {
    const { state } = await begin({ minutes: 60 })
    expect(await write(store.db, (tx) => redeemState(tx, state, browser, later(60)))).toMatchObject({ found: 'late' })
    expect(await write(store.db, (tx) => redeemState(tx, state, browser, later(59)))).toMatchObject({ found: 'fresh' })
  })

  test.each(['', "'", '\0', '%', 'x'.repeat(200_000), '{"a":1}'])('is not found by a made-up state', async (state) => {
    await begin()
    expect(await write(store.db, (tx) => redeemState(tx, state, browser, start))).toEqual({ found: 'unknown' })
  })

  test('shows its page to its own browser alone', async () => {
    const { attempt } = await begin()
    expect(await findAttemptOfBrowser(store.db, attempt.id, browser)).toMatchObject({ id: attempt.id })
    expect(await findAttemptOfBrowser(store.db, attempt.id, newToken())).toBeNull()
    expect(await findAttemptOfBrowser(store.db, attempt.id, null)).toBeNull()
    expect(await findLatestAttemptOfBrowser(store.db, newToken())).toBeNull()
    expect(await findLatestAttemptOfBrowser(store.db, browser)).toMatchObject({ id: attempt.id })
  })

  test('that came back and never got to an end is found, and one that ended is not', async () => {
    const abandoned = await begin()
    await write(store.db, (tx) => redeemState(tx, abandoned.state, browser, later(1)))
    await write(store.db, (tx) =>
      recordOutcome(tx, abandoned.attempt.id, 'claimed', later(1), { claimedTenantId: contosoTenant }),
    )
    const ended = await begin()
    await write(store.db, (tx) => redeemState(tx, ended.state, browser, later(1)))
    await write(store.db, (tx) => recordOutcome(tx, ended.attempt.id, 'declined', later(1)))
    await begin()
    expect(await abandonedAttempts(store.db, later(1))).toEqual([])
    const found = await abandonedAttempts(store.db, later(2))
    expect(found.map((one) => one.id)).toEqual([abandoned.attempt.id])
    expect(found[0]).toMatchObject({ claimedTenantId: contosoTenant, finishedAt: null })
  })

  test('is not consumed when what follows from it fails', async () => {
    const { state } = await begin()
    const failing = write(store.db, async (tx) => {
      await redeemState(tx, state, browser, later(1))
      throw new Error('the binding failed')
    })
    await expect(failing).rejects.toThrow('the binding failed')
    expect(await write(store.db, (tx) => redeemState(tx, state, browser, later(2)))).toMatchObject({ found: 'fresh' })
  })

  test('a single-use value is spent once, by whoever is first', async () => {
    const other = await store.another()
    const value = newToken()
    const spent = await Promise.all(
      Array.from({ length: 20 }, (_, i) => spend(i % 2 ? other : store.db, value, later(10))),
    )
    expect(spent.filter(Boolean)).toHaveLength(1)
  })
})
