import type { Database } from './dialect.ts'

/** A change to the store that one call makes whole, out of what can be copied to another thread. */
type Change = (db: Database, ...about: unknown[]) => Promise<unknown>

/** Makes changes by their names, elsewhere. */
export type Offload = (change: string, about: unknown[]) => Promise<unknown>

const changes = new Map<string, Change>()
const offloaders = new WeakMap<Database, Offload>()

/**
 * A change that is made where the database is, if the store has a thread of its own (thread.ts): one message over
 * and one back, instead of one for each statement, between which everybody else would wait for a busy loop. Within a
 * transaction that is already open, and without such a thread, it is made at once.
 * @param name under which the thread knows it; the module that names it is imported there
 */
export function offloaded<About extends unknown[], Result>(
  name: string,
  change: (db: Database, ...about: About) => Promise<Result>,
): (db: Database, ...about: About) => Promise<Result> {
  changes.set(name, change as unknown as Change)
  return (db, ...about) => {
    const perform = offloaders.get(db)
    return perform ? (perform(name, about) as Promise<Result>) : change(db, ...about)
  }
}

/** From now on the changes of this database are made by `perform`. */
export const offloadTo = (db: Database, perform: Offload): void => void offloaders.set(db, perform)

export function changeNamed(name: string): Change {
  const change = changes.get(name)
  if (!change) throw new Error(`the store knows no change named ${name}`)
  return change
}
