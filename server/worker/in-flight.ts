/** Work under way, which is awaited only when all of it is stopped. */
export class InFlight {
  readonly #works = new Set<Promise<void>>()

  /** @param work never rejects */
  track(work: Promise<void>, onEnd: () => void): void {
    const tracked = work.finally(() => {
      onEnd()
      this.#works.delete(tracked)
    })
    this.#works.add(tracked)
  }

  /** Resolves when all that is under way now has ended, or after `patienceMs`. */
  async settle(patienceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const overdue = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs)
    })
    await Promise.race([Promise.all(this.#works), overdue])
    clearTimeout(timer)
  }
}
