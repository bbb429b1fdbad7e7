import { hour } from '../../time.ts'
import { muster, recordAudit } from '../audit.ts'
import type { Database } from '../engine/dialect.ts'
import { offloaded } from '../engine/offload.ts'
import { write } from '../engine/write.ts'
import { endAlarm, raiseAlarm } from './alarms.ts'
import { type Destination, holdDestination } from './destinations.ts'
import { type Ending, holdMessages, noteEndings } from './outbox.ts'

/** How a try ended, with what it says of its destination. */
export interface NotedOutcome extends Ending {
  destinationId: string | null
  /** It was taken. */
  good: boolean
  /** Nothing will ever be taken there, or a message was tried to its end: why, as a word. */
  offReason: string | null
  /** When the destination may be tried again by any message, UTC; null for at once. */
  notBefore: string | null
}

/** A destination that has failed for so long, this often in a row, is something to be told of. */
const failingMs = hour
const failingTries = 4

/**
 * Notes how tries ended, and what follows for their destinations, in one transaction: one that takes messages is well
 * again; one that refuses is left alone for a while, told of when that lasts, and switched off when nothing helps.
 * @returns the IDs of the messages that were noted; the rest were overtaken
 */
export const noteOutcomes = offloaded(
  'noteOutcomes',
  (db: Database, outcomes: readonly NotedOutcome[], now: Date): Promise<string[]> =>
    write(db, async (tx) => {
      const noted = new Set(await noteEndings(tx, outcomes, now))
      const counted = outcomes.filter((one) => noted.has(one.claim.key))
      // Always locked in this order, so that two processes cannot wait for each other.
      const ids = [...new Set(counted.flatMap((one) => one.destinationId ?? []))].sort()
      for (const id of ids) {
        const destination = await holdDestination(tx, id)
        if (!destination) continue
        await noteDestination(
          tx,
          destination,
          counted.filter((one) => one.destinationId === id),
          now,
        )
      }
      return [...noted]
    }),
)

async function noteDestination(
  tx: Parameters<typeof holdMessages>[0],
  destination: Destination,
  outcomes: readonly NotedOutcome[],
  now: Date,
): Promise<void> {
  const { id } = destination
  const at = now.toISOString()
  const good = outcomes.filter((one) => one.good).length
  const bad = outcomes.filter((one) => !one.good)
  const failing = { kind: 'delivery-failing', subject: id } as const
  if (good > 0) {
    await tx
      .updateTable('destinations')
      .set((eb) => ({
        sent: eb('sent', '+', good),
        last_sent_at: at,
        failing_since: null,
        failures: 0,
        not_before: null,
      }))
      .where('id', '=', id)
      .execute()
    if (destination.failingSince !== null) await endAlarm(tx, failing, now)
    return
  }
  const since = destination.failingSince ?? at
  const failures = destination.failures + bad.length
  const offReason = bad.find((one) => one.offReason !== null)?.offReason ?? null
  const notBefore =
    bad
      .map((one) => one.notBefore ?? '')
      .sort()
      .at(-1) || null
  const switchedOff = offReason !== null && destination.offAt === null
  await tx
    .updateTable('destinations')
    .set({
      failing_since: since,
      failures,
      not_before: notBefore,
      ...(switchedOff ? { off_at: at, off_reason: offReason } : {}),
    })
    .where('id', '=', id)
    .execute()
  const about = { ...failing, subjectId: id }
  if (switchedOff) {
    await holdMessages(tx, id)
    await raiseAlarm(tx, { ...about, facts: { code: 'off', reason: offReason } }, now)
    await recordAudit(tx, muster, {
      action: 'destination.switched-off',
      at: now,
      subjectId: id,
      facts: { destination: destination.name, reason: offReason },
    })
  } else if (failures >= failingTries && now.getTime() - Date.parse(since) >= failingMs && destination.offAt === null) {
    await raiseAlarm(tx, { ...about, facts: { code: 'failing' } }, now)
  }
}
