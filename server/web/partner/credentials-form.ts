import { z } from 'zod'
import { operatorActor } from '../../http/access.ts'
import { readForm, says } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { enterEnds } from '../../partner/expiry.ts'
import { showSettingsWith } from './settings.ts'

const unusable = says('settings.credentials.date.unusable')

/** Empty for not known; browsers without a field for dates leave the typing to the person. */
const date = z
  .string()
  .trim()
  .refine((text) => text === '' || isDate(text), unusable)
  .optional()

function isDate(text: string): boolean {
  if (!/^20\d\d-\d\d-\d\d$/.test(text)) return false
  const at = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)
}

const form = { 'app-secret': date, 'app-secret-2': date, 'sign-in-secret': date, 'sign-in-secret-2': date }

/** An Admin says when secrets end that Muster may not ask Entra about. */
export const saveCredentialEnds: Handler<OperatorRequest> = async (portal, req, res) => {
  const read = readForm(form, req)
  if (read.faults) return showSettingsWith(portal, req, res, { credentials: read })
  const dates = new Map<string, string | undefined>(Object.entries(read.value))
  await enterEnds(portal, operatorActor(req), dates)
  res.redirect(303, '/settings#credentials')
}
