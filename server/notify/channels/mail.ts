import { createTransport } from 'nodemailer'
import { z } from 'zod'
import { addressIn, type MailServer } from '../../config/mail-server.ts'
import { Refusal } from '../../model/refusal.ts'
import type { Portal } from '../../portal.ts'
import { readSettings } from '../../store/partner/settings.ts'
import { findMailServer } from '../mail-server.ts'
import type { Message } from '../message.ts'
import { type Channel, type Outcome, shownAnswer } from './channel.ts'
import { mailHtml, mailText } from './mail-html.ts'
import { allowsLoopback, type CheckedPeer, checkPeer, type DoorSettings, OutboundError, rangeOf } from './outbound.ts'

/** The recipients of one destination's mails. */
export const mailAddress = z.object({ recipients: z.array(z.string()).min(1).max(20) })
export type MailAddress = z.infer<typeof mailAddress>

/** Milliseconds for each step; all of them together stay within the lease of a message. */
const connectMs = 10_000
const greetingMs = 10_000
const idleMs = 15_000
const wholeMs = 40_000

export const mail: Channel<MailAddress> = {
  together: 1,
  async send(portal, _door, { address }, [message]) {
    if (!message) throw new Error('there is nothing to send')
    return sendMail(portal, address.recipients, message)
  },
}

/**
 * Hands one mail to the mail server, over TLS unless the server is on this machine and that is allowed. The connection
 * goes to the address that was looked at, as for everything that leaves.
 */
export async function sendMail(portal: Portal, recipients: readonly string[], message: Message): Promise<Outcome> {
  const started = performance.now()
  const server = await findMailServer(portal)
  if (!server) return outcome('again', 'not-set-up')
  const { partnerName } = await readSettings(portal.db)
  try {
    const peer = await checkPeer(portal.config, server.host, server.port)
    const accepted = await handOver(portal, server, peer, recipients, message, partnerName)
    const refused = accepted.rejected.length > 0
    const answer = shownAnswer(accepted.response, secretsOf(server))
    const ms = Math.round(performance.now() - started)
    // Some of the recipients have it: another try would bring it to them twice.
    return {
      ...outcome('handed-over', refused ? 'refused' : 'handed-over'),
      status: statusOf(accepted.response),
      ms,
      answer,
    }
  } catch (error) {
    if (error instanceof OutboundError) return { ...outcome('again', error.fault), answer: error.detail }
    if (error instanceof Refusal) return { ...outcome('again', 'refused'), answer: error.code }
    return failureOf(error, server)
  }
}

interface HandedOver {
  response: string
  rejected: unknown[]
}

async function handOver(
  portal: Portal,
  server: MailServer,
  peer: CheckedPeer,
  recipients: readonly string[],
  message: Message,
  partner: string,
): Promise<HandedOver> {
  const transport = createTransport({
    host: peer.address,
    port: peer.port,
    secure: server.secure,
    requireTLS: !server.secure && !mayBePlain(portal.config, peer),
    connectionTimeout: connectMs,
    greetingTimeout: greetingMs,
    socketTimeout: idleMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    name: new URL(portal.config.publicUrl).hostname,
    tls: { servername: peer.host, ...(authoritiesOf(portal.config) ?? {}) },
    ...(await authOf(portal, server)),
  })
  const overdue = setTimeout(() => transport.close(), wholeMs)
  try {
    return await transport.sendMail({
      from: server.from,
      to: [...recipients],
      envelope: { from: addressIn(server.from), to: [...recipients] },
      subject: message.heading.replace(/[\r\n]+/g, ' '),
      text: mailText(message, partner),
      html: mailHtml(message, partner),
      messageId: `<${message.id}@${domainOf(portal)}>`,
      ...(message.thread === message.id ? {} : { references: `<${message.thread}@${domainOf(portal)}>` }),
      date: portal.now(),
      headers: automaticHeaders(message),
    })
  } finally {
    clearTimeout(overdue)
    transport.close()
  }
}

/** RFC 3834, Exchange's own header for the same, and where it is turned off. */
const automaticHeaders = ({ why, type }: Message): Record<string, string> => ({
  'Auto-Submitted': 'auto-generated',
  'X-Auto-Response-Suppress': 'All',
  'X-Muster-Type': type,
  ...(why === null ? {} : { 'List-Unsubscribe': `<${why.url}>` }),
})

const domainOf = ({ config }: Portal) => new URL(config.publicUrl).hostname

const mayBePlain = (door: DoorSettings, peer: CheckedPeer) =>
  allowsLoopback(door) && rangeOf(peer.address) === 'loopback'

const authoritiesOf = ({ authorities }: DoorSettings) => (authorities ? { ca: [...authorities] } : null)

async function authOf(portal: Portal, { user, password, oauth }: MailServer) {
  if (user === null) return {}
  if (!oauth) return { auth: { user, pass: password ?? '' } }
  return { auth: { type: 'OAuth2' as const, user, accessToken: await portal.microsoft.mailToken() } }
}

const secretsOf = ({ password }: MailServer): string[] => (password === null ? [] : [password])

/** The number an SMTP answer begins with. */
const statusOf = (response: string): number | null => Number(/^(\d{3})[ -]/.exec(response)?.[1] ?? 0) || null

const outcome = (verdict: Outcome['verdict'], word: Outcome['word']): Outcome => ({
  verdict,
  word,
  status: null,
  ms: null,
  answer: null,
  retryAfterMs: null,
})

/** nodemailer's codes: https://nodemailer.com/errors */
function failureOf(error: unknown, server: MailServer): Outcome {
  const { code, response, responseCode, message } = error as {
    code?: string
    response?: string
    responseCode?: number
    message?: string
  }
  const words: Record<string, Outcome['word']> = {
    ETIMEDOUT: 'timeout',
    ETLS: 'certificate',
    ECONNECTION: 'connection',
    ESOCKET: 'connection',
    EDNS: 'name-unknown',
  }
  const tls = code === 'ETLS' || (responseCode === undefined && /certificate|self.signed|tls|ssl/i.test(message ?? ''))
  const word = tls ? 'certificate' : responseCode === undefined ? (words[code ?? ''] ?? 'connection') : 'refused'
  const answer = shownAnswer(response ?? code ?? '', secretsOf(server))
  return { ...outcome('again', word), status: responseCode ?? null, answer }
}
