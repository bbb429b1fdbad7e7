import { setTimeout as sleep } from 'node:timers/promises'
import type { Portal } from '../../portal.ts'
import {
  beginRereading,
  countOlder,
  type KeptOriginal,
  type Reading,
  readSomeAgain,
} from '../../store/upkeep/older-readings.ts'

/** Rows in one transaction: over in some ten milliseconds, so that other writers hardly wait. */
const atOnce = 10
const pauseMs = 10
const busyMs = 500

/**
 * Reads the kept originals of incidents again that an older version read. Nothing is asked of Microsoft. A stop ends it
 * between two steps, and the next start goes on.
 */
export async function readOlderAgain(portal: Portal, stopping?: AbortSignal): Promise<void> {
  const { db, log } = portal
  const progress = await beginRereading(db, portal.now())
  if (progress === null) return
  log.info({ ...progress }, 'incidents of an older version are being read again')
  let count = 0
  for (;;) {
    if (stopping?.aborted) return
    const read = await readSomeAgain(db, atOnce, (original) => understood(portal, original), portal.now())
    // The rest is locked this moment: by a sync run that stores, or by another process that reads again.
    if (read === 0 && (await countOlder(db)) === 0) break
    count += read
    await sleep(read === 0 ? busyMs : pauseMs, undefined, { signal: stopping }).catch(() => undefined)
  }
  log.info({ read: count }, 'incidents of an older version have been read again')
}

function understood({ microsoft, log }: Portal, original: KeptOriginal): Reading | null {
  try {
    return microsoft.readAgain(original.tenantId, original)
  } catch (error) {
    const { tenantId, incidentId } = original
    log.error({ err: error, tenantId, incidentId }, 'an incident could not be read again, and stays as it was')
    return null
  }
}
