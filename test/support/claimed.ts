import { loadBindingFacts } from '../../server/onboarding/facts.ts'
import { endOfBinding } from '../../server/onboarding/judge.ts'
import { judgeBinding } from '../../server/onboarding/judge-binding.ts'
import { endAttempt } from '../../server/onboarding/outcome.ts'
import type { Portal } from '../../server/portal.ts'
import { write } from '../../server/store/engine/write.ts'
import type { ConsentAttempt } from '../../server/store/onboarding/attempts.ts'

const actor = { kind: 'customer', id: null, name: 'Åsa', address: null, requestId: null } as const

/** A validated sign-in of Åsa has shown the tenant of a run: it waits for a token from now on, or ends. */
export async function signedInFor(
  { db, config, now }: Pick<Portal, 'db' | 'config' | 'now'>,
  attempt: ConsentAttempt,
  tenantId: string,
): Promise<void> {
  const { customerId, linkId, pinnedTenantId } = attempt
  const { partnerTenantId } = config
  await write(db, async (tx) => {
    const claimed = {
      tenantId,
      customerId,
      linkId,
      pinnedTenantId,
      partnerTenantId,
      how: 'sign-in',
      now: now(),
    } as const
    const verdict = judgeBinding(await loadBindingFacts(tx, claimed))
    const end = endOfBinding(verdict, { tenantId, evidence: 'sign-in' })
    await endAttempt(tx, actor, attempt, end, now(), { person: 'Åsa' })
  })
}
