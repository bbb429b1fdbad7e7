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
})
