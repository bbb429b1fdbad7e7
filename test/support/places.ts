import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

export type Engine = 'SQLite' | 'PostgreSQL'

/** Where a portal's data is: a folder with an SQLite file, or a database and a folder. */
export interface Place {
  databaseUrl: string | null
  dataDir: string
}

/** A folder that goes away with `remove`. */
export function temporaryFolder(name = 'muster-'): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), name))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/**
 * A place for one database, empty, gone with `drop`.
 * @param server address of a PostgreSQL database beside which others may be made
 */
export async function freshPlace(
  engine: Engine,
  server: string | undefined,
): Promise<Place & { drop(): Promise<void> }> {
  const folder = temporaryFolder()
  const dataDir = folder.path
  if (engine === 'SQLite') return { databaseUrl: null, dataDir, drop: async () => folder.remove() }
  const name = `muster_${randomBytes(6).toString('hex')}`
  await onServer(server, `create database ${name}`)
  const url = new URL(server ?? '')
  url.pathname = `/${name}`
  return {
    databaseUrl: url.href,
    dataDir,
    async drop() {
      folder.remove()
      await onServer(server, `drop database if exists ${name} with (force)`)
    },
  }
}

async function onServer(connectionString: string | undefined, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
