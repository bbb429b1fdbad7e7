import { IntlMessageFormat } from 'intl-messageformat'
import { en } from './words/en.ts'
import { sv } from './words/sv.ts'
import { zhHant } from './words/zh-hant.ts'

/** English is complete; the other catalogues hold the public pages and their errors, and fall back to it. */
const catalogues = { en, sv, 'zh-Hant': zhHant } as const

export type Language = keyof typeof catalogues
export type MessageKey = keyof typeof en
export type MessageValues = Record<string, string | number | Date>

export const languages: readonly { code: Language; name: string }[] = [
  { code: 'en', name: 'English' },
  { code: 'sv', name: 'Svenska' },
  { code: 'zh-Hant', name: '繁體中文' },
]

/**
 * Languages that have every word of English. Operators’ pages hold all of them, so that only these can be chosen there:
 * a page half in one language is worse than one in another.
 */
export const wholeLanguages: typeof languages = languages.filter(({ code }) =>
  Object.keys(en).every((key) => Object.hasOwn(catalogues[code], key)),
)

export const isLanguage = (value: unknown): value is Language =>
  typeof value === 'string' && Object.hasOwn(catalogues, value)

/** The reader's language from an Accept-Language header, by its quality values; English when none fits. */
export function languageFor(acceptLanguage: string | undefined): Language {
  const preferences = (acceptLanguage ?? '')
    .slice(0, 200)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(';')
      const quality = parameters.map((p) => /^\s*q=([\d.]+)/.exec(p)?.[1]).find((q) => q !== undefined)
      return { tag: tag.toLowerCase(), quality: quality === undefined ? 1 : Number(quality) }
    })
    .sort((a, b) => b.quality - a.quality)
  for (const { tag, quality } of preferences) {
    if (!(quality > 0)) continue
    if (tag === 'sv' || tag.startsWith('sv-')) return 'sv'
    if (tag === 'zh' || /^zh-(hant|tw|hk|mo)\b/.test(tag)) return 'zh-Hant'
    if (tag === 'en' || tag.startsWith('en-')) return 'en'
  }
  return 'en'
}

/** Whether there is a text by that key: for keys that are made of codes. */
export const isMessageKey = (key: string): key is MessageKey => Object.hasOwn(en, key)

const compiled = new Map<string, IntlMessageFormat>()

function message(language: Language, key: MessageKey): IntlMessageFormat {
  const id = `${language} ${key}`
  let format = compiled.get(id)
  if (!format) {
    const own = (catalogues[language] as Partial<Record<MessageKey, string>>)[key]
    format = new IntlMessageFormat(own ?? en[key], own === undefined ? 'en' : language, undefined, { ignoreTag: false })
    compiled.set(id, format)
  }
  return format
}

/** A message as plain text. */
export function say(language: Language, key: MessageKey, values: MessageValues = {}): string {
  return String(message(language, key).format(values))
}

/** A message with tags (`<b>…</b>`), as parts: each tag's name leads to the function that makes it. */
export function sayParts<T>(
  language: Language,
  key: MessageKey,
  values: MessageValues,
  tags: Record<string, (parts: (string | T)[]) => T>,
): (string | T)[] {
  const parts = message(language, key).format<T>({ ...values, ...tags } as never)
  return (Array.isArray(parts) ? parts : [parts]) as (string | T)[]
}
