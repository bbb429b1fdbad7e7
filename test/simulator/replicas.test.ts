import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Simulator, startSimulator } from '../../server/simulator/simulator.ts'
import { instantOf } from '../../server/simulator/world/instants.ts'
import { appId, call, customerId, graphRoles, registrations, stage, start, tokenFor } from '../support/simulator.ts'
import { until } from '../support/waiting.ts'

/** Neither what is written is shown at once everywhere, nor is every list read from the newest state. */
let simulator: Simulator
let token: string

beforeEach(async () => {
  simulator = (await stage()).simulator
  simulator.world.registration(appId).requiredResources.push({ resource: 'graph', roles: graphRoles })
  simulator.world.consent(customerId, appId)
  token = await tokenFor(simulator, customerId)
})
afterEach(() => simulator.close())

const listed = async (query = '') =>
  (await call(simulator, token, `/api/incidents${query}`)).body.value.map(
    ({ incidentId, incidentName }: { incidentId: number; incidentName: string }) => [incidentId, incidentName],
  )
const one = async (id: number) => (await call(simulator, token, `/api/incidents/${id}`)).status

describe('what is shown later than it was written', () => {
  test('is new: neither listed nor found, then listed with the time it was written', async () => {
    const { world, clock } = simulator
    world.addIncident(customerId, { id: 1, name: 'first' }, { shownAfterMs: 5_000 })
    clock.advance(4_999)
    expect([await listed(), await one(1)]).toEqual([[], 404])
    clock.advance(1)
    expect([await listed(), await one(1)]).toEqual([[[1, 'first']], 200])
    expect(world.incident(customerId, 1).lastUpdateAt.slice(0, 19)).toBe(instantOf(start).slice(0, 19))
  })

  test('is a change: until then the version before is listed, and the next change builds on it', async () => {
    const { world, clock } = simulator
    world.addIncident(customerId, { id: 1, name: 'old' })
    world.updateIncident(customerId, 1, { name: 'new' }, { shownAfterMs: 5_000 })
    expect(await listed()).toEqual([[1, 'old']])
    expect(world.incident(customerId, 1).name).toBe('new')
    world.updateIncident(customerId, 1, { comment: 'seen' })
    expect(await listed()).toEqual([[1, 'new']])
    clock.advance(10_000)
    expect(world.incident(customerId, 1).comments).toHaveLength(1)
    expect(await listed()).toEqual([[1, 'new']])
  })

  test('comes in whatever order: an older version never takes the place of a newer one', async () => {
    const { world, clock } = simulator
    world.addIncident(customerId, { id: 1, name: 'first' })
    world.updateIncident(customerId, 1, { name: 'second' }, { shownAfterMs: 10_000 })
    world.updateIncident(customerId, 1, { name: 'third' }, { shownAfterMs: 5_000 })
    clock.advance(5_000)
    expect(await listed()).toEqual([[1, 'third']])
    clock.advance(5_000)
    expect(await listed()).toEqual([[1, 'third']])
  })

  test('is gone when it is removed meanwhile', async () => {
    const { world, clock } = simulator
    world.addIncident(customerId, { id: 1 }, { shownAfterMs: 5_000 })
    world.removeIncident(customerId, 1)
    clock.advance(5_000)
    expect(await listed()).toEqual([])
  })

  test('bears an older time where it was given one: it arrives late', async () => {
    const { world, clock } = simulator
    world.addIncident(customerId, { id: 1, name: 'late', lastUpdateAt: instantOf(start) }, { shownAfterMs: 60_000 })
    clock.advance(60_000)
    const query = (at: number) => `?$filter=lastUpdateTime ge ${new Date(at).toISOString()}`
    expect(await listed(query(start + 1))).toEqual([])
    expect(await listed(query(start))).toEqual([[1, 'late']])
  })

  test('is ordered by the control API as well', async () => {
    const post = (action: string, body: unknown) =>
      call(simulator, null, `/_sim/${action}`, { method: 'POST', body: { tenant: customerId, ...(body as object) } })
    await post('add-incident', { id: 1, name: 'old' })
    await post('add-incident', { id: 2, shownAfterMs: 1_000 })
    await post('update-incident', { incident: 1, name: 'new', shownAfterMs: 1_000 })
    expect(await listed()).toEqual([[1, 'old']])
    simulator.clock.advance(1_000)
    expect((await listed()).map(([id]: [number]) => id).sort()).toEqual([1, 2])
  })

  test('is remembered over a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'muster-simulator-'))
    const options = { registrations: registrations(), now: () => start, stateFile: join(folder, 'state.json') }
    const first = await startSimulator(options)
    first.world.addTenant({ id: customerId, displayName: 'Customer' })
    first.world.addIncident(customerId, { id: 7 }, { shownAfterMs: 60_000 })
    await first.close()
    const second = await startSimulator(options)
    expect(second.world.incident(customerId, 7).id).toBe(7)
    await second.close()
    rmSync(folder, { recursive: true })
  })
})

describe('stale lists', () => {
  const weather = (options = {}) => simulator.world.setWeather(customerId, 'stale', options)

  test.each(['/api/incidents', '/v1.0/security/incidents'])('%s shows an earlier state', async (path) => {
    const { world, clock } = simulator
    const own = path.startsWith('/api') ? token : await tokenFor(simulator, customerId, 'https://graph.microsoft.com')
    const names = async () =>
      (await call(simulator, own, path)).body.value.map(
        (item: Record<string, string>) => item.incidentName ?? item.displayName,
      )
    world.addIncident(customerId, { id: 1, name: 'old' })
    world.addIncident(customerId, { id: 2, name: 'removed later', lastUpdateAt: instantOf(start - 60_000) })
    clock.advance(30_000)
    world.updateIncident(customerId, 1, { name: 'new' })
    world.removeIncident(customerId, 2)
    world.addIncident(customerId, { id: 3, name: 'added later' })
    weather({ ageMs: 10_000, count: 1 })
    expect(await names()).toEqual(['old', 'removed later'])
    expect(await names()).toEqual(expect.arrayContaining(['new', 'added later']))
    expect(await names()).toHaveLength(2)
  })

  test('are a minute old where nothing is said, and go no further back than changes are remembered', async () => {
    const { world, clock } = simulator
    world.addIncident(customerId, { id: 1, name: 'old' })
    clock.advance(59_000)
    world.updateIncident(customerId, 1, { name: 'new' })
    clock.advance(60_999)
    weather({ count: 1 })
    expect(await listed()).toEqual([[1, 'new']])
    weather({ count: 1, ageMs: 61_000 })
    expect(await listed()).toEqual([[1, 'old']])
  })

  test('leave single incidents and changes alone', async () => {
    const { world, clock } = simulator
    world.addIncident(customerId, { id: 1, name: 'old' })
    clock.advance(5_000)
    world.updateIncident(customerId, 1, { name: 'new' })
    weather({ ageMs: 1_000 })
    const { body } = await call(simulator, token, '/api/incidents/1')
    expect(body.incidentName).toBe('new')
    await call(simulator, token, '/api/incidents/1', { method: 'PATCH', body: { comment: 'kept' } })
    expect(world.incident(customerId, 1)).toMatchObject({ name: 'new', comments: [{ comment: 'kept' }] })
  })
})

test('a request is written down with its caller and its end', async () => {
  await call(simulator, token, '/api/incidents', { headers: { 'user-agent': 'process 7' } })
  const record = simulator.requests.at(-1)
  expect(record).toMatchObject({ agent: 'process 7', status: 200, at: start })
  await until(() => record?.endedAt !== null, { everyMs: 1 })
  expect(record?.endedAt).toBe(start)
})
