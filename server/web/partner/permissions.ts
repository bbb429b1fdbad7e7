import type { Typed } from '../../http/forms.ts'
import { runsPortal } from '../../http/operator.ts'
import type { OperatorRequest } from '../../http/route.ts'
import { factsOfPermission, type PermissionWords } from '../../microsoft/registration/role-facts.ts'
import { type Asking, lookAtPermissions, lookEvery, readAsking, rolesBeyond } from '../../partner/asked-permissions.ts'
import type { Portal } from '../../portal.ts'
import { readAskedPermissions, type SeenRole } from '../../store/partner/asked-permissions.ts'

/** One role that an Admin says yes or no to. */
interface PermissionRow {
  name: string
  words: PermissionWords
  asked: boolean
  /** Where it was met first; null when it was not, or was accounted for since. */
  seen: SeenRole | null
}

export interface PermissionsView {
  asking: Asking
  readAt: string | null
  confirmed: { by: string; at: string } | null
  rows: PermissionRow[]
  beyond: number
  /** The partner's own tenant: it has no page of its own. */
  ownTenantId: string
}

/** What Settings show of what customers are asked for. Looks at Microsoft first when an Admin asks and it is time. */
export async function permissionsView(portal: Portal, req: OperatorRequest, typed: Typed): Promise<PermissionsView> {
  if (runsPortal(req)) await lookAtPermissions(portal, lookEvery)
  const [asking, known] = await Promise.all([readAsking(portal), readAskedPermissions(portal.db)])
  const { confirmed, registration } = known
  const beyond = rolesBeyond(portal, known)
  const expected = portal.microsoft.permissions.map(({ name }) => name)
  const put = asking.source === 'registration' ? beyond.map(({ role }) => role) : expected
  const names = new Set([...put, ...(confirmed?.known ?? []), ...beyond.map(({ role }) => role)])
  const chosen = typed.asked === undefined ? null : [typed.asked].flat()
  const isAsked = (name: string) => !confirmed?.known.includes(name) || confirmed.asked.includes(name)
  return {
    asking,
    readAt: registration?.readAt ?? null,
    confirmed,
    rows: [...names].map((name) => ({
      name,
      words: factsOfPermission(name, 'application')?.words ?? 'other',
      asked: chosen ? chosen.includes(name) : isAsked(name),
      seen: beyond.find(({ role }) => role === name) ?? null,
    })),
    beyond: beyond.length,
    ownTenantId: portal.config.partnerTenantId,
  }
}
