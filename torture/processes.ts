// Portal processes, and what is done to them.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Config } from '../server/config/config.ts'

const launcher = fileURLToPath(new URL('./portal.js', import.meta.url))
const agent = new URL('./agent.js', import.meta.url).href
const readyWithin = 30_000
const exitWithin = 30_000

/** What the process in one place of the topology is. */
export interface PlaceOptions {
  name: string
  role: 'all' | 'web' | 'worker'
  env: Record<string, string>
  /** Folder of the compiled portal. */
  dist: string
  /** Times that are shorter than in production. */
  sync: Partial<Config['sync']>
  logFile: string
}

/** One place in the topology; the process in it is replaced when it is killed. */
export class PortalProcess {
  /** Agents that were killed, and when each stopped process went on: what they still had in hand is not held against them. */
  static readonly pardons = new Map<string, number>()

  readonly place: PlaceOptions
  #child: ChildProcess | null = null
  #life = 0
  /** Null until it was ready once. */
  url: string | null = null
  /** What the simulator and the watch know the process in this place by. */
  agent = ''
  /** A line when a process of this place ended by itself. */
  crashed: string | null = null

  constructor(place: PlaceOptions) {
    this.place = place
  }

  get running(): boolean {
    return this.#child !== null
  }

  /** Ready when this resolves: the port is open, and the database is migrated. @throws Error when it ends before */
  async start(): Promise<void> {
    const { name, env, dist, sync, logFile } = this.place
    const life = `${name}.${++this.#life}`
    this.agent = `muster/${life}`
    const log = openSync(logFile, 'a')
    const child = spawn(process.execPath, ['--import', agent, launcher], {
      env: {
        PATH: process.env.PATH,
        ...env,
        TORTURE_NAME: life,
        TORTURE_DIST: dist,
        TORTURE_SYNC: JSON.stringify(sync),
      },
      stdio: ['ignore', log, log, 'ipc'],
    })
    this.#child = child
    try {
      this.url = await readyUrl(child, `${life}; see ${logFile}`)
    } catch (error) {
      if (this.#child === child && (child.exitCode !== null || child.signalCode !== null)) this.#child = null
      throw error
    }
    child.on('exit', (code) => {
      if (code !== null && code !== 0) this.crashed = `${life} ended by itself with ${code}`
    })
  }

  /** SIGKILL: nothing is finished, nothing is given back. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** SIGTERM: passes end at a page, requests are answered. @returns how long it took, in milliseconds */
  async stop(): Promise<number> {
    const started = performance.now()
    const child = this.#child
    const overdue = setTimeout(() => child?.kill('SIGKILL'), exitWithin)
    const code = await this.#end('SIGTERM')
    clearTimeout(overdue)
    if (code !== 0 && child) throw new Error(`${this.agent} did not stop cleanly (${code})`)
    return performance.now() - started
  }

  /** SIGSTOP for so long, then SIGCONT: what it had in hand it goes on with as if no time had passed. */
  async freeze(ms: number): Promise<void> {
    const child = this.#child
    if (!child) return
    child.kill('SIGSTOP')
    PortalProcess.pardons.set(this.agent, Number.POSITIVE_INFINITY)
    await sleep(ms)
    child.kill('SIGCONT')
    PortalProcess.pardons.set(this.agent, Date.now() + 5_000)
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (!child) return 0
    this.#child = null
    PortalProcess.pardons.set(this.agent, Date.now() + 5_000)
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    child.kill(signal)
    child.kill('SIGCONT')
    const [code] = await once(child, 'exit')
    return code
  }
}

/** @throws Error when the process ends before it is ready, or is not in time */
async function readyUrl(child: ChildProcess, name: string): Promise<string> {
  const over = new AbortController()
  const exited = once(child, 'exit', { signal: over.signal }).then(([code, signal]) => {
    throw new Error(`a process ended with ${code ?? signal} before it was ready: ${name}`)
  })
  exited.catch(() => undefined)
  try {
    const signal = AbortSignal.any([AbortSignal.timeout(readyWithin), over.signal])
    const [message] = await Promise.race([once(child, 'message', { signal }), exited])
    return message.ready
  } finally {
    over.abort()
  }
}
