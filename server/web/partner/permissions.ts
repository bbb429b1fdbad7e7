import { z } from 'zod'
import { operatorActor } from '../../http/access.ts'
import { type FieldFault, readForm, says, several, type Typed } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { factsOfPermission, type PermissionWords } from '../../microsoft/registration/role-facts.ts'
import { type Asking, lookAtPermissions, lookEvery, readAsking, rolesBeyond } from '../../partner/asked-permissions.ts'
import type { Portal } from '../../portal.ts'
import { confirmPermissions, readAskedPermissions, type SeenRole } from '../../store/partner/asked-permissions.ts'
import { showSettingsWith } from './settings.ts'

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
  if (req.operator.role === 'Admin') await lookAtPermissions(portal, lookEvery)
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

const mostNames = 400
const roleName = /^[\p{L}\p{N}][\p{L}\p{N}_.\-: ]{0,199}$/u
const names = several(z.string().regex(roleName), mostNames)

const form = {
  asked: names,
  shown: names,
  other: z
    .string()
    .max(2_000)
    .default('')
    .transform((text) => text.split(/[\s,;，、]+/u).filter(Boolean))
    .pipe(
      z
        .array(z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{1,199}$/, says('settings.permissions.other.unusable')))
        .max(100),
    ),
}

/** An Admin says what customers are asked for. What was met after the page was shown is asked about again. */
export const savePermissions: Handler<OperatorRequest> = async (portal, req, res) => {
  const read = readForm(form, req)
  if (read.faults) return showSettingsWith(portal, req, res, { permissions: read })
  const { shown, other } = read.value
  const asked = [...new Set([...read.value.asked, ...other])]
  const readsIncidents = asked.some((name) => {
    const words = factsOfPermission(name, 'application')?.words
    return words === 'readIncidents' || words === 'writeIncidents'
  })
  const { asking } = await permissionsView(portal, req, {})
  if (!readsIncidents && asking.source !== 'registration') {
    const faults: FieldFault[] = [{ field: 'permissions', key: 'settings.permissions.reading' }]
    return showSettingsWith(portal, req, res, { permissions: { faults, typed: read.typed } })
  }
  const known = [...new Set([...shown, ...asked])]
  await confirmPermissions(portal.db, operatorActor(req), { asked, known }, portal.now())
  res.redirect(303, '/settings#permissions')
}
