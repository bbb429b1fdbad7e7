import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { build } from '../support/build.ts'
import { freshDatabase } from '../support/databases.ts'
import { startNode } from '../support/processes.ts'
import { root } from '../support/root.ts'

/** The short version of `npm run torture`, and what belongs to it: docs/torture.md. */
const versions = '/usr/lib/postgresql'
const ownPostgres =
  existsSync(versions) && readdirSync(versions).some((version) => existsSync(join(versions, version, 'bin', 'initdb')))
const postgres = ownPostgres || process.env.TEST_DATABASE_URL !== undefined
const patience = 240_000
const tools = join(root, 'dist-tools', 'torture')

beforeAll(() => build('tools'), 120_000)

/** A command of torture/, to its end; what it said is the message of the test that fails. */
async function run(script: string, ...args: string[]): Promise<{ code: number | null; said: string }> {
  const { ended, text } = startNode([join(tools, script), ...args], { cwd: root, env: { TMPDIR: tmpdir() } })
  const code = await ended
  return { code, said: text() }
}

/** A database of our own on somebody's server, where there is no PostgreSQL of our own to stop and start. */
async function onServer<T>(use: (args: string[]) => Promise<T>): Promise<T> {
  if (ownPostgres) return use([])
  const { databaseUrl, drop } = await freshDatabase('PostgreSQL')
  try {
    return await use(['--database-url', databaseUrl ?? ''])
  } finally {
    await drop()
  }
}

const short = ['--seconds', '60', '--tenants', '6']

describe('nothing is lost, doubled or turned back', () => {
  test.each([
    ['defender', '11'],
    ['graph', '12'],
  ])(
    'SQLite, %s',
    async (api, seed) => {
      const { code, said } = await run(
        'run.js',
        '--engine',
        'sqlite',
        '--api',
        api,
        '--seed',
        seed,
        '--budget',
        'wide',
        ...short,
      )
      expect(said).toContain(' 0 differences')
      expect(code).toBe(0)
    },
    patience,
  )

  const onPostgres = postgres ? test : test.skip
  onPostgres(
    'PostgreSQL, its processes killed and, where it is our own, itself too (skipped without binaries and TEST_DATABASE_URL)',
    async () => {
      const { code, said } = await onServer((args) =>
        run(
          'run.js',
          '--engine',
          'postgres',
          '--api',
          'defender',
          '--seed',
          '13',
          '--budget',
          'wide',
          ...short,
          ...args,
        ),
      )
      expect(said).toContain(' 0 differences')
      expect(code).toBe(0)
    },
    patience,
  )

  onPostgres(
    'a rolling restart refuses nobody (skipped without binaries and TEST_DATABASE_URL)',
    async () => {
      const { code, said } = await onServer((args) => run('rolling.js', ...args))
      expect(said).toContain(', 0 failed')
      expect(code).toBe(0)
    },
    patience,
  )
})

test(
  'a full disk: pages are read, changes refused for now, and nothing is lost (skipped by name without the right to mount)',
  async () => {
    const { code, said } = await run('disk-full.js')
    if (said.includes('skipped')) return
    expect(said).toContain('"caughtUp":true')
    expect(code).toBe(0)
  },
  patience,
)

test('every defence that a torture run takes out still stands where it is looked for', async () => {
  const takeOut = `
    import { mkdtempSync, rmSync } from 'node:fs'
    import { mutantOf, mutants } from ${JSON.stringify(pathToFileURL(join(tools, 'mutants.js')).href)}
    for (const name of Object.keys(mutants)) {
      const folder = mkdtempSync(${JSON.stringify(join(tmpdir(), 'muster-mutant-'))})
      try { mutantOf(name, folder) } finally { rmSync(folder, { recursive: true }) }
      console.log(name)
    }`
  const { ended, out, err } = startNode(['--input-type=module', '--eval', takeOut])
  await ended
  expect(err()).toBe('')
  expect(out().trim().split('\n')).toEqual(['overlap', 'fence', 'guard', 'reconcile'])
})
