import { isIP } from 'node:net'
import { isGuid } from '../guid.ts'
import { isLoopbackHost } from './clouds.ts'

export const sampleSecret = /^(changeme|change-me|secret|keyboard cat|replace|your[-_ ])/i

export const minimumSecretBytes = 32

export type Fault = (variable: string, problem: string, remedy: string) => void

export const list = (value: string | undefined) =>
  (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** Fewer than ten calls would not do for a tenant's first sync run. */
export function readCount(name: string, value: string | undefined, usual: number, fault: Fault): number {
  if (value === undefined) return usual
  const count = Number(value)
  if (/^\d{1,6}$/.test(value) && count >= 10) return count
  fault(name, 'is not a number of calls', `Use a whole number from 10, or leave it empty for ${usual}.`)
  return usual
}

const isPort = (value: string) => /^\d{1,5}$/.test(value) && Number(value) <= 65_535

export function readPort(value: string | undefined, fault: Fault): number {
  if (value === undefined) return 3000
  if (isPort(value)) return Number(value)
  fault('PORT', 'is not a port number', 'Use a whole number from 1 to 65535, or leave it empty for 3000.')
  return 3000
}

export function readMetricsPort(value: string | undefined, pagesPort: number, fault: Fault): number | null {
  if (value === undefined) return null
  const remedy = 'Use a whole number from 1 to 65535, or leave it empty for no metrics.'
  if (!isPort(value)) fault('METRICS_PORT', 'is not a port number', remedy)
  // Port 0 takes any free one: two of them do not meet.
  else if (Number(value) === pagesPort && pagesPort !== 0) {
    fault('METRICS_PORT', 'is the same as PORT', 'Choose another one: metrics are answered apart from the pages.')
  } else return Number(value)
  return null
}

export function readPublicUrl(value: string, fault: Fault): string {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash || url.username) {
    fault('PUBLIC_URL', 'is not an origin', 'Write the scheme and host people see, such as https://muster.example.com.')
    return 'http://localhost'
  }
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    fault('PUBLIC_URL', 'is not encrypted', 'Use https://. Plain http is accepted for localhost alone.')
  }
  return url.origin
}

export function readGuid(
  name: string,
  value: string | undefined,
  fault: Fault,
  { remedy }: { remedy: string },
): string {
  if (value === undefined) fault(name, 'is missing', remedy)
  else if (!isGuid(value)) fault(name, 'is not a GUID', remedy)
  return (value ?? '').toLowerCase()
}

export function readOrigin(
  name: string,
  value: string | undefined,
  fault: Fault,
  { fallback, allowed, remedy }: { fallback: string; allowed: (origin: string) => boolean; remedy: string },
): string {
  if (value === undefined) return fallback
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.pathname !== '/' || url.search || url.hash || url.username || url.password) {
    fault(name, 'is not an origin', `${remedy} No path, no user name.`)
    return fallback
  }
  if (isLoopbackHost(url.hostname)) return url.origin
  if (url.protocol !== 'https:') fault(name, 'is not encrypted', `${remedy} Plain http is accepted for loopback alone.`)
  else if (!allowed(url.origin)) fault(name, 'is not one of Microsoft’s hosts', remedy)
  return url.origin
}

export function readChoice<T extends string>(
  name: string,
  value: string | undefined,
  choices: readonly [T, ...T[]],
  fault: Fault,
): T {
  const known = choices.find((choice) => choice === value)
  if (value !== undefined && known === undefined) {
    fault(name, 'is not one of the choices', `Use ${choices.join(', ')}, or leave it empty for ${choices[0]}.`)
  }
  return known ?? choices[0]
}

export function readAdmins(value: string | undefined, fault: Fault): string[] {
  const users = list(value).map((user) => user.toLowerCase())
  if (users.some((user) => !isGuid(user) && !/^[^\s@]+@[^\s@]+$/.test(user))) {
    fault(
      'ADMIN_USERS',
      'holds something that is neither an object ID nor a user principal name',
      'List them comma-separated, such as ada@example.com; Entra shows both on the user’s overview page.',
    )
  }
  return users
}

/** Ranges by name, for platforms whose proxies have no fixed address: RFC 1918, 4193, 3927, 4291 and 6598. */
const proxyRanges: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', ['loopback']],
  ['linklocal', ['linklocal']],
  ['uniquelocal', ['uniquelocal']],
  ['private', ['uniquelocal', 'linklocal', '100.64.0.0/10']],
])

/** Shorter prefixes hold more than anybody's proxies. */
const widest = { 4: { least: 8, most: 32 }, 6: { least: 7, most: 128 } }

/** Addresses, CIDRs and names of ranges, as the library that believes them takes them. */
export function readProxies(value: string | undefined, fault: Fault): string[] {
  const remedy = 'List the proxies’ addresses or CIDRs, comma-separated, or a range by name: loopback, private.'
  const wrong = (problem: string) => {
    fault('TRUST_PROXY', problem, remedy)
    return []
  }
  return list(value).flatMap((proxy) => {
    const ranges = proxyRanges.get(proxy.toLowerCase())
    if (ranges) return ranges
    const [, address = proxy, prefix] = /^([^/]+)\/(\d{1,3})$/.exec(proxy) ?? []
    const version = address.includes('%') ? 0 : isIP(address)
    if (version !== 4 && version !== 6) return wrong('holds something that is not an address')
    if (prefix === undefined) return [address]
    const { least, most } = widest[version]
    if (Number(prefix) > most) return wrong(`holds a prefix beyond /${most}`)
    // Within ::ffff:0:0/96 are the addresses of IPv4.
    if (Number(prefix) < (/^::ffff:/i.test(address) ? 96 + widest[4].least : least)) {
      return wrong('holds a range so wide that anybody could say who he is')
    }
    return [`${address}/${Number(prefix)}`]
  })
}
