import type { FieldFault, Typed } from '../../http/forms.ts'
import type { Html } from '../../http/html.ts'
import { html } from '../../http/html.ts'
import type { OperatorRole } from '../../http/operator.ts'
import type { Operator } from '../../store/operators/operators.ts'
import type { IntroductionGap } from '../../store/partner/settings.ts'
import type { Language, MessageKey, wholeLanguages } from '../../words.ts'
import { fieldViews } from '../page/field-view.ts'
import type { PageTools } from '../page/tools.ts'
import { type CredentialsFacts, type CredentialsView, credentialsView } from './credentials-view.ts'
import type { PermissionsView as PermissionsFacts } from './permissions.ts'
import { type PermissionsView, permissionsWords } from './permissions-view.ts'

export interface SettingsFacts {
  /** What is saved, or what was typed when that could not be saved. */
  typed: Typed
  faults: FieldFault[] | null
  /** In the order of the form, what customers see first and what is kept after it. */
  fields: readonly SettingsField[]
  keeping: readonly SettingsField[]
  people: (Operator & { role: OperatorRole | null; isNamed: boolean; entraGroups: string[] })[]
  zones: string[]
  /** What operators' pages can be read in. */
  wholeLanguages: typeof wholeLanguages
  mayChange: boolean
  /** What is missing before a link can be issued. */
  gap: IntroductionGap | null
  permissions: PermissionsFacts & { typed: Typed; faults: FieldFault[] | null }
  credentials: CredentialsFacts
}

export interface SettingsField {
  name: string
  kind: 'text' | 'email' | 'tel' | 'url' | 'days'
  wide: boolean
  label: MessageKey
  /** What is said under the field. */
  where: MessageKey
  /** Of a text for customers: whose pages show it. */
  language: { code: Language; name: string } | null
}

export interface SettingsView {
  mayChange: boolean
  faults: FieldFault[] | null
  gap: string | null
  fields: FieldLine[]
  keeping: FieldLine[]
  /** The same for who may not change it. */
  saved: (Pick<FieldLine, 'label' | 'language'> & { value: string })[]
  permissions: PermissionsView
  credentials: CredentialsView
  people: PersonLine[]
  reading: Html | string
  mayPause: boolean
  zones: { name: string; selected: boolean }[]
  languages: { code: string; name: string; selected: boolean }[]
  themes: { name: string; label: string; selected: boolean }[]
}

interface PersonLine {
  name: Html
  username: string | null
  guest: boolean
  role: string
  lastSeenAt: string | null
  /** What the person sees, and where that is changed; null for whoever may not know of others' limits. */
  sight: { text: string; href: string; label: string } | null
}

interface FieldLine {
  name: string
  label: string
  language: SettingsField['language']
  where: string
  type: string
  wide: boolean
  value: string
  wrong: boolean
  describedBy: string
  /** A number of days. */
  inDays: boolean
}

export function settingsView(facts: SettingsFacts, tools: PageTools): SettingsView {
  const { t, word, reader, lang } = tools
  const { faults, mayChange, gap, people, zones } = facts
  const operator = reader.operator
  const fields = facts.fields.map((field) => fieldLine(field, facts, tools))
  const keeping = facts.keeping.map((field) => fieldLine(field, facts, tools))
  return {
    mayChange,
    faults,
    gap: gap && word('settings.gap', gap),
    fields,
    keeping,
    saved: [...fields, ...keeping].map(({ label, language, value }) => ({
      label,
      language,
      value: value || t('settings.empty'),
    })),
    permissions: permissionsWords(facts.permissions, mayChange, tools),
    credentials: credentialsView(facts.credentials, mayChange, tools),
    people: people.map((person) => personLine(person, mayChange, tools)),
    reading: readingText(tools),
    mayPause: mayChange && !tools.shell?.pause,
    zones: zones.map((name) => ({ name, selected: name === operator?.timeZone })),
    languages:
      facts.wholeLanguages.length > 1
        ? facts.wholeLanguages.map(({ code, name }) => ({ code, name, selected: code === lang }))
        : [],
    themes: (['auto', 'light', 'dark'] as const).map((name) => ({
      name,
      label: t(`shell.theme.${name}`),
      selected: (operator?.theme ?? 'auto') === name,
    })),
  }
}

function fieldLine(field: SettingsField, { typed, faults }: SettingsFacts, { t }: PageTools): FieldLine {
  const { name, kind, wide, language } = field
  const { value, wrong } = fieldViews([name], typed, faults)[name] ?? { value: '', wrong: false }
  const inDays = kind === 'days'
  return {
    name,
    label: t(field.label),
    language,
    where: t(field.where),
    type: inDays ? 'text' : kind,
    wide,
    value,
    wrong,
    describedBy: wrong ? `${name}-where ${name}-fault` : `${name}-where`,
    inDays,
  }
}

function personLine(person: SettingsFacts['people'][number], mayChange: boolean, tools: PageTools): PersonLine {
  const { id, name, username, oid, guest, role, lastSeenAt } = person
  const { t, named } = tools
  return {
    name: named(name ?? username ?? oid),
    username: username && name ? username : null,
    guest: Boolean(guest),
    role: role ? t(`shell.role.${role}`) : t('settings.no-role'),
    lastSeenAt,
    sight: mayChange
      ? {
          text: sightText(person, tools),
          href: `/settings/people/${encodeURIComponent(id)}/scope`,
          label: t('scope.change.of', { name: name ?? username ?? oid }),
        }
      : null,
  }
}

function sightText({ isNamed, entraGroups, limits }: SettingsFacts['people'][number], { t }: PageTools): string {
  if (isNamed) return t('scope.sight.everything')
  if (entraGroups.length > 0) return t('scope.sight.entra', { groups: entraGroups.join(', ') })
  if (limits === null) return t('scope.sight.everything')
  const { groups, customerIds } = limits
  const any = groups.length > 0 ? 'yes' : 'no'
  return t('scope.sight.some', { groups: groups.join(', '), any, n: customerIds.length })
}

function readingText({ t, time, frame }: PageTools): Html | string {
  const pause = frame?.pause ?? null
  if (pause === null) return t('settings.reading.on')
  return html`${t('shell.pause')} ${time(pause.at)}, ${t('shell.pause.by', { name: pause.by })}`
}
