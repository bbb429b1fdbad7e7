import type { Response } from 'express'
import type { OperatorRequest } from '../../http/route.ts'
import type { Portal } from '../../portal.ts'
import { nudgeSync } from '../../store/sync/requests.ts'

/**
 * Somebody opened a page of this tenant: it is read as soon as may be. Only after the page has been sent, so that nobody
 * waits for it, and not for what merely renews itself or is fetched in advance.
 */
export function noteOpened(portal: Portal, req: OperatorRequest, res: Response, tenantId: string): void {
  const { headers } = req
  if (req.method !== 'GET' || headers['x-muster-live'] !== undefined || headers['hx-request'] !== undefined) return
  if (headers['sec-purpose'] !== undefined || headers.purpose !== undefined) return
  res.once('finish', () => {
    nudgeSync(portal.db, tenantId, portal.now()).catch((error: unknown) => {
      portal.log.warn({ err: error, tenantId }, 'a tenant that was opened was not made due')
    })
  })
}
