/** The simulator's time. Propagation, token lifetimes, quotas and weather all read it, so a test can move it. */
export class VirtualClock {
  readonly #base: () => number
  #offset = 0

  /** @param base milliseconds since the epoch; the machine's own clock by default */
  constructor(base: () => number = Date.now) {
    this.#base = base
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#base() + this.#offset
  }

  /** Moves time forward (or back, with a negative number) by so many milliseconds. */
  advance(ms: number): void {
    this.#offset += ms
  }
}
