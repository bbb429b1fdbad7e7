import { z } from 'zod'
import { operatorActor } from '../../http/access.ts'
import { pathValue, readForm, says } from '../../http/forms.ts'
import type { Handler, OperatorRequest } from '../../http/route.ts'
import { reviewFor } from '../../http/scope.ts'
import { confirmReview, dismissReview } from '../../onboarding/decisions.ts'
import { noticeOf, showCustomerWith } from './customer.ts'

/** Binds the claimed tenant to its customer, when the operator says that she asked them. */
export const confirm: Handler<OperatorRequest> = async (portal, req, res) => {
  const review = await reviewFor(portal, req, pathValue(req, 'id'))
  const customerId = review.customerId ?? ''
  const schema = { [`asked-${review.id}`]: z.literal('yes', says('customers.review.ask-first')) }
  const form = readForm(schema, req)
  if (form.faults) return showCustomerWith(portal, req, res, customerId, form)
  try {
    await confirmReview(portal, operatorActor(req), review.id)
  } catch (error) {
    const notice = await noticeOf(portal, req, error)
    return showCustomerWith(portal, req, res, customerId, { notice })
  }
  res.redirect(303, `/customers/${customerId}`)
}

/** The claim is not this customer's: nothing is bound. */
export const dismiss: Handler<OperatorRequest> = async (portal, req, res) => {
  readForm({}, req)
  const review = await reviewFor(portal, req, pathValue(req, 'id'))
  await dismissReview(portal, operatorActor(req), review.id)
  res.redirect(303, `/customers/${review.customerId ?? ''}`)
}
