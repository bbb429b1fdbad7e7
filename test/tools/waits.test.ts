import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { root } from '../support/root.ts'

/** Where time may pass: until a condition holds, and in what plays a slow server or caller. */
const timekeepers = ['support/waiting.ts', 'support/slow.ts']

test('no test waits by the clock', () => {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(ts|mjs)$/.test(file),
  )
  expect(files.length).toBeGreaterThan(100)
  const timer = /\bset(?:Timeout|Interval|Immediate)\(|timers\/promises|\bAtomics\.wait\b/
  const waiting = files.filter((file) => timer.test(readFileSync(join(root, 'test', file), 'utf8')))
  expect(waiting.sort()).toEqual(timekeepers.toSorted())
})
