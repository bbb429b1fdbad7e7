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
  const compiled = spawnSync(process.execPath, [tsc, '-p', join(root, project), '--outDir', next], { stdio: 'inherit' })
  if (compiled.status !== 0) {
    rmSync(next, { recursive: true, force: true })
    process.exit(1)
  }
  finish?.(next)
  writeFileSync(join(next, '.built'), '')
  swap(next, target)
}

function newestOf(project, sources) {
  const files = sources.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(root, folder, name)),
  )
  const all = [...files, join(root, 'tsconfig.json'), join(root, project), fileURLToPath(import.meta.url)]
  return Math.max(...all.map((file) => statSync(file).mtimeMs))
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
