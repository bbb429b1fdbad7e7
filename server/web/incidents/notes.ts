import type { OperatorRequest } from '../../http/route.ts'
import type { Note } from '../../store/incidents/notes.ts'
import { incidentAddress, listFrom } from './filters.ts'

/** Characters. */
export const mostOfANote = 4_000

/** What the partner's people wrote about an incident. */
export interface NotesView {
  most: number
  notes: NoteLine[]
  /** Where the form leads; null for whoever may not write. */
  action: string | null
}

interface NoteLine extends Note {
  /** Written on an incident that was merged into this one since. */
  elsewhere: boolean
  /** Where it is removed; null for whoever may not. */
  removal: string | null
}

export function notesView(
  req: OperatorRequest,
  tenantId: string,
  incidentId: string,
  notes: readonly Note[],
): NotesView {
  const { id, role } = req.operator
  const here = incidentAddress(tenantId, incidentId, listFrom(req.query.from, tenantId))
  const [path, query] = here.split('?')
  return {
    most: mostOfANote,
    notes: notes.map((note) => ({
      ...note,
      elsewhere: note.incidentId !== incidentId,
      removal:
        role === 'Admin' || (role === 'Analyst' && note.byId === id)
          ? `/tenants/${tenantId}/notes/${encodeURIComponent(note.id)}/removal`
          : null,
    })),
    action: role === 'Reader' ? null : `${path}/notes${query === undefined ? '' : `?${query}`}`,
  }
}
