import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { connected, untilNothingIsDue } from '../support/admin.ts'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import {
  day,
  difference,
  expectExactCounts,
  hour,
  instantOf,
  minute,
  rereadAll,
  run,
  startGraphPortal,
} from '../support/sync.ts'

const any = fc.nat({ max: 1_000_000 })
/** `late`: shown within the overlap of polls · `lost`: later than that, so that only a comparison finds it. */
const step = fc.record({
  what: fc.constantFrom('add', 'late', 'lost', 'twin', 'update', 'resolve', 'reopen', 'merge', 'alert', 'poll'),
  which: any,
  seconds: fc.nat({ max: 800 }),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function apply(here: TestPortal, tenantId: string, { what, which, seconds }: Step): void {
  const { world } = here.simulator
  const all = world.tenant(tenantId).incidents.all()
  const unmerged = all.filter(({ redirectId }) => redirectId === null)
  const one = unmerged[which % unmerged.length]
  const other = unmerged[(which + 7) % unmerged.length]
  const now = here.portal.now().getTime()
  const at = instantOf(now - seconds * 1_000)
  const old = instantOf(now - 3 * hour - seconds * 1_000)
  if (what === 'add') world.addIncident(tenantId)
  if (what === 'late') world.addIncident(tenantId, { createdAt: at, lastUpdateAt: at })
  if (what === 'lost') world.addIncident(tenantId, { createdAt: old, lastUpdateAt: old })
  if (!one || !other) return
  if (what === 'twin') world.addIncident(tenantId, { createdAt: one.lastUpdateAt, lastUpdateAt: one.lastUpdateAt })
  if (what === 'update')
    world.updateIncident(tenantId, one.id, { assignedTo: `${which}@contoso.example`, classification: 'truePositive' })
  if (what === 'resolve') world.updateIncident(tenantId, one.id, { status: 'resolved', severity: 'low' })
  if (what === 'reopen') world.updateIncident(tenantId, one.id, { status: 'active', assignedTo: null })
  if (what === 'alert') world.addAlert(tenantId, one.id)
  // A survivor may be merged in its turn: chains.
  if (what === 'merge' && one !== other) world.mergeIncidents(tenantId, [one.id], other.id)
}

describe.each(['defender', 'graph'] as const)('over the %s API', (incidentsApi) => {
  onEachEngine('what is kept', (engine) => {
    let here: TestPortal
    beforeEach(async () => {
      here = await (incidentsApi === 'graph' ? startGraphPortal(engine) : startTestPortal(engine))
    })
    afterEach(() => here.close())

    test('is what Microsoft has after any changes, once it has been compared', async () => {
      const { tenant } = await connected(here, 'Contoso')
      here.simulator.world.generate(tenant.id, 40)
      await rereadAll(here, tenant.id)
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
          for (const one of steps) {
            here.clock.advance(one.seconds * 100)
            if (one.what === 'poll') await untilNothingIsDue(here)
            else apply(here, tenant.id, one)
          }
          await run(here, 11 * minute)
          if (steps.some(({ what }) => what === 'lost' || what === 'twin')) await run(here, 26 * hour)
          // The alerts that the list does not bring are read thirty at a time, and once more ten minutes later.
          await run(here, 11 * minute)
          expect(await difference(here, tenant.id)).toEqual([])
          await expectExactCounts(here, tenant.id)
        }),
        { numRuns: 12 },
      )
    })
  })
})

onEachEngine('a list that moves while it is read', (engine) => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startTestPortal(engine)
  })
  afterEach(() => here.close())

  test('is read twice, and nothing of it is lost', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await here.portal.db.updateTable('tenants').set({ next_window_at: null, next_reconcile_at: null }).execute()
    here.clock.advance(5 * day)
    const { world, requests } = here.simulator
    world.generate(tenant.id, 450, { days: 4 })
    const moved = { surface: 'defender', path: 'incidents', count: 1 } as const
    world.setWeather(tenant.id, 'change-between-pages', moved)
    const start = requests.length
    await untilNothingIsDue(here)
    const lists = requests.slice(start).filter(({ url }) => url.includes('top=100'))
    expect(lists.filter(({ url }) => url === lists[0]?.url)).toHaveLength(2)
    await run(here, 11 * minute)
    expect(await difference(here, tenant.id)).toEqual([])
  })
})
