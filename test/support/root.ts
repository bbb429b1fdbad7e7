import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository, whether this file runs from its source or compiled, below `dist-tools/`. */
export const root = repositoryAbove(dirname(fileURLToPath(import.meta.url)))

function repositoryAbove(folder: string): string {
  if (existsSync(join(folder, 'build.mjs'))) return folder
  if (dirname(folder) === folder) throw new Error('no folder above this file holds build.mjs')
  return repositoryAbove(dirname(folder))
}
