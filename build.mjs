// Compiles what is named and has changed since it was compiled last:
//   node build.mjs          dist/        the portal, as production runs it
//   node build.mjs demo     dist-demo/   the same with the simulated Microsoft and the demonstration
//   node build.mjs tools    dist-tools/  bench/ and torture/, and the two builds they run
// `--prepare` (npm's own, after an installation) leaves it at a note where there is no compiler; `--release` and
// `--packed` are npm pack's. Each result is swapped in by rename, so that a process starting meanwhile never reads half a build.
import './check-node.mjs'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const words = process.argv.slice(2)

/** Into which folder, from what; `left` are parts of the sources that have no say; `finish` is given the new folder. */
const builds = {
  portal: {
    folder: 'dist',
    project: 'tsconfig.build.json',
    sources: ['server'],
    left: ['server/demo', 'server/simulator'],
  },
  demo: { folder: 'dist-demo', project: 'tsconfig.demo.json', sources: ['server'] },
  tools: {
    folder: 'dist-tools',
    project: 'tsconfig.tools.json',
    sources: ['bench', 'torture', 'test/support'],
    finish(folder) {
      compileRival(folder)
      // They run the builds there are, not another one of their own.
      rmSync(join(folder, 'server'), { recursive: true })
      symlinkSync(join(root, 'dist-demo'), join(folder, 'server'), 'junction')
    },
  },
}

if (!words.includes('demo')) build(builds.portal)
if (words.includes('demo') || words.includes('tools')) build(builds.demo)
if (words.includes('tools')) build(builds.tools)
// npm packs no package-lock.json. Under this name it does, for as long as it packs, and `npm ci` takes it.
const packed = join(root, 'npm-shrinkwrap.json')
if (words.includes('--release')) copyFileSync(join(root, 'package-lock.json'), packed)
if (words.includes('--packed')) rmSync(packed, { force: true })

function build(what) {
  const target = join(root, what.folder)
  const stamp = join(target, '.built')
  if (existsSync(join(root, what.sources[0]))) {
    if (existsSync(stamp) && statSync(stamp).mtimeMs >= newestOf(what)) return
    if (!existsSync(tsc))
      return without(`${what.folder}/ ${existsSync(target) ? 'is older than its sources' : 'is missing'}`)
  } else {
    // A release brings what it runs, and nothing to compile.
    if (existsSync(stamp)) return
    return without(`${what.folder}/ is no part of this release`)
  }
  const next = `${target}.${process.pid}`
  compile(what.project, next)
  what.finish?.(next)
  writeFileSync(join(next, '.built'), '')
  swap(next, target)
}

/** Where nothing can be compiled: a note after an installation, else the end. */
function without(why) {
  const remedy = 'run "npm ci --include=dev" in a clone of the repository, or install a release, which brings dist/'
  console.error(`${why}, and the compiler is not installed: ${remedy}.`)
  process.exit(words.includes('--prepare') ? 0 : 1)
}

function compile(project, folder) {
  const args = [tsc, '-p', join(root, project), '--outDir', folder]
  if (spawnSync(process.execPath, args, { stdio: 'inherit' }).status === 0) return
  rmSync(folder, { recursive: true, force: true })
  process.exit(1)
}

/** bench/rival/ is a package of its own; without its dependencies there is nothing to compile. */
function compileRival(folder) {
  const modules = join(root, 'bench', 'rival', 'node_modules')
  if (!existsSync(modules)) return
  compile('bench/rival/tsconfig.json', folder)
  symlinkSync(modules, join(folder, 'bench', 'rival', 'node_modules'), 'junction')
}

function newestOf({ project, sources, left = [] }) {
  const without = left.map((folder) => join(root, folder))
  const files = sources.flatMap((folder) => filesBelow(join(root, folder), without))
  const settings = ['tsconfig.json', project, 'build.mjs'].map((name) => join(root, name))
  return Math.max(...[...files, ...settings].map((file) => statSync(file).mtimeMs))
}

/** Folders themselves too: a file that was removed changes them, and so does a package that was installed. */
function filesBelow(folder, without) {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => name !== 'results')
  const below = entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    if (without.includes(path)) return []
    return entry.isDirectory() && entry.name !== 'node_modules' ? filesBelow(path, without) : [path]
  })
  return [folder, ...below]
}

function swap(next, target) {
  const old = `${next}.old`
  try {
    if (existsSync(target)) renameSync(target, old)
    renameSync(next, target)
  } catch (error) {
    // Two builds at once: the other one's result is as good as ours.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error
    rmSync(next, { recursive: true, force: true })
  }
  rmSync(old, { recursive: true, force: true })
}
