import { type Actor, recordAudit } from '../audit.ts'
import type { Database } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'

/** What customers read as the partner wrote it, in each of the languages that their pages speak. */
export const customerTexts = ['partnerTagline', 'dataLocation', 'dataRetention', 'dataReaders', 'privacyUrl'] as const
export type CustomerText = (typeof customerTexts)[number]

/** Languages beside English; what was written before there was a choice is kept as the English text. */
const furtherLanguages = ['sv', 'zh-Hant'] as const
type FurtherLanguage = (typeof furtherLanguages)[number]

/** A customer's text in one language, as a setting: `dataLocation` in English, `dataLocation.sv` in Swedish. */
export type TextSetting = CustomerText | `${CustomerText}.${FurtherLanguage}`

export const textSetting = (text: CustomerText, language: 'en' | FurtherLanguage): TextSetting =>
  language === 'en' ? text : `${text}.${language}`

/** What customers are told about the partner, and what new links start with. Empty is what was not given. */
export interface Settings extends Record<TextSetting, string> {
  partnerName: string
  contactName: string
  contactPhone: string
  contactEmail: string
  /** The display name of the app registration, as Microsoft’s consent page will show it. */
  appName: string
  linkDays: number
  /** Days after their last change that closed incidents are kept; 0 for ever. */
  closedDays: number
  /** Days after its offboarding that what was read of a tenant is kept; 0 for ever. */
  offboardedDays: number
}

/** What a customer has to be told of the partner and is not: the name, a way to reach it, or both. */
export type IntroductionGap = 'name' | 'contact' | 'both'

/** A telephone number counts as a contact when it has digits in it. */
export function findIntroductionGap(settings: Settings): IntroductionGap | null {
  const unreachable = settings.contactEmail === '' && !hasNumber(settings.contactPhone)
  if (settings.partnerName === '') return unreachable ? 'both' : 'name'
  return unreachable ? 'contact' : null
}

export const hasNumber = (phone: string): boolean => phone.replace(/\D/g, '').length >= 3

/** The deep reconcile compares 30 days with Microsoft: what is removed earlier would come back. */
export const leastClosedDays = 35

const noTexts = Object.fromEntries(
  customerTexts.flatMap((text) => (['en', ...furtherLanguages] as const).map((code) => [textSetting(text, code), ''])),
) as Record<TextSetting, string>

const defaults: Settings = {
  ...noTexts,
  partnerName: '',
  contactName: '',
  contactPhone: '',
  contactEmail: '',
  appName: '',
  linkDays: 14,
  closedDays: 365,
  offboardedDays: 90,
}

export async function readSettings(db: Database): Promise<Settings> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', 'partner').executeTakeFirst()
  return row ? { ...defaults, ...(JSON.parse(row.value) as Partial<Settings>) } : defaults
}

export async function changeSettings(db: Database, actor: Actor, change: Partial<Settings>, now: Date): Promise<void> {
  await write(db, async (tx) => {
    // The row is there and held before it is read: two people who change different things both succeed.
    await tx
      .insertInto('settings')
      .values({ name: 'partner', value: '{}', changed_at: now.toISOString() })
      .onConflict((oc) => oc.column('name').doUpdateSet({ changed_at: now.toISOString() }))
      .execute()
    const before = await readSettings(tx)
    await tx
      .updateTable('settings')
      .set({ value: JSON.stringify({ ...before, ...change }) })
      .where('name', '=', 'partner')
      .execute()
    const changed = (Object.keys(change) as (keyof Settings)[]).filter((key) => change[key] !== before[key])
    await recordAudit(tx, actor, { action: 'settings.changed', at: now, facts: { names: changed.join(', ') } })
  })
}
