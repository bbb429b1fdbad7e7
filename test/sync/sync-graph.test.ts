import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { rejectedOf } from '../../server/store/incidents/rejected.ts'
import { getTenant } from '../../server/store/tenants/tenants.ts'
import { connected, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, type TestPortal } from '../support/portal.ts'
import { difference, hour, minute, run, startGraphPortal, withoutComparison } from '../support/sync.ts'

onEachEngine('a sync over Microsoft Graph', (engine) => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startGraphPortal(engine)
  })
  afterEach(() => here.close())

  const alertCalls = (id: number | string) =>
    here.simulator.requests.filter(({ path }) => path.endsWith(`/incidents/${id}/alerts`)).length

  test('reads the alerts of each incident by themselves, thirty in a pass', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await withoutComparison(here)
    const { world } = here.simulator
    here.clock.advance(11 * minute)
    for (let n = 0; n < 70; n++) world.addIncident(tenant.id, { status: 'active' })
    await untilNothingIsDue(here)
    const due = () =>
      here.portal.db.selectFrom('incidents').select('incident_id').where('alerts_read_at', 'is', null).execute()
    expect(await due()).toHaveLength(40)
    await run(here, 2 * minute)
    expect(await due()).toHaveLength(10)
    await run(here, 2 * minute)
    expect(await due()).toEqual([])
    expect(await difference(here, tenant.id)).toEqual([])
  })

  test('reads them once more ten minutes after a change, and then no more', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await withoutComparison(here)
    const { world } = here.simulator
    here.clock.advance(11 * minute)
    const one = world.addIncident(tenant.id)
    await untilNothingIsDue(here)
    await run(here, 1_500)
    expect(alertCalls(one.id)).toBe(1)
    await run(here, 8 * minute)
    expect(alertCalls(one.id)).toBe(1)
    await run(here, 11 * minute)
    expect(alertCalls(one.id)).toBe(2)
    await run(here, 11 * minute)
    await run(here, 11 * minute)
    expect(alertCalls(one.id)).toBe(2)
  })

  test('sets aside what Microsoft cannot give, says so, and has the others', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await withoutComparison(here)
    const { world } = here.simulator
    const large = world.addIncident(tenant.id, { severity: 'high' })
    const small = world.addIncident(tenant.id, { severity: 'low' })
    world.setWeather(tenant.id, 'outage', {
      status: 500,
      retryAfter: null,
      path: `/incidents/${large.id}`,
      forMs: hour,
    })
    await run(here, 11 * minute)
    await run(here, 2_500)
    expect(await rejectedOf(here.portal.db, tenant.id)).toMatchObject([
      { item: `${large.id} alerts`, reason: 'alerts-unread' },
    ])
    expect(await difference(here, tenant.id)).toEqual([expect.stringMatching(`^${large.id}:`)])
    expect(alertCalls(small.id)).toBe(1)
    expect(await getTenant(here.portal.db, tenant.id)).toMatchObject({ syncFailures: 0, lastReadCode: null })
    await run(here, 2 * hour)
    expect(await rejectedOf(here.portal.db, tenant.id)).toEqual([])
    expect(await difference(here, tenant.id)).toEqual([])
  })

  test.each([
    ['foreign-tenant', 1],
    ['no-id', 0],
  ] as const)(
    'has the others where one alert is not understood, says so, and reads that one again: %s',
    async (oddity, missing) => {
      const { tenant } = await connected(here, 'Contoso')
      await withoutComparison(here)
      const { world } = here.simulator
      const { id } = world.addIncident(tenant.id, { alerts: 2 })
      world.addAlert(tenant.id, id)
      const kept = async () => {
        const row = await here.portal.db
          .selectFrom('incidents')
          .select(['alert_count', 'alerts_read_at'])
          .where('incident_id', '=', String(id))
          .executeTakeFirstOrThrow()
        return [row.alert_count, row.alerts_read_at !== null]
      }
      const oddly = { oddity, surface: 'graph', path: `/incidents/${id}/alerts`, count: 1 } as const
      world.setWeather(tenant.id, 'odd-item', oddly)
      await run(here, 11 * minute)
      await run(here, 2_500)
      const whole = world.incident(tenant.id, id).recipes.reduce((sum, { count }) => sum + count, 0)
      expect(await kept()).toEqual([whole - missing, false])
      const items = async () => (await rejectedOf(here.portal.db, tenant.id)).map(({ item }) => item)
      expect(await items()).toEqual([`${id} alerts`])
      await run(here, 2 * hour)
      expect([await kept(), await items()]).toEqual([[whole, true], []])
    },
  )

  test('gives the alerts of merged incidents to the survivor, and asks nothing for the others', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await withoutComparison(here)
    const { world } = here.simulator
    here.clock.advance(11 * minute)
    const [one, other, third] = [1, 2, 3].map(() => world.addIncident(tenant.id))
    if (!one || !other || !third) throw new Error('none were added')
    await run(here, 11 * minute)
    await run(here, 11 * minute)
    const asked = alertCalls(one.id)
    const survivor = world.mergeIncidents(tenant.id, [one.id, other.id])
    world.mergeIncidents(tenant.id, [survivor.id], third.id)
    await run(here, 11 * minute)
    await run(here, 11 * minute)
    expect(await difference(here, tenant.id)).toEqual([])
    expect(alertCalls(one.id)).toBe(asked)
  })
})
