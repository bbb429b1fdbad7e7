import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const filesOf = (folder: string, ending: string) =>
  readdirSync(path(folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => ({ name: file.slice(0, -ending.length), text: readFileSync(`${path(folder)}/${file}`, 'utf8') }))

const templates = filesOf('views', '.ejs')
const modules = filesOf('server/web', '.ts')

/**
 * Whether a tag only places: a name, a call with names and literals, a loop over a name, a question whether something is
 * there. Operators, comparisons and declarations are what a module of the page is for.
 */
function places(tag: string): boolean {
  const tokens = tag.match(/'[^']*'|[a-zA-Z_]\w*(?:\.[a-zA-Z_]\w*)*|\d+|\S/g) ?? []
  let at = 0
  const take = (...wanted: string[]) => {
    const isNext = wanted.every((token, i) => tokens[at + i] === token)
    if (isNext) at += wanted.length
    return isNext
  }
  const literal = () => /^['\d]/.test(tokens[at] ?? '') && ++at > 0
  const name = () =>
    /^[a-zA-Z_]/.test(tokens[at] ?? '') && !/^(if|for|of|const|new|typeof)$/.test(tokens[at] ?? '') && ++at > 0
  const list = (end: string, item: () => boolean): boolean => {
    if (take(end)) return true
    do if (!item()) return false
    while (take(','))
    return take(end)
  }
  const value = (): boolean => {
    if (literal()) return true
    if (take('{')) return list('}', () => name() && (!take(':') || value()))
    return name() && (!take('(') || list(')', value))
  }
  const question = () => (take('!') || true) && name() && take(')', '{')
  const statement = () => {
    if (take('=')) return value()
    if (take('-')) return tokens[at] === 'include' && value()
    if (take('if', '(') || take('}', 'else', 'if', '(')) return question()
    if (take('for', '(', 'const'))
      return (take('{') ? list('}', name) : name()) && take('of') && value() && take(')', '{')
    return take('}', 'else', '{') || take('}')
  }
  return tag.startsWith('#') || (statement() && at === tokens.length)
}

describe('a template', () => {
  const isPartial = (name: string) => /(^|\/)_[^/]+$/.test(name)

  test('is named by one page, or is a partial, which begins with _ and is included', () => {
    const pages = modules.flatMap(({ text }) =>
      [...text.matchAll(/^(?:export )?const \w+ = page(?:<\w+>)?\(\s*'([\w/-]+)'/gm)].map(([, name]) => name ?? ''),
    )
    const included = templates.flatMap(({ text }) =>
      [...text.matchAll(/\binclude\(\s*'\/([\w/-]+)'/g)].map(([, name]) => name ?? ''),
    )
    const names = templates.map(({ name }) => name).sort()
    expect(pages.sort()).toEqual(names.filter((name) => !isPartial(name)))
    expect([...new Set(included)].sort()).toEqual(names.filter(isPartial))
  })

  test('has lines that can be read in a review', () => {
    const long = templates.filter(({ text }) => text.split('\n').some((line) => line.length > 160))
    expect(long.map(({ name }) => name)).toEqual([])
  })

  test.each(templates)('places what it is given and decides nothing: $name', ({ text }) => {
    const tags = [...text.matchAll(/<%([\s\S]*?)[-_]?%>/g)].map(([, tag]) => (tag ?? '').trim())
    expect(tags.filter((tag) => !places(tag))).toEqual([])
  })
})

describe('what a template may do', () => {
  test.each([
    '= customer.name',
    "= t('customers.added', { by: who.name, n: 2 })",
    "- include('/page/_copy-text', { text: id, label: t('tenants.copy-id') })",
    'if (notice) {',
    'if (!notice.title) {',
    '} else if (rows.length) {',
    '} else {',
    '}',
    'for (const row of rows) {',
    'for (const { name, day } of days) {',
    '# what is passed in',
  ])('is to place: %s', (tag) => {
    expect(places(tag)).toBe(true)
  })

  test.each([
    "= a ? 'b' : 'c'",
    '= a || b',
    '= a + 1',
    '= `a`',
    'if (a && b) {',
    "if (a === 'b') {",
    'if (a > 0) {',
    'const a = b',
    'for (const a of b.filter((c) => c)) {',
    'rows.forEach((row) => {',
    "= names.map((name) => name).join(', ')",
    '} else if (a !== null) {',
  ])('is not to decide: %s', (tag) => {
    expect(places(tag)).toBe(false)
  })
})
