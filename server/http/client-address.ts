import { createHmac } from 'node:crypto'
import { isIP, isIPv6 } from 'node:net'
import type { Request, RequestHandler } from 'express'
import type { Config } from '../config/config.ts'
import { keysFor } from './session/keys.ts'

/** The client's address; a proxy's word counts only when TRUST_PROXY names that proxy. */
export const clientAddress = (req: Request): string => (req.ip ?? 'unknown').replace(/^::ffff:(?=\d)/, '')

/**
 * What proxies said of the way here, in the one spelling that is compared and counted: addresses alone. Azure's Application
 * Gateway adds the port of each connection. What is no address, and what stands in front of it, is not believed.
 */
export const plainForwarded: RequestHandler = (req, _res, next) => {
  const header = req.headers['x-forwarded-for']
  if (header !== undefined) req.headers['x-forwarded-for'] = addressesIn(String(header)).join(', ')
  next()
}

function addressesIn(forwarded: string): string[] {
  const addresses = forwarded.split(',').map(addressIn)
  return addresses.slice(addresses.lastIndexOf(null) + 1) as string[]
}

/** `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:443`, in quotes or not; null for what is none. */
function addressIn(text: string): string | null {
  const bare = text.trim().replace(/^"(.*)"$/, '$1')
  const [, bracketed] = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(bare) ?? []
  if (bracketed !== undefined) return isIPv6(bracketed) ? bracketed : null
  const address = /^([\d.]+):\d{1,5}$/.exec(bare)?.[1] ?? bare
  return isIP(address) === 0 ? null : address
}

/**
 * What a limit is counted by: the address, and for IPv6 its /64, which one subscriber has to himself.
 */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.replace(/%.*$/, '').split('::') as [string, string?]
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  const network = [...left, ...zeros, ...right].slice(0, 4).map((part) => Number.parseInt(part, 16).toString(16))
  return `${network.join(':')}::/64`
}

/** What runs are counted by that came back from one network address: under a key, so that the table names nobody's. */
export function hashOfAddress(config: Config, req: Request): string {
  const [key = ''] = keysFor(config, 'address')
  return createHmac('sha256', key)
    .update(addressKey(clientAddress(req)))
    .digest('hex')
}
