import type { IncidentsApi } from '../config/config.ts'
import { permissionsFor } from '../microsoft/permissions.ts'
import { setupMaterial } from '../microsoft/registration/setup.ts'
import type { SimulatorRegistration } from '../simulator/simulator.ts'
import { cast } from '../simulator/world/cast.ts'

/** What the two registrations are known by when the environment names none. */
export const simulated = {
  tenantId: cast.halvard.id,
  clientId: '3b7f2d90-5c1e-4a86-9d43-0f8e61b7a2c5',
  signInClientId: '6c0d4f1b-92ae-4d37-8b5e-71f3a9c8e204',
} as const

/** As the demo's own Settings have it. */
const simulatedName = 'Halvard SOC Connector'

/** The registrations of docs and setup page, as they would stand in the partner's tenant after its scripts have run. */
export function simulatedRegistrations(options: {
  tenantId: string
  clientId: string
  secret: string | null
  certificate: string | null
  signIn: { clientId: string; secret: string } | null
  publicUrl: string
  api: IncidentsApi
}): SimulatorRegistration[] {
  const { tenantId, publicUrl, api } = options
  const { app, signIn } = setupMaterial(
    {
      publicUrl,
      partnerTenantId: tenantId,
      incidentsApi: api,
      authorityHost: 'https://login.microsoftonline.com',
      defenderUrl: 'https://api.security.microsoft.com',
      graphUrl: 'https://graph.microsoft.com',
    },
    simulatedName,
  )
  const appRoles = ['Muster.Admin', 'Muster.Analyst', 'Muster.Reader']
  const shared = { homeTenantId: tenantId, publisher: 'Halvard Security AB', appRoles }
  return [
    {
      ...shared,
      clientId: options.clientId,
      secrets: options.secret === null ? [] : [{ value: options.secret }],
      certificates: options.certificate === null ? [] : [options.certificate],
      redirectUris: [...app.redirectUris],
      audience: 'multi',
      displayName: app.name,
      groupMembershipClaims: app.groupMembershipClaims,
      requiredResources: [
        { resource: api === 'graph' ? 'graph' : 'mtp', roles: permissionsFor(api).map(({ name }) => name) },
      ],
    },
    ...(options.signIn === null
      ? []
      : [
          {
            ...shared,
            clientId: options.signIn.clientId,
            secrets: [{ value: options.signIn.secret }],
            redirectUris: [...signIn.redirectUris],
            audience: 'single' as const,
            displayName: 'Muster sign-in',
            requiredResources: [],
          },
        ]),
  ]
}
