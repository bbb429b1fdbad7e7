import type { Selectable } from 'kysely'
import type { Severity } from '../../model/incident.ts'
import type { Schema } from '../engine/schema.ts'
import type { Counted } from '../tenants/counters.ts'

/** The columns that say what an incident counts as. */
export const countedColumns = ['incident_id', 'severity', 'open', 'assigned_to', 'redirect_id', 'created_day'] as const

export type CountedRow = Pick<Selectable<Schema['incidents']>, (typeof countedColumns)[number]>

/** What an incident of that row counts as. */
export const countedOf = (row: CountedRow): Counted => ({
  severity: row.severity as Severity,
  open: row.open === 1,
  unassigned: row.assigned_to === null,
  listed: row.redirect_id === null,
  day: row.created_day,
})
