import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { enterTenant } from '../../server/onboarding/by-hand.ts'
import { before, consentedTenant, customerNamed, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, type TestPortal } from '../support/portal.ts'
import { day, hour, instantOf, run, startGraphPortal } from '../support/sync.ts'

onEachEngine('what is open at Graph under a status without a name here', (engine) => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startGraphPortal(engine)
  })
  afterEach(() => here.close())

  /** A tenant with one open incident of each status, last changed 45 days ago, and the statuses that are kept of it. */
  async function withOldOpen(prepare: (tenantId: string) => void = () => undefined) {
    const customer = await customerNamed(here, 'Contoso')
    const tenant = consentedTenant(here, 'Contoso')
    const at = instantOf(here.portal.now().getTime() - 45 * day)
    const { world } = here.simulator
    for (const status of ['active', 'inProgress', 'awaitingAction'] as const) {
      world.addIncident(tenant.id, { status, createdAt: at, lastUpdateAt: at })
    }
    prepare(tenant.id)
    await enterTenant(here.portal, before, customer.id, tenant.id)
    await untilNothingIsDue(here)
    const statuses = async () =>
      (await here.portal.db.selectFrom('incidents').select('status').where('open', '=', 1).execute())
        .map(({ status }) => status)
        .filter((status) => status !== 'unknown')
    return { tenant, statuses }
  }

  test('is read at first, however long ago it changed', async () => {
    const { statuses } = await withOldOpen()
    expect(await statuses()).toEqual(expect.arrayContaining(['active', 'inProgress', 'awaitingAction']))
  })

  test('is found by the comparison where the list cannot be had by its status', async () => {
    const refused = { status: 400, retryAfter: null, path: encodeURIComponent("status ne 'active'"), forMs: 400 * day }
    const { statuses } = await withOldOpen((tenantId) => here.simulator.world.setWeather(tenantId, 'outage', refused))
    expect(await statuses()).toEqual(expect.arrayContaining(['active', 'inProgress']))
    for (let n = 0; n < 4; n++) await run(here, 7 * hour)
    expect(await statuses()).toEqual(expect.arrayContaining(['awaitingAction']))
  })
})
