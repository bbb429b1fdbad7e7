import { type Resource, resources } from '../login/registration.ts'
import type { EnterpriseApp, Tenant } from './directory.ts'
import { hashOf, Random } from './random.ts'

/**
 * The enterprise app after a consent for the whole organisation: what it was granted before and is asked for again is kept,
 * and the rest shows after `propagationMs`. Roles of a resource that the tenant has no service principal for are left out.
 * @throws Error for a role that neither resource has
 */
export function appForAll(
  tenant: Tenant,
  clientId: string,
  roles: readonly string[],
  { now, propagationMs }: { now: number; propagationMs: number },
): EnterpriseApp {
  const before = tenant.apps.get(clientId.toLowerCase())
  const grants = roles.flatMap((role) => {
    const resource = resourceOf(role)
    if (resource === 'mtp' && !tenant.licensed) return []
    const grantBefore = before?.grants.find((grant) => grant.role === role)
    return [grantBefore ?? { resource, role, visibleAt: now + propagationMs }]
  })
  return {
    clientId: clientId.toLowerCase(),
    objectId: before?.objectId ?? objectIdOf(tenant, clientId, now),
    enabled: before?.enabled ?? true,
    createdAt: before?.createdAt ?? now,
    knownAt: before?.knownAt ?? now + propagationMs / 2,
    tenantWide: true,
    grants,
    users: before?.users ?? [],
  }
}

/** The enterprise app that the consent of one person makes: without any permission of its own. */
export const appForOne = (tenant: Tenant, clientId: string, now: number): EnterpriseApp => ({
  clientId: clientId.toLowerCase(),
  objectId: objectIdOf(tenant, clientId, now),
  enabled: true,
  createdAt: now,
  knownAt: now,
  tenantWide: false,
  grants: [],
  users: [],
})

const objectIdOf = (tenant: Tenant, clientId: string, now: number) =>
  new Random(hashOf(`${tenant.id}/${clientId}/${now}`)).guid()

/** @throws Error for a role that neither resource has */
function resourceOf(role: string): Resource {
  if (role in resources.mtp.roles) return 'mtp'
  if (role in resources.graph.roles) return 'graph'
  throw new Error(`no application permission is called ${role}`)
}
