import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

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

const entities = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&#34;'],
  ["'", '&#39;'],
])

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
  return visible(text).replace(/[&<>"']/g, (character) => entities.get(character) as string)
}

/** Printable ASCII with nothing in it that markup knows. */
const ordinary = /^[ !#-%(-;=?-~]*$/

/**
 * Control characters, and the Unicode ones that turn, hide or smuggle text: `invoice\u202Efdp.exe` reads as a PDF. Tab
 * and line ends are left alone. Zero-width joiners belong to emoji and to scripts that join their letters; after Latin
 * text they only make two names look alike.
 */
const unseen =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|(?<=[\u0000-\u024f])[\u200c\u200d]/gu

/** Text with every character that cannot be seen written out: `[U+202E]`. */
function visible(text: string): string {
  return text.replace(
    unseen,
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
