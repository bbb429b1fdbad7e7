import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { type ErrorCode, PortalError } from '../errors.ts'
import { visitor } from '../http/reader.ts'
import { cookieOf } from '../http/session/cookies.ts'
import type { Log } from '../log.ts'
import { wantsOtherAccount } from '../model/dictionary.ts'
import { Refusal } from '../model/refusal.ts'
import { isUnavailable } from '../store/engine/write.ts'
import { type MessageKey, type MessageValues, say } from '../words.ts'
import { settingsPathOf } from './customers/link-obstacle.ts'
import { isEnding, showEnding } from './join/ending.ts'
import { page } from './page/page.ts'
import { renderBare } from './page/render.ts'

/** The button under what went wrong. */
type WayOn = 'home' | 'sign-in' | 'other-account' | 'again' | 'settings' | null

interface ErrorFacts {
  code: string
  /** What happened, and what to do about it. */
  title: string
  next: string
  wayOn: WayOn
  /** Where in Settings it is put right. */
  settingsPath: string | null
  at: Date
  /** Microsoft's references, when it was Microsoft that refused. */
  aadsts: number | null
  correlationId: string | null
}

interface ErrorView extends Omit<ErrorFacts, 'wayOn'> {
  /** One of them at most: what can be pressed. */
  ways: { home: boolean; signIn: boolean; otherAccount: boolean; settings: boolean; again: boolean }
  isOurFault: boolean
}

function errorView({ wayOn, ...facts }: ErrorFacts): ErrorView {
  const ways = {
    home: wayOn === 'home',
    signIn: wayOn === 'sign-in',
    otherAccount: wayOn === 'other-account',
    settings: wayOn === 'settings',
    again: wayOn === 'again',
  }
  return { ...facts, ways, isOurFault: facts.code === 'UNEXPECTED' }
}

const errorPage = page('errors/error', errorView)

interface Answer {
  status: number
  code: string
  key: MessageKey
  facts: MessageValues
  retryAfterMs: number | null
  aadsts: number | null
  correlationId: string | null
  wayOn: WayOn
  settingsPath: string | null
  /** Whether it is our fault: then the log holds the cause. */
  unexpected: boolean
}

const waysOn: Partial<Record<ErrorCode, WayOn>> = {
  SIGN_IN_REQUIRED: 'sign-in',
  SIGN_IN_AGAIN: 'again',
  SIGN_IN_EXPIRED: 'sign-in',
  SIGN_IN_UNAVAILABLE: 'sign-in',
  SIGN_IN_REFUSED: 'other-account',
  SIGN_IN_OTHER_ORGANISATION: 'other-account',
  SIGN_IN_NO_ROLE: 'other-account',
  DATABASE_UNAVAILABLE: 'again',
  TOO_MANY_REQUESTS: 'again',
  PARTNER_NOT_INTRODUCED: 'settings',
  PERMISSIONS_UNCONFIRMED: 'settings',
}

/** Decides what is told of an error: the only place that does. */
function decide(error: unknown): Answer {
  if (error instanceof Refusal) return fromRefusal(error)
  const fault = toPortalError(error)
  const { told } = fault
  const words = told?.words ?? null
  return {
    status: fault.status,
    code: fault.code,
    key: words === null ? `error.${fault.code}` : (`login.${words}` as MessageKey),
    facts: fault.facts,
    retryAfterMs: fault.retryAfterMs ?? null,
    aadsts: told?.aadsts ?? null,
    correlationId: told?.correlationId ?? null,
    wayOn: words === null ? (waysOn[fault.code] ?? null) : wantsOtherAccount(words) ? 'other-account' : 'sign-in',
    settingsPath: settingsPathOf(fault),
    unexpected: fault.status >= 500,
  }
}

function fromRefusal(refusal: Refusal): Answer {
  const { aadsts, status, correlationId } = refusal.facts
  return {
    status: refusal.owner === 'wait' || refusal.owner === 'microsoft' ? 503 : 502,
    code: `microsoft-${refusal.code}`,
    key: `refusal.${refusal.code}` as MessageKey,
    facts: { aadsts: aadsts ?? 0, status: status ?? 0 },
    retryAfterMs: refusal.retryAfterMs,
    aadsts,
    correlationId,
    wayOn: null,
    settingsPath: null,
    unexpected: true,
  }
}

const databaseRetryMs = 5_000

function toPortalError(error: unknown): PortalError {
  if (error instanceof PortalError) return error
  if (isUnavailable(error)) {
    return new PortalError('DATABASE_UNAVAILABLE', { cause: error, retryAfterMs: databaseRetryMs })
  }
  const status = statusOf(error)
  if (status === 413) return new PortalError('TOO_LARGE', { cause: error })
  if (status !== null) return new PortalError('BAD_REQUEST', { cause: error })
  return new PortalError('UNEXPECTED', { cause: error })
}

/** Express, its router and its body parsers mark what a client did wrong by a 4xx `status`. */
function statusOf(error: unknown): number | null {
  const status = (error as { status?: unknown } | null)?.status
  return error instanceof Error && typeof status === 'number' && status >= 400 && status < 500 ? status : null
}

/** The last handler: whatever was thrown becomes a page, or JSON for who asked for it. */
export const answerError =
  (log: Log, now: () => Date): ErrorRequestHandler =>
  async (error: unknown, req, res, next) => {
    const answer = decide(error)
    if (answer.unexpected) {
      const level = answer.code === 'UNEXPECTED' ? 'error' : 'warn'
      log[level]({ err: error, requestId: req.requestId, reason: answer.code }, 'a request failed')
    }
    // Half an answer cannot be taken back; ending the connection tells the client that it is not whole.
    if (res.headersSent) return next(error)
    res.locals.reader ??= visitor(res.locals.portal.config, req)
    setHeaders(res, answer)
    await sendAnswer(req, res, answer, now()).catch((err: unknown) => {
      log.error({ err, requestId: req.requestId }, 'an error page failed')
      res.status(answer.status).type('text').send(`${answer.code} ${req.requestId}\n`)
    })
  }

function setHeaders(res: Response, answer: Answer): void {
  res.set('Cache-Control', 'no-store')
  for (const name of ['ETag', 'Last-Modified', 'Content-Disposition', 'Content-Length']) res.removeHeader(name)
  if (answer.retryAfterMs !== null) res.set('Retry-After', String(Math.max(1, Math.ceil(answer.retryAfterMs / 1000))))
}

async function sendAnswer(req: Request, res: Response, answer: Answer, at: Date): Promise<void> {
  const { language } = res.locals.reader
  const title = say(language, answer.key, answer.facts)
  const next = say(language, `${answer.key}.next` as MessageKey, answer.facts)
  if (req.accepts(['html', 'json']) === 'json') {
    const { code } = answer
    res.status(answer.status).json({ error: { code, message: title, next, requestId: req.requestId, at } })
    return
  }
  const { code, aadsts, correlationId, settingsPath } = answer
  if (isEnding(code)) {
    const reference = typeof answer.facts.reference === 'string' ? answer.facts.reference : null
    return showEnding(res, { code, title, next, reference }, answer.status)
  }
  const wayOn = wayOnFor(answer, req, res)
  const view = { code, title, next, wayOn, settingsPath, at, aadsts, correlationId }
  await renderBare(res, errorPage, view, answer.status)
}

export const notFound: RequestHandler = () => {
  throw new PortalError('NOT_FOUND')
}

/** A form that failed is sent again from its page. Whoever holds a session's cookie is likely at home here. */
function wayOnFor(answer: Answer, req: Request, res: Response): WayOn {
  if (answer.wayOn !== null && (answer.wayOn !== 'again' || req.method !== 'POST')) return answer.wayOn
  const { portal, reader } = res.locals
  const atHome = reader.operator !== null || cookieOf(portal.config, req, 'muster') !== undefined
  return atHome ? 'home' : null
}
