import type { Portal } from '../portal.ts'
import type { Actor } from '../store/audit.ts'
import { write } from '../store/engine/write.ts'
import { limitOperator, type OperatorLimits } from '../store/operators/limits.ts'

/** Limits an operator from her next request on; null lets her see everything. @throws PortalError NOT_FOUND */
export async function setLimits(
  { db, now }: Portal,
  actor: Actor,
  operatorId: string,
  limits: OperatorLimits | null,
): Promise<void> {
  await write(db, (tx) => limitOperator(tx, actor, operatorId, limits, now()))
}
