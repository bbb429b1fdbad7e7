/** A person's browser at the simulated Microsoft: it goes where it is sent, picks an account, and presses one button. */
export class SimulatedBrowser {
  readonly #origin: string
  readonly #cookies = new Map<string, string>()

  constructor(origin: string) {
    this.#origin = origin
  }

  /**
   * Follows an address of the simulated Microsoft until it leads back to the app.
   * @returns the query it comes back with
   * @throws Error when it ends at a page of Microsoft's own
   */
  async follow(url: string, personId: string, decision: 'accept' | 'cancel'): Promise<Record<string, string>> {
    let answer = await this.#send(url)
    for (let turn = 0; turn < 10; turn++) {
      const location = answer.headers.get('location')
      if (location !== null) {
        const target = new URL(location, this.#origin)
        if (target.origin !== this.#origin) return Object.fromEntries(target.searchParams)
        answer = await this.#send(target.href)
        continue
      }
      const page = await answer.text()
      const action = /<form method="post" action="([^"]+)"/.exec(page)?.[1]
      const flow = /name="flow" value="([^"]+)"/.exec(page)?.[1]
      if (action === undefined || flow === undefined) break
      const pressed: Record<string, string> = page.includes('name="account"')
        ? { account: personId }
        : { decision, organisation: '1' }
      answer = await this.#send(new URL(action, this.#origin).href, new URLSearchParams({ flow, ...pressed }))
    }
    throw new Error('a simulated browser did not come back from the simulated Microsoft')
  }

  async #send(url: string, form?: URLSearchParams): Promise<Response> {
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map((pair) => pair.join('=')).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=')
      this.#cookies.set(name, value)
    }
    return answer
  }
}
