// Compiles what is named, `dist` where nothing is, when a source is newer than its last build:
//   node build.mjs           dist/        the portal
//   node build.mjs tools     dist-tools/  bench/ and torture/, which run that portal
// The result is swapped in by rename, so that a process starting meanwhile never reads half a build.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

/** Folders that are compiled, with which project, into which; `finish` takes the folder that has it then. */
const builds = {
  portal: { folder: 'dist', project: 'tsconfig.build.json', sources: ['server'] },
  tools: {
    folder: 'dist-tools',
    project: 'tsconfig.tools.json',
    sources: ['bench', 'torture', 'test/support'],
    finish(folder) {
      compileRival(folder)
      // What is measured and tormented is the portal as it was built, not a second one beside it.
      rmSync(join(folder, 'server'), { recursive: true })
      symlinkSync(join(root, 'dist'), join(folder, 'server'), 'junction')
    },
  },
}

build(builds.portal)
if (process.argv.includes('tools')) build(builds.tools)

function build({ folder, project, sources, finish }) {
  const target = join(root, folder)
  const stamp = join(target, '.built')
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= newestOf(project, sources)) return
  if (!existsSync(tsc)) {
    console.error('The TypeScript compiler is not installed: run "npm ci" first, with its development dependencies.')
    process.exit(1)
  }
  const next = `${target}.${process.pid}`
  compile(project, next)
  finish?.(next)
  writeFileSync(join(next, '.built'), '')
  swap(next, target)
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

function newestOf(project, sources) {
  const files = [...sources.flatMap((folder) => filesBelow(join(root, folder))), fileURLToPath(import.meta.url)]
  const settings = [join(root, 'tsconfig.json'), join(root, project)]
  return Math.max(...[...files, ...settings].map((file) => statSync(file).mtimeMs))
}

/** Folders themselves too: a file that was removed changes them, and so does a package that was installed. */
function filesBelow(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => name !== 'results')
  const below = entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() && entry.name !== 'node_modules' ? filesBelow(path) : [path]
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
