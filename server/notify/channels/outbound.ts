import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'
import type { OutboundAllow } from '../../config/outbound-allow.ts'
import { type OutboundProxy, proxyFor } from '../../config/proxy.ts'
import { TunnelAgent } from '../../microsoft/wire/tunnel.ts'

/**
 * Why nothing came back. `address-refused`: it leads to where no destination may be · `address-unusable`: it is no address
 * for this · `certificate`: the other side could not show who it is · `needs-direct-way`: this machine's proxy does not lead
 * to the address that was looked at.
 */
export const outboundFaults = [
  'address-unusable',
  'address-refused',
  'name-unknown',
  'certificate',
  'needs-direct-way',
  'timeout',
  'connection',
] as const
export type OutboundFault = (typeof outboundFaults)[number]

/** Nothing came back, or nothing was sent. The message names no address: a part of it may be a secret. */
export class OutboundError extends Error {
  readonly fault: OutboundFault
  /** The system's own word for it, such as `ECONNREFUSED`. */
  readonly detail: string | null

  constructor(fault: OutboundFault, detail: string | null = null, cause?: unknown) {
    super(`outbound: ${fault}${detail === null ? '' : ` (${detail})`}`, cause === undefined ? undefined : { cause })
    this.name = 'OutboundError'
    this.fault = fault
    this.detail = detail
  }
}

/** What the door is built from. */
export interface DoorSettings {
  readonly outboundAllow: OutboundAllow
  /** The proxy by which this machine gets out; null or none: directly. */
  readonly proxy?: OutboundProxy | null
  /** The portal's own addresses: nobody makes it send to itself. */
  readonly publicUrl: string
  readonly port: number
  readonly metricsPort: number | null
  /** Authorities accepted besides those of Node, as PEM. */
  readonly authorities?: readonly string[]
  /** How names are resolved; the system's way unless said. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>
  /** For one request, from its name to the end of its answer; 15 s unless said. */
  readonly deadlineMs?: number
}

export interface OutboundRequest {
  url: string
  headers: Readonly<Record<string, string>>
  body: string | Buffer
}

export interface OutboundAnswer {
  status: number
  /** As the header says it; null where there is none. */
  retryAfter: string | null
  /** The first 64 kB, as UTF-8. */
  text: string
  ms: number
}

/** Where to connect, after the name was resolved and every address behind it looked at. */
export interface CheckedPeer {
  /** The name to show a certificate for; an address where there is no name. */
  host: string
  address: string
  family: 4 | 6
  port: number
}

const deadline = 15_000
const mostAnswerBytes = 64 * 1024
/** Once the status is there, the rest of the answer is waited for this long. */
const bodyMs = 2_000

/** Metadata addresses of clouds: always refused, whatever OUTBOUND_ALLOW says. */
const metadata = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd20:ce::254',
])

/**
 * Sends a POST to an address that a person typed. Only https, and http where OUTBOUND_ALLOW names loopback; the name is
 * resolved once, every address behind it must be public or allowed, and the connection goes to the address that was looked
 * at: behind a proxy by a tunnel to that address, with the name for TLS alone. No redirect is followed, no more than 64 kB are read, and after 15 s it is over.
 * @throws OutboundError when no answer came
 */
export async function sendOutbound(door: DoorSettings, asked: OutboundRequest): Promise<OutboundAnswer> {
  const started = performance.now()
  const url = readOutboundUrl(door, asked.url)
  const signal = AbortSignal.timeout(door.deadlineMs ?? deadline)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  // For what is on this machine, and for what NO_PROXY names, there is none.
  const proxy = url.protocol === 'https:' ? proxyFor(door.proxy ?? null, url) : null
  const peer = await within(signal, checkPeer(door, url.hostname, port)).catch((error: unknown) => {
    // Proxies often know names that the machine behind them does not: what cannot be looked at is not sent to.
    const isUnknown = error instanceof OutboundError && error.fault === 'name-unknown'
    throw proxy !== null && isUnknown ? new OutboundError('needs-direct-way', error.detail, error) : error
  })
  if (url.protocol === 'http:' && rangeOf(peer.address) !== 'loopback')
    throw new OutboundError('address-refused', 'http')
  return new Promise<OutboundAnswer>((resolve, reject) => {
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest
    const request = send({
      method: 'POST',
      host: peer.address,
      family: peer.family,
      port,
      path: `${url.pathname}${url.search}`,
      headers: { ...asked.headers, host: url.host, 'content-length': Buffer.byteLength(asked.body) },
      agent: proxy === null ? false : new TunnelAgent(proxy, {}),
      signal,
      // An address has no name to ask for, and its certificate is compared with the address itself.
      ...(isIP(peer.host) === 0 ? { servername: peer.host } : {}),
      ...(door.authorities ? { ca: [...door.authorities] } : {}),
    })
    request.on('error', (error) => reject(faultOf(error, signal)))
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const end = () => {
        clearTimeout(overdue)
        request.destroy()
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers['retry-after'] ?? null,
          text: Buffer.concat(chunks).subarray(0, mostAnswerBytes).toString('utf8'),
          ms: Math.round(performance.now() - started),
        })
      }
      const overdue = setTimeout(end, bodyMs)
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes >= mostAnswerBytes) end()
      })
      response.on('end', end)
      // The status came: what is lost of the rest decides nothing.
      response.on('error', end)
      response.on('aborted', end)
    })
    request.end(asked.body)
  })
}

/**
 * What of an address can be said before its name is resolved.
 * @throws OutboundError `address-unusable` for what is no address, `address-refused` for what leads where it may not
 */
export function readOutboundUrl(door: Pick<DoorSettings, 'outboundAllow' | 'publicUrl'>, text: string): URL {
  if (!URL.canParse(text)) throw new OutboundError('address-unusable')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') throw new OutboundError('address-unusable', 'credentials')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowsLoopback(door))) {
    throw new OutboundError('address-unusable', 'scheme')
  }
  const host = bareHost(url.hostname)
  if (isIP(host) === 0) {
    if (host === '' || isOurName(door.publicUrl, host, url)) throw new OutboundError('address-refused', 'own')
  } else refuseAddress(door, host, host)
  return url
}

/**
 * Resolves a name once and looks at every address behind it: one that may not be reached refuses them all.
 * @param host as a URL or a person spells it
 * @throws OutboundError `name-unknown`, `address-refused`
 */
export async function checkPeer(door: DoorSettings, host: string, port: number): Promise<CheckedPeer> {
  const name = bareHost(host)
  const addresses = await resolve(door, name)
  const [first] = addresses
  if (!first) throw new OutboundError('name-unknown')
  for (const { address } of addresses) {
    refuseAddress(door, address, name)
    if (isOwnSocket(door, address, port)) throw new OutboundError('address-refused', 'own')
  }
  return { host: name, address: first.address, family: first.family === 6 ? 6 : 4, port }
}

/** Whether plain http, and a mail server without TLS, may be used on this machine. */
export const allowsLoopback = ({ outboundAllow }: Pick<DoorSettings, 'outboundAllow'>): boolean =>
  outboundAllow.ranges.some((range) => rangeOf(ipaddr.parseCIDR(range)[0].toString()) === 'loopback') ||
  isAllowed(outboundAllow, '127.0.0.1') ||
  isAllowed(outboundAllow, '::1')

/** `unicast` for what is public, or what else ipaddr.js calls it; IPv4 within IPv6 is looked at as IPv4. */
export function rangeOf(address: string): string {
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.range()
  // Outside of 2000::/3 nothing is given to anybody, and ::7f00:1 is 127.0.0.1 by an old spelling.
  const range = parsed.range()
  return range === 'unicast' && !inRange(address, '2000::/3') ? 'reserved' : range
}

function refuseAddress({ outboundAllow }: Pick<DoorSettings, 'outboundAllow'>, address: string, name: string): void {
  const plain = ipaddr.process(address.replace(/%.*$/, '')).toString()
  if (metadata.has(plain)) throw new OutboundError('address-refused', 'metadata')
  if (address.includes('%')) throw new OutboundError('address-refused', 'zone')
  if (rangeOf(plain) === 'unicast' || outboundAllow.hosts.includes(name) || isAllowed(outboundAllow, plain)) return
  throw new OutboundError('address-refused', 'range')
}

const isAllowed = ({ ranges }: OutboundAllow, address: string) => ranges.some((range) => inRange(address, range))

function inRange(address: string, range: string): boolean {
  const parsed = ipaddr.process(address)
  const [network, prefix] = ipaddr.parseCIDR(range)
  return parsed.kind() === network.kind() && parsed.match([network, prefix] as [ipaddr.IPv4, number])
}

async function resolve(door: DoorSettings, name: string): Promise<readonly LookupAddress[]> {
  const family = isIP(name)
  if (family !== 0) return [{ address: name, family }]
  try {
    return await (door.resolve ?? ((host) => lookup(host, { all: true })))(name)
  } catch (error) {
    throw new OutboundError('name-unknown', codeOf(error), error)
  }
}

/** `[::1]`, `example.com.` and `Example.COM` as they are compared. */
const bareHost = (host: string) =>
  host
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()

const isOurName = (publicUrl: string, host: string, url: URL) => {
  const ours = new URL(publicUrl)
  return bareHost(ours.hostname) === host && ours.port === url.port && ours.protocol === url.protocol
}

/** A port of this process, by whatever address of this machine. */
function isOwnSocket({ port, metricsPort }: DoorSettings, address: string, targetPort: number): boolean {
  if (targetPort !== port && targetPort !== metricsPort) return false
  const plain = ipaddr.process(address).toString()
  if (['loopback', 'unspecified'].includes(rangeOf(plain))) return true
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === plain))
}

async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let give: () => void = () => undefined
  const over = new Promise<never>((_, reject) => {
    give = () => reject(new OutboundError('timeout'))
    signal.addEventListener('abort', give, { once: true })
  })
  try {
    return await Promise.race([work, over])
  } finally {
    signal.removeEventListener('abort', give)
  }
}

const codeOf = (error: unknown): string | null => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code.slice(0, 60) : null
}

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes and what OpenSSL says of a handshake. */
const certificateCodes =
  /^(CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS_|ERR_SSL_|EPROTO|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/

function faultOf(error: unknown, signal: AbortSignal): OutboundError {
  if (signal.aborted) return new OutboundError('timeout')
  const code = codeOf(error)
  if (code?.startsWith('PROXY_')) return new OutboundError('needs-direct-way', code, error)
  return new OutboundError(code !== null && certificateCodes.test(code) ? 'certificate' : 'connection', code, error)
}
