import type { Lane } from '../store/sync/claims.ts'

/** In the order in which they are looked after: who waits for a proof, then what has changed, then what lies back. */
export const lanes: readonly Lane[] = ['check', 'first', 'sync', 'troubled', 'window']

/** Tenants in flight at once, of each lane. */
export const atOnce: Record<Lane, number> = { check: 8, first: 4, sync: 24, troubled: 6, window: 4 }

/** Claimed tenants that are asked for at once: a token each, and at the end one call. */
export const proofsAtOnce = 16

/** A tenant that takes longer than a moment makes room for another; so many do, of each lane, before that ends. */
export const slow: Record<Lane, { patienceMs: number; lent: number }> = {
  check: { patienceMs: 5_000, lent: 24 },
  first: { patienceMs: 15_000, lent: 8 },
  sync: { patienceMs: 5_000, lent: 48 },
  troubled: { patienceMs: 5_000, lent: 24 },
  window: { patienceMs: 15_000, lent: 4 },
}

/** Pages of long lists in memory at once, of up to 10 MB as they come and about three times that as they are stored. */
export const heavyAtOnce = 3

/** Whose answer is late holds nothing in memory yet: it keeps nobody else waiting. */
export const heavySlow = { patienceMs: 3_000, lent: 40 }
