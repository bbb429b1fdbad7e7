import { randomBytes } from 'node:crypto'
import express, { type Express, type RequestHandler } from 'express'
import { PortalError } from './errors.ts'
import { admit, needsSession } from './http/access.ts'
import { assets } from './http/assets.ts'
import { plainForwarded } from './http/client-address.ts'
import type { Lifecycle } from './http/lifecycle.ts'
import { createCodeLimit, createLimits } from './http/limits.ts'
import { visitor } from './http/reader.ts'
import type { OperatorRequest, Route } from './http/route.ts'
import { compressed, knownMethods, noStore, onlyPublicHost, securityHeaders } from './http/security.ts'
import { checkForm, refuseCrossSite } from './http/session/csrf.ts'
import { createSessions } from './http/session/sessions.ts'
import { plain, withinScope } from './log.ts'
import type { Portal } from './portal.ts'
import { answerError, notFound } from './web/errors.ts'
import { routes } from './web/routes.ts'
import { showAgain } from './web/sign-in/again.ts'

const bodyLimit = 32_000

/** The portal over HTTP, by one table of routes. What a request meets, in the order it meets it. */
export function createApp(
  portal: Portal,
  lifecycle: Lifecycle = { draining: false },
  table: readonly Route[] = routes,
): Express {
  const { config, log, now } = portal
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.set('query parser', 'simple')
  app.set('trust proxy', config.trustProxy.length > 0 ? config.trustProxy : false)

  const chain = routeChain(portal)
  const register = (these: readonly Route[]) => {
    for (const route of these) app[route.method === 'GET' ? 'get' : 'post'](route.path, ...chain(route))
  }

  app.use(plainForwarded)
  app.use(identify(portal, lifecycle))
  app.use(securityHeaders(config))
  app.use(knownMethods)
  register(table.filter((route) => route.anyHost))
  app.use(onlyPublicHost(config))
  app.use('/assets', assets())
  app.use(compressed())
  app.use(noStore)
  app.use((req, _res, next) => {
    refuseCrossSite(config, req)
    next()
  })
  register(table.filter((route) => !route.anyHost))
  app.all(
    table.map((route) => route.path),
    otherMethod(table),
  )
  app.use(notFound)
  app.use(answerError(log, now))
  return app
}

/** What stands before each handler: who may ask how often, who it is, whether she may, and whether the form is ours. */
function routeChain(portal: Portal): (route: Route) => RequestHandler[] {
  const limited = createLimits()
  const countCode = createCodeLimit()
  const sessions = createSessions(portal)
  return (route) => {
    const limit: RequestHandler = async (req, res, next) => {
      res.locals.countCode = countCode
      await limited(req, route)
      next()
    }
    const unchanged: RequestHandler = (req, res, next) => {
      if (req.method === 'HEAD' && route.getChanges) res.type('html').end()
      else next()
    }
    const announcedSize: RequestHandler = (req, _res, next) => {
      if (Number(req.headers['content-length'] ?? 0) > (route.bodyLimit ?? bodyLimit))
        throw new PortalError('TOO_LARGE')
      next()
    }
    const access: RequestHandler = async (req, res, next) => {
      if ((await admit(portal, route, req, res)) === 'in') next()
    }
    const form: RequestHandler[] =
      route.method === 'GET'
        ? []
        : [
            express.urlencoded({ extended: false, limit: route.bodyLimit ?? bodyLimit }),
            (req, res, next) => {
              if (checkForm(portal, req, res, route) !== 'in') return
              if (res.locals.rolesTooOld) return showAgain(portal, req as OperatorRequest, res)
              next()
            },
          ]
    return [
      limit,
      announcedSize,
      ...(needsSession(route.access) || route.readsSession ? sessions : []),
      access,
      unchanged,
      ...form,
      async (req, res) => {
        await (route.handler as (portal: Portal, req: unknown, res: unknown) => unknown)(portal, req, res)
      },
    ]
  }
}

/** Gives the request its ID and its reader, and writes its line when it is over: no query, no token, no body. */
function identify(portal: Portal, lifecycle: Lifecycle): RequestHandler {
  return (req, res, next) => {
    const started = performance.now()
    req.requestId = randomBytes(9).toString('base64url')
    res.set('X-Request-Id', req.requestId)
    res.locals.portal = portal
    res.locals.lifecycle = lifecycle
    if (lifecycle.draining) res.set('Connection', 'close')
    res.locals.reader = visitor(portal.config, req)
    const scope = {
      get bounded() {
        return req.operator === undefined
      },
    }
    const writeLine = () =>
      portal.log.info(
        {
          method: req.method,
          path: loggedPath(req.path),
          status: res.statusCode,
          ms: Math.round(performance.now() - started),
          requestId: req.requestId,
          operator: req.operator?.id,
          ...(res.writableFinished ? {} : { cut: true }),
        },
        'request',
      )
    res.once('close', () => withinScope(scope, writeLine))
    withinScope(scope, next)
  }
}

/** Anything in a path as long as a bearer token is taken for one. */
const loggedPath = (path: string): string => plain(path.replace(/[\w-]{40,}/g, '[hidden]'), 300)

const otherMethod =
  (table: readonly Route[]): RequestHandler =>
  (req, res) => {
    const allowed = table.filter((route) => matches(route.path, req.path)).map((route) => route.method)
    res.set(
      'Allow',
      [...new Set(allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].join(', '),
    )
    throw new PortalError('METHOD_NOT_ALLOWED')
  }

const matches = (pattern: string, path: string) =>
  new RegExp(`^${pattern.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+')}/?$`, 'i').test(path)
