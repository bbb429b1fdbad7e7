import type { Place } from '../sync/context.ts'

interface Holder extends Place {
  bytes: number
}

interface Waiting {
  bytes: number
  /** The smaller, the sooner. */
  rank: number
  /** Someone who is in already and asks for more. */
  holder: Holder | null
  admit(): void
}

/**
 * Memory for answers on their way in, counted in bytes as they come. An answer is let in when what is known of its length
 * fits; one that turns out to be longer asks for more. So that all who are in cannot wait for each other, whoever has been in
 * longest is given what he asks for, and an answer larger than all the room is let in when nobody else is.
 */
export class Room {
  readonly #total: number
  #taken = 0
  /** In the order in which they came in. */
  readonly #holders = new Set<Holder>()
  readonly #waiting: Waiting[] = []

  /** @param total bytes */
  constructor(total: number) {
    this.#total = total
  }

  /** Bytes that are held. */
  get taken(): number {
    return this.#taken
  }

  /**
   * A place for so many bytes: those of a lower rank first, in the order of asking.
   * @throws what the signal was aborted with
   */
  async enter(bytes: number, rank: number, signal?: AbortSignal): Promise<Place> {
    await this.#wait({ bytes, rank, holder: null }, signal)
    const holder: Holder = {
      bytes,
      hold: (more) => this.#hold(holder, more, rank, signal),
      leave: () => {
        if (!this.#holders.delete(holder)) return
        this.#taken -= holder.bytes
        this.#admit()
      },
    }
    this.#holders.add(holder)
    return holder
  }

  async #hold(holder: Holder, bytes: number, rank: number, signal?: AbortSignal): Promise<void> {
    const more = bytes - holder.bytes
    if (more > 0) await this.#wait({ bytes: more, rank, holder }, signal)
    else this.#taken += more
    if (this.#holders.has(holder)) holder.bytes = bytes
    // What was held until then was given back when the place was left.
    else this.#taken -= more
    if (more < 0 || !this.#holders.has(holder)) this.#admit()
  }

  #fits({ bytes, holder }: Pick<Waiting, 'bytes' | 'holder'>): boolean {
    if (this.#taken + bytes <= this.#total) return true
    if (holder === null) return this.#holders.size === 0 && this.#taken === 0
    const [oldest] = this.#holders
    return oldest === holder
  }

  #wait(asked: Omit<Waiting, 'admit'>, signal?: AbortSignal): Promise<void> {
    const ahead = this.#waiting.some(({ rank }) => rank <= asked.rank)
    if ((asked.holder !== null || !ahead) && this.#fits(asked)) {
      this.#taken += asked.bytes
      return Promise.resolve()
    }
    return new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        ...asked,
        admit: () => {
          signal?.removeEventListener('abort', givenUp)
          resolve()
        },
      }
      const givenUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal?.reason)
        this.#admit()
      }
      if (signal?.aborted) return reject(signal.reason)
      signal?.addEventListener('abort', givenUp, { once: true })
      this.#waiting.push(waiting)
    })
  }

  /** Those who are in come first: what they hold already is given back the sooner. */
  #admit(): void {
    for (;;) {
      const next = this.#next()
      if (!next || !this.#fits(next)) return
      this.#waiting.splice(this.#waiting.indexOf(next), 1)
      this.#taken += next.bytes
      next.admit()
    }
  }

  #next(): Waiting | undefined {
    const inside = this.#waiting.filter(({ holder }) => holder !== null)
    const able = inside.find((one) => this.#fits(one))
    if (able) return able
    let next: Waiting | undefined
    for (const one of this.#waiting) {
      if (one.holder === null && (next === undefined || one.rank < next.rank)) next = one
    }
    return next
  }
}
