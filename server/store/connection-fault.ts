/** Why a database cannot be had. Names server and database, never a user's password. */
export interface ConnectionFault {
  /** The engine's or the system's own code; empty where it has none. */
  code: string
  problem: string
  remedy: string
}

type Told = readonly [problem: string, remedy: string]

const check = 'Check host and port in DATABASE_URL, and whether a firewall is between.'
const verify =
  'Add sslrootcert=/path/to/ca.pem with the CA of the server to DATABASE_URL (many providers offer it for download); sslmode=no-verify believes anybody.'

/** By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), or the code of Node.js or OpenSSL. */
const byCode = new Map<string, Told>([
  ['ECONNREFUSED', ['nothing answers there', `Is the server running? ${check}`]],
  ['ENOTFOUND', ['no such host is known', check]],
  ['EAI_AGAIN', ['no name can be looked up now', 'Check the DNS of this machine.']],
  ['EHOSTUNREACH', ['there is no way to that host', check]],
  ['ENETUNREACH', ['there is no way to that network', check]],
  ['ETIMEDOUT', ['no answer came in time', check]],
  [
    'ECONNRESET',
    ['it hung up in the middle', `Does PostgreSQL listen on that port, and takes what is asked of it (TLS)? ${check}`],
  ],
  [
    '28P01',
    ['it refuses the password', 'Check user and password. What is special in them has to be written as %-codes.'],
  ],
  ['3D000', ['it has no database of that name', 'Make it (createdb), or mend the name behind the host.']],
  [
    '42501',
    ['this user may not make tables there', 'Let it own the database, or grant it create on the schema public.'],
  ],
  ['53300', ['it takes no more connections', 'Raise max_connections, or run fewer processes: each takes ten at most.']],
  ['57P03', ['it is starting, or stopping', 'Wait a moment and start again.']],
  [
    '08P01',
    ['it did not take how Muster connects', 'Is there a pooler or something else than PostgreSQL on that port?'],
  ],
  ['25006', ['it takes no writes', 'It is a standby: name the primary.']],
  ['SELF_SIGNED_CERT_IN_CHAIN', ['its certificate is of a CA that nobody here knows', verify]],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', ['its certificate is signed by itself', verify]],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', ['its certificate is of a CA that nobody here knows', verify]],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', ['its certificate is of a CA that nobody here knows', verify]],
  ['CERT_HAS_EXPIRED', ['its certificate has expired', 'Renew it on the server.']],
  ['CERT_NOT_YET_VALID', ['its certificate is not valid yet', 'Check the clocks of both machines.']],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    [
      'its certificate is for another name',
      'Name the host as its certificate does, or use sslmode=verify-ca with sslrootcert.',
    ],
  ],
  [
    'SQLITE_CANTOPEN',
    ['the file cannot be opened', 'Let this user read and write DATA_DIR, and the file muster.db in it.'],
  ],
  ['SQLITE_READONLY', ['the file may not be written', 'Let this user write DATA_DIR and all that is in it.']],
  ['SQLITE_NOTADB', ['the file muster.db is no database', 'Restore it from a backup, or name another DATA_DIR.']],
  ['SQLITE_CORRUPT', ['the file muster.db is damaged', 'Restore it from a backup.']],
  ['SQLITE_FULL', ['the disk is full', 'Make room on it.']],
  ['EACCES', ['this user may not write there', 'Let it write DATA_DIR, or name another folder.']],
  ['EPERM', ['this user may not write there', 'Let it write DATA_DIR, or name another folder.']],
  ['EROFS', ['the disk there may only be read', 'Name a DATA_DIR on one that can be written.']],
  ['ENOENT', ['the folder cannot be made', 'Name a DATA_DIR whose parent this user may write.']],
  ['ENOTDIR', ['DATA_DIR leads through a file', 'Name a folder.']],
  ['EEXIST', ['DATA_DIR is a file', 'Name a folder.']],
])

const tlsDemanded: Told = [
  'it takes encrypted connections alone, or none from this address',
  'Add ?sslmode=verify-full to DATABASE_URL; else allow this address, user and database in pg_hba.conf.',
]
const notThere: Told = ['it knows no such user, or does not let it in from here', 'Check the user, and pg_hba.conf.']

const poolerBroken: Told = ['the pooler in front of it is configured wrongly', 'Its log says what is wrong.']

/** What the driver says without a code. */
const byText: readonly (readonly [RegExp, Told])[] = [
  [
    /does not support SSL/,
    [
      'it has no TLS',
      'Take sslmode away, or set it to disable, where the way there is safe; or switch ssl on in the server.',
    ],
  ],
  [/establishing an SSL|server responded .* instead of/i, ['something else than PostgreSQL answers there', check]],
  [
    /terminated unexpectedly|socket hang up/,
    ['it hung up in the middle', `Does PostgreSQL listen on that port, and is anything between? ${check}`],
  ],
  [/timeout|timed out/i, ['no answer came in time', check]],
  [
    /password must be a string/,
    ['it asks for a password, and DATABASE_URL has none', 'Write postgres://user:password@host/database.'],
  ],
]

/** Reads what an engine or its driver says when a database cannot be opened; null for a fault of our own. */
export function connectionFault(error: unknown): ConnectionFault | null {
  // Each address of a name was tried; what happened at the first is as good as any.
  const [first] = error instanceof AggregateError ? error.errors : [error]
  const message = first instanceof Error ? first.message : ''
  const code = codeOf(first) || codeOf(error)
  const words = wordsFor(code, message)
  if (words) return { code, problem: words[0], remedy: words[1] }
  if (code === '' || code.startsWith('ERR_')) return null
  return { code, problem: 'it is not known why', remedy: 'Check DATABASE_URL, or DATA_DIR when it is empty.' }
}

function wordsFor(code: string, message: string): Told | undefined {
  if (code === '28000') return /no encryption|SSL off/i.test(message) ? tlsDemanded : notThere
  if (code === '08P01' && /no such database|database .* does not exist/i.test(message)) return byCode.get('3D000')
  if (code === '08P01' && /bouncer config/i.test(message)) return poolerBroken
  if (code === '08P01' && /password authentication failed|no such user|auth.* failed/i.test(message))
    return byCode.get('28P01')
  return (
    byCode.get(code) ??
    byCode.get(code.replace(/^(SQLITE_[A-Z]+)_.*/, '$1')) ??
    byText.find(([pattern]) => pattern.test(message))?.[1]
  )
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[\w-]{1,60}$/.test(code) ? code : ''
}
