import { type ColumnDataType, type CreateTableBuilder, type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

type Anything = Kysely<unknown>

const isPostgres = (db: Anything) => db.getExecutor().adapter instanceof PostgresAdapter

export const initial: Migration = {
  async up(db: Anything): Promise<void> {
    const postgres = isPostgres(db)
    // Text is compared byte by byte on both engines: times and IDs sort the same everywhere, whatever the locale.
    const text = postgres ? sql`text collate "C"` : sql`text`

    /** Columns as one readable list: `name` is required text, `name?` may be null, `name#` is a number. */
    const table = (name: string, columns: string, key: string[], { numbered = false } = {}) => {
      let builder: CreateTableBuilder<string, string> = db.schema.createTable(name)
      if (numbered) {
        builder = builder.addColumn('number', postgres ? 'bigint' : 'integer', (c) =>
          postgres ? c.generatedAlwaysAsIdentity().unique() : c.primaryKey(),
        )
      }
      for (const column of columns.split(/\s+/).filter((c) => c !== '')) {
        const [, bare = '', number, optional] = /^(\w+)(#?)(\??)$/.exec(column) ?? []
        const type: ColumnDataType | typeof text = number ? 'integer' : text
        builder = builder.addColumn(bare, type, (c) => {
          if (optional) return c
          return number ? c.notNull().defaultTo(0) : c.notNull()
        })
      }
      const keyed =
        numbered && !postgres
          ? builder.addUniqueConstraint(`${name}_key`, key as never)
          : builder.addPrimaryKeyConstraint(`${name}_pkey`, key as never)
      return keyed.execute()
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
    await index('consent_attempts_browser', 'consent_attempts', 'browser_hash, started_at')
    await index('consent_attempts_outcome', 'consent_attempts', 'outcome, returned_at')
    await table(
      'reviews',
      `id kind customer_id? link_id? attempt_id? tenant_id tenant_name? tenant_domain? evidence person? created_at
       decided_at? decided_by? decision?`,
      ['id'],
    )
    await index('reviews_open', 'reviews', 'created_at', 'where decided_at is null')
    await unique('reviews_undecided', 'reviews', `tenant_id, coalesce(customer_id, '')`, 'where decided_at is null')
    await index('reviews_customer', 'reviews', 'customer_id')

    await table(
      'tenants',
      `tenant_id customer_id display_name? default_domain? region? bound_at bound_how bound_by consented_at?
       access_state state_code? state_since capabilities first_active_at? offboarded_at?
       proving_since? check_attempts# next_check_at? check_lease_until? check_fence# last_check_at?
       next_sync_at? sync_lease_until? sync_fence# sync_failures# sync_phase cursor? last_read_at? last_read_code?
       first_incident_at?
       open_high# open_medium# open_low# open_informational# open_unknown# unassigned_high# unassigned_medium#
       unassigned_low# unassigned_informational# unassigned_unknown# incident_count#`,
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
       redirect_id? created_at created_day last_update_at alert_count# alerts_read_at? search_text content_hash facts
       original first_seen_at stored_at`,
      ['tenant_id', 'incident_id'],
      { numbered: true },
    )
    // Merged incidents appear in no list: every index of the lists leaves them out. Read from either end, whole rows
    // compare as the queue sorts them (incidents/queue-cursor.ts); what the lists filter by is in the index as well, because rows
    // are large and lie far apart.
    const listed = 'where redirect_id is null'
    const sorted = 'open, severity_rank, last_update_at'
    await index('incidents_queue', 'incidents', `${sorted}, tenant_id, incident_id, status`, listed)
    await index('incidents_tenant_queue', 'incidents', `tenant_id, ${sorted}, incident_id, status`, listed)
    await index('incidents_created', 'incidents', 'created_day, severity', listed)
    await index('incidents_id', 'incidents', 'incident_id')
    await index('incidents_alerts_due', 'incidents', `tenant_id, ${sorted}`, 'where alerts_read_at is null')
    await index('incidents_redirected', 'incidents', 'tenant_id, redirect_id', 'where redirect_id is not null')
    await searchByTrigrams(db, postgres)
    await table('alerts', 'tenant_id incident_id alert_id first_activity_at? facts original?', [
      'tenant_id',
      'incident_id',
      'alert_id',
    ])
    await table('rejected_items', 'tenant_id item reason detail first_seen_at last_seen_at', ['tenant_id', 'item'])
    await table('syncs', 'id tenant_id kind started_at finished_at? outcome? code? pages# seen# stored# rejected#', [
      'id',
    ])
    await index('syncs_tenant', 'syncs', 'tenant_id, started_at')
    await index('syncs_started', 'syncs', 'started_at')
    await index('syncs_unfinished', 'syncs', 'tenant_id', 'where finished_at is null')

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

/**
 * Any part of a text is found through its trigrams: an FTS5 table kept in step by triggers, or pg_trgm. Where a server
 * does not let us have that extension, everything works without the index and searches take longer.
 */
async function searchByTrigrams(db: Anything, postgres: boolean): Promise<void> {
  if (postgres) {
    await sql`do $$ begin
      create extension if not exists pg_trgm;
      create index incidents_search on incidents using gin (search_text gin_trgm_ops) where redirect_id is null;
    exception when others then raise notice 'text search goes without an index: %', sqlerrm;
    end $$`.execute(db)
    return
  }
  await sql`create virtual table incident_search using
    fts5(search_text, content='', contentless_delete=1, detail='none', tokenize='trigram case_sensitive 1')`.execute(db)
  await sql`create virtual table incident_search_terms using fts5vocab(incident_search, 'row')`.execute(db)
  // Two letters more, so that the last ones begin a trigram too: a search for one or two letters looks for those.
  const text = sql`new.search_text || char(10) || char(10)`
  await sql`create trigger incident_search_insert after insert on incidents
    begin insert into incident_search (rowid, search_text) values (new.number, ${text}); end`.execute(db)
  await sql`create trigger incident_search_update after update of search_text on incidents
    when new.search_text <> old.search_text
    begin update incident_search set search_text = ${text} where rowid = new.number; end`.execute(db)
  await sql`create trigger incident_search_delete after delete on incidents
    begin delete from incident_search where rowid = old.number; end`.execute(db)
}

/** The log refuses to be rewritten, by whatever code path. */
async function keepAuditAppendOnly(db: Anything, postgres: boolean): Promise<void> {
  if (postgres) {
    await sql`create function audit_events_append_only() returns trigger language plpgsql as
      $$ begin raise exception 'audit events are append-only'; end $$`.execute(db)
    await sql`create trigger audit_events_append_only before update or delete on audit_events
      for each row execute function audit_events_append_only()`.execute(db)
    await sql`create trigger audit_events_no_truncate before truncate on audit_events
      for each statement execute function audit_events_append_only()`.execute(db)
    return
  }
  for (const verb of ['update', 'delete']) {
    await sql`${sql.raw(
      `create trigger audit_events_no_${verb} before ${verb} on audit_events
       begin select raise(abort, 'audit events are append-only'); end`,
    )}`.execute(db)
  }
  // `insert or replace` deletes without asking the trigger above.
  await sql`create trigger audit_events_no_replace before insert on audit_events
    when exists (select 1 from audit_events where id = new.id)
    begin select raise(abort, 'audit events are append-only'); end`.execute(db)
}
