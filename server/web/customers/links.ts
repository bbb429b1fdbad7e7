import { operatorActor } from '../../http/access.ts'
import { linkDays } from '../../http/fields.ts'
import { pathValue, readForm } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { customerFor, linkFor } from '../../http/scope.ts'
import { issueConsentLink, withdrawConsentLink } from '../../onboarding/links.ts'
import { lookAtPermissions, lookEvery } from '../../partner/asked-permissions.ts'
import { showCustomerWith } from './customer.ts'
import { showOnce } from './issued-link.ts'

/** Issues a link; the one before ends. Its address is on the page that follows, and never again. */
export const addLink: Handler<OperatorRequest> = async (portal, req, res) => {
  const { id: customerId } = await customerFor(portal, req, pathValue(req, 'id'))
  const form = readForm({ days: linkDays }, req)
  if (form.faults) return showCustomerWith(portal, req, res, customerId, form)
  await lookAtPermissions(portal, lookEvery)
  const issued = await issueConsentLink(portal, operatorActor(req), { customerId, days: form.value.days })
  await showOnce(portal, req, res, issued)
  res.redirect(303, `/customers/${customerId}`)
}

/** Ends a link. One that is over already stays as it is, whoever ended it. */
export const withdraw: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const { id, customerId } = await linkFor(portal, req, pathValue(req, 'id'))
  await withdrawConsentLink(portal, operatorActor(req), id)
  res.redirect(303, `/customers/${customerId}#link`)
}
