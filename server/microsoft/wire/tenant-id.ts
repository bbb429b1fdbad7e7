import { isGuid } from '../../guid.ts'
import { Refusal } from '../../model/refusal.ts'

const nobody = '00000000-0000-0000-0000-000000000000'
/** Where personal accounts live; it is nobody's organisation. https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference */
const personalAccounts = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** A tenant ID in lower case; null for everything else, the empty GUID and the tenant of personal accounts included. */
export function tenantIdOf(value: unknown): string | null {
  if (typeof value !== 'string') return null
  const id = value.toLowerCase()
  return isGuid(id) && id !== nobody && id !== personalAccounts ? id : null
}

/**
 * The last look before a tenant becomes part of a URL: MSAL itself would let `../evil` through as a path segment.
 * @throws Refusal `tenant-gone`
 */
export function requireTenantId(value: string, at: Date): string {
  const id = tenantIdOf(value)
  if (id === null) throw new Refusal('tenant-gone', { at: at.toISOString(), error: 'not_a_tenant_id' })
  return id
}
