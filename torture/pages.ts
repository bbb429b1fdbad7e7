// Somebody looks at the pages all the while: they answer, or say that they cannot just now.
import type { PortalProcess } from './processes.ts'
import { type Counts, count } from './randomness.ts'

const paths = ['/', '/incidents', '/readyz']
const noAnswer = 'no answer'

export class Pages {
  readonly #places: PortalProcess[]
  readonly #cookie: string
  #next = 0
  readonly statuses: Counts = {}
  /** Lines, at most a few. */
  readonly faults: string[] = []

  constructor(places: readonly PortalProcess[], cookie: string) {
    this.#places = places.filter(({ place }) => place.role !== 'worker')
    this.#cookie = cookie
  }

  async look(): Promise<void> {
    const place = this.#places[this.#next % this.#places.length]
    const path = paths[this.#next++ % paths.length]
    if (!place?.running || place.url === null) return
    const status = await this.#status(`${place.url}${path}`)
    count(this.statuses, String(status))
    if (status !== 200 && status !== 503 && status !== noAnswer && this.faults.length < 10) {
      this.faults.push(`${path} was answered with ${status}`)
    }
  }

  /** A process that was just killed or stopped gives no answer, and that is no fault. */
  async #status(url: string): Promise<number | typeof noAnswer> {
    try {
      const answer = await fetch(url, {
        headers: { cookie: this.#cookie },
        redirect: 'manual',
        signal: AbortSignal.timeout(20_000),
      })
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return noAnswer
    }
  }
}
