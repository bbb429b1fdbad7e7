import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from './support/root.ts'

/** Lines of a file, and of a function, that are read at one sitting. */
const longestFile = 300
const longestFunction = 60

/** Data: its length says nothing of how hard it is to read. */
const data =
  /^(words\/|simulator\/world\/(stories|cast)\.ts|demo\/cast\.ts|store\/engine\/(schema\.ts|migrations\/)|model\/aadsts\.ts)/

/** Longer ones that are left. Nothing may be added and none may grow; what is mended has to be taken out. */
const filesLeft: Record<string, number> = {}
const functionsLeft: Record<string, number> = {}

const server = join(root, 'server')
const sources = readdirSync(server, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !data.test(file))
  .map((file) => ({ file, text: readFileSync(join(server, file), 'utf8') }))

const opening = /^( *)(?!.*\b(?:if|for|while|switch|catch) \().*(?:=>|\)(?:: [^=]+)?) \{$/
const naming = /(?:function\*?|const) (\w+)|^ *(?:async |static |get )*(#?\w+)\(/

/**
 * Names and lengths, in lines, of the bodies of functions longer than `limit`, in text as the formatter leaves it: a body
 * ends at the first brace that stands as far in as the line that opened it.
 */
function longFunctions(file: string, text: string, limit: number): [name: string, lines: number][] {
  const lines = text.split('\n')
  return lines.flatMap((line, start): [string, number][] => {
    const indent = opening.exec(line)?.[1]
    if (indent === undefined) return []
    const end = lines.findIndex((other, at) => at > start && other.startsWith(`${indent}}`))
    const length = end - start + 1
    if (length <= limit) return []
    const head = lines.slice(Math.max(0, start - 12), start + 1).reverse()
    const named = head.map((one) => (one.startsWith(`${indent} `) ? null : naming.exec(one))).find(Boolean)
    return [[`${file} ${named?.[1] ?? named?.[2] ?? line.trim()}`, length]]
  })
}

/** What is longer than it may be, and what need not be listed any more. */
function unlike(found: Record<string, number>, left: Record<string, number>): string[] {
  const longer = Object.entries(found).filter(([name, lines]) => lines > (left[name] ?? 0))
  const mended = Object.keys(left).filter((name) => !(name in found))
  return [...longer.map(([name, lines]) => `${name}: ${lines} lines`), ...mended.map((name) => `${name}: take it out`)]
}

describe('what is read at one sitting', () => {
  test('is a file', () => {
    const long = sources
      .map(({ file, text }) => [file, text.split('\n').length - 1] as const)
      .filter(([, lines]) => lines > longestFile)
    expect(unlike(Object.fromEntries(long), filesLeft)).toEqual([])
  })

  test('is a function', () => {
    const long = sources.flatMap(({ file, text }) => longFunctions(file, text, longestFunction))
    expect(unlike(Object.fromEntries(long), functionsLeft)).toEqual([])
  })

  test('is counted from the line that opens a body to the one that closes it', () => {
    const text = 'const f = () => {\n  return 1\n}\nfunction g(\n  a: number,\n): void {\n  if (a) {\n    b()\n  }\n}\n'
    expect(longFunctions('a.ts', text, 2)).toEqual([
      ['a.ts f', 3],
      ['a.ts g', 5],
    ])
  })
})
