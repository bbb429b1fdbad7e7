import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { listAudit } from '../../server/store/audit.ts'
import { offboardCustomer } from '../../server/store/customers/offboarding.ts'
import { ClaimLostError, type DueClaim } from '../../server/store/engine/claim.ts'
import { write } from '../../server/store/engine/write.ts'
import { linksOf } from '../../server/store/onboarding/link-list.ts'
import { claimLinkProbe, endLinkProbe } from '../../server/store/onboarding/link-probes.ts'
import { recordDeparture, recordOpening } from '../../server/store/onboarding/link-visits.ts'
import {
  type ConsentLink,
  completeLink,
  findLinkByToken,
  issueLink,
  linkState,
  usableLink,
  withdrawLink,
} from '../../server/store/onboarding/links.ts'
import { databases, type OpenDatabase } from '../support/databases.ts'
import { alice, contosoTenant, customer, later, start, visitor } from '../support/store.ts'

describe.each(databases)('a consent link on $name', ({ open }) => {
  let store: OpenDatabase
  let contoso: string
  beforeEach(async () => {
    store = await open()
    contoso = await customer(store.db, 'Contoso')
  })
  afterEach(() => store.close())

  const issue = (days = 14, pinned: string | null = null, db = store.db) =>
    write(db, (tx) =>
      issueLink(tx, alice, { customerId: contoso, pinnedTenantId: pinned, pinnedDomain: null, days, now: start }),
    )

  const leave = (link: ConsentLink, probeAt: Date) =>
    write(store.db, (tx) => recordDeparture(tx, visitor, link, start, probeAt))

  test('opens by its token alone, and no table holds the token', async () => {
    const { link, token } = await issue()
    expect((await usableLink(store.db, token, start)).id).toBe(link.id)
    const rows = await store.db.selectFrom('consent_links').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain(token)
    expect(JSON.stringify(await listAudit(store.db, { limit: 50 }))).not.toContain(token)
  })

  test.each(['', 'x', "' or 1=1 --", '\0', 'a'.repeat(43), 'ä'.repeat(43), 'x'.repeat(200_000)])(
    'is not found by a made-up token',
    async (token) => {
      await issue()
      expect(await findLinkByToken(store.db, token)).toBeNull()
      await expect(usableLink(store.db, token, start)).rejects.toMatchObject({ code: 'LINK_UNKNOWN' })
    },
  )

  test('expires at its last instant, and not before', async () => {
    const { token } = await issue(1)
    await usableLink(store.db, token, later(24 * 60 - 1))
    await expect(usableLink(store.db, token, later(24 * 60))).rejects.toMatchObject({ code: 'LINK_EXPIRED' })
  })

  test('withdrawn, opens nothing; a second withdrawal leaves no second witness', async () => {
    const { link, token } = await issue()
    await write(store.db, (tx) => withdrawLink(tx, alice, link.id, start))
    await write(store.db, (tx) => withdrawLink(tx, alice, link.id, later(1)))
    await expect(usableLink(store.db, token, start)).rejects.toMatchObject({ code: 'LINK_WITHDRAWN' })
    expect(await listAudit(store.db, { actions: ['link.withdrawn'], limit: 9 })).toHaveLength(1)
  })

  test('completed, stays completed, whatever comes after', async () => {
    const { link, token } = await issue(1)
    await write(store.db, (tx) => completeLink(tx, visitor, link.id, start))
    await write(store.db, (tx) => completeLink(tx, visitor, link.id, later(1)))
    await write(store.db, (tx) => withdrawLink(tx, alice, link.id, later(2)))
    const [kept] = await linksOf(store.db, contoso)
    expect(kept && linkState(kept, later(99_999))).toBe('completed')
    await expect(usableLink(store.db, token, start)).rejects.toMatchObject({ code: 'LINK_COMPLETED' })
    expect(await listAudit(store.db, { actions: ['link.completed', 'link.withdrawn'], limit: 9 })).toHaveLength(1)
  })

  test('replaces the one before: never two in force, not even when several are issued at once', async () => {
    await issue()
    const other = await store.another()
    await Promise.all([issue(14, null, store.db), issue(14, null, other), issue(14, null, store.db)])
    const states = (await linksOf(store.db, contoso)).map((link) => linkState(link, start))
    expect(states.sort()).toEqual(['issued', 'withdrawn', 'withdrawn', 'withdrawn'])
  })

  test('is not issued for a customer whose service ended, not even at the same moment', async () => {
    const other = await store.another()
    await Promise.allSettled([issue(), offboardCustomer(other, alice, contoso, start), issue()])
    await expect(issue()).rejects.toMatchObject({ code: 'CUSTOMER_OFFBOARDED' })
    const states = (await linksOf(store.db, contoso)).map((link) => linkState(link, start))
    expect(states).not.toContain('issued')
  })

  test('counts its openings, and remembers the first with one witness', async () => {
    const { link } = await issue()
    await write(store.db, (tx) => recordOpening(tx, visitor, link, start))
    await write(store.db, (tx) => recordOpening(tx, visitor, link, later(1)))
    const [kept] = await linksOf(store.db, contoso)
    expect(kept).toMatchObject({ openedAt: start.toISOString(), openedCount: 2 })
    expect(await listAudit(store.db, { actions: ['link.opened'], limit: 9 })).toHaveLength(1)
  })

  const claimProbe = (at: Date, db = store.db) => write(db, (tx) => claimLinkProbe(tx, at))
  const endProbe = (claim: DueClaim, at: Date) => write(store.db, (tx) => endLinkProbe(tx, claim, at))

  test('pinned, is looked after by one process at a time, and no longer when two days past its end', async () => {
    const { link } = await issue(1, contosoTenant)
    await leave(link, later(5))
    expect(await claimProbe(later(4))).toBeNull()
    const other = await store.another()
    const claimed = await Promise.all([store.db, other].map((db) => claimProbe(later(5), db)))
    const [probe, ...more] = claimed.filter((one) => one !== null)
    expect([probe?.link.id, more]).toEqual([link.id, []])
    if (probe) await endProbe(probe.claim, later(5))
    expect(await claimProbe(later(64))).toBeNull()
    expect(await claimProbe(later(66))).not.toBeNull()
    expect(await claimProbe(later(3 * 24 * 60))).toBeNull()
    expect(await claimProbe(later(9 * 24 * 60))).toBeNull()
  })

  test('is looked at again soon after somebody left while it was, and never where it ended meanwhile', async () => {
    const { link } = await issue(14, contosoTenant)
    const first = await claimProbe(later(60))
    await write(store.db, (tx) => recordDeparture(tx, visitor, link, later(61), later(66)))
    if (first) await endProbe(first.claim, later(61))
    expect(await claimProbe(later(65))).toBeNull()
    const second = await claimProbe(later(66))
    expect(second?.link.id).toBe(link.id)
    await write(store.db, (tx) => withdrawLink(tx, alice, link.id, later(66)))
    if (second) await endProbe(second.claim, later(66))
    expect(await claimProbe(later(10_000))).toBeNull()
  })

  test('whose probe was overtaken is nobody’s to end', async () => {
    await issue(14, contosoTenant)
    const lost = await claimProbe(later(60))
    const taken = await claimProbe(later(63))
    expect(taken?.claim.interrupted).toBe(true)
    if (lost) await expect(endProbe(lost.claim, later(63))).rejects.toThrow(ClaimLostError)
  })

  test('unpinned or ended, is never probed', async () => {
    const unpinned = await issue()
    await leave(unpinned.link, start)
    const pinned = await issue(14, contosoTenant)
    await write(store.db, (tx) => withdrawLink(tx, alice, pinned.link.id, start))
    await leave(pinned.link, start)
    expect(await claimProbe(later(99_999))).toBeNull()
  })
})
