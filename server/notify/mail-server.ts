import { openFromStore, sealForStore } from '../config/data-keys.ts'
import { type MailServer, parseMailServer } from '../config/mail-server.ts'
import type { Portal } from '../portal.ts'
import { findSealedMailServer, mailServerPlace, mailServerPurpose } from '../store/notify/mail-server.ts'

/** The mail server of the environment, or the one in Settings; null for none, or one whose key is lost. */
export async function findMailServer({ config, db }: Portal): Promise<MailServer | null> {
  if (config.smtp !== null) return config.smtp
  const server = await findSealedMailServer(db)
  const opened = server && openFromStore(config, mailServerPurpose, mailServerPlace, server.sealed)
  return opened ? parseMailServer(opened.text, server.from) : null
}

/** The address with its password, sealed for Settings. */
export const sealMailServer = ({ config }: Portal, url: string): string =>
  sealForStore(config, mailServerPurpose, mailServerPlace, url)
