import type { IncomingHttpHeaders } from 'node:http'
import { type Check, checksOf, type PostKind, type Secrets } from './checks.ts'

/** A mail as the box parsed it. */
export interface InboxMail {
  kind: 'mail'
  subject: string
  from: string
  to: string
  text: string
  html: string
  headers: { name: string; value: string }[]
}

/** What was posted to one of the receivers, and what of it holds. */
export interface InboxPost {
  kind: PostKind
  headers: { name: string; value: string }[]
  body: string
  checks: Check[]
}

export type InboxItem = (InboxMail | InboxPost) & { id: number; at: Date }

const most = 500
/** Of a post, and of a mail: what is longer is refused by whoever takes it. */
export const mostBytes = 1_000_000

/** What the demonstration's destinations were sent since the start: a mail box and four receivers. The oldest go first. */
export class Inbox {
  readonly #items: InboxItem[] = []
  #next = 1
  #secrets: () => Promise<Secrets> = async () => ({ webhook: [], authorization: null })

  /** @param secrets of the destinations as they are set up now: signatures are looked at with them */
  verifyWith(secrets: () => Promise<Secrets>): void {
    this.#secrets = secrets
  }

  addMail(mail: Omit<InboxMail, 'kind'>): void {
    this.#add({ kind: 'mail', ...mail })
  }

  /** Keeps a post with what was verified. */
  async addPost(kind: PostKind, sent: IncomingHttpHeaders, body: string): Promise<void> {
    const checks = checksOf(kind, sent, body, await this.#secrets(), new Date())
    const headers = Object.entries(sent).map(([name, value]) => ({
      name,
      value: name === 'authorization' ? 'as the destination has it, not shown' : String(value),
    }))
    this.#add({ kind, headers, body, checks })
  }

  /** Newest first. */
  list(kind: string | null): InboxItem[] {
    return this.#items.filter((item) => kind === null || item.kind === kind).reverse()
  }

  find(id: number): InboxItem | null {
    return this.#items.find((item) => item.id === id) ?? null
  }

  #add(item: InboxMail | InboxPost): void {
    this.#items.push({ ...item, id: this.#next++, at: new Date() })
    if (this.#items.length > most) this.#items.shift()
  }
}
