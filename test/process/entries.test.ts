import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { build } from '../support/build.ts'
import { temporaryFolder } from '../support/places.ts'
import { type StartedProcess, startNode } from '../support/processes.ts'
import { root } from '../support/root.ts'

const folder = temporaryFolder()
beforeAll(() => {
  build()
  build('demo')
})
afterAll(() => folder.remove())

/** A folder of its own that has these parts of the repository, each as it is. */
function having(name: string, parts: readonly string[]): string {
  const path = join(folder.path, name)
  mkdirSync(path)
  for (const part of parts) cpSync(join(root, part), join(path, part), { recursive: true })
  return path
}

describe('an older Node.js', () => {
  /** Loaded first: from then on this process takes itself for that version. */
  const passesFor = (version: string) =>
    `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`

  const entries = ['dist/main.js', 'dist/cli.js', 'dist-demo/demo/cli.js', 'build.mjs']

  test.each(entries)('is told what Muster needs, first and last, by %s', async (entry) => {
    for (const [version, shown] of [
      ['18.20.8', '18.20'],
      ['20.18.3', '20.18'],
    ]) {
      const { ended, text } = startNode(['--import', passesFor(version ?? ''), join(root, entry)])
      expect(await ended).toBe(1)
      expect(text()).toBe(`Muster needs Node.js 20.19 or newer; this is ${shown}\n`)
    }
  })

  test.each(entries)('meets nothing in %s that it could fail to read before', (entry) => {
    const text = readFileSync(join(root, entry), 'utf8')
    const imports = [...text.matchAll(/^import\s.*?'([^']+)'/gm)].map(([, from]) => from)
    expect(imports[0]).toMatch(/check-node\.mjs$/)
    expect(imports.slice(1).filter((from) => !/^node:(child_process|fs|path|url)$/.test(from ?? ''))).toEqual([])
  })

  test('is one that package.json does not promise', () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }
    expect(engines.node).toBe('>=20.19')
  })
})

describe('without the compiler', () => {
  const build = (where: string, ...words: string[]): StartedProcess => startNode([join(where, 'build.mjs'), ...words])
  const clone = ['build.mjs', 'check-node.mjs', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'server']
  const remedy = 'run "npm ci --include=dev" in a clone of the repository, or install a release, which brings dist/'

  test('an installation ends well, and a start says in one sentence that a build is missing and how to get it', async () => {
    const fresh = having('clone', clone)
    expect(await build(fresh, '--prepare').ended).toBe(0)
    const { ended, text } = build(fresh)
    expect(await ended).toBe(1)
    expect(text()).toBe(`dist/ is missing, and the compiler is not installed: ${remedy}.\n`)
  })

  test('a build that is older than its sources is not run', async () => {
    const old = having('old', [...clone, 'dist'])
    utimesSync(join(old, 'dist', '.built'), new Date(0), new Date(0))
    const { ended, text } = build(old)
    expect(await ended).toBe(1)
    expect(text()).toBe(`dist/ is older than its sources, and the compiler is not installed: ${remedy}.\n`)
  })
})

describe('a release', () => {
  /** As `npm run release` makes it, taken apart. */
  let release: string
  beforeAll(() => {
    execFileSync(process.execPath, [join(root, 'release.mjs'), folder.path, '--offline'], { cwd: root, stdio: 'pipe' })
    execFileSync('tar', ['-xzf', 'muster-0.1.0.tar.gz'], { cwd: folder.path })
    release = join(folder.path, 'muster-0.1.0')
  })

  interface Locked {
    dev?: boolean
    integrity?: string
    version?: string
  }
  const locked = (): [name: string, locked: Locked][] => {
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, Locked>
    }
    return Object.entries(packages).flatMap(([path, one]): [string, Locked][] =>
      path === '' || one.dev ? [] : [[path.replace(/^.*node_modules\//, ''), one]],
    )
  }

  test('has a checksum of each file, and of itself', () => {
    const check = (file: string, cwd: string) => execFileSync('sha256sum', ['--check', '--quiet', file], { cwd })
    check('SHA256SUMS', release)
    check('muster-0.1.0.tar.gz.sha256', folder.path)
    const listed = readFileSync(join(release, 'SHA256SUMS'), 'utf8').trim().split('\n').length
    const files = execFileSync('find', ['.', '-type', 'f'], { cwd: release, encoding: 'utf8' }).trim().split('\n')
    expect(listed).toBe(files.length - 1)
  })

  test('says of each package what it is, where it is from and under what licence, for every platform', () => {
    expect(locked().filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([])
    expect(locked().map(([name]) => name)).toEqual(
      expect.arrayContaining(['@libsql/linux-x64-gnu', '@libsql/win32-x64-msvc']),
    )
    const licences = readFileSync(join(release, 'LICENCES.txt'), 'utf8')
    for (const [name, { version }] of locked()) expect(licences).toContain(`${name} ${version}\nLicence: `)
    expect(licences).toContain('bootstrap 5.')
    const { components } = JSON.parse(readFileSync(join(release, 'sbom.cdx.json'), 'utf8')) as {
      components: { name: string }[]
    }
    const named = components.map(({ name }) => name)
    for (const name of ['express', 'pg', 'libsql', 'kysely']) expect(named).toContain(name)
    expect(named).not.toContain('jest')
  })

  test('brings what it runs and what it was tested with, and no sources', () => {
    const lock = (file: string) => readFileSync(file, 'utf8')
    expect(lock(join(release, 'npm-shrinkwrap.json'))).toBe(lock(join(root, 'package-lock.json')))
    const parts = execFileSync('ls', ['-A', release], { encoding: 'utf8' }).trim().split('\n')
    expect(parts).toEqual(expect.arrayContaining(['dist', 'views', 'public', '.env.example', 'README.md', 'LICENSE']))
    expect(parts.filter((part) => ['server', 'test', 'dist-demo', '.env', 'data'].includes(part))).toEqual([])
  })

  test('starts, with nothing compiled, and says what is no part of it', async () => {
    symlinkSync(join(root, 'node_modules'), join(release, 'node_modules'))
    expect(await startNode([join(release, 'build.mjs'), '--prepare']).ended).toBe(0)
    const { ended, err } = startNode([join(release, 'dist', 'main.js')], { cwd: folder.path })
    expect(await ended).toBe(1)
    expect(err()).toContain('SESSION_SECRET is missing')
    writeFileSync(join(release, '.env'), '')
    const demo = startNode([join(release, 'build.mjs'), 'demo'])
    expect(await demo.ended).toBe(1)
    expect(demo.text()).toContain('dist-demo/ is no part of this release')
  })
})
