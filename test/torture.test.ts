import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { freshDatabase } from './support/databases.ts'

/** The short version of `npm run torture`, and what belongs to it: docs/torture.md. */
const root = fileURLToPath(new URL('..', import.meta.url))
const versions = '/usr/lib/postgresql'
const ownPostgres =
  existsSync(versions) && readdirSync(versions).some((version) => existsSync(join(versions, version, 'bin', 'initdb')))
const postgres = ownPostgres || process.env.TEST_DATABASE_URL !== undefined
const patience = 240_000

beforeAll(() => {
  const built = spawnSync(process.execPath, [join(root, 'build.mjs')], { encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`the build failed: ${built.stdout}${built.stderr}`)
})

/** A command of torture/, to its end; what it said is the message of the test that fails. */
async function run(script: string, ...args: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [join(root, 'torture', script), ...args], { cwd: root })
  let said = ''
  child.stdout.on('data', (chunk) => (said += chunk))
  child.stderr.on('data', (chunk) => (said += chunk))
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { code, said }
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
        'run.mjs',
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
          'run.mjs',
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
      const { code, said } = await onServer((args) => run('rolling.mjs', ...args))
      expect(said).toContain(', 0 failed')
      expect(code).toBe(0)
    },
    patience,
  )
})

test(
  'a full disk: pages are read, changes refused for now, and nothing is lost (skipped by name without the right to mount)',
  async () => {
    const { code, said } = await run('disk-full.mjs')
    if (said.includes('skipped')) return
    expect(said).toContain('"caughtUp":true')
    expect(code).toBe(0)
  },
  patience,
)

test('every defence that a torture run takes out still stands where it is looked for', () => {
  const takeOut = `
    import { mkdtempSync, rmSync } from 'node:fs'
    import { mutantOf, mutants } from ${JSON.stringify(new URL('../torture/mutants.mjs', import.meta.url).href)}
    for (const name of Object.keys(mutants)) {
      const folder = mkdtempSync(${JSON.stringify(join(tmpdir(), 'muster-mutant-'))})
      try { mutantOf(name, folder) } finally { rmSync(folder, { recursive: true }) }
      console.log(name)
    }`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', takeOut], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(stdout.trim().split('\n')).toEqual(['overlap', 'fence', 'guard', 'reconcile'])
})
