import type { Request, RequestHandler } from 'express'
import session from 'express-session'
import type { Portal } from '../../portal.ts'
import { destroySession, findSession, prolongSession, saveSession } from '../../store/operators/sessions.ts'
import { hour } from '../../time.ts'
import { cookieName, cookieOptions } from './cookies.ts'
import { keysFor } from './keys.ts'

declare module 'express-session' {
  interface SessionData {
    operatorId?: string
    /** ISO time of the sign-in, from which the longest life is counted. */
    signedInAt?: string
    /** Where it began: an address, and what the browser says it is. */
    from?: { address: string | null; agent: string }
    /** ISO time at which Microsoft last said what roles there are; the sign-in's while it was asked once. */
    rolesAskedAt?: string
    /** Since when Microsoft does not answer, and when it was last tried. */
    awaySince?: string
    triedAt?: string
    /** The row's end, as it was read. */
    expiresAt?: string
  }
}

/** A session ends half an hour after the last thing its person did, and ten hours after the sign-in in any case. */
export const idleMs = 30 * 60_000
const longestMs = 10 * hour
/** Prolonging costs a write; one a minute is enough. */
const prolongEveryMs = 60_000

/** What a page asks for by itself is nothing its person did, and neither is a HEAD. */
const isPersons = (req: Request): boolean => req.method !== 'HEAD' && req.headers['x-muster-live'] !== '1'

const endOf = (now: Date, signedInAt: Date) =>
  new Date(Math.min(now.getTime() + idleMs, signedInAt.getTime() + longestMs)).toISOString()

/**
 * Sessions of operators, in the database. A row exists only after a sign-in: nothing is saved for a visitor. The end of
 * a session is the row's, reckoned by `portal.now()`; the cookie itself has none.
 */
export function createSessions(portal: Portal): RequestHandler[] {
  const { config } = portal
  const load = session({
    name: cookieName(config, 'muster'),
    secret: keysFor(config, 'session').map((key) => key.toString('base64url')),
    store: new KeptSessions(portal),
    cookie: cookieOptions(config),
    saveUninitialized: false,
    resave: false,
  })
  return [markEncrypted(config.publicUrl.startsWith('https:')), load, prolong(portal)]
}

/**
 * express-session keeps a Secure cookie back unless the request looks encrypted, which behind a proxy outside
 * TRUST_PROXY it never does. PUBLIC_URL says what people's browsers see; nothing else here asks `req.secure`.
 */
const markEncrypted =
  (encrypted: boolean): RequestHandler =>
  (req, _res, next) => {
    Object.defineProperty(req, 'secure', { value: encrypted })
    next()
  }

const prolong =
  (portal: Portal): RequestHandler =>
  async (req, _res, next) => {
    const { signedInAt, expiresAt } = req.session
    if (signedInAt !== undefined && expiresAt !== undefined && isPersons(req)) {
      const end = endOf(portal.now(), new Date(signedInAt))
      const gained = Date.parse(end) - Date.parse(expiresAt)
      if (gained >= prolongEveryMs) await prolongSession(portal.db, req.sessionID, end)
    }
    next()
  }

class KeptSessions extends session.Store {
  readonly #portal: Portal

  constructor(portal: Portal) {
    super()
    this.#portal = portal
  }

  override get(id: string, done: (error: unknown, session?: session.SessionData | null) => void): void {
    const { db, now } = this.#portal
    findSession(db, id, now()).then((row) => {
      if (row === null) return done(null, null)
      done(null, { ...(JSON.parse(row.data) as session.SessionData), expiresAt: row.expiresAt })
    }, done)
  }

  override set(id: string, data: session.SessionData, done: (error?: unknown) => void = () => {}): void {
    const now = this.#portal.now()
    const signedInAt = data.signedInAt === undefined ? now : new Date(data.signedInAt)
    saveSession(this.#portal.db, id, {
      operatorId: data.operatorId ?? null,
      data: JSON.stringify(data),
      createdAt: signedInAt.toISOString(),
      expiresAt: endOf(now, signedInAt),
    }).then(() => done(), done)
  }

  override destroy(id: string, done: (error?: unknown) => void = () => {}): void {
    destroySession(this.#portal.db, id).then(() => done(), done)
  }
}
