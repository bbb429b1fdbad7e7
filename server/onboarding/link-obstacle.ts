import { PortalError } from '../errors.ts'
import { rolesBeyond } from '../partner/asked-permissions.ts'
import type { Portal } from '../portal.ts'
import type { Database } from '../store/engine/dialect.ts'
import { readAskedPermissions } from '../store/partner/asked-permissions.ts'
import { findIntroductionGap, readSettings } from '../store/partner/settings.ts'

const mostNamed = 10

/**
 * Why no consent link can be issued for any customer now; null when nothing stands in the way. Pages show it before
 * somebody tries.
 * @returns PARTNER_NOT_INTRODUCED, PERMISSIONS_UNCONFIRMED
 */
export async function findLinkObstacle(
  portal: Pick<Portal, 'microsoft' | 'now'>,
  db: Database,
): Promise<PortalError | null> {
  const gap = findIntroductionGap(await readSettings(db))
  if (gap !== null) return new PortalError('PARTNER_NOT_INTRODUCED', { facts: { gap } })
  const beyond = rolesBeyond(portal, await readAskedPermissions(db))
  if (beyond.length === 0) return null
  const roles = beyond.slice(0, mostNamed).map(({ role }) => role)
  return new PortalError('PERMISSIONS_UNCONFIRMED', { facts: { roles: roles.join(', '), n: beyond.length } })
}
