import { ConfidentialClientApplication, LogLevel } from '@azure/msal-node'
import type { Registration } from '../../config/credentials.ts'
import type { MsalNetwork } from './msal-network.ts'

/** A fresh MSAL client for one registration and authority. Its log stays off: it would speak of requests. */
export function msalClient(
  { clientId, credential }: Registration,
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
