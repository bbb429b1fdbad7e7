// Somebody looks at the pages all the while: they answer, or say that they cannot just now.

const looks = ['/', '/incidents', '/readyz']

export class Pages {
  #places
  #cookie
  #next = 0
  statuses = {}
  faults = []

  constructor(places, cookie) {
    this.#places = places.filter(({ place }) => place.role !== 'worker')
    this.#cookie = cookie
  }

  async look() {
    const place = this.#places[this.#next % this.#places.length]
    const path = looks[this.#next++ % looks.length]
    if (!place?.running || place.url === null) return
    const status = await this.#status(`${place.url}${path}`)
    this.statuses[status] = (this.statuses[status] ?? 0) + 1
    if (![200, 503, 'no answer'].includes(status) && this.faults.length < 10) {
      this.faults.push(`${path} was answered with ${status}`)
    }
  }

  /** A process that was just killed or stopped gives no answer, and that is no fault. */
  async #status(url) {
    try {
      const answer = await fetch(url, {
        headers: { cookie: this.#cookie },
        redirect: 'manual',
        signal: AbortSignal.timeout(20_000),
      })
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return 'no answer'
    }
  }
}
