import { PortalError } from '../../errors.ts'
import { type Actor, recordAudit } from '../audit.ts'
import { isPostgres, type Tx } from '../engine/dialect.ts'

/** The customers an Admin limits an operator to: some by their IDs, and all of some groups. Never both empty. */
export interface OperatorLimits {
  customerIds: string[]
  groups: string[]
}

/**
 * Limits an operator from the next request on; null lets her see everything. Saving what is saved already writes nothing.
 * @throws PortalError NOT_FOUND
 */
export async function limitOperator(
  tx: Tx,
  actor: Actor,
  operatorId: string,
  limits: OperatorLimits | null,
  now: Date,
): Promise<void> {
  const before = await tx
    .selectFrom('operators')
    .select(['name', 'username', 'limits'])
    .where('id', '=', operatorId)
    .$if(isPostgres(tx), (query) => query.forUpdate())
    .executeTakeFirst()
  if (before === undefined) throw new PortalError('NOT_FOUND')
  const after =
    limits === null
      ? null
      : JSON.stringify({ customerIds: [...limits.customerIds].sort(), groups: [...limits.groups].sort() })
  if (before.limits === after) return
  await tx.updateTable('operators').set({ limits: after }).where('id', '=', operatorId).execute()
  await recordAudit(tx, actor, {
    action: 'operator.limited',
    at: now,
    subjectId: operatorId,
    facts: {
      person: before.name ?? before.username ?? operatorId,
      groups: limits === null ? null : limits.groups.join(', '),
      customers: limits === null ? null : limits.customerIds.length,
    },
  })
}
