import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CannotStart } from '../cli/process.ts'
import { sqliteFile } from '../store/engine/database.ts'

/** What the demonstration keeps of itself, beside the database and the simulated world. */
export interface Kept {
  version: 1
  appSecret: string
  signInSecret: string
  sessionSecret: string
  /** Whether the customers have been brought to where they stand. */
  told: boolean
}

export const keptFile = (dataDir: string) => join(dataDir, 'demo.json')
export const stateFile = (dataDir: string) => join(dataDir, 'simulator.json')

/**
 * What is kept of the demonstration; null where there was none yet.
 * @throws CannotStart when another version wrote it
 */
export function readKept(dataDir: string): Kept | null {
  const file = keptFile(dataDir)
  if (!existsSync(file)) return null
  const state = JSON.parse(readFileSync(file, 'utf8')) as Kept
  if (state.version === 1) return state
  throw new CannotStart(
    `${file} was not written by this version. Begin anew with “npm run demo -- --fresh”, or set DATA_DIR to another folder.`,
  )
}

export function newKept(): Kept {
  const secret = () => randomBytes(32).toString('base64url')
  return { version: 1, appSecret: secret(), signInSecret: secret(), sessionSecret: secret(), told: false }
}

export function keep(dataDir: string, state: Kept): void {
  const file = keptFile(dataDir)
  writeFileSync(`${file}.next`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.next`, file)
}

/** Removes the demonstration's own files, and nothing else that lies in its folder. */
export function removeDemo(dataDir: string, { database }: { database: boolean }): void {
  const file = sqliteFile(dataDir)
  const files = database ? [file, `${file}-wal`, `${file}-shm`] : []
  // The file by which the rest is known goes last: a removal that is cut short is done again.
  for (const own of [...files, stateFile(dataDir), keptFile(dataDir)]) rmSync(own, { force: true })
}
