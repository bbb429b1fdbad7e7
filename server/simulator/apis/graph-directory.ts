import { createHash } from 'node:crypto'
import type { Request, Response } from 'express'
import { resources, type SimulatorRegistration } from '../login/registration.ts'
import type { SimulatorParts } from '../parts.ts'
import { sendGraphError, sendJson } from './answers.ts'
import { admit, queryOf, sendList } from './api.ts'

const neverEnds = new Date('2299-12-31T00:00:00Z')
const readers = ['Application.Read.All', 'Directory.Read.All']

/** A registration, to an app of its own tenant: https://learn.microsoft.com/graph/api/application-get */
export async function oneApplication(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', null, readers)
  if (!call) return
  const registration = parts.world.registrations.get(String(req.params[0]).toLowerCase())
  if (!registration || registration.homeTenantId.toLowerCase() !== call.tenant.id) return sendAbsent(parts, req, res)
  await sendJson(res, 200, {
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#applications/$entity',
    ...selected(applicationBody(registration), queryOf(req).$select),
  })
}

function applicationBody(registration: SimulatorRegistration): Record<string, unknown> {
  return {
    id: objectIdOf(registration.clientId),
    appId: registration.clientId,
    displayName: registration.displayName,
    signInAudience: registration.audience === 'multi' ? 'AzureADMultipleOrgs' : 'AzureADMyOrg',
    groupMembershipClaims: registration.groupMembershipClaims ?? null,
    requiredResourceAccess: registration.requiredResources.map(({ resource, roles }) => ({
      resourceAppId: resources[resource].appId,
      resourceAccess: roles.map((role) => ({ id: resources[resource].roles[role], type: 'Role' })),
    })),
    // A secret itself is shown once, when it is made: https://learn.microsoft.com/graph/api/resources/passwordcredential
    passwordCredentials: registration.secrets.map(({ value, expiresAt }) => ({
      customKeyIdentifier: null,
      displayName: null,
      endDateTime: (expiresAt ?? neverEnds).toISOString(),
      hint: value.slice(0, 3),
      keyId: objectIdOf(value),
      secretText: null,
    })),
  }
}

/** What a resource calls its permissions: https://learn.microsoft.com/graph/api/serviceprincipal-get */
export async function oneServicePrincipal(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', null, readers)
  if (!call) return
  const appId = String(req.params[0]).toLowerCase()
  const resource = Object.values(resources).find((one) => one.appId === appId)
  if (!resource || (resource === resources.mtp && !call.tenant.licensed)) return sendAbsent(parts, req, res)
  const body = {
    id: objectIdOf(appId),
    appId,
    displayName: resource.name,
    appRoles: Object.entries(resource.roles).map(([value, id]) => ({
      id,
      value,
      displayName: value,
      allowedMemberTypes: ['Application'],
      isEnabled: true,
      origin: 'Application',
    })),
    oauth2PermissionScopes: [],
  }
  await sendJson(res, 200, {
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#servicePrincipals/$entity',
    ...selected(body, queryOf(req).$select),
  })
}

function sendAbsent(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const id = String(req.params[0])
  const text = `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`
  return sendGraphError(parts, req, res, 404, 'Request_ResourceNotFound', text)
}

function selected(body: Record<string, unknown>, select: string | undefined): Record<string, unknown> {
  if (select === undefined) return body
  const names = new Set(select.split(',').map((name) => name.trim()))
  return Object.fromEntries(Object.entries(body).filter(([name]) => names.has(name)))
}

function objectIdOf(clientId: string): string {
  const hex = createHash('sha256').update(`object of ${clientId}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export async function organization(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', null, ['Organization.Read.All'])
  if (!call) return
  const { tenant } = call
  await sendList(call, { '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#organization' }, [
    {
      id: tenant.id,
      displayName: tenant.displayName,
      tenantType: 'AAD',
      countryLetterCode: null,
      verifiedDomains: tenant.domains.map((name, n) => ({
        name,
        isInitial: n === 0,
        isDefault: n === tenant.domains.length - 1,
        type: 'Managed',
        capabilities: 'Email, OfficeCommunicationsOnline',
      })),
    },
  ])
}

export async function findTenant(parts: SimulatorParts, req: Request, res: Response): Promise<void> {
  const call = await admit(parts, req, res, 'graph', null, ['CrossTenantInformation.ReadBasic.All'])
  if (!call) return
  const tenant = parts.world.find(String(req.params[0] ?? ''))
  if (!tenant || tenant.deleted) {
    return sendGraphError(
      parts,
      req,
      res,
      404,
      'Request_ResourceNotFound',
      'Unable to find a tenant with the given identifier.',
    )
  }
  await sendJson(res, 200, {
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.tenantInformation',
    tenantId: tenant.id,
    federationBrandName: null,
    displayName: tenant.displayName,
    defaultDomainName: tenant.domains[0] ?? null,
  })
}
