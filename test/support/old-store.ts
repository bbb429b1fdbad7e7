import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import pg from 'pg'
import { sqliteFile } from '../../server/store/engine/database.ts'
import { type Engine, freshDatabase } from './databases.ts'
import type { Place } from './places.ts'

/** A customer as it was when version 0.1 stopped, with what only a mailbox and Microsoft still know. */
export interface OldCustomer {
  name: string
  id: string
  tenantId: string
  domains: string[]
  admin: { id: string; name: string }
  /** Path of the landing page of its latest link; null where none was sent. */
  join: string | null
  /** The state in its classic link. */
  classicState: string | null
}

/** A browser that stood at Microsoft, to come back with that state. */
interface OldBrowser {
  cookies: Record<string, string>
}

export interface OldStory {
  /** When it stopped. */
  at: string
  customers: OldCustomer[]
  attempts: {
    'Attempt Pinned AB': OldBrowser & { state: string }
    'Attempt Unpinned Ltd': OldBrowser & { state: string }
    /** On its way to the sign-in that proves its tenant: authority and query of that address. */
    'Proof Under Way Ltd': OldBrowser & { authority: string; query: string }
  }
  operators: Record<'ines' | 'tomasz' | 'priya', { id: string; name: string; cookies: Record<string, string> }>
}

/** What the portal of the story signed its cookies with: kept over an upgrade, as an operator keeps `.env`. */
export const oldSessionSecret = 'a-session-secret-of-the-fixture-store-0-1'

const fixture = (name: string) => new URL(`../fixtures/store-0.1/${name}`, import.meta.url)

export const oldStory = (engine: Engine): OldStory =>
  (JSON.parse(readFileSync(fixture('story.json'), 'utf8')) as Record<Engine, OldStory>)[engine]

/**
 * A store as version 0.1 left it, not migrated yet: test/fixtures/store-0.1/make.mjs makes them.
 * @returns where it is; gone with `drop`
 */
export async function restoreOldStore(engine: Engine): Promise<Place & { drop(): Promise<void> }> {
  const place = await freshDatabase(engine)
  if (place.databaseUrl === null) {
    mkdirSync(place.dataDir, { recursive: true })
    writeFileSync(sqliteFile(place.dataDir), brotliDecompressSync(readFileSync(fixture('muster.db.br'))))
    return place
  }
  const client = new pg.Client({ connectionString: place.databaseUrl })
  await client.connect()
  try {
    await client.query(brotliDecompressSync(readFileSync(fixture('postgres.sql.br'))).toString('utf8'))
  } finally {
    await client.end()
  }
  return place
}
