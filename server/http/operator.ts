import type { Operator } from '../store/operators/operators.ts'

export type OperatorRole = 'Reader' | 'Analyst' | 'Admin'

const ranks: Record<OperatorRole, number> = { Reader: 1, Analyst: 2, Admin: 3 }

/** Whether somebody of this role may do what that role may. */
export const reaches = (role: OperatorRole, needed: OperatorRole): boolean => ranks[role] >= ranks[needed]

export interface SignedInOperator extends Operator {
  role: OperatorRole
}
