import { setTimeout as wait } from 'node:timers/promises'
import { createApp } from '../app.ts'
import type { Config } from '../config/config.ts'
import type { Lifecycle } from '../http/lifecycle.ts'
import { createLog, type Log } from '../log.ts'
import { Memory } from '../memory.ts'
import { counted, countProcess, metricsText } from '../metrics.ts'
import { connectMicrosoft } from '../microsoft/connect.ts'
import type { Portal } from '../portal.ts'
import { connectDatabase, openDatabase } from '../store/engine/database.ts'
import type { Database } from '../store/engine/dialect.ts'
import { startWorkerThread, type WorkerThread } from '../worker/thread-host.ts'
import { startWorker } from '../worker/worker.ts'
import { fleetWatch, openMetricsPort } from './metrics-port.ts'
import { openDoor } from './port.ts'
import { StorageWatch } from './storage-watch.ts'

export interface RunningPortal {
  /** Where people find it: PUBLIC_URL. */
  url: string
  portal: Portal
  /** Looks whether anything can be stored. */
  storage: StorageWatch
  /** What this process counts and sees, as Prometheus reads it. */
  metrics(): Promise<string>
  /** Finishes what is in hand and lets go of everything, after `noticeMs` in which connections are led elsewhere. */
  close(noticeMs?: number): Promise<void>
}

export interface StartOptions {
  log?: Log
  now?: () => Date
  /**
   * Where a role with a worker runs it: `here`, in this thread, by `now`; in a `thread` of its own, by the machine's clock
   * and compiled only; false leaves what is due undone.
   */
  worker?: false | 'here' | 'thread'
}

/** Requests in hand may take this long to finish once the portal is stopping. */
const drainMs = 25_000

/**
 * Opens the port, then the database, then, by `role`, the pages and the worker; a worker alone opens no port. Port 0
 * takes a free one, and a PUBLIC_URL with port 0 follows it.
 * @throws SchemaTooNewError; what the system says of a port or a database that cannot be had
 */
export async function startPortal(asked: Config, options: StartOptions = {}): Promise<RunningPortal> {
  const log = options.log ?? createLog(asked.logLevel)
  const now = options.now ?? (() => new Date())
  const lifecycle: Lifecycle = { draining: false }
  const door = asked.role === 'worker' ? null : await openDoor(asked)
  let metricsDoor: Awaited<ReturnType<typeof openMetricsPort>> | null = null
  try {
    metricsDoor = asked.metricsPort === null ? null : await openMetricsPort(asked.metricsPort)
    const ported = door ? withPort(asked, door.port) : asked
    const config = metricsDoor ? { ...ported, metricsPort: metricsDoor.port } : ported
    const db = await openStore(config, log, options.worker === 'thread')
    const portal: Portal = {
      config,
      db,
      microsoft: connectMicrosoft(config, { log, now }),
      log,
      now,
      memory: new Memory(),
    }
    const storage = new StorageWatch(portal)
    lifecycle.storage = storage
    door?.answerWith(createApp(portal, lifecycle))
    const worker = startWork(portal, options.worker ?? 'here')
    const watchFleet = fleetWatch(portal)
    const metrics = async () => {
      await watchFleet()
      const there = await worker?.counted?.()
      return metricsText([await counted(), ...(there ? [there] : [])])
    }
    if (metricsDoor) {
      countProcess('main')
      metricsDoor.answerWith(metrics)
    }
    return {
      url: config.publicUrl,
      portal,
      storage,
      metrics,
      async close(noticeMs = 0) {
        lifecycle.draining = true
        const stopped = worker?.stop()
        if (door && noticeMs > 0) await wait(noticeMs)
        await Promise.all([door?.close(drainMs), stopped])
        await metricsDoor?.close()
        await storage.stop()
        await db.destroy()
      },
    }
  } catch (error) {
    await Promise.all([door?.close(0), metricsDoor?.close()])
    throw error
  }
}

/** A process that only reads tenants stores them through the database's own thread, as the worker's thread does. */
async function openStore(config: Config, log: Log, threads: boolean): Promise<Database> {
  const where = { databaseUrl: config.databaseUrl, dataDir: config.dataDir, log }
  const db = await openDatabase(where)
  if (config.role !== 'worker' || !threads) return db
  await db.destroy()
  return connectDatabase({ ...where, threaded: true })
}

/** A role that is nothing but a worker has no pages to keep quick, and needs no thread beside its own. */
function startWork(
  portal: Portal,
  where: NonNullable<StartOptions['worker']>,
): (Pick<WorkerThread, 'stop'> & Partial<WorkerThread>) | null {
  const { config, log } = portal
  if (config.role === 'web' || where === false) return null
  return where === 'thread' && config.role === 'all' ? startWorkerThread(config, log) : startWorker(portal)
}

function withPort(config: Config, port: number): Config {
  const publicUrl = new URL(config.publicUrl)
  // The URL parser drops a default port and keeps 0, which nobody can mean.
  if (publicUrl.port !== '0') return { ...config, port }
  publicUrl.port = String(port)
  return { ...config, port, publicUrl: publicUrl.origin }
}
