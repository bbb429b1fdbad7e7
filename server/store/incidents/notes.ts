import { sql } from 'kysely'
import { PortalError } from '../../errors.ts'
import { type Actor, recordAudit } from '../audit.ts'
import type { Database } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import { newId } from '../identifiers.ts'

/** What one of the partner's people wrote about an incident. It is never sent to Microsoft. */
export interface Note {
  id: string
  /** The incident it was written on; another one than asked for where that was merged since. */
  incidentId: string
  text: string
  byId: string
  byName: string
  at: string
}

type Operator = Actor & { kind: 'operator' }

/** Merges of merges: more than anybody saw. */
const deepestMerge = 20

/**
 * The notes of an incident and of all that were merged into it, however many merges ago, oldest first. They are found
 * along the merges instead of being moved: where Microsoft undoes one, each note is where it was written.
 */
export async function notesOf(db: Database, tenantId: string, incidentId: string): Promise<Note[]> {
  const { rows } = await sql<{
    id: string
    incident_id: string
    text: string
    by_id: string
    by_name: string
    at: string
  }>`
    with recursive family (incident_id, depth) as (
      select incident_id, 0 from incidents where tenant_id = ${tenantId} and incident_id = ${incidentId}
      union
      select incidents.incident_id, family.depth + 1 from incidents
      join family on incidents.redirect_id = family.incident_id
      where incidents.tenant_id = ${tenantId} and incidents.redirect_id is not null and family.depth < ${deepestMerge}
    )
    select id, incident_id, text, by_id, by_name, at from incident_notes
    where tenant_id = ${tenantId} and removed_at is null and incident_id in (select incident_id from family)
    order by at, id limit 500`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    incidentId: row.incident_id,
    text: row.text,
    byId: row.by_id,
    byName: row.by_name,
    at: row.at,
  }))
}

/** @throws PortalError NOT_FOUND when there is no such incident */
export async function addNote(
  db: Database,
  actor: Operator,
  note: { tenantId: string; incidentId: string; text: string },
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    const incident = await tx
      .selectFrom('incidents')
      .innerJoin('tenants', 'tenants.tenant_id', 'incidents.tenant_id')
      .select('tenants.customer_id')
      .where('incidents.tenant_id', '=', note.tenantId)
      .where('incidents.incident_id', '=', note.incidentId)
      .executeTakeFirst()
    if (!incident) throw new PortalError('NOT_FOUND')
    const id = newId()
    await tx
      .insertInto('incident_notes')
      .values({
        id,
        tenant_id: note.tenantId,
        incident_id: note.incidentId,
        text: note.text,
        by_id: actor.id,
        by_name: actor.name,
        at: now.toISOString(),
      })
      .execute()
    await recordAudit(tx, actor, {
      action: 'note.added',
      at: now,
      customerId: incident.customer_id,
      tenantId: note.tenantId,
      subjectId: id,
      facts: { incident: note.incidentId },
    })
  })
}

/**
 * Takes a note away, for its author or an Admin. The row stays and is not shown.
 * @throws PortalError NOT_FOUND, FORBIDDEN
 */
export async function removeNote(
  db: Database,
  actor: Operator,
  note: { tenantId: string; id: string; anybodys: boolean },
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    const row = await tx
      .selectFrom('incident_notes')
      .innerJoin('tenants', 'tenants.tenant_id', 'incident_notes.tenant_id')
      .select(['incident_notes.by_id', 'incident_notes.incident_id', 'tenants.customer_id'])
      .where('incident_notes.id', '=', note.id)
      .where('incident_notes.tenant_id', '=', note.tenantId)
      .where('incident_notes.removed_at', 'is', null)
      .executeTakeFirst()
    if (!row) throw new PortalError('NOT_FOUND')
    if (row.by_id !== actor.id && !note.anybodys) throw new PortalError('FORBIDDEN')
    await tx
      .updateTable('incident_notes')
      .set({ removed_at: now.toISOString(), removed_by: actor.id })
      .where('id', '=', note.id)
      .execute()
    await recordAudit(tx, actor, {
      action: 'note.removed',
      at: now,
      customerId: row.customer_id,
      tenantId: note.tenantId,
      subjectId: note.id,
      facts: { incident: row.incident_id },
    })
  })
}
