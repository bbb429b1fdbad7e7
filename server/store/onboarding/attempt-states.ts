import type { Tx } from '../engine/dialect.ts'
import { digest } from '../identifiers.ts'
import { type ConsentAttempt, fromRow, getAttempt } from './attempts.ts'

/** The run goes on to a sign-in that is to show its tenant, under this state alone. */
export async function beginProofOf(tx: Tx, id: string, state: string): Promise<void> {
  await tx
    .updateTable('consent_attempts')
    .set({ outcome: 'proving-tenant', finished_at: null, proof_hash: digest(state) })
    .where('id', '=', id)
    .execute()
}

/**
 * Spends the state of that sign-in. True for exactly one return with it, in the browser of the run, while it is the one
 * that is waited for.
 */
export async function takeProofOf(
  tx: Tx,
  id: string,
  { browser, state }: { browser: string; state: string },
): Promise<boolean> {
  const taken = await tx
    .updateTable('consent_attempts')
    .set({ proof_hash: null })
    .where('id', '=', id)
    .where('browser_hash', '=', digest(browser))
    .where('proof_hash', '=', digest(state))
    .where('outcome', '=', 'proving-tenant')
    .executeTakeFirst()
  return taken.numUpdatedRows === 1n
}

/** The same person comes in another browser: the run is that one's now. @returns null when it is bound meanwhile */
export async function handOver(
  tx: Tx,
  id: string,
  { browser, state }: { browser: string; state: string },
): Promise<ConsentAttempt | null> {
  const taken = await tx
    .updateTable('consent_attempts')
    .set({ browser_hash: digest(browser), state_hash: digest(state), outcome: 'proving-tenant', finished_at: null })
    .where('id', '=', id)
    .where('outcome', '!=', 'bound')
    .executeTakeFirst()
  return taken.numUpdatedRows === 1n ? getAttempt(tx, id) : null
}

export type Redemption =
  | { found: 'fresh'; attempt: ConsentAttempt }
  /** The state is ours, but used, late, or carried by a browser that is not the attempt's (`mine` is false). */
  | { found: 'spent' | 'late' | 'other-browser'; attempt: ConsentAttempt; mine: boolean }
  | { found: 'unknown' }

/**
 * Consumes a state: of any number of callbacks with it, exactly one is `fresh`. A browser that did not start the
 * attempt consumes nothing.
 */
export async function redeemState(tx: Tx, state: string, browser: string | null, now: Date): Promise<Redemption> {
  const row = await tx
    .selectFrom('consent_attempts')
    .selectAll()
    .where('state_hash', '=', digest(state))
    .executeTakeFirst()
  if (!row) return { found: 'unknown' }
  const attempt = fromRow(row)
  const mine = row.browser_hash !== null && browser !== null && digest(browser) === row.browser_hash
  if (row.returned_at !== null) return { found: 'spent', attempt, mine }
  if (row.browser_hash !== null && !mine) return { found: 'other-browser', attempt, mine }
  if (row.expires_at <= now.toISOString()) return { found: 'late', attempt, mine }
  const consumed = await tx
    .updateTable('consent_attempts')
    .set({ returned_at: now.toISOString() })
    .where('id', '=', row.id)
    .where('returned_at', 'is', null)
    .executeTakeFirst()
  return consumed.numUpdatedRows === 1n ? { found: 'fresh', attempt } : { found: 'spent', attempt, mine }
}
