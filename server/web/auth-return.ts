import { PortalError } from '../errors.ts'
import { readSignInReturn } from '../microsoft/consent.ts'
import { finishTenantSignIn } from './consent.ts'
import type { Handler } from './route.ts'
import { finishSignIn } from './sign-in.ts'

/**
 * Where Microsoft sends a browser back to after any sign-in. The state says whose it is: each story looks whether it
 * began in this browser, and nothing is asked of Microsoft for a state that none of them knows.
 */
export const returnFromSignIn: Handler = async (portal, req, res) => {
  const said = readSignInReturn(req.query)
  if (await finishSignIn(portal, req, res, said)) return
  if (await finishTenantSignIn(portal, req, res, said)) return
  throw new PortalError('SIGN_IN_EXPIRED')
}
