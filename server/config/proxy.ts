import { isIP } from 'node:net'
import { isLoopbackHost } from './clouds.ts'
import { type Fault, list } from './values.ts'

/** The proxy by which this machine gets out. */
export interface OutboundProxy {
  /** `http://host:port` or `https://…`, without credentials: it may be shown. */
  readonly origin: string
  /** The value of `Proxy-Authorization`; null where it asks for nobody. */
  readonly authorization: string | null
  /** Hosts that are reached without it: names, which stand for what is below them as well, with a port or not; `*` for all. */
  readonly except: readonly string[]
}

/** Reads HTTPS_PROXY and NO_PROXY as curl does. */
export function readProxy(value: string | undefined, except: string | undefined, fault: Fault): OutboundProxy | null {
  if (value === undefined) return null
  const address = value.includes('://') ? value : `http://${value}`
  const url = URL.canParse(address) ? new URL(address) : null
  if (url === null || url.hostname === '' || !/^https?:$/.test(url.protocol) || !['', '/'].includes(url.pathname)) {
    const socks = /^socks/i.test(value)
    const problem = socks ? 'is a SOCKS proxy, which Muster does not speak to' : 'is not the address of a proxy'
    const remedy =
      'Write http://proxy.example.com:3128, with http://user:password@ where it asks for them and what is special in these as %-codes.'
    fault('HTTPS_PROXY', problem, remedy)
    return null
  }
  const credentials = [url.username, url.password].map(decoded).join(':')
  return {
    origin: url.origin,
    authorization: credentials === ':' ? null : `Basic ${Buffer.from(credentials).toString('base64')}`,
    except: list(except?.replaceAll(/\s+/g, ',')).map((item) => item.toLowerCase()),
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The proxy for an address; null where it is reached without one, as everything on this machine is. */
export function proxyFor(proxy: OutboundProxy | null, url: URL): OutboundProxy | null {
  if (proxy === null || isLoopbackHost(url.hostname)) return null
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const excepted = proxy.except.some((item) => {
    if (item === '*') return true
    const bare = item.replace(/^\*?\./, '')
    const [, name = '', itsPort = port] =
      isIP(bare) === 6 ? [bare, bare] : (/^\[?([^[\]]*?)\]?(?::(\d+))?$/.exec(bare) ?? [])
    return itsPort === port && name !== '' && (host === name || host.endsWith(`.${name}`))
  })
  return excepted ? null : proxy
}
