import { once } from 'node:events'
import { Worker as Thread } from 'node:worker_threads'
import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
import type { Counted } from '../metrics.ts'

/** What the thread is started with. It reads no environment of its own. */
export interface ThreadSettings {
  config: Config
}

export type ToThread = { ask: 'stop' } | { ask: 'count'; id: number }
export interface FromThread {
  id: number
  counted: Counted
}

export interface WorkerThread {
  /** As `Worker.stop`: sync runs end at their next page. What takes longer than 25 s is left to its lease. */
  stop(): Promise<void>
  /** What the thread counted; null when it does not answer in time. */
  counted(): Promise<Counted | null>
}

/**
 * What it holds are pages on their way to the database: a small young generation gives their room back soon. The limit of
 * the old one is far above what the pages in hand can take, and keeps the collector from waiting for gigabytes.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 }

const stopPatience = 25_000
const countPatience = 2_000

/**
 * The worker in a thread of its own, with its own database connection and its own Microsoft client: parsing and storing
 * a long list then holds up no page. A crash in it ends the process, so that the service manager starts it again.
 */
export function startWorkerThread(config: Config, log: Log): WorkerThread {
  const settings: ThreadSettings = { config: { ...config, logLevel: log.level } }
  const thread = new Thread(new URL('./thread.js', import.meta.url), {
    workerData: settings,
    name: 'worker',
    resourceLimits,
  })
  const waiting = new Map<number, (counted: Counted | null) => void>()
  let lastId = 0
  let stopping = false
  let over = false
  thread.on('message', ({ id, counted }: FromThread) => waiting.get(id)?.(counted))
  thread.on('error', (error) => {
    throw new Error('the worker crashed', { cause: error })
  })
  thread.on('exit', (code) => {
    over = true
    if (!stopping) throw new Error(`the worker ended by itself (${code})`)
  })
  const tell = (message: ToThread) => thread.postMessage(message)
  return {
    async stop() {
      stopping = true
      if (over) return
      const ended = once(thread, 'exit')
      tell({ ask: 'stop' })
      const overdue = setTimeout(() => void thread.terminate(), stopPatience)
      await ended
      clearTimeout(overdue)
    },
    async counted() {
      if (over) return null
      const id = ++lastId
      const counted = await new Promise<Counted | null>((resolve) => {
        waiting.set(id, resolve)
        setTimeout(() => resolve(null), countPatience).unref()
        tell({ ask: 'count', id })
      })
      waiting.delete(id)
      return counted
    },
  }
}
