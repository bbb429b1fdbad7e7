import { type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import { day, hour } from '../../time.ts'
import type { Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'

/**
 * Runs that are kept at once, of one browser and of one network address with one link, of one link, and of one customer.
 * Whoever holds a link can come back from Microsoft as often as they like; more than this is kept of nobody.
 */
export const mostAttempts = { browser: 5, address: 20, link: 100, customer: 300 } as const

/** Of another browser's run, what is younger never gives way: somebody may be waiting for what becomes of it. */
const youngMs = hour
/** Whose access was proven keeps the page of it for as long as the browser is known. */
const keptReceiptMs = 7 * day

/** Who comes back, and with which link. */
export interface Returning {
  linkId: string
  customerId: string
  /** SHA-256 of the browser's secret. */
  browserHash: string
  /** Keyed hash of the network address; null when nobody knows it. */
  addressHash: string | null
  now: Date
}

type Where = (eb: ExpressionBuilder<Schema, 'consent_attempts'>) => ReturnType<typeof eb.and>

/**
 * Finds room for one more run. Own runs give way first, then others' that are over and old; a run that waits for a proof
 * after a sign-in, or for an operator, never does.
 * @returns IDs of the runs that have to give way for it; null when none can: nothing is kept then
 */
export async function findRoom(tx: Tx, returning: Returning): Promise<string[] | null> {
  const { linkId, customerId, browserHash, addressHash } = returning
  const scopes: [number, Where][] = [
    [mostAttempts.browser, (eb) => eb.and({ link_id: linkId, browser_hash: browserHash })],
    [mostAttempts.link, (eb) => eb.and({ link_id: linkId })],
    [mostAttempts.customer, (eb) => eb.and({ customer_id: customerId })],
  ]
  if (addressHash !== null) {
    scopes.splice(1, 0, [mostAttempts.address, (eb) => eb.and({ link_id: linkId, address_hash: addressHash })])
  }
  const leaving: string[] = []
  for (const [most, where] of scopes) {
    const more = await findRoomIn(tx, most, where, returning, leaving)
    if (more === null) return null
    leaving.push(...more)
  }
  return leaving
}

async function findRoomIn(
  tx: Tx,
  most: number,
  where: Where,
  returning: Returning,
  leaving: readonly string[],
): Promise<string[] | null> {
  const staying = tx
    .selectFrom('consent_attempts')
    .where(where)
    .where('kind', '!=', 'proof')
    .$if(leaving.length > 0, (query) => query.where('id', 'not in', leaving))
  const { kept } = await staying
    .select(({ fn }) => fn.countAll<number>().as('kept'))
    .where('returned_at', 'is not', null)
    .executeTakeFirstOrThrow()
  const surplus = Number(kept) - most + 1
  if (surplus <= 0) return []
  const ago = (ms: number) => new Date(returning.now.getTime() - ms).toISOString()
  const own = sql<SqlBool>`browser_hash = ${returning.browserHash}`
  const rows = await staying
    .select('id')
    .where((eb) => eb.or([own, eb('returned_at', '<', ago(youngMs))]))
    .where((eb) => eb.or([eb('outcome', '!=', 'bound'), eb('returned_at', '<', ago(keptReceiptMs))]))
    .where((eb) => eb.or([eb('outcome', '!=', 'awaiting-proof'), eb('evidence', '=', 'callback')]))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('reviews')
            .select('reviews.id')
            .whereRef('reviews.attempt_id', '=', 'consent_attempts.id')
            .where('reviews.decided_at', 'is', null),
        ),
      ),
    )
    .orderBy(sql`case when ${own} then 0 else 1 end`)
    .orderBy(sql`case when finished_at is null then 1 else 0 end`)
    .orderBy('returned_at')
    .limit(surplus)
    .execute()
  return rows.length < surplus ? null : rows.map(({ id }) => id)
}

/** Removes runs that give way to another. */
export async function giveWay(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await tx.deleteFrom('consent_attempts').where('id', 'in', ids).execute()
}
