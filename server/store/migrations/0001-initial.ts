import { type ColumnDataType, type CreateTableBuilder, type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

type Anything = Kysely<unknown>

const isPostgres = (db: Anything) => db.getExecutor().adapter instanceof PostgresAdapter

export const initial: Migration = {
  async up(db: Anything): Promise<void> {
    const postgres = isPostgres(db)
    // Text is compared byte by byte on both engines: times and IDs sort the same everywhere, whatever the locale.
    const text = postgres ? sql`text collate "C"` : sql`text`

    /** Columns as one readable list: `name` is required text, `name?` may be null, `name#` is a number. */
    const table = (name: string, columns: string, key: string[]) => {
      let builder: CreateTableBuilder<string, string> = db.schema.createTable(name)
      for (const column of columns.split(/\s+/).filter((c) => c !== '')) {
        const [, bare = '', number, optional] = /^(\w+)(#?)(\??)$/.exec(column) ?? []
        const type: ColumnDataType | typeof text = number ? 'integer' : text
        builder = builder.addColumn(bare, type, (c) => {
          if (optional) return c
          return number ? c.notNull().defaultTo(0) : c.notNull()
        })
      }
      return builder.addPrimaryKeyConstraint(`${name}_pkey`, key as never).execute()
    }
    const index = (name: string, on: string, columns: string, where = '') =>
      sql`${sql.raw(`create index ${name} on ${on} (${columns}) ${where}`)}`.execute(db)
    const unique = (name: string, on: string, columns: string, where = '') =>
      sql`${sql.raw(`create unique index ${name} on ${on} (${columns}) ${where}`)}`.execute(db)

    await table(
      'operators',
      'id tid oid name? username? roles guest# language? time_zone? theme? first_seen_at last_seen_at',
      ['id'],
    )
    await table('sessions', 'id_hash operator_id? data created_at expires_at', ['id_hash'])
    await index('sessions_expiry', 'sessions', 'expires_at')
    await index('sessions_operator', 'sessions', 'operator_id')
    await table('spent_tokens', 'hash expires_at', ['hash'])
    await index('spent_tokens_expiry', 'spent_tokens', 'expires_at')
    await table('settings', 'name value changed_at', ['name'])
    await table('alarms', 'code since seen_at facts', ['code'])

    await table(
      'customers',
      `id name language contact_name? contact_email? notes? expected_tenant_id? expected_domain?
       created_at updated_at offboarded_at?`,
      ['id'],
    )
    await index('customers_name', 'customers', 'name, id')
    await table('customer_groups', 'customer_id name', ['customer_id', 'name'])
    await index('customer_groups_name', 'customer_groups', 'name, customer_id')

    await table(
      'consent_links',
      `id customer_id token_hash reference pinned_tenant_id? pinned_domain? issued_at issued_by expires_at
       withdrawn_at? completed_at? opened_at? opened_count# next_probe_at?`,
      ['id'],
    )
    await unique('consent_links_token', 'consent_links', 'token_hash')
    await index('consent_links_probe', 'consent_links', 'next_probe_at', 'where next_probe_at is not null')
    await index('consent_links_customer', 'consent_links', 'customer_id, issued_at')
    await table(
      'consent_attempts',
      `id link_id customer_id kind state_hash browser_hash? pinned_tenant_id? started_at expires_at returned_at?
       outcome claimed_tenant_id? bound_tenant_id? aadsts#? finished_at?`,
      ['id'],
    )
    await unique('consent_attempts_state', 'consent_attempts', 'state_hash')
    await index('consent_attempts_customer', 'consent_attempts', 'customer_id, started_at')
    await index('consent_attempts_link', 'consent_attempts', 'link_id')
    await table(
      'reviews',
      `id kind customer_id? link_id? attempt_id? tenant_id tenant_name? tenant_domain? evidence person? created_at
       decided_at? decided_by? decision?`,
      ['id'],
    )
    await index('reviews_open', 'reviews', 'created_at', 'where decided_at is null')
    await index('reviews_customer', 'reviews', 'customer_id')

    await table(
      'tenants',
      `tenant_id customer_id display_name? default_domain? region? bound_at bound_how bound_by consented_at?
       access_state state_code? state_since capabilities first_active_at? offboarded_at?
       proving_since? check_attempts# next_check_at? check_lease_until? check_fence# last_check_at?
       next_sync_at? sync_lease_until? sync_fence# sync_failures# sync_phase cursor? last_read_at? last_read_code?
       reconciled_at? reconciled_differences#? first_incident_at?
       open_high# open_medium# open_low# open_informational# open_unknown# open_unassigned# incident_count#`,
      ['tenant_id'],
    )
    await index('tenants_customer', 'tenants', 'customer_id')
    await index('tenants_check_due', 'tenants', 'next_check_at', 'where next_check_at is not null')
    await index('tenants_sync_due', 'tenants', 'next_sync_at', 'where next_sync_at is not null')
    await table(
      'access_checks',
      `id tenant_id at attempt# state refusal_code? refusal? claims? capabilities calls missing_roles unexpected_roles`,
      ['id'],
    )
    await index('access_checks_tenant', 'access_checks', 'tenant_id, at')

    await table(
      'incidents',
      `tenant_id incident_id title severity severity_rank# status open# assigned_to? classification? determination?
       redirect_id? created_at last_update_at alert_count# alerts_read_at? search_text content_hash facts original first_seen_at
       stored_at`,
      ['tenant_id', 'incident_id'],
    )
    // Merged incidents appear in no list: every index of the lists leaves them out.
    const listed = 'where redirect_id is null'
    await index(
      'incidents_queue',
      'incidents',
      'open desc, severity_rank desc, last_update_at desc, tenant_id, incident_id',
      listed,
    )
    await index(
      'incidents_tenant_queue',
      'incidents',
      'tenant_id, open desc, severity_rank desc, last_update_at desc, incident_id',
      listed,
    )
    await index('incidents_created', 'incidents', 'created_at', listed)
    await index('incidents_alerts_due', 'incidents', 'tenant_id', 'where alerts_read_at is null')
    await index('incidents_redirected', 'incidents', 'tenant_id, redirect_id', 'where redirect_id is not null')
    await table('alerts', 'tenant_id alert_id incident_id first_activity_at? facts original', ['tenant_id', 'alert_id'])
    await index('alerts_incident', 'alerts', 'tenant_id, incident_id')
    await table('rejected_items', 'tenant_id item reason detail first_seen_at last_seen_at', ['tenant_id', 'item'])
    await table('syncs', 'id tenant_id kind started_at finished_at? outcome? code? pages# seen# stored# rejected#', [
      'id',
    ])
    await index('syncs_tenant', 'syncs', 'tenant_id, started_at')

    await sql`${sql.raw(
      `create table audit_events (
         id ${postgres ? 'bigint generated always as identity primary key' : 'integer primary key autoincrement'},
         ${[
           'at',
           'actor_kind',
           'actor_id?',
           'actor_name?',
           'action',
           'customer_id?',
           'tenant_id?',
           'subject_id?',
           'facts',
           'address?',
           'request_id?',
         ]
           .map(
             (c) => `${c.replace('?', '')} text ${postgres ? 'collate "C"' : ''} ${c.endsWith('?') ? '' : 'not null'}`,
           )
           .join(', ')}
       )`,
    )}`.execute(db)
    await index('audit_events_customer', 'audit_events', 'customer_id, id')
    await index('audit_events_tenant', 'audit_events', 'tenant_id, id')
    await keepAuditAppendOnly(db, postgres)
  },
}

/** The log refuses to be rewritten, by whatever code path. */
async function keepAuditAppendOnly(db: Anything, postgres: boolean): Promise<void> {
  if (postgres) {
    await sql`create function audit_events_append_only() returns trigger language plpgsql as
      $$ begin raise exception 'audit events are append-only'; end $$`.execute(db)
    await sql`create trigger audit_events_append_only before update or delete on audit_events
      for each row execute function audit_events_append_only()`.execute(db)
    return
  }
  for (const verb of ['update', 'delete']) {
    await sql`${sql.raw(
      `create trigger audit_events_no_${verb} before ${verb} on audit_events
       begin select raise(abort, 'audit events are append-only'); end`,
    )}`.execute(db)
  }
}
