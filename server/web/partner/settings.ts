import type { Response } from 'express'
import type { z } from 'zod'
import { operatorActor, roleOf } from '../../http/access.ts'
import { linkDays, optionalEmail, optionalLine, wholeNumber } from '../../http/fields.ts'
import { type FieldFault, readForm, says, type Typed } from '../../http/forms.ts'
import { isNamedAdmin, runsPortal } from '../../http/operator.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { groupsFromEntra } from '../../http/scope.ts'
import { partnerCredentials } from '../../partner/expiry.ts'
import type { Portal } from '../../portal.ts'
import { listOperators } from '../../store/operators/operators.ts'
import {
  type CustomerText,
  changeSettings,
  customerTexts,
  findIntroductionGap,
  hasNumber,
  leastClosedDays,
  readSettings,
  type TextSetting,
  textSetting,
} from '../../store/partner/settings.ts'
import { languages, wholeLanguages } from '../../words.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { permissionsView } from './permissions.ts'
import { type SettingsFacts, type SettingsField, settingsView } from './settings-view.ts'

const settingsPage = page('partner/settings', settingsView)

const long = says('settings.long')
const orEmpty = (text: string | null) => text ?? ''
const mostDays = 3_650
const closedDays = says('settings.closedDays.unusable')

const texts: Record<CustomerText, z.ZodType<string>> = {
  partnerTagline: optionalLine(160, long).transform(orEmpty),
  dataLocation: optionalLine(300, long).transform(orEmpty),
  dataRetention: optionalLine(300, long).transform(orEmpty),
  dataReaders: optionalLine(300, long).transform(orEmpty),
  privacyUrl: optionalLine(500, long).transform(orEmpty).refine(isHttps, says('settings.privacyUrl.unusable')),
}

const fields = {
  partnerName: optionalLine(120, long).transform(orEmpty),
  ...(Object.fromEntries(
    customerTexts.flatMap((text) => languages.map(({ code }) => [textSetting(text, code), texts[text]])),
  ) as Record<TextSetting, z.ZodType<string>>),
  contactName: optionalLine(120, long).transform(orEmpty),
  contactPhone: optionalLine(60, long)
    .transform(orEmpty)
    .refine((phone) => phone === '' || hasNumber(phone), says('settings.contactPhone.unusable')),
  contactEmail: optionalEmail(says('customers.email.unusable')).transform(orEmpty),
  appName: optionalLine(120, long).transform(orEmpty),
  linkDays,
  closedDays: wholeNumber(0, mostDays, closedDays).refine((days) => days === 0 || days >= leastClosedDays, closedDays),
  offboardedDays: wholeNumber(0, mostDays, says('settings.offboardedDays.unusable')),
}

const field = (
  name: Exclude<keyof typeof fields, TextSetting>,
  kind: SettingsField['kind'],
  wide = false,
): SettingsField => ({ name, kind, wide, label: `settings.${name}`, where: `settings.${name}.where`, language: null })

/** One text for customers: a field for each language of their pages. */
const textIn = (text: CustomerText, kind: 'text' | 'url' = 'text'): SettingsField[] =>
  languages.map(({ code, name }) => ({
    name: textSetting(text, code),
    kind,
    wide: code === 'en',
    label: `settings.${text}`,
    where: code === 'en' ? `settings.${text}.where` : 'settings.other-language',
    language: { code, name },
  }))

const form: readonly SettingsField[] = [
  field('partnerName', 'text', true),
  ...textIn('partnerTagline'),
  field('contactName', 'text'),
  field('contactPhone', 'tel'),
  field('contactEmail', 'email'),
  field('appName', 'text'),
  ...textIn('dataLocation'),
  ...textIn('dataRetention'),
  ...textIn('dataReaders'),
  ...textIn('privacyUrl', 'url'),
  field('linkDays', 'days'),
]

const keeping: readonly SettingsField[] = [field('closedDays', 'days', true), field('offboardedDays', 'days', true)]

function isHttps(address: string): boolean {
  if (address === '') return true
  if (!URL.canParse(address)) return false
  const { protocol, username, password } = new URL(address)
  return protocol === 'https:' && username === '' && password === ''
}

export const showSettings: Handler<OperatorRequest> = (portal, req, res) => showSettingsWith(portal, req, res, {})

export const saveSettings: Handler<OperatorRequest> = async (portal, req, res) => {
  const read = readForm(fields, req)
  if (read.faults) return showSettingsWith(portal, req, res, { partner: read })
  await changeSettings(portal.db, operatorActor(req), read.value, portal.now())
  res.redirect(303, '/settings')
}

interface Refused {
  typed: Typed
  faults: FieldFault[]
}

/** The settings, after one of their forms was not taken as it was. */
export async function showSettingsWith(
  portal: Portal,
  req: OperatorRequest,
  res: Response,
  refused: { partner?: Refused; permissions?: Refused; credentials?: Refused },
): Promise<void> {
  const [people, saved, permissions, credentials] = await Promise.all([
    listOperators(portal.db),
    readSettings(portal.db),
    permissionsView(portal, req, refused.permissions?.typed ?? {}),
    partnerCredentials(portal),
  ])
  const nothingTyped = Object.fromEntries(Object.entries(saved).map(([name, value]) => [name, String(value)]))
  const facts: SettingsFacts = {
    typed: refused.partner?.typed ?? nothingTyped,
    faults: refused.partner?.faults ?? null,
    fields: form,
    keeping,
    people: people.map((person) => ({
      ...person,
      role: roleOf(person, portal.config),
      isNamed: isNamedAdmin(person, portal.config),
      entraGroups: groupsFromEntra(person),
    })),
    zones: Intl.supportedValuesOf('timeZone'),
    wholeLanguages,
    mayChange: runsPortal(req),
    gap: findIntroductionGap(saved),
    permissions: {
      ...permissions,
      typed: refused.permissions?.typed ?? {},
      faults: refused.permissions?.faults ?? null,
    },
    credentials: {
      now: portal.now(),
      credentials,
      typed: refused.credentials?.typed ?? {},
      faults: refused.credentials?.faults ?? null,
    },
  }
  await render(res, settingsPage, facts, Object.keys(refused).length > 0 ? 422 : 200)
}
