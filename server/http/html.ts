import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { misleading } from '../invisible.ts'
import { escapeMarkup } from '../markup.ts'

/** Text that is markup already. Everything else that reaches a page is escaped. */
export class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

/**
 * What `<%= %>` prints: `Html` as it is, lists item by item, nothing for null, undefined and false, the rest escaped,
 * and what cannot be seen made visible.
 */
export function escapeHtml(value: unknown): string {
  if (value instanceof Html) return value.toString()
  if (Array.isArray(value)) return value.map(escapeHtml).join('')
  if (value === null || value === undefined || value === false) return ''
  const text = String(value)
  // Most of what a page prints: a page has thousands of values, and going through each of them three times takes longer.
  if (ordinary.test(text)) return text
  return escapeMarkup(visible(text))
}

/** Printable ASCII with nothing in it that markup knows. */
const ordinary = /^[ !#-%(-;=?-~]*$/

/** Text with every character that cannot be seen written out: `[U+202E]`. */
function visible(text: string): string {
  return text.replace(
    misleading,
    (character) => `[U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}]`,
  )
}

/** Markup around values: html`<b>${name}</b>`. Attributes are always quoted where it is used. */
export function html(markup: TemplateStringsArray, ...values: unknown[]): Html {
  return new Html(markup.reduce((text, part, i) => text + escapeHtml(values[i - 1]) + part))
}

const sprite = readFileSync(fileURLToPath(new URL('../../public/icons/sprite.svg', import.meta.url)), 'utf8')
const icons: ReadonlyMap<string, string> = new Map(
  [...sprite.matchAll(/<symbol id="([\w-]+)"[^>]*>(.*?)<\/symbol>/g)].map(([, name = '', shapes = '']) => [
    name,
    shapes,
  ]),
)

/** An icon of public/icons/sprite.svg beside a word: hidden from assistive technology. `extra` are further classes. */
export function icon(name: string, extra = ''): Html {
  const shapes = icons.get(name)
  if (shapes === undefined) throw new Error(`there is no icon "${name}" in public/icons/sprite.svg`)
  return html`<svg class="${extra === '' ? 'i' : `i ${extra}`}" viewBox="0 0 24 24" aria-hidden="true">${new Html(shapes)}</svg>`
}
