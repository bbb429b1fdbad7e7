import type { Slot } from '../sync/context.ts'

interface Holder extends Slot {
  state: 'within' | 'overdue' | 'borrowed' | 'gone'
}

/**
 * So many at once and no more, which waits for nobody slow: who has held a slot for `slowAfterMs` makes room for another
 * and goes on, as long as no more than `borrowed` do so. A few that hang then keep nobody waiting, and many are bounded still.
 */
export class Slots {
  readonly #limit: number
  readonly #slowAfterMs: number
  readonly #borrowed: number
  #within = 0
  #outside = 0
  readonly #overdue = new Set<Holder>()
  readonly #queue = new Set<() => void>()

  constructor(limit: number, slow: { slowAfterMs: number; borrowed: number }) {
    this.#limit = limit
    this.#slowAfterMs = slow.slowAfterMs
    this.#borrowed = slow.borrowed
  }

  get free(): number {
    return Math.max(0, this.#limit - this.#within - this.#queue.size)
  }

  /** Everybody who has not left, whether in a slot or beside one. */
  get held(): number {
    return this.#within + this.#outside
  }

  /** Takes a slot at once; `free` must be above 0. */
  take(): Slot {
    const holder: Holder = { state: 'within', leave: () => this.#leave(holder, overdue) }
    const overdue = setTimeout(() => {
      this.#overdue.add(holder)
      holder.state = 'overdue'
      this.#lend()
    }, this.#slowAfterMs)
    overdue.unref()
    this.#within++
    return holder
  }

  /** A slot as soon as there is one, in the order of asking. @throws what the signal was aborted with */
  async enter(signal?: AbortSignal): Promise<Slot> {
    if (this.#within < this.#limit && this.#queue.size === 0) return this.take()
    return new Promise<Slot>((resolve, reject) => {
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
    if (holder.state === 'borrowed') this.#outside--
    else this.#within--
    holder.state = 'gone'
    this.#overdue.delete(holder)
    this.#lend()
    this.#admit()
  }

  #lend(): void {
    for (const holder of this.#overdue) {
      if (this.#outside >= this.#borrowed) return
      this.#overdue.delete(holder)
      holder.state = 'borrowed'
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
