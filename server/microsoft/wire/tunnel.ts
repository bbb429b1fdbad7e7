import { type ClientRequest, type RequestOptions as HttpOptions, request as httpRequest } from 'node:http'
import { Agent, type AgentOptions, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { OutboundProxy } from '../../config/proxy.ts'

const connectMs = 15_000

/** How a proxy said no: `PROXY_407` for an answer, `PROXY_ECONNREFUSED` where it was not reached. */
class ProxyError extends Error {
  readonly code: string

  constructor(code: string, cause?: unknown) {
    super(`the proxy did not let the request through (${code})`, cause === undefined ? undefined : { cause })
    this.code = `PROXY_${code}`
  }
}

type Connected = Parameters<NonNullable<HttpOptions['createConnection']>>[1]

/** Connections to https hosts through a tunnel that a proxy makes: it sees names and lengths, and nothing else. */
export class TunnelAgent extends Agent {
  readonly #proxy: OutboundProxy

  constructor(proxy: OutboundProxy, options: AgentOptions) {
    super(options)
    this.#proxy = proxy
  }

  override createConnection(options: HttpOptions & ConnectionOptions, connected?: Connected): undefined {
    const host = options.host ?? ''
    const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${options.port ?? 443}`
    const tunnel = this.#ask(authority)
    const failed = (error: ProxyError) => connected?.(error, undefined as never)
    tunnel.once('connect', (answer, socket, head) => {
      if (answer.statusCode !== 200) {
        socket.destroy()
        return failed(new ProxyError(String(answer.statusCode)))
      }
      if (head.length > 0) socket.unshift(head)
      socket.setTimeout(0)
      const { path: _, ...tls } = options
      connected?.(null, connectTls({ ...tls, socket } as ConnectionOptions))
    })
    // An answer of another kind: a web server, or a proxy that refuses by a page.
    tunnel.once('response', (answer) => {
      answer.destroy()
      failed(new ProxyError(String(answer.statusCode)))
    })
    tunnel.once('timeout', () => tunnel.destroy(new ProxyError('TIMEOUT')))
    tunnel.once('error', (error) => failed(error instanceof ProxyError ? error : new ProxyError(codeOf(error), error)))
    tunnel.end()
  }

  #ask(authority: string): ClientRequest {
    const { origin, authorization } = this.#proxy
    const { protocol, hostname, port } = new URL(origin)
    const request = protocol === 'https:' ? httpsRequest : httpRequest
    return request({
      method: 'CONNECT',
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port || (protocol === 'https:' ? 443 : 80),
      path: authority,
      headers: { Host: authority, ...(authorization === null ? {} : { 'Proxy-Authorization': authorization }) },
      agent: false,
      timeout: connectMs,
    })
  }
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^\w{1,30}$/.test(code) ? code : 'NO_ANSWER'
}
