import type { Handler, OperatorRequest } from '../../http/route.ts'
import { ownPath } from '../../http/security.ts'
import { page } from '../page/page.ts'
import { render } from '../page/render.ts'
import { leaveForMicrosoft, noteAway } from './leave.ts'

interface AgainView {
  action: string
  fields: { name: string; value: string }[]
}

const againPage = page<AgainView>('operators/again')

/** Goes to Microsoft unseen, to ask for the roles of somebody who is signed in, and comes back to where she was going. */
export const askAgain: Handler = async (portal, req, res) => {
  const returnTo = ownPath(req.query.returnTo)
  const { operator } = req
  if (!operator) return res.redirect(303, `/sign-in?returnTo=${encodeURIComponent(returnTo)}`)
  // A browser that was sent to a Microsoft that does not answer would not come back.
  if (!(await portal.microsoft.signInAnswers())) {
    noteAway(portal, req)
    return res.redirect(303, returnTo)
  }
  await leaveForMicrosoft(portal, res, { returnTo, prompt: 'none', loginHint: operator.username, silent: true })
}

/** A form that came after its roles were too old: nothing of it was done, and all of it stays here to be sent again. */
export const showAgain: Handler<OperatorRequest> = (_portal, req, res) => {
  const body = (req.body ?? {}) as Record<string, string | string[]>
  const fields = Object.entries(body).flatMap(([name, value]) => [value].flat().map((one) => ({ name, value: one })))
  return render(res, againPage, { action: ownPath(req.originalUrl), fields }, 401)
}
