import { createHash, randomBytes } from 'node:crypto'
import {
  type Simulator,
  type SimulatorOptions,
  type SimulatorRegistration,
  startSimulator,
} from '../../server/simulator/simulator.ts'
import { cast } from '../../server/simulator/world/cast.ts'

/** One customer and the partner, with just enough people, for tests of the simulator itself. */
export const partnerId = cast.halvard.id
export const customerId = '11111111-1111-4111-a111-111111111111'
export const otherId = '22222222-2222-4222-a222-222222222222'
export const appId = '3b7f2d90-5c1e-4a86-9d43-0f8e61b7a2c5'
export const signInId = '9e0d2c11-7b3a-4f55-8d26-c4a1e0f7b938'
export const secret = 'a-client-secret-of-some-length'
export const consentCallback = 'http://localhost:3000/consent/callback'
export const signInCallback = 'http://localhost:3000/auth/callback'
export const start = Date.parse('2026-11-20T08:00:00Z')

export function registrations(): SimulatorRegistration[] {
  return [
    {
      clientId: appId,
      secrets: [{ value: secret }],
      redirectUris: [consentCallback, signInCallback],
      audience: 'multi',
      homeTenantId: partnerId,
      displayName: 'Halvard SOC Connector',
      publisher: 'Halvard Security AB',
      requiredResources: [{ resource: 'mtp', roles: ['Incident.Read.All', 'Incident.ReadWrite.All'] }],
    },
    {
      clientId: signInId,
      secrets: [{ value: secret }],
      redirectUris: [signInCallback],
      audience: 'single',
      homeTenantId: partnerId,
      displayName: 'Muster sign-in',
      publisher: 'Halvard Security AB',
      requiredResources: [],
      appRoles: ['Muster.Admin', 'Muster.Analyst', 'Muster.Reader'],
    },
  ]
}

export const graphRoles = [
  'SecurityIncident.Read.All',
  'SecurityIncident.ReadWrite.All',
  'Organization.Read.All',
  'ThreatHunting.Read.All',
  'CrossTenantInformation.ReadBasic.All',
]

export interface Stage {
  simulator: Simulator
  admin: string
  clerk: string
  appAdmin: string
  operator: string
  stranger: string
}

/** A world of three tenants whose clock stands still until it is moved. */
export async function stage(options: Partial<SimulatorOptions> = {}): Promise<Stage> {
  const simulator = await startSimulator({ registrations: registrations(), now: () => start, ...options })
  const { world } = simulator
  world.addTenant({
    id: partnerId,
    displayName: 'Halvard Security AB',
    domains: ['halvard.onmicrosoft.com', 'halvard.example'],
  })
  world.addTenant({
    id: customerId,
    displayName: 'Customer & Sons',
    domains: ['customer.onmicrosoft.com', 'customer.example'],
  })
  world.addTenant({ id: otherId, displayName: 'Other Ltd', domains: ['other.onmicrosoft.com', 'other.example'] })
  const admin = world.addPerson(customerId, { name: 'Ada Admin', directoryRole: 'Global Administrator' })
  const clerk = world.addPerson(customerId, { name: 'Carl Clerk' })
  const appAdmin = world.addPerson(customerId, { name: 'Abel Apps', directoryRole: 'Application Administrator' })
  const operator = world.addPerson(partnerId, { name: 'Ines Lindqvist', appRoles: ['Muster.Admin', 'Foreign.Role'] })
  const stranger = world.addPerson(otherId, { name: 'Olga Other', directoryRole: 'Global Administrator' })
  return {
    simulator,
    admin: admin.username,
    clerk: clerk.username,
    appAdmin: appAdmin.username,
    operator: operator.username,
    stranger: stranger.username,
  }
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON it expects
  body: any
}

export async function read(response: Response): Promise<Answer> {
  const text = await response.text()
  let body: unknown = text
  try {
    body = JSON.parse(text)
  } catch {
    // Not every answer is JSON; tests look at the text then.
  }
  return { status: response.status, headers: response.headers, body }
}

export async function askToken(
  simulator: Simulator,
  tenant: string,
  fields: Record<string, string> = {},
  path = 'oauth2/v2.0/token',
): Promise<Answer> {
  const all: Record<string, string> = {
    client_id: appId,
    client_secret: secret,
    grant_type: 'client_credentials',
    scope: 'https://api.security.microsoft.com/.default',
    ...fields,
  }
  const body = new URLSearchParams(Object.entries(all).filter(([, value]) => value !== ''))
  return read(await fetch(`${simulator.origin}/${tenant}/${path}`, { method: 'POST', body }))
}

export async function tokenFor(
  simulator: Simulator,
  tenant: string,
  resource = 'https://api.security.microsoft.com',
): Promise<string> {
  const { status, body } = await askToken(simulator, tenant, { scope: `${resource}/.default` })
  if (status !== 200) throw new Error(`no token: ${JSON.stringify(body)}`)
  return body.access_token
}

export function claimsIn(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

export async function call(
  simulator: Simulator,
  token: string | null,
  path: string,
  init: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return read(
    await fetch(`${simulator.origin}${path}`, {
      method: init.method ?? 'GET',
      redirect: 'manual',
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...init.headers,
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    }),
  )
}

/** A code verifier and its S256 challenge. */
export function pkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}
