import { isIP } from 'node:net'
import { type CertificateCredential, datesOf, readCertificateFile } from './certificate.ts'
import { cloudOf, isLoopbackHost } from './clouds.ts'
import { nothingAllowed, type OutboundAllow, parseOutboundAllow } from './outbound-allow.ts'

export type Credential = { kind: 'secret'; secret: string } | CertificateCredential

export interface Registration {
  clientId: string
  credential: Credential
}

export type IncidentsApi = 'defender' | 'graph'
export type Role = 'all' | 'web' | 'worker'

/** Everything the environment decides, read once and frozen. Origins carry no trailing slash. */
export interface Config {
  readonly port: number
  readonly host: string
  readonly publicUrl: string
  readonly sessionSecrets: readonly string[]
  /** What seals what the database keeps sealed; empty: the secrets above do. */
  readonly dataKeys: readonly string[]
  readonly partnerTenantId: string
  /** The multi-tenant app that customers consent to. */
  readonly app: Registration
  /** The registration operators sign in with; the app above unless a second one is configured. */
  readonly signIn: Registration
  readonly authorityHost: string
  readonly defenderUrl: string
  readonly graphUrl: string
  readonly incidentsApi: IncidentsApi
  readonly databaseUrl: string | null
  readonly dataDir: string
  readonly role: Role
  readonly adminUsers: readonly string[]
  readonly trustProxy: readonly string[]
  readonly logLevel: string
  /** Where metrics are answered, on loopback alone; null for nowhere. */
  readonly metricsPort: number | null
  /** What destinations may be outside the public range. */
  readonly outboundAllow: OutboundAllow
  readonly sync: SyncSettings
  /** What stops nothing, and is probably not what somebody wanted. */
  readonly warnings: readonly ConfigProblem[]
}

/** How tenants are read. Times in milliseconds. */
export interface SyncSettings {
  /** Between polls of a tenant in which something happens. */
  readonly paceMs: number
  /** Between polls of a quiet one, at most. */
  readonly quietPaceMs: number
  /** Each poll looks this far back behind the newest change seen: Microsoft shows some of them late. */
  readonly overlapMs: number
  /** Between comparisons of the last days with all that Microsoft lists. */
  readonly reconcileMs: number
  /** Between comparisons of the whole 30 days. */
  readonly deepReconcileMs: number
  /** Prolonged for as long as the work goes on: what a killed worker leaves behind is taken up this soon. */
  readonly leaseMs: number
  /** Calls for one tenant, from all processes together. */
  readonly callsPerMinute: number
  readonly callsPerHour: number
}

/** Microsoft's own limits: https://learn.microsoft.com/defender-xdr/api-list-incidents and Graph's for /security. */
export const callLimits = { defender: { minute: 50, hour: 1_500 }, graph: { minute: 150, hour: 9_000 } }

const usualSync = {
  paceMs: 90_000,
  quietPaceMs: 600_000,
  overlapMs: 15 * 60_000,
  reconcileMs: 6 * 3_600_000,
  deepReconcileMs: 24 * 3_600_000,
  leaseMs: 30_000,
}

export interface ConfigProblem {
  variable: string
  problem: string
  remedy: string
}

/** Thrown with all problems at once: nobody mends a configuration one error at a time. Holds names, never values. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(`${problems.length} configuration problem(s): ${problems.map((p) => p.variable).join(', ')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Every variable `readConfig` reads; `.env.example` lists exactly these. */
export const variables = [
  'PORT',
  'HOST',
  'PUBLIC_URL',
  'SESSION_SECRET',
  'DATA_KEY',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_CERTIFICATE_PATH',
  'AZURE_TENANT_ID',
  'SIGN_IN_CLIENT_ID',
  'SIGN_IN_CLIENT_SECRET',
  'AZURE_AUTHORITY_HOST',
  'DEFENDER_API_URL',
  'GRAPH_API_URL',
  'INCIDENTS_API',
  'DATABASE_URL',
  'DATA_DIR',
  'ROLE',
  'ADMIN_USERS',
  'TRUST_PROXY',
  'LOG_LEVEL',
  'CALLS_PER_MINUTE',
  'CALLS_PER_HOUR',
  'METRICS_PORT',
  'OUTBOUND_ALLOW',
] as const

export type Environment = Partial<Record<(typeof variables)[number], string | undefined>>

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const sampleSecret = /^(changeme|change-me|secret|keyboard cat|replace|your[-_ ])/i
const minimumSecretBytes = 32

interface Noticed {
  problems?: readonly ConfigProblem[]
  warnings?: readonly ConfigProblem[]
}

/** Tabs and line ends aside: they are trimmed, or between the items of a list. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const unseen = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\p{Cf}]/u

/**
 * Reads and checks the whole configuration.
 * @param noticed what is known already: of variables with a problem nothing else is said
 * @throws ConfigError naming every variable that is wrong and how to mend it, without repeating any value.
 */
export function readConfig(env: Environment, { problems: told = [], warnings = [] }: Noticed = {}): Config {
  const problems: ConfigProblem[] = [...told]
  const fault = (variable: string, problem: string, remedy: string) => {
    if (!told.some((one) => one.variable === variable)) problems.push({ variable, problem, remedy })
  }
  for (const name of variables) {
    if (unseen.test(env[name]?.trim() ?? '')) {
      fault(
        name,
        'holds a character that cannot be seen',
        'Type the value again, or paste it by way of a plain text editor.',
      )
    }
  }
  const text = (name: keyof Environment) => env[name]?.trim() || undefined

  const port = readPort(text('PORT'), fault)
  const publicUrl = readPublicUrl(text('PUBLIC_URL') ?? `http://localhost:${port}`, fault)
  const sessionSecrets = readSecrets('SESSION_SECRET', text('SESSION_SECRET'), fault)
  const dataKey = text('DATA_KEY')
  const dataKeys = dataKey === undefined ? [] : readSecrets('DATA_KEY', dataKey, fault)

  const clientId = readGuid('AZURE_CLIENT_ID', text('AZURE_CLIENT_ID'), fault, {
    remedy: 'Copy "Application (client) ID" from the app registration’s overview page in Entra.',
  })
  const partnerTenantId = readGuid('AZURE_TENANT_ID', text('AZURE_TENANT_ID'), fault, {
    remedy: 'Copy "Directory (tenant) ID" of your own tenant from the app registration’s overview page in Entra.',
  })
  const credential = readCredential(env, fault)
  const signIn = readSignIn(env, { clientId, credential }, fault)

  const authorityHost = readOrigin('AZURE_AUTHORITY_HOST', text('AZURE_AUTHORITY_HOST'), fault, {
    fallback: 'https://login.microsoftonline.com',
    allowed: (origin) => cloudOf(origin) !== undefined,
    remedy: 'Use https://login.microsoftonline.com, or a national cloud’s own login origin.',
  })
  const defenderUrl = readOrigin('DEFENDER_API_URL', text('DEFENDER_API_URL'), fault, {
    fallback: 'https://api.security.microsoft.com',
    allowed: (origin) => /^https:\/\/([a-z]+[.-])?(api|api-[a-z]+)\.security\.microsoft\.(com|us)$/.test(origin),
    remedy: 'Use https://api.security.microsoft.com, or your region’s or cloud’s own host of that service.',
  })
  const graphUrl = readOrigin('GRAPH_API_URL', text('GRAPH_API_URL'), fault, {
    fallback: 'https://graph.microsoft.com',
    allowed: (origin) =>
      /^https:\/\/(graph|dod-graph|microsoftgraph)\.(microsoft\.(com|us)|chinacloudapi\.cn)$/.test(origin),
    remedy: 'Use https://graph.microsoft.com, or your national cloud’s Microsoft Graph host.',
  })

  const databaseUrl = text('DATABASE_URL') ?? null
  if (databaseUrl !== null && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    fault(
      'DATABASE_URL',
      'is not a postgres:// address',
      'Leave it empty for SQLite, or write postgres://user@host/db.',
    )
  }
  const incidentsApi = readChoice('INCIDENTS_API', text('INCIDENTS_API'), ['defender', 'graph'] as const, fault)
  const limits = callLimits[incidentsApi]
  const config: Config = {
    port,
    host: text('HOST') ?? '127.0.0.1',
    publicUrl,
    sessionSecrets,
    dataKeys,
    partnerTenantId,
    app: { clientId, credential },
    signIn,
    authorityHost,
    defenderUrl,
    graphUrl,
    incidentsApi,
    databaseUrl,
    dataDir: text('DATA_DIR') ?? './data',
    role: readChoice('ROLE', text('ROLE'), ['all', 'web', 'worker'] as const, fault),
    adminUsers: readAdmins(text('ADMIN_USERS'), fault),
    trustProxy: readProxies(text('TRUST_PROXY'), fault),
    logLevel: readChoice(
      'LOG_LEVEL',
      text('LOG_LEVEL'),
      ['info', 'trace', 'debug', 'warn', 'error', 'fatal', 'silent'] as const,
      fault,
    ),
    metricsPort: readMetricsPort(text('METRICS_PORT'), port, fault),
    outboundAllow: readOutboundAllow(text('OUTBOUND_ALLOW'), fault),
    sync: {
      ...usualSync,
      callsPerMinute: readCount('CALLS_PER_MINUTE', text('CALLS_PER_MINUTE'), limits.minute, fault),
      callsPerHour: readCount('CALLS_PER_HOUR', text('CALLS_PER_HOUR'), limits.hour, fault),
    },
    warnings,
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(config)
}

type Fault = (variable: string, problem: string, remedy: string) => void

const list = (value: string | undefined) =>
  (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** Fewer than ten calls would not do for a tenant's first pass. */
function readCount(name: string, value: string | undefined, usual: number, fault: Fault): number {
  if (value === undefined) return usual
  const count = Number(value)
  if (/^\d{1,6}$/.test(value) && count >= 10) return count
  fault(name, 'is not a number of calls', `Use a whole number from 10, or leave it empty for ${usual}.`)
  return usual
}

const isPort = (value: string) => /^\d{1,5}$/.test(value) && Number(value) <= 65_535

function readPort(value: string | undefined, fault: Fault): number {
  if (value === undefined) return 3000
  if (isPort(value)) return Number(value)
  fault('PORT', 'is not a port number', 'Use a whole number from 1 to 65535, or leave it empty for 3000.')
  return 3000
}

function readMetricsPort(value: string | undefined, pagesPort: number, fault: Fault): number | null {
  if (value === undefined) return null
  const remedy = 'Use a whole number from 1 to 65535, or leave it empty for no metrics.'
  if (!isPort(value)) fault('METRICS_PORT', 'is not a port number', remedy)
  // Port 0 takes any free one: two of them do not meet.
  else if (Number(value) === pagesPort && pagesPort !== 0) {
    fault('METRICS_PORT', 'is the same as PORT', 'Choose another one: metrics are answered apart from the pages.')
  } else return Number(value)
  return null
}

function readOutboundAllow(value: string | undefined, fault: Fault): OutboundAllow {
  const read = value === undefined ? nothingAllowed : parseOutboundAllow(value)
  if (read) return read
  const remedy = 'List CIDRs and host names, comma-separated, such as 10.20.0.0/16,collector.example.com.'
  fault('OUTBOUND_ALLOW', 'holds something that is neither an address nor a host name', remedy)
  return nothingAllowed
}

function readPublicUrl(value: string, fault: Fault): string {
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

function readSecrets(name: 'SESSION_SECRET' | 'DATA_KEY', value: string | undefined, fault: Fault): string[] {
  const secrets = list(value)
  const remedy = "Make one with: node -e \"console.log(require('crypto').randomBytes(32).toString('base64url'))\""
  if (secrets.length === 0) fault(name, 'is missing', remedy)
  else if (secrets.some((secret) => Buffer.byteLength(secret) < minimumSecretBytes)) {
    fault(name, `is shorter than ${minimumSecretBytes} bytes`, remedy)
  } else if (secrets.some((secret) => sampleSecret.test(secret) || new Set(secret).size < 8)) {
    fault(name, 'is a sample, not a secret', remedy)
  }
  return secrets
}

function readGuid(name: string, value: string | undefined, fault: Fault, { remedy }: { remedy: string }): string {
  if (value === undefined) fault(name, 'is missing', remedy)
  else if (!guid.test(value)) fault(name, 'is not a GUID', remedy)
  return (value ?? '').toLowerCase()
}

function readCredential(env: Environment, fault: Fault): Credential {
  const secret = env.AZURE_CLIENT_SECRET?.trim()
  const path = env.AZURE_CLIENT_CERTIFICATE_PATH?.trim()
  if (secret && path) {
    fault(
      'AZURE_CLIENT_CERTIFICATE_PATH',
      'is set together with AZURE_CLIENT_SECRET',
      'Keep one of the two. A certificate is the stronger choice.',
    )
  }
  if (path) return readCertificate(path, fault)
  if (!secret) {
    fault(
      'AZURE_CLIENT_SECRET',
      'is missing',
      'Create a client secret in Entra and copy its Value, or set AZURE_CLIENT_CERTIFICATE_PATH.',
    )
  } else if (guid.test(secret)) {
    fault('AZURE_CLIENT_SECRET', 'looks like the secret’s ID', 'Copy the column Value, which Entra shows once.')
  }
  return { kind: 'secret', secret: secret ?? '' }
}

function readCertificate(path: string, fault: Fault): Credential {
  const read = readCertificateFile(path)
  if ('kind' in read) return read
  fault('AZURE_CLIENT_CERTIFICATE_PATH', read.problem, read.remedy)
  return { kind: 'secret', secret: '' }
}

/** What stops nothing at start: a portal that cannot read tenants still has pages, and they say why. */
export function startWarnings({ app, warnings }: Config, now: Date): ConfigProblem[] {
  const dates = datesOf(app.credential, now)
  if (dates === 'within' || app.credential.kind === 'secret') return [...warnings]
  const { validFrom, expiresAt } = app.credential
  const problem =
    dates === 'over'
      ? `leads to a certificate that ended on ${expiresAt.toISOString()}`
      : `leads to a certificate that is not valid before ${validFrom.toISOString()}`
  const remedy =
    dates === 'over'
      ? 'Upload a new one in Entra, change the file and restart. No tenant can be read until then.'
      : 'Use one that is valid already, or check this machine’s clock. No tenant can be read until then.'
  return [...warnings, { variable: 'AZURE_CLIENT_CERTIFICATE_PATH', problem, remedy }]
}

function readSignIn(env: Environment, app: Registration, fault: Fault): Registration {
  const clientId = env.SIGN_IN_CLIENT_ID?.trim()
  const secret = env.SIGN_IN_CLIENT_SECRET?.trim()
  if (!clientId && !secret) return app
  if (!clientId)
    fault('SIGN_IN_CLIENT_ID', 'is missing', 'SIGN_IN_CLIENT_SECRET is set: give the ID that goes with it.')
  else if (!guid.test(clientId))
    fault('SIGN_IN_CLIENT_ID', 'is not a GUID', 'Copy "Application (client) ID" from Entra.')
  if (!secret) {
    fault('SIGN_IN_CLIENT_SECRET', 'is missing', 'SIGN_IN_CLIENT_ID is set: give the secret that goes with it.')
  }
  return { clientId: (clientId ?? '').toLowerCase(), credential: { kind: 'secret', secret: secret ?? '' } }
}

function readOrigin(
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

function readChoice<T extends string>(
  name: string,
  value: string | undefined,
  choices: readonly [T, ...T[]],
  fault: Fault,
): T {
  const found = choices.find((choice) => choice === value)
  if (value !== undefined && found === undefined) {
    fault(name, 'is not one of the choices', `Use ${choices.join(', ')}, or leave it empty for ${choices[0]}.`)
  }
  return found ?? choices[0]
}

function readAdmins(value: string | undefined, fault: Fault): string[] {
  const users = list(value).map((user) => user.toLowerCase())
  if (users.some((user) => !guid.test(user) && !/^[^\s@]+@[^\s@]+$/.test(user))) {
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
function readProxies(value: string | undefined, fault: Fault): string[] {
  const remedy = 'List the proxies’ addresses or CIDRs, comma-separated, or a range by name: loopback, private.'
  const wrong = (problem: string) => {
    fault('TRUST_PROXY', problem, remedy)
    return []
  }
  return list(value).flatMap((proxy) => {
    const named = proxyRanges.get(proxy.toLowerCase())
    if (named) return named
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
