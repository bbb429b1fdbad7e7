import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CannotStart, portFault, portOf, stopOnSignal } from '../cli/process.ts'
import { environment, fromPackage } from '../config/environment.ts'
import { type Simulator, startSimulator } from '../simulator/simulator.ts'
import { ownState } from './owner.ts'
import { simulated, simulatedRegistrations } from './registrations.ts'

const sampleSecret = 'simulated~app~secret~of~no~worth'

/** What the environment names, and what is made up where it names nothing. */
interface Settings {
  port: number
  publicUrl: string
  tenantId: string
  clientId: string
  certificatePath: string | null
  /** Null where there is a certificate instead. */
  secret: string | null
  signIn: { clientId: string; secret: string } | null
  api: 'defender' | 'graph'
  stateFile: string
  hasSessionSecret: boolean
}

/** @throws CannotStart for an environment that cannot be read */
function readSettings(): Settings {
  const { env, problems } = environment()
  if (problems.length > 0) {
    throw new CannotStart(
      problems.map(({ variable, problem, remedy }) => `${variable} ${problem}. ${remedy}`).join('\n'),
    )
  }
  const given = (name: keyof typeof env) => env[name]?.trim() || null
  const certificatePath = given('AZURE_CLIENT_CERTIFICATE_PATH')
  const signInId = given('SIGN_IN_CLIENT_ID')?.toLowerCase() ?? null
  const signInSecret = given('SIGN_IN_CLIENT_SECRET')
  return {
    port: portOf('SIMULATOR_PORT', 4000),
    publicUrl: given('PUBLIC_URL') ?? `http://localhost:${given('PORT') ?? 3000}`,
    tenantId: given('AZURE_TENANT_ID')?.toLowerCase() ?? simulated.tenantId,
    clientId: given('AZURE_CLIENT_ID')?.toLowerCase() ?? simulated.clientId,
    certificatePath,
    secret: given('AZURE_CLIENT_SECRET') ?? (certificatePath === null ? sampleSecret : null),
    signIn: signInId === null || signInSecret === null ? null : { clientId: signInId, secret: signInSecret },
    api: given('INCIDENTS_API') === 'graph' ? 'graph' : 'defender',
    stateFile: join(given('DATA_DIR') ?? fromPackage('./data'), 'simulator.json'),
    hasSessionSecret: given('SESSION_SECRET') !== null,
  }
}

/**
 * `npm run simulator`: the simulated Microsoft alone, with the registrations that the environment names, and the lines
 * that point `npm start` at it.
 */
export async function simulator(): Promise<void> {
  const settings = readSettings()
  const { port, tenantId, clientId, secret, certificatePath, signIn, publicUrl, api, stateFile } = settings
  const release = ownState(stateFile, 'npm run simulator')
  const certificate = certificatePath === null ? null : readFileSync(certificatePath, 'utf8')
  const running = await startSimulator({
    port,
    world: 'demo',
    registrations: simulatedRegistrations({ tenantId, clientId, secret, certificate, signIn, publicUrl, api }),
    stateFile,
    controlPages: true,
    liveIncidents: true,
  }).catch((error: unknown) => {
    throw portFault('SIMULATOR_PORT', port, error) ?? error
  })
  if (running.world.find(tenantId) === undefined) addOwnTenant(running.world, tenantId)
  console.log(linesFor(running.origin, settings).join('\n'))
  stopOnSignal(async () => {
    await running.close()
    release()
  })
}

/** The partner's own tenant, with one person of each role. */
function addOwnTenant(world: Simulator['world'], tenantId: string): void {
  const domains = ['own.onmicrosoft.com', 'own.example']
  world.addTenant({ id: tenantId, displayName: 'Your own organisation', domains })
  for (const [name, role] of [
    ['Ada Admin', 'Admin'],
    ['Anna Analyst', 'Analyst'],
    ['Rolf Reader', 'Reader'],
  ] as const) {
    const directoryRole = role === 'Admin' ? 'Global Administrator' : 'User'
    world.addPerson(tenantId, { name, directoryRole, appRoles: [`Muster.${role}`] })
  }
}

function linesFor(origin: string, settings: Settings): string[] {
  const { tenantId, clientId, secret, certificatePath, publicUrl, api, hasSessionSecret } = settings
  const line = (name: string, value: string, own: boolean) => `  ${name}=${own ? '(as you have set it)' : value}`
  return [
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
    line('SESSION_SECRET', randomBytes(32).toString('base64url'), hasSessionSecret),
    `  PUBLIC_URL=${publicUrl}`,
    ...(api === 'graph' ? ['  INCIDENTS_API=graph'] : []),
    '',
    'Stop it with Ctrl-C.',
    '',
  ]
}
