// `npm run torture:rolling`: a rolling restart as people feel it. Two processes behind a balancer, one after the other
// replaced, and nobody refused. `--database-url` names an empty database where no PostgreSQL can be started here.
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { temporaryFolder } from '../test/support/places.ts'
import { closed, freePort, listen } from '../test/support/ports.ts'
import { tenantIdOf } from '../test/support/registered-app.ts'
import { until } from '../test/support/waiting.ts'
import type { Undo } from './ground.ts'
import { environmentFor, fillStore, startMicrosoft } from './microsoft.ts'
import { built } from './mutants.ts'
import { startCluster } from './postgres.ts'
import { PortalProcess } from './processes.ts'

const healthEvery = 100
const requestsPerSecond = 40

interface Backend {
  port: number
  ready: boolean
  agent: Agent
  /** The health check. */
  timer: NodeJS.Timeout
}

/**
 * Balances between backends that say they are ready, as a balancer does: a health check, connections that are kept and
 * let go when the backend says so, and no second try of what failed.
 */
class Balancer {
  #backends: Backend[] = []
  #turn = 0
  readonly #server = createServer((req, res) => this.#forward(req, res))

  listen(): Promise<number> {
    return listen(this.#server)
  }

  /** From now on this port is asked whether it is ready. */
  add(port: number): Backend {
    const timer = setInterval(() => void this.#check(backend), healthEvery)
    const backend: Backend = { port, ready: false, agent: new Agent({ keepAlive: true, maxSockets: 50 }), timer }
    this.#backends.push(backend)
    return backend
  }

  remove(backend: Backend): void {
    clearInterval(backend.timer)
    backend.agent.destroy()
    this.#backends = this.#backends.filter((other) => other !== backend)
  }

  async close(): Promise<void> {
    for (const backend of this.#backends) this.remove(backend)
    this.#server.closeAllConnections()
    await closed(this.#server)
  }

  async #check(backend: Backend): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${backend.port}/readyz`, { signal: AbortSignal.timeout(1_000) }).catch(
      () => null,
    )
    await answer?.arrayBuffer().catch(() => undefined)
    backend.ready = answer?.status === 200
  }

  #forward(req: IncomingMessage, res: ServerResponse): void {
    const ready = this.#backends.filter((backend) => backend.ready)
    const backend = ready[this.#turn++ % ready.length]
    if (!backend) return void res.writeHead(502).end('no backend is ready\n')
    const { port, agent } = backend
    const { connection: _, ...headers } = req.headers
    const onward = request({ host: '127.0.0.1', port, agent, path: req.url, method: req.method, headers }, (answer) => {
      const { connection: __, 'keep-alive': ___, 'transfer-encoding': ____, ...rest } = answer.headers
      res.writeHead(answer.statusCode ?? 502, rest)
      answer.pipe(res)
    })
    onward.on('error', (error: NodeJS.ErrnoException) => {
      if (res.headersSent) res.destroy()
      else res.writeHead(502).end(`${error.code}\n`)
    })
    req.pipe(onward)
  }
}

interface RollingResult {
  answered: number
  /** Lines, at most a few. */
  failures: string[]
  restarts: number
  /** Longest orderly stop, in milliseconds. */
  slowestMs: number
}

interface Running {
  place: PortalProcess
  backend: Backend
}

/** Replaces both of two web processes, `rounds` times, while signed-in people look at pages. */
async function rollingRestart({
  databaseUrl,
  rounds,
}: {
  databaseUrl: string | null
  rounds: number
}): Promise<RollingResult> {
  const folder = temporaryFolder('muster-rolling-')
  const undo: Undo = [folder.remove]
  try {
    const { client, balancer, start } = await stage(databaseUrl, folder.path, undo)
    let running: Running[] = [await start('web1'), await start('web2')]
    const load = client.run()
    await sleep(1_000)
    let restarts = 0
    let slowestMs = 0
    for (let round = 0; round < rounds; round++) {
      for (const old of running) {
        slowestMs = Math.max(slowestMs, await old.place.stop())
        balancer.remove(old.backend)
        running = [...running.filter((one) => one !== old), await start(`web${++restarts + 2}`)]
        await sleep(500)
      }
    }
    await sleep(500)
    client.stop()
    await load
    return { answered: client.answered, failures: client.failures, restarts, slowestMs: Math.round(slowestMs) }
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

/** Microsoft, a filled store, a balancer without backends, and people in front of it. */
async function stage(databaseUrl: string | null, folder: string, undo: Undo) {
  const cluster = databaseUrl === null ? await startCluster() : null
  if (cluster) undo.push(() => cluster.remove())
  const simulator = await startMicrosoft({ api: 'defender', quotas: false })
  undo.push(() => simulator.close())
  const balancer = new Balancer()
  const publicUrl = `http://localhost:${await balancer.listen()}`
  undo.push(() => balancer.close())
  const store = { databaseUrl: databaseUrl ?? cluster?.url ?? null, dataDir: join(folder, 'data') }
  const env = { origin: simulator.origin, api: 'defender', ...store, publicUrl, role: 'web' } as const
  const cookie = await fillStore(store, { tenants: [tenantIdOf(1)], env: environmentFor({ ...env, port: 3000 }) })

  const start = async (name: string): Promise<Running> => {
    const port = await freePort()
    const logFile = join(folder, `${name}.log`)
    const own = environmentFor({ ...env, port })
    const place = new PortalProcess({ name, role: 'web', env: own, dist: built, sync: {}, logFile })
    await place.start()
    undo.push(() => place.kill())
    const backend = balancer.add(port)
    await until(() => backend.ready, { withinMs: 10_000, what: `port ${port} is ready` })
    return { place, backend }
  }
  return { client: new Client(publicUrl, cookie), balancer, start }
}

/** A bounded number of requests a second, each on its own: a failure is an error, a 5xx, or to be asked to sign in. */
class Client {
  readonly #url: string
  readonly #cookie: string
  #stopped = false
  answered = 0
  readonly failures: string[] = []

  constructor(url: string, cookie: string) {
    this.#url = url
    this.#cookie = cookie
  }

  async run(): Promise<void> {
    const requests: Promise<void>[] = []
    for (let n = 0; !this.#stopped; n++) {
      requests.push(this.#ask(['/', '/incidents', '/customers'][n % 3] ?? '/'))
      await sleep(1_000 / requestsPerSecond)
    }
    await Promise.all(requests)
  }

  stop(): void {
    this.#stopped = true
  }

  async #ask(path: string): Promise<void> {
    try {
      const answer = await fetch(`${this.#url}${path}`, {
        headers: { cookie: this.#cookie },
        redirect: 'manual',
        signal: AbortSignal.timeout(10_000),
      })
      const text = await answer.text()
      if (answer.status === 200) this.answered++
      else this.#fail(`${path}: ${answer.status} ${text.slice(0, 80)}`)
    } catch (error) {
      const { cause, message } = error as Error & { cause?: { code?: string } }
      this.#fail(`${path}: ${cause?.code ?? message}`)
    }
  }

  #fail(line: string): void {
    if (this.failures.length < 20) this.failures.push(line)
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const { values } = parseArgs({
  options: { 'database-url': { type: 'string' }, rounds: { type: 'string', default: '2' } },
})
const { answered, failures, restarts, slowestMs } = await rollingRestart({
  databaseUrl: values['database-url'] ?? null,
  rounds: Number(values.rounds),
})
for (const failure of failures) console.log(`  ✗ ${failure}`)
console.log(`${restarts} restarts, the slowest stop ${slowestMs} ms: ${answered} answered, ${failures.length} failed`)
process.exit(failures.length > 0 || answered === 0 ? 1 : 0)
