import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { cloudOf } from '../../config/clouds.ts'
import type { NamedTenant } from '../../model/access.ts'
import { Refusal } from '../../model/refusal.ts'
import type { Send } from '../wire/http.ts'
import { objectIn, readTokenRefusal } from '../wire/read-refusal.ts'
import { tenantIdOf } from '../wire/tenant-id.ts'
import { readTenantName } from '../wire/tenant-name.ts'

/** What the authority says of one tenant. Every address in it is on the authority's own ground. */
interface OpenIdConfiguration {
  tenantId: string
  issuer: string
  jwksUri: string
  region: string | null
}

export interface Discovery {
  /** By tenant ID or domain; null when Microsoft knows no such tenant. @throws Refusal */
  configuration(tenant: string): Promise<OpenIdConfiguration | null>
}

const document = z.object({
  issuer: z.string().max(500),
  jwks_uri: z.string().max(500),
  tenant_region_scope: z.string().max(20).nullish().catch(null),
})

const keptMs = 10 * 60_000
const limitBytes = 200_000
const deadlineMs = 10_000

/** https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#find-your-apps-openid-configuration-document-uri */
export function discoverFrom(authorityHost: string, { send, now }: { send: Send; now: () => Date }): Discovery {
  const cache = new LRUCache<string, { configuration: OpenIdConfiguration; readAt: number }>({ max: 5_000 })
  return {
    async configuration(tenant) {
      const entry = cache.get(tenant)
      const age = entry ? now().getTime() - entry.readAt : Number.POSITIVE_INFINITY
      if (entry && age >= 0 && age < keptMs) return entry.configuration
      const answer = await send({
        url: `${authorityHost}/${encodeURIComponent(tenant)}/v2.0/.well-known/openid-configuration`,
        deadlineMs,
        limitBytes,
        tries: 3,
      })
      if (answer.status !== 200) {
        const refusal = readTokenRefusal(answer, now())
        // 900023: neither a tenant ID nor a domain that Microsoft could hold.
        const unknown = refusal.code === 'tenant-gone' || refusal.facts.aadsts === 900023
        if (unknown && answer.status < 500) return null
        throw refusal
      }
      const configuration = read(answer.text, authorityHost, now())
      if (configuration === null) return null
      cache.set(tenant, { configuration, readAt: now().getTime() })
      return configuration
    },
  }
}

function read(text: string, authorityHost: string, now: Date): OpenIdConfiguration | null {
  const unexpected = (error: string) => new Refusal('unexpected-answer', { at: now.toISOString(), status: 200, error })
  const parsed = document.safeParse(objectIn(text))
  if (!parsed.success) throw unexpected('not_an_openid_configuration')
  const { issuer, jwks_uri: jwksUri, tenant_region_scope: region } = parsed.data
  if (!onOwnGround(issuer, authorityHost)) {
    if (isOtherCloud(issuer, authorityHost)) throw new Refusal('other-cloud', { at: now.toISOString() })
    throw unexpected('foreign_issuer')
  }
  if (!onOwnGround(jwksUri, authorityHost)) throw unexpected('foreign_keys')
  const segment = new URL(issuer).pathname.split('/')[1]
  const tenantId = tenantIdOf(segment)
  return tenantId === null ? null : { tenantId, issuer, jwksUri, region: region ?? null }
}

/** On the authority's own origin, or for one of Microsoft's clouds on another login host of the same cloud. */
function onOwnGround(address: string, authorityHost: string): boolean {
  if (!URL.canParse(address)) return false
  const { origin, username, password } = new URL(address)
  if (username !== '' || password !== '') return false
  const cloud = cloudOf(authorityHost)
  return origin === authorityHost || (cloud !== undefined && cloudOf(origin) === cloud)
}

function isOtherCloud(address: string, authorityHost: string): boolean {
  return cloudOf(authorityHost) !== undefined && URL.canParse(address) && cloudOf(new URL(address).origin) !== undefined
}

/**
 * The tenant behind a typed name, in any of the forms that `readTenantName` reads.
 * Null for anything else, and where Microsoft knows no tenant.
 */
export async function findTenant(discovery: Discovery, typed: string): Promise<NamedTenant | null> {
  const name = readTenantName(typed)
  if (name === null) return null
  const configuration = await discovery.configuration(name.id ?? name.domain)
  if (configuration === null || (name.id !== null && configuration.tenantId !== name.id)) return null
  return { tenantId: configuration.tenantId, region: configuration.region, domain: name.domain }
}
