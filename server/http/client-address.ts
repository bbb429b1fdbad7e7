import { createHmac } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { Request } from 'express'
import type { Config } from '../config/config.ts'
import { keysFor } from './session/keys.ts'

/** The client's address; a proxy's word counts only when TRUST_PROXY names that proxy. */
export const clientAddress = (req: Request): string => (req.ip ?? 'unknown').replace(/^::ffff:(?=\d)/, '')

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
