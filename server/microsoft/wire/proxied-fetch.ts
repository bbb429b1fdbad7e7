import { type Agent, type AgentOptions, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { type OutboundProxy, proxyFor } from '../../config/proxy.ts'
import { TunnelAgent } from './tunnel.ts'

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
