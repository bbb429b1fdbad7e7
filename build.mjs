// Compiles server/ into dist/ when a source is newer than the last build. The result is swapped in by rename, so that
// a process starting meanwhile never reads half a build.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const stamp = join(root, 'dist', '.built')
const sources = [
  ...readdirSync(join(root, 'server'), { recursive: true }).map((name) => join(root, 'server', name)),
  join(root, 'tsconfig.json'),
  join(root, 'tsconfig.build.json'),
]
const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs))
if (existsSync(stamp) && statSync(stamp).mtimeMs >= newest) process.exit(0)

const next = join(root, `dist.${process.pid}`)
const old = join(root, `dist.${process.pid}.old`)
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
if (!existsSync(tsc)) {
  console.error('The TypeScript compiler is not installed: run "npm ci" first, with its development dependencies.')
  process.exit(1)
}
const compiled = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', next], {
  stdio: 'inherit',
})
if (compiled.status !== 0) {
  rmSync(next, { recursive: true, force: true })
  process.exit(1)
}
writeFileSync(join(next, '.built'), '')
try {
  if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old)
  renameSync(next, join(root, 'dist'))
} catch (error) {
  // Two builds at once: the other one's result is as good as ours.
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error
  rmSync(next, { recursive: true, force: true })
}
rmSync(old, { recursive: true, force: true })
