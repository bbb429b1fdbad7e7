import { type Html, html } from '../../http/html.ts'
import { type CustomerText, type Settings, textSetting } from '../../store/partner/settings.ts'
import { type Language, languages } from '../../words.ts'
import type { PageTools } from '../page/tools.ts'

/** What the partner wrote for customers, in the reader's language where there is such a text, else in another, which is said. */
export interface ToldText {
  text: string
  language: Language
  /** Whether it is in another language than the page. */
  isForeign: boolean
}

/** The reader's own language first, then English, then whatever there is; null where nothing was written. */
export function toldText(settings: Settings, name: CustomerText, language: Language): ToldText | null {
  const order = [language, ...languages.map(({ code }) => code)]
  const source = order.find((code) => settings[textSetting(name, code)] !== '')
  return source === undefined
    ? null
    : { text: settings[textSetting(name, source)], language: source, isForeign: source !== language }
}

/** The text, marked with its language, and the language in words where it is not the page's. */
export function toldHtml({ text, language, isForeign }: ToldText, { t }: Pick<PageTools, 't'>): Html {
  const markup = html`<span lang="${language}">${text}</span>`
  return isForeign ? html`${markup} <span class="muted">${t('join.told.in', { language })}</span>` : markup
}
