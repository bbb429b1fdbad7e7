import type { Lane } from '../store/sync/claims.ts'

/** In the order in which they are looked after: who waits for a proof, then what has changed, then what lies back. */
export const lanes: readonly Lane[] = ['check', 'first', 'sync', 'troubled', 'window']

/** Tenants in flight at once, of each lane. */
export const atOnce: Record<Lane, number> = { check: 8, first: 4, sync: 24, troubled: 6, window: 4 }

/** Claimed tenants that are asked for at once: a token each, and at the end one call. */
export const proofsAtOnce = 16

/** A tenant that takes longer than a moment makes room for another; so many do, of each lane, before that ends. */
export const slow: Record<Lane, { slowAfterMs: number; borrowed: number }> = {
  check: { slowAfterMs: 5_000, borrowed: 24 },
  first: { slowAfterMs: 15_000, borrowed: 8 },
  sync: { slowAfterMs: 5_000, borrowed: 48 },
  troubled: { slowAfterMs: 5_000, borrowed: 24 },
  window: { slowAfterMs: 15_000, borrowed: 4 },
}

/** Pages of long lists in memory at once, of up to 10 MB as they come and about three times that as they are stored. */
export const heavyAtOnce = 3

/** Whose answer is late holds nothing in memory yet: it keeps nobody else waiting. */
export const heavySlow = { slowAfterMs: 3_000, borrowed: 40 }
