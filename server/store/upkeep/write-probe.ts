import { randomBytes } from 'node:crypto'
import { statfs } from 'node:fs/promises'
import { type Database, isPostgres } from '../engine/dialect.ts'
import { sqlState, write } from '../engine/write.ts'

/** Why nothing can be stored: the disk is full, the database takes no writes, or writing fails in another way. */
export type WriteFault = 'full' | 'read-only' | 'failing'

const probeName = 'write-probe'
/** As large as a small page of incidents: a few bytes may still find room where nothing else does. */
const probeBytes = 16_000
/** With less than this, a log that has to grow will not. */
const leastFreeBytes = 4_000_000

/**
 * Writes something, to see whether it can be.
 * @param dataDir where an embedded database has its file
 * @returns null where it can; what it says of a database that does not answer at all is thrown
 */
export async function findWriteFault(db: Database, dataDir: string, now: Date): Promise<WriteFault | null> {
  const values = { value: randomBytes(probeBytes / 2).toString('hex'), changed_at: now.toISOString() }
  try {
    await write(db, async (tx) => {
      await tx
        .insertInto('settings')
        .values({ name: probeName, ...values })
        .onConflict((oc) => oc.column('name').doUpdateSet(values))
        .execute()
    })
  } catch (error) {
    const fault = writeFaultOf(error)
    if (fault === null) throw error
    return fault
  }
  return !isPostgres(db) && (await freeBytes(dataDir)) < leastFreeBytes ? 'full' : null
}

/** https://www.sqlite.org/rescode.html · https://www.postgresql.org/docs/current/errcodes-appendix.html (53100, 25006) */
function writeFaultOf(error: unknown): WriteFault | null {
  const code = sqlState(error)
  if (/^SQLITE_FULL/.test(code) || code === '53100' || code === 'ENOSPC') return 'full'
  if (/^SQLITE_READONLY/.test(code) || code === '25006') return 'read-only'
  return /^SQLITE_(IOERR|CANTOPEN)/.test(code) || /^58/.test(code) ? 'failing' : null
}

async function freeBytes(dataDir: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(dataDir)
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
