import { rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { CannotStart, portFault, portOf, stopOnSignal } from '../cli/process.ts'
import { type Config, readConfig } from '../config/config.ts'
import { fromPackage } from '../config/environment.ts'
import { ConfigError, type Environment } from '../config/variables.ts'
import { createLog, type Log } from '../log.ts'
import { Memory } from '../memory.ts'
import { connectMicrosoft } from '../microsoft/connect.ts'
import { startPortal } from '../process/start.ts'
import { Inbox } from '../simulator/inbox/inbox.ts'
import { type Simulator, startSimulator } from '../simulator/simulator.ts'
import { connectionFault } from '../store/connection-fault.ts'
import { openDatabase } from '../store/engine/database.ts'
import { customerNamesIn } from '../store/engine/inspection.ts'
import { SchemaTooNewError } from '../store/engine/migrations.ts'
import { day } from '../time.ts'
import { demoCustomers } from './cast.ts'
import { leadToInbox, secretsNow, setUpDestinations } from './destinations.ts'
import { type Kept, keep, newKept, readKept, removeDemo, stateFile } from './folder.ts'
import { startMailBox } from './mail-box.ts'
import { ownDemoDatabase, ownState } from './owner.ts'
import { simulated, simulatedRegistrations } from './registrations.ts'
import { welcome } from './welcome.ts'
import { bringToLife } from './world.ts'

const registeredAgo = 90 * day

/** Variables that the demonstration takes over as they are; everything else it sets itself, whatever `.env` says. */
const passedOn = ['HOST', 'PUBLIC_URL', 'TRUST_PROXY', 'INCIDENTS_API', 'DATABASE_URL'] as const

/**
 * `npm run demo`: the portal as it always is, and a Microsoft of its own beside it. The first start brings a world of
 * customers to life; later ones find it as it was left, unless they are to begin anew.
 * @throws CannotStart
 */
export async function demo({ fresh }: { fresh: boolean }): Promise<void> {
  const stopping = new AbortController()
  const undo: Undo = []
  let starting: Promise<void> = Promise.resolve()
  stopOnSignal(async () => {
    stopping.abort()
    await starting.catch(() => undefined)
    for (const release of undo.reverse()) await release()
  })
  starting = start(fresh, stopping.signal, undo)
  await starting.catch(async (error: unknown) => {
    if (stopping.signal.aborted) return
    for (const release of undo.reverse()) await release()
    throw error
  })
}

/** What was taken and has to be let go of, in the order in which it was taken. */
type Undo = (() => void | Promise<void>)[]

async function start(anew: boolean, signal: AbortSignal, undo: Undo): Promise<void> {
  const dataDir = fromPackage(process.env.DATA_DIR?.trim() || './data/demo')
  const log = createLog(process.env.LOG_LEVEL?.trim() || 'warn')
  const ports = { portal: portOf('PORT', 3000), simulator: portOf('SIMULATOR_PORT', 4000) }
  const nowhere = { origin: 'http://127.0.0.1:1', mailPort: 1 }
  const { databaseUrl } = configFor({ kept: newKept(), dataDir, port: ports.portal, ...nowhere })
  await own(dataDir, databaseUrl, undo)
  const port = await freePort(ports.portal, process.env.HOST?.trim() || '127.0.0.1')
  console.log('Starting Muster with a simulated Microsoft …')

  const isOurs = await knowsItsCustomers({ databaseUrl, dataDir }, log)
  const { kept, removed } = begin({ dataDir, databaseUrl }, { anew, known: isOurs })
  const fresh = removed || !(kept.told && isOurs)
  // A world that was left half told begins anew; of a database that is not ours to remove, what it has is kept.
  if (fresh) rmSync(stateFile(dataDir), { force: true })

  const inbox = new Inbox()
  const mailBox = await startMailBox(inbox)
  undo.push(() => mailBox.close())
  const draft = configFor({ kept, dataDir, port, ...nowhere })
  const simulator = await startSimulator({
    port: ports.simulator,
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
    stateFile: stateFile(dataDir),
    controlPages: true,
    inbox,
    liveIncidents: true,
  }).catch((error: unknown) => {
    throw portFault('SIMULATOR_PORT', ports.simulator, error) ?? error
  })
  undo.push(() => simulator.close())
  letAppReadNames(simulator)

  const config = configFor({ kept, dataDir, port, origin: simulator.origin, mailPort: mailBox.port })
  if (fresh) {
    await tell(config, log, simulator, signal)
    keep(dataDir, { ...kept, told: true })
  }
  await furnish(config, log, simulator, inbox)
  signal.throwIfAborted()
  const running = await startPortal(config, { log, worker: 'thread' }).catch((error: unknown) => {
    throw portFault('PORT', port, error) ?? (error instanceof SchemaTooNewError ? databaseFault(error) : error)
  })
  undo.push(() => running.close())
  inbox.verifyWith(() => secretsNow(running.portal))
  console.log(welcome(running.url, simulator.origin, config, fresh))
}

/** Nobody else's simulated Microsoft remembers in this folder, and no other demonstration uses this database. */
async function own(dataDir: string, databaseUrl: string | null, undo: Undo): Promise<void> {
  undo.push(ownState(stateFile(dataDir), 'npm run demo'))
  if (databaseUrl === null) return
  undo.push(
    await ownDemoDatabase(databaseUrl, 'npm run demo').catch((error: unknown) => {
      throw error instanceof CannotStart ? error : databaseFault(error)
    }),
  )
}

/**
 * What the demonstration keeps, from before or made now. To begin anew, and where a start was cut short in the middle of
 * the story, what it made so far is removed: told again at another hour, the two halves would not agree.
 * @throws CannotStart where that is not for it to remove
 */
function begin(
  { dataDir, databaseUrl }: Pick<Config, 'dataDir' | 'databaseUrl'>,
  { anew, known }: { anew: boolean; known: boolean },
): { kept: Kept; removed: boolean } {
  if (anew && databaseUrl !== null && known) {
    throw new CannotStart(
      'The demonstration removes nothing from a database server. Drop the database that DATABASE_URL names and create it again, then start without --fresh.',
    )
  }
  const before = anew ? null : readKept(dataDir)
  const removed = anew || (before?.told === false && databaseUrl === null)
  // A database without customers may be somebody's who has only begun.
  if (removed) removeDemo(dataDir, { database: known && databaseUrl === null })
  const state = removed || before === null ? newKept() : before
  keep(dataDir, state)
  return { kept: state, removed }
}

/** The environment of `npm start`, pointed at the simulated Microsoft. */
function configFor(options: { kept: Kept; dataDir: string; port: number; origin: string; mailPort: number }): Config {
  const { kept, dataDir, port, origin, mailPort } = options
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
    OUTBOUND_ALLOW: '127.0.0.0/8,::1',
    SMTP_URL: `smtp://127.0.0.1:${mailPort}`,
    SMTP_FROM: 'Muster, Halvard <muster@halvard.example>',
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
async function knowsItsCustomers(where: Pick<Config, 'dataDir' | 'databaseUrl'>, log: Log): Promise<boolean> {
  const names = await customerNamesIn(where, log).catch((error: unknown) => {
    throw databaseFault(error)
  })
  const ours = new Set<string>(Object.values(demoCustomers).map(({ name }) => name))
  if (names.length > 0 && !names.some((name) => ours.has(name))) {
    throw new CannotStart(
      'This database holds customers, and none of them is the demonstration’s: nothing was changed. Set DATA_DIR or DATABASE_URL to a place of its own.',
    )
  }
  return names.length > 0
}

function databaseFault(error: unknown): CannotStart {
  if (error instanceof SchemaTooNewError)
    return new CannotStart(`${error.message} Or begin anew: npm run demo -- --fresh`)
  const fault = connectionFault(error)
  if (fault === null) return new CannotStart(`The database cannot be opened (${(error as Error).message}).`)
  return new CannotStart(
    `The database cannot be opened${fault.code === '' ? '' : ` (${fault.code})`}: ${fault.problem}. ${fault.remedy}`,
  )
}

async function tell(config: Config, log: Log, simulator: Simulator, signal: AbortSignal): Promise<void> {
  // Both sides live the story by one clock: what is read was there by then, and nothing that came later.
  const now = () => new Date(simulator.clock.now())
  const db = await openDatabase({ ...config, log }).catch((error: unknown) => {
    throw databaseFault(error)
  })
  const inPlace = process.stdout.isTTY === true
  try {
    const portal = { config, db, microsoft: connectMicrosoft(config, { log, now }), log, now, memory: new Memory() }
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

/** Destinations of each kind that lead to the inbox, before a worker has anything to send. */
async function furnish(config: Config, log: Log, simulator: Simulator, inbox: Inbox): Promise<void> {
  const db = await openDatabase({ ...config, log }).catch((error: unknown) => {
    throw databaseFault(error)
  })
  try {
    const now = () => new Date()
    const portal = { config, db, microsoft: connectMicrosoft(config, { log, now }), log, now, memory: new Memory() }
    await setUpDestinations(portal, simulator.origin)
    await leadToInbox(portal, simulator.origin)
    const secrets = await secretsNow(portal)
    inbox.verifyWith(async () => secrets)
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

/** The port itself, once nobody else has it; 0 finds a free one. @throws CannotStart */
async function freePort(port: number, host: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portFault('PORT', port, error) ?? error))
    server.listen(port, host, resolve)
  })
  const freePort = (server.address() as AddressInfo).port
  await new Promise((resolve) => server.close(resolve))
  return freePort
}
