// `node torture/rolling.mjs`: a rolling restart as people feel it. Two processes behind a balancer, one after the other
// replaced, and nobody refused. `--database-url` names an empty database where no PostgreSQL can be started here.
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { built } from './mutants.mjs'
import { freePort, startCluster } from './postgres.mjs'
import { PortalProcess } from './processes.mjs'
import { environmentFor, fillStore, startMicrosoft, tenantIdOf } from './stage.mjs'

const healthEvery = 100
const requestsPerSecond = 40

/**
 * Balances between backends that say they are ready, as a balancer does: a health check, connections that are kept and
 * let go when the backend says so, and no second try of what failed.
 */
class Balancer {
  #backends = []
  #turn = 0
  #server = createServer((req, res) => this.#forward(req, res))

  async listen() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this.#server.address().port
  }

  /** From now on this port is asked whether it is ready. */
  add(port) {
    const backend = { port, ready: false, agent: new Agent({ keepAlive: true, maxSockets: 50 }) }
    this.#backends.push(backend)
    backend.timer = setInterval(() => this.#check(backend), healthEvery)
    return backend
  }

  remove(backend) {
    clearInterval(backend.timer)
    backend.agent.destroy()
    this.#backends = this.#backends.filter((other) => other !== backend)
  }

  async close() {
    for (const backend of this.#backends) this.remove(backend)
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #check(backend) {
    const answer = await fetch(`http://127.0.0.1:${backend.port}/readyz`, { signal: AbortSignal.timeout(1_000) }).catch(
      () => null,
    )
    await answer?.arrayBuffer().catch(() => undefined)
    backend.ready = answer?.status === 200
  }

  #forward(req, res) {
    const ready = this.#backends.filter((backend) => backend.ready)
    if (ready.length === 0) return void res.writeHead(502).end('no backend is ready\n')
    const backend = ready[this.#turn++ % ready.length]
    const { port, agent } = backend
    const { connection: _, ...headers } = req.headers
    const onward = request({ host: '127.0.0.1', port, agent, path: req.url, method: req.method, headers }, (answer) => {
      const { connection: __, 'keep-alive': ___, 'transfer-encoding': ____, ...rest } = answer.headers
      res.writeHead(answer.statusCode, rest)
      answer.pipe(res)
    })
    onward.on('error', (error) => {
      if (res.headersSent) res.destroy()
      else res.writeHead(502).end(`${error.code}\n`)
    })
    req.pipe(onward)
  }
}

/**
 * Replaces both of two web processes, `rounds` times, while signed-in people look at pages.
 * @returns `{ answered, failures, restarts, slowestMs }`: failures are lines, at most a few
 */
async function rollingRestart({ databaseUrl, rounds }) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-rolling-'))
  const undo = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const cluster = databaseUrl === null ? await startCluster() : null
    if (cluster) undo.push(() => cluster.remove())
    const simulator = await startMicrosoft({ api: 'defender', quotas: false })
    undo.push(() => simulator.close())
    const balancer = new Balancer()
    const front = await balancer.listen()
    undo.push(() => balancer.close())
    const publicUrl = `http://localhost:${front}`
    const store = { databaseUrl: databaseUrl ?? cluster.url, dataDir: join(folder, 'data') }
    const env = { origin: simulator.origin, api: 'defender', ...store, publicUrl, role: 'web' }
    const cookie = await fillStore({
      ...store,
      tenants: [tenantIdOf(1)],
      env: environmentFor({ ...env, port: 3000 }),
    })

    const start = async (name) => {
      const port = await freePort()
      const logFile = join(folder, `${name}.log`)
      const place = new PortalProcess({ name, env: environmentFor({ ...env, port }), dist: built, sync: {}, logFile })
      await place.start()
      undo.push(() => place.kill())
      const backend = balancer.add(port)
      await readyIn(backend)
      return { place, backend }
    }
    let running = [await start('web1'), await start('web2')]

    const client = new Client(publicUrl, cookie)
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

async function readyIn(backend) {
  for (const started = Date.now(); !backend.ready; await sleep(20)) {
    if (Date.now() - started > 10_000) throw new Error(`port ${backend.port} was never ready`)
  }
}

/** A bounded number of requests a second, each on its own: a failure is an error, a 5xx, or to be asked to sign in. */
class Client {
  #url
  #cookie
  #stopped = false
  answered = 0
  failures = []

  constructor(url, cookie) {
    this.#url = url
    this.#cookie = cookie
  }

  async run() {
    const asked = []
    for (let n = 0; !this.#stopped; n++) {
      asked.push(this.#ask(['/', '/incidents', '/customers'][n % 3]))
      await sleep(1_000 / requestsPerSecond)
    }
    await Promise.all(asked)
  }

  stop() {
    this.#stopped = true
  }

  async #ask(path) {
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
      this.#fail(`${path}: ${error.cause?.code ?? error.message}`)
    }
  }

  #fail(line) {
    if (this.failures.length < 20) this.failures.push(line)
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))

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
