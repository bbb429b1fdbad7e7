import { type Kysely, type Migration, Migrator, sql } from 'kysely'
import { type Database, isPostgres } from './dialect.ts'
import { initial } from './migrations/0001-initial.ts'
import { windows } from './migrations/0002-windows.ts'
import { partialAnswers } from './migrations/0003-partial-answers.ts'
import { signedInTenant } from './migrations/0004-signed-in-tenant.ts'
import { consentProven } from './migrations/0005-consent-proven.ts'
import { refusedSignIns } from './migrations/0006-refused-sign-ins.ts'
import { awaitedProofs } from './migrations/0007-awaited-proofs.ts'
import { departures } from './migrations/0008-departures.ts'
import { partnerFaults } from './migrations/0009-partner-faults.ts'
import { readingVersionColumn } from './migrations/0010-reading-version.ts'
import { notifications } from './migrations/0011-notifications.ts'
import { tenantDays } from './migrations/0012-tenant-days.ts'
import { operatorScopes } from './migrations/0013-operator-scopes.ts'
import { auditFilters } from './migrations/0014-audit-filters.ts'
import { leases } from './migrations/0015-leases.ts'
import { auditSeals } from './migrations/0016-audit-seals.ts'

/** In order, never edited once released: a change to the schema is a new entry. */
export const migrations = {
  '0001-initial': initial,
  '0002-windows': windows,
  '0003-partial-answers': partialAnswers,
  '0004-signed-in-tenant': signedInTenant,
  '0005-consent-proven': consentProven,
  '0006-refused-sign-ins': refusedSignIns,
  '0007-awaited-proofs': awaitedProofs,
  '0008-departures': departures,
  '0009-partner-faults': partnerFaults,
  '0010-reading-version': readingVersionColumn,
  '0011-notifications': notifications,
  '0012-tenant-days': tenantDays,
  '0013-operator-scopes': operatorScopes,
  '0014-audit-filters': auditFilters,
  '0015-leases': leases,
  '0016-audit-seals': auditSeals,
} satisfies Record<string, Migration>

/** The database was migrated by a newer Muster: serving it with this one could destroy what it does not know. */
export class SchemaTooNewError extends Error {
  constructor(names: string[]) {
    super(`The database holds migrations this version does not know: ${names.join(', ')}. Start the newer version.`)
    this.name = 'SchemaTooNewError'
  }
}

/** Brings the schema up to date. Any number of processes may start at once: one migrates, the rest wait for it. */
export async function migrate(db: Database): Promise<void> {
  await refuseNewer(db)
  const { error } = await migrator(db).migrateToLatest()
  if (error) {
    // A newer process may have migrated between our look and our lock.
    await refuseNewer(db)
    throw error
  }
}

export type SchemaState = 'empty' | 'older' | 'current' | 'newer'

/** How the schema stands to this version of Muster. */
export async function schemaState(db: Database): Promise<SchemaState> {
  const executed = await executedMigrations(db)
  if (executed.some((name) => !(name in migrations))) return 'newer'
  if (executed.length === 0) return 'empty'
  return executed.length === Object.keys(migrations).length ? 'current' : 'older'
}

/** True when every migration of this version has run, and none of a newer one. */
export async function isMigrated(db: Database): Promise<boolean> {
  return (await schemaState(db)) === 'current'
}

const migrator = (db: Database) => new Migrator({ db, provider: { getMigrations: async () => migrations } })

async function refuseNewer(db: Database): Promise<void> {
  const unknown = (await executedMigrations(db)).filter((name) => !(name in migrations))
  if (unknown.length > 0) throw new SchemaTooNewError(unknown)
}

async function executedMigrations(db: Database): Promise<string[]> {
  const exists = isPostgres(db)
    ? sql`select 1 where to_regclass('kysely_migration') is not null`
    : sql`select 1 from sqlite_master where type = 'table' and name = 'kysely_migration'`
  if ((await exists.execute(db)).rows.length === 0) return []
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(
    db as unknown as Kysely<unknown>,
  )
  return rows.map((row) => row.name)
}
