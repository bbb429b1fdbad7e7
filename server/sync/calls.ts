import type { CallMeter } from '../microsoft/microsoft.ts'
import { Refusal } from '../model/refusal.ts'
import type { Portal } from '../portal.ts'
import { giveCallsBack, goodForMs, takeCalls, windowShare } from '../store/sync/budgets.ts'
import type { JobContext } from './context.ts'

/** The calls of one sync run, out of the budget that all processes share. */
export interface Calls extends CallMeter {
  /** Calls that went out so far. */
  readonly made: number
  /** Gives back what was set aside and not used; at the end of the sync run, however it ends. */
  settle(): Promise<void>
}

const shareOf = { poll: 1, window: windowShare }
const mostAtOnce = 5
/** The budget of a minute is free again within this; that of an hour is the scheduler's business. */
const longestRest = 75_000

/**
 * Sets calls aside in growing portions, so that a poll of one call writes nothing (its call came with the claim) and a
 * long list seldom. What was set aside is used within seconds or given back: the budget counts calls as made when they
 * were taken.
 */
export function callsFor(portal: Portal, tenantId: string, turn: JobContext, purpose: keyof typeof shareOf): Calls {
  const { db, config, now } = portal
  const { prepaid } = turn
  let calls = 0
  let takenAt = prepaid?.at ?? now()
  let reserved = prepaid?.calls ?? 0
  if (prepaid) prepaid.calls = 0
  let portion = 1
  const giveBack = async () => {
    const unused = reserved
    reserved = 0
    await giveCallsBack(db, tenantId, unused, takenAt)
  }
  return {
    get made() {
      return calls
    },
    async take() {
      const age = now().getTime() - takenAt.getTime()
      if (reserved > 0 && (age < 0 || age > goodForMs)) await giveBack()
      while (reserved === 0) {
        turn.stopping?.throwIfAborted()
        takenAt = now()
        const { granted, waitMs } = await takeCalls(db, tenantId, portion, config.sync, takenAt, shareOf[purpose])
        reserved = granted
        portion = Math.min(portion * 2, mostAtOnce)
        if (granted > 0) break
        if (waitMs > longestRest) {
          const facts = { at: now().toISOString(), error: 'own_budget' }
          throw new Refusal('throttled', facts, { retryAfterMs: waitMs })
        }
        await turn.rest(waitMs)
      }
      reserved--
      calls++
    },
    settle: giveBack,
  }
}
