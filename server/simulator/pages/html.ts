/** Markup that is already escaped. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | null | undefined | false | Markup | readonly Markup[]

/** Tagged template: every value is escaped unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  let text = strings[0] ?? ''
  for (const [i, part] of parts.entries()) text += render(part) + (strings[i + 1] ?? '')
  return new Markup(text)
}

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'object') return part.map((markup) => markup.text).join('')
  return String(part).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}
