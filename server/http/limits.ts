import type { Request } from 'express'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { PortalError } from '../errors.ts'
import { addressKey, clientAddress } from './client-address.ts'
import type { Route } from './route.ts'

/**
 * Requests a minute, for one route and one address, that nobody signed in for. An office behind one NAT opens a page and
 * its live region at ten a second at most; what starts a run at Microsoft is pressed by hand. A made-up return costs one
 * look-up, and whoever sends a flood of them must not keep his neighbours from signing in. Counted in this process: a
 * second one doubles the allowance, and a database that is away opens nothing.
 */
const perMinute = { page: 600, start: 300, return: 1_200 } as const

export type Limits = (req: Request, route: Pick<Route, 'path' | 'limit'>) => Promise<void>

/** @throws PortalError `TOO_MANY_REQUESTS` from the function it returns */
export function createLimits(): Limits {
  const limiters = {
    page: new RateLimiterMemory({ keyPrefix: 'page', points: perMinute.page, duration: 60 }),
    start: new RateLimiterMemory({ keyPrefix: 'start', points: perMinute.start, duration: 60 }),
    return: new RateLimiterMemory({ keyPrefix: 'return', points: perMinute.return, duration: 60 }),
  }
  return async (req, { path, limit }) => {
    if (limit === undefined) return
    try {
      await limiters[limit].consume(`${path} ${addressKey(clientAddress(req))}`)
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      throw new PortalError('TOO_MANY_REQUESTS', { retryAfterMs: refusal.msBeforeNext })
    }
  }
}
