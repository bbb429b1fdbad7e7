import { type Kysely, type Migration, PostgresAdapter, sql } from 'kysely'

type Anything = Kysely<unknown>

/** What is told to people: alarms and who saw them, where they are sent, and what was sent. */
export const notifications: Migration = {
  async up(db: Anything): Promise<void> {
    const postgres = db.getExecutor().adapter instanceof PostgresAdapter
    const text = postgres ? 'text collate "C"' : 'text'
    const run = (statement: string) => sql`${sql.raw(statement)}`.execute(db)

    await run(`create table notify_alarms (id ${text} not null, kind ${text} not null, subject ${text} not null,
      customer_id ${text}, tenant_id ${text}, subject_id ${text}, facts ${text} not null, raised_at ${text} not null,
      last_raised_at ${text} not null, times integer not null default 1, over_at ${text},
      announced ${text}, announced_at ${text},
      announce_at ${text}, announce_lease_until ${text}, announce_fence integer not null default 0, primary key (id))`)
    await run('create unique index notify_alarms_open on notify_alarms (kind, subject) where over_at is null')
    await run('create index notify_alarms_subject on notify_alarms (kind, subject, raised_at)')
    await run('create index notify_alarms_tenant on notify_alarms (tenant_id) where over_at is null')
    await run('create index notify_alarms_due on notify_alarms (announce_at) where announce_at is not null')
    await run('create index notify_alarms_over on notify_alarms (over_at)')

    await run(`create table notify_seen (alarm_id ${text} not null, operator_id ${text} not null, name ${text},
      at ${text} not null, primary key (alarm_id, operator_id))`)

    await run(`create table destinations (id ${text} not null, kind ${text} not null, name ${text} not null,
      owner_id ${text} not null, language ${text} not null, time_zone ${text} not null, quiet ${text},
      kinds ${text}, customers ${text}, groups ${text}, says ${text} not null, audit integer not null default 0,
      sealed ${text} not null, shown ${text} not null, paused_at ${text}, paused_by ${text}, off_at ${text},
      off_reason ${text}, failing_since ${text}, failures integer not null default 0, not_before ${text},
      sent integer not null default 0, last_sent_at ${text}, created_at ${text} not null, updated_at ${text} not null,
      primary key (id))`)

    await run(`create table outbox (id ${text} not null, destination_id ${text}, recipient ${text}, topic ${text} not null,
      subject_id ${text} not null, change ${text} not null, created_at ${text} not null, next_at ${text},
      lease_until ${text}, fence integer not null default 0, attempts integer not null default 0, state ${text} not null,
      ended_at ${text}, tries ${text} not null default '[]', primary key (id))`)
    await run('create index outbox_due on outbox (next_at) where next_at is not null')
    await run('create index outbox_destination on outbox (destination_id, next_at) where next_at is not null')
    await run('create index outbox_subject on outbox (subject_id, destination_id)')
    await run('create index outbox_created on outbox (created_at, id)')
    await run('create index outbox_of_destination on outbox (destination_id, created_at, id)')
    await run(`create index outbox_failed on outbox (destination_id, created_at) where state in ('failed', 'held')`)
  },
}
