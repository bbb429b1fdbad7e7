import { type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

type Anything = Kysely<unknown>

/**
 * What reading without loss needs beside the cursor: windows that are read in slices, a budget of calls, pauses, the
 * time Microsoft asked to be left alone, counts per day that are kept as incidents change, and notes on incidents.
 */
export const windows: Migration = {
  async up(db: Anything): Promise<void> {
    const postgres = db.getExecutor().adapter instanceof PostgresAdapter
    const text = postgres ? 'text collate "C"' : 'text'
    const run = (statement: string) => sql`${sql.raw(statement)}`.execute(db)
    /** `name` is required text, `name?` may be null, `name#` is a number. */
    const define = (column: string) => {
      const [, name = '', number, optional] = /^(\w+)(#?)(\??)$/.exec(column) ?? []
      return `${name} ${number ? 'integer' : text}${optional ? '' : ` not null${number ? ' default 0' : ''}`}`
    }
    const table = (name: string, columns: string, key: string) =>
      run(`create table ${name} (${columns.split(/\s+/).map(define).join(', ')}, primary key (${key}))`)
    const add = async (name: string, columns: string) => {
      for (const column of columns.split(/\s+/)) await run(`alter table ${name} add column ${define(column)}`)
    }

    await add(
      'tenants',
      `next_window_at? sync_not_before? sync_started_at? last_change_at? backfilled_at? next_reconcile_at?
       next_deep_reconcile_at? reconciled_at? reconcile_differences# paused_at? paused_by?`,
    )
    await run('create index tenants_window_due on tenants (next_window_at) where next_window_at is not null')
    // The first sync run starts over where it was under way; the rest is compared soon.
    await run(`update tenants set sync_phase = 'open', cursor = null where sync_phase = 'backfill'`)
    await run(`update tenants set next_window_at = next_sync_at, next_reconcile_at = next_sync_at
      where sync_phase = 'following'`)

    await add('syncs', 'window_id? request_id? added# differences# calls#')
    await run('alter table syncs add column polls integer not null default 1')

    await table(
      'windows',
      `id tenant_id kind from_at to_at reached_at step_ms# created_at created_by? started_at? finished_at? expected#?
       seen# stored# added# differences# pages# calls#`,
      'id',
    )
    await run('create index windows_tenant on windows (tenant_id, created_at)')
    await run('create index windows_unfinished on windows (tenant_id) where finished_at is null')

    await table('call_budgets', 'tenant_id calls', 'tenant_id')
    await table('created_days', 'day severity shard# incidents#', 'day, severity, shard')
    await run(`insert into created_days (day, severity, shard, incidents)
      select created_day, severity, 0, count(*) from incidents where redirect_id is null group by created_day, severity`)
    await run('drop index incidents_created')

    await add('incidents', 'gone_at? alerts? alert_originals?')
    await foldAlerts(run, postgres)
    if (postgres) {
      // A fifth of the time of storing an incident, where the server was built with it.
      await run(`do $$ begin
        execute 'alter table incidents alter column original set compression lz4, alter column alerts set compression lz4,
          alter column alert_originals set compression lz4';
      exception when others then raise notice 'originals keep the usual compression: %', sqlerrm;
      end $$`)
    }
    await run('create index incidents_gone on incidents (tenant_id, incident_id) where gone_at is not null')
    await run('create index incidents_changed on incidents (tenant_id, last_update_at, incident_id)')
    await table('incident_notes', 'id tenant_id incident_id text by_id by_name at removed_at? removed_by?', 'id')
    await run('create index incident_notes_incident on incident_notes (tenant_id, incident_id, at)')
  },
}

/** Alerts are read and written with their incident and never without it: rows of their own were a third of storing it. */
async function foldAlerts(run: (statement: string) => Promise<unknown>, postgres: boolean): Promise<void> {
  const [list, json] = postgres
    ? ['json_agg', (text: string) => `(${text})::json`]
    : ['json_group_array', (text: string) => `json(${text})`]
  const order = `order by coalesce(first_activity_at, ''), alert_id`
  const of = (what: string) => `(select cast(${list}(${json(what)} ${order}) as text) from alerts
    where alerts.tenant_id = incidents.tenant_id and alerts.incident_id = incidents.incident_id)`
  const within = `exists (select 1 from alerts where alerts.tenant_id = incidents.tenant_id
    and alerts.incident_id = incidents.incident_id and original is null)`
  await run(`update incidents set alerts = coalesce(${of('facts')}, '[]'),
    alert_originals = case when ${within} then null else nullif(${of('original')}, '[]') end where alerts_read_at is not null`)
  await run('drop table alerts')
}
