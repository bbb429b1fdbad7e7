import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { satisfies } from 'semver'
import { build } from '../support/build.ts'
import { temporaryFolder } from '../support/places.ts'
import { startNode } from '../support/processes.ts'
import { root } from '../support/root.ts'

const folder = temporaryFolder()
beforeAll(() => build('tools'), 120_000)
afterAll(() => folder.remove())

/** The repository as it is when bench/rival/ was never installed. */
function withoutRival(): string {
  const copy = join(folder.path, 'copy')
  mkdirSync(copy)
  cpSync(join(root, 'build.mjs'), join(copy, 'build.mjs'))
  cpSync(join(root, 'dist-tools'), join(copy, 'dist-tools'), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

test('the bench says by name that the rival is left out where its package is not installed', async () => {
  const bench = join(withoutRival(), 'dist-tools', 'bench', 'run.js')
  const { ended, text } = startNode([bench, '--only', 'rival'])
  expect(await ended).toBe(2)
  expect(text()).toBe('rival: left out, its package is not installed (npm ci --prefix bench/rival)\n')
})

test('every package that the portal and its checks need runs on the oldest Node.js we promise', () => {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }
  const oldest = `${engines.node.replace('>=', '')}.0`
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { engines?: { node?: string } }>
  }
  const packages = Object.entries(lock.packages)
  expect(packages.length).toBeGreaterThan(300)
  const newer = packages.filter(([, { engines: own }]) => own?.node && !satisfies(oldest, own.node))
  expect(newer.map(([name, { engines: own }]) => `${name} ${own?.node}`)).toEqual([])
})
