import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestCertificate } from '../support/certificates.ts'

/** What came to a receiver. */
export interface Received {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface Receiver {
  url: string
  port: number
  received: Received[]
  /** Connections so far, whether anything was asked over them or not. */
  connections(): number
  /** How it answers from now on. */
  answerWith(answer: Answering): void
  close(): Promise<void>
}

export type Answering = (res: ServerResponse, received: Received) => unknown

export const answerStatus =
  (status: number, headers: Record<string, string> = {}, body = ''): Answering =>
  (res) =>
    res.writeHead(status, headers).end(body)

/** An HTTP server on loopback that keeps what it was sent; with a certificate it speaks TLS. */
export async function startReceiver(
  answer: Answering = answerStatus(204),
  options: { certificate?: TestCertificate; host?: string } = {},
): Promise<Receiver> {
  const received: Received[] = []
  let answering = answer
  const hear = async (req: IncomingMessage, res: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const one = {
      method: req.method ?? '',
      path: req.url ?? '',
      headers: req.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    }
    received.push(one)
    answering(res, one)
  }
  const listener = (req: IncomingMessage, res: ServerResponse) => void hear(req, res).catch(() => res.destroy())
  const { certificate, host = '127.0.0.1' } = options
  const server: Server = certificate
    ? createTlsServer({ cert: certificate.pem, key: certificate.key }, listener)
    : createServer(listener)
  let connections = 0
  server.on('connection', () => void connections++)
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${certificate ? 'https' : 'http'}://${certificate ? 'localhost' : host}:${port}/hook`,
    port,
    received,
    connections: () => connections,
    answerWith(next) {
      answering = next
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
