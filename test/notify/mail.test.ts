import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { addressIn, isSender, parseMailServer } from '../../server/config/mail-server.ts'
import { nothingAllowed, parseOutboundAllow } from '../../server/config/outbound-allow.ts'
import type { DoorSettings } from '../../server/notify/channels/outbound.ts'
import type { Portal } from '../../server/portal.ts'
import { sendDue } from '../../server/worker/courier.ts'
import { before, customerNamed } from '../support/admin.ts'
import { certificate, type TestCertificate } from '../support/certificates.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { destination, destinationNow, hour, loopbackAllowed, messages, raise } from './stage.ts'

interface MailBox {
  port: number
  mails: ParsedMail[]
  /** How each of them came: over TLS, and as whom. */
  came: { secure: boolean; user: string; from: string; to: string[] }[]
  close(): Promise<void>
}

/** A real SMTP server on loopback that keeps what it was sent. */
async function startMailBox(options: SMTPServerOptions = {}): Promise<MailBox> {
  const mails: ParsedMail[] = []
  const came: MailBox['came'] = []
  const server = new SMTPServer({
    authOptional: true,
    onData(stream, session, done) {
      simpleParser(stream).then(
        (mail) => {
          mails.push(mail)
          const { mailFrom, rcptTo } = session.envelope
          came.push({
            secure: session.secure,
            user: String(session.user ?? ''),
            from: mailFrom ? mailFrom.address : '',
            to: rcptTo.map(({ address }) => address),
          })
          done()
        },
        (error: Error) => done(error),
      )
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    came,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}

describe('a mail', () => {
  let authority: TestCertificate
  let here: TestPortal
  const boxes: MailBox[] = []
  beforeAll(() => {
    authority = certificate({ name: 'Test authority' })
  })
  beforeEach(async () => {
    here = await startTestPortal('SQLite', { config: loopbackAllowed })
  })
  afterEach(async () => {
    await here.close()
    for (const box of boxes.splice(0)) await box.close()
  })
  afterAll(() => undefined)

  async function box(options: SMTPServerOptions = {}): Promise<MailBox> {
    const started = await startMailBox(options)
    boxes.push(started)
    return started
  }
  /** The portal with a mail server, and whatever else its door is given. */
  const portalWith = (url: string, door: Partial<DoorSettings> = {}): Portal => {
    const smtp = parseMailServer(url, 'Muster, Halvard <muster@halvard.example>')
    return { ...here.portal, config: { ...here.portal.config, ...door, smtp } }
  }
  const certified = () => certificate({ name: 'localhost', issuer: authority })
  const trusting = (): Partial<DoorSettings> => ({ authorities: [authority.pem] })
  const tls = (one: TestCertificate): SMTPServerOptions => ({ key: one.key, cert: one.pem })
  const to = (recipients = ['jour@halvard.example'], settings = {}) =>
    destination(here, 'mail', { recipients }, settings)
  const blind = { kind: 'tenant-blind', subject: 't1' } as const
  const outcomes = async () => (await messages(here)).flatMap(({ tries }) => tries.map(({ outcome }) => outcome))

  test('arrives with text and HTML that say the same, from the sender, and is known to be automatic', async () => {
    const inbox = await box({ disabledCommands: ['STARTTLS', 'AUTH'] })
    const portal = portalWith(`smtp://127.0.0.1:${inbox.port}`)
    const customerId = (await customerNamed(here, '晶瀚精密光學 <b>&')).id
    const id = await to(['jour@halvard.example', 'zwei@halvard.example'], {
      name: 'Jour',
      timeZone: 'Europe/Stockholm',
    })
    await raise(here, { kind: 'consent-refused', subject: customerId, customerId })
    await sendDue(portal)
    const [mail] = inbox.mails
    if (!mail) throw new Error(`no mail came: ${await outcomes()}`)
    expect(mail.subject).toBe('晶瀚精密光學 <b>& declined at Microsoft')
    expect(mail.from?.value).toEqual([{ address: 'muster@halvard.example', name: 'Muster, Halvard' }])
    expect(inbox.came).toEqual([
      { secure: false, user: '', from: 'muster@halvard.example', to: ['jour@halvard.example', 'zwei@halvard.example'] },
    ])
    const header = (name: string) => mail.headers.get(name)
    expect(header('auto-submitted')).toBe('auto-generated')
    expect(header('x-auto-response-suppress')).toBe('All')
    const [sent] = await messages(here, id)
    expect(mail.messageId).toBe(`<${sent?.id}@${new URL(portal.config.publicUrl).hostname}>`)
    expect(mail.references).toContain(sent?.subjectId ?? 'none')
    expect(mail.text).toContain('Halvard Security AB - Consent refused')
    const html = String(mail.html)
    expect(html).toContain('&lt;b&gt;&amp;')
    expect(html).not.toContain('<b>&')
    expect(html).toContain('<span lang="zh-Hant">晶瀚')
    expect(html).not.toMatch(/<(script|form|img|svg|link|iframe)\b/i)
    // Every word of the HTML stands in the text as well.
    const words = html
      .replace(/<style>[\s\S]*?<\/style>|<title>[\s\S]*?<\/title>|<[^>]+>/g, '\n')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&')
      .replaceAll('&#39;', "'")
      .replaceAll('&nbsp;', '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.includes(' · '))
    for (const line of words) expect(mail.text).toContain(line)
    expect((await messages(here, id))[0]).toMatchObject({ state: 'handed-over', tries: [{ status: 250 }] })
  })

  test.each(['sv', 'zh-Hant'] as const)('is in the language of its destination: %s', async (language) => {
    const inbox = await box({ disabledCommands: ['STARTTLS', 'AUTH'] })
    await to(['a@b.example'], { language })
    await raise(here, { kind: 'storage-trouble', subject: 'disk', facts: { code: 'disk', percent: 91 } })
    await sendDue(portalWith(`smtp://127.0.0.1:${inbox.port}`))
    expect(inbox.mails[0]?.subject).toBe(language === 'sv' ? 'Disken är fylld till 91 %' : '磁碟已使用 91 %')
    expect(inbox.mails[0]?.html).toContain(`<html lang="${language}">`)
  })

  test('goes by STARTTLS, or by TLS from the first byte, with user and password', async () => {
    const auth: SMTPServerOptions = {
      authOptional: false,
      onAuth: ({ username, password }, _session, done) =>
        username === 'muster@x' && password === 'p@ss:w/rd' ? done(null, { user: username }) : done(new Error('no')),
    }
    const started = await box({ ...tls(certified()), ...auth })
    const secured = await box({ ...tls(certified()), ...auth, secure: true })
    await to()
    for (const [scheme, inbox] of [
      ['smtp', started],
      ['smtps', secured],
    ] as const) {
      const portal = portalWith(`${scheme}://muster%40x:p%40ss%3Aw%2Frd@localhost:${inbox.port}`, trusting())
      await raise(here, { ...blind, subject: scheme })
      await sendDue(portal)
      expect(inbox.came).toMatchObject([{ secure: true, user: 'muster@x' }])
    }
  })

  test('does not go where the certificate is of nobody known, of another name, or where there is no TLS', async () => {
    const strict = {
      ...trusting(),
      outboundAllow: parseOutboundAllow('localhost,other.example') ?? nothingAllowed,
    }
    const unknown = await box(tls(certificate({ name: 'localhost' })))
    const plain = await box({ disabledCommands: ['STARTTLS', 'AUTH'] })
    const good = await box(tls(certified()))
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
    await to()
    for (const [host, inbox] of [
      ['localhost', unknown],
      ['localhost', plain],
      ['other.example', good],
    ] as const) {
      await raise(here, { ...blind, subject: `${host}${inbox.port}` })
      await sendDue(portalWith(`smtp://${host}:${inbox.port}`, { ...strict, resolve }))
      expect(inbox.mails).toEqual([])
      here.clock.advance(6_000)
    }
    expect((await outcomes()).every((outcome) => ['certificate', 'connection'].includes(outcome))).toBe(true)
  })

  test('does not go to a mail server inside, unless that is allowed', async () => {
    const inbox = await box({ disabledCommands: ['STARTTLS', 'AUTH'] })
    await to()
    await raise(here, blind)
    await sendDue(portalWith(`smtp://127.0.0.1:${inbox.port}`, { outboundAllow: nothingAllowed }))
    expect(await outcomes()).toEqual(['address-refused'])
    expect(inbox.mails).toEqual([])
  })

  test('that is refused, or whose user is, is tried again, and the log holds no password', async () => {
    const inbox = await box({
      disabledCommands: ['STARTTLS', 'AUTH'],
      onRcptTo: (_address, _session, done) => done(Object.assign(new Error('nobody here'), { responseCode: 550 })),
    })
    const id = await to()
    await raise(here, blind)
    await sendDue(portalWith(`smtp://127.0.0.1:${inbox.port}`))
    const locked = await box({
      authOptional: false,
      allowInsecureAuth: true,
      disabledCommands: ['STARTTLS'],
      onAuth: ({ password }, _session, done) => done(new Error(`no: ${password}`)),
    })
    here.clock.advance(6_000)
    await sendDue(portalWith(`smtp://muster:topsecret99@127.0.0.1:${locked.port}`))
    const [message] = await messages(here, id)
    expect(message).toMatchObject({
      state: 'waiting',
      tries: [
        { outcome: 'refused', status: 550 },
        { outcome: 'refused', status: 535 },
      ],
    })
    expect(JSON.stringify([message, here.lines])).not.toContain('topsecret99')
  })

  test('that some of the recipients cannot get goes to the others once', async () => {
    const inbox = await box({
      disabledCommands: ['STARTTLS', 'AUTH'],
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith('gone') ? Object.assign(new Error('no'), { responseCode: 550 }) : null),
    })
    await to(['gone@x.example', 'here@x.example'])
    await raise(here, blind)
    const portal = portalWith(`smtp://127.0.0.1:${inbox.port}`)
    await sendDue(portal)
    here.clock.advance(hour)
    await sendDue(portal)
    expect(inbox.came.map((one) => one.to)).toEqual([['here@x.example']])
    expect(await outcomes()).toEqual(['refused'])
  })

  test('tells the owner of a destination that was switched off', async () => {
    const inbox = await box({ disabledCommands: ['STARTTLS', 'AUTH'] })
    const portal = portalWith(`smtp://127.0.0.1:${inbox.port}`)
    await here.signedIn(here.cast.alice)
    const [owner] = await here.portal.db.selectFrom('operators').selectAll().execute()
    const id = await destination(here, 'slack', { url: 'https://127.0.0.3:1/services/x' }, { name: 'SOC' })
    await here.portal.db
      .updateTable('destinations')
      .set({ owner_id: owner?.id ?? '', sealed: 'unreadable' })
      .where('id', '=', id)
      .execute()
    await raise(here, blind)
    await sendDue(portal)
    await sendDue(portal)
    expect(inbox.came.map((one) => one.to)).toEqual([[owner?.username]])
    expect(inbox.mails[0]?.subject).toBe('“SOC” was switched off')
    expect(await destinationNow(here, id)).toMatchObject({ offReason: 'unreadable' })
  })

  test('waits where no mail server was named, and where it is away', async () => {
    await to()
    await raise(here, blind)
    await sendDue(here.portal)
    const gone = await startMailBox({ disabledCommands: ['STARTTLS'] })
    await gone.close()
    here.clock.advance(6_000)
    await sendDue(portalWith(`smtp://127.0.0.1:${gone.port}`))
    expect(await outcomes()).toEqual(['not-set-up', 'connection'])
    expect(before.name).toBe('Ines Lindqvist')
  })
})

describe('a mail server', () => {
  test.each([
    ['smtp://mail.example.com', { host: 'mail.example.com', port: 587, secure: false, user: null, oauth: false }],
    ['smtps://u%40x:p%23@mail.example.com:2465', { port: 2465, secure: true, user: 'u@x', password: 'p#' }],
    ['smtp://box@smtp.office365.com?auth=oauth2', { user: 'box', password: null, oauth: true }],
    ['smtp://[::1]:2525', { host: '::1', port: 2525 }],
  ])('is read from %s', (url, expected) => {
    expect(parseMailServer(url, 'muster@example.com')).toMatchObject(expected)
  })

  test.each([
    'mail.example.com',
    'https://mail.example.com',
    'smtp://u@h',
    'smtp://h/path',
    'smtp://u:p@h?auth=oauth2',
    'smtp://',
  ])('is none at %j', (url) => {
    expect(parseMailServer(url, 'muster@example.com')).toBeNull()
  })

  test.each([
    ['muster@example.com', true],
    ['Muster <muster@example.com>', true],
    ['Muster, Halvard <muster@example.com>', true],
    ['Muster', false],
    ['Muster <muster@example.com', false],
    ['a@b\r\nBcc: c@d', false],
    ['a@b, c@d', false],
  ])('sends from %j: %s', (sender, usable) => {
    expect(isSender(sender)).toBe(usable)
    if (usable) expect(addressIn(sender)).toBe('muster@example.com')
  })
})
