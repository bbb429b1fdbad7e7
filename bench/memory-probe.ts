// Loaded into the portal by `--import`, in each of its threads: writes down once in half a second what the process holds
// and uses and how long its event loops were held. It costs the portal a timer and a line of text.
import { appendFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread, workerData } from 'node:worker_threads'
import type { Sample } from './memory.ts'

const file = process.env.BENCH_PROBE
if (file === undefined) throw new Error('BENCH_PROBE names no file')
const resolution = 5
const delay = monitorEventLoopDelay({ resolution })
let commits = 0

/** As much of libsql as is counted here. */
interface Counted {
  prepare(text: string): { run(...values: unknown[]): unknown }
  exec(text: string): unknown
}
const { prototype }: { prototype: Counted } = createRequire(import.meta.url)('libsql')
const { prepare, exec } = prototype
prototype.prepare = function counting(text) {
  const statement = prepare.call(this, text)
  if (text !== 'commit') return statement
  // It stays prepared, and is run again and again.
  const run = statement.run.bind(statement)
  statement.run = (...values) => {
    commits++
    return run(...values)
  }
  return statement
}
// The database's own thread commits so.
prototype.exec = function counting(text) {
  if (text === 'commit') commits++
  return exec.call(this, text)
}

delay.enable()
const timer = setInterval(() => {
  const { user, system } = process.cpuUsage()
  const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage()
  const sample: Sample = {
    at: Date.now(),
    // The database has a thread of its own, whose loop nobody waits for.
    thread: isMainThread ? 'main' : workerData?.file ? 'database' : 'worker',
    rss: process.memoryUsage.rss(),
    heap: heapUsed,
    heapTotal,
    external,
    arrayBuffers,
    cpuMs: (user + system) / 1000,
    // What is measured is the distance between two ticks of its own timer.
    heldMs: Math.max(0, delay.max / 1e6 - resolution),
    commits,
  }
  delay.reset()
  appendFileSync(file, `${JSON.stringify(sample)}\n`)
}, 500)
timer.unref()
