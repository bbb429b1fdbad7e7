import type { Database } from '../../server/store/engine/dialect.ts'
import { write } from '../../server/store/engine/write.ts'
import { digest } from '../../server/store/identifiers.ts'
import { type ConsentAttempt, getAttempt, recordClassicLink } from '../../server/store/onboarding/attempts.ts'

/**
 * A run that has a row since its browser left for Microsoft, as those of 0.1 have; or a classic link, for no browser.
 * @returns the row, and the state that is to come back
 */
export async function setOut(
  db: Database,
  run: {
    linkId: string
    customerId: string
    browser: string | null
    pinnedTenantId?: string | null
    now: Date
    expiresAt: Date
  },
): Promise<{ attempt: ConsentAttempt; state: string }> {
  const { browser, pinnedTenantId = null } = run
  return write(db, async (tx) => {
    const state = await recordClassicLink(tx, { ...run, pinnedTenantId })
    const { id } = await tx
      .updateTable('consent_attempts')
      .set(browser === null ? { kind: 'classic' } : { kind: 'landing', browser_hash: digest(browser) })
      .where('state_hash', '=', digest(state))
      .returning('id')
      .executeTakeFirstOrThrow()
    return { attempt: await getAttempt(tx, id), state }
  })
}
