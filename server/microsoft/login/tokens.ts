import { LRUCache } from 'lru-cache'
import type { Config } from '../../config/config.ts'
import type { Registration } from '../../config/credentials.ts'
import type { TokenClaims } from '../../model/access.ts'
import { Refusal } from '../../model/refusal.ts'
import type { AppToken } from '../microsoft.ts'
import type { Send } from '../wire/http.ts'
import { requireTenantId } from '../wire/tenant-id.ts'
import { msalClient } from './credentials.ts'
import { MsalNetwork, msalAuthority } from './msal-network.ts'

/** App-only tokens, kept in memory alone, each under the tenant it was issued for. */
export interface Tokens {
  /** The token at hand, or a new one; callers at the same moment share one request. @throws Refusal */
  get(tenantId: string, resource: string): Promise<AppToken>
  /** After an API refused `refused`: another token, unless one has arrived meanwhile. @throws Refusal */
  renew(tenantId: string, resource: string, refused: AppToken): Promise<AppToken>
  /** A token fresh from Microsoft, whatever was said before: for proofs. Ends a back-off when it succeeds. @throws Refusal */
  prove(tenantId: string, resource: string): Promise<AppToken>
  forget(tenantId: string): void
}

interface Holding {
  token: AppToken | null
  pending: Promise<AppToken> | null
  refusal: Refusal | null
  refusedTimes: number
  notBefore: number
}

const mostTenants = 10_000
/** A token this close to its end is renewed, so that it does not expire on the way. */
const marginMs = 5 * 60_000
const longestLifeMs = 24 * 60 * 60_000
const firstBackOffMs = 30_000
const longestBackOffMs = 10 * 60_000

/**
 * MSAL makes the request; what came of it is kept here. It has no single flight, slows down with every tenant it
 * remembers, and after a 429 refuses for a minute even while it holds a good token; so each request has a client of its
 * own, which is forgotten with it.
 */
export function keepTokens({ config, send, now }: { config: Config; send: Send; now: () => Date }): Tokens {
  const holdings = new LRUCache<string, Holding>({ max: mostTenants })

  const holdingOf = (tenantId: string, resource: string): Holding => {
    const key = `${tenantId} ${resource}`
    const held = holdings.get(key)
    if (held) return held
    const holding: Holding = { token: null, pending: null, refusal: null, refusedTimes: 0, notBefore: 0 }
    holdings.set(key, holding)
    return holding
  }

  const request = async (
    tenantId: string,
    resource: string,
    holding: Holding,
    repeatable: boolean,
  ): Promise<AppToken> => {
    try {
      const token = await acquireToken(
        { config, send, now },
        { registration: config.app, tenantId, resource, repeatable },
      )
      Object.assign(holding, { token, refusal: null, refusedTimes: 0, notBefore: 0 })
      return token
    } catch (error) {
      if (error instanceof Refusal) backOff(holding, error, now())
      throw error
    }
  }

  const shared = (tenantId: string, resource: string, holding: Holding): Promise<AppToken> => {
    holding.pending ??= request(tenantId, resource, holding, true).finally(() => {
      holding.pending = null
    })
    return holding.pending
  }

  const lasts = (token: AppToken | null, ms: number): token is AppToken =>
    token !== null && token.expiresAt.getTime() - now().getTime() > ms

  return {
    async get(tenant, resource) {
      const tenantId = requireTenantId(tenant, now())
      const holding = holdingOf(tenantId, resource)
      if (lasts(holding.token, marginMs)) return holding.token
      const { token } = holding
      if (holding.refusal && now().getTime() < holding.notBefore) {
        if (lasts(token, 0)) return token
        throw holding.refusal
      }
      try {
        return await shared(tenantId, resource, holding)
      } catch (error) {
        // Microsoft being slow or away says nothing against the token at hand.
        if (lasts(token, 0) && error instanceof Refusal && isPassing(error)) return token
        throw error
      }
    },
    async renew(tenant, resource, refused) {
      const tenantId = requireTenantId(tenant, now())
      const holding = holdingOf(tenantId, resource)
      if (holding.token?.value === refused.value) holding.token = null
      return lasts(holding.token, 0) ? holding.token : shared(tenantId, resource, holding)
    },
    async prove(tenant, resource) {
      const tenantId = requireTenantId(tenant, now())
      return request(tenantId, resource, holdingOf(tenantId, resource), false)
    },
    forget(tenantId) {
      for (const key of holdings.keys()) if (key.startsWith(`${tenantId.toLowerCase()} `)) holdings.delete(key)
    },
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

/**
 * One token from Microsoft, looked at before it is believed: it is there, it is of this tenant, it is ours.
 * @throws Refusal
 */
export async function acquireToken(
  { config, send, now }: { config: Config; send: Send; now: () => Date },
  {
    registration,
    tenantId,
    resource,
    repeatable,
  }: { registration: Registration; tenantId: string; resource: string; repeatable: boolean },
): Promise<AppToken> {
  const network = new MsalNetwork({ send, authorityHost: config.authorityHost, now, repeatable })
  const started = Date.now()
  const client = msalClient(registration, msalAuthority(config.authorityHost, tenantId), network)
  const result = await client
    .acquireTokenByClientCredential({ scopes: [`${resource}/.default`], skipCache: true })
    .catch((error: unknown) => {
      throw network.refusal ?? error
    })
  const at = now().toISOString()
  // MSAL takes a 200 without a token for success.
  if (!result?.accessToken) throw new Refusal('unexpected-answer', { at, status: 200, error: 'no_access_token' })
  const claims = readClaims(result.accessToken)
  const issuer = claims && /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(claims.iss ?? '')?.[0].toLowerCase()
  if (claims && (claims.tid !== tenantId || (issuer && issuer !== tenantId))) {
    throw new Refusal('wrong-tenant-token', { at })
  }
  if (claims && claims.appid !== '' && claims.appid !== registration.clientId) {
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
