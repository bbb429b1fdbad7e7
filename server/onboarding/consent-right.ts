import type { IncidentsApi } from '../config/config.ts'
import type { SignedInPerson } from '../model/access.ts'

/**
 * Role template IDs, the same in every tenant: who may consent for a whole organisation.
 * https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
 * https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent
 */
const consentsToEverything: readonly string[] = [
  // Global Administrator
  '62e90394-69f5-4237-9190-012177145e10',
  // Privileged Role Administrator
  'e8611ab8-c189-46e8-94e1-60213ab1f814',
]
const consentsToAllButGraphRoles: readonly string[] = [
  // Application Administrator
  '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3',
  // Cloud Application Administrator
  '158c047a-c907-4556-b7ef-446551a6b5f7',
]

/** `roles-unseen`: the token shows no directory roles at all, which is the partner's setting and not the person's. */
export type ConsentRight = 'shown' | 'guest' | 'no-role' | 'roles-unseen'

/**
 * Whether a validated sign-in shows that this person may give the tenant: belonging to a tenant is not the right to
 * consent for it. Microsoft keeps application permissions on Graph from application administrators.
 * @param consenters `graph` where any application permission on Graph is asked for, whichever API incidents are read from
 */
export function consentRightOf(
  person: Pick<SignedInPerson, 'guest' | 'directoryRoles'>,
  consenters: IncidentsApi,
): ConsentRight {
  // A guest's token carries the tenant he visits; it does not make him one of its people.
  if (person.guest) return 'guest'
  if (person.directoryRoles === null) return 'roles-unseen'
  const sufficient =
    consenters === 'graph' ? consentsToEverything : [...consentsToEverything, ...consentsToAllButGraphRoles]
  return person.directoryRoles.some((role) => sufficient.includes(role)) ? 'shown' : 'no-role'
}
