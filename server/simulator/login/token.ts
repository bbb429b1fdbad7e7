import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { type Request, type Response, Router } from 'express'
import { loginHeaders, passageOf, sendJson, sendRefusal, weathered } from '../apis/answers.ts'
import type { SimulatorParts } from '../parts.ts'
import { directoryRolesOf, type EnterpriseApp, type Person, type Tenant } from '../world/directory.ts'
import { fieldsOf, type ProvenClient, proveClient } from './credentials.ts'
import { type Authority, authorityOf, issuerOf, tenantIdOf } from './discovery.ts'
import {
  appDisabled,
  appNotFound,
  blockedByPolicy,
  type LoginRefusal,
  noServicePrincipal,
  parameterMissing,
  refusalOf,
  resourceNotFound,
  scopeInvalid,
} from './refusals.ts'
import { endpointResource, type Resource, resources, type SimulatorRegistration } from './registration.ts'
import type { Grant } from './sessions.ts'

/** Token endpoints, current and v1: client credentials and authorization codes. */
export function tokenRoutes(parts: SimulatorParts): Router {
  const routes = Router()
  routes.post('/:tenant/oauth2/v2.0/token', (req, res) => token(parts, req, res, 2))
  routes.post('/:tenant/oauth2/token', (req, res) => token(parts, req, res, 1))
  return routes
}

async function token(parts: SimulatorParts, req: Request, res: Response, version: 1 | 2): Promise<void> {
  const name = String(req.params.tenant)
  const authority = authorityOf(parts, name)
  if (await weathered(parts, req, res, 'token', tenantIdOf(authority))) return
  const answer = await tokenAnswer(parts, req, authority, version)
  if ('error' in answer) return sendRefusal(parts, req, res, answer)
  loginHeaders(res)
  await sendJson(res, 200, answer.body)
}

async function tokenAnswer(
  parts: SimulatorParts,
  req: Request,
  authority: Authority,
  version: 1 | 2,
): Promise<{ body: Record<string, unknown> } | LoginRefusal> {
  if (authority.kind === 'refused') return authority.refusal
  const fields = fieldsOf(req)
  if (!fields.grant_type) return parameterMissing('grant_type')
  const client = await proveClient(
    parts,
    req,
    authority.kind === 'tenant' ? authority.tenant.displayName : authority.name,
  )
  if ('error' in client) return client
  if (fields.grant_type === 'authorization_code') return redeem(parts, fields, client, authority, version)
  if (fields.grant_type !== 'client_credentials') return refusalOf(70003)
  if (authority.kind === 'any') return refusalOf(9001023)
  return clientCredentials(parts, req, fields, client, authority.tenant, version)
}

async function clientCredentials(
  parts: SimulatorParts,
  req: Request,
  fields: Record<string, string>,
  client: ProvenClient,
  tenant: Tenant,
  version: 1 | 2,
): Promise<{ body: Record<string, unknown> } | LoginRefusal> {
  const name = version === 2 ? fields.scope : fields.resource
  if (!name) return parameterMissing(version === 2 ? 'scope' : 'resource')
  if (version === 2 && (!name.endsWith('/.default') || /\s/.test(name.trim()))) return scopeInvalid(name)
  const identifier = version === 2 ? name.slice(0, -'/.default'.length) : name

  const app = admitted(parts, client, tenant)
  if ('error' in app) return app
  const resource = resourceNamed(identifier)
  if (!resource || (resource === 'mtp' && !tenant.licensed)) return resourceNotFound(identifier, tenant.displayName)

  const oddities = parts.world.sky.token(passageOf(req, 'token', tenant.id))
  const audience = audienceOf(parts, resource, identifier)
  const claims = appClaims(parts, client, tenant, { app, resource, audience, oddities })
  const { exp, iat, nbf, roles = [] } = claims
  const accessToken = oddities.has('opaque-token')
    ? parts.keys.conceal({ ...claims, roles, scp: null })
    : await parts.keys.sign(claims)
  const lifetime = exp - iat
  const text = version === 1 || oddities.has('string-expires-in')
  const number = (value: number) => (text ? String(value) : value)
  return {
    body: {
      token_type: 'Bearer',
      expires_in: number(lifetime),
      ext_expires_in: number(lifetime),
      ...(oddities.has('refresh-in') ? { refresh_in: number(Math.floor(lifetime / 2)) } : {}),
      ...(version === 1 ? { expires_on: String(exp), not_before: String(nbf), resource: identifier } : {}),
      ...(oddities.has('no-access-token') ? {} : { access_token: accessToken }),
    },
  }
}

/** What an app-only token says: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference */
function appClaims(
  { world }: SimulatorParts,
  client: ProvenClient,
  tenant: Tenant,
  of: {
    app: EnterpriseApp
    resource: Resource | 'endpoint'
    audience: string
    oddities: ReturnType<SimulatorParts['world']['sky']['token']>
  },
) {
  const { app, resource, audience, oddities } = of
  const now = world.clock.now()
  const granted = app.grants.filter((grant) => grant.resource === resource && grant.visibleAt <= now)
  const names = granted.map(({ role }) =>
    oddities.has('plural-roles') ? role.replace(/^Incident\./, 'Incidents.') : role,
  )
  const roles = oddities.has('no-roles') ? [] : names
  const lifetime = world.behaviour.tokenLifetime ?? 3599 + Math.floor(Math.random() * 1801)
  const seconds = Math.floor(now / 1000)
  const tid = oddities.has('wrong-tid') ? randomUUID() : tenant.id
  return {
    aud: oddities.has('wrong-audience') ? 'https://api.securitycenter.windows.com/' : audience,
    iss: `https://sts.windows.net/${tid}/`,
    iat: seconds,
    nbf: seconds,
    exp: seconds + lifetime,
    aio: `k2Rg${randomBytes(18).toString('base64url')}`,
    appid: client.registration.clientId,
    appidacr: client.strength,
    idp: `https://sts.windows.net/${tid}/`,
    oid: app.objectId,
    rh: `1.A${randomBytes(24).toString('base64url')}.`,
    ...(roles.length > 0 ? { roles } : {}),
    sub: app.objectId,
    tid,
    uti: randomBytes(16).toString('base64url'),
    ver: '1.0',
  }
}

/** The app as this tenant knows it, unless the tenant has a reason to refuse it. */
function admitted(parts: SimulatorParts, client: ProvenClient, tenant: Tenant): EnterpriseApp | LoginRefusal {
  const { registration } = client
  const { world } = parts
  if (registration.audience === 'single' && registration.homeTenantId.toLowerCase() !== tenant.id) {
    return appNotFound(registration.clientId, tenant.displayName)
  }
  const app = tenant.apps.get(registration.clientId.toLowerCase())
  if (!app || app.knownAt > world.clock.now()) {
    return world.behaviour.notConsentedCode === 700016
      ? appNotFound(registration.clientId, tenant.displayName)
      : noServicePrincipal(registration.clientId, tenant.id)
  }
  if (!app.enabled) return appDisabled(registration.clientId, registration.displayName)
  if (tenant.blockedBy !== null) return blockedByPolicy(tenant.blockedBy)
  return app
}

function resourceNamed(identifier: string): Resource | 'endpoint' | null {
  const bare = identifier.toLowerCase().replace(/\/$/, '')
  if (resources.mtp.identifiers.includes(bare)) return 'mtp'
  if (resources.graph.identifiers.includes(bare)) return 'graph'
  return endpointResource.identifiers.includes(bare) || bare === endpointResource.appId ? 'endpoint' : null
}

function audienceOf(parts: SimulatorParts, resource: Resource | 'endpoint', identifier: string): string {
  if (resource !== 'mtp') return identifier
  const { defenderAudience } = parts.world.behaviour
  if (defenderAudience === 'appId') return resources.mtp.appId
  return defenderAudience === 'slash' ? 'https://api.security.microsoft.com/' : identifier
}

/** RFC 6749 section 4.1.3 and RFC 7636 section 4.6, with Microsoft's numbers. */
async function redeem(
  parts: SimulatorParts,
  fields: Record<string, string>,
  client: ProvenClient,
  authority: Authority,
  version: 1 | 2,
): Promise<{ body: Record<string, unknown> } | LoginRefusal> {
  const { registration } = client
  if (!fields.code) return parameterMissing('code')
  const grant = parts.sessions.grant(fields.code)
  if (!grant || grant.clientId !== registration.clientId) return refusalOf(70000)
  if (authority.kind === 'tenant' && authority.tenant.id !== grant.tenantId) return refusalOf(70000)
  if (grant.redeemed) return refusalOf(54005)
  if (grant.expiresAt <= parts.world.clock.now()) return refusalOf(70008)
  if ((fields.redirect_uri ?? grant.redirectUri) !== grant.redirectUri) return refusalOf(500112)
  if (!verifierFits(grant, fields.code_verifier)) return refusalOf(501481)
  const tenant = parts.world.find(grant.tenantId)
  const signedIn = parts.world.person(grant.personId)
  const account = tenant && signedIn ? parts.world.accountIn(signedIn, tenant) : undefined
  if (!tenant || !signedIn || !account) return refusalOf(70000)
  grant.redeemed = true
  return { body: await signInAnswer(parts, client, grant, tenant, account, signedIn, version) }
}

/** The setting may name several, separated by commas. */
const asksForRoles = ({ groupMembershipClaims }: SimulatorRegistration): boolean =>
  (groupMembershipClaims ?? '').split(',').some((one) => ['DirectoryRole', 'All'].includes(one.trim()))

function verifierFits(grant: Grant, verifier: string | undefined): boolean {
  if (grant.challenge === null) return verifier === undefined
  return verifier !== undefined && createHash('sha256').update(verifier).digest('base64url') === grant.challenge
}

async function signInAnswer(
  parts: SimulatorParts,
  client: ProvenClient,
  grant: Grant,
  tenant: Tenant,
  account: Person,
  signedIn: Person,
  version: 1 | 2,
): Promise<Record<string, unknown>> {
  const { registration } = client
  const now = Math.floor(parts.world.clock.now() / 1000)
  const sub = createHash('sha256').update(`${account.id}/${registration.clientId}`).digest('base64url')
  const roles = account.appRoles.filter((role) => registration.appRoles?.includes(role))
  const guest = account.home
  const common = {
    aud: registration.clientId,
    iss: issuerOf(parts, tenant.id, version),
    iat: now,
    nbf: now,
    exp: now + 3599,
    name: account.name,
    oid: account.id,
    sub,
    tid: tenant.id,
    uti: randomBytes(16).toString('base64url'),
    ...(grant.nonce === null ? {} : { nonce: grant.nonce }),
    ...(roles.length > 0 ? { roles } : {}),
    // `acct` is an optional claim (0 member, 1 guest); `idp` appears where the account lives elsewhere.
    acct: guest ? 1 : 0,
    ...(asksForRoles(registration) ? { wids: directoryRolesOf(account) } : {}),
    ...(guest ? { idp: `https://sts.windows.net/${guest.tenantId}/` } : {}),
  }
  const username = guest ? signedIn.username : account.username
  const idToken = await parts.keys.sign(
    version === 2
      ? { ...common, preferred_username: username, rh: `1.A${randomBytes(24).toString('base64url')}.`, ver: '2.0' }
      : { ...common, unique_name: username, upn: username, ver: '1.0' },
  )
  const scope = 'openid profile email'
  const accessToken = await parts.keys.sign({
    aud: resources.graph.appId,
    iss: `https://sts.windows.net/${tenant.id}/`,
    iat: now,
    nbf: now,
    exp: now + 3599,
    appid: registration.clientId,
    oid: account.id,
    scp: scope,
    sub,
    tid: tenant.id,
    ver: '1.0',
  })
  const number = (value: number) => (version === 1 ? String(value) : value)
  return {
    token_type: 'Bearer',
    scope,
    expires_in: number(3599),
    ext_expires_in: number(3599),
    access_token: accessToken,
    id_token: idToken,
    client_info: Buffer.from(JSON.stringify({ uid: signedIn.id, utid: signedIn.tenantId })).toString('base64url'),
  }
}
