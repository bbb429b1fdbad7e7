import type { Request } from 'express'
import { type Html, html } from '../../http/html.ts'
import { field, formToken, maskedToken } from '../../http/session/csrf.ts'
import type { Portal } from '../../portal.ts'

/** The hidden field of a form. `action` is the path a public form posts to. */
export function csrfField(portal: Portal, req: Request, action: string | undefined): Html {
  const token = action === undefined ? maskedToken(req) : formToken(portal.config, action, portal.now())
  return html`<input type="hidden" name="${field}" value="${token}">`
}
