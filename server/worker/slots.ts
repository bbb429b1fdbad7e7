import type { Place } from '../sync/context.ts'

interface Holder extends Place {
  state: 'within' | 'overdue' | 'lent' | 'gone'
}

/**
 * So many at once and no more, with patience for the slow: who has held a place for `patienceMs` makes room for another
 * and goes on, as long as no more than `lent` do so. A few that hang then keep nobody waiting, and many are bounded still.
 */
export class Places {
  readonly #limit: number
  readonly #patienceMs: number
  readonly #lent: number
  #within = 0
  #outside = 0
  readonly #overdue = new Set<Holder>()
  readonly #queue = new Set<() => void>()

  constructor(limit: number, slow: { patienceMs: number; lent: number }) {
    this.#limit = limit
    this.#patienceMs = slow.patienceMs
    this.#lent = slow.lent
  }

  get free(): number {
    return Math.max(0, this.#limit - this.#within - this.#queue.size)
  }

  /** Everybody who has not left, whether in a place or beside one. */
  get held(): number {
    return this.#within + this.#outside
  }

  /** A place at once: for whoever has just seen one free. */
  take(): Place {
    const holder: Holder = { state: 'within', leave: () => this.#leave(holder, overdue) }
    const overdue = setTimeout(() => {
      this.#overdue.add(holder)
      holder.state = 'overdue'
      this.#lend()
    }, this.#patienceMs)
    overdue.unref()
    this.#within++
    return holder
  }

  /** A place as soon as there is one, in the order of asking. @throws what the signal was aborted with */
  async enter(signal?: AbortSignal): Promise<Place> {
    if (this.#within < this.#limit && this.#queue.size === 0) return this.take()
    return new Promise<Place>((resolve, reject) => {
      const turn = () => {
        this.#queue.delete(turn)
        signal?.removeEventListener('abort', givenUp)
        resolve(this.take())
      }
      const givenUp = () => {
        this.#queue.delete(turn)
        reject(signal?.reason)
      }
      if (signal?.aborted) return givenUp()
      signal?.addEventListener('abort', givenUp, { once: true })
      this.#queue.add(turn)
    })
  }

  #leave(holder: Holder, overdue: NodeJS.Timeout): void {
    clearTimeout(overdue)
    if (holder.state === 'gone') return
    if (holder.state === 'lent') this.#outside--
    else this.#within--
    holder.state = 'gone'
    this.#overdue.delete(holder)
    this.#lend()
    this.#admit()
  }

  #lend(): void {
    for (const holder of this.#overdue) {
      if (this.#outside >= this.#lent) return
      this.#overdue.delete(holder)
      holder.state = 'lent'
      this.#within--
      this.#outside++
      this.#admit()
    }
  }

  #admit(): void {
    for (const turn of this.#queue) {
      if (this.#within >= this.#limit) return
      turn()
    }
  }
}
