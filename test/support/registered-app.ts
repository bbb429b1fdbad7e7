import { randomBytes } from 'node:crypto'
import type { SimulatorRegistration } from '../../server/simulator/simulator.ts'
import type { Place } from './places.ts'

/** The partner's tenant and its app, as bench and torture register them with the simulator. */
export const partnerTenantId = 'a0000000-0000-4000-8000-000000000001'
export const clientId = 'b0000000-0000-4000-8000-000000000001'
export const clientSecret = 'a-secret-that-opens-nothing'
const sessionSecret = randomBytes(48).toString('base64url')

/** The n-th customer's tenant. */
export const tenantIdOf = (n: number): string => `c0000000-0000-4000-8000-${String(n).padStart(12, '0')}`

export function registrationOf(
  name: string,
  requiredResources: SimulatorRegistration['requiredResources'],
): SimulatorRegistration {
  return {
    clientId,
    secrets: [{ value: clientSecret }],
    redirectUris: [],
    audience: 'multi',
    homeTenantId: partnerTenantId,
    displayName: name,
    publisher: name,
    requiredResources,
  }
}

/** What a portal is told of its database, the app and a Microsoft at `origin`. One session secret for all of this process. */
export function environmentOf(origin: string, { databaseUrl, dataDir }: Place): Record<string, string> {
  return {
    SESSION_SECRET: sessionSecret,
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: clientSecret,
    AZURE_TENANT_ID: partnerTenantId,
    AZURE_AUTHORITY_HOST: origin,
    DEFENDER_API_URL: origin,
    GRAPH_API_URL: origin,
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
    ...(dataDir === '' ? {} : { DATA_DIR: dataDir }),
  }
}
