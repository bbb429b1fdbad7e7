/** A loop's rest, which can be ended before its time. */
export class Rest {
  #end: () => void = () => undefined

  take(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#end = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Ends the rest that is being taken; none, and nothing happens. */
  end(): void {
    this.#end()
  }
}
