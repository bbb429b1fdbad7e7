import { LRUCache } from 'lru-cache'
import type { Config } from '../../config/config.ts'
import type { Credential, Registration } from '../../config/credentials.ts'
import { findGuid } from '../../guid.ts'
import type { TokenClaims } from '../../model/access.ts'
import { Refusal } from '../../model/refusal.ts'
import type { AppToken } from '../microsoft.ts'
import type { Send } from '../wire/http.ts'
import { requireTenantId } from '../wire/tenant-id.ts'
import { type CredentialOrder, msalClient } from './credentials.ts'
import { MsalNetwork, msalAuthority } from './msal-network.ts'
import { ServicePause } from './service-pause.ts'

/** App-only tokens, kept in memory alone, each under the tenant it was issued for. */
export interface Tokens {
  /** The token at hand, or a new one; callers at the same moment share one request. @throws Refusal */
  get(tenantId: string, resource: string): Promise<AppToken>
  /** After an API refused `refused`: another token, unless one has arrived meanwhile. @throws Refusal */
  renew(tenantId: string, resource: string, refused: AppToken): Promise<AppToken>
  /** A token fresh from Microsoft, past the one at hand and past a back-off, which it ends: for proofs. @throws Refusal */
  prove(tenantId: string, resource: string): Promise<AppToken>
  forget(tenantId: string): void
}

interface Holding {
  readonly tenantId: string
  readonly resource: string
  token: AppToken | null
  pending: Promise<AppToken> | null
  refusal: Refusal | null
  refusedTimes: number
  notBefore: number
}

/** Of ten thousand tenants, each for up to four resources: one resource throws out no other's. */
const mostTokens = 40_000
/** A token this close to its end is renewed, so that it does not expire on the way. */
const marginMs = 5 * 60_000
const longestLifeMs = 24 * 60 * 60_000
const firstBackOffMs = 30_000
const longestBackOffMs = 10 * 60_000

/** What a request for a token needs beside what it asks for. */
interface Means {
  config: Config
  order: CredentialOrder
  send: Send
  now: () => Date
}

/**
 * MSAL makes the request; what came of it is kept here. It has no single flight, slows down with every tenant it
 * remembers, and after a 429 refuses for a minute even while it holds a good token; so each request has a client of its
 * own, which is forgotten with it.
 */
export class TokenStore implements Tokens {
  readonly #means: Means
  readonly #pause = new ServicePause()
  readonly #holdings = new LRUCache<string, Holding>({ max: mostTokens })

  constructor(means: Means) {
    this.#means = means
  }

  async get(tenant: string, resource: string): Promise<AppToken> {
    const holding = this.#holdingOf(tenant, resource)
    const { token } = holding
    if (this.#lasts(token, marginMs)) return token
    if (holding.refusal && this.#means.now().getTime() < holding.notBefore) {
      if (this.#lasts(token, 0)) return token
      throw holding.refusal
    }
    try {
      this.#pause.check(this.#means.now())
      return await this.#requestOnce(holding)
    } catch (error) {
      // Microsoft being slow or away says nothing against the token at hand.
      if (this.#lasts(token, 0) && error instanceof Refusal && isPassing(error)) return token
      throw error
    }
  }

  async renew(tenant: string, resource: string, refused: AppToken): Promise<AppToken> {
    const holding = this.#holdingOf(tenant, resource)
    if (holding.token?.value === refused.value) holding.token = null
    return this.#lasts(holding.token, 0) ? holding.token : this.#requestOnce(holding)
  }

  async prove(tenant: string, resource: string): Promise<AppToken> {
    return this.#request(this.#holdingOf(tenant, resource), false)
  }

  forget(tenantId: string): void {
    const prefix = `${tenantId.toLowerCase()} `
    for (const key of this.#holdings.keys()) if (key.startsWith(prefix)) this.#holdings.delete(key)
  }

  #holdingOf(tenant: string, resource: string): Holding {
    const tenantId = requireTenantId(tenant, this.#means.now())
    const key = `${tenantId} ${resource}`
    const before = this.#holdings.get(key)
    if (before) return before
    const holding: Holding = {
      tenantId,
      resource,
      token: null,
      pending: null,
      refusal: null,
      refusedTimes: 0,
      notBefore: 0,
    }
    this.#holdings.set(key, holding)
    return holding
  }

  /** Callers at the same moment share one request. */
  #requestOnce(holding: Holding): Promise<AppToken> {
    holding.pending ??= this.#request(holding, true).finally(() => {
      holding.pending = null
    })
    return holding.pending
  }

  async #request(holding: Holding, repeatable: boolean): Promise<AppToken> {
    const { tenantId, resource } = holding
    const { app } = this.#means.config
    try {
      const token = await acquireToken(this.#means, { registration: app, tenantId, resource, repeatable })
      this.#pause.end()
      Object.assign(holding, { token, refusal: null, refusedTimes: 0, notBefore: 0 })
      return token
    } catch (error) {
      if (error instanceof Refusal) {
        this.#pause.note(tenantId, error, this.#means.now())
        backOff(holding, error, this.#means.now())
      }
      throw error
    }
  }

  #lasts(token: AppToken | null, ms: number): token is AppToken {
    return token !== null && token.expiresAt.getTime() - this.#means.now().getTime() > ms
  }
}

const isPassing = ({ code }: Refusal) => code === 'throttled' || code === 'unavailable' || code === 'unexpected-answer'

function backOff(holding: Holding, refusal: Refusal, now: Date): void {
  if (refusal.code === 'unavailable') return
  // A definite no also ends the token at hand: it would outlive a revoked consent by an hour.
  if (!isPassing(refusal)) holding.token = null
  holding.refusal = refusal
  holding.refusedTimes++
  const usual = Math.min(firstBackOffMs * 2 ** (holding.refusedTimes - 1), longestBackOffMs)
  holding.notBefore = now.getTime() + (refusal.retryAfterMs ?? usual)
}

interface TokenRequest {
  registration: Registration
  tenantId: string
  resource: string
  repeatable: boolean
}

/**
 * One token from Microsoft, looked at before it is believed: it is there, it is of this tenant, it is ours.
 * @throws Refusal
 */
export const acquireToken = (means: Means, asked: TokenRequest): Promise<AppToken> =>
  means.order.attempt(asked.registration, (credential) => acquireWith(means, asked, credential))

/** A token for one credential alone. @throws Refusal */
export async function acquireWith(
  { config, send, now }: Pick<Means, 'config' | 'send' | 'now'>,
  { registration, tenantId, resource, repeatable }: TokenRequest,
  credential: Credential,
): Promise<AppToken> {
  const network = new MsalNetwork({ send, authorityHost: config.authorityHost, now, repeatable })
  const started = Date.now()
  const { clientId } = registration
  const client = msalClient({ clientId, credential }, msalAuthority(config.authorityHost, tenantId), network)
  const result = await client
    .acquireTokenByClientCredential({ scopes: [`${resource}/.default`], skipCache: true })
    .catch((error: unknown) => {
      throw network.refusal ?? error
    })
  const at = now().toISOString()
  // MSAL takes a 200 without a token for success.
  if (!result?.accessToken) throw new Refusal('unexpected-answer', { at, status: 200, error: 'no_access_token' })
  const claims = readClaims(result.accessToken)
  const issuer = claims && findGuid(claims.iss ?? '')
  if (claims && (claims.tid !== tenantId || (issuer && issuer !== tenantId))) {
    throw new Refusal('wrong-tenant-token', { at })
  }
  if (claims && claims.appid !== '' && claims.appid !== clientId) {
    throw new Refusal('unexpected-answer', { at, error: 'token_of_another_app' })
  }
  // MSAL counts in the machine's time; the portal decides by its own.
  const life = Math.min((result.expiresOn?.getTime() ?? started) - started, longestLifeMs)
  return {
    value: result.accessToken,
    expiresAt: new Date(now().getTime() + Math.max(0, life)),
    claims: claims && withoutIssuer(claims),
  }
}

const withoutIssuer = ({ iss: _, ...claims }: TokenClaims & { iss: string | null }): TokenClaims => claims

const textIn = (claim: unknown) => (typeof claim === 'string' ? claim : null)

/**
 * What stands in a token, unverified: it is opaque to its bearer and its signature is for the resource alone. Null when
 * it is not a JWT that names a tenant. https://learn.microsoft.com/entra/identity-platform/access-tokens
 */
function readClaims(token: string): (TokenClaims & { iss: string | null }) | null {
  const [, payload, signature] = token.split('.')
  if (payload === undefined || signature === undefined) return null
  let claims: Record<string, unknown>
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    if (typeof value !== 'object' || value === null) return null
    claims = value as Record<string, unknown>
  } catch {
    return null
  }
  if (typeof claims.tid !== 'string') return null
  return {
    tid: claims.tid.toLowerCase(),
    appid: (textIn(claims.appid) ?? textIn(claims.azp) ?? '').toLowerCase(),
    roles: Array.isArray(claims.roles) ? claims.roles.filter((role) => typeof role === 'string').slice(0, 200) : [],
    aud: textIn(claims.aud),
    iss: textIn(claims.iss),
    issuedAt: instantOf(claims.iat),
    expiresAt: instantOf(claims.exp),
  }
}

function instantOf(seconds: unknown): string | null {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || Math.abs(seconds) > 8.64e12) return null
  return new Date(seconds * 1000).toISOString()
}
