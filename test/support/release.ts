import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './root.ts'

/** A folder as an installed release is: what was built last, and no `.env` of whoever works here. Gone with `remove`. */
export function releaseFolder(): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'muster-release-'))
  for (const part of ['dist', 'package.json', 'check-node.mjs'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  for (const part of ['node_modules', 'views', 'public']) symlinkSync(join(root, part), join(folder, part))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
