import type { FieldFault, Typed } from '../../http/forms.ts'
import { credentialName } from '../../notify/compose.ts'
import { hintOf, lastDay, type PartnerCredential, troubleOf } from '../../partner/expiry.ts'
import type { PageTools } from '../page/tools.ts'

export interface CredentialsFacts {
  now: Date
  credentials: readonly PartnerCredential[]
  typed: Typed
  faults: FieldFault[] | null
}

/** The partner's own credentials: when each ends, and how it stands. */
export interface CredentialsView {
  faults: FieldFault[] | null
  lines: CredentialLine[]
  /** Whether a date can be entered for any of them. */
  open: boolean
}

interface CredentialLine {
  name: string
  label: string
  which: string
  /** In words; null where it is to be typed. */
  ends: string | null
  /** What says so. */
  from: string
  /** The field to type it into; null where it is known. */
  field: { value: string; wrong: boolean; label: string } | null
  state: { text: string; class: string }
}

export function credentialsView(
  { now, credentials, typed, faults }: CredentialsFacts,
  mayChange: boolean,
  { t, lang, dateText }: PageTools,
): CredentialsView {
  const lines = credentials.map((one): CredentialLine => {
    const { name, credential, endsAt, endFrom } = one
    const label = credentialName(lang, name)
    const mayType = mayChange && credential.kind === 'secret' && endFrom !== 'entra'
    const value = typed[name]
    return {
      name,
      label,
      which:
        credential.kind === 'certificate'
          ? t('settings.credentials.thumbprint', { thumbprint: credential.thumbprintSha256.slice(0, 16) })
          : t('settings.credentials.hint', { hint: hintOf(credential.secret) }),
      ends: mayType ? null : endsAt === null ? t('settings.credentials.unknown') : dateText(endsAt),
      from: fromText(one, t),
      field: mayType
        ? {
            value: typeof value === 'string' ? value : lastDay(endsAt),
            wrong: (faults ?? []).some((fault) => fault.field === name),
            label: t('settings.credentials.date', { credential: label }),
          }
        : null,
      state: stateOf(one, now, t),
    }
  })
  return { faults, lines, open: lines.some(({ field }) => field !== null) }
}

function fromText({ endFrom }: PartnerCredential, t: PageTools['t']): string {
  if (endFrom === null) return t('settings.credentials.from.nobody')
  if (typeof endFrom === 'object') return t('settings.credentials.from.person', { name: endFrom.by })
  return t(`settings.credentials.from.${endFrom}`)
}

function stateOf(one: PartnerCredential, now: Date, t: PageTools['t']): CredentialLine['state'] {
  const trouble = troubleOf(one, now)
  if (trouble === null && one.endsAt === null) return { text: t('settings.credentials.unknown'), class: 'badge' }
  if (trouble === null) return { text: t('settings.credentials.state.fine'), class: 'badge' }
  if (trouble.code === 'refused') return { text: t('settings.credentials.state.refused'), class: 'badge red' }
  if (trouble.code === '0') return { text: t('settings.credentials.state.ended'), class: 'badge red' }
  return { text: t('settings.credentials.state.days', { days: trouble.days }), class: 'badge yellow' }
}
