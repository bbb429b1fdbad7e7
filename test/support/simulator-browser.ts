/** A form of the last page: where it goes, and what it would send. */
export interface Form {
  action: string
  method: string
  fields: Record<string, string>
  buttons: { name: string; value: string; text: string }[]
}

/**
 * A browser without scripts, for pages of the portal and of the simulator: keeps cookies per host name (as browsers do,
 * ports do not matter), follows redirects, and presses buttons.
 */
export class Browser {
  /** Cookies by host name, then by name. */
  readonly cookies = new Map<string, Map<string, string>>()
  /** Every address visited since the last `open` or `press`, redirects included. */
  visited: string[] = []
  url = ''
  status = 0
  body = ''
  headers = new Headers()
  #stopAt: (url: string) => boolean = () => false

  /** Redirects that lead to such an address are not followed; `url` becomes the address. */
  stopAt(test: (url: string) => boolean): this {
    this.#stopAt = test
    return this
  }

  async open(url: string): Promise<this> {
    this.visited = []
    return this.#go(url, { method: 'GET' })
  }

  /**
   * Presses the button whose text or value contains `label`, in the first form that has one.
   * @throws Error when no form has such a button
   */
  async press(label: string, filled: Record<string, string> = {}): Promise<this> {
    for (const form of this.forms()) {
      const button = form.buttons.find(({ text, value }) => text.includes(label) || value === label)
      if (!button) continue
      this.visited = []
      const fields = new URLSearchParams({ ...form.fields, ...filled })
      if (button.name) fields.set(button.name, button.value)
      const target = new URL(form.action, this.url)
      if (form.method === 'get') {
        target.search = fields.toString()
        return this.#go(target.href, { method: 'GET' })
      }
      return this.#go(target.href, {
        method: 'POST',
        body: fields.toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(this.url).origin },
      })
    }
    throw new Error(`no button "${label}" at ${this.url} (${this.status}): ${this.text().slice(0, 400)}`)
  }

  forms(): Form[] {
    return [...this.body.matchAll(/<form([^>]*)>(.*?)<\/form>/gs)].map(([, head = '', content = '']) => ({
      action: attribute(head, 'action') ?? this.url,
      method: (attribute(head, 'method') ?? 'get').toLowerCase(),
      fields: Object.fromEntries(
        [...content.matchAll(/<input([^>]*)>/g)]
          .map(([, tag = '']) => tag)
          .filter((tag) => attribute(tag, 'name') && !/type="?(checkbox|radio|submit)/.test(tag))
          .map((tag) => [attribute(tag, 'name') ?? '', attribute(tag, 'value') ?? '']),
      ),
      buttons: [...content.matchAll(/<button([^>]*)>(.*?)<\/button>/gs)].map(([, tag = '', inner = '']) => ({
        name: attribute(tag, 'name') ?? '',
        value: attribute(tag, 'value') ?? '',
        text: plain(inner),
      })),
    }))
  }

  /** What a person would read. */
  text(): string {
    return plain(this.body.replace(/<(head|style|script)[^>]*>.*?<\/\1>/gs, ''))
  }

  async #go(url: string, init: { method: string; body?: string; headers?: Record<string, string> }): Promise<this> {
    this.visited.push(url)
    this.url = url
    if (this.#stopAt(url)) return this
    if (this.visited.length > 20) throw new Error(`too many redirects: ${this.visited.join(' → ')}`)
    const { hostname } = new URL(url)
    const jar = this.cookies.get(hostname) ?? new Map<string, string>()
    this.cookies.set(hostname, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', ...init.headers, ...(cookie ? { cookie } : {}) },
    })
    for (const line of response.headers.getSetCookie()) keepCookie(jar, line)
    this.status = response.status
    this.headers = response.headers
    this.body = await response.text()
    const location = response.headers.get('location')
    if (location !== null && response.status >= 300 && response.status < 400) {
      return this.#go(new URL(location, url).href, { method: 'GET' })
    }
    return this
  }
}

function keepCookie(jar: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  const [name = '', ...value] = pair.split('=')
  const ended = attributes.some((text) => /^max-age=0$/i.test(text) || /^expires=.*1970/i.test(text))
  if (ended) jar.delete(name)
  else jar.set(name, value.join('='))
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]
  return value === undefined ? undefined : unescaped(value)
}

function plain(markup: string): string {
  return unescaped(markup.replace(/<[^>]+>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()
}

function unescaped(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' }
  return text.replace(/&(?:#(\d+)|(\w+));/g, (whole, code: string | undefined, name: string | undefined) =>
    code ? String.fromCodePoint(Number(code)) : (named[name ?? ''] ?? whole),
  )
}
