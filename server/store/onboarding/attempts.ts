import type { Selectable } from 'kysely'
import { PortalError } from '../../errors.ts'
import { type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { digest, newId, newToken } from '../identifiers.ts'

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
  return kept.numInsertedOrUpdatedRows === 1n ? getAttempt(tx, id) : null
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

/** The attempt, which nobody else ends until the transaction does. @throws PortalError NOT_FOUND */
export async function holdAttempt(tx: Tx, id: string): Promise<ConsentAttempt> {
  const query = tx.selectFrom('consent_attempts').selectAll().where('id', '=', id)
  const row = await query.$if(isPostgres(tx), (attempt) => attempt.forUpdate()).executeTakeFirst()
  if (!row) throw new PortalError('NOT_FOUND')
  return fromRow(row)
}

/** @throws PortalError NOT_FOUND */
export async function getAttempt(db: Database, id: string): Promise<ConsentAttempt> {
  const row = await db.selectFrom('consent_attempts').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw new PortalError('NOT_FOUND')
  return fromRow(row)
}

export function fromRow(row: Selectable<Schema['consent_attempts']>): ConsentAttempt {
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
