import { inSettings } from '../invisible.ts'
import { day, hour, minute } from '../time.ts'
import { type CertificateCredential, datesOf } from './certificate.ts'
import { credentialsOf, type Registration, readCredentials, readSignIn, variableOf } from './credentials.ts'
import { readDatabaseAddress } from './database-address.ts'
import { isSender, type MailServer, parseMailServer } from './mail-server.ts'
import { readOrigins } from './origins.ts'
import { nothingAllowed, type OutboundAllow, parseOutboundAllow } from './outbound-allow.ts'
import { type OutboundProxy, readProxy } from './proxy.ts'
import {
  type Fault,
  list,
  minimumSecretBytes,
  readAdmins,
  readChoice,
  readCount,
  readGuid,
  readMetricsPort,
  readPort,
  readProxies,
  readPublicUrl,
  sampleSecret,
} from './values.ts'
import { ConfigError, type ConfigProblem, type Environment, variables } from './variables.ts'

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
  /** The proxy by which this machine gets out; null for none. */
  readonly proxy: OutboundProxy | null
  /** The mail server of the environment; null where there is none, or one in Settings. */
  readonly smtp: MailServer | null
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
  overlapMs: 15 * minute,
  reconcileMs: 6 * hour,
  deepReconcileMs: day,
  leaseMs: 30_000,
}

interface Noticed {
  problems?: readonly ConfigProblem[]
  warnings?: readonly ConfigProblem[]
}

/** A variable's value without the white space around it; undefined for none. */
type TextOf = (name: keyof Environment) => string | undefined

/**
 * Reads and checks the whole configuration.
 * @param noticed what is known already: of variables with a problem nothing else is said
 * @throws ConfigError naming every variable that is wrong and how to mend it, without repeating any value.
 */
export function readConfig(env: Environment, { problems: noticed = [], warnings = [] }: Noticed = {}): Config {
  const problems: ConfigProblem[] = [...noticed]
  const fault: Fault = (variable, problem, remedy) => {
    const told = noticed.some((one) => one.variable === variable || one.variable === `${variable}_FILE`)
    if (!told) problems.push({ variable, problem, remedy })
  }
  refuseUnseen(env, fault)
  const text: TextOf = (name) => env[name]?.trim() || undefined

  // In the order in which problems are told.
  const port = readPort(text('PORT'), fault)
  const publicUrl = readPublicUrl(text('PUBLIC_URL') ?? `http://localhost:${port}`, fault)
  const sessionSecrets = readSecrets('SESSION_SECRET', text('SESSION_SECRET'), fault)
  const dataKey = text('DATA_KEY')
  const dataKeys = dataKey === undefined ? [] : readSecrets('DATA_KEY', dataKey, fault)
  const registrations = readRegistrations(env, text, fault)
  const incidentsApi = readChoice('INCIDENTS_API', text('INCIDENTS_API'), ['defender', 'graph'] as const, fault)
  const { warnings: ofClouds, ...origins } = readOrigins(text, incidentsApi, fault)
  const databaseUrl = readDatabaseUrl(text('DATABASE_URL'), fault)
  const config: Config = {
    port,
    host: text('HOST') ?? '127.0.0.1',
    publicUrl,
    sessionSecrets,
    dataKeys,
    ...registrations,
    ...origins,
    incidentsApi,
    databaseUrl,
    dataDir: text('DATA_DIR') ?? './data',
    role: readChoice('ROLE', text('ROLE'), ['all', 'web', 'worker'] as const, fault),
    adminUsers: readAdmins(text('ADMIN_USERS'), fault),
    trustProxy: readProxies(text('TRUST_PROXY'), fault),
    logLevel: readChoice('LOG_LEVEL', text('LOG_LEVEL'), logLevels, fault),
    metricsPort: readMetricsPort(text('METRICS_PORT'), port, fault),
    outboundAllow: readOutboundAllow(text('OUTBOUND_ALLOW'), fault),
    proxy: readProxy(text('HTTPS_PROXY'), text('NO_PROXY'), fault),
    smtp: readSmtp(text('SMTP_URL'), text('SMTP_FROM'), fault),
    sync: { ...usualSync, ...readCallLimits(incidentsApi, text, fault) },
    warnings: [...warnings, ...ofClouds],
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(config)
}

/** The first is what counts where none is set. */
const logLevels = ['info', 'trace', 'debug', 'warn', 'error', 'fatal', 'silent'] as const

function refuseUnseen(env: Environment, fault: Fault): void {
  const remedy = 'Type the value again, or paste it by way of a plain text editor.'
  for (const name of variables) {
    if (inSettings.test(env[name]?.trim() ?? '')) fault(name, 'holds a character that cannot be seen', remedy)
  }
}

function readRegistrations(
  env: Environment,
  text: TextOf,
  fault: Fault,
): Pick<Config, 'partnerTenantId' | 'app' | 'signIn'> {
  const clientId = readGuid('AZURE_CLIENT_ID', text('AZURE_CLIENT_ID'), fault, {
    remedy: 'Copy "Application (client) ID" from the app registration’s overview page in Entra.',
  })
  const partnerTenantId = readGuid('AZURE_TENANT_ID', text('AZURE_TENANT_ID'), fault, {
    remedy: 'Copy "Directory (tenant) ID" of your own tenant from the app registration’s overview page in Entra.',
  })
  const app = { clientId, ...readCredentials(env, fault) }
  return { partnerTenantId, app, signIn: readSignIn(env, app, fault) }
}

function readDatabaseUrl(value: string | undefined, fault: Fault): string | null {
  const address = value === undefined ? null : readDatabaseAddress(value)
  if (address && 'problem' in address) fault('DATABASE_URL', address.problem, address.remedy)
  return value ?? null
}

function readCallLimits(
  api: IncidentsApi,
  text: TextOf,
  fault: Fault,
): Pick<SyncSettings, 'callsPerMinute' | 'callsPerHour'> {
  const { minute, hour } = callLimits[api]
  return {
    callsPerMinute: readCount('CALLS_PER_MINUTE', text('CALLS_PER_MINUTE'), minute, fault),
    callsPerHour: readCount('CALLS_PER_HOUR', text('CALLS_PER_HOUR'), hour, fault),
  }
}

function readSmtp(url: string | undefined, from: string | undefined, fault: Fault): MailServer | null {
  if (url === undefined && from === undefined) return null
  if (url === undefined) {
    fault('SMTP_URL', 'is missing', 'SMTP_FROM is set: give the mail server, such as smtp://user:password@host:587.')
    return null
  }
  if (from === undefined) {
    fault('SMTP_FROM', 'is missing', 'SMTP_URL is set: give the sender, such as Muster <muster@example.com>.')
    return null
  }
  if (!isSender(from)) {
    fault('SMTP_FROM', 'is not a mail address', 'Write an address, or a name with an address in angle brackets.')
    return null
  }
  const server = parseMailServer(url, from)
  if (!server) {
    const remedy =
      'Write smtp://user:password@host:587 or smtps://…:465, with what is special in a password as %-codes.'
    fault('SMTP_URL', 'is not the address of a mail server', remedy)
  }
  return server
}

function readOutboundAllow(value: string | undefined, fault: Fault): OutboundAllow {
  const read = value === undefined ? nothingAllowed : parseOutboundAllow(value)
  if (read) return read
  const remedy = 'List CIDRs and host names, comma-separated, such as 10.20.0.0/16,collector.example.com.'
  fault('OUTBOUND_ALLOW', 'holds something that is neither an address nor a host name', remedy)
  return nothingAllowed
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

/** What stops nothing at start: a portal that cannot read tenants still has pages, and they say why. */
export function startWarnings({ app, signIn, warnings }: Config, now: Date): ConfigProblem[] {
  const owners = [
    { owner: 'AZURE', registration: app, harm: 'No tenant can be read until then.' },
    { owner: 'SIGN_IN', registration: signIn, harm: 'Nobody can sign in until then.' },
  ] as const
  return [
    ...warnings,
    ...owners.slice(0, app.clientId === signIn.clientId ? 1 : 2).flatMap(({ owner, registration, harm }) => {
      const credentials = credentialsOf(registration)
      const end = credentials.every((one) => datesOf(one, now) !== 'within') ? ` ${harm}` : ''
      return credentials.flatMap((one, which) => {
        const dates = datesOf(one, now)
        if (one.kind === 'secret' || dates === 'within') return []
        return [{ variable: variableOf(owner, one, which as 0 | 1), ...outsideDates(one, dates, end) }]
      })
    }),
  ]
}

function outsideDates(
  { validFrom, expiresAt }: CertificateCredential,
  dates: 'over' | 'not-yet',
  end: string,
): Omit<ConfigProblem, 'variable'> {
  return dates === 'over'
    ? {
        problem: `leads to a certificate that ended on ${expiresAt.toISOString()}`,
        remedy: `Upload a new one in Entra, change the file and restart.${end}`,
      }
    : {
        problem: `leads to a certificate that is not valid before ${validFrom.toISOString()}`,
        remedy: `Use one that is valid already, or check this machine’s clock.${end}`,
      }
}
