import { z } from 'zod'
import { PortalError } from '../../errors.ts'
import { readForm } from '../../http/forms.ts'
import { themeCookie, themeOf, zoneOf } from '../../http/reader.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { ownPath } from '../../http/security.ts'
import { clearCookie, setCookie } from '../../http/session/cookies.ts'
import { savePreferences } from '../../store/operators/operators.ts'
import { isLanguage } from '../../words.ts'

/** `auto` follows the system, the browser or English; absent leaves what is. */
const preferences = {
  theme: z.enum(['auto', 'light', 'dark']).optional(),
  language: z
    .string()
    .refine((value) => value === 'auto' || isLanguage(value))
    .optional(),
  timeZone: z
    .string()
    .refine((value) => value === 'auto' || zoneOf(value) !== null)
    .optional(),
  returnTo: z.string().optional(),
}

const themeCookieSeconds = 365 * 86_400

/** Saves how this operator wants her pages. The theme is in a cookie as well, for pages that know nobody. */
export const changePreferences: Handler<OperatorRequest> = async (portal, req, res) => {
  const { value } = readForm(preferences, req)
  if (value === null) throw new PortalError('BAD_REQUEST')
  const { theme, language, timeZone } = value
  await savePreferences(portal.db, req.operator.id, {
    ...(theme === undefined ? {} : { theme: themeOf(theme) }),
    ...(language === undefined ? {} : { language: isLanguage(language) ? language : null }),
    ...(timeZone === undefined ? {} : { timeZone: zoneOf(timeZone) }),
  })
  if (theme === 'auto') clearCookie(portal.config, res, themeCookie)
  else if (theme !== undefined) setCookie(portal.config, res, themeCookie, theme, themeCookieSeconds)
  res.redirect(303, ownPath(value.returnTo ?? '/'))
}
