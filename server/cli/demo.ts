import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type Config, ConfigError, type Environment, readConfig } from '../config.ts'
import { createLog, type Log } from '../log.ts'
import { connectMicrosoft } from '../microsoft/connect.ts'
import { cast } from '../simulator/cast.ts'
import { type Simulator, startSimulator } from '../simulator/simulator.ts'
import { startPortal } from '../start.ts'
import { listCustomers } from '../store/customers.ts'
import { openDatabase } from '../store/database.ts'
import { SchemaTooNewError } from '../store/migrations.ts'
import { demoCustomers } from './demo-cast.ts'
import { bringToLife } from './demo-world.ts'
import { CannotStart, portFault, portOf, stopOnSignal } from './process.ts'
import { simulated, simulatedRegistrations } from './registrations.ts'

/** What the demonstration keeps of itself, beside the database and the simulated world. */
interface Kept {
  version: 1
  appSecret: string
  signInSecret: string
  sessionSecret: string
  /** Whether the customers have been brought to where they stand. */
  told: boolean
}

const registeredAgo = 90 * 86_400_000

/** Variables that the demonstration takes over as they are; everything else it sets itself, whatever `.env` says. */
const passedOn = ['HOST', 'PUBLIC_URL', 'TRUST_PROXY', 'INCIDENTS_API', 'DATABASE_URL'] as const

/**
 * `npm run demo`: the portal as it always is, and a Microsoft of its own beside it. The first start brings a world of
 * customers to life; later ones find it as it was left.
 * @throws CannotStart
 */
export async function demo(): Promise<void> {
  const stopping = new AbortController()
  const undo: (() => Promise<void>)[] = []
  let starting: Promise<void> = Promise.resolve()
  stopOnSignal(async () => {
    stopping.abort()
    await starting.catch(() => undefined)
    for (const release of undo.reverse()) await release()
  })
  starting = start(stopping.signal, undo)
  await starting.catch(async (error: unknown) => {
    if (stopping.signal.aborted) return
    for (const release of undo.reverse()) await release()
    throw error
  })
}

async function start(signal: AbortSignal, undo: (() => Promise<void>)[]): Promise<void> {
  const dataDir = process.env.DATA_DIR?.trim() || './data/demo'
  const kept = readKept(dataDir)
  const log = createLog(process.env.LOG_LEVEL?.trim() || 'warn')
  const port = await freePort(portOf('PORT', 3000), process.env.HOST?.trim() || '127.0.0.1')
  const simulatorPort = portOf('SIMULATOR_PORT', 4000)
  console.log('Starting Muster with a simulated Microsoft …')

  const stateFile = join(dataDir, 'simulator.json')
  const draft = configFor({ kept, dataDir, port, origin: 'http://127.0.0.1:1' })
  const known = await knowsItsCustomers(draft, log)
  const fresh = !(kept.told && known)
  // A world that was left half told begins anew; the portal keeps what it has.
  if (fresh) rmSync(stateFile, { force: true })

  const simulator = await startSimulator({
    port: simulatorPort,
    world: 'demo',
    merged: false,
    registrations: simulatedRegistrations({
      tenantId: simulated.tenantId,
      clientId: simulated.clientId,
      secret: kept.appSecret,
      certificate: null,
      signIn: { clientId: simulated.signInClientId, secret: kept.signInSecret },
      publicUrl: draft.publicUrl,
      api: draft.incidentsApi,
    }),
    stateFile,
    controlPages: true,
    liveIncidents: true,
  }).catch((error: unknown) => {
    throw portFault('SIMULATOR_PORT', simulatorPort, error) ?? error
  })
  undo.push(() => simulator.close())
  letAppReadNames(simulator)

  const config = configFor({ kept, dataDir, port, origin: simulator.origin })
  if (fresh) {
    await tell(config, log, simulator, signal)
    keep(dataDir, { ...kept, told: true })
  }
  signal.throwIfAborted()
  const running = await startPortal(config, { log, worker: 'thread' }).catch((error: unknown) => {
    throw portFault('PORT', port, error) ?? error
  })
  undo.push(() => running.close())
  console.log(welcome(running.url, simulator.origin, config, fresh))
}

/** The environment of `npm start`, pointed at the simulated Microsoft. */
function configFor(options: { kept: Kept; dataDir: string; port: number; origin: string }): Config {
  const { kept, dataDir, port, origin } = options
  const env: Environment = {
    ...Object.fromEntries(passedOn.map((name) => [name, process.env[name]])),
    PORT: String(port),
    DATA_DIR: dataDir,
    SESSION_SECRET: kept.sessionSecret,
    AZURE_TENANT_ID: simulated.tenantId,
    AZURE_CLIENT_ID: simulated.clientId,
    AZURE_CLIENT_SECRET: kept.appSecret,
    SIGN_IN_CLIENT_ID: simulated.signInClientId,
    SIGN_IN_CLIENT_SECRET: kept.signInSecret,
    AZURE_AUTHORITY_HOST: origin,
    DEFENDER_API_URL: origin,
    GRAPH_API_URL: origin,
  }
  try {
    return readConfig(env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const lines = error.problems.map(({ variable, problem, remedy }) => `  ${variable} ${problem}. ${remedy}`)
    throw new CannotStart(['The demonstration cannot start with this environment:', ...lines].join('\n'))
  }
}

/**
 * Whether the database holds the demonstration's customers.
 * @throws CannotStart when it holds others: nothing of anybody's is mixed with a demonstration
 */
async function knowsItsCustomers(config: Config, log: Log): Promise<boolean> {
  const db = await openDatabase({ ...config, log }).catch((error: unknown) => {
    if (error instanceof SchemaTooNewError) throw new CannotStart(error.message)
    const { code, message } = error as NodeJS.ErrnoException
    throw new CannotStart(
      `The database cannot be opened (${code ?? message}). Check DATABASE_URL, or DATA_DIR when it is empty.`,
    )
  })
  try {
    const names = (await listCustomers(db)).map(({ name }) => name)
    const ours = new Set<string>(Object.values(demoCustomers).map(({ name }) => name))
    if (names.length > 0 && !names.some((name) => ours.has(name))) {
      throw new CannotStart(
        'This database holds customers, and none of them is the demonstration’s: nothing was changed. Set DATA_DIR or DATABASE_URL to a place of its own.',
      )
    }
    return names.length > 0
  } finally {
    await db.destroy()
  }
}

async function tell(config: Config, log: Log, simulator: Simulator, signal: AbortSignal): Promise<void> {
  // Both sides live the story by one clock: what is read was there by then, and nothing that came later.
  const now = () => new Date(simulator.clock.now())
  const db = await openDatabase({ ...config, log })
  const inPlace = process.stdout.isTTY === true
  try {
    const portal = { config, db, microsoft: connectMicrosoft(config, { log, now }), log, now }
    await bringToLife(portal, simulator, {
      signal,
      progress(done, of) {
        const text = `Bringing ${Object.keys(demoCustomers).length} customers to life … ${done} of ${of}`
        if (inPlace) process.stdout.write(`\r${text}${done === of ? '\n' : ''}`)
        else if (done === of || done % 15 === 1) console.log(text)
      },
    })
  } finally {
    await db.destroy()
  }
}

/**
 * In the partner's own tenant alone, the app may look up what customers' tenants are called. It has stood there since
 * before the story begins.
 */
function letAppReadNames({ world, clock }: Simulator): void {
  const lookUp = 'CrossTenantInformation.ReadBasic.All'
  const { clientId, requiredResources } = world.registration(simulated.clientId)
  const roles = [...requiredResources.flatMap((required) => required.roles), lookUp]
  clock.advance(-registeredAgo)
  world.revoke(simulated.tenantId, clientId)
  world.consent(simulated.tenantId, clientId, { roles, propagationMs: 0 })
  clock.advance(registeredAgo)
}

const keptFile = (dataDir: string) => join(dataDir, 'demo.json')

function readKept(dataDir: string): Kept {
  const file = keptFile(dataDir)
  if (existsSync(file)) {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept
    if (kept.version === 1) return kept
    throw new CannotStart(`${file} was not written by this version. Remove it, or set DATA_DIR to another folder.`)
  }
  const secret = () => randomBytes(32).toString('base64url')
  const kept: Kept = {
    version: 1,
    appSecret: secret(),
    signInSecret: secret(),
    sessionSecret: secret(),
    told: false,
  }
  keep(dataDir, kept)
  return kept
}

function keep(dataDir: string, kept: Kept): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = keptFile(dataDir)
  writeFileSync(`${file}.next`, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.next`, file)
}

/** The port itself, once nobody else has it; 0 finds a free one. @throws CannotStart */
async function freePort(port: number, host: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portFault('PORT', port, error) ?? error))
    server.listen(port, host, resolve)
  })
  const found = (server.address() as AddressInfo).port
  await new Promise((resolve) => server.close(resolve))
  return found
}

function welcome(url: string, origin: string, config: Config, fresh: boolean): string {
  const { halvard, norrsken } = cast
  const people = [
    [halvard.people.ines.name, 'Admin', 'everything: customers, links, decisions, setup'],
    [halvard.people.tomasz.name, 'Analyst', 'incidents, and asking tenants again; no links, no decisions'],
    [halvard.people.priya.name, 'Reader', 'looks, and changes nothing'],
    [halvard.people.linnea.name, '–', 'is told that she has no role here, and who gives one'],
    [norrsken.people.asa.name, '–', 'a customer’s administrator: turned away by Microsoft itself'],
  ] as const
  const { fyrisan } = demoCustomers
  return [
    '',
    `  Muster               ${url}`,
    `  Simulated Microsoft  ${origin}/_sim`,
    '',
    '  Sign in as           Role     and find',
    ...people.map(([name, role, does]) => `  ${name.padEnd(20)} ${role.padEnd(8)} ${does}`),
    '',
    '  Try first',
    `  1. As ${halvard.people.ines.name}: open the customer ${fyrisan.name}, issue its link, open it in a private window,`,
    `     go on to Microsoft as ${fyrisan.contactName} and accept. Watch the customer’s page meanwhile.`,
    '  2. On the simulated Microsoft’s page: revoke a consent, add an incident, throttle a tenant. See what Muster says.',
    '     Tokens outlive a revoked consent, as at Microsoft: “Check again now” on the tenant’s page asks for a new one.',
    '  3. Open Setup: everything a real app registration needs, filled in and checked.',
    '  4. Run the examples at the foot of a tenant’s page. AZURE_CLIENT_SECRET is the appSecret in',
    `     ${keptFile(config.dataDir)}.`,
    '',
    `  ${fresh ? 'Kept' : 'Found again'} in ${config.databaseUrl === null ? config.dataDir : `${config.dataDir} and the database`}. Nothing leaves this machine, and no password is asked for.`,
    '  Stop with Ctrl-C.',
    '',
  ].join('\n')
}
