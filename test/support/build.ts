import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './root.ts'

/** Compiles what build.mjs calls so, when a source is newer than its last build. @throws Error with what it said */
export function build(...what: string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'build.mjs'), ...what], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the build failed: ${stdout}${stderr}`)
}
