import { PortalError } from './errors.ts'
import type { Database } from './store/database.ts'
import { findIntroductionGap, readSettings } from './store/settings.ts'

/**
 * Why no consent link can be issued for any customer now; null when nothing stands in the way. Pages show it before
 * somebody tries.
 * @returns PARTNER_NOT_INTRODUCED
 */
export async function findLinkObstacle(db: Database): Promise<PortalError | null> {
  const gap = findIntroductionGap(await readSettings(db))
  return gap === null ? null : new PortalError('PARTNER_NOT_INTRODUCED', { facts: { gap } })
}
