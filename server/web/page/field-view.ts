import type { FieldFault, Typed } from '../../http/forms.ts'
import { type Html, html } from '../../http/html.ts'

/** One field of a form: what stands in it, and whether it is to be mended. */
export interface FieldView {
  value: string
  wrong: boolean
  /** Attributes that tell assistive technology of the fault below it. */
  marks: Html
}

/** The fields of a form, as they were typed. Their IDs are their names. */
export function fieldViews<Name extends string>(
  names: readonly Name[],
  typed: Typed,
  faults: readonly FieldFault[] | null,
): Record<Name, FieldView> {
  const views = names.map((name): [Name, FieldView] => {
    const wrong = (faults ?? []).some((fault) => fault.field === name)
    const value = typed[name]
    const marks = wrong ? html` aria-invalid="true" aria-describedby="${name}-fault"` : html``
    return [name, { value: typeof value === 'string' ? value : '', wrong, marks }]
  })
  return Object.fromEntries(views) as Record<Name, FieldView>
}
