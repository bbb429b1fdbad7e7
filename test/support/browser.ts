import request, { type Response } from 'supertest'

export interface Page {
  url: string
  status: number
  headers: Response['headers']
  text: string
  /** Where it leads, as an absolute address; null when it leads nowhere. */
  location: string | null
}

type Fields = Record<string, string | string[]>
type Headers = Record<string, string>

/** The lines of a template do not show beside and inside a tag: what a page says stands as if it were one line. */
const withoutLines = (text: string) => text.replace(/(?<=>)\n+|\n+(?=<)/g, '').replace(/\n(?=[\w-]+=")/g, ' ')

/** What a browser does and no more: keeps cookies by host, follows redirects, sends forms as they stand on the page. */
export class Browser {
  readonly origin: string
  readonly #jars = new Map<string, Map<string, string>>()

  /** Headers of every request, as a proxy in front of the portal would add them. */
  always: Headers = {}

  constructor(origin: string) {
    this.origin = origin
  }

  /** One request; redirects are not followed. */
  async get(address: string, headers: Headers = {}): Promise<Page> {
    const url = new URL(address, this.origin)
    return this.#keep(
      url,
      await request(url.origin)
        .get(url.pathname + url.search)
        .set({ Accept: 'text/html', ...this.#cookies(url), ...this.always, ...headers })
        .redirects(0),
    )
  }

  /** What a scanner or a preview asks with this browser's cookies; nothing of the answer is kept. */
  async head(address: string): Promise<Response> {
    const url = new URL(address, this.origin)
    return request(url.origin)
      .head(url.pathname + url.search)
      .set({ Accept: 'text/html', ...this.#cookies(url), ...this.always })
      .redirects(0)
  }

  /** One form; redirects are not followed. The browser's own word is "same origin" unless said otherwise. */
  async post(address: string, fields: Fields, headers: Headers = {}): Promise<Page> {
    const url = new URL(address, this.origin)
    const body = new URLSearchParams(
      Object.entries(fields).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as [string, string])),
    )
    const own: Headers = { Accept: 'text/html', 'Sec-Fetch-Site': 'same-origin', ...this.#cookies(url) }
    const all: Headers = { ...own, ...this.always, ...headers }
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
    return this.#keep(
      url,
      await request(url.origin)
        .post(url.pathname + url.search)
        .set(sent)
        .type('form')
        .send(body.toString())
        .redirects(0),
    )
  }

  /** Follows redirects to the page at their end. */
  async follow(page: Page): Promise<Page> {
    let here = page
    for (let hops = 0; here.location !== null; hops++) {
      if (hops > 20) throw new Error(`redirects without end at ${here.url}`)
      here = await this.get(here.location)
    }
    return here
  }

  async open(address: string): Promise<Page> {
    return this.follow(await this.get(address))
  }

  /** Sends the form whose action begins with `action`, its hidden fields as they are; redirects are not followed. */
  async submit(page: Page, action: string, fields: Fields = {}): Promise<Page> {
    const form = [...page.text.matchAll(/<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)].find(([, target]) =>
      target?.startsWith(action),
    )
    if (!form) throw new Error(`no form for ${action} at ${page.url} (${page.status})`)
    const [, target = '', inside = ''] = form
    const hidden = [...inside.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const given = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, plain(value)]))
    return this.post(new URL(plain(target), page.url).href, { ...given, ...fields })
  }

  cookie(name: string): string | undefined {
    return this.#jar(new URL(this.origin)).get(name)
  }

  setCookie(name: string, value: string): void {
    this.#jar(new URL(this.origin)).set(name, value)
  }

  cookieNames(): string[] {
    return [...this.#jar(new URL(this.origin)).keys()]
  }

  #jar(url: URL): Map<string, string> {
    const jar = this.#jars.get(url.hostname) ?? new Map<string, string>()
    this.#jars.set(url.hostname, jar)
    return jar
  }

  #cookies(url: URL): Headers {
    const cookies = [...this.#jar(url)].map(([name, value]) => `${name}=${value}`).join('; ')
    return cookies === '' ? {} : { Cookie: cookies }
  }

  #keep(url: URL, answer: Response): Page {
    const set = (answer.headers['set-cookie'] ?? []) as unknown as string[]
    for (const line of set) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/expires=Thu, 01 Jan 1970/i.test(line) || /max-age=0/i.test(line)) this.#jar(url).delete(name)
      else this.#jar(url).set(name, value)
    }
    const { location } = answer.headers
    return {
      url: url.href,
      status: answer.status,
      headers: answer.headers,
      text: withoutLines(answer.text ?? ''),
      location: location === undefined ? null : new URL(location, url).href,
    }
  }
}

const plain = (attribute: string) =>
  attribute
    .replaceAll('&#34;', '"')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
