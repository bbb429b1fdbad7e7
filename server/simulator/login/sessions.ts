import { randomBytes } from 'node:crypto'

/** One thing a browser came for and has not finished: kept here while it chooses an account or reads what it allows. */
export interface Errand {
  id: string
  kind: 'authorize' | 'adminconsent'
  /** Tenant as the URL named it: GUID, domain, `common` or `organizations`. */
  authority: string
  version: 1 | 2
  params: Record<string, string>
  /** The account chosen on the way, when one was. */
  personId: string | null
}

/** An authorization code and everything its redemption is checked against. */
export interface Grant {
  clientId: string
  redirectUri: string
  personId: string
  tenantId: string
  nonce: string | null
  challenge: string | null
  scope: string
  expiresAt: number
  redeemed: boolean
}

const most = 5000

/** Browsers signed in here, their errands, and codes handed out. In memory: a restart signs everybody out. */
export class Sessions {
  readonly #accounts = new Map<string, string[]>()
  readonly #errands = new Map<string, Errand>()
  readonly #grants = new Map<string, Grant>()

  /** Accounts signed in in this browser, the latest first. */
  accounts(sessionId: string | undefined): string[] {
    return sessionId === undefined ? [] : (this.#accounts.get(sessionId) ?? [])
  }

  /** Signs an account in. @returns the session's ID, new when there was none */
  signIn(sessionId: string | undefined, personId: string): string {
    const id = sessionId !== undefined && this.#accounts.has(sessionId) ? sessionId : unguessable()
    keep(this.#accounts, id, [personId, ...this.accounts(id).filter((other) => other !== personId)])
    return id
  }

  signOut(sessionId: string | undefined): void {
    if (sessionId !== undefined) this.#accounts.delete(sessionId)
  }

  begin(errand: Omit<Errand, 'id'>): Errand {
    const whole = { ...errand, id: unguessable() }
    keep(this.#errands, whole.id, whole)
    return whole
  }

  errand(id: string): Errand | undefined {
    return this.#errands.get(id)
  }

  end(errand: Errand): void {
    this.#errands.delete(errand.id)
  }

  issueCode(grant: Omit<Grant, 'redeemed'>): string {
    const code = `1.A${unguessable()}${unguessable()}`
    keep(this.#grants, code, { ...grant, redeemed: false })
    return code
  }

  grant(code: string): Grant | undefined {
    return this.#grants.get(code)
  }
}

function unguessable(): string {
  return randomBytes(24).toString('base64url')
}

function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}
