import type { Config } from '../../config/config.ts'
import { isGuid } from '../../guid.ts'
import { Refusal } from '../../model/refusal.ts'
import type { CredentialOrder } from '../login/credentials.ts'
import { acquireToken } from '../login/tokens.ts'
import type { AppToken, RegisteredPermission, SecretEnd } from '../microsoft.ts'
import { graphResource, namesTenants, permissionIds, resourceFor, unexpectedRoles } from '../permissions.ts'
import type { Send } from '../wire/http.ts'
import { objectIn } from '../wire/read-refusal.ts'
import { isRecord } from '../wire/reading.ts'

interface Wiring {
  config: Config
  order: CredentialOrder
  send: Send
  now: () => Date
}

/** Roles with which an app may read registrations of its own tenant. */
const readers = ['Application.Read.All', 'Application.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All']
const mostPermissions = 400

/**
 * The customers' registration, read with the token of the sign-in registration, which customers never see.
 * https://learn.microsoft.com/graph/api/application-get
 * @returns null when there is no second registration, or its token does not carry a role that may read
 * @throws Refusal when Microsoft does not answer, or not with a registration
 */
export async function readApplication(
  wiring: Wiring,
  select: string,
): Promise<{ application: Record<string, unknown>; token: AppToken } | null> {
  const { config } = wiring
  const token = await tokenOfReader(wiring)
  if (token === null) return null
  const application = await get(wiring, token, `applications(appId='${config.app.clientId}')`, select)
  return application === null ? null : { application, token }
}

/** What the customers' registration asks for. @returns null where it may not be read @throws Refusal */
export async function readRegisteredPermissions(wiring: Wiring): Promise<RegisteredPermission[] | null> {
  const { now } = wiring
  const read = await readApplication(wiring, 'requiredResourceAccess')
  if (read === null) return null
  const { application, token } = read
  const access = entriesOf(application.requiredResourceAccess)
  if (access === null) throw new Refusal('unexpected-answer', { at: now().toISOString(), error: 'no_resource_access' })
  const names = new Map<string, string>(permissionIds)
  const unnamed = new Set(access.filter(({ id }) => !names.has(id)).map(({ resourceAppId }) => resourceAppId))
  for (const appId of unnamed) for (const [id, name] of await namesOf(wiring, token, appId)) names.set(id, name)
  return access.slice(0, mostPermissions).map(({ id, kind }) => ({ name: names.get(id) ?? id, kind }))
}

/** A token of the sign-in registration that may read registrations; null where there is none. @throws Refusal */
async function tokenOfReader(wiring: Wiring): Promise<AppToken | null> {
  const { config } = wiring
  if (config.signIn.clientId === config.app.clientId) return null
  const request = { tenantId: config.partnerTenantId, resource: graphResource(config).uri, repeatable: true }
  const token = await acquireToken(wiring, { ...request, registration: config.signIn })
  const mayRead = token.claims === null || token.claims.roles.some((role) => readers.includes(role))
  return mayRead ? token : null
}

/**
 * When the secrets of both registrations end, as Entra has them; of a secret itself only its first three characters come.
 * https://learn.microsoft.com/graph/api/resources/passwordcredential
 * @returns null when there is no second registration, or it may not read
 * @throws Refusal when Microsoft does not answer
 */
export async function readSecretEnds(wiring: Wiring): Promise<SecretEnd[] | null> {
  const { config } = wiring
  const token = await tokenOfReader(wiring)
  if (token === null) return null
  const ends: SecretEnd[] = []
  for (const { clientId } of [config.app, config.signIn]) {
    const application = await get(wiring, token, `applications(appId='${clientId}')`, 'passwordCredentials')
    if (application === null) return null
    const secrets = Array.isArray(application.passwordCredentials) ? application.passwordCredentials : []
    for (const secret of secrets.slice(0, mostPermissions)) {
      if (!isRecord(secret) || typeof secret.hint !== 'string' || typeof secret.endDateTime !== 'string') continue
      const at = Date.parse(secret.endDateTime)
      if (!Number.isNaN(at)) ends.push({ clientId, hint: secret.hint.slice(0, 3), endsAt: new Date(at) })
    }
  }
  return ends
}

interface Entry {
  resourceAppId: string
  id: string
  kind: 'application' | 'delegated'
}

/** https://learn.microsoft.com/graph/api/resources/requiredresourceaccess */
function entriesOf(value: unknown): Entry[] | null {
  if (!Array.isArray(value)) return null
  const entries: Entry[] = []
  for (const required of value) {
    if (!isRecord(required) || typeof required.resourceAppId !== 'string' || !isGuid(required.resourceAppId))
      return null
    if (!Array.isArray(required.resourceAccess)) return null
    for (const access of required.resourceAccess) {
      if (!isRecord(access) || typeof access.id !== 'string') return null
      const kind = access.type === 'Scope' ? 'delegated' : 'application'
      entries.push({ resourceAppId: required.resourceAppId, id: access.id.toLowerCase().slice(0, 200), kind })
    }
  }
  return entries
}

/** What a resource calls its permissions: https://learn.microsoft.com/graph/api/serviceprincipal-get */
async function namesOf(wiring: Wiring, token: AppToken, appId: string): Promise<[string, string][]> {
  const principal = await get(wiring, token, `servicePrincipals(appId='${appId}')`, 'appRoles,oauth2PermissionScopes')
  const roles = [principal?.appRoles, principal?.oauth2PermissionScopes].flatMap((list) =>
    Array.isArray(list) ? list : [],
  )
  return roles.flatMap((role): [string, string][] => {
    if (!isRecord(role) || typeof role.id !== 'string' || typeof role.value !== 'string') return []
    const name = role.value.replaceAll('\0', '').slice(0, 200)
    return name === '' ? [] : [[role.id.toLowerCase(), name]]
  })
}

/** @returns null when Microsoft says that this may not be read, or is not there */
async function get(
  { config, send, now }: Wiring,
  token: AppToken,
  path: string,
  select: string,
): Promise<Record<string, unknown> | null> {
  const answer = await send({
    url: `${config.graphUrl}/v1.0/${path}?$select=${select}`,
    api: 'graph',
    headers: { authorization: `Bearer ${token.value}` },
    deadlineMs: 10_000,
    limitBytes: 2_000_000,
    tries: 2,
  })
  if ([401, 403, 404].includes(answer.status)) return null
  if (answer.status !== 200) {
    throw new Refusal('unexpected-answer', { at: now().toISOString(), status: answer.status })
  }
  return objectIn(answer.text)
}

/**
 * The application roles that the customers' app holds in the partner's own tenant beyond those Muster needs, on Graph and
 * on the API it reads from. Empty when no token could be had.
 */
export async function readOwnExcess(wiring: Wiring): Promise<string[]> {
  const { config } = wiring
  const resources = new Set([resourceFor(config).uri, graphResource(config).uri])
  const request = { registration: config.app, tenantId: config.partnerTenantId, repeatable: false }
  const tokens = await Promise.allSettled(
    [...resources].map((resource) => acquireToken(wiring, { ...request, resource })),
  )
  const roles = tokens.flatMap((token) => (token.status === 'fulfilled' ? (token.value.claims?.roles ?? []) : []))
  return [...new Set(unexpectedRoles(config.incidentsApi, roles))].filter((role) => role !== namesTenants)
}
