import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from '../support/root.ts'

const store = join(root, 'server', 'store')

/** Name, comment and promise of each function that others may call. */
const functions = readdirSync(store, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => {
    const text = readFileSync(join(store, file), 'utf8')
    const heads =
      /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?export async function (\w+)\((?:(?!\n\}|\): Promise)[\s\S])*\): Promise<([^{]*)> \{/g
    return [...text.matchAll(heads)].map(([, comment = '', name = '', promise = '']) => ({
      file,
      name,
      comment,
      promise,
    }))
  })

/** What comes to nothing and is no finder: a time, a claim on something, or what was begun. */
const mayBeNothing = /^(?:find|read|take|claim|begin|hold|first|next|record|handOver$|selectionOf$|rereadingProgress$)/

describe('a finder says in its name what it does when there is nothing', () => {
  test('find… comes back with null', () => {
    const others = functions.filter(({ name, promise }) => name.startsWith('find') && !promise.endsWith('| null'))
    expect(others).toEqual([])
    expect(functions.filter(({ name }) => name.startsWith('find')).length).toBeGreaterThan(10)
  })

  test('and nothing else does', () => {
    const others = functions.filter(({ name, promise }) => promise.endsWith('| null') && !mayBeNothing.test(name))
    expect(others.map(({ file, name }) => `${file} ${name}`)).toEqual([])
  })

  test('get… throws, and says so', () => {
    const others = functions.filter(
      ({ name, comment }) => /^get[A-Z]/.test(name) && !comment.includes('@throws PortalError NOT_FOUND'),
    )
    expect(others).toEqual([])
    expect(functions.filter(({ name }) => /^get[A-Z]/.test(name)).length).toBeGreaterThan(3)
  })
})
