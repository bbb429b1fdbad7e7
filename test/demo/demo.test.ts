import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { listStatuses } from '../../server/customers/progress.ts'
import type { CustomerStatus } from '../../server/customers/status.ts'
import { demoCustomers } from '../../server/demo/cast.ts'
import { createLog } from '../../server/log.ts'
import { muster } from '../../server/store/audit.ts'
import { createCustomer } from '../../server/store/customers/customers.ts'
import { openDatabase } from '../../server/store/engine/database.ts'
import { notesOf } from '../../server/store/incidents/notes.ts'
import { listTenants } from '../../server/store/tenants/tenants.ts'
import { Browser } from '../support/browser.ts'
import { build } from '../support/build.ts'
import { freshDatabase } from '../support/databases.ts'
import type { Place } from '../support/places.ts'
import { onEachEngine } from '../support/portal.ts'
import { freePort, listen } from '../support/ports.ts'
import { type StartedProcess, startNode } from '../support/processes.ts'
import { root } from '../support/root.ts'
import { until } from '../support/waiting.ts'

const folder = mkdtempSync(join(tmpdir(), 'muster-demo-'))
const log = createLog('silent')
const running = new Set<StartedProcess>()
const demoProgram = 'dist-demo/demo/cli.js'

beforeAll(() => {
  build()
  build('demo')
  // Somebody's real configuration: the demonstration must not touch what it names.
  writeFileSync(join(folder, '.env'), 'DATABASE_URL=postgres://real@127.0.0.1:1/real\nAZURE_CLIENT_ID=real\n')
})
afterEach(() => {
  for (const { child } of running) child.kill('SIGKILL')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** `npm run demo` on a machine that has set nothing but ports and a place for the data. */
function start({ dataDir, databaseUrl }: Place, env: Record<string, string> = {}, ...options: string[]) {
  const demo = run(folder, [demoProgram, 'demo', ...options], {
    PORT: '0',
    SIMULATOR_PORT: '0',
    DATA_DIR: dataDir,
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
    ...env,
  })
  return {
    ...demo,
    async ready() {
      await demo.said(/Stop with Ctrl-C/)
      return {
        portal: (await demo.said(/Muster +(http\S+)/))[1] ?? '',
        simulator: (await demo.said(/Simulated Microsoft +(http\S+)\/_sim/))[1] ?? '',
      }
    },
  }
}

/** A program of the repository, as npm runs it. */
function run(cwd: string, [program = '', ...options]: string[], env: Record<string, string>): StartedProcess {
  const started = startNode([join(root, program), ...options], { cwd, env })
  running.add(started)
  void started.ended.then(() => running.delete(started))
  return started
}

async function lookInto<T>(
  place: Place,
  look: (db: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>,
): Promise<T> {
  const db = await openDatabase({ ...place, log })
  try {
    return await look(db)
  } finally {
    await db.destroy()
  }
}

const standings = (place: Place) =>
  lookInto(place, async (db) => new Map((await listStatuses(db, new Date())).map((line) => [line.customer.name, line])))

/** Whether any tenant was read since then. */
const readSince = (place: Place, since: Date) =>
  lookInto(place, async (db) => {
    const row = await db
      .selectFrom('tenants')
      .select('tenant_id')
      .where('last_read_at', '>', since.toISOString())
      .executeTakeFirst()
    return row !== undefined
  })

/** No time in what was read is later than its reading, and no incident changed after its tenant was read last. */
async function expectOneStory(place: Place): Promise<void> {
  const rows = await lookInto(place, (db) =>
    db
      .selectFrom('incidents')
      .innerJoin('tenants', 'tenants.tenant_id', 'incidents.tenant_id')
      .select(['incident_id', 'created_at', 'last_update_at', 'first_seen_at', 'stored_at', 'last_read_at'])
      .select(['facts', 'alerts', 'original', 'alert_originals'])
      .execute(),
  )
  expect(rows.length).toBeGreaterThan(500)
  const slack = 1_000
  const isLater = (at: string, than: string) => Date.parse(at) > Date.parse(than) + slack
  for (const row of rows) {
    const { created_at, last_update_at, first_seen_at, stored_at } = row
    const id = row.incident_id
    expect([id, isLater(created_at, first_seen_at), isLater(last_update_at, stored_at)]).toEqual([id, false, false])
    expect([id, isLater(last_update_at, row.last_read_at ?? '')]).toEqual([id, false])
    const text = [row.facts, row.alerts, row.original, row.alert_originals].join('')
    const times = [...text.matchAll(/"(20\d\d-\d\d-\d\dT[\d:.]+Z)"/g)].map(([, at = '']) => at)
    expect([id, times.filter((at) => isLater(at, stored_at))]).toEqual([id, []])
  }
}

const everyStanding: CustomerStatus[] = [
  'offboarded',
  'review',
  'claimed',
  'active',
  'blind',
  'limited',
  'unlicensed',
  'blocked',
  'revoked',
  'declined',
  'at-microsoft',
  'opened',
  'waiting',
  'expired',
  'withdrawn',
  'not-invited',
]

async function signInAs(
  portal: string,
  name: string,
): Promise<{ browser: Browser; page: { status: number; text: string } }> {
  const browser = new Browser(portal)
  const left = await browser.submit(await browser.open('/sign-in'), '/auth/login')
  const accounts = await browser.follow(left)
  const id = new RegExp(`value="([^"]+)" class="account"><span class="name">${name}<`).exec(accounts.text)?.[1] ?? ''
  const page = await browser.follow(await browser.submit(accounts, '/', { account: id }))
  return { browser, page }
}

onEachEngine('npm run demo', (engine) => {
  let place: Place & { drop(): Promise<void> }
  beforeAll(async () => {
    place = await freshDatabase(engine)
  })
  afterAll(() => place.drop())

  test('starts from nothing, can be used, stops, and is found again as it was left', async () => {
    const first = start(place)
    const { portal, simulator } = await first.ready()
    expect((await fetch(`${portal}/readyz`)).status).toBe(200)
    expect((await fetch(`${simulator}/_sim`)).status).toBe(200)

    const ines = await signInAs(portal, 'Ines Lindqvist')
    const list = await ines.browser.open('/customers')
    expect(list.text).toContain('Norrsken Kommunal Energi AB')
    expect(list.text).toContain('晶瀚精密光學股份有限公司')
    expect((await signInAs(portal, 'Linnea Ståhl')).page.status).toBe(403)
    const customer = await signInAs(portal, 'Åsa Holmgren')
    expect(customer.page.text).toMatch(/AADSTS50020.*does not exist in tenant/s)

    first.child.kill('SIGINT')
    expect(await first.ended).toBe(0)
    await expect(fetch(`${portal}/healthz`)).rejects.toThrow()
    await expect(fetch(`${simulator}/_sim/health`)).rejects.toThrow()

    const before = await standings(place)
    const began = new Date()
    const second = start(place)
    await second.ready()
    expect(second.text()).toMatch(/Found again/)
    expect(second.text()).toMatch(/Your own portal: copy \.env\.example to \.env/)
    expect(second.text()).not.toMatch(/Bringing/)
    // A quiet tenant's next poll is minutes away.
    await lookInto(place, (db) =>
      db
        .updateTable('tenants')
        .set({ next_sync_at: began.toISOString() })
        .where('access_state', '=', 'active')
        .execute(),
    )
    await until(() => readSince(place, began), { what: 'a tenant is read again', withinMs: 120_000, everyMs: 500 })
    second.child.kill('SIGTERM')
    expect(await second.ended).toBe(0)
    const after = await standings(place)
    expect([...after].map(([name, line]) => [name, line.standing])).toEqual(
      [...before].map(([name, line]) => [name, line.standing]),
    )

    const secrets = Object.values(JSON.parse(readFileSync(join(place.dataDir, 'demo.json'), 'utf8')) as object)
    for (const secret of secrets.filter((value) => typeof value === 'string')) {
      expect(first.text() + second.text()).not.toContain(secret)
    }
  })

  test('shows customers in every state, most of them with incidents', async () => {
    const lines = [...(await standings(place)).values()]
    expect(lines.length).toBeGreaterThanOrEqual(18)
    expect(new Set(lines.map(({ standing }) => standing))).toEqual(new Set(everyStanding))
    expect(new Set(lines.map(({ customer }) => customer.language))).toEqual(new Set(['en', 'sv', 'zh-Hant']))
    const tenants = await lookInto(place, listTenants)
    const active = tenants.filter(({ accessState }) => accessState === 'active')
    expect(active.length).toBeGreaterThanOrEqual(7)
    for (const tenant of active) {
      expect(tenant.incidentCount).toBeGreaterThan(10)
      expect(tenant.displayName).not.toBeNull()
      expect(tenant.syncPhase).toBe('following')
    }
    const revoked = tenants.find(({ accessState }) => accessState === 'revoked')
    expect(revoked?.incidentCount).toBeGreaterThan(10)
    expect(Date.parse(revoked?.lastReadAt ?? '')).toBeLessThan(Date.now() - 3_600_000)
  })

  test('has a past: read whole, compared, paused, written about, and nothing read before it happened', async () => {
    const tenants = await lookInto(place, listTenants)
    // The one whose first sync is under way is finished by the worker, in its own time.
    const { norrsken, yuanze } = demoCustomers
    const aboard = tenants.filter(({ incidentCount, tenantId }) => incidentCount > 0 && tenantId !== yuanze.tenantId)
    expect(aboard.every(({ backfilledAt }) => backfilledAt !== null)).toBe(true)
    const compared = aboard.filter(({ reconciledAt }) => reconciledAt !== null)
    expect(compared.length).toBeGreaterThanOrEqual(8)
    expect(compared.map(({ reconcileDifferences }) => reconcileDifferences).filter((n) => n > 0)).toEqual([1])
    expect(tenants.filter(({ pausedAt }) => pausedAt !== null).length).toBe(1)
    const notes = await lookInto(place, (db) => notesOf(db, norrsken.tenantId, '2288'))
    expect(notes.map(({ byName }) => byName)).toEqual(['Tomasz Wilk'])
    expect(notes[0]?.incidentId).not.toBe('2288')
  })

  test('tells one story: nothing was read before it happened, in no tenant after its last reading', () =>
    expectOneStory(place))

  if (engine === 'PostgreSQL') {
    test('says who has its database, from whatever folder', async () => {
      const first = start(place)
      await first.ready()
      const second = start({ ...place, dataDir: join(folder, 'another-folder') })
      expect(await second.ended).toBe(1)
      expect(second.text()).toContain(`DATABASE_URL is in use by “npm run demo”, process ${first.child.pid}`)
      first.child.kill('SIGINT')
      expect(await first.ended).toBe(0)
      const fresh = start(place, {}, '--fresh')
      expect(await fresh.ended).toBe(1)
      expect(fresh.text()).toMatch(/removes nothing from a database server/)
    })
  }

  test('tells one story: each tenant was read when it was proven, and the audit goes forward', async () => {
    const tenants = (await lookInto(place, listTenants)).filter(({ firstIncidentAt }) => firstIncidentAt !== null)
    expect(tenants.length).toBeGreaterThanOrEqual(10)
    for (const { tenantId, firstActiveAt, firstIncidentAt } of tenants) {
      const minutes = (Date.parse(firstIncidentAt ?? '') - Date.parse(firstActiveAt ?? '')) / 60_000
      expect([tenantId, minutes >= 0 && minutes < 5]).toEqual([tenantId, true])
    }
    const events = await lookInto(place, (db) => db.selectFrom('audit_events').select('at').orderBy('id').execute())
    const times = events.map(({ at }) => at)
    expect(times).toEqual([...times].sort())
  })
})

const somebodyElse = {
  name: 'Contoso',
  language: 'en',
  contactName: null,
  contactEmail: null,
  notes: null,
  groups: [],
  expectedTenantId: null,
  expectedDomain: null,
}

describe('npm run demo', () => {
  const place = (name: string): Place => ({ dataDir: join(folder, name), databaseUrl: null })

  test('tells the same story over Microsoft Graph', async () => {
    const own = place('graph')
    const demo = start(own, { INCIDENTS_API: 'graph' })
    await demo.ready()
    demo.child.kill('SIGINT')
    expect(await demo.ended).toBe(0)
    const lines = [...(await standings(own)).values()]
    expect(new Set(lines.map(({ standing }) => standing))).toEqual(new Set(everyStanding))
  })

  test('keeps its secrets to its user', async () => {
    const { dataDir } = place('graph')
    expect(statSync(dataDir).mode & 0o777).toBe(0o700)
    for (const file of ['demo.json', 'muster.db', 'simulator.json']) {
      expect(statSync(join(dataDir, file)).mode & 0o077).toBe(0)
    }
  })

  test('finishes a first start that was killed in the middle', async () => {
    const own = place('killed')
    const first = start(own)
    await first.said(/to life … 31 of/)
    first.child.kill('SIGKILL')
    await first.ended
    const half = await standings(own)
    expect(half.size).toBeGreaterThan(3)
    const second = start(own)
    await second.ready()
    second.child.kill('SIGINT')
    expect(await second.ended).toBe(0)
    const lines = [...(await standings(own)).values()]
    expect(lines.length).toBe(new Set(lines.map(({ customer }) => customer.name)).size)
    expect(new Set(lines.map(({ standing }) => standing))).toEqual(new Set(everyStanding))
    await expectOneStory(own)
  })

  test('begins anew when it is told to, and removes nothing that is not its own', async () => {
    const own = place('graph')
    await lookInto(own, (db) => createCustomer(db, muster, somebodyElse, new Date()))
    writeFileSync(join(own.dataDir, 'notes.txt'), 'mine')
    const before = JSON.parse(readFileSync(join(own.dataDir, 'demo.json'), 'utf8')) as { appSecret: string }
    const demo = start(own, {}, '--fresh')
    await demo.said(/to life … 16 of/)
    demo.child.kill('SIGINT')
    expect(await demo.ended).toBe(0)
    const names = [...(await standings(own)).keys()]
    expect(names.length).toBeGreaterThan(0)
    expect(names).not.toContain(somebodyElse.name)
    const after = JSON.parse(readFileSync(join(own.dataDir, 'demo.json'), 'utf8')) as { appSecret: string }
    expect(after.appSecret).not.toBe(before.appSecret)
    expect(readFileSync(join(own.dataDir, 'notes.txt'), 'utf8')).toBe('mine')
  })

  test('says who has its folder, and takes one that a killed process left behind', async () => {
    const own = place('shared')
    const first = start(own)
    await first.said(/to life … 1 of/)
    for (const script of ['demo', 'simulator']) {
      const other = run(own.dataDir, [demoProgram, script], { PORT: '0', SIMULATOR_PORT: '0', DATA_DIR: own.dataDir })
      expect(await other.ended).toBe(1)
      expect(other.text()).toContain(`simulator.json is in use by “npm run demo”, process ${first.child.pid}, since 20`)
      expect(other.text()).toContain('Stop that one, or set DATA_DIR to another folder.')
    }
    first.child.kill('SIGKILL')
    await first.ended
    const next = start(own)
    await next.said(/to life … 1 of/)
    next.child.kill('SIGINT')
    expect(await next.ended).toBe(0)
  })

  test('says in one sentence why it cannot have its folder', async () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    const demo = start({ dataDir: join(file, 'within'), databaseUrl: null })
    expect(await demo.ended).toBe(1)
    expect(demo.text()).toContain(`The folder ${join(file, 'within')} cannot be used: a part of it is a file.`)
    expect(demo.text()).not.toMatch(/\s+at .*\.js/)
  })

  test('stops cleanly while it is still starting', async () => {
    const demo = start(place('stopped'))
    await demo.said(/to life … 1 of/)
    demo.child.kill('SIGINT')
    expect(await demo.ended).toBe(0)
    expect(demo.text()).not.toMatch(/Error|\s+at .*\.js/)
  })

  test('names the variable when a port is taken', async () => {
    const holder = createServer()
    const port = String(await listen(holder))
    try {
      for (const variable of ['PORT', 'SIMULATOR_PORT']) {
        const demo = start(place(`taken-${variable}`), { [variable]: port })
        expect(await demo.ended).toBe(1)
        expect(demo.text()).toContain(`Port ${port} is in use by another process. Set ${variable} to another one`)
        expect(demo.text()).not.toMatch(/\s+at .*\.js/)
      }
    } finally {
      holder.close()
    }
  })

  test('leaves a database alone that holds somebody else’s customers', async () => {
    const own = place('somebody-else')
    await lookInto(own, (db) => createCustomer(db, muster, somebodyElse, new Date()))
    const fresh = start(own, {}, '--fresh')
    expect(await fresh.ended).toBe(1)
    expect(fresh.text()).toMatch(/none of them is the demonstration’s: nothing was changed/)
    const demo = start(own)
    expect(await demo.ended).toBe(1)
    expect(demo.text()).toMatch(/none of them is the demonstration’s: nothing was changed/)
    expect([...(await standings(own)).keys()]).toEqual(['Contoso'])
    for (const file of ['simulator.json', 'demo.json']) expect(existsSync(join(own.dataDir, file))).toBe(false)
  })

  test('says what is wrong with what it was given', async () => {
    const demo = start(place('wrong'), { INCIDENTS_API: 'both', PUBLIC_URL: 'ftp://here' })
    expect(await demo.ended).toBe(1)
    expect(demo.text()).toMatch(/INCIDENTS_API is not one of the choices/)
    expect(demo.text()).toMatch(/PUBLIC_URL is not an origin/)
    const port = start(place('wrong'), { PORT: 'eighty' })
    expect(await port.ended).toBe(1)
    expect(port.text()).toMatch(/PORT is not a port number/)
  })
})

describe('npm run simulator', () => {
  const bare = join(folder, 'simulator-alone')
  beforeAll(() => mkdirSync(bare))

  test('says who has its state', async () => {
    const env = { SIMULATOR_PORT: '0', PORT: '0', DATA_DIR: join(bare, 'shared') }
    const first = run(bare, [demoProgram, 'simulator'], env)
    await first.said(/Stop it with Ctrl-C/)
    const second = run(bare, [demoProgram, 'simulator'], env)
    expect(await second.ended).toBe(1)
    expect(second.text()).toContain(`is in use by “npm run simulator”, process ${first.child.pid}, since 20`)
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)
    const third = run(bare, [demoProgram, 'simulator'], env)
    await third.said(/Stop it with Ctrl-C/)
    third.child.kill('SIGTERM')
    expect(await third.ended).toBe(0)
  })

  test('prints what "npm start" needs to sign people in with it', async () => {
    const port = String(await freePort())
    const simulator = run(bare, [demoProgram, 'simulator'], {
      SIMULATOR_PORT: '0',
      PORT: port,
      DATA_DIR: join(bare, 'data'),
    })
    await simulator.said(/Stop it with Ctrl-C/)
    const lines = [...simulator.text().matchAll(/^ {2}([A-Z_]+)=(\S+)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ])
    const portal = run(bare, ['dist/main.js'], {
      ...Object.fromEntries(lines),
      PORT: port,
      LOG_LEVEL: 'warn',
      DATA_DIR: join(bare, 'data'),
    })
    await portal.said(/Muster runs at/)
    const { page } = await signInAs(`http://localhost:${port}`, 'Ines Lindqvist')
    expect(page.status).toBe(200)
    expect(page.text).toContain('Ines Lindqvist')
    for (const one of [portal, simulator]) {
      one.child.kill('SIGTERM')
      expect(await one.ended).toBe(0)
    }
  })

  test('takes registrations from the environment, and does not print their secrets', async () => {
    const simulator = run(bare, [demoProgram, 'simulator'], {
      SIMULATOR_PORT: '0',
      DATA_DIR: join(bare, 'own'),
      AZURE_TENANT_ID: '5f0a9c3e-0000-4b10-8a4e-b1c6d2e90f44',
      AZURE_CLIENT_ID: '3b7f2d90-0000-4a86-9d43-0f8e61b7a2c5',
      AZURE_CLIENT_SECRET: 'canary-secret',
    })
    await simulator.said(/Stop it with Ctrl-C/)
    const [, origin = ''] = await simulator.said(/runs at (http\S+);/)
    const answer = await fetch(`${origin}/5f0a9c3e-0000-4b10-8a4e-b1c6d2e90f44/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: '3b7f2d90-0000-4a86-9d43-0f8e61b7a2c5',
        client_secret: 'canary-secret',
        scope: 'https://api.security.microsoft.com/.default',
      }),
    })
    expect(answer.status).toBe(200)
    expect(simulator.text()).not.toContain('canary')
  })

  test('names the variable when its port is taken', async () => {
    const holder = createServer()
    const port = String(await listen(holder))
    const simulator = run(bare, [demoProgram, 'simulator'], { SIMULATOR_PORT: port, DATA_DIR: join(bare, 'taken') })
    expect(await simulator.ended).toBe(1)
    expect(simulator.text()).toContain(`Port ${port} is in use by another process. Set SIMULATOR_PORT`)
    holder.close()
  })
})
