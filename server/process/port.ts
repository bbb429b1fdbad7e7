import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer } from 'node:net'
import type { Config } from '../config/config.ts'

type Answer = (req: IncomingMessage, res: ServerResponse) => void

interface Door {
  port: number
  answerWith(answer: Answer): void
  /** Takes no new connection and waits for the requests in hand, `patience` milliseconds at most. */
  close(patience: number): Promise<void>
}

/** A port in use is found out before anything else is touched; until there are pages, every answer is "not yet". */
export async function openDoor(config: Config): Promise<Door> {
  let answer: Answer = (_req, res) => res.writeHead(503, { 'Retry-After': '1' }).end('starting\n')
  // Node looks for overdue headers every 30 s unless told otherwise, and only at creation: slow clients would hold on.
  const server = createServer(
    { connectionsCheckingInterval: 1_000, headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000 },
    (req, res) => answer(req, res),
  )
  await new Promise<void>((resolve, reject) => {
    // However the address was wrong, it was this one, and not the database's.
    server.once('error', (error) => reject(Object.assign(error, { syscall: 'listen' })))
    server.listen(config.port, config.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    answerWith(next) {
      answer = next
    },
    close: (patience) => drain(server, patience),
  }
}

async function drain(server: Server, patience: number): Promise<void> {
  // HTTP's own `close` cuts connections whose first request is still on its way: they get a moment for it.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()))
  // A connection whose last request ends from now on would be kept alive for nothing.
  const sweep = setInterval(() => server.closeIdleConnections(), 100)
  const overdue = setTimeout(() => server.closeAllConnections(), patience)
  await closed
  clearInterval(sweep)
  clearTimeout(overdue)
}
