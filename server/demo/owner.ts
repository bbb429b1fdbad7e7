import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { CannotStart } from '../cli/process.ts'
import { OwnedError, type Owner, ownDatabase, ownFile } from '../store/engine/ownership.ts'

/**
 * Takes the state of a simulated Microsoft for this process, and makes its folder: two of them over one file would each
 * overwrite what the other remembers.
 * @returns lets go
 * @throws CannotStart naming whoever has it, or why the folder cannot be had
 */
export function ownState(stateFile: string, command: string): () => void {
  const folder = dirname(stateFile)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return ownFile(stateFile, command)
  } catch (error) {
    if (!(error instanceof OwnedError)) throw folderFault(folder, error) ?? error
    throw new CannotStart(`${stateFile} is in use by ${nameOf(error.owner)}. ${remedy('DATA_DIR to another folder')}`)
  }
}

/**
 * Takes a PostgreSQL database for one demonstration.
 * @returns lets go
 * @throws CannotStart naming whoever has it; what the driver says of a database that cannot be had
 */
export async function ownDemoDatabase(databaseUrl: string, command: string): Promise<() => Promise<void>> {
  try {
    return await ownDatabase(databaseUrl, command)
  } catch (error) {
    if (!(error instanceof OwnedError)) throw error
    throw new CannotStart(
      `The database of DATABASE_URL is in use by ${nameOf(error.owner)}. ${remedy('DATABASE_URL to another database')}`,
    )
  }
}

const remedy = (otherwise: string) => `Stop that one, or set ${otherwise}.`

function nameOf(owner: Owner | null): string {
  if (owner === null) return 'another process'
  const { command, pid, host, since } = owner
  const machine = host === hostname() ? '' : ` on ${host}`
  return `“${command}”, process ${pid}${machine}, since ${since.slice(0, 16).replace('T', ' ')} UTC`
}

const notWritable = 'this user may not write there'
const reasons = new Map([
  ['EACCES', notWritable],
  ['EPERM', notWritable],
  ['SQLITE_CANTOPEN', notWritable],
  ['SQLITE_READONLY', notWritable],
  ['EROFS', 'it is on a medium that is read only'],
  ['ENOENT', 'it cannot be made there'],
  ['ENOTDIR', 'a part of it is a file'],
  ['EEXIST', 'there is a file of that name'],
  ['ENOSPC', 'the disk is full'],
])

/** What stands in the way of a folder, as a person can mend it; undefined for anything else. */
function folderFault(dataDir: string, error: unknown): CannotStart | undefined {
  const reason = reasons.get((error as NodeJS.ErrnoException | null)?.code ?? '')
  if (reason === undefined) return undefined
  return new CannotStart(`The folder ${dataDir} cannot be used: ${reason}. Set DATA_DIR to a folder of your own.`)
}
