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

/**
 * Codes a minute that are looked at: of one network address, and in all. Each is a call to Microsoft and a row for a quarter of
 * an hour, and whoever comes back from there can make one up.
 */
export const codesPerMinute = { address: 120, all: 600 } as const

/** @returns counts one code that is about to be redeemed; @throws PortalError `TOO_MANY_REQUESTS` */
export function createCodeLimit(): (req: Request) => Promise<void> {
  const address = new RateLimiterMemory({ keyPrefix: 'code', points: codesPerMinute.address, duration: 60 })
  const all = new RateLimiterMemory({ keyPrefix: 'codes', points: codesPerMinute.all, duration: 60 })
  return async (req) => {
    // One address that is beyond its own bound takes nothing of everybody's.
    await consume(address, addressKey(clientAddress(req)))
    await consume(all, 'all')
  }
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key)
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal
    throw new PortalError('TOO_MANY_REQUESTS', { retryAfterMs: refusal.msBeforeNext })
  }
}

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
    await consume(limiters[limit], `${path} ${addressKey(clientAddress(req))}`)
  }
}
