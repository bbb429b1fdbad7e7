import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { fromPackage } from './environment.ts'

/** A PostgreSQL server and database, as the driver takes it. */
export interface DatabaseAddress {
  /** Without what says how to encrypt. Holds the password. */
  connectionString: string
  /** How to encrypt; undefined where the address does not say. */
  ssl: boolean | ConnectionOptions | undefined
  /** Server and database in words that may be shown. */
  place: string
}

/** Why an address cannot be used. Never holds a part of it. */
export interface AddressFault {
  problem: string
  remedy: string
}

const form = 'postgres://user:password@host:5432/database?sslmode=verify-full'
const encode =
  'Write what is special in user and password as %-codes: # is %23, / is %2F, ? is %3F, @ is %40, : is %3A, % is %25.'

/** Reads DATABASE_URL. Nothing is connected; a CA that it names is read. */
export function readDatabaseAddress(value: string): DatabaseAddress | AddressFault {
  if (!/^postgres(ql)?:\/\//i.test(value)) {
    return {
      problem: 'is not a postgres:// address',
      remedy: `Leave it empty for SQLite, or write postgres://user@host/db.`,
    }
  }
  const shape = shapeFault(value)
  if (shape) return shape
  const url = new URL(bare(value))
  if (url.hostname.includes(',')) {
    return { problem: 'names several servers', remedy: 'Name one: the primary, or what stands in front of them.' }
  }
  const ssl = readSsl(url.searchParams)
  if (ssl !== null && typeof ssl === 'object' && 'problem' in ssl) return ssl
  for (const name of sslNames) url.searchParams.delete(name)
  const host = url.searchParams.get('host') || url.host || 'localhost'
  return { connectionString: url.href, ssl: ssl ?? undefined, place: `${host}${decoded(url.pathname)}` }
}

/** A % that begins no code stands for itself, and no host behind a user for this machine, as the driver has always taken it. */
const bare = (value: string) => value.replace(/%(?![0-9a-f]{2})/gi, '%25').replace('@/', '@localhost/')

const decoded = (text: string) => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** An address ends its host at the first # or / or ?, wherever somebody meant that to be. */
function shapeFault(value: string): AddressFault | null {
  const rest = value.slice(value.indexOf('//') + 2)
  const end = rest.search(/[#/?]/)
  const [authority, tail] = end < 0 ? [rest, ''] : [rest.slice(0, end), rest.slice(end)]
  const [path = ''] = tail.split('?')
  if ((tail.includes('@') && !authority.includes('@')) || path.includes('@') || tail.includes('#')) {
    return { problem: 'holds a #, a / or a ? in its user or password', remedy: encode }
  }
  if (!URL.canParse(bare(value))) {
    const remedy = `Write ${form}. ${encode} In a file, put it into single quotes: some programs end a value at a #.`
    return { problem: 'is no address, or was cut off', remedy }
  }
  try {
    const { username, password } = new URL(bare(value))
    decodeURIComponent(username + password)
    return null
  } catch {
    return { problem: 'holds a %-code that is no character in its user or password', remedy: encode }
  }
}

const sslNames = ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'uselibpqcompat'] as const
const modes =
  'Use verify-full (encrypted, and the server is who it says), verify-ca with sslrootcert, no-verify (encrypted, whoever it is), or disable.'

/** Null where the address says nothing. `require` is not less than verify-full: what is encrypted for anybody is open to him. */
function readSsl(parameters: URLSearchParams): boolean | ConnectionOptions | AddressFault | null {
  const mode = parameters.get('sslmode') ?? modeOf(parameters.get('ssl'))
  const files = { ca: parameters.get('sslrootcert'), cert: parameters.get('sslcert'), key: parameters.get('sslkey') }
  const anyFile = Object.values(files).some((file) => file !== null)
  if (mode === null && !anyFile) return null
  if (mode === 'disable') return false
  if (mode !== null && !['prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'].includes(mode)) {
    return { problem: 'has an sslmode that is not known', remedy: modes }
  }
  if (mode === 'verify-ca' && (files.ca === null || files.ca === 'system')) {
    return { problem: 'says sslmode=verify-ca and names no sslrootcert', remedy: modes }
  }
  const options: ConnectionOptions = {}
  for (const [name, file] of Object.entries(files)) {
    if (file === null || (name === 'ca' && file === 'system')) continue
    const read = readPem(`ssl${name === 'ca' ? 'rootcert' : name}`, file)
    if (typeof read === 'object') return read
    options[name as 'ca' | 'cert' | 'key'] = read
  }
  if (mode === 'no-verify') options.rejectUnauthorized = false
  if (mode === 'verify-ca') options.checkServerIdentity = () => undefined
  return options
}

const modeOf = (ssl: string | null): string | null =>
  ssl === null ? null : ({ true: 'verify-full', 1: 'verify-full', false: 'disable', 0: 'disable' }[ssl] ?? ssl)

function readPem(parameter: string, file: string): string | AddressFault {
  const path = fromPackage(file)
  let text: string
  try {
    text = readFileSync(path, 'latin1')
  } catch (error) {
    const problem = `names ${path} as ${parameter}, which cannot be read (${(error as NodeJS.ErrnoException).code})`
    return { problem, remedy: 'Paths begin beside package.json. Put a PEM file there that this user may read.' }
  }
  if (parameter === 'sslkey') return text
  const certificates = text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END/g) ?? []
  try {
    if (certificates.length > 0) new X509Certificate(text)
    if (certificates.length > 0) return text
  } catch {
    // Told below.
  }
  return {
    problem: `names ${path} as ${parameter}, which holds no certificate`,
    remedy: 'Put the certificates there in PEM, each between BEGIN CERTIFICATE and END CERTIFICATE.',
  }
}

/**
 * What PostgreSQL's own programs are told of the server, out of sight of others on the machine.
 * https://www.postgresql.org/docs/current/libpq-envars.html
 * @throws Error for an address that `readDatabaseAddress` refuses
 */
export function libpqEnvironment(value: string): Record<string, string> {
  const address = readDatabaseAddress(value)
  if ('problem' in address) throw new Error(`DATABASE_URL ${address.problem}`)
  const { hostname, port, username, password, pathname } = new URL(address.connectionString)
  const said = new URL(bare(value)).searchParams
  const mode = said.get('sslmode')
  const checks = mode !== 'no-verify'
  const file = (name: string) => {
    const path = said.get(name)
    return path === null || path === 'system' ? path : fromPackage(path)
  }
  const all: Record<string, string | null> = {
    PGHOST: said.get('host') ?? (decoded(hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost'),
    PGPORT: said.get('port') ?? port,
    PGUSER: decoded(username),
    PGPASSWORD: decoded(password),
    PGDATABASE: decoded(pathname.slice(1)) || decoded(username),
    PGSSLMODE: address.ssl
      ? checks
        ? mode === 'verify-ca'
          ? mode
          : 'verify-full'
        : 'require'
      : address.ssl === false
        ? 'disable'
        : 'prefer',
    PGSSLROOTCERT: address.ssl && checks ? (file('sslrootcert') ?? 'system') : null,
    PGSSLCERT: file('sslcert'),
    PGSSLKEY: file('sslkey'),
  }
  return Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => Boolean(pair[1])))
}
