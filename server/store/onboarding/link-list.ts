import { among, type Database, type Tx } from '../engine/dialect.ts'
import { everything, type Scope, within } from '../scope.ts'
import { type ConsentLink, fromRow } from './links.ts'

/** The open links of a customer by which this tenant was asked for: pinned to it, or named by a review that was confirmed. */
export async function linksFor(tx: Tx, customerId: string, tenantId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('consent_links')
    .select('id')
    .where('customer_id', '=', customerId)
    .where('completed_at', 'is', null)
    .where('withdrawn_at', 'is', null)
    .where((eb) =>
      eb.or([
        eb('pinned_tenant_id', '=', tenantId),
        eb(
          'id',
          'in',
          eb
            .selectFrom('reviews')
            .select('reviews.link_id')
            .where('reviews.customer_id', '=', customerId)
            .where('reviews.tenant_id', '=', tenantId)
            .where('reviews.decision', '=', 'confirmed'),
        ),
      ]),
    )
    .execute()
  return rows.map((row) => row.id)
}

/** Newest first, at most `limit`. */
export async function linksOf(db: Database, customerId: string, limit = 20): Promise<ConsentLink[]> {
  const rows = await db
    .selectFrom('consent_links')
    .selectAll()
    .where('customer_id', '=', customerId)
    .orderBy('issued_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(fromRow)
}

/** The newest link of every customer that has one, or of those named. One look into an index for each customer. */
export async function latestLinks(
  db: Database,
  customerIds?: readonly string[],
  scope: Scope = everything,
): Promise<Map<string, ConsentLink>> {
  const rows = await db
    .selectFrom('customers')
    .innerJoin('consent_links as link', (join) =>
      join.on('link.id', '=', (eb) =>
        eb
          .selectFrom('consent_links as latest')
          .select('latest.id')
          .whereRef('latest.customer_id', '=', 'customers.id')
          .orderBy('latest.issued_at', 'desc')
          .orderBy('latest.id')
          .limit(1),
      ),
    )
    .$if(customerIds !== undefined, (query) => query.where(among(db, 'customers.id', customerIds ?? [])))
    .where(within(db, scope, 'customers.id'))
    .selectAll('link')
    .execute()
  return new Map(rows.map((row) => [row.customer_id, fromRow(row)]))
}

/** Customers that were sent a link since then and are still served, or at any time. */
export async function invitedCustomers(db: Database, since: Date | null, scope: Scope = everything): Promise<string[]> {
  const rows = await db
    .selectFrom('customers')
    .select('id')
    .where('offboarded_at', 'is', null)
    .where(within(db, scope, 'customers.id'))
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('consent_links')
          .select('consent_links.id')
          .whereRef('consent_links.customer_id', '=', 'customers.id')
          .where('consent_links.issued_at', '>=', since?.toISOString() ?? ''),
      ),
    )
    .execute()
  return rows.map((row) => row.id)
}
