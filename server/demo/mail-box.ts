import type { AddressInfo } from 'node:net'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { type Inbox, mostBytes } from '../simulator/inbox/inbox.ts'

export interface MailBox {
  port: number
  close(): Promise<void>
}

/** An SMTP server on loopback whose mails go to the inbox. Without TLS and without a password: nothing leaves this machine. */
export async function startMailBox(inbox: Inbox): Promise<MailBox> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    size: mostBytes,
    onData(stream, session, done) {
      simpleParser(stream).then(
        ({ subject, from, text, html, headerLines }) => {
          inbox.addMail({
            subject: subject ?? '',
            from: from?.text ?? '',
            to: session.envelope.rcptTo.map(({ address }) => address).join(', '),
            text: text ?? '',
            html: html || '',
            headers: headerLines.map(({ line }) => {
              const colon = line.indexOf(':')
              return { name: line.slice(0, colon), value: line.slice(colon + 1).trim() }
            }),
          })
          done()
        },
        (error: Error) => done(error),
      )
    },
  })
  // A client that breaks off is none of ours.
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}
