/**
 * What one process remembers beside its database, as long as it runs: one object of each kind, made when it is first asked
 * for. Every process has its own, and nothing is lost with it.
 */
export class Memory {
  readonly #objects = new Map<new () => object, object>()

  of<T extends object>(kind: new () => T): T {
    const before = this.#objects.get(kind)
    if (before) return before as T
    const object = new kind()
    this.#objects.set(kind, object)
    return object
  }
}
