import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Simulator, startSimulator } from '../../server/simulator/simulator.ts'
import { cast } from '../../server/simulator/world/cast.ts'
import {
  appId,
  askToken,
  call,
  customerId,
  otherId,
  partnerId,
  read,
  registrations,
  secret,
  stage,
  tokenFor,
} from '../support/simulator.ts'
import { Browser } from '../support/simulator-browser.ts'
import { until } from '../support/waiting.ts'

const running: Simulator[] = []
const tracked = <S extends Simulator>(simulator: S): S => {
  running.push(simulator)
  return simulator
}
afterEach(async () => {
  for (const simulator of running.splice(0)) await simulator.close()
})

describe('the control API', () => {
  let simulator: Simulator
  beforeEach(async () => {
    simulator = tracked((await stage({ controlPages: true })).simulator)
  })
  const post = (action: string, body: unknown, headers: Record<string, string> = {}) =>
    call(simulator, null, `/_sim/${action}`, { method: 'POST', body, headers })

  test('drives the same world as the functions', async () => {
    expect((await post('consent', { tenant: 'customer.example' })).body.grants).toHaveLength(2)
    expect((await askToken(simulator, customerId)).status).toBe(200)
    await post('remove-role', { tenant: customerId, role: 'Incident.ReadWrite.All' })
    await post('generate', { tenant: customerId, count: 5, seed: 1 })
    const added = await post('add-incident', { tenant: customerId, story: 'aitm', id: 40, tags: ['Test'] })
    expect(added.body).toMatchObject({ id: 40, severity: 'high', tags: ['Test'] })
    await post('update-incident', { tenant: customerId, incident: 40, status: 'inProgress', comment: 'x', by: 'asa' })
    await post('add-alert', { tenant: customerId, incident: 40 })
    expect(simulator.world.incident(customerId, 40)).toMatchObject({
      status: 'inProgress',
      comments: [{ comment: 'x', createdBy: 'asa' }],
    })
    expect((await post('merge-incidents', { tenant: customerId, ids: [1, 2] })).body.id).toBe(41)
    await post('remove-incident', { tenant: customerId, incident: 3 })
    expect(simulator.world.tenant(customerId).incidents.size).toBe(6)
    await post('weather', { tenant: '*', kind: 'outage', count: 1, status: 502 })
    const token = await tokenFor(simulator, customerId)
    expect((await call(simulator, token, '/api/incidents')).status).toBe(502)
    await post('weather', { tenant: customerId, kind: 'throttle', seconds: 60 })
    await post('clear-weather', {})
    expect((await call(simulator, token, '/api/incidents')).status).toBe(200)
    await post('expire-secrets', {})
    expect((await askToken(simulator, customerId)).body.error_codes).toEqual([7000222])
    await post('renew-secrets', {})
    await post('block', { tenant: customerId })
    expect((await askToken(simulator, customerId)).body.error_codes).toEqual([53003])
    await post('unblock', { tenant: customerId })
    await post('disable-app', { tenant: customerId })
    expect((await askToken(simulator, customerId)).body.error_codes).toEqual([7000112])
    await post('revoke', { tenant: customerId })
    expect((await askToken(simulator, customerId)).body.error_codes).toEqual([7000229])
    await post('manners', { notConsentedCode: 700016 })
    expect((await askToken(simulator, customerId)).body.error_codes).toEqual([700016])
    const before = simulator.clock.now()
    await post('advance', { ms: 3_600_000 })
    expect(simulator.clock.now()).toBe(before + 3_600_000)
    const made = await post('add-tenant', { displayName: 'Nytt Bolag AB' })
    const person = await post('add-person', {
      tenant: made.body.id,
      name: 'Nya Ägaren',
      directoryRole: 'Global Administrator',
    })
    expect(person.body.username).toBe('nya.agaren@nyttbolagab.example')
    await post('add-guest', { tenant: partnerId, person: person.body.id, appRoles: ['Muster.Reader'] })
    expect(simulator.world.tenant(partnerId).people.at(-1)).toMatchObject({ home: { personId: person.body.id } })
  })

  test.each([
    ['consent', { tenant: 'nobody.example' }],
    ['consent', {}],
    ['weather', { tenant: '*', kind: 'sunshine' }],
    ['add-alert', { tenant: 'customer.example', incident: 99 }],
    ['merge-incidents', { tenant: 'customer.example', ids: 'x' }],
    ['manners', { nonsense: 1 }],
    ['advance', { ms: 'soon' }],
  ])('refuses %s with %j', async (action, body) => {
    const answer = await post(action, body)
    expect([answer.status, typeof answer.body.error]).toEqual([400, 'string'])
  })

  test('lists its actions to whoever asks for one that does not exist', async () => {
    const { status, body } = await post('constructor', {})
    expect(status).toBe(404)
    expect(body.error).toContain('merge-incidents')
  })

  test('tells the state without secrets', async () => {
    const text = await (await fetch(`${simulator.origin}/_sim/state`)).text()
    expect(JSON.parse(text).tenants).toHaveLength(3)
    expect(text).not.toContain(secret)
  })

  test('refuses other sites and other host names', async () => {
    const headers = { origin: 'https://attacker.example' }
    expect((await post('consent', { tenant: customerId }, headers)).status).toBe(403)
    expect((await post('consent', { tenant: customerId }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await post('consent', { tenant: customerId }, { origin: simulator.origin })).status).toBe(200)
    const { hostname, port } = new URL(simulator.origin)
    const status = await new Promise((resolve) => {
      request({ hostname, port, path: '/_sim/state', headers: { host: 'attacker.example' } }, (res) =>
        resolve(res.statusCode),
      ).end()
    })
    expect(status).toBe(403)
  })

  test('has a page whose buttons work without scripts', async () => {
    const browser = new Browser()
    await browser.open(`${simulator.origin}/_sim`)
    expect(browser.text()).toContain('Customer & Sons')
    expect(browser.body).not.toContain('<script')
    const tenants = browser.forms().filter(({ buttons }) => buttons.some(({ value }) => value === 'consent'))
    expect(tenants.map(({ fields }) => fields.tenant)).toEqual([customerId, otherId])
    await browser.press('consent')
    expect(browser.text()).toContain('Done: consent')
    expect(await askToken(simulator, customerId)).toMatchObject({ status: 200 })
    await browser.press('kind=throttle', { tenant: customerId, seconds: '30' })
    expect(browser.text()).toContain('Done: weather throttle')
    expect(browser.text()).toContain('throttle on api, 30 s')
    await browser.press('Merge them', { ids: '7' })
    expect(browser.text()).toContain('Refused: ')
    for (const action of [
      'add-incident',
      'unlicense',
      'license',
      'block',
      'unblock',
      'expire-secrets',
      'renew-secrets',
      'advance',
      'clear-weather',
    ]) {
      await browser.press(action)
      expect(browser.text()).toContain(`Done: ${action}`)
    }
  })
})

test('the page is there only when asked for', async () => {
  const { simulator } = await stage()
  tracked(simulator)
  expect((await fetch(`${simulator.origin}/_sim`)).status).toBe(404)
  expect((await fetch(`${simulator.origin}/_sim/simulator.css`)).headers.get('content-type')).toContain('text/css')
})

describe('memory', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simulator-'))
    file = join(folder, 'nested', 'world.json')
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const open = (world: 'demo' | 'empty' = 'demo') =>
    startSimulator({ registrations: registrations(), stateFile: file, world, propagationMs: 0 })

  test('keeps tenants, consents, incidents, merges, revocations, secrets and the signing key over a restart', async () => {
    const first = await open()
    const { world } = first
    world.consent(cast.norrsken.id, appId)
    world.consent(cast.ostrava.id, appId)
    world.revoke(cast.ostrava.id, appId)
    world.setLicensed(cast.calder.id, false)
    world.updateIncident(cast.norrsken.id, 2291, { comment: 'remember me' })
    world.mergeIncidents(cast.norrsken.id, [2288], 2291)
    const token = await tokenFor(first, cast.norrsken.id)
    const before = await call(first, token, '/api/incidents/2291')
    await first.close()

    const second = tracked(await open())
    const after = await call(second, token, '/api/incidents/2291')
    expect(after.status).toBe(200)
    expect(after.body).toEqual(before.body)
    expect((await call(second, token, '/api/incidents/2288')).body.redirectIncidentId).toBe(2291)
    expect((await askToken(second, cast.ostrava.id)).body.error_codes).toEqual([7000229])
    expect(second.world.tenant(cast.calder.id).licensed).toBe(false)
    second.world.expireSecrets(appId)
    await second.close()
    running.pop()
    const third = tracked(await open())
    expect((await askToken(third, cast.norrsken.id)).body.error_codes).toEqual([7000222])
  })

  test('is written soon after a change, and never half', async () => {
    const simulator = tracked(await open('empty'))
    const { id } = simulator.world.addTenant({ displayName: 'Late Ltd' })
    const kept = () => JSON.parse(readFileSync(file, 'utf8')).tenants.map((tenant: { id: string }) => tenant.id)
    expect(await until(() => kept().length > 0)).toBeLessThan(5_000)
    expect(kept()).toEqual([id])
  })

  test('refuses a file that is not its own', async () => {
    const foreign = join(folder, 'foreign.json')
    writeFileSync(foreign, '{"version":7}')
    await expect(startSimulator({ registrations: [], stateFile: foreign })).rejects.toThrow(
      'was not written by this simulator',
    )
  })
})

describe('the demonstration', () => {
  test('has a partner, customers and tenants nobody expects, each with its own people', async () => {
    const simulator = tracked(await startSimulator({ registrations: registrations(), world: 'demo' }))
    const members = Object.values(cast)
    expect(members.length).toBeGreaterThanOrEqual(19)
    const ids = members.flatMap(({ id, people }) => [id, ...Object.values(people).map((person) => person.id)])
    expect(new Set(ids).size).toBe(ids.length)
    for (const { id, domains } of members) {
      const tenant = simulator.world.tenant(id)
      expect(tenant.domains).toEqual([...domains])
      expect(tenant.domains[0]).toMatch(/\.onmicrosoft\.com$/)
      expect(tenant.domains[1]).toMatch(/\.example$/)
      expect(tenant.people.some(({ directoryRole }) => directoryRole === 'Global Administrator')).toBe(true)
      expect(tenant.people.some(({ directoryRole }) => directoryRole === 'User')).toBe(true)
    }
    const { ines, tomasz, priya, linnea } = cast.halvard.people
    const rolesOf = (personId: string) => simulator.world.person(personId)?.appRoles
    expect([ines, tomasz, priya, linnea].map(({ id }) => rolesOf(id))).toEqual([
      ['Muster.Admin'],
      ['Muster.Analyst'],
      ['Muster.Reader'],
      [],
    ])
  })

  test('has the incidents of the last 30 days, with merged chains, none in the future', async () => {
    const simulator = tracked(await startSimulator({ registrations: registrations(), world: 'demo' }))
    const now = simulator.clock.now()
    const all = simulator.world.tenants().flatMap(({ incidents }) => incidents.all())
    expect(all.length).toBeGreaterThan(700)
    for (const { createdAt, lastUpdateAt } of all) {
      expect(Date.parse(createdAt)).toBeGreaterThan(now - 30.1 * 86_400_000)
      expect(Date.parse(lastUpdateAt)).toBeLessThanOrEqual(now + 10)
      expect(lastUpdateAt >= createdAt).toBe(true)
    }
    const norrsken = simulator.world.tenant(cast.norrsken.id).incidents
    expect(norrsken.get(2291)).toMatchObject({
      severity: 'high',
      status: 'inProgress',
      assignedTo: 'tomasz.wilk@halvard.example',
    })
    const redirected = norrsken.all().filter(({ status }) => status === 'redirected')
    expect(redirected.some(({ redirectId }) => norrsken.get(redirectId ?? 0)?.status === 'redirected')).toBe(true)
    const open = norrsken
      .all()
      .filter(({ status }) => status === 'active' || status === 'inProgress' || status === 'awaitingAction')
    expect(open.length).toBeGreaterThan(3)
    expect(open.length).toBeLessThan(40)
  })

  test('goes on living when asked to', async () => {
    const simulator = tracked(await startSimulator({ registrations: registrations(), world: 'demo', liveIncidents: 5 }))
    const seen = () =>
      simulator.world
        .tenants()
        .map(({ incidents }) => incidents.all().at(-1)?.lastUpdateAt)
        .join()
    const before = seen()
    await until(() => seen() !== before, { what: 'something happens' })
  })
})

test('two simulators have two ports, and a taken one is refused', async () => {
  const first = tracked(await startSimulator({ registrations: [] }))
  const port = Number(new URL(first.origin).port)
  await expect(startSimulator({ registrations: [], port })).rejects.toThrow('EADDRINUSE')
  const second = tracked(await startSimulator({ registrations: [], freshKey: true }))
  const keys = async (simulator: Simulator) =>
    (await read(await fetch(`${simulator.origin}/common/discovery/v2.0/keys`))).body.keys[0].kid
  expect(await keys(second)).not.toBe(await keys(first))
})

test('paths that Microsoft does not have are not found, and broken bodies are refused', async () => {
  const { simulator } = await stage()
  tracked(simulator)
  expect((await call(simulator, null, '/v1.0/users')).status).toBe(404)
  const token = await read(
    await fetch(`${simulator.origin}/api/incidents/1`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: '{"x":',
    }),
  )
  expect(token.status).toBe(400)
})
