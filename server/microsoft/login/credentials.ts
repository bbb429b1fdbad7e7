import { ConfidentialClientApplication, LogLevel } from '@azure/msal-node'
import { type Credential, credentialsOf, type Registration } from '../../config/credentials.ts'
import { Refusal } from '../../model/refusal.ts'
import type { MsalNetwork } from './msal-network.ts'

/**
 * Which of a registration's two credentials is shown first: the one that Microsoft took last, as far as this process knows.
 * So one can end at Microsoft, or begin to be taken there, without a restart and without a failed request.
 */
export class CredentialOrder {
  readonly #first = new Map<string, number>()

  /**
   * Runs with one credential, and when Microsoft refuses that for what it is, with the other.
   * @throws what `run` throws; the refusal of the one shown first when both are refused
   */
  async attempt<T>(registration: Registration, run: (credential: Credential) => Promise<T>): Promise<T> {
    const credentials = credentialsOf(registration)
    const first = this.#first.get(registration.clientId) ?? 0
    const other = credentials.length - 1 - first
    try {
      return await run(credentials[first] ?? registration.credential)
    } catch (refused) {
      const another = credentials[other]
      if (other === first || another === undefined || !isOfCredential(refused)) throw refused
      const result = await run(another).catch((error: unknown) => {
        throw isOfCredential(error) ? refused : error
      })
      this.#first.set(registration.clientId, other)
      return result
    }
  }
}

const isOfCredential = (error: unknown): boolean => error instanceof Refusal && error.code === 'partner-credential'

/** A fresh MSAL client for one credential and authority. Its log stays off: it would speak of requests. */
export function msalClient(
  { clientId, credential }: { clientId: string; credential: Credential },
  authority: string,
  networkClient: MsalNetwork,
): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    auth: {
      clientId,
      authority,
      ...(credential.kind === 'secret'
        ? { clientSecret: credential.secret }
        : {
            clientCertificate: {
              thumbprintSha256: credential.thumbprintSha256,
              privateKey: credential.privateKey,
              x5c: credential.certificate,
            },
          }),
    },
    system: {
      networkClient,
      loggerOptions: { loggerCallback: () => undefined, logLevel: LogLevel.Error, piiLoggingEnabled: false },
    },
  })
}
