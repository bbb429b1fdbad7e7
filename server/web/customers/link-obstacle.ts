import type { ErrorCode, ErrorFacts, PortalError } from '../../errors.ts'
import { runsPortal } from '../../http/operator.ts'
import type { OperatorRequest } from '../../http/route.ts'
import { findLinkObstacle } from '../../onboarding/links.ts'
import type { Portal } from '../../portal.ts'

/** Why no link can be issued, for pages that would offer it. */
export interface ObstacleView {
  code: ErrorCode
  status: number
  facts: ErrorFacts
  /** Where it is put right; null for people who may not. */
  path: string | null
  /** Whether this page answers an attempt to issue one. */
  refused: boolean
}

/** @returns null when links can be issued */
export async function findObstacleView(
  portal: Portal,
  req: OperatorRequest,
  refused = false,
): Promise<ObstacleView | null> {
  const obstacle = await findLinkObstacle(portal, portal.db)
  if (obstacle === null) return null
  const path = runsPortal(req) ? settingsPathOf(obstacle) : null
  const { code, status, facts } = obstacle
  return { code, status, facts, path, refused }
}

/** Where in Settings an Admin removes what stands in the way; null for errors that no setting mends. */
export function settingsPathOf({ code, facts }: PortalError): string | null {
  if (code === 'PERMISSIONS_UNCONFIRMED') return '/settings#permissions'
  if (code !== 'PARTNER_NOT_INTRODUCED') return null
  return facts.gap === 'contact' ? '/settings#contactPhone' : '/settings#partnerName'
}
