import { LRUCache } from 'lru-cache'
import { day } from '../../time.ts'

/** How many items a page may have, where the service takes fewer than it documents. */
export interface PageSizes {
  /** Null while nothing is known but the documentation. */
  mostOf(tenantId: string): number | null
  learn(tenantId: string, most: number): void
}

/** Limits of Microsoft's move, in both directions: another day it is tried with as many as before. */
const believedFor = day

/** Remembered by this process, for the tenants where it was met. */
export function rememberPageSizes(now: () => Date): PageSizes {
  const learned = new LRUCache<string, { most: number; at: number }>({ max: 20_000 })
  return {
    mostOf(tenantId) {
      const size = learned.get(tenantId)
      return size !== undefined && Math.abs(now().getTime() - size.at) < believedFor ? size.most : null
    },
    learn: (tenantId, most) => void learned.set(tenantId, { most, at: now().getTime() }),
  }
}
