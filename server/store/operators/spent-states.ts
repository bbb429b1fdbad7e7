import type { Database, Tx } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import { digest } from '../identifiers.ts'

/**
 * Redeems a single-use value. True for exactly one caller, in whatever process: the primary key decides. The row is
 * needed only as long as the value itself would be accepted.
 */
export async function spend(db: Database, value: string, expiresAt: Date): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await write(db, (tx) =>
    tx
      .insertInto('spent_tokens')
      .values({ hash: digest(value), expires_at: expiresAt.toISOString() })
      .onConflict((oc) => oc.column('hash').doNothing())
      .executeTakeFirst(),
  )
  return numInsertedOrUpdatedRows === 1n
}

/** Forgets values that would be refused for their age anyway. */
export async function sweepSpentTokens(tx: Tx, now: Date): Promise<void> {
  await tx.deleteFrom('spent_tokens').where('expires_at', '<=', now.toISOString()).execute()
}
