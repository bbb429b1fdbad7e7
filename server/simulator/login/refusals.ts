import { randomUUID } from 'node:crypto'
import { isGuid } from '../../guid.ts'
import { loginTimestamp } from '../world/instants.ts'
import type { World } from '../world/world.ts'
import { toldByNumber } from './aadsts.ts'
import { observed } from './observed.ts'

/** One refusal of the login service, as its token endpoint and its callbacks tell it. */
export interface LoginRefusal {
  code: number
  error: string
  status: number
  message: string
  suberror?: string
  claims?: string
  /** More general numbers, named before this one. */
  also?: readonly number[]
}

const withoutFacts = '00000000-0000-0000-0000-000000000000'

/** Refusals whose text names what was asked for, with nothing to name. */
const nameless: ReadonlyMap<number, () => LoginRefusal> = new Map([
  [50020, () => notInThisTenant('somebody@elsewhere.example', withoutFacts, 'this directory', withoutFacts)],
  [70011, () => scopeInvalid('unknown')],
  [90002, () => tenantNotFound(withoutFacts)],
  [500011, () => resourceNotFound('unknown', 'this directory')],
  [650052, () => resourceUnknownToTenant(withoutFacts, 'unknown', withoutFacts)],
  [700016, () => appNotFound(withoutFacts, 'this directory')],
  [7000215, () => wrongSecret(withoutFacts)],
  [7000222, () => expiredSecret(withoutFacts)],
  [7000229, () => noServicePrincipal(withoutFacts, withoutFacts)],
])

/** Any number as the login service would say it. Those that it does not know get a general text. */
export function refusalOf(code: number): LoginRefusal {
  const text = observed.get(code) ?? toldByNumber.get(code)
  if (text) return { code, ...text }
  return nameless.get(code)?.() ?? { code, error: 'invalid_request', status: 400, message: 'The request was refused.' }
}

export const tenantNotFound = (name: string): LoginRefusal => ({
  code: 90002,
  error: 'invalid_request',
  status: 400,
  message: `Tenant '${name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
})

export const tenantMalformed = (name: string): LoginRefusal => ({
  code: 900023,
  error: 'invalid_request',
  status: 400,
  message: `Specified tenant identifier '${name}' is neither a valid DNS name, nor a valid external domain.`,
})

export const appNotFound = (clientId: string, directory: string): LoginRefusal => ({
  code: 700016,
  error: 'unauthorized_client',
  status: 400,
  message: `Application with identifier '${clientId}' was not found in the directory '${directory}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
})

export const noServicePrincipal = (clientId: string, tenantId: string): LoginRefusal => ({
  code: 7000229,
  error: 'invalid_client',
  status: 401,
  message: `The client application ${clientId} is missing service principal in the tenant ${tenantId}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119`,
})

export const appDisabled = (clientId: string, name: string): LoginRefusal => ({
  code: 7000112,
  error: 'unauthorized_client',
  status: 400,
  message: `Application '${clientId}'(${name}) is disabled.`,
})

export const wrongSecret = (clientId: string): LoginRefusal => ({
  code: 7000215,
  error: 'invalid_client',
  status: 401,
  message: `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
})

export const expiredSecret = (clientId: string): LoginRefusal => ({
  code: 7000222,
  error: 'invalid_client',
  status: 401,
  message: `The provided client secret keys for app '${clientId}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.`,
})

export const resourceNotFound = (resource: string, directory: string): LoginRefusal => ({
  code: 500011,
  error: 'invalid_resource',
  status: 400,
  message: `The resource principal named ${resource} was not found in the tenant named ${directory}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
})

export const scopeInvalid = (scope: string): LoginRefusal => ({
  code: 70011,
  error: 'invalid_scope',
  status: 400,
  message: `The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`,
})

export const parameterMissing = (name: string): LoginRefusal => ({
  code: 900144,
  error: 'invalid_request',
  status: 400,
  message: `The request body must contain the following parameter: '${name}'.`,
})

export const blockedByPolicy = (policyId: string): LoginRefusal => ({
  ...refusalOf(53003),
  claims: JSON.stringify({ access_token: { capolids: { essential: true, values: [policyId] } } }),
})

export const notInThisTenant = (
  username: string,
  homeId: string,
  directory: string,
  clientId: string,
): LoginRefusal => ({
  code: 50020,
  error: 'access_denied',
  status: 400,
  message: `User account '${username}' from identity provider 'https://sts.windows.net/${homeId}/' does not exist in tenant '${directory}' and cannot access the application '${clientId}' in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account.`,
})

export const resourceUnknownToTenant = (resource: string, resourceName: string, tenantId: string): LoginRefusal => ({
  code: 650052,
  error: 'invalid_client',
  status: 400,
  message: `The app is trying to access a service '${resource}'(${resourceName}) that your organization '${tenantId}' lacks a service principal for. Contact your IT Admin to review the configuration of your service subscriptions or consent to the application in order to create the required service principal.`,
})

/** The identifiers under which Microsoft would find this answer in its own logs. */
export interface Trace {
  traceId: string
  correlationId: string
  timestamp: string
}

export function traceOf(world: World, correlationId: string | undefined): Trace {
  return {
    traceId: randomUUID(),
    correlationId: correlationId && isGuid(correlationId) ? correlationId : randomUUID(),
    timestamp: loginTimestamp(world.clock.now()),
  }
}

/** `AADSTS…: text Trace ID: … Correlation ID: … Timestamp: …`, with line breaks as older answers have them or spaces. */
export function describe(world: World, refusal: LoginRefusal, trace: Trace): string {
  const { separators } = world.behaviour
  const lines = separators === 'lines' || (separators === 'mixed' && /^[0-7]/.test(trace.traceId))
  return [
    [
      ...(refusal.also ?? []).map((code) => `AADSTS${code}: ${refusalOf(code).message}`),
      `AADSTS${refusal.code}: ${refusal.message}`,
    ].join(' '),
    `Trace ID: ${trace.traceId}`,
    `Correlation ID: ${trace.correlationId}`,
    `Timestamp: ${trace.timestamp}`,
  ].join(lines ? '\r\n' : ' ')
}

/** The JSON body of the token and discovery endpoints. */
export function refusalBody(
  world: World,
  refusal: LoginRefusal,
  trace: Trace,
  origin: string,
): Record<string, unknown> {
  return {
    error: refusal.error,
    error_description: describe(world, refusal, trace),
    error_codes: [...(refusal.also ?? []), refusal.code],
    timestamp: trace.timestamp,
    trace_id: trace.traceId,
    correlation_id: trace.correlationId,
    error_uri: `${origin}/error?code=${refusal.code}`,
    ...(refusal.suberror ? { suberror: refusal.suberror } : {}),
    ...(refusal.claims ? { claims: refusal.claims } : {}),
  }
}
