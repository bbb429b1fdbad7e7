import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fsyncSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** What a backup holds; written beside it once all of it has been looked at. */
export interface Manifest {
  format: 'muster-backup/1'
  /** Of the Muster that made it. */
  version: string
  engine: 'SQLite' | 'PostgreSQL'
  /** UTC ISO time. */
  at: string
  file: string
  bytes: number
  /** Hexadecimal, of the file. */
  sha256: string
  /** In order: the schema. */
  migrations: string[]
  /** By table. */
  rows: Record<string, number>
  /** IDs of the keys that open what is sealed in it; a key's ID opens nothing. */
  sealedBy: string[]
}

const shape: z.ZodType<Manifest> = z.object({
  format: z.literal('muster-backup/1'),
  version: z.string(),
  engine: z.enum(['SQLite', 'PostgreSQL']),
  at: z.string(),
  file: z.string().regex(/^[\w.-]+$/),
  bytes: z.number(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  migrations: z.array(z.string()),
  rows: z.record(z.string(), z.number()),
  sealedBy: z.array(z.string()),
})

/** A backup cannot be made, or is not what it should be; nothing was changed. The message is for people. */
export class BackupError extends Error {}

/** There is a database already, and nobody said that it may be replaced. */
export class HeldError extends BackupError {
  constructor({ customers, incidents }: { customers: number; incidents: number }) {
    super(
      `There is a database already, with ${customers} customers and ${incidents} incidents. Add --replace to put the backup in its place.`,
    )
  }
}

const name = 'manifest.json'

/** What a copy was found to hold, whichever the engine. */
export type Contents = Pick<Manifest, 'migrations' | 'rows' | 'sealedBy'>

/** Writes the manifest of a file in that folder, and both to the disk. */
export async function writeManifest(
  folder: string,
  file: string,
  about: Pick<Manifest, 'version' | 'engine' | 'at'> & Contents,
): Promise<Manifest> {
  const path = join(folder, file)
  const { bytes, sha256 } = await digestOf(path)
  const manifest: Manifest = { format: 'muster-backup/1', ...about, file, bytes, sha256 }
  writeFileSync(join(folder, name), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
  for (const one of [path, join(folder, name), folder]) toDisk(one)
  return manifest
}

/** @throws BackupError where there is none, or the file beside it is another one than it was made of */
export async function readManifest(folder: string): Promise<Manifest> {
  let text: string
  try {
    text = readFileSync(join(folder, name), 'utf8')
  } catch (error) {
    throw new BackupError(
      `${folder} holds no backup: manifest.json cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    )
  }
  const read = shape.safeParse(jsonIn(text))
  if (!read.success) throw new BackupError(`The manifest in ${folder} is none that this Muster can read.`)
  const manifest = read.data
  const digest = await digestOf(join(folder, manifest.file)).catch((error: NodeJS.ErrnoException) => {
    throw new BackupError(`${join(folder, manifest.file)} cannot be read (${error.code}).`)
  })
  if (digest.sha256 !== manifest.sha256) {
    throw new BackupError(`${manifest.file} is not the file that was backed up: it was changed or cut since.`)
  }
  return manifest
}

/** @throws BackupError naming the first table whose number of rows differs */
export function compareRows(expected: Manifest['rows'], found: Manifest['rows'], what: string): void {
  for (const table of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    if (expected[table] === found[table]) continue
    throw new BackupError(
      `${what} holds ${found[table] ?? 'no'} rows of ${table}, and should hold ${expected[table] ?? 'none'}.`,
    )
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function digestOf(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path)) hash.update(part as Buffer)
  return { bytes: statSync(path).size, sha256: hash.digest('hex') }
}

export function toDisk(path: string): void {
  const handle = openSync(path, 'r')
  fsyncSync(handle)
  closeSync(handle)
}

/** The key's ID in a sealed text: `s1.<key>.<the rest>`. */
export const keyOf = (sealed: string): string => sealed.split('.')[1] ?? ''
