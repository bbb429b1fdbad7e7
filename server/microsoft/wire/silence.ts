/**
 * How long Microsoft may let us wait for one request, with all its tries: a clock that stands still while we are the ones
 * who keep it waiting.
 */
export class Silence {
  readonly #onLate: () => void
  #leftMs: number
  #since: number | null = null
  #timer: NodeJS.Timeout | undefined

  /** @param onLate called once the time is over, while the clock runs */
  constructor(ms: number, onLate: () => void) {
    this.#leftMs = ms
    this.#onLate = onLate
  }

  /** Milliseconds. */
  get leftMs(): number {
    return this.#leftMs - (this.#since === null ? 0 : performance.now() - this.#since)
  }

  start(): void {
    if (this.#since !== null) return
    this.#since = performance.now()
    this.#timer = setTimeout(this.#onLate, Math.max(0, this.#leftMs))
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#leftMs = this.leftMs
    this.#since = null
  }
}
