import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Config, readConfig } from '../config/config.ts'
import { keyIdsFor, sealingPurposes } from '../config/data-keys.ts'
import { environment, fromPackage } from '../config/environment.ts'
import { ConfigError } from '../config/variables.ts'
import { BackupError, type Manifest, readManifest, writeManifest } from '../store/backup/manifest.ts'
import { backUpPostgres, dumpName, restorePostgres } from '../store/backup/postgres.ts'
import { backUpSqlite, copyName, restoreSqlite } from '../store/backup/sqlite.ts'
import { connectionFault } from '../store/connection-fault.ts'
import { placeOf } from '../store/engine/inspection.ts'
import { migrations } from '../store/engine/migrations.ts'
import { CannotStart } from './process.ts'

/**
 * `npm run backup`: a folder with a copy of the database, as it stood at one moment, and a manifest of what is in it. It gets its name
 * when all of it has been looked at: what was interrupted is not taken for a backup.
 * @returns what was done, in words
 * @throws CannotStart naming what is in the way
 */
export async function backup(config: Config, where?: string): Promise<string> {
  const at = new Date()
  const folder = where === undefined ? defaultFolder(at) : resolve(where)
  if (existsSync(folder)) throw new CannotStart(`${folder} is there already. Name another folder.`)
  const partial = `${folder}.partial-${process.pid}`
  return told(config, async () => {
    try {
      mkdirSync(partial, { recursive: true, mode: 0o700 })
      const engine = config.databaseUrl === null ? 'SQLite' : 'PostgreSQL'
      const file = config.databaseUrl === null ? copyName : dumpName
      const contents =
        config.databaseUrl === null
          ? backUpSqlite(config.dataDir, join(partial, file))
          : await backUpPostgres(config.databaseUrl, join(partial, file))
      const about = { version: versionHere(), engine, at: at.toISOString() } as const
      const manifest = await writeManifest(partial, file, { ...about, ...contents })
      renameSync(partial, folder)
      return `Backed up ${placeOf(config).place} to ${folder}: ${inWords(manifest)}. ${keysInWords(config, manifest)}`
    } finally {
      rmSync(partial, { recursive: true, force: true })
    }
  })
}

/**
 * `npm run restore`: puts a backup in the place of the database of this configuration, and looks at what is there afterwards.
 * @returns what was done, in words
 * @throws CannotStart naming what is in the way
 */
export async function restore(
  config: Config,
  from: string,
  { replace, keyless }: { replace: boolean; keyless: boolean },
): Promise<string> {
  const folder = resolve(from)
  return told(config, async () => {
    const manifest = await readManifest(folder)
    refuseOtherEngine(config, manifest)
    const unknown = manifest.migrations.filter((name) => !(name in migrations))
    if (unknown.length > 0) {
      throw new BackupError(
        `The backup is of a newer Muster (${manifest.version}), which has ${unknown.join(', ')}. Restore it with that.`,
      )
    }
    const lost = lostKeys(config, manifest)
    if (lost > 0 && !keyless) {
      throw new BackupError(
        'What the backup keeps sealed (addresses and secrets of destinations, the mail server) was sealed by a key that is neither in DATA_KEY nor in SESSION_SECRET. Put that key behind the others, or add --without-keys: these have to be entered again then.',
      )
    }
    const { place } = placeOf(config)
    let kept: string | null = null
    const file = join(folder, manifest.file)
    if (config.databaseUrl === null) kept = restoreSqlite(config.dataDir, file, { manifest, replace, at: new Date() })
    else await restorePostgres(config.databaseUrl, file, { manifest, replace })
    const earlier = kept === null ? '' : ` What was there is at ${kept}.`
    return `Restored ${inWords(manifest)} of ${manifest.at} to ${place}.${earlier} Start Muster: it reads what happened since.`
  })
}

/** What this machine is configured as. @throws CannotStart */
export function configuration(): Config {
  const { env, ...noticed } = environment()
  try {
    return readConfig(env, noticed)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const lines = error.problems.map(({ variable, problem, remedy }) => `  ${variable} ${problem}. ${remedy}`)
    throw new CannotStart(['The configuration has to be right first:', ...lines].join('\n'))
  }
}

const defaultFolder = (at: Date): string =>
  fromPackage(`backups/${at.toISOString().slice(0, 19).replaceAll(':', '-')}Z`)

const versionHere = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version

/** What an engine, a disk or the backup itself says, as a person can mend it. */
async function told(config: Config, act: () => Promise<string>): Promise<string> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof BackupError) throw new CannotStart(error.message)
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOSPC' || code?.startsWith('SQLITE_FULL'))
      throw new CannotStart('The disk is full: nothing was kept.')
    const fault = connectionFault(error)
    if (fault === null) throw error
    throw new CannotStart(`${placeOf(config).place}: ${fault.problem} (${fault.code || 'no code'}). ${fault.remedy}`)
  }
}

function refuseOtherEngine(config: Config, { engine }: Manifest): void {
  const here = config.databaseUrl === null ? 'SQLite' : 'PostgreSQL'
  if (engine !== here) throw new BackupError(`The backup is of ${engine}, and this configuration is for ${here}.`)
}

const lostKeys = (config: Config, { sealedBy }: Manifest): number => {
  const held = new Set(keyIdsFor(config, sealingPurposes))
  return sealedBy.filter((id) => !held.has(id)).length
}

const inWords = ({ rows, bytes, migrations }: Manifest): string =>
  `${rows.customers ?? 0} customers, ${rows.incidents ?? 0} incidents, ${rows.audit_events ?? 0} audit events (${Math.ceil(bytes / 1024)} KiB, schema ${migrations.at(-1)})`

function keysInWords(config: Config, manifest: Manifest): string {
  if (manifest.sealedBy.length === 0) return 'Nothing in it is sealed.'
  if (lostKeys(config, manifest) > 0) return 'Some of what is sealed in it opens with no key of this configuration.'
  const name = config.dataKeys.length > 0 ? 'DATA_KEY' : 'SESSION_SECRET'
  return `What is sealed in it opens with ${name} alone, which is not in it: keep that elsewhere.`
}
