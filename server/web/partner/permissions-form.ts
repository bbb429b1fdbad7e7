import { z } from 'zod'
import { operatorActor } from '../../http/access.ts'
import { type FieldFault, readForm, says, several } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { factsOfPermission } from '../../microsoft/registration/role-facts.ts'
import { confirmAsked } from '../../partner/asked-permissions.ts'
import { permissionsView } from './permissions.ts'
import { showSettingsWith } from './settings.ts'

const mostNames = 400

const roleName = /^[\p{L}\p{N}][\p{L}\p{N}_.\-: ]{0,199}$/u

export const names = several(z.string().regex(roleName), mostNames)

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
  await confirmAsked(portal, operatorActor(req), { asked, known })
  res.redirect(303, '/settings#permissions')
}
