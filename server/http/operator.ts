import type { Config } from '../config/config.ts'
import type { Operator } from '../store/operators/operators.ts'
import { everything, type Scope } from '../store/scope.ts'

export type OperatorRole = 'Reader' | 'Analyst' | 'Admin'

const ranks: Record<OperatorRole, number> = { Reader: 1, Analyst: 2, Admin: 3 }

/** Whether somebody of this role may do what that role may. */
export const reaches = (role: OperatorRole, needed: OperatorRole): boolean => ranks[role] >= ranks[needed]

/** Whether ADMIN_USERS names somebody of the partner's tenant. */
export function isNamedAdmin(person: Pick<Operator, 'oid' | 'username' | 'guest'>, { adminUsers }: Config): boolean {
  // A guest's user principal name is his home organisation's to give, so for guests only the object ID counts.
  const username = person.guest ? undefined : person.username?.toLowerCase()
  return adminUsers.includes(person.oid.toLowerCase()) || (username !== undefined && adminUsers.includes(username))
}

/** Whether somebody may change what is the whole portal's: its settings, its pause, which customers there are. */
export const runsPortal = ({ operator, scope }: { operator: SignedInOperator; scope: Scope }): boolean =>
  operator.role === 'Admin' && scope === everything

export interface SignedInOperator extends Operator {
  role: OperatorRole
}
