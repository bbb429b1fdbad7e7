import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { CertificateCredential } from '../../server/config/certificate.ts'
import { partnerCredentials, watchCredentials } from '../../server/partner/expiry.ts'
import type { Portal } from '../../server/portal.ts'
import { fromRow } from '../../server/store/notify/alarms.ts'
import { sendDue } from '../../server/worker/courier.ts'
import { startReceiver } from '../notify/receivers.ts'
import { loopbackAllowed, messages, webhookTo } from '../notify/stage.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const day = 86_400_000

describe('a credential of the partner’s own', () => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startTestPortal('SQLite', { config: loopbackAllowed })
  })
  afterEach(() => here.close())

  const inDays = (days: number) => new Date(here.portal.now().getTime() + days * day)
  const alarms = async () => (await here.portal.db.selectFrom('notify_alarms').selectAll().execute()).map(fromRow)
  const withCertificate = (expiresAt: Date): Portal => {
    const credential: CertificateCredential = {
      kind: 'certificate',
      certificate: '',
      privateKey: '',
      thumbprintSha256: '',
      validFrom: here.portal.now(),
      expiresAt,
    }
    const { config } = here.portal
    return { ...here.portal, config: { ...config, app: { ...config.app, credential } } }
  }
  const mayRead = () => {
    const { world } = here.simulator
    const { clientId } = here.portal.config.signIn
    const registration = world.registration(clientId)
    registration.requiredResources.push({ resource: 'graph', roles: ['Application.Read.All'] })
    world.consent(here.partner.id, clientId)
  }

  test('that is a certificate is warned of at 60, 30, 14, 7 and 1 days, once each, and when it has ended', async () => {
    const portal = withCertificate(inDays(65))
    const receiver = await startReceiver()
    await webhookTo(here, receiver.url)
    const stages: unknown[] = []
    for (let passed = 0; passed <= 67; passed++) {
      await watchCredentials(portal)
      await sendDue(portal)
      await watchCredentials(portal)
      const [alarm] = await alarms()
      if (alarm && stages.at(-1) !== alarm.facts.code) stages.push(alarm.facts.code)
      here.clock.advance(day)
    }
    expect(stages).toEqual(['60', '30', '14', '7', '1', '0'])
    expect(await alarms()).toHaveLength(1)
    expect(await messages(here)).toHaveLength(6)
    expect(receiver.received).toHaveLength(6)
    await receiver.close()
  })

  test('that was renewed is no alarm any more', async () => {
    await watchCredentials(withCertificate(inDays(5)))
    expect(await alarms()).toMatchObject([{ kind: 'credential-ending', facts: { days: 5 }, overAt: null }])
    await watchCredentials(withCertificate(inDays(700)))
    expect((await alarms())[0]?.overAt).not.toBeNull()
  })

  test('that is a secret ends when Entra says so, known by its first characters', async () => {
    mayRead()
    const { app, signIn } = here.portal.config
    const { world } = here.simulator
    world.registration(app.clientId).secrets = [
      { value: 'Muster-secret', expiresAt: inDays(12) },
      { value: 'zzz another', expiresAt: inDays(2) },
    ]
    world.registration(signIn.clientId).secrets[0] = { value: 'Muster sign-in-secret', expiresAt: inDays(300) }
    await watchCredentials(here.portal)
    const ends = await partnerCredentials(here.portal)
    expect(ends.map(({ name, endsAt }) => [name, endsAt?.toISOString()])).toEqual(
      [
        ['app-secret', inDays(12).toISOString().slice(0, 10)],
        ['sign-in-secret', inDays(300).toISOString().slice(0, 10)],
      ].map(([name, at]) => [name, expect.stringContaining(String(at))]),
    )
    expect(await alarms()).toMatchObject([{ subject: 'app-secret', facts: { code: '14', days: 12 } }])
    expect(JSON.stringify(await here.portal.db.selectFrom('settings').selectAll().execute())).not.toContain(
      'Muster-secret',
    )
  })

  test('of which nobody may ask is none to warn of', async () => {
    await watchCredentials(here.portal)
    expect((await partnerCredentials(here.portal)).map(({ endsAt }) => endsAt)).toEqual([null, null])
    expect(await alarms()).toEqual([])
  })
})
