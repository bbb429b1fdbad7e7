import { readConfig } from '../../server/config/config.ts'
import { simulated, simulatedRegistrations } from '../../server/demo/registrations.ts'
import { bringToLife } from '../../server/demo/world.ts'
import { createLog } from '../../server/log.ts'
import { redirectUris } from '../../server/microsoft/wire/addresses.ts'
import type { Portal } from '../../server/portal.ts'
import { startPortal } from '../../server/process/start.ts'
import { type Simulator, startSimulator } from '../../server/simulator/simulator.ts'
import { freshDatabase } from '../support/databases.ts'

export interface DemoPortal {
  origin: string
  portal: Portal
  simulator: Simulator
  close(): Promise<void>
}

/** The world of `npm run demo`, every customer where it stands. Nothing moves by itself: no worker, no new incidents. */
export async function startDemoPortal(): Promise<DemoPortal> {
  const database = await freshDatabase('SQLite')
  const secret = 'a-secret-of-the-app'
  const signInSecret = 'a-secret-of-the-sign-in'
  const simulator = await startSimulator({
    world: 'demo',
    merged: false,
    registrations: simulatedRegistrations({
      tenantId: simulated.tenantId,
      clientId: simulated.clientId,
      secret,
      certificate: null,
      signIn: { clientId: simulated.signInClientId, secret: signInSecret },
      publicUrl: 'http://localhost',
      api: 'defender',
    }),
  })
  const config = readConfig({
    PORT: '0',
    SESSION_SECRET: 'zY8xW6vU4tS2rQ0pO9nM7lK5jI3hG1fE',
    AZURE_TENANT_ID: simulated.tenantId,
    AZURE_CLIENT_ID: simulated.clientId,
    AZURE_CLIENT_SECRET: secret,
    SIGN_IN_CLIENT_ID: simulated.signInClientId,
    SIGN_IN_CLIENT_SECRET: signInSecret,
    AZURE_AUTHORITY_HOST: simulator.origin,
    DEFENDER_API_URL: simulator.origin,
    GRAPH_API_URL: simulator.origin,
  })
  const running = await startPortal(
    { ...config, ...database },
    {
      log: createLog('silent'),
      // Both sides live the story by one clock.
      now: () => new Date(simulator.clock.now()),
      worker: false,
    },
  )
  const { portal } = running
  for (const uri of Object.values(redirectUris(portal.config))) {
    for (const clientId of [simulated.clientId, simulated.signInClientId])
      simulator.world.registration(clientId).redirectUris.push(uri)
  }
  await bringToLife(portal, simulator, { signal: new AbortController().signal, progress: () => undefined })
  return {
    origin: portal.config.publicUrl,
    portal,
    simulator,
    async close() {
      await running.close()
      await simulator.close()
      await database.drop()
    },
  }
}
