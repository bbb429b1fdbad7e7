import { cloudFor } from '../../config/clouds.ts'
import type { Config } from '../../config/config.ts'
import { portalAddress } from '../../microsoft/wire/reading.ts'

/**
 * Where an incident is in Microsoft's own portal. Every way there carries the tenant: without `tid` the portal opens in
 * whichever tenant its visitor was last. Microsoft's own address is used only when it leads to that portal.
 */
export function defenderUrl(config: Config, tenantId: string, incidentId: string, said: string | null = null): string {
  const { defenderPortal } = cloudFor(config)
  const url = new URL(portalAddress(said) ?? `${defenderPortal}/incident2/${encodeURIComponent(incidentId)}/overview`)
  url.searchParams.set('tid', tenantId)
  return url.href
}
