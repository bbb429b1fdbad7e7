import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from './support/root.ts'

const server = join(root, 'server')
const sources = readdirSync(server, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('words/'))
  .map((file) => [file, readFileSync(join(server, file), 'utf8')] as const)

/** What stands in one file alone, and how it would look in another. */
const saidOnce = [
  { what: 'what a GUID looks like', home: 'guid.ts', pattern: /\[0-9a-f-?\]\{(?:8\}(?:-\[|\()|36\})/ },
  {
    what: 'which characters nobody sees',
    home: 'invisible.ts',
    pattern: /\\p\{(?:Cc|Cf|Zl|Zp)\}|\\u(?:202[a-e]|206[0-9a-f]|200[b-f])/i,
  },
  {
    what: 'how long a minute, an hour and a day are',
    home: 'time.ts',
    pattern: /\b(?:86_?400_?000|3_?600_?000)\b(?!')|const (?:second|minute|hour|day) = [\d(]/,
  },
  { what: 'the initials of a name', home: 'http/frame/avatar.ts', pattern: /initials: |function initialsOf/ },
] as const

/** Seconds, not milliseconds. */
const exceptions = ['store/sync/budgets.ts']

describe('is said once:', () => {
  test.each(saidOnce)('$what', ({ home, pattern }) => {
    const files = sources.filter(([file, text]) => pattern.test(text) && !exceptions.includes(file))
    expect(files.map(([file]) => file)).toEqual([home])
  })
})
