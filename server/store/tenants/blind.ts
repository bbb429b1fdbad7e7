import type { Tenant } from './tenants.ts'

/**
 * A tenant not read for longer than this is blind, and so is one that was tried this often without success, or that
 * Microsoft answers in part only.
 */
export const blindAfterMs = 15 * 60_000

export const blindAfterPolls = 3

/** Whether incidents may be arriving there without Muster seeing them, and since when. */
export function blindSince(
  tenant: Pick<Tenant, 'accessState' | 'firstActiveAt' | 'lastReadAt' | 'syncFailures' | 'partialSince'>,
  now: Date,
): string | null {
  if (tenant.firstActiveAt === null || tenant.accessState === 'offboarded') return null
  const lastSeen = tenant.lastReadAt ?? tenant.firstActiveAt
  const missed = tenant.syncFailures >= blindAfterPolls || now.getTime() - Date.parse(lastSeen) > blindAfterMs
  const partialSince = tenant.partialSince ?? null
  if (partialSince === null) return missed ? lastSeen : null
  return missed && lastSeen < partialSince ? lastSeen : partialSince
}
