// What a run stands on: Microsoft with its tenants, an empty store that knows them, and what a portal process is told.
import { mkdirSync } from 'node:fs'
import { readConfig } from '../server/config/config.ts'
import { createLog } from '../server/log.ts'
import { type Simulator, type SimulatorRegistration, startSimulator } from '../server/simulator/simulator.ts'
import { openDatabase } from '../server/store/engine/database.ts'
import { bindTenants, signInAdmin } from '../test/support/filled-store.ts'
import type { Place } from '../test/support/places.ts'
import { environmentOf, partnerTenantId, registrationOf } from '../test/support/registered-app.ts'
import type { Api } from './options.ts'

const log = createLog('silent')

/** What is not worth a token: MSAL takes one within 5 min of its end for expired, so this one serves for 20 s. */
const tokenLifetime = 320

const permissions: Record<Api, SimulatorRegistration['requiredResources']> = {
  defender: [{ resource: 'mtp', roles: ['Incident.Read.All'] }],
  graph: [{ resource: 'graph', roles: ['SecurityIncident.Read.All'] }],
}

export async function startMicrosoft({ api, quotas }: { api: Api; quotas: boolean }): Promise<Simulator> {
  const simulator = await startSimulator({ registrations: [registrationOf('Torture', permissions[api])] })
  simulator.world.behaviour.quotas = quotas
  simulator.world.behaviour.tokenLifetime = tokenLifetime
  simulator.world.addTenant({ id: partnerTenantId, displayName: 'Partner', domains: ['partner.example'] })
  return simulator
}

export interface PortalEnvironment extends Place {
  origin: string
  api: Api
  role: 'all' | 'web' | 'worker'
  port: number
  publicUrl?: string | undefined
}

/** The environment of a portal process. */
export function environmentFor({ origin, api, role, port, publicUrl, ...place }: PortalEnvironment) {
  return {
    ...environmentOf(origin, place),
    INCIDENTS_API: api,
    ROLE: role,
    PORT: String(port),
    PUBLIC_URL: publicUrl ?? `http://localhost:${port}`,
    LOG_LEVEL: 'warn',
  }
}

/** Migrates the store and binds every tenant, proven and due; then lets go of it. @returns a signed-in Admin's cookie */
export async function fillStore(
  { databaseUrl, dataDir }: Place,
  { tenants, env }: { tenants: readonly string[]; env: ReturnType<typeof environmentFor> },
): Promise<string> {
  if (databaseUrl === null) mkdirSync(dataDir, { recursive: true })
  const db = await openDatabase({ databaseUrl, dataDir, log })
  try {
    await bindTenants(db, tenants)
    return await signInAdmin(db, readConfig(env))
  } finally {
    await db.destroy()
  }
}
