import { parentPort, workerData } from 'node:worker_threads'
import { createLog } from '../log.ts'
import { Memory } from '../memory.ts'
import { counted, countProcess } from '../metrics.ts'
import { connectMicrosoft } from '../microsoft/connect.ts'
import { connectDatabase } from '../store/engine/database.ts'
import type { FromThread, ThreadSettings, ToThread } from './thread-host.ts'
import { startWorker } from './worker.ts'

const { config } = workerData as ThreadSettings
const log = createLog(config.logLevel)
const now = () => new Date()
// The thread's starter has migrated the database.
const db = connectDatabase({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log, threaded: true })
if (config.metricsPort !== null) countProcess('worker')
const worker = startWorker({
  config,
  db,
  microsoft: connectMicrosoft(config, { log, now }),
  log,
  now,
  memory: new Memory(),
})

parentPort?.on('message', async (message: ToThread) => {
  if (message.ask === 'count') {
    parentPort?.postMessage({ id: message.id, counted: await counted() } satisfies FromThread)
    return
  }
  await worker.stop()
  await db.destroy()
  process.exit(0)
})
