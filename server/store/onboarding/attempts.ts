import type { Selectable } from 'kysely'
import { among, type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { digest, newId, newToken } from '../identifiers.ts'
import { everything, type Scope, within } from '../scope.ts'

/** `landing` from our page, `classic` from the documentation's link, `proof` the sign-in straight after consent. */
export type AttemptKind = 'landing' | 'classic' | 'proof'

/**
 * `late`: back after its hour was over · `mangled`: back with a state that had been altered on the way · `claimed`,
 * `proving-tenant`: back, and the tenant is to be shown by a sign-in · `awaiting-proof`: the tenant is known, and
 * Microsoft is asked whether it consented · `bound`: a token proved it · `unproven`: none was found in two days.
 */
export type AttemptOutcome =
  | 'started'
  | 'late'
  | 'mangled'
  | 'claimed'
  | 'proving-tenant'
  | 'awaiting-proof'
  | 'bound'
  | 'unproven'
  | 'review'
  | 'declined'
  | 'not-admin'
  | 'wrong-tenant'
  | 'unlicensed'
  | 'tenant-taken'
  | 'tenant-is-partner'
  | 'other-tenant-signed-in'
  | 'sign-in-failed'
  | 'link-withdrawn'
  | 'misconfigured'
  | 'refused'

/** Only said by a browser; proven by a validated sign-in; decided by an operator. */
export type AttemptEvidence = 'callback' | 'sign-in' | 'decision'

export interface ConsentAttempt {
  id: string
  linkId: string
  customerId: string
  kind: AttemptKind
  browserHash: string | null
  pinnedTenantId: string | null
  startedAt: string
  expiresAt: string
  returnedAt: string | null
  outcome: AttemptOutcome
  claimedTenantId: string | null
  boundTenantId: string | null
  /** The tenant whose member signed in in this browser for this run, by a validated ID token. */
  signedInTenantId: string | null
  aadsts: number | null
  finishedAt: string | null
  /** How `claimedTenantId` is known while a proof of its consent is awaited; null before. */
  evidence: AttemptEvidence | null
  /** Who signed in, for display. */
  person: string | null
}

/**
 * Keeps the classic link of a consent link, as a run that no browser has set out with: whoever comes back with its state has
 * a run of his own.
 * @returns the state, once; it is kept as a hash
 */
export async function recordClassicLink(
  tx: Tx,
  link: { linkId: string; customerId: string; pinnedTenantId: string | null; now: Date; expiresAt: Date },
): Promise<string> {
  const state = newToken()
  await tx
    .insertInto('consent_attempts')
    .values({
      id: newId(),
      link_id: link.linkId,
      customer_id: link.customerId,
      kind: 'classic',
      state_hash: digest(state),
      browser_hash: null,
      pinned_tenant_id: link.pinnedTenantId,
      started_at: link.now.toISOString(),
      expires_at: link.expiresAt.toISOString(),
      returned_at: null,
      outcome: 'started',
      claimed_tenant_id: null,
      bound_tenant_id: null,
      signed_in_tenant_id: null,
      aadsts: null,
      finished_at: null,
      evidence: null,
      person: null,
      address_hash: null,
      proof_hash: null,
    })
    .execute()
  return state
}

/**
 * Keeps a run that has come back. Its departure left no row, so this is where its state is spent: of any number of returns
 * with it, in whatever process, exactly one is kept.
 * @returns null when the state was spent before
 */
export async function recordReturn(
  tx: Tx,
  run: {
    linkId: string
    customerId: string
    kind: 'landing' | 'classic'
    state: string
    browserHash: string
    addressHash: string | null
    pinnedTenantId: string | null
    leftAt: string
    outcome: AttemptOutcome
    claimedTenantId: string | null
    /** Hash of the person for whose sign-in alone it is kept; null for a run of a browser. */
    personHash: string | null
    now: Date
    expiresAt: Date
  },
): Promise<ConsentAttempt | null> {
  const id = newId()
  const kept = await tx
    .insertInto('consent_attempts')
    .values({
      id,
      link_id: run.linkId,
      customer_id: run.customerId,
      kind: run.kind,
      state_hash: digest(run.state),
      browser_hash: run.browserHash,
      pinned_tenant_id: run.pinnedTenantId,
      started_at: run.leftAt,
      expires_at: run.expiresAt.toISOString(),
      returned_at: run.now.toISOString(),
      outcome: run.outcome,
      claimed_tenant_id: run.claimedTenantId,
      bound_tenant_id: null,
      aadsts: null,
      finished_at: isUnfinished(run.outcome) ? null : run.now.toISOString(),
      evidence: null,
      person: null,
      address_hash: run.addressHash,
      proof_hash: run.personHash,
    })
    .onConflict((oc) => oc.column('state_hash').doNothing())
    .executeTakeFirst()
  return kept.numInsertedOrUpdatedRows === 1n ? attemptById(tx, id) : null
}

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
  return taken.numUpdatedRows === 1n ? attemptById(tx, id) : null
}

export type Redemption =
  | { found: 'fresh'; attempt: ConsentAttempt }
  /** The state is ours, but used, late, or carried by a browser that is not the attempt's (`mine` is false). */
  | { found: 'spent' | 'late' | 'other-browser'; attempt: ConsentAttempt; mine: boolean }
  | { found: 'unknown' }

/** The run that a state belongs to, used or not: a look that takes no lock, for whoever knocks. */
export async function findAttemptByState(db: Database, state: string): Promise<ConsentAttempt | null> {
  const row = await db
    .selectFrom('consent_attempts')
    .selectAll()
    .where('state_hash', '=', digest(state))
    .executeTakeFirst()
  return row ? fromRow(row) : null
}

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

/** Back from Microsoft, and still to show by a sign-in which tenant it is about. */
export const isBeforeSignIn = (outcome: AttemptOutcome): boolean =>
  outcome === 'claimed' || outcome === 'proving-tenant'

const isUnfinished = (outcome: AttemptOutcome): boolean => isBeforeSignIn(outcome) || outcome === 'awaiting-proof'

/** A run whose tenant is known waits for a token that proves its consent. */
export async function awaitProofOf(
  tx: Tx,
  id: string,
  claimed: { tenantId: string; evidence: AttemptEvidence; person: string | null },
): Promise<void> {
  await tx
    .updateTable('consent_attempts')
    .set({
      outcome: 'awaiting-proof',
      finished_at: null,
      claimed_tenant_id: claimed.tenantId,
      evidence: claimed.evidence,
      person: claimed.person,
    })
    .where('id', '=', id)
    .execute()
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

/** No proof came in time: the runs that waited for it are over. A token that comes later still ends them well. */
export async function giveUpAttempts(tx: Tx, tenantId: string, now: Date): Promise<void> {
  await tx
    .updateTable('consent_attempts')
    .set({ outcome: 'unproven', finished_at: now.toISOString() })
    .where('claimed_tenant_id', '=', tenantId)
    .where('outcome', '=', 'awaiting-proof')
    .execute()
}

/** Notes where an attempt has got to. */
export async function recordOutcome(
  tx: Tx,
  id: string,
  outcome: AttemptOutcome,
  now: Date,
  more: { claimedTenantId?: string | null; boundTenantId?: string | null; aadsts?: number | null } = {},
): Promise<void> {
  await tx
    .updateTable('consent_attempts')
    .set({
      outcome,
      finished_at: isUnfinished(outcome) ? null : now.toISOString(),
      ...(more.claimedTenantId === undefined ? {} : { claimed_tenant_id: more.claimedTenantId }),
      ...(more.boundTenantId === undefined ? {} : { bound_tenant_id: more.boundTenantId }),
      ...(more.aadsts === undefined ? {} : { aadsts: more.aadsts }),
    })
    .where('id', '=', id)
    .execute()
}

/** Somebody of that tenant has signed in in the browser of this run. */
export async function recordSignedInTenant(tx: Tx, id: string, tenantId: string): Promise<void> {
  await tx.updateTable('consent_attempts').set({ signed_in_tenant_id: tenantId }).where('id', '=', id).execute()
}

/** The attempt whose page this browser may see; null for everybody else. A sign-in on the way has no page. */
export async function attemptOfBrowser(
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
export async function latestAttemptOfBrowser(db: Database, browser: string): Promise<ConsentAttempt | null> {
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
export async function latestOwnAttempt(db: Database, linkId: string, browser: string): Promise<ConsentAttempt | null> {
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

/** The attempt, which nobody else ends until the transaction does. */
export async function holdAttempt(tx: Tx, id: string): Promise<ConsentAttempt> {
  const query = tx.selectFrom('consent_attempts').selectAll().where('id', '=', id)
  return fromRow(await query.$if(isPostgres(tx), (held) => held.forUpdate()).executeTakeFirstOrThrow())
}

export async function attemptById(db: Database, id: string): Promise<ConsentAttempt> {
  return fromRow(await db.selectFrom('consent_attempts').selectAll().where('id', '=', id).executeTakeFirstOrThrow())
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

function fromRow(row: Selectable<Schema['consent_attempts']>): ConsentAttempt {
  return {
    id: row.id,
    linkId: row.link_id,
    customerId: row.customer_id,
    kind: row.kind as AttemptKind,
    browserHash: row.browser_hash,
    pinnedTenantId: row.pinned_tenant_id,
    startedAt: row.started_at,
    expiresAt: row.expires_at,
    returnedAt: row.returned_at,
    outcome: row.outcome as AttemptOutcome,
    claimedTenantId: row.claimed_tenant_id,
    boundTenantId: row.bound_tenant_id,
    signedInTenantId: row.signed_in_tenant_id,
    aadsts: row.aadsts,
    finishedAt: row.finished_at,
    evidence: row.evidence as ConsentAttempt['evidence'],
    person: row.person,
  }
}
