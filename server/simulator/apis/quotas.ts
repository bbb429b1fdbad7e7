import { hour, minute } from '../../time.ts'
import type { VirtualClock } from '../world/clock.ts'

export interface Quota {
  name: string
  perMinute: number
  perHour: number
}

/** Counted per app and tenant. https://learn.microsoft.com/defender-xdr/api-list-incidents */
export const quotas = {
  defenderList: { name: 'defender-list', perMinute: 50, perHour: 1500 },
  defenderGet: { name: 'defender-get', perMinute: 100, perHour: 1500 },
  graphSecurity: { name: 'graph-security', perMinute: 150, perHour: Number.POSITIVE_INFINITY },
} satisfies Record<string, Quota>

/** Sliding windows of calls. Refused calls count as well: whoever retries too early stays blocked for longer. */
export class Quotas {
  readonly #clock: VirtualClock
  readonly #calls = new Map<string, number[]>()

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  /** Counts one call. @returns milliseconds to wait before the next when it is over the quota, else 0 */
  spend(quota: Quota, appId: string, tenantId: string): number {
    const now = this.#clock.now()
    const key = `${quota.name}/${appId}/${tenantId}`
    const windowMs = Number.isFinite(quota.perHour) ? hour : minute
    const calls = (this.#calls.get(key) ?? []).filter((at) => at > now - windowMs)
    this.#calls.set(key, calls)
    const lately = calls.filter((at) => at > now - minute)
    calls.push(now)
    if (lately.length >= quota.perMinute) return (lately.at(-quota.perMinute) ?? now) + minute - now
    if (calls.length > quota.perHour) return (calls.at(-quota.perHour - 1) ?? now) + windowMs - now
    return 0
  }
}
