import compression from 'compression'
import type { Request, RequestHandler, Response } from 'express'
import helmet from 'helmet'
import { isLoopbackHost } from '../config/clouds.ts'
import type { Config } from '../config/config.ts'
import { PortalError } from '../errors.ts'

/**
 * The same headers on every answer, refusals and files included. `form-action` names Microsoft's login host: Chromium
 * applies it to the redirect that answers a form as well.
 */
export function securityHeaders(config: Config): RequestHandler {
  const encrypted = config.publicUrl.startsWith('https:')
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'", config.authorityHost],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        objectSrc: ["'none'"],
      },
    },
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: encrypted ? { maxAge: 63_072_000, includeSubDomains: true } : false,
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
  })
}

/**
 * Compresses answers, but for two kinds. One that shows a secret says `no-transform`, which holds for proxies as well. And
 * what another site had the browser of an operator or of a customer on his way ask for: such a site can put guesses into the address and, with somebody
 * who sees the lengths, find out by them what else is on the page (BREACH). It cannot read what it asks for uncompressed.
 */
export const compressed = (): RequestHandler =>
  compression({
    filter: (req, res) => {
      const site = req.headers['sec-fetch-site']
      const isAskedByOthers = site === 'cross-site' || site === 'same-site'
      const isSomebodys = req.operator !== undefined || req.browser !== undefined
      return !(isAskedByOthers && isSomebodys) && compression.filter(req, res)
    },
  })

/** For an answer that shows a secret: kept by nobody, and compressed by nobody. */
export function guardSecret(res: Response): void {
  res.set('Cache-Control', 'no-store, no-transform')
}

/** Whatever is not a file of ours is one reader's own: nothing between here and her may keep it. */
export const noStore: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-store')
  next()
}

/**
 * Only PUBLIC_URL's host is served, so that no answer can be built on another. On loopback the other spellings of this
 * machine are led to the right one: cookies and redirect URIs know only that. There, processes that share a PUBLIC_URL
 * answer on their own ports as well.
 */
export function onlyPublicHost(config: Config): RequestHandler {
  const { host, port, hostname, protocol } = new URL(config.publicUrl)
  const ownPorts = [port, String(config.port)]
  return (req, res, next) => {
    const asked = hostOf(req, protocol)
    if (asked?.host === host) return next()
    const here =
      asked !== undefined && isLoopbackHost(hostname) && isLoopbackHost(asked.hostname) && ownPorts.includes(asked.port)
    if (here && asked.hostname === hostname) return next()
    res.set('Cache-Control', 'no-store')
    // To a browser the name with DNS's final dot is another site: it gets no cookie of ours, and sends none.
    const dotted = asked?.host.replace(/\.(?=:|$)/, '') === host
    if (!(here || dotted) || req.method !== 'GET') {
      throw new PortalError('WRONG_HOST', { facts: { host: shownHost(req) } })
    }
    res.redirect(308, new URL(ownPath(req.originalUrl), config.publicUrl).href)
  }
}

const hostShape = /^[\w.:[\]-]+$/

/** By the scheme that people use, whose own port need not be named. */
function hostOf(req: Request, protocol: string): URL | undefined {
  const address = `${protocol}//${req.headers.host ?? ''}`
  return hostShape.test(req.headers.host ?? '') && URL.canParse(address) ? new URL(address) : undefined
}

/** The header as it arrived, as far as it can be shown: a proxy that writes another one is found out by it. */
function shownHost(req: Request): string {
  const { host = '' } = req.headers
  return hostShape.test(host) ? host.slice(0, 100) : '–'
}

/**
 * The path and query of an address of ours, or `/`. Backslashes and control characters are refused before parsing,
 * because browsers read them as slashes or not at all.
 */
export function ownPath(address: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the purpose
  if (typeof address !== 'string' || !/^\/(?![/\\])[^\\\u0000-\u001f\u007f]*$/.test(address)) return '/'
  if (address.length > 2_000) return '/'
  const base = 'https://own.invalid'
  const url = URL.canParse(address, base) ? new URL(address, base) : undefined
  if (url === undefined || url.origin !== base || url.pathname.startsWith('//')) return '/'
  return `${url.pathname}${url.search}`
}

/** Nothing here answers anything but these three. */
export const knownMethods: RequestHandler = (req, res, next) => {
  if (req.method === 'GET' || req.method === 'HEAD' || req.method === 'POST') return next()
  res.set('Allow', 'GET, HEAD, POST')
  throw new PortalError('METHOD_NOT_ALLOWED')
}
