import { AuthError, ClientConfigurationError } from '@azure/msal-node'
import { createRemoteJWKSet, customFetch, decodeJwt, errors, jwtVerify, type RemoteJWKSet } from 'jose'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Config } from '../../config/config.ts'
import type { Credential } from '../../config/credentials.ts'
import type { SignedInPerson } from '../../model/access.ts'
import { findEntry } from '../../model/dictionary.ts'
import { Refusal } from '../../model/refusal.ts'
import type { SignInCode, SignInPurpose, SignInRequest } from '../microsoft.ts'
import { redirectUris, withQuery } from '../wire/addresses.ts'
import type { Send } from '../wire/http.ts'
import { requireTenantId, tenantIdOf } from '../wire/tenant-id.ts'
import { type CredentialOrder, msalClient } from './credentials.ts'
import type { Discovery } from './discovery.ts'
import { MsalNetwork, msalAuthority } from './msal-network.ts'

export interface SignIn {
  url(request: SignInRequest): string
  redeem(request: SignInCode): Promise<SignedInPerson>
}

interface Wiring {
  config: Config
  discovery: Discovery
  order: CredentialOrder
  send: Send
  now: () => Date
}

const toleranceSeconds = 60

/**
 * Sign-in by authorization code with PKCE.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 */
export function signInWith(wiring: Wiring): SignIn {
  const { config, now } = wiring
  const keySets = new LRUCache<string, RemoteJWKSet>({ max: 100 })
  return {
    url: ({ purpose, tenantId, state, nonce, codeChallenge, prompt, loginHint }) =>
      withQuery(
        `${config.authorityHost}/${authorityTenant(config, { purpose, tenantId }, now())}/oauth2/v2.0/authorize`,
        {
          client_id: registrationFor(config, purpose).clientId,
          response_type: 'code',
          redirect_uri: redirectFor(config, purpose),
          response_mode: 'query',
          scope: 'openid profile',
          state,
          nonce,
          code_challenge: codeChallenge,
          code_challenge_method: 'S256',
          prompt: prompt ?? undefined,
          login_hint: loginHint,
        },
      ),
    async redeem(request) {
      const registration = registrationFor(config, request.purpose)
      // A code is spent only by whoever has shown who he is.
      const idToken = await wiring.order.attempt(registration, (credential) =>
        redeemCode(wiring, request, { clientId: registration.clientId, credential }),
      )
      return verifyIdToken(idToken, request, wiring, keySets)
    },
  }
}

const registrationFor = (config: Config, purpose: SignInPurpose) =>
  purpose === 'operator' ? config.signIn : config.app

/** Customers come back where consents do: the one address that the app they consented to is sure to have. */
const redirectFor = (config: Config, purpose: SignInPurpose) =>
  purpose === 'operator' ? redirectUris(config).signIn : redirectUris(config).consent

/** Operators sign in at the partner's own tenant, never at one that a request names. */
function authorityTenant(config: Config, request: Pick<SignInRequest, 'purpose' | 'tenantId'>, now: Date): string {
  if (request.purpose === 'operator') return config.partnerTenantId
  return request.tenantId === null ? 'organizations' : requireTenantId(request.tenantId, now)
}

async function redeemCode(
  { config, send, now }: Wiring,
  request: SignInCode,
  app: { clientId: string; credential: Credential },
): Promise<string> {
  const tenant = authorityTenant(config, request, now())
  const network = new MsalNetwork({
    send: askingNoMore(send),
    authorityHost: config.authorityHost,
    now,
    repeatable: false,
  })
  const client = msalClient(app, msalAuthority(config.authorityHost, tenant), network)
  const result = await client
    .acquireTokenByCode(
      {
        code: request.code,
        codeVerifier: request.codeVerifier,
        redirectUri: redirectFor(config, request.purpose),
        scopes: ['openid', 'profile'],
        nonce: request.nonce,
      },
      // Without this MSAL compares the nonce with nothing, and refuses every token that has one.
      { code: request.code },
    )
    .catch((error: unknown) => {
      if (network.refusal) throw asSignIn(network.refusal)
      // MSAL's own objections to an answer; any other error is a fault of ours.
      throw error instanceof AuthError && !(error instanceof ClientConfigurationError)
        ? invalid(now(), 'not_redeemed', error)
        : error
    })
  if (!result.idToken) throw invalid(now(), 'no_id_token')
  return result.idToken
}

/** MSAL adds `offline_access` by itself: a refresh token is neither wanted nor consented to. */
function askingNoMore(send: Send): Send {
  return (request) => {
    if (request.body === undefined) return send(request)
    const body = new URLSearchParams(request.body)
    body.set('scope', 'openid profile')
    return send({ ...request, body: body.toString() })
  }
}

/** `invalid_grant` here is about the code, unless its number tells of something else: a sign-in to start again. */
function asSignIn(refusal: Refusal): Refusal {
  if (refusal.code === 'not-consented') return new Refusal('interaction-required', refusal.facts)
  const hasEntry = findEntry(refusal.facts.aadsts) !== null
  if (refusal.code !== 'unexpected-answer' || refusal.facts.error !== 'invalid_grant' || hasEntry) return refusal
  return new Refusal('sign-in-invalid', refusal.facts)
}

const person = z.object({
  tid: z.string(),
  oid: z.string().min(1).max(100),
  nonce: z.string(),
  name: z.string().max(500).nullish().catch(null),
  preferred_username: z.string().max(500).nullish().catch(null),
  roles: z.array(z.string().max(200)).max(200).nullish().catch(null),
  wids: z.array(z.string().max(100)).max(1_000).nullish().catch(null),
  idp: z.string().nullish().catch(null),
  acct: z.union([z.number(), z.string()]).nullish().catch(null),
})

/**
 * Every check that MSAL leaves out: signature by a key of the authority, issuer as that tenant's own configuration names
 * it, audience, tenant, time and nonce. Keys named inside the token (`jku`, `x5u`, `jwk`) are never looked at.
 * https://learn.microsoft.com/entra/identity-platform/claims-validation
 * @throws Refusal `sign-in-invalid`; what discovery or the keys' address refuse
 */
async function verifyIdToken(
  idToken: string,
  request: SignInCode,
  { config, discovery, send, now }: Wiring,
  keySets: LRUCache<string, RemoteJWKSet>,
): Promise<SignedInPerson> {
  const tid = tenantNamedIn(idToken)
  if (tid === null) throw invalid(now(), 'no_tenant')
  const expected = request.purpose === 'operator' ? config.partnerTenantId : (request.tenantId?.toLowerCase() ?? null)
  if (expected !== null && tid !== expected) throw invalid(now(), 'other_tenant')
  const configuration = await discovery.configuration(tid)
  if (configuration === null || configuration.tenantId !== tid) throw invalid(now(), 'unknown_tenant')
  const keys = keySetAt(configuration.jwksUri, { send, now }, keySets)
  let verified = false
  try {
    const { payload } = await jwtVerify(idToken, keys, {
      algorithms: ['RS256'],
      issuer: configuration.issuer,
      audience: registrationFor(config, request.purpose).clientId,
      clockTolerance: toleranceSeconds,
      currentDate: now(),
      requiredClaims: ['iss', 'aud', 'exp', 'iat', 'tid', 'oid', 'nonce'],
    })
    const claims = person.parse(payload)
    // What goes wrong from here on is none of the token's.
    verified = true
    if (typeof payload.aud !== 'string') throw invalid(now(), 'several_audiences')
    if (typeof payload.iat !== 'number' || payload.iat > now().getTime() / 1000 + toleranceSeconds) {
      throw invalid(now(), 'issued_in_the_future')
    }
    // MSAL compares it too; it is one of the two checks it makes, and not relied upon.
    if (claims.nonce !== request.nonce) throw invalid(now(), 'nonce')
    return {
      tid,
      oid: claims.oid.toLowerCase(),
      name: claims.name ?? null,
      username: claims.preferred_username ?? null,
      // A customer's administrator can hand out our app roles in his own tenant.
      roles: tid === config.partnerTenantId ? (claims.roles ?? []) : [],
      directoryRoles: claims.wids?.length ? claims.wids.map((role) => role.toLowerCase()) : null,
      guest: isGuest(claims, tid),
    }
  } catch (error) {
    if (error instanceof Refusal) throw error
    if (error instanceof errors.JWKSInvalid || error instanceof errors.JWKSTimeout) {
      throw new Refusal('unexpected-answer', { at: now().toISOString(), error: 'no_keys' }, { cause: error })
    }
    if (error instanceof errors.JOSEError) throw invalid(now(), error.code.toLowerCase(), error)
    throw verified ? error : invalid(now(), 'claims', error)
  }
}

function tenantNamedIn(idToken: string): string | null {
  try {
    return tenantIdOf(decodeJwt(idToken).tid)
  } catch {
    return null
  }
}

/** https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference: `idp` differs from `iss` for guests. */
function isGuest(claims: z.infer<typeof person>, tid: string): boolean {
  if (String(claims.acct ?? '') === '1') return true
  if (claims.preferred_username?.toLowerCase().includes('#ext#')) return true
  return typeof claims.idp === 'string' && !claims.idp.toLowerCase().includes(tid)
}

const keyDeadlineMs = 10_000
const keyLimitBytes = 500_000

/** The keys at one pinned address, read through the same limits as everything else; an unknown key reads them anew. */
function keySetAt(
  address: string,
  { send, now }: { send: Send; now: () => Date },
  keySets: LRUCache<string, RemoteJWKSet>,
): RemoteJWKSet {
  const keySet = keySets.get(address)
  if (keySet) return keySet
  const keys = createRemoteJWKSet(new URL(address), {
    timeoutDuration: keyDeadlineMs,
    cooldownDuration: 0,
    [customFetch]: async (url) => {
      const answer = await send({ url, deadlineMs: keyDeadlineMs, limitBytes: keyLimitBytes, tries: 3 })
      if (answer.status !== 200) {
        throw new Refusal('unavailable', { at: now().toISOString(), status: answer.status, error: 'no_keys' })
      }
      return new Response(answer.text, { headers: { 'content-type': 'application/json' } })
    },
  })
  keySets.set(address, keys)
  return keys
}

function invalid(now: Date, error: string, cause?: unknown): Refusal {
  return new Refusal('sign-in-invalid', { at: now.toISOString(), error }, cause === undefined ? {} : { cause })
}
