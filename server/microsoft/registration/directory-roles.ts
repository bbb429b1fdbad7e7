import type { Config } from '../../config/config.ts'
import { Refusal } from '../../model/refusal.ts'
import type { CredentialOrder } from '../login/credentials.ts'
import type { RegistrationFinding } from '../microsoft.ts'
import type { Send } from '../wire/http.ts'
import { readApplication } from './permissions.ts'

/** Values of `groupMembershipClaims` that put directory roles into tokens, as `wids`. */
const telling = ['directoryrole', 'all']

/**
 * Whether sign-ins show the directory roles of who signs in: `groupMembershipClaims` of the customers' app. The manifest may
 * hold several values, separated by commas.
 * https://learn.microsoft.com/entra/identity-platform/reference-app-manifest#groupmembershipclaims-attribute
 */
export async function inspectDirectoryRoles(wiring: {
  config: Config
  order: CredentialOrder
  send: Send
  now: () => Date
}): Promise<RegistrationFinding> {
  const { clientId } = wiring.config.app
  const found = (outcome: RegistrationFinding['outcome'], code: string, refusal: Refusal | null = null) =>
    ({ check: 'directory-roles', outcome, code, facts: { clientId }, refusal }) as const
  try {
    const read = await readApplication(wiring, 'groupMembershipClaims')
    if (read === null) return found('unknown', 'directory-roles-unread')
    const { groupMembershipClaims: claims } = read.application
    const values = typeof claims === 'string' ? claims.split(',').map((value) => value.trim().toLowerCase()) : []
    if (values.some((value) => telling.includes(value))) return found('ok', 'directory-roles-told')
    return found('warning', 'directory-roles-missing')
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return found('unknown', 'directory-roles-unread', error)
  }
}
