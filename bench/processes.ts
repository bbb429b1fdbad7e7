// The processes of a measurement: the simulator, the portal as it runs in production, and scripts to compare it with.
import { fork } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Place, temporaryFolder } from '../test/support/places.ts'
import { freePort } from '../test/support/ports.ts'
import { startNode } from '../test/support/processes.ts'
import { environmentOf } from '../test/support/registered-app.ts'
import { root } from '../test/support/root.ts'
import type { Sample } from './memory.ts'
import type { ScriptAnswer } from './script.ts'
import type { Answer, Answers, Question, Scene } from './simulator-process.ts'

/** A file of this folder, compiled. */
const compiled = (name: string) => new URL(`./${name}.js`, import.meta.url)

export interface Microsoft {
  origin: string
  ask<What extends Question>(what: What, ...value: Parameters<Answers[What]>): Promise<ReturnType<Answers[What]>>
  close(): Promise<void>
}

/** The simulator with consented tenants of so many incidents each, in a process of its own. */
export async function startMicrosoft(scene: Scene): Promise<Microsoft> {
  const child = fork(fileURLToPath(compiled('simulator-process')), [])
  // Thousands of tenants are more than arguments hold.
  child.send(scene)
  const waiting = new Map<number, (answer: unknown) => void>()
  let asked = 0
  const { origin } = await new Promise<{ origin: string }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as { origin: string }))
    child.once('exit', (code) => reject(new Error(`the simulator ended with ${code}`)))
  })
  child.on('message', (message) => {
    const [number, answer] = message as Answer
    waiting.get(number)?.(answer)
    waiting.delete(number)
  })
  return {
    origin,
    ask: (what, ...[value]) =>
      new Promise((resolve) => {
        waiting.set(++asked, resolve as (answer: unknown) => void)
        child.send([asked, what, value])
      }),
    close: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit').once('exit', () => resolve())
        child.disconnect()
      }),
  }
}

export interface WatchedPortal {
  ended(): boolean
  /** What the probe wrote so far. */
  samples(): Sample[]
  /** Stops it as an operator would. */
  close(): Promise<void>
}

/** The portal as in production: `node dist/main.js` with pages and worker, watched by memory-probe.ts. */
export async function startPortal(options: {
  origin: string
  store: Place
  env?: Record<string, string>
  profileDir?: string | null
}): Promise<WatchedPortal> {
  const { origin, store, env = {}, profileDir = null } = options
  const folder = temporaryFolder('muster-bench-')
  const probe = join(folder.path, 'probe.jsonl')
  if (profileDir) mkdirSync(profileDir, { recursive: true })
  const profiling = profileDir ? ['--cpu-prof', `--cpu-prof-dir=${profileDir}`] : []
  const portal = startNode([...profiling, `--import=${compiled('memory-probe')}`, join(root, 'dist', 'main.js')], {
    cwd: folder.path,
    stdio: ['ignore', process.env.BENCH_LOG ? 'inherit' : 'ignore', 'inherit'],
    env: {
      ...environmentOf(origin, store),
      NODE_ENV: 'production',
      BENCH_PROBE: probe,
      PORT: String(await freePort()),
      LOG_LEVEL: process.env.BENCH_LOG ?? 'error',
      ...env,
    },
  })
  return {
    ended: () => !portal.running(),
    samples() {
      if (!existsSync(probe)) return []
      const lines = readFileSync(probe, 'utf8').split('\n').slice(0, -1)
      return lines.map((line) => JSON.parse(line) as Sample)
    },
    async close() {
      const overdue = setTimeout(() => portal.child.kill('SIGKILL'), 60_000)
      await portal.stop()
      clearTimeout(overdue)
      folder.remove()
    },
  }
}

/** Runs a script of this folder in a process of its own. @throws Error when it ends without an answer */
export async function runScript(name: string, input: object): Promise<ScriptAnswer> {
  const child = fork(fileURLToPath(compiled(name)), [])
  try {
    return await new Promise((resolve, reject) => {
      child.once('message', (message) => resolve(message as ScriptAnswer))
      child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)))
      child.send(input)
    })
  } finally {
    child.removeAllListeners('exit')
    child.disconnect()
  }
}

/** Processor time of the whole machine since it was started, in milliseconds. */
export function machineTime(): { all: number; busy: number } {
  const sum = (list: number[]) => list.reduce((total, value) => total + value, 0)
  const times = cpus().map((cpu) => cpu.times)
  const all = sum(times.map((time) => sum(Object.values(time))))
  return { all, busy: all - sum(times.map(({ idle }) => idle)) }
}
