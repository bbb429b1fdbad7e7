import type { Config } from '../../config/config.ts'
import { Refusal } from '../../model/refusal.ts'
import type { Send } from './http.ts'

/** Whether the sign-in of the partner's own tenant answers at all, asked once and briefly: somebody waits for it. */
export async function signInAnswers({
  config,
  send,
}: {
  config: Pick<Config, 'authorityHost' | 'partnerTenantId'>
  send: Send
}): Promise<boolean> {
  try {
    const url = `${config.authorityHost}/${config.partnerTenantId}/v2.0/.well-known/openid-configuration`
    return (await send({ url, deadlineMs: 5_000, limitBytes: 200_000, tries: 1 })).status === 200
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}
