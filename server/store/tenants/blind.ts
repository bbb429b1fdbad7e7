import type { Tenant } from './tenants.ts'

/**
 * A tenant not read for longer than this is blind, and so is one that was tried this often without success, or that
 * Microsoft answers in part only.
 */
export const blindAfterMs = 15 * 60_000

export const blindAfterPolls = 3

/** Clocks of one portal differ by less, in milliseconds. */
export const believedClockMs = 2 * 60_000

/** What was read later than this was read by a clock that was wrong: nobody knows when. */
export const aheadOf = (now: Date): string => new Date(now.getTime() + believedClockMs).toISOString()

/** Whether incidents may be arriving there without Muster seeing them, and since when. */
export function blindSince(
  tenant: Pick<Tenant, 'accessState' | 'firstActiveAt' | 'lastReadAt' | 'syncFailures' | 'partialSince'>,
  now: Date,
): string | null {
  if (tenant.firstActiveAt === null || tenant.accessState === 'offboarded') return null
  const lastSeen = tenant.lastReadAt ?? tenant.firstActiveAt
  const partialSince = tenant.partialSince ?? null
  // Certain is only that it once was seen.
  if (lastSeen > aheadOf(now)) return partialSince ?? [tenant.firstActiveAt, now.toISOString()].sort()[0] ?? null
  const missed = tenant.syncFailures >= blindAfterPolls || now.getTime() - Date.parse(lastSeen) > blindAfterMs
  if (partialSince === null) return missed ? lastSeen : null
  return missed && lastSeen < partialSince ? lastSeen : partialSince
}
