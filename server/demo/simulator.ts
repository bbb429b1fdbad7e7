import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CannotStart, portFault, portOf, stopOnSignal } from '../cli/process.ts'
import { environment, fromPackage } from '../config/environment.ts'
import { startSimulator } from '../simulator/simulator.ts'
import { ownState } from './owner.ts'
import { simulated, simulatedRegistrations } from './registrations.ts'

const sampleSecret = 'simulated~app~secret~of~no~worth'

/**
 * `npm run simulator`: the simulated Microsoft alone, with the registrations that the environment names, and the lines
 * that point `npm start` at it.
 */
export async function simulator(): Promise<void> {
  const { env, problems } = environment()
  if (problems.length > 0) {
    throw new CannotStart(
      problems.map(({ variable, problem, remedy }) => `${variable} ${problem}. ${remedy}`).join('\n'),
    )
  }
  const given = (name: keyof typeof env) => env[name]?.trim() || null
  const port = portOf('SIMULATOR_PORT', 4000)
  const publicUrl = given('PUBLIC_URL') ?? `http://localhost:${given('PORT') ?? 3000}`
  const tenantId = given('AZURE_TENANT_ID')?.toLowerCase() ?? simulated.tenantId
  const clientId = given('AZURE_CLIENT_ID')?.toLowerCase() ?? simulated.clientId
  const certificatePath = given('AZURE_CLIENT_CERTIFICATE_PATH')
  const secret = given('AZURE_CLIENT_SECRET') ?? (certificatePath === null ? sampleSecret : null)
  const signInId = given('SIGN_IN_CLIENT_ID')?.toLowerCase() ?? null
  const signInSecret = given('SIGN_IN_CLIENT_SECRET')
  const api = given('INCIDENTS_API') === 'graph' ? 'graph' : 'defender'

  const stateFile = join(given('DATA_DIR') ?? fromPackage('./data'), 'simulator.json')
  const release = ownState(stateFile, 'npm run simulator')

  const running = await startSimulator({
    port,
    world: 'demo',
    registrations: simulatedRegistrations({
      tenantId,
      clientId,
      secret,
      certificate: certificatePath === null ? null : readFileSync(certificatePath, 'utf8'),
      signIn: signInId === null || signInSecret === null ? null : { clientId: signInId, secret: signInSecret },
      publicUrl,
      api,
    }),
    stateFile,
    controlPages: true,
    liveIncidents: true,
  }).catch((error: unknown) => {
    throw portFault('SIMULATOR_PORT', port, error) ?? error
  })
  const { world, origin } = running
  if (world.find(tenantId) === undefined) {
    world.addTenant({
      id: tenantId,
      displayName: 'Your own organisation',
      domains: ['own.onmicrosoft.com', 'own.example'],
    })
    for (const [name, role] of [
      ['Ada Admin', 'Admin'],
      ['Anna Analyst', 'Analyst'],
      ['Rolf Reader', 'Reader'],
    ] as const) {
      world.addPerson(tenantId, {
        name,
        directoryRole: role === 'Admin' ? 'Global Administrator' : 'User',
        appRoles: [`Muster.${role}`],
      })
    }
  }

  const line = (name: string, value: string, own: boolean) => `  ${name}=${own ? '(as you have set it)' : value}`
  console.log(
    [
      '',
      `The simulated Microsoft runs at ${origin}; its control page is ${origin}/_sim`,
      'It is not the real one: it asks for no password, and nothing leaves this machine.',
      '',
      'To point "npm start" at it, put this into .env or the environment:',
      '',
      `  AZURE_AUTHORITY_HOST=${origin}`,
      `  DEFENDER_API_URL=${origin}`,
      `  GRAPH_API_URL=${origin}`,
      `  AZURE_TENANT_ID=${tenantId}`,
      `  AZURE_CLIENT_ID=${clientId}`,
      ...(certificatePath === null ? [line('AZURE_CLIENT_SECRET', sampleSecret, secret !== sampleSecret)] : []),
      line('SESSION_SECRET', randomBytes(32).toString('base64url'), given('SESSION_SECRET') !== null),
      `  PUBLIC_URL=${publicUrl}`,
      ...(api === 'graph' ? ['  INCIDENTS_API=graph'] : []),
      '',
      'Stop it with Ctrl-C.',
      '',
    ].join('\n'),
  )
  stopOnSignal(async () => {
    await running.close()
    release()
  })
}
