import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from './support/root.ts'

/**
 * What modules remember by themselves. Nothing may be added; what a process has to remember is a field of an object that
 * its start makes: server/memory.ts, or Microsoft's and the store's connections.
 */
const left: Record<string, string> = {
  'log.ts scopes': 'which request a line is written for: Node hands it along',
  'words.ts compiled': 'what constant texts are compiled to',
  'web/page/format.ts formats': 'what constant styles are compiled to, for each time zone there is',
  'process/run.ts config': 'the module is the program that starts the portal',
  'store/engine/offload.ts changes': 'the changes by their names, once the modules that hold them are loaded',
  'store/engine/offload.ts offloaders': 'the thread that a connection has',
  'store/engine/thread.ts prepared': 'the module is the program of a thread',
  'simulator/login/keys.ts processKey': 'a key takes a third of a second, and tests start many simulators',
}

const server = join(root, 'server')
const sources = readdirSync(server, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => [file, readFileSync(join(server, file), 'utf8')] as const)

/** Names of variables at the level of the module whose value changes, or is made to hold what comes. */
function memoryIn(text: string): string[] {
  const code = text.replace(/`(?:\\.|[^`\\])*`/g, '``')
  const variables = [...code.matchAll(/^(?:export )?(?:let|var) (\w+)/gm)].map(([, name = '']) => name)
  const keepers = /^(?:export )?const (\w+)(?:: [^=]+)? = new (?:Weak\w+|LRUCache|AsyncLocalStorage|RateLimiter\w+)\b/gm
  const kept = [...code.matchAll(keepers)].map(([, name = '']) => name)
  const constants = [...code.matchAll(/^(?:export )?const (\w+)/gm)].map(([, name = '']) => name)
  const changing = constants.filter((name) =>
    new RegExp(
      `(?<![.\\w])${name}(?:\\.(?:set|add|delete|clear|push|pop|shift|unshift|splice)\\(|(?:\\.\\w+|\\[[^\\]]+\\]) (?:\\?\\?|\\+|-)?= )`,
    ).test(code),
  )
  return [...new Set([...variables, ...kept, ...changing])]
}

describe('a module remembers nothing', () => {
  test('but what is listed', () => {
    // Counters are the process's own by what they are: https://prometheus.io/docs/instrumenting/writing_clientlibs/
    const stories = sources.filter(([file]) => file !== 'metrics.ts')
    const found = stories.flatMap(([file, text]) => memoryIn(text).map((name) => `${file} ${name}`))
    expect(found.sort()).toEqual(Object.keys(left).sort())
  })

  test.each([
    ['a variable', 'let last = 0\n', 'last'],
    ['a weak map', 'export const seen = new WeakMap<object, number>()\n', 'seen'],
    ['a cache', 'const tokens = new LRUCache({ max: 1 })\n', 'tokens'],
    ['a list that grows', 'const names: string[] = []\nfunction add(name: string) {\n  names.push(name)\n}\n', 'names'],
    ['a field that changes', 'const state = { on: false }\nfunction start() {\n  state.on = true\n}\n', 'state'],
  ])('is held for %s', (_, text, name) => {
    expect(memoryIn(text)).toEqual([name])
  })

  test.each([
    ['a table', "const words = new Map([['a', 1]])\nexport const wordOf = (key: string) => words.get(key)\n"],
    [
      'a field of an object',
      'class Tokens {\n  readonly #held = new Map()\n  keep() {\n    this.#held.set(1, 2)\n  }\n}\n',
    ],
    ['a variable of a function', 'function f() {\n  let n = 0\n  return ++n\n}\n'],
    ['code in a text', 'const sample = `\nvar secret = 1\n`\n'],
  ])('is not held for %s', (_, text) => {
    expect(memoryIn(text)).toEqual([])
  })
})
