import type { Lane } from '../store/sync/claims.ts'

/** In the order in which they are looked after: who waits for a proof, then what has changed, then what lies back. */
export const lanes: readonly Lane[] = ['check', 'first', 'sync', 'troubled', 'window']

/**
 * Tenants in flight at once, of each lane: each has one request on its way, for which it waits most of the time. How fast
 * is bounded by each tenant's quota, how much by the room for answers; this bounds sockets.
 */
export const atOnce: Record<Lane, number> = { check: 64, first: 200, sync: 250, troubled: 48, window: 32 }

/** Claimed tenants that are asked for at once: a token each, and at the end one call. */
export const proofsAtOnce = 16

/** A tenant that takes longer than a moment makes room for another; so many do, of each lane, before that ends. */
export const slow: Record<Lane, { slowAfterMs: number; borrowed: number }> = {
  check: { slowAfterMs: 5_000, borrowed: 64 },
  first: { slowAfterMs: 15_000, borrowed: 100 },
  sync: { slowAfterMs: 5_000, borrowed: 150 },
  troubled: { slowAfterMs: 5_000, borrowed: 48 },
  window: { slowAfterMs: 15_000, borrowed: 16 },
}

/** Bytes of answers in memory at once, as they come; they are about three times that until they are stored. */
export const roomBytes = 3_000_000
