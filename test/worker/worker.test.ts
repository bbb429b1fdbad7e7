import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import { enterTenant } from '../../server/onboarding/by-hand.ts'
import { issueConsentLink } from '../../server/onboarding/links.ts'
import { write } from '../../server/store/engine/write.ts'
import { saveSession } from '../../server/store/operators/sessions.ts'
import { readPartnerFaults, recordPartnerFault } from '../../server/store/partner/faults.ts'
import { requestSync } from '../../server/store/sync/requests.ts'
import { findTenant, getTenant } from '../../server/store/tenants/tenants.ts'
import { keepHouse } from '../../server/worker/upkeep/housekeeping.ts'
import { runDue, startWorker, type Worker } from '../../server/worker/worker.ts'
import { before, connected, consentedTenant, customerNamed, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { syncsOf } from '../support/sync.ts'
import { until } from '../support/waiting.ts'

const minute = 60_000
const noFacts = { aadsts: 7000222, status: 401, error: 'invalid_client', correlationId: null, traceId: null }

onEachEngine('the worker', (engine) => {
  let here: TestPortal
  let worker: Worker | null = null
  beforeEach(async () => {
    here = await startTestPortal(engine)
  })
  afterEach(async () => {
    await worker?.stop()
    worker = null
    await here.close()
  })

  const alarm = () => {
    const now = here.portal.now()
    return write(here.portal.db, (tx) =>
      recordPartnerFault(tx, 'partner-credential', { ...noFacts, at: now.toISOString() }, now),
    )
  }

  /** A customer whose tenant was named up front and has consented without coming back to us; its probe is due. */
  async function unseenConsent(name: string) {
    const tenant = consentedTenant(here, name)
    const customer = await customerNamed(here, name, { expectedTenantId: tenant.id })
    await issueConsentLink(here.portal, before, { customerId: customer.id, days: 14 })
    return tenant
  }

  test('finds out within a minute that the credential works again, when no check is due for hours', async () => {
    const { tenant } = await connected(here, 'Alarm')
    await alarm()
    here.clock.advance(2 * minute)
    await runDue(here.portal)
    expect(await readPartnerFaults(here.portal.db)).toEqual([])
    await untilNothingIsDue(here)
    const { lastReadAt } = await getTenant(here.portal.db, tenant.id)
    expect(here.portal.now().getTime() - Date.parse(lastReadAt ?? '')).toBeLessThan(minute)
  })

  test('probes no link while the partner’s own credential fails, and all of them afterwards', async () => {
    const tenant = await unseenConsent('Probed')
    here.clock.advance(61 * minute)
    await alarm()
    await keepHouse(here.portal)
    expect(await findTenant(here.portal.db, tenant.id)).toBeNull()
    await here.portal.db.deleteFrom('partner_faults').execute()
    await keepHouse(here.portal)
    expect(await findTenant(here.portal.db, tenant.id)).toMatchObject({ boundHow: 'pinned' })
  })

  test('reads tenants while Microsoft keeps the probe of another waiting', async () => {
    const read = (await connected(here, 'Read')).tenant
    const slow = await unseenConsent('Slow')
    here.clock.advance(61 * minute)
    here.simulator.world.setWeather(slow.id, 'slow', { surface: 'token', delayMs: 3_000 })
    const runs = async () =>
      (await syncsOf(here.portal.db, read.id, 99)).reduce((sum, { outcome, polls }) => sum + (outcome ? polls : 0), 0)
    const earlier = await runs()
    worker = startWorker(here.portal)
    await until(async () => (await runs()) > earlier)
    await requestSync(here.portal.db, before, read.id, here.portal.now())
    await until(async () => (await runs()) > earlier + 1)
    expect(await findTenant(here.portal.db, slow.id)).toBeNull()
  })

  test('does every other chore when one fails', async () => {
    const { db, now } = here.portal
    const ended = new Date(now().getTime() - minute).toISOString()
    await saveSession(db, 'an-old-session', { operatorId: null, data: '{}', createdAt: ended, expiresAt: ended })
    await sql`alter table consent_attempts rename to attempts_elsewhere`.execute(db)
    await keepHouse(here.portal)
    expect(await db.selectFrom('sessions').select('id_hash').execute()).toEqual([])
    expect(here.takeErrors()[0]).toMatchObject({ msg: 'housekeeping failed', chore: 'abandoned claims' })
  })

  test('begins nothing once it stops, not even what a probe of the credential finds that was under way', async () => {
    const { tenant } = await connected(here, 'Late')
    const { db } = here.portal
    const { world, requests } = here.simulator
    await alarm()
    here.clock.advance(2 * minute)
    await db.updateTable('tenants').set({ next_check_at: here.portal.now().toISOString() }).execute()
    world.setWeather(here.partner.id, 'slow', { surface: 'token', delayMs: 700 })
    world.setWeather(here.partner.id, 'outage', { surface: 'token', status: 503 })
    const atHome = () => requests.filter(({ path }) => path.includes(here.partner.id) && path.endsWith('/token')).length
    const before = atHome()
    worker = startWorker(here.portal)
    await until(() => atHome() > before)
    await worker.stop()
    const asked = requests.filter(({ path }) => path.includes(tenant.id)).length
    const row = () => db.selectFrom('tenants').select(['check_lease_until', 'check_fence']).executeTakeFirstOrThrow()
    const stopped = await row()
    expect(stopped.check_lease_until).toBeNull()
    await until(() => requests.every(({ endedAt }) => endedAt !== null), { what: 'the probe is answered' })
    expect(requests.filter(({ path }) => path.includes(tenant.id))).toHaveLength(asked)
    expect(await row()).toEqual(stopped)
  })

  test('stops a long pass at the edge of a page: what is stored stays, and the rest is due at once', async () => {
    const { tenant } = await connected(here, 'Large')
    const { db } = here.portal
    for (let n = 0; n < 450; n++) here.simulator.world.addIncident(tenant.id, { severity: 'low', status: 'active' })
    here.clock.advance(5 * minute)
    here.simulator.world.setWeather(tenant.id, 'slow', { surface: 'defender', delayMs: 400 })
    const cursor = (await getTenant(db, tenant.id)).cursor
    worker = startWorker(here.portal)
    await until(async () => (await syncsOf(db, tenant.id, 1)).some(({ outcome, pages }) => !outcome && pages > 0))
    await worker.stop()
    const stopped = await getTenant(db, tenant.id)
    expect(stopped).toMatchObject({ syncing: false, cursor, syncFailures: 0 })
    expect(Date.parse(stopped.nextSyncAt ?? '')).toBeLessThanOrEqual(here.portal.now().getTime())
    expect(stopped.incidentCount).toBeGreaterThan(99)
    expect(stopped.incidentCount).toBeLessThan(451)
    here.simulator.world.clearWeather()
    await untilNothingIsDue(here)
    expect(await getTenant(db, tenant.id)).toMatchObject({ incidentCount: 451, syncPhase: 'following' })
    expect((await syncsOf(db, tenant.id, 2)).map(({ outcome }) => outcome)).toEqual(['complete', 'overtaken'])
  })

  test('counts a list as read although its alerts are throttled, and fetches them when Microsoft allows', async () => {
    const there = await startTestPortal(engine, { config: { incidentsApi: 'graph' } })
    try {
      const tenant = consentedTenant(there, 'Throttled')
      there.simulator.world.consent(tenant.id, there.portal.config.app.clientId, {
        roles: ['SecurityIncident.Read.All'],
      })
      there.simulator.world.setWeather(tenant.id, 'throttle', { path: '/alerts', retryAfter: 120, forMs: 100_000 })
      const customer = await customerNamed(there, 'Throttled')
      await enterTenant(there.portal, before, customer.id, tenant.id)
      await untilNothingIsDue(there)
      const read = await getTenant(there.portal.db, tenant.id)
      expect(read).toMatchObject({ syncFailures: 0, lastReadCode: null, incidentCount: 1 })
      expect(Date.parse(read.nextSyncAt ?? '') - there.portal.now().getTime()).toBeGreaterThan(110_000)
      const [kept] = await there.portal.db.selectFrom('incidents').select(['alert_count', 'alerts_read_at']).execute()
      expect(kept).toEqual({ alert_count: 0, alerts_read_at: null })
      there.clock.advance(3 * minute)
      await untilNothingIsDue(there)
      there.clock.advance(3 * minute)
      await untilNothingIsDue(there)
      const [fetched] = await there.portal.db.selectFrom('incidents').select('alert_count').execute()
      expect(fetched?.alert_count).toBeGreaterThan(0)
    } finally {
      await there.close()
    }
  })
})
