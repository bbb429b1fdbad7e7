import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type NextFunction, type Request, type Response } from 'express'
import { defenderRoutes } from './apis/defender.ts'
import { graphRoutes } from './apis/graph.ts'
import { Quotas } from './apis/quotas.ts'
import { controlRoutes } from './control/control.ts'
import { type RecordedRequest, recorder } from './control/recorder.ts'
import { Memory, readState, restore } from './control/saved-world.ts'
import type { Inbox } from './inbox/inbox.ts'
import { inboxRoutes } from './inbox/routes.ts'
import { authorizeRoutes } from './login/authorize.ts'
import { consentRoutes } from './login/consent.ts'
import { discoveryRoutes } from './login/discovery.ts'
import { Keys } from './login/keys.ts'
import type { SimulatorRegistration } from './login/registration.ts'
import { Sessions } from './login/sessions.ts'
import { signInRoutes } from './login/signin.ts'
import { tokenRoutes } from './login/token.ts'
import { styleSheet } from './pages/style.ts'
import type { SimulatorParts } from './parts.ts'
import { Trickle } from './world/activity.ts'
import { bringOn } from './world/cast.ts'
import { VirtualClock } from './world/clock.ts'
import { World } from './world/world.ts'

export type { SimulatorRegistration } from './login/registration.ts'

export interface SimulatorOptions {
  /** 0 (the default) takes any free port. */
  port?: number
  /** Loopback address or name to listen on; 127.0.0.1 by default. */
  host?: string
  /** Same seed, same world. */
  seed?: number
  /** `demo` brings the cast on; `empty` (the default) has no tenants. */
  world?: 'demo' | 'empty'
  /** Whether the merges of the cast's incidents have happened already (the default), or are left to `mergeOldest`. */
  merged?: boolean
  registrations: SimulatorRegistration[]
  /** Milliseconds since the epoch; the machine's clock by default. `clock.advance` works on top of either. */
  now?: () => number
  /** Remembers tenants, consents and incidents over restarts. */
  stateFile?: string
  /** A signing key of its own; simulators of one process share one by default. */
  freshKey?: boolean
  /** The page at `/_sim`. The JSON control API is always there. */
  controlPages?: boolean
  /** Where alarms are sent to, to look at, under `/_sim/inbox`; none by default. */
  inbox?: Inbox
  /** One line per request on standard output. */
  requestLog?: boolean
  /** Something happens in some tenant every minute (or every so many milliseconds of real time); off by default. */
  liveIncidents?: boolean | number
  /** Time from consent until tokens carry its roles. Default: 4 s in the demo, otherwise none. */
  propagationMs?: number
}

export interface Simulator {
  /** One origin for login, Defender and Graph. */
  readonly origin: string
  readonly world: World
  /** The latest 20,000 requests, oldest first; those for `/_sim` are left out. */
  readonly requests: RecordedRequest[]
  readonly clock: VirtualClock
  close(): Promise<void>
}

/** Starts a small Microsoft on loopback. @throws Error when the port is taken or the state file is not ours */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const clock = new VirtualClock(options.now)
  const world = new World(clock, options.registrations, options.seed)
  const saved = options.stateFile ? readState(options.stateFile) : null
  const keys = await Keys.open(saved?.signingKey, options.freshKey ?? false)
  if (saved) restore(world, saved)
  else if (options.world === 'demo') bringOn(world, options.seed, options.merged)
  world.behaviour.propagationMs = options.propagationMs ?? (options.world === 'demo' ? 4000 : 0)
  const memory = options.stateFile ? new Memory(options.stateFile, world, keys.pem) : null
  memory?.write()

  const server = createServer()
  const host = options.host ?? '127.0.0.1'
  await listen(server, options.port ?? 0, host)
  const { port } = server.address() as AddressInfo
  const parts: SimulatorParts = {
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    world,
    keys,
    quotas: new Quotas(clock),
    sessions: new Sessions(),
  }
  const requests: RecordedRequest[] = []
  const line = options.requestLog ? (text: string) => void process.stdout.write(`${text}\n`) : () => {}
  const app = application(parts, options)
  const record = recorder(requests, clock, line)
  server.on(
    'request',
    express().disable('x-powered-by').disable('etag').set('query parser', 'simple').use(record).use(app),
  )
  const trickle = options.liveIncidents
    ? new Trickle(world, options.liveIncidents === true ? 60_000 : options.liveIncidents)
    : null

  return {
    origin: parts.origin,
    world,
    requests,
    clock,
    async close() {
      trickle?.stop()
      memory?.write()
      server.closeAllConnections()
      await new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())))
    },
  }
}

function application(
  parts: SimulatorParts,
  { controlPages = false, inbox }: Pick<SimulatorOptions, 'controlPages' | 'inbox'>,
): express.Router {
  const app = express.Router()
  app.get('/_sim/simulator.css', (_req, res) => {
    res.set('Cache-Control', 'max-age=300').type('css').send(styleSheet)
  })
  if (inbox) app.use(inboxRoutes(inbox))
  app.use(controlRoutes(parts, controlPages))
  app.use(express.urlencoded({ extended: false, limit: '100kb' }), express.json({ limit: '1mb' }))
  app.use(discoveryRoutes(parts), tokenRoutes(parts), authorizeRoutes(parts), consentRoutes(parts))
  app.use(signInRoutes(parts), defenderRoutes(parts), graphRoutes(parts))
  app.use((req, res) => {
    res
      .status(404)
      .json({ error: { code: 'ResourceNotFound', message: `Resource not found for the segment '${req.path}'.` } })
  })
  app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return next(error)
    const status = (error as { status?: unknown } | null)?.status
    const shownStatus = typeof status === 'number' && status < 500 ? status : 500
    const message = error instanceof Error ? error.message : 'unknown'
    res.status(shownStatus).json({ error: { code: shownStatus === 500 ? 'SimulatorFault' : 'BadRequest', message } })
  })
  return app
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
