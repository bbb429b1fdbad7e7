import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { among, type Database } from './engine/dialect.ts'

/** Customers by their IDs, and all customers of these groups: those that join one later as well. */
export interface LimitedScope {
  customerIds: readonly string[]
  groups: readonly string[]
  /** Groups as an app role value can name them: a space is an underscore there. */
  groupValues: readonly string[]
}

/** Whose data may be read. */
export type Scope = 'everything' | LimitedScope

export const everything = 'everything' satisfies Scope

/** Whether a column of customer IDs lies in a scope; an ID that is null lies in `everything` alone. */
export function within(db: Database, scope: Scope, column: string): RawBuilder<SqlBool> {
  if (scope === everything) return sql<SqlBool>`1 = 1`
  const { customerIds, groups, groupValues } = scope
  const ways: RawBuilder<unknown>[] = []
  if (customerIds.length > 0) ways.push(among(db, column, customerIds))
  if (groups.length > 0) ways.push(inGroups(column, among(db, 'name', groups)))
  if (groupValues.length > 0) {
    const values = sql.join(groupValues.map((value) => sql`${value}`))
    ways.push(inGroups(column, sql`replace(name, ' ', '_') in (${values})`))
  }
  return ways.length === 0 ? sql<SqlBool>`1 = 0` : sql<SqlBool>`(${sql.join(ways, sql` or `)})`
}

/** The same of a column of tenant IDs. */
export const tenantWithin = (db: Database, scope: Scope, column: string): RawBuilder<SqlBool> =>
  scope === everything
    ? sql<SqlBool>`1 = 1`
    : sql<SqlBool>`${sql.ref(column)} in (select tenants.tenant_id from tenants
        where ${within(db, scope, 'tenants.customer_id')})`

const inGroups = (column: string, named: RawBuilder<unknown>) =>
  sql`${sql.ref(column)} in (select customer_groups.customer_id from customer_groups where ${named})`
