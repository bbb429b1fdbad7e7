import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { build } from '../../support/build.ts'
import { startNode } from '../../support/processes.ts'
import { root } from '../../support/root.ts'

/** Compiled: the thread is. */
const program = join(root, 'dist-tools', 'test', 'support', 'programs', 'threaded-sqlite.js')

describe('SQLite in a thread of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-thread-'))
  const found = new Map<string, unknown>()
  beforeAll(async () => {
    build('tools')
    const run = startNode([program, folder])
    expect([await run.ended, run.err()]).toEqual([0, ''])
    for (const line of run.out().trim().split('\n')) {
      const said = JSON.parse(line) as { what: string; found: unknown }
      found.set(said.what, said.found)
    }
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each([
    ['a commit is seen by other connections', ['a']],
    ['what throws is rolled back', ['changed my mind', ['a']]],
    [
      'a constraint is an error with its code',
      {
        code: 'SQLITE_CONSTRAINT_PRIMARYKEY',
        unavailable: false,
        message: expect.stringContaining('UNIQUE constraint failed'),
      },
    ],
    ['and in nobody’s way', ['a', 'c']],
    ['transactions take turns', ['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends']],
    ['a writer beside is waited for without holding the loop', true],
    ['changed rows are counted', true],
    ['a change waits for the transaction in hand', ['transaction begins', 'transaction ends', 'change ends']],
    ['a change is made, and its answer comes back', [{ granted: 3, waitMs: 0 }, 7]],
    [
      'a claim that was lost is told as one',
      [true, { work: 'sync', key: 'tenant', tenantId: 'tenant', fence: 7, dueAt: '', calls: 0, interrupted: false }],
    ],
    ['a change that fails tells its code', 'SQLITE_CONSTRAINT_NOTNULL'],
    ['and leaves everything to the next', [1, 6]],
    ['the end waits for what was asked', ['nothing', true]],
    ['after the end nothing is done', 'driver has already been destroyed'],
  ])('%s', (what, expected) => {
    expect(found.get(what)).toEqual(expected)
  })

  test('that crashes takes the process with it', async () => {
    const run = startNode([program, folder, 'crash'])
    expect(await run.ended).not.toBe(0)
    expect(run.err()).toContain('the database thread')
  })
})
