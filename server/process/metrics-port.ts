import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLoopbackHost } from '../config/clouds.ts'
import {
  blindTenants,
  dueTenants,
  forgetFleet,
  incidentsToReadAgain,
  metricsContentType,
  oldestReadSeconds,
} from '../metrics.ts'
import type { Portal } from '../portal.ts'
import { fleetGauges } from '../store/tenants/gauges.ts'
import { countOlder } from '../store/upkeep/older-readings.ts'

export interface MetricsPort {
  port: number
  close(): Promise<void>
}

/** Only what runs on this machine can ask here, whatever HOST says: there is no sign-in before it. */
const host = '127.0.0.1'

/** A scraper asks every 15 s or so, alone. */
const connections = 16

/**
 * Answers `GET /metrics` on loopback alone. Port 0 takes a free one. Until `answerWith`, every answer is "not yet".
 * @throws what the system says of a port that cannot be had, with `variable: 'METRICS_PORT'`
 */
export async function openMetricsPort(
  port: number,
): Promise<MetricsPort & { answerWith(metrics: () => Promise<string>): void }> {
  let metrics: (() => Promise<string>) | null = null
  const server = createServer(
    { connectionsCheckingInterval: 1_000, headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 30_000 },
    (req, res) => {
      answer(req, res, metrics).catch((error: unknown) => {
        res.destroy(error instanceof Error ? error : undefined)
      })
    },
  )
  server.maxConnections = connections
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(Object.assign(error, { syscall: 'listen', variable: 'METRICS_PORT' })))
    server.listen(port, host, resolve)
  })
  // Nothing waits for a scraper.
  server.unref()
  return {
    port: (server.address() as AddressInfo).port,
    answerWith(next) {
      metrics = next
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  metrics: (() => Promise<string>) | null,
): Promise<void> {
  const refuse = (status: number, text: string) => {
    res.writeHead(status, { 'Content-Type': 'text/plain', Connection: 'close' }).end(`${text}\n`)
  }
  // A web page can make a browser ask here under a name of its own that leads to 127.0.0.1.
  if (!isLoopback(req.headers.host)) return refuse(421, 'not here')
  if (req.method !== 'GET' || req.url?.replace(/\?.*$/, '') !== '/metrics') return refuse(404, 'only GET /metrics')
  if (metrics === null) return refuse(503, 'starting')
  const text = await metrics()
  res.writeHead(200, {
    'Content-Type': metricsContentType,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  })
  res.end(text)
}

function isLoopback(header: string | undefined): boolean {
  const url = `http://${header ?? ''}`
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname)
}

/** However often anybody asks, the database is asked this often. */
const keptMs = 5_000

/** Looks at the whole fleet for its gauges, at most once in five seconds; while the database is away they are absent. */
export function fleetWatch({ db, now, log }: Pick<Portal, 'db' | 'now' | 'log'>): () => Promise<void> {
  let latest: { at: number; done: Promise<void> } | null = null
  const look = async () => {
    try {
      const at = now()
      const { blind, oldestReadAt, due } = await fleetGauges(db, at)
      const older = await countOlder(db)
      forgetFleet()
      blindTenants.set(blind)
      incidentsToReadAgain.set(older)
      if (oldestReadAt !== null) {
        oldestReadSeconds.set(Math.max(0, (at.getTime() - Date.parse(oldestReadAt)) / 1_000))
      }
      for (const [work, n] of Object.entries(due)) dueTenants.set({ work }, n)
    } catch (error) {
      forgetFleet()
      log.warn({ err: error }, 'metrics go without the gauges that the database knows')
    }
  }
  return () => {
    // Not the portal's clock, which may jump.
    const at = performance.now()
    if (latest === null || at - latest.at >= keptMs) latest = { at, done: look() }
    return latest.done
  }
}
