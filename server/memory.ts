/**
 * What one process remembers beside its database, as long as it runs: one object of each kind, made when it is first asked
 * for. Every process has its own, and nothing is lost with it.
 */
export class Memory {
  readonly #objects = new Map<new () => object, object>()

  of<T extends object>(kind: new () => T): T {
    const held = this.#objects.get(kind)
    if (held) return held as T
    const made = new kind()
    this.#objects.set(kind, made)
    return made
  }
}
