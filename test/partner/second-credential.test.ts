import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { readCertificateFile } from '../../server/config/certificate.ts'
import type { Credential } from '../../server/config/credentials.ts'
import { watchCredentials } from '../../server/partner/expiry.ts'
import { fromRow } from '../../server/store/notify/alarms.ts'
import { readPartnerFaults } from '../../server/store/partner/faults.ts'
import { pauseEverything } from '../../server/store/tenants/pauses.ts'
import { before, connected, formToken } from '../support/admin.ts'
import type { Browser } from '../support/browser.ts'
import { certificate } from '../support/certificates.ts'
import { wordsOf } from '../support/consent.ts'
import { signIn, startTestPortal, type TestPortal } from '../support/portal.ts'
import { hour, minute, run, syncsOf } from '../support/sync.ts'

const appId = '33333333-aaaa-4bbb-8ccc-0123456789ab'
const signInId = '44444444-aaaa-4bbb-8ccc-0123456789ab'
const first: Credential = { kind: 'secret', secret: 'Muster-secret' }
const second: Credential = { kind: 'secret', secret: 'Another-secret' }

/** A certificate and its key, as a portal reads them from a file. */
function newCertificate(): { credential: Credential; pem: string } {
  const folder = mkdtempSync(join(tmpdir(), 'muster-second-'))
  const path = join(folder, 'app.pem')
  const { pem, key } = certificate({ name: 'muster', to: 400 })
  writeFileSync(path, `${pem}${key}`)
  const credential = readCertificateFile(path)
  rmSync(folder, { recursive: true })
  if (!('kind' in credential)) throw new Error(credential.problem)
  return { credential, pem }
}

describe('two credentials of the partner’s own', () => {
  let here: TestPortal
  beforeEach(async () => {
    here = await startTestPortal('SQLite', {
      config: {
        app: { clientId: appId, credential: first, second },
        signIn: { clientId: signInId, credential: first, second },
      },
    })
    const { world } = here.simulator
    for (const id of [appId, signInId]) {
      world.registration(id).secrets = [{ value: 'Muster-secret' }, { value: 'Another-secret' }]
      world.consent(here.partner.id, id)
    }
  })
  afterEach(() => here.close())

  const secretsOf = (id: string) => here.simulator.world.registration(id)
  const alarms = async () => (await here.portal.db.selectFrom('notify_alarms').selectAll().execute()).map(fromRow)
  const refusedNow = async () => (await alarms()).filter(({ overAt }) => overAt === null).map(({ subject }) => subject)
  const tokensAsked = () => here.simulator.requests.filter(({ path }) => path.endsWith('/oauth2/v2.0/token')).length

  test('change over without a failed sync run when Microsoft stops taking the first, and back again', async () => {
    const { tenant } = await connected(here, 'Contoso')
    await run(here, 3 * minute)
    secretsOf(appId).secrets = [{ value: 'Another-secret' }]
    for (let times = 0; times < 3; times++) await run(here, 70 * minute)
    secretsOf(appId).secrets = [{ value: 'Muster-secret' }]
    for (let times = 0; times < 3; times++) await run(here, 70 * minute)
    const outcomes = (await syncsOf(here.portal.db, tenant.id, 50)).map(({ outcome }) => outcome)
    expect(new Set(outcomes)).toEqual(new Set(['complete']))
    expect(await readPartnerFaults(here.portal.db)).toEqual([])
  })

  test('cost one request more when they change over, and none after that', async () => {
    const { microsoft } = here.portal
    secretsOf(appId).secrets = [{ value: 'Another-secret' }]
    await microsoft.proveCredential()
    expect(tokensAsked()).toBe(2)
    await microsoft.proveCredential()
    expect(tokensAsked()).toBe(3)
  })

  test('that are both refused are the fault of the first, as one alone is', async () => {
    const { tenant } = await connected(here, 'Contoso')
    secretsOf(appId).secrets = []
    await run(here, 3 * hour)
    expect(await readPartnerFaults(here.portal.db)).toMatchObject([{ code: 'partner-credential' }])
    expect((await syncsOf(here.portal.db, tenant.id, 1))[0]?.outcome).not.toBe('complete')
    await watchCredentials(here.portal)
    expect(await refusedNow()).not.toContain('app-secret')
    // A tenant's own refusal is none of the credential's, and asks no second time.
    secretsOf(appId).secrets = [{ value: 'Muster-secret' }]
    const asked = tokensAsked()
    here.simulator.world.setWeather(here.partner.id, 'refusal', { code: 700016 })
    await expect(here.portal.microsoft.proveCredential()).rejects.toMatchObject({ code: expect.any(String) })
    expect(tokensAsked()).toBe(asked + 1)
  })

  test('let people sign in by the second, a certificate, when the first has ended, with the code they came with', async () => {
    const { credential, pem } = newCertificate()
    const other = await startTestPortal('SQLite', {
      config: { signIn: { clientId: signInId, credential: first, second: credential } },
    })
    Object.assign(other.simulator.world.registration(signInId), { secrets: [], certificates: [pem] })
    const alice = other.browser()
    expect((await signIn(alice, other.cast.alice)).status).toBe(200)
    expect((await alice.open('/settings')).status).toBe(200)
    await other.close()
  })

  test('one of which is refused are a warning, told once, until it is taken again', async () => {
    await watchCredentials(here.portal)
    expect(await alarms()).toEqual([])
    secretsOf(appId).secrets = [{ value: 'Muster-secret' }]
    await watchCredentials(here.portal)
    expect(await alarms()).toEqual([])
    for (let tries = 0; tries < 3; tries++) {
      here.clock.advance(11 * minute)
      await watchCredentials(here.portal)
    }
    expect(await alarms()).toMatchObject([{ kind: 'credential-ending', subject: 'app-secret-2', times: 1 }])
    expect((await alarms())[0]?.facts).toMatchObject({ code: 'refused', aadsts: 7000215 })
    const alice = await here.signedIn(here.cast.alice)
    const overview = wordsOf(await alice.open('/'))
    expect(overview).toContain('The app’s second secret is refused by Microsoft')
    expect(wordsOf(await alice.open('/settings'))).toContain('Refused by Microsoft')
    expect(await readPartnerFaults(here.portal.db)).toEqual([])
    secretsOf(appId).secrets.push({ value: 'Another-secret' })
    here.clock.advance(11 * minute)
    await watchCredentials(here.portal)
    expect(await refusedNow()).toEqual([])
    expect(wordsOf(await alice.open('/'))).not.toContain('refused by Microsoft')
  })

  test('are not tried while everything is paused, and say nothing new while Microsoft is away', async () => {
    secretsOf(appId).secrets = [{ value: 'Another-secret' }]
    await watchCredentials(here.portal)
    expect(await refusedNow()).toEqual(['app-secret'])
    here.simulator.world.setWeather(here.partner.id, 'outage', { surface: 'token', status: 503 })
    here.clock.advance(11 * minute)
    await watchCredentials(here.portal)
    expect(await refusedNow()).toEqual(['app-secret'])
    await pauseEverything(here.portal.db, before, here.portal.now())
    const asked = tokensAsked()
    here.clock.advance(hour)
    await watchCredentials(here.portal)
    expect(tokensAsked()).toBe(asked)
  })
})

describe('the end of a secret, entered by hand', () => {
  let here: TestPortal
  let alice: Browser
  beforeEach(async () => {
    here = await startTestPortal('SQLite')
    alice = await here.signedIn(here.cast.alice)
  })
  afterEach(() => here.close())

  const inDays = (days: number) => new Date(here.portal.now().getTime() + days * 24 * hour).toISOString().slice(0, 10)
  const enter = async (fields: Record<string, string>) =>
    alice.post('/settings/credential-ends', { _csrf: formToken(await alice.open('/settings')), ...fields })
  const openAlarms = async () =>
    (await here.portal.db.selectFrom('notify_alarms').selectAll().execute())
      .map(fromRow)
      .filter(({ overAt }) => overAt === null)

  test('warns as one that Entra says, on the overview and as an alarm, until another one is entered', async () => {
    expect((await enter({ 'app-secret': inDays(6), 'sign-in-secret': '' })).location).toMatch(/\/settings#credentials$/)
    await watchCredentials(here.portal)
    expect(await openAlarms()).toMatchObject([{ subject: 'app-secret', facts: { code: '7', days: 7 } }])
    const overview = wordsOf(await alice.open('/'))
    expect(overview).toContain('The app’s secret ends in 7 days')
    expect(overview).toContain('every tenant goes blind at once')
    const bob = await here.signedIn(here.cast.bob)
    expect(wordsOf(await bob.open('/'))).toContain('The app’s secret ends in 7 days')
    const settings = await alice.open('/settings')
    expect(settings.text).toContain(`value="${inDays(6)}"`)
    expect(wordsOf(settings)).toContain('As Alice Admin entered')
    await enter({ 'app-secret': inDays(300) })
    await watchCredentials(here.portal)
    expect(await openAlarms()).toEqual([])
    await enter({ 'app-secret': '' })
    expect((await alice.open('/settings')).text).not.toContain(`value="${inDays(300)}"`)
  })

  test('gives way to what Entra says, and belongs to that secret alone', async () => {
    await enter({ 'app-secret': inDays(6), 'sign-in-secret': inDays(400) })
    const { world } = here.simulator
    world.registration(signInId).requiredResources.push({ resource: 'graph', roles: ['Application.Read.All'] })
    world.consent(here.partner.id, signInId)
    world.registration(appId).secrets = [
      { value: 'Muster-secret', expiresAt: new Date(here.portal.now().getTime() + 500 * 24 * hour) },
    ]
    await watchCredentials(here.portal)
    expect(await openAlarms()).toEqual([])
    expect(wordsOf(await alice.open('/settings'))).toContain('As Entra says')
    await enter({ 'app-secret': inDays(1) })
    await watchCredentials(here.portal)
    expect(await openAlarms()).toEqual([])
  })

  test.each(['31.12.2027', '2027-02-30', '1999-12-31', '2027-13-01', 'soon'])(
    'is refused as %s, with what was typed still there',
    async (typed) => {
      const answer = await enter({ 'app-secret': typed })
      expect(answer.status).toBe(422)
      expect(answer.text).toContain(`value="${typed}"`)
      expect(wordsOf(answer)).toContain('Give a day as 2027-12-31')
    },
  )

  test('is nothing that a reader may say, nor is the secret’s beginning enough to tell it', async () => {
    const bob = await here.signedIn(here.cast.bob)
    const settings = await bob.open('/settings')
    expect(settings.text).not.toContain('credential-ends')
    const fields = { _csrf: formToken(settings), 'app-secret': inDays(1) }
    expect((await bob.post('/settings/credential-ends', fields)).status).toBe(403)
    for (const { text } of [settings, await alice.open('/settings')]) expect(text).not.toContain('Muster-secret')
  })
})
