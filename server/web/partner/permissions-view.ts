import type { FieldFault, Typed } from '../../http/forms.ts'
import type { Html } from '../../http/html.ts'
import { html } from '../../http/html.ts'
import type { PageTools } from '../page/tools.ts'
import type { PermissionsView as Facts } from './permissions.ts'

/** What customers are asked for, in words, and what an Admin says about it. */
export interface PermissionsView {
  faults: FieldFault[] | null
  /** How many roles no page tells of, in words; null for none. */
  beyond: string | null
  source: Html | string
  permissions: { name: string; text: string }[]
  cannot: string[]
  /** Null where nothing has to be said, or not by this operator. */
  form: { rows: RowView[]; other: string } | null
}

interface RowView {
  id: string
  name: string
  text: string
  asked: boolean
  /** Where it was met first. */
  seen: { tenantId: string | null; at: string } | null
}

export function permissionsWords(
  facts: Facts & { typed: Typed; faults: FieldFault[] | null },
  mayChange: boolean,
  tools: PageTools,
): PermissionsView {
  const { t, word } = tools
  const { asking, rows, beyond, typed, faults } = facts
  const mustSay = beyond > 0 || asking.source !== 'registration'
  return {
    faults: mayChange ? faults : null,
    beyond: beyond > 0 ? t('settings.permissions.beyond', { n: beyond }) : null,
    source: sourceText(facts, tools),
    permissions: asking.permissions.map(({ name, words }) => ({ name, text: word('join.ask', words) })),
    cannot: asking.cannot.map((what) => word('join.cannot', what)),
    form:
      mayChange && mustSay
        ? {
            rows: rows.map(({ name, words, asked, seen }, i) => ({
              id: `asked-${i}`,
              name,
              text: word('join.ask', words),
              asked,
              // The partner's own tenant has no page.
              seen: seen && { tenantId: seen.tenantId === facts.ownTenantId ? null : seen.tenantId, at: seen.at },
            })),
            other: typeof typed.other === 'string' ? typed.other : '',
          }
        : null,
  }
}

function sourceText({ asking, readAt, confirmed }: Facts, { t, time }: PageTools): Html | string {
  if (asking.source === 'registration') return html`${t('settings.permissions.registration')}, ${time(readAt)}.`
  if (asking.source === 'unknown') return t('settings.permissions.unknown')
  const by = t('settings.permissions.confirmed', { by: confirmed?.by ?? '' })
  return html`${by}, ${time(confirmed?.at ?? null)}.`
}
