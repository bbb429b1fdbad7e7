import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { PortalError } from '../../server/errors.ts'
import { enterTenant } from '../../server/onboarding/by-hand.ts'
import { confirmReview } from '../../server/onboarding/decisions.ts'
import { concludeProof, probePinned } from '../../server/onboarding/probe.ts'
import type { Portal } from '../../server/portal.ts'
import { listAudit } from '../../server/store/audit.ts'
import { connectDatabase } from '../../server/store/engine/database.ts'
import { write } from '../../server/store/engine/write.ts'
import { type ConsentAttempt, getAttempt } from '../../server/store/onboarding/attempts.ts'
import { findAwaitedProof } from '../../server/store/onboarding/awaited-proofs.ts'
import { claimLinkProbe } from '../../server/store/onboarding/link-probes.ts'
import { type ConsentLink, getLink, issueLink, linkState } from '../../server/store/onboarding/links.ts'
import { openReview, openReviews } from '../../server/store/onboarding/reviews.ts'
import { findTenant } from '../../server/store/tenants/tenants.ts'
import { hour } from '../../server/time.ts'
import { signedInFor } from '../support/claimed.ts'
import { setOut } from '../support/old-runs.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { startProgram } from '../support/programs.ts'
import { alice, customer, visitor } from '../support/store.ts'

/** Two processes over one database: each has connections of its own, and both go through every door to a binding. */
onEachEngine('one tenant, claimed for several customers at once', (engine) => {
  let here: TestPortal
  let processes: Portal[]
  const rounds = engine === 'PostgreSQL' ? 40 : 8

  beforeAll(async () => {
    here = await startTestPortal(engine)
    const { portal } = here
    processes = [portal, { ...portal, db: connectDatabase({ ...portal.config, log: portal.log }) }]
  })
  afterAll(async () => {
    await processes[1]?.db.destroy()
    await here.close()
  })

  async function linkOf(label: string, pinned: string | null): Promise<ConsentLink> {
    const customerId = await customer(here.portal.db, label, { expectedTenantId: pinned })
    const request = { customerId, pinnedTenantId: pinned, pinnedDomain: null, days: 14, now: here.portal.now() }
    return (await write(here.portal.db, (tx) => issueLink(tx, alice, request))).link
  }

  /** The probe of a link that nobody came back from, when it is due. */
  async function probeOf(link: ConsentLink): Promise<boolean> {
    const [portal] = processes as [Portal]
    const claim = await write(portal.db, (tx) => claimLinkProbe(tx, new Date(portal.now().getTime() + hour)))
    expect(claim?.link.id).toBe(link.id)
    return claim !== null && probePinned(portal, claim)
  }

  async function attemptOf(link: ConsentLink): Promise<ConsentAttempt> {
    const { attempt } = await setOut(here.portal.db, {
      linkId: link.id,
      customerId: link.customerId,
      browser: link.id,
      pinnedTenantId: link.pinnedTenantId,
      now: here.portal.now(),
      expiresAt: new Date(here.portal.now().getTime() + 3_600_000),
    })
    return attempt
  }

  test('is one customer’s, through whatever door; the others are refused, and no run is left half-way', async () => {
    for (let round = 0; round < rounds; round++) {
      const { id: tenantId } = here.simulator.world.addTenant({ displayName: `Tenant ${round}` })
      here.simulator.world.consent(tenantId, here.portal.config.app.clientId)
      const links = await Promise.all(
        ['signed in', 'signed in too', 'a third', 'a fourth', 'reviewed'].map((label) => linkOf(label, null)),
      )
      const pinned = round % 2 ? null : await linkOf('pinned, never came back', tenantId)
      const byHand = await customer(here.portal.db, 'by hand')
      const attempts = await Promise.all(links.map(attemptOf))
      const reviewed = attempts.pop() as ConsentAttempt
      const review = {
        kind: 'unpinned',
        customerId: reviewed.customerId,
        linkId: reviewed.linkId,
        attemptId: reviewed.id,
        tenantId,
        tenantName: null,
        tenantDomain: null,
        evidence: 'sign-in',
        person: 'Åsa',
      } as const
      await write(here.portal.db, (tx) => openReview(tx, visitor, review, here.portal.now()))
      const [{ id: reviewId } = { id: '' }] = await openReviews(here.portal.db, reviewed.customerId)
      await Promise.all(attempts.map((attempt, n) => signedInFor(processes[n % 2] as Portal, attempt, tenantId)))
      const doors = [
        ...processes.map((portal) => concludeProof(portal, tenantId)),
        confirmReview(processes[round % 2] as Portal, alice, reviewId),
        enterTenant(processes[(round + 1) % 2] as Portal, alice, byHand, tenantId),
        ...(pinned ? [probeOf(pinned)] : []),
      ]
      for (const door of await Promise.allSettled(doors)) {
        if (door.status === 'fulfilled') continue
        // Only operators are told so: those who hold a link get a page.
        expect([doors.length, (door.reason as PortalError).code]).toEqual([doors.length, 'TENANT_TAKEN'])
      }
      for (const portal of processes) await concludeProof(portal, tenantId)
      await check(tenantId, attempts, links)
    }
  })

  test('is one customer’s as well when the claims come in two processes of the machine', async () => {
    const { databaseUrl, dataDir, partnerTenantId } = here.portal.config
    const programs = [1, 2].map(() => startProgram('claim-tenant.ts', [databaseUrl ?? '', dataDir, partnerTenantId]))
    for (const program of programs) await program.line('ready')
    for (let round = 0; round < rounds; round++) {
      const { id: tenantId } = here.simulator.world.addTenant({ displayName: `Shared ${round}` })
      const links = await Promise.all(['one', 'two', 'three', 'four'].map((label) => linkOf(label, null)))
      const attempts = await Promise.all(links.map(attemptOf))
      for (const [n, program] of programs.entries()) {
        program.tell([tenantId, ...attempts.filter((_, i) => i % 2 === n).map(({ id }) => id)].join(' '))
      }
      for (const program of programs) await program.line(`done ${tenantId}`)
      await concludeProof(here.portal, tenantId)
      await check(tenantId, attempts, links)
    }
    for (const program of programs) program.close()
    for (const { code, errors } of await Promise.all(programs.map((program) => program.ended()))) {
      expect([code, errors]).toEqual([0, ''])
    }
  })

  async function check(tenantId: string, attempts: ConsentAttempt[], links: ConsentLink[]): Promise<void> {
    const tenant = await findTenant(here.portal.db, tenantId)
    const bound = await listAudit(here.portal.db, { actions: ['tenant.bound', 'tenant.entered'], limit: 500 })
    expect(bound.filter((event) => event.tenantId === tenantId)).toHaveLength(1)
    const refused = await listAudit(here.portal.db, { actions: ['tenant.refused'], limit: 500 })
    for (const { id, customerId } of attempts) {
      const { outcome, boundTenantId } = await getAttempt(here.portal.db, id)
      const own = tenant?.customerId === customerId
      expect([outcome, boundTenantId]).toEqual(own ? ['bound', tenantId] : [expect.stringMatching(ended), null])
      if (outcome === 'tenant-taken') expect(refused.map((event) => event.customerId)).toContain(customerId)
    }
    for (const link of links) {
      const state = linkState(await getLink(here.portal.db, link.id), here.portal.now())
      if (link.customerId !== tenant?.customerId) expect(state).toBe('issued')
    }
    expect(await findAwaitedProof(here.portal.db, tenantId)).toBeNull()
  }

  /** A tenant that another customer is expected to bring waits for a decision. */
  const ended = /^(tenant-taken|review)$/
})
