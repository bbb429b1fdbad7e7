import { among, type Database, type Tx } from '../engine/dialect.ts'
import { digest } from '../identifiers.ts'
import { everything, type Scope, within } from '../scope.ts'
import { type ConsentAttempt, fromRow } from './attempts.ts'

/** The run that a state belongs to, used or not: a look that takes no lock, for whoever knocks. */
export async function findAttemptByState(db: Database, state: string): Promise<ConsentAttempt | null> {
  const row = await db
    .selectFrom('consent_attempts')
    .selectAll()
    .where('state_hash', '=', digest(state))
    .executeTakeFirst()
  return row ? fromRow(row) : null
}

/** The attempt whose page this browser may see; null for everybody else. A sign-in on the way has no page. */
export async function findAttemptOfBrowser(
  db: Database,
  id: string,
  browser: string | null,
): Promise<ConsentAttempt | null> {
  if (browser === null) return null
  const row = await db
    .selectFrom('consent_attempts')
    .selectAll()
    .where('id', '=', id)
    .where('browser_hash', '=', digest(browser))
    .where('kind', '!=', 'proof')
    .executeTakeFirst()
  return row ? fromRow(row) : null
}

/** The run this browser came back with last: what tells a mangled return from a forged one. */
export async function findLatestAttemptOfBrowser(db: Database, browser: string): Promise<ConsentAttempt | null> {
  const row = await db
    .selectFrom('consent_attempts')
    .selectAll()
    .where('browser_hash', '=', digest(browser))
    .where('kind', '!=', 'proof')
    .orderBy('started_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row ? fromRow(row) : null
}

/** The run that this browser is at with one link; null when it never left with it. */
export async function findLatestOwnAttempt(
  db: Database,
  linkId: string,
  browser: string,
): Promise<ConsentAttempt | null> {
  const row = await db
    .selectFrom('consent_attempts')
    .selectAll()
    .where('link_id', '=', linkId)
    .where('browser_hash', '=', digest(browser))
    .where('kind', '!=', 'proof')
    .orderBy('started_at', 'desc')
    .executeTakeFirst()
  return row ? fromRow(row) : null
}

/** The run of a link that was kept for this person's sign-in alone, and is not bound. */
export async function findRunOfPerson(tx: Tx, linkId: string, personHash: string): Promise<ConsentAttempt | null> {
  const row = await tx
    .selectFrom('consent_attempts')
    .selectAll()
    .where('link_id', '=', linkId)
    .where('proof_hash', '=', personHash)
    .where('outcome', '!=', 'bound')
    .executeTakeFirst()
  return row ? fromRow(row) : null
}

/** The runs that a proof of this tenant ends, those given up included; those that came back first come first. */
export async function attemptsAwaiting(db: Database, tenantId: string, limit: number): Promise<ConsentAttempt[]> {
  const rows = await db
    .selectFrom('consent_attempts')
    .selectAll()
    .where('claimed_tenant_id', '=', tenantId)
    .where('outcome', 'in', ['awaiting-proof', 'unproven'])
    .orderBy('returned_at')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(fromRow)
}

/** Attempts that came back before `before` and never got to an end. */
export async function abandonedAttempts(db: Database, before: Date): Promise<ConsentAttempt[]> {
  const rows = await db
    .selectFrom('consent_attempts')
    .selectAll()
    .where('outcome', 'in', ['claimed', 'proving-tenant'])
    .where('returned_at', '<', before.toISOString())
    .orderBy('returned_at')
    .limit(50)
    .execute()
  return rows.map(fromRow)
}

/** Runs through Microsoft that came back, the latest first. */
export async function attemptsOf(db: Database, customerId: string, limit = 50): Promise<ConsentAttempt[]> {
  const rows = await db
    .selectFrom('consent_attempts')
    .selectAll()
    .where('customer_id', '=', customerId)
    .where('returned_at', 'is not', null)
    .where('kind', '!=', 'proof')
    .orderBy('returned_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(fromRow)
}

/** The run every customer, or each of those named, came back with last. One look into an index for each customer. */
export async function latestAttempts(
  db: Database,
  customerIds?: readonly string[],
  scope: Scope = everything,
): Promise<Map<string, ConsentAttempt>> {
  const rows = await db
    .selectFrom('customers')
    .innerJoin('consent_attempts as attempt', (join) =>
      join.on('attempt.id', '=', (eb) =>
        eb
          .selectFrom('consent_attempts as latest')
          .select('latest.id')
          .whereRef('latest.customer_id', '=', 'customers.id')
          .where('latest.returned_at', 'is not', null)
          .where('latest.kind', '!=', 'proof')
          .orderBy('latest.returned_at', 'desc')
          .orderBy('latest.id', 'desc')
          .limit(1),
      ),
    )
    .$if(customerIds !== undefined, (query) => query.where(among(db, 'customers.id', customerIds ?? [])))
    .where(within(db, scope, 'customers.id'))
    .selectAll('attempt')
    .execute()
  return new Map(rows.map((row) => [row.customer_id, fromRow(row)]))
}
