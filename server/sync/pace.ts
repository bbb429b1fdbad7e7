import type { SyncSettings } from '../config/config.ts'
import type { Tenant } from '../store/tenants/tenants.ts'
import { hour, minute, second } from '../time.ts'

/** A tenant in which nothing happened for this long is polled less and less often. */
const activeFor = hour
const firstPause = 30 * second
const longestPause = 10 * minute
const leastPause = 2 * second

/**
 * Milliseconds until the next poll of a tenant: the usual pace while something happens in it, stretching with the time
 * that nothing does. After failures the longest pause doubles with each, and the whole of it is left to chance, so that
 * a thousand tenants that failed together do not come back together.
 */
export function nextPause(
  tenant: Pick<Tenant, 'lastChangeAt' | 'syncFailures'>,
  sync: Pick<SyncSettings, 'paceMs' | 'quietPaceMs'>,
  now: Date,
  random: () => number = Math.random,
): number {
  if (tenant.syncFailures > 0) return failurePause(tenant.syncFailures, random)
  const quietFor =
    tenant.lastChangeAt === null ? Number.POSITIVE_INFINITY : now.getTime() - Date.parse(tenant.lastChangeAt)
  if (quietFor <= activeFor) return Math.min(sync.paceMs * (0.8 + random() * 0.4), sync.quietPaceMs)
  const stretched = Math.min((sync.paceMs * quietFor) / activeFor, sync.quietPaceMs)
  return stretched * (0.8 + random() * 0.2)
}

/** Full jitter over 30 s, 1, 2, 4, 8 and then 10 min: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
export function failurePause(failures: number, random: () => number = Math.random): number {
  const most = Math.min(firstPause * 2 ** Math.min(Math.max(failures, 1) - 1, 10), longestPause)
  return Math.max(leastPause, most * random())
}

const partialFirst = 30 * second

/**
 * Milliseconds until a tenant that Microsoft answers in part is polled again, at least: a tenth of the time that has
 * lasted, since what it waits for is seldom back at once, and each poll counts against its quota.
 */
export function partialPause(since: string | null, sync: Pick<SyncSettings, 'quietPaceMs'>, now: Date): number {
  const lasted = since === null ? 0 : now.getTime() - Date.parse(since)
  return Math.min(Math.max(lasted / 10, partialFirst), sync.quietPaceMs)
}

/** Ten per cent to either side, so that tenants that began together are not compared together for ever. */
export const jittered = (ms: number, random: () => number = Math.random): number => ms * (0.9 + random() * 0.2)
