import { type Request, type Response, Router } from 'express'
import { isGuid } from '../../guid.ts'
import { correlationOf, sendJson, weathered } from '../apis/answers.ts'
import type { SimulatorParts } from '../parts.ts'
import type { Tenant } from '../world/directory.ts'
import { type LoginRefusal, refusalBody, tenantMalformed, tenantNotFound, traceOf } from './refusals.ts'

/** What the first segment of a login path names. */
export type Authority =
  | { kind: 'tenant'; tenant: Tenant }
  | { kind: 'any'; name: 'common' | 'organizations' }
  | { kind: 'refused'; refusal: LoginRefusal }

export function authorityOf(parts: SimulatorParts, named: string): Authority {
  if (named === 'common' || named === 'organizations') return { kind: 'any', name: named }
  const tenant = parts.world.find(named)
  if (tenant && !tenant.deleted) return { kind: 'tenant', tenant }
  const wellFormed = isGuid(named) || /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(named)
  return { kind: 'refused', refusal: wellFormed ? tenantNotFound(named) : tenantMalformed(named) }
}

/** OpenID configuration, signing keys and instance discovery. */
export function discoveryRoutes(parts: SimulatorParts): Router {
  const routes = Router()
  routes.get('/:tenant/v2.0/.well-known/openid-configuration', (req, res) => configuration(parts, req, res, 2))
  routes.get('/:tenant/.well-known/openid-configuration', (req, res) => configuration(parts, req, res, 1))
  routes.get(['/:tenant/discovery/v2.0/keys', '/:tenant/discovery/keys'], async (req, res) => {
    const authority = authorityOf(parts, String(req.params.tenant))
    if (await weathered(parts, req, res, 'discovery', tenantIdOf(authority))) return
    if (authority.kind === 'refused') return sendNotFound(parts, req, res, String(req.params.tenant))
    res.set('Cache-Control', 'max-age=86400, private')
    await sendJson(res, 200, parts.keys.jwks(issuerOf(parts, tenantIdOf(authority) ?? '{tenantid}', 2)))
  })
  routes.get('/common/discovery/instance', async (_req, res) => {
    await sendJson(res, 200, {
      tenant_discovery_endpoint: `${parts.origin}/organizations/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [
        {
          preferred_network: new URL(parts.origin).host,
          preferred_cache: new URL(parts.origin).host,
          aliases: [new URL(parts.origin).host],
        },
      ],
    })
  })
  return routes
}

/** Issuer of ID tokens: on the simulator's own origin, as Microsoft's is on its own. */
export function issuerOf(parts: SimulatorParts, tenantId: string, version: 1 | 2): string {
  return version === 2 ? `${parts.origin}/${tenantId}/v2.0` : `${parts.origin}/${tenantId}/`
}

export function tenantIdOf(authority: Authority): string | null {
  return authority.kind === 'tenant' ? authority.tenant.id : null
}

async function configuration(parts: SimulatorParts, req: Request, res: Response, version: 1 | 2): Promise<void> {
  const name = String(req.params.tenant)
  const authority = authorityOf(parts, name)
  if (await weathered(parts, req, res, 'discovery', tenantIdOf(authority))) return
  if (authority.kind === 'refused') return sendNotFound(parts, req, res, name)
  const tenantId = tenantIdOf(authority)
  const base = `${parts.origin}/${tenantId ?? name}`
  const protocol = version === 2 ? 'oauth2/v2.0' : 'oauth2'
  res.set({ 'Cache-Control': 'max-age=86400, private', 'Access-Control-Allow-Origin': '*' })
  await sendJson(res, 200, {
    token_endpoint: `${base}/${protocol}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${base}/discovery/${version === 2 ? 'v2.0/keys' : 'keys'}`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: issuerOf(parts, tenantId ?? '{tenantid}', version),
    request_uri_parameter_supported: false,
    userinfo_endpoint: `${parts.origin}/oidc/userinfo`,
    authorization_endpoint: `${base}/${protocol}/authorize`,
    device_authorization_endpoint: `${base}/${protocol}/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${base}/${protocol}/logout`,
    claims_supported: [
      ...['sub', 'iss', 'cloud_instance_name', 'cloud_instance_host_name', 'cloud_graph_host_name', 'msgraph_host'],
      ...['aud', 'exp', 'iat', 'auth_time', 'acr', 'nonce', 'preferred_username', 'name', 'tid', 'ver', 'at_hash'],
      ...['c_hash', 'email'],
    ],
    kerberos_endpoint: `${base}/kerberos`,
    tenant_region_scope: authority.kind === 'tenant' ? authority.tenant.region : null,
    cloud_instance_name: 'microsoftonline.com',
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: 'graph.microsoft.com',
    rbac_url: 'https://pas.windows.net',
  })
}

/** Here an unknown tenant is `invalid_tenant`; the token endpoint says `invalid_request` for the same number. */
async function sendNotFound(parts: SimulatorParts, req: Request, res: Response, name: string): Promise<void> {
  const refusal = { ...tenantNotFound(name), error: 'invalid_tenant' }
  res.set('Cache-Control', 'max-age=86400, private')
  const trace = traceOf(parts.world, correlationOf(req))
  await sendJson(res, 400, refusalBody(parts.world, refusal, trace, parts.origin))
}
