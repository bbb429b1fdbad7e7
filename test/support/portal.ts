import { describe } from '@jest/globals'
import { type Config, readConfig } from '../../server/config/config.ts'
import { createLog } from '../../server/log.ts'
import { redirectUris } from '../../server/microsoft/wire/addresses.ts'
import type { Portal } from '../../server/portal.ts'
import { startPortal } from '../../server/process/start.ts'
import { type Simulator, startSimulator } from '../../server/simulator/simulator.ts'
import type { Person, Tenant } from '../../server/simulator/world/directory.ts'
import { Browser } from './browser.ts'
import { type Engine, freshDatabase } from './databases.ts'

export type { Engine } from './databases.ts'

const postgres = process.env.TEST_DATABASE_URL

/** The same tests on both engines. Without TEST_DATABASE_URL those on PostgreSQL are skipped, and say so by name. */
export function onEachEngine(title: string, tests: (engine: Engine) => void): void {
  describe(`${title}, on SQLite`, () => tests('SQLite'))
  if (postgres) describe(`${title}, on PostgreSQL`, () => tests('PostgreSQL'))
  else describe.skip(`${title}, on PostgreSQL (skipped: TEST_DATABASE_URL is not set)`, () => tests('PostgreSQL'))
}

/** Alice runs the portal, Carol works in it, Bob may look but not touch, Mallory is entitled to nothing. */
interface Cast {
  alice: Person
  carol: Person
  bob: Person
  mallory: Person
}

const partnerId = '99999999-aaaa-4bbb-8ccc-0123456789ab'
const appId = '33333333-aaaa-4bbb-8ccc-0123456789ab'
const signInAppId = '44444444-aaaa-4bbb-8ccc-0123456789ab'

/** One clock for the portal and for Microsoft, which a test can move. */
class TestClock {
  #offset: number

  constructor(start: Date) {
    this.#offset = start.getTime() - Date.now()
  }

  now = (): Date => new Date(Date.now() + this.#offset)

  advance(ms: number): void {
    this.#offset += ms
  }
}

export interface TestPortal {
  storage: Awaited<ReturnType<typeof startPortal>>['storage']
  url: string
  portal: Portal
  simulator: Simulator
  clock: TestClock
  partner: Tenant
  cast: Cast
  /** Every line of the log so far. */
  lines: Record<string, unknown>[]
  /** A browser nobody used before. */
  browser(): Browser
  /** A browser in which that person has signed in, by way of Microsoft. */
  signedIn(person: Person): Promise<Browser>
  /**
   * Stops everything.
   * @throws Error when the log holds an error that the test did not take out of it with `takeErrors`
   */
  close(): Promise<void>
  /** The errors in the log since the last call. */
  takeErrors(): Record<string, unknown>[]
}

/**
 * The real portal with a database of its own, beside a small Microsoft: only the clock and the wires are ours. `start` is
 * the time at which it begins; the machine's where none is given.
 */
export async function startTestPortal(
  engine: Engine = 'SQLite',
  options: {
    config?: Partial<Config>
    worker?: boolean
    introduced?: boolean
    start?: Date
    logWindowMs?: number
  } = {},
): Promise<TestPortal> {
  const clock = new TestClock(options.start ?? new Date())
  const database = await freshDatabase(engine)
  const simulator = await startSimulator({
    now: () => clock.now().getTime(),
    registrations: [
      {
        ...registration(appId, 'Muster', 'multi', [{ resource: 'mtp', roles: ['Incident.Read.All'] }]),
        groupMembershipClaims: 'DirectoryRole',
      },
      registration(signInAppId, 'Muster sign-in', 'single', []),
    ],
  })
  const lines: Record<string, unknown>[] = []
  const log = createLog('info', { write: (line: string) => void lines.push(JSON.parse(line)) }, options.logWindowMs)
  const running = await startPortal(
    { ...configFor(simulator.origin), ...database, ...options.config },
    { log, now: clock.now, worker: options.worker ? 'here' : false },
  )
  const { portal } = running
  if (options.introduced ?? true) await introducePartner(portal)
  for (const uri of Object.values(redirectUris(portal.config))) {
    for (const clientId of [appId, signInAppId]) simulator.world.registration(clientId).redirectUris.push(uri)
  }
  const { world } = simulator
  const partner = world.addTenant({ id: partnerId, displayName: 'Halvard Security AB' })
  const person = (name: string, ...appRoles: string[]) => world.addPerson(partner.id, { name, appRoles })
  const cast: Cast = {
    alice: person('Alice Admin', 'Muster.Admin'),
    carol: person('Carol Analyst', 'Muster.Analyst'),
    bob: person('Bob Reader', 'Muster.Reader'),
    mallory: person('Mallory Nobody'),
  }
  const url = `http://127.0.0.1:${portal.config.port}`
  let taken = 0
  const takeErrors = () => {
    const errors = lines.slice(taken).filter(({ level }) => level === 'error' || level === 'fatal')
    taken = lines.length
    return errors
  }
  const browser = () => new Browser(portal.config.publicUrl)
  return {
    url,
    portal,
    storage: running.storage,
    simulator,
    clock,
    partner,
    cast,
    lines,
    browser,
    takeErrors,
    async signedIn(who) {
      const own = browser()
      const arrived = await signIn(own, who)
      if (arrived.status >= 400 && arrived.url.includes('/auth/')) throw new Error(`${who.name} could not sign in`)
      return own
    },
    async close() {
      await running.close()
      await simulator.close()
      await database.drop()
      const errors = takeErrors()
      if (errors.length > 0) throw new Error(`unexpected errors in the log: ${JSON.stringify(errors, null, 1)}`)
    },
  }
}

/** What Settings hold of the partner before a test begins: enough for a link, and nothing in the audit log. */
export async function introducePartner({ db, now }: Portal): Promise<void> {
  const value = JSON.stringify({ partnerName: 'Halvard Security AB', contactPhone: '+46 8 555 001 00' })
  await db.insertInto('settings').values({ name: 'partner', value, changed_at: now().toISOString() }).execute()
}

/** Signs a person in, as the buttons lead; returns the page at the end, wherever that is. */
export async function signIn(
  browser: Browser,
  person: Person,
  start = '/sign-in',
): Promise<Awaited<ReturnType<Browser['get']>>> {
  const left = await browser.submit(await browser.open(start), '/auth/login')
  const accounts = await browser.follow(left)
  if (!/Pick an account/.test(accounts.text)) return accounts
  return browser.follow(await browser.submit(accounts, '/', { account: person.id }))
}

function registration(
  clientId: string,
  displayName: string,
  audience: 'single' | 'multi',
  requiredResources: { resource: 'mtp'; roles: string[] }[],
) {
  return {
    clientId,
    displayName,
    audience,
    requiredResources,
    secrets: [{ value: `${displayName}-secret` }],
    redirectUris: [],
    homeTenantId: partnerId,
    publisher: 'Halvard Security AB',
    appRoles: ['Muster.Admin', 'Muster.Analyst', 'Muster.Reader'],
  }
}

function configFor(origin: string): Config {
  return readConfig({
    PORT: '0',
    SESSION_SECRET: 'zY8xW6vU4tS2rQ0pO9nM7lK5jI3hG1fE',
    AZURE_CLIENT_ID: appId,
    AZURE_CLIENT_SECRET: 'Muster-secret',
    AZURE_TENANT_ID: partnerId,
    SIGN_IN_CLIENT_ID: signInAppId,
    SIGN_IN_CLIENT_SECRET: 'Muster sign-in-secret',
    AZURE_AUTHORITY_HOST: origin,
    DEFENDER_API_URL: origin,
    GRAPH_API_URL: origin,
  })
}
