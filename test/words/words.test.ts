import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { IntlMessageFormat } from 'intl-messageformat'
import { catalogue } from '../../server/errors.ts'
import { errors as enErrors } from '../../server/words/en/errors.ts'
import { join as enJoin } from '../../server/words/en/join.ts'
import { refusals as enRefusals } from '../../server/words/en/refusals.ts'
import { login as enLogin } from '../../server/words/en/sign-in.ts'
import { en } from '../../server/words/en.ts'
import { sv } from '../../server/words/sv.ts'
import { zhHant } from '../../server/words/zh-hant.ts'
import { isLanguage, languageFor, say, sayParts } from '../../server/words.ts'

const english: Record<string, string> = en
const others: [string, string, Record<string, string>][] = [
  ['Svenska', 'sv', sv],
  ['繁體中文', 'zh-Hant', zhHant],
]

type Part = ReturnType<IntlMessageFormat['getAst']>[number]

/** Names of values and tags in a message, wherever in it they stand. */
function placeholders(message: string, language: string): string[] {
  const found = new Set<string>()
  const walk = (parts: readonly Part[]) => {
    for (const part of parts) {
      const { type, value, options, children } = part as { type: number; value?: string } & {
        options?: Record<string, { value: Part[] }>
        children?: Part[]
      }
      if (type !== 0 && type !== 7 && value !== undefined) found.add(type === 8 ? `<${value}>` : value)
      for (const option of Object.values(options ?? {})) walk(option.value)
      if (children) walk(children)
    }
  }
  walk(new IntlMessageFormat(message, language, undefined, { ignoreTag: false }).getAst())
  return [...found].sort()
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const textsUnder = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => ({ file, text: readFileSync(join(root, folder, file), 'utf8') }))
const views = textsUnder('views', '.ejs')
const code = textsUnder('server', '.ts').filter(({ file }) => !file.startsWith('words/'))

describe('the words', () => {
  test('can all be read', () => {
    for (const [key, message] of Object.entries(english)) expect([key, placeholders(message, 'en')]).toBeTruthy()
  })

  test.each(others)('of %s say nothing that English does not', (_name, _language, words) => {
    expect(Object.keys(words).filter((key) => !(key in english))).toEqual([])
  })

  test.each(others)('of %s hold the same values and tags as the English ones', (_name, language, words) => {
    for (const [key, message] of Object.entries(words)) {
      expect([key, placeholders(message, language)]).toEqual([key, placeholders(english[key] ?? '', 'en')])
    }
  })

  test.each(others)('of %s are complete for everything a customer can see', (_name, _language, words) => {
    const needed = [
      ...Object.keys(enJoin),
      ...Object.keys(enErrors),
      ...Object.keys(enLogin),
      ...Object.keys(enRefusals),
    ]
    expect(needed.filter((key) => !(key in words))).toEqual([])
  })

  test.each(others)('of %s cover the frames around what a customer can see', (_name, _language, words) => {
    const open = views.filter(({ file }) =>
      /^(join|errors|sign-in)\/|^page\/_(head|public|slip|copy|form|field)/.test(file),
    )
    const used = open.flatMap(({ text }) =>
      [...text.matchAll(/\bt(?:\.rich)?\('([^']+)'/g)].map(([, key]) => key ?? ''),
    )
    expect([...new Set(used)].filter((key) => key !== 'shell.name' && !(key in words))).toEqual([])
  })

  test('name what happened and what to do for every error', () => {
    for (const code of Object.keys(catalogue)) {
      expect(english).toHaveProperty([`error.${code}`])
      expect(english).toHaveProperty([`error.${code}.next`])
    }
    expect(Object.keys(enErrors)).toHaveLength(Object.keys(catalogue).length * 2)
  })

  test('asked for in a view exist', () => {
    for (const { file, text } of views) {
      for (const [, key] of text.matchAll(/\bt(?:\.rich)?\('([^']+)'/g))
        expect([file, key, key && key in english]).toEqual([file, key, true])
    }
  })

  test('are all said somewhere', () => {
    const all = [...views, ...code].map(({ text }) => text).join('\n')
    const literal = new Set([...all.matchAll(/['`]([a-z][\w-]*(?:\.[\w-]+)+)['`]/g)].map(([, key]) => key))
    const prefixes = [...all.matchAll(/`([a-z][\w-]*\.(?:[\w-]+\.)*)\$\{/g)].map(([, prefix]) => prefix ?? '')
    const families = [...all.matchAll(/\b(?:spoken|word)\('([\w.-]+)'/g)].map(([, family]) => `${family}.`)
    const silent = Object.keys(english).filter((key) => {
      const said = key.replace(/\.next$/, '')
      return !literal.has(key) && !literal.has(said) && ![...prefixes, ...families].some((p) => key.startsWith(p))
    })
    expect(silent).toEqual([])
  })

  test('are plain and calm', () => {
    const loud = /\b(please|oops|successfully|invalid|sorry)\b|!/i
    expect(Object.entries(english).filter(([, message]) => loud.test(message))).toEqual([])
  })
})

describe('a reader’s language', () => {
  test.each([
    ['sv-SE,sv;q=0.9,en;q=0.8', 'sv'],
    ['de-DE,de;q=0.9', 'en'],
    ['zh-TW', 'zh-Hant'],
    ['zh-CN,en;q=0.5', 'en'],
    ['en;q=0.1, sv;q=0.9', 'sv'],
    ['sv;q=0, en', 'en'],
    ['', 'en'],
    [';;;,,q=,', 'en'],
  ])('asked for as %j is %s', (header, language) => {
    expect(languageFor(header)).toBe(language)
  })

  test('is none of the names every object has', () => {
    expect(['toString', 'constructor', '__proto__', 'de'].filter(isLanguage)).toEqual([])
  })
})

describe('a message', () => {
  test('falls back to English where another language has none', () => {
    expect(say('sv', 'shell.place.incidents')).toBe('Incidents')
  })

  test('keeps its tags apart from its values', () => {
    const bold = { b: (inner: (string | { bold: string })[]) => ({ bold: inner.join('') }) }
    const parts = sayParts('en', 'shell.watch.read', { read: '<i>1</i>', tenants: '2' }, bold)
    expect(parts).toEqual([{ bold: '<i>1</i> of 2' }, ' tenants read'])
  })
})
