import { type ClientRequest, type RequestOptions as HttpOptions, request as httpRequest } from 'node:http'
import { Agent, type AgentOptions, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { type OutboundProxy, proxyFor } from '../../config/proxy.ts'

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
class TunnelAgent extends Agent {
  readonly #proxy: OutboundProxy

  constructor(proxy: OutboundProxy, options: AgentOptions) {
    super(options)
    this.#proxy = proxy
  }

  override createConnection(options: HttpOptions & ConnectionOptions, connected?: Connected): undefined {
    const authority = `${options.host}:${options.port ?? 443}`
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

/**
 * `fetch` by way of the machine's proxy, where it has one; for texts and https, which is all that goes to Microsoft. Node's
 * own reads no proxy from its environment in the versions that Muster runs on. It follows no redirect.
 * @param options.ca authorities instead of those that Node.js knows, in PEM
 */
export function fetchThrough(
  proxy: OutboundProxy | null,
  options: Pick<AgentOptions, 'ca'> = {},
): typeof globalThis.fetch {
  if (!proxy) return globalThis.fetch
  const agent = new TunnelAgent(proxy, { keepAlive: true, maxFreeSockets: 16, timeout: 60_000, ...options })
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (proxyFor(proxy, url) === null || url.protocol !== 'https:') return globalThis.fetch(input, init)
    return exchange(url, init, agent)
  }
}

function exchange(url: URL, init: RequestInit, agent: Agent): Promise<Response> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) => reject(new TypeError('fetch failed', { cause }))
    const body = typeof init.body === 'string' ? Buffer.from(init.body) : null
    const headers: Record<string, string | number> = Object.fromEntries(new Headers(init.headers))
    if (body) headers['content-length'] = body.length
    const sent = httpsRequest(
      url,
      { agent, method: init.method ?? 'GET', headers, ...(init.signal ? { signal: init.signal } : {}) },
      (answer) => {
        const { statusCode: status = 0, headersDistinct } = answer
        const pairs = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
          values.map((value): [string, string] => [name, value]),
        )
        const empty = [204, 205, 304].includes(status)
        if (empty) answer.resume()
        const stream = empty ? null : (Readable.toWeb(answer) as ReadableStream)
        resolve(new Response(stream, { status, headers: pairs }))
      },
    )
    sent.once('error', failed)
    sent.end(body ?? undefined)
  })
}
