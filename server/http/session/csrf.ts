import { createHmac, randomBytes } from 'node:crypto'
import { csrfSync } from 'csrf-sync'
import type { Request, Response } from 'express'
import type { Config } from '../../config/config.ts'
import { PortalError } from '../../errors.ts'
import type { Portal } from '../../portal.ts'
import { day } from '../../time.ts'
import type { Route } from '../route.ts'
import { keysFor } from './keys.ts'
import { sameText } from './same-text.ts'

/*
 * Two layers stand before everything that is not GET or HEAD.
 *
 * 1. The browser's own word where the request came from: `Sec-Fetch-Site`, or `Origin` from browsers without it. A
 *    request that carries neither is refused.
 * 2. A token in the form. Operators: the synchroniser token of their session. Public pages have no session and set no
 *    cookie before their visitor continues, so theirs is signed, bound to the path it is posted to, and short-lived. It
 *    proves that the form came from here and lately, not to whom it was given: there, layer 1 is the defence.
 *
 * A session's token is another text in every answer. Answers are compressed, and a secret that stays the same could be
 * guessed from their lengths (BREACH, https://breachattack.com).
 */

export const field = '_csrf'
const formLifeMs = day

const { generateToken, isRequestValid } = csrfSync({
  size: 32,
  getTokenFromRequest: (req) => {
    const token: unknown = (req.body as Record<string, unknown> | undefined)?.[field]
    if (typeof token !== 'string') return undefined
    // Forms of a release without masks may still be open.
    return /^[0-9a-f]{64}$/.test(token) ? token : unmask(token)
  },
})

/** The token of the session as one answer carries it: under a mask of its own, which comes along. */
export function maskedToken(req: Request): string {
  const token = Buffer.from(generateToken(req), 'latin1')
  const mask = randomBytes(token.length)
  return Buffer.concat([mask, xor(token, mask)]).toString('base64url')
}

/** What lies under a mask; some other text for what was never masked. */
function unmask(text: string): string {
  const bytes = Buffer.from(text, 'base64url')
  const half = bytes.length >> 1
  return xor(bytes.subarray(half), bytes.subarray(0, half)).toString('latin1')
}

const xor = (bytes: Buffer, mask: Buffer): Buffer => Buffer.from(bytes.map((byte, i) => byte ^ (mask[i] ?? 0)))

/** The token of a session is made with it, at sign-in. */
export const startCsrf = (req: Request): string => generateToken(req, true)

/** Layer 1. @throws PortalError `CROSS_SITE` */
export function refuseCrossSite(config: Config, req: Request): void {
  if (req.method === 'GET' || req.method === 'HEAD') return
  const site = req.headers['sec-fetch-site']
  const trusted = site === undefined ? req.headers.origin === config.publicUrl : site === 'same-origin'
  if (!trusted) throw new PortalError('CROSS_SITE')
}

/**
 * Layer 2. Takes the token out of the body, so that strict schemas see only their own fields. A public form of ours that
 * was merely open for too long leads to its page again, and nothing is done with it.
 * @throws PortalError `FORM_EXPIRED`
 */
export function checkForm(
  portal: Portal,
  req: Request,
  res: Response,
  { access, formPage }: Pick<Route, 'access' | 'formPage'>,
): 'in' | 'answered' {
  const body = req.body as Record<string, unknown> | undefined
  const open = access === 'public' || access === 'customer-browser'
  const verdict = open ? judgeFormToken(portal, req.path, body?.[field]) : isRequestValid(req) ? 'valid' : 'foreign'
  if (verdict === 'valid') {
    delete body?.[field]
    return 'in'
  }
  if (verdict === 'foreign' || formPage === undefined) throw new PortalError('FORM_EXPIRED')
  res.redirect(303, formPage(req))
  return 'answered'
}

export function formToken(config: Config, action: string, now: Date): string {
  const expires = (now.getTime() + formLifeMs).toString(36)
  const [key] = keysFor(config, 'form')
  return `${expires}.${signature(key as Buffer, expires, action)}`
}

function judgeFormToken(portal: Portal, action: string, token: unknown): 'valid' | 'stale' | 'foreign' {
  if (typeof token !== 'string') return 'foreign'
  const [expires = '', signed = ''] = token.split('.')
  const ours = keysFor(portal.config, 'form').some((key) => sameText(signed, signature(key, expires, action)))
  if (!ours) return 'foreign'
  return Number.parseInt(expires, 36) > portal.now().getTime() ? 'valid' : 'stale'
}

const signature = (key: Buffer, expires: string, action: string) =>
  createHmac('sha256', key).update(`${expires} ${action}`).digest('base64url')
