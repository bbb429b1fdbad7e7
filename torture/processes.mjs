// Portal processes, and what is done to them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('./portal.mjs', import.meta.url))
const agent = new URL('./agent.mjs', import.meta.url).href
const readyWithin = 30_000
const exitWithin = 30_000

/** One place in the topology; the process in it is replaced when it is killed. */
export class PortalProcess {
  #child = null
  #life = 0
  url = null
  /** What the simulator and the watch know the process in this place by. */
  agent = null
  /** Agents that were killed, and when each stopped process went on: what they still had in hand is not held against them. */
  static pardons = new Map()

  /** @param place `{ name, env, dist, sync, logFile }` */
  constructor(place) {
    this.place = place
  }

  get running() {
    return this.#child !== null
  }

  /** Ready when this resolves: the port is open, and the database is migrated. */
  async start() {
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
    const ended = new AbortController()
    const exited = once(child, 'exit', { signal: ended.signal }).then(([code, signal]) => {
      throw new Error(`${life} ended with ${code ?? signal} before it was ready; see ${logFile}`)
    })
    exited.catch(() => undefined)
    try {
      const [message] = await Promise.race([
        once(child, 'message', { signal: AbortSignal.any([AbortSignal.timeout(readyWithin), ended.signal]) }),
        exited,
      ])
      this.url = message.ready
    } catch (error) {
      if (this.#child === child && (child.exitCode !== null || child.signalCode !== null)) this.#child = null
      throw error
    } finally {
      ended.abort()
    }
    child.on('exit', (code) => {
      if (code !== null && code !== 0) this.crashed = `${life} ended by itself with ${code}`
    })
  }

  /** SIGKILL: nothing is finished, nothing is given back. */
  async kill() {
    await this.#end('SIGKILL')
  }

  /** SIGTERM: passes end at a page, requests are answered. @returns how long it took, in milliseconds */
  async stop() {
    const started = performance.now()
    const child = this.#child
    const overdue = setTimeout(() => child?.kill('SIGKILL'), exitWithin)
    const code = await this.#end('SIGTERM')
    clearTimeout(overdue)
    if (code !== 0 && child) throw new Error(`${this.agent} did not stop cleanly (${code})`)
    return performance.now() - started
  }

  /** SIGSTOP for so long, then SIGCONT: what it had in hand it goes on with as if no time had passed. */
  async freeze(ms) {
    const child = this.#child
    if (!child) return
    child.kill('SIGSTOP')
    PortalProcess.pardons.set(this.agent, Number.POSITIVE_INFINITY)
    await sleep(ms)
    child.kill('SIGCONT')
    PortalProcess.pardons.set(this.agent, Date.now() + 5_000)
  }

  async #end(signal) {
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
