import { PortalError } from '../errors.ts'
import { readSignInReturn } from '../microsoft/consent.ts'
import type { Handler } from './route.ts'
import { finishSignIn } from './sign-in.ts'

/**
 * Where Microsoft sends an operator's browser back to. The state says whether the sign-in began in this browser, and
 * nothing is asked of Microsoft for one that did not.
 */
export const returnFromSignIn: Handler = async (portal, req, res) => {
  const said = readSignInReturn(req.query)
  if (!(await finishSignIn(portal, req, res, said))) throw new PortalError('SIGN_IN_EXPIRED')
}
