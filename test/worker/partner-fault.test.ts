import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Refusal } from '../../server/model/refusal.ts'
import { probePartner, reportPartnerFault } from '../../server/partner/fault.ts'
import { listAudit } from '../../server/store/audit.ts'
import { write } from '../../server/store/engine/write.ts'
import { readPartnerFaults, recordPartnerFault } from '../../server/store/partner/faults.ts'
import { requestCheck, requestedCheckGapMs } from '../../server/store/tenants/checks.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { runDue } from '../../server/worker/worker.ts'
import { before, connected, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'

const minute = 60_000

onEachEngine('a fault of the partner’s own credential', (engine) => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startTestPortal(engine)
    // In its own tenant the app has a service principal, as at Microsoft.
    here.simulator.world.consent(here.partner.id, here.portal.config.app.clientId)
  })
  afterEach(() => here.close())

  const alarms = async () => (await readPartnerFaults(here.portal.db)).map(({ code }) => code)
  const refusal = () =>
    new Refusal('partner-credential', { at: here.portal.now().toISOString(), aadsts: 7000215, status: 401 })
  const tokensAsked = () => here.simulator.requests.filter(({ path }) => path.endsWith('/oauth2/v2.0/token')).length
  const checkNow = (tenantId: string) => requestCheck(here.portal.db, before, tenantId, here.portal.now())

  test('said by one tenant while it works at home is that tenant’s own trouble: no alarm, the others go on', async () => {
    const odd = (await connected(here, 'Odd')).tenant
    const sound = (await connected(here, 'Sound')).tenant
    here.simulator.world.setWeather(odd.id, 'refusal', { code: 7000215 })
    here.clock.advance(10 * minute)
    await checkNow(odd.id)
    await untilNothingIsDue(here)
    expect(await alarms()).toEqual([])
    const { lastReadAt } = await getTenant(here.portal.db, sound.id)
    expect(here.portal.now().getTime() - Date.parse(lastReadAt ?? '')).toBeLessThan(minute)
    expect(await getTenant(here.portal.db, odd.id)).toMatchObject({ accessState: 'active' })
  })

  test('is raised once it fails at home as well; then one request a minute, states kept, and an end without a restart', async () => {
    const tenants = []
    for (let n = 0; n < 6; n++) tenants.push((await connected(here, `Tenant ${n}`)).tenant)
    here.simulator.world.expireSecrets(here.portal.config.app.clientId)
    here.clock.advance(requestedCheckGapMs)
    for (const { id } of tenants) await checkNow(id)
    const before = tokensAsked()
    await untilNothingIsDue(here)
    expect(await alarms()).toEqual(['partner-credential'])
    // Those that were in flight, and the partner’s own tenant once.
    expect(tokensAsked() - before).toBeLessThanOrEqual(7)
    const raised = tokensAsked()
    for (let tick = 0; tick < 240; tick++) {
      here.clock.advance(15_000)
      await runDue(here.portal)
    }
    expect(tokensAsked() - raised).toBeGreaterThanOrEqual(55)
    expect(tokensAsked() - raised).toBeLessThanOrEqual(61)
    for (const { id } of tenants) expect((await getTenant(here.portal.db, id)).accessState).toBe('active')
    expect(await listAudit(here.portal.db, { actions: ['alarm.raised'], limit: 9 })).toHaveLength(1)
    here.simulator.world.renewSecrets(here.portal.config.app.clientId)
    here.clock.advance(61_000)
    await untilNothingIsDue(here)
    expect(await alarms()).toEqual([])
    for (const { id } of tenants) {
      const { lastReadAt } = await getTenant(here.portal.db, id)
      expect(here.portal.now().getTime() - Date.parse(lastReadAt ?? '')).toBeLessThan(minute)
    }
  })

  test.each([
    [50032, [70002]],
    [50012, [70002]],
    [7999999, []],
  ])('told by AADSTS%i behind %j is one fault of that number, and touches no tenant', async (code, also) => {
    const tenants = []
    for (let n = 0; n < 3; n++) tenants.push((await connected(here, `Tenant ${n}`)).tenant)
    here.simulator.world.setWeather('*', 'refusal', { code, also, word: 'invalid_client' })
    here.clock.advance(requestedCheckGapMs)
    for (const { id } of tenants) await checkNow(id)
    await untilNothingIsDue(here)
    expect(await readPartnerFaults(here.portal.db)).toMatchObject([
      { code: 'partner-credential', facts: { aadsts: code } },
    ])
    for (const { id } of tenants) expect((await getTenant(here.portal.db, id)).accessState).toBe('active')
  })

  test('that cannot be looked into at home takes two tenants within minutes, and one that says it twice is one', async () => {
    here.simulator.world.setWeather(here.partner.id, 'outage', { surface: 'token', status: 503 })
    const { portal } = here
    expect(await reportPartnerFault(portal, 'a', refusal())).toBe(false)
    expect(await reportPartnerFault(portal, 'a', refusal())).toBe(false)
    here.clock.advance(11 * minute)
    expect(await reportPartnerFault(portal, 'b', refusal())).toBe(false)
    here.clock.advance(minute)
    expect(await reportPartnerFault(portal, 'a', refusal())).toBe(true)
    expect(await alarms()).toEqual(['partner-credential'])
  })

  test('that many tenants report at once asks home once, and again after a minute', async () => {
    const ask = () =>
      Promise.all(Array.from({ length: 20 }, (_, n) => reportPartnerFault(here.portal, `t${n}`, refusal())))
    await ask()
    await ask()
    expect(tokensAsked()).toBe(1)
    here.clock.advance(61_000)
    await ask()
    expect(tokensAsked()).toBe(2)
  })

  test('is none of other refusals’ business', async () => {
    const other = new Refusal('not-consented', { at: here.portal.now().toISOString() })
    expect(await reportPartnerFault(here.portal, 'a', other)).toBe(false)
    expect(tokensAsked()).toBe(0)
  })

  test('that home cannot answer for is tried again with one tenant a minute, each time another', async () => {
    const odd = (await connected(here, 'Odd')).tenant
    here.clock.advance(minute)
    await connected(here, 'Sound')
    here.simulator.world.setWeather(odd.id, 'refusal', { code: 7000215 })
    here.simulator.world.setWeather(here.partner.id, 'outage', { surface: 'token', status: 503 })
    await write(here.portal.db, (tx) =>
      recordPartnerFault(tx, 'partner-credential', refusal().facts, here.portal.now()),
    )
    here.clock.advance(minute)
    await runDue(here.portal)
    expect(await alarms()).toHaveLength(1)
    expect(await runDue(here.portal)).toBe(0)
    expect(await probePartner(here.portal)).toBe('not-yet')
    here.clock.advance(minute)
    await runDue(here.portal)
    expect(await alarms()).toEqual([])
  })
})
