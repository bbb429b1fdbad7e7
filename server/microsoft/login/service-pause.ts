import { Refusal } from '../../model/refusal.ts'

/** Tenants that have to be throttled for it to be about all of us, and within how long. */
const tenantsForAll = 3
const withinMs = 10_000
/** Where the service does not say for how long, and at most. */
const usualMs = 30_000
const longestMs = 5 * 60_000

/**
 * The login service's manners: when it throttles several tenants at once, it is the app that asks too much, and no tenant
 * asks before the time is over. One tenant alone may be throttled for itself.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes (AADSTS90055, AADSTS50196)
 */
export class ServicePause {
  readonly #throttled = new Map<string, number>()
  #until = 0

  /** @throws Refusal `throttled` while nobody may ask */
  check(now: Date): void {
    const leftMs = this.#until - now.getTime()
    if (leftMs <= 0 || leftMs > longestMs) return
    throw new Refusal('throttled', { at: now.toISOString(), error: 'login_service' }, { retryAfterMs: leftMs })
  }

  /** Notes what a tenant's request was refused with. */
  note(tenantId: string, { code, facts, retryAfterMs }: Refusal, now: Date): void {
    if (code !== 'throttled' || facts.error === 'login_service') return
    const at = now.getTime()
    for (const [other, time] of this.#throttled) if (Math.abs(at - time) > withinMs) this.#throttled.delete(other)
    this.#throttled.set(tenantId, at)
    if (this.#throttled.size < tenantsForAll) return
    this.#until = Math.max(this.#until, at + Math.min(retryAfterMs ?? usualMs, longestMs))
  }

  /** A token came: whoever throttled does so no longer. */
  end(): void {
    this.#throttled.clear()
  }
}
