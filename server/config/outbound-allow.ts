import ipaddr from 'ipaddr.js'

/** What may be reached outside the public range, set by whoever runs the machine. */
export interface OutboundAllow {
  /** CIDRs, as `address/prefix`. */
  readonly ranges: readonly string[]
  /** Host names in lower case, without a final dot. */
  readonly hosts: readonly string[]
}

export const nothingAllowed: OutboundAllow = { ranges: [], hosts: [] }

const hostName = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*$/

/**
 * Reads a comma-separated list of addresses, CIDRs and host names.
 * @returns null where one of them is neither
 */
export function parseOutboundAllow(value: string): OutboundAllow | null {
  const ranges: string[] = []
  const hosts: string[] = []
  for (const item of value.split(',').map((one) => one.trim().toLowerCase())) {
    if (item === '') continue
    const [address = '', prefix] = item.split('/')
    if (ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address)) {
      const bits = ipaddr.parse(address).kind() === 'ipv4' ? 32 : 128
      if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)) return null
      ranges.push(`${address}/${prefix ?? bits}`)
    } else if (prefix === undefined && hostName.test(item) && !/^[\d.]+$/.test(item)) hosts.push(item)
    else return null
  }
  return { ranges, hosts }
}
