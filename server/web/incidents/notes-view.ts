import type { FieldFault } from '../../http/forms.ts'
import type { Html } from '../../http/html.ts'
import type { PageTools } from '../page/tools.ts'
import type { NotesView as NotesFacts } from './notes.ts'

/** What the partner's people wrote about an incident, in words. */
export interface NotesView {
  notes: {
    id: string
    owner: Html
    by: Html
    at: string
    text: string
    removal: string | null
    /** On which incident it was written, where that is another. */
    elsewhere: Html | null
  }[]
  /** Null for whoever may not write. */
  form: {
    action: string
    most: number
    hint: string
    wrong: boolean
    typed: string
    faults: FieldFault[] | null
  } | null
}

export function notesWords(
  facts: NotesFacts,
  tenantId: string,
  kept: { typed: string; faults: FieldFault[] | null },
  tools: PageTools,
): NotesView {
  const { t, owner, named, number } = tools
  const { notes, action, most } = facts
  const hrefOf = (incidentId: string) => `/tenants/${tenantId}/incidents/${encodeURIComponent(incidentId)}`
  return {
    notes: notes.map((note) => ({
      id: note.id,
      owner: owner(note.byName),
      by: named(note.byName),
      at: note.at,
      text: note.text,
      removal: note.removal,
      elsewhere: note.elsewhere
        ? t.rich('incident.notes.elsewhere', { id: note.incidentId }, { a: { href: hrefOf(note.incidentId) } })
        : null,
    })),
    form: action
      ? {
          action,
          most,
          hint: t('incident.notes.hint', { n: number(most) }),
          wrong: (kept.faults ?? []).some(({ field }) => field === 'text'),
          typed: kept.typed,
          faults: kept.faults,
        }
      : null,
  }
}
