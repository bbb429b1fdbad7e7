import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { readCertificateFile } from '../../server/config/certificate.ts'
import type { Config } from '../../server/config/config.ts'
import { connectMicrosoft } from '../../server/microsoft/connect.ts'
import { readConsentClaim, readSignInReturn } from '../../server/microsoft/login/consent.ts'
import type { Microsoft } from '../../server/microsoft/microsoft.ts'
import { findCause } from '../../server/model/dictionary.ts'
import { certificate, type TestCertificate } from '../support/certificates.ts'
import { configFor } from '../support/microsoft.ts'
import {
  appId,
  customerId,
  otherId,
  partnerId,
  registrations,
  type Stage,
  secret,
  signInId,
  stage,
} from '../support/simulator.ts'
import { Browser } from '../support/simulator-browser.ts'

let at: Stage
let lines: string[]

beforeEach(async () => {
  at = await stage({
    registrations: registrations().map((registration) =>
      registration.clientId === appId
        ? {
            ...registration,
            requiredResources: [
              { resource: 'mtp' as const, roles: ['Incident.Read.All'] },
              {
                resource: 'graph' as const,
                roles: ['SecurityIncident.Read.All', 'CrossTenantInformation.ReadBasic.All'],
              },
            ],
          }
        : registration,
    ),
  })
  lines = []
})
afterEach(() => at.simulator.close())

function portal(changes: Partial<Config> = {}): Microsoft {
  const config = configFor(at.simulator.origin, {
    publicUrl: 'http://localhost:3000',
    partnerTenantId: partnerId,
    app: { clientId: appId, credential: { kind: 'secret', secret }, second: null },
    signIn: { clientId: signInId, credential: { kind: 'secret', secret }, second: null },
    ...changes,
  })
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  return connectMicrosoft(config, { log, now: () => new Date(at.simulator.clock.now()) })
}

const verifier = 'v'.repeat(64)
const codeChallenge = createHash('sha256').update(verifier).digest('base64url')
const nonce = 'a-nonce'
const queryOf = (url: string) => Object.fromEntries(new URL(url).searchParams)
const ours = (url: string) => url.startsWith('http://localhost:3000/')

async function read(microsoft: Microsoft, tenantId = customerId) {
  const incidents = []
  for await (const page of microsoft.listIncidents(tenantId, {})) incidents.push(...page.incidents)
  return incidents
}

describe.each(['defender', 'graph'] as const)('over %s, a customer', (incidentsApi) => {
  test('consents by our link, is proven, and is read', async () => {
    const microsoft = portal({ incidentsApi })
    expect((await microsoft.checkAccess(customerId)).refusal?.code).toBe('not-consented')
    const browser = new Browser().stopAt(ours)
    await browser.open(microsoft.consentUrl({ tenantId: customerId, state: 'the-state' }))
    await browser.press('Ada Admin')
    await browser.press('Accept')
    expect(readConsentClaim(queryOf(browser.url))).toEqual({
      kind: 'granted',
      tenantId: customerId,
      state: 'the-state',
    })
    expect((await microsoft.checkAccess(customerId)).refusal).toBeNull()

    at.simulator.world.generate(customerId, 130)
    const incidents = await read(microsoft)
    expect(incidents).toHaveLength(130)
    expect(new Set(incidents.map(({ id }) => id)).size).toBe(130)
    const some = incidents.find(({ status }) => status === 'active') ?? incidents[0]
    const { alerts } = await microsoft.alertsOf(customerId, some?.id ?? '')
    expect(alerts.length).toBeGreaterThan(0)
    expect(alerts.flatMap(({ entities }) => entities).filter(({ kind }) => kind === 'other')).toEqual([])
  })

  test('who has no Defender is told apart from one who did not consent', async () => {
    at.simulator.world.consent(customerId, appId)
    at.simulator.world.setLicensed(customerId, false)
    const { refusal } = await portal({ incidentsApi }).checkAccess(customerId)
    expect(['unlicensed', 'data-unavailable']).toContain(refusal?.code)
  })
})

test.each([120, 100, 75])('a list that Graph cuts off after %i without a word is read whole', async (offset) => {
  at.simulator.world.consent(customerId, appId)
  at.simulator.world.generate(customerId, 430)
  at.simulator.world.setSkipWall(customerId, offset)
  const ids = (await read(portal({ incidentsApi: 'graph' }))).map(({ id }) => id)
  expect(new Set(ids).size).toBe(430)
  expect(ids).toHaveLength(430)
})

test('the classic link brings back a code and no tenant', async () => {
  const microsoft = portal()
  const browser = new Browser().stopAt(ours)
  await browser.open(microsoft.classicConsentUrl({ state: 'the-state' }))
  await browser.press('Ada Admin')
  await browser.press('Accept')
  expect(readConsentClaim(queryOf(browser.url))).toMatchObject({ kind: 'code', state: 'the-state' })
})

test('a declined consent is a refusal without a tenant', async () => {
  const browser = new Browser().stopAt(ours)
  await browser.open(portal().consentUrl({ tenantId: null, state: 'the-state' }))
  await browser.press('Ada Admin')
  await browser.press('Cancel')
  expect(readConsentClaim(queryOf(browser.url))).toMatchObject({
    kind: 'refused',
    reason: 'declined',
    state: 'the-state',
  })
})

test('an operator signs in and brings the roles he was given', async () => {
  const microsoft = portal()
  const browser = new Browser().stopAt(ours)
  await browser.open(
    microsoft.signInUrl({
      purpose: 'operator',
      tenantId: partnerId,
      state: 's',
      nonce,
      codeChallenge,
      prompt: 'select_account',
    }),
  )
  await browser.press('Ines')
  const back = readSignInReturn(queryOf(browser.url))
  if (back.kind !== 'code') throw new Error(`no code: ${browser.url}`)
  const request = { purpose: 'operator', tenantId: partnerId, code: back.code, codeVerifier: verifier, nonce } as const
  expect(await microsoft.redeemSignIn(request)).toMatchObject({
    tid: partnerId,
    roles: expect.arrayContaining(['Muster.Admin']),
  })
  await expect(microsoft.redeemSignIn(request)).rejects.toMatchObject({ code: 'sign-in-invalid' })
})

test('a silent sign-in of nobody asks for a person', async () => {
  const browser = new Browser().stopAt(ours)
  await browser.open(
    portal().signInUrl({ purpose: 'customer', tenantId: customerId, state: 's', nonce, codeChallenge, prompt: 'none' }),
  )
  expect(readSignInReturn(queryOf(browser.url))).toMatchObject({
    code: 'interaction-required',
    aadsts: 50058,
    state: 's',
  })
})

describe('a certificate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  /** What an access check comes to with this certificate, which is registered with the app. */
  async function checkedWith({ pem, key }: TestCertificate) {
    const path = join(folder, 'app.pem')
    writeFileSync(path, `${key}${pem}`)
    const credential = readCertificateFile(path)
    if (!('kind' in credential)) throw new Error(credential.problem)
    // MSAL dates its assertions by the machine's clock.
    await at.simulator.close()
    at = await stage({ now: Date.now })
    at.simulator.world.registration(appId).certificates = [pem]
    at.simulator.world.consent(customerId, appId)
    return portal({ app: { clientId: appId, credential, second: null } }).checkAccess(customerId)
  }

  test('serves as well as a secret does, with those that signed it', async () => {
    const root = certificate({ name: 'root' })
    expect((await checkedWith(certificate({ name: 'muster' }))).refusal).toBeNull()
    const issued = certificate({ name: 'issued', issuer: root })
    expect((await checkedWith({ ...issued, pem: `${issued.pem}${root.pem}` })).refusal).toBeNull()
  })

  test.each([
    ['over', { from: -400, to: -1 }],
    ['not valid yet', { from: 2, to: 400 }],
  ])('that is %s is a fault of the partner’s own, as Microsoft says', async (_when, dates) => {
    const { refusal } = await checkedWith(certificate({ name: 'dated', ...dates }))
    expect(refusal).toMatchObject({ code: 'partner-credential', owner: 'partner', facts: { aadsts: 1000502 } })
    expect(findCause('partner-credential', 1000502)?.reason).toBe('certificate-dates')
  })
})

describe('in weather', () => {
  beforeEach(() => {
    at.simulator.world.consent(customerId, appId)
    at.simulator.world.generate(customerId, 10)
  })

  test.each([
    ['throttle', {}, 'throttled'],
    ['outage', {}, 'unavailable'],
    ['html', { status: 200 }, 'unexpected-answer'],
    ['reset', {}, 'unavailable'],
    ['redirect', {}, 'unexpected-answer'],
    ['unauthorized', {}, 'unauthorized'],
    ['forbidden', {}, 'data-unavailable'],
    ['malformed', {}, 'unexpected-answer'],
    ['empty', {}, 'unexpected-answer'],
    ['cut', {}, 'unavailable'],
    ['no-value', {}, 'unexpected-answer'],
    ['next-link-foreign', {}, 'unexpected-answer'],
    ['next-link-loop', {}, 'unexpected-answer'],
    ['wrong-tid', {}, 'wrong-tenant-token'],
    ['no-access-token', {}, 'unexpected-answer'],
    ['wrong-audience', {}, 'unauthorized'],
  ] as const)('of %s a list says what is wrong', async (kind, options, code) => {
    at.simulator.world.setWeather(customerId, kind, options)
    await expect(read(portal())).rejects.toMatchObject({ name: 'Refusal', code })
  })

  test.each(['opaque-token', 'string-expires-in', 'refresh-in', 'slow'] as const)(
    'of %s a list is read all the same',
    async (kind) => {
      at.simulator.world.setWeather(customerId, kind)
      const microsoft = portal()
      expect((await microsoft.checkAccess(customerId)).refusal).toBeNull()
      expect(await read(microsoft)).toHaveLength(10)
    },
  )

  test('of roles in the plural the service’s no is believed', async () => {
    at.simulator.world.setWeather(customerId, 'plural-roles')
    expect((await portal().checkAccess(customerId)).refusal?.code).toBe('role-missing')
  })

  test.each(['outage', 'reset', 'cut'] as const)('of one %s nobody notices', async (kind) => {
    at.simulator.world.setWeather(customerId, kind, { count: 1 })
    expect(await read(portal())).toHaveLength(10)
  })

  test('of an item without its last update it is read by its creation', async () => {
    at.simulator.world.setWeather(customerId, 'odd-item', { oddity: 'no-time' })
    const incidents = await read(portal())
    expect(incidents.every(({ lastUpdateAt }) => lastUpdateAt.endsWith('Z'))).toBe(true)
  })

  test.each(['no-id', 'foreign-tenant', 'not-an-object'] as const)(
    'of an item with %s the rest is read',
    async (oddity) => {
      at.simulator.world.setWeather(customerId, 'odd-item', { oddity })
      const microsoft = portal()
      const pages = []
      for await (const page of microsoft.listIncidents(customerId, {})) pages.push(page)
      expect(pages.flatMap(({ rejected }) => rejected).length).toBeGreaterThan(0)
      expect(pages.flatMap(({ incidents }) => incidents).length).toBeGreaterThan(0)
    },
  )
})

test.each([
  ['revoked', () => at.simulator.world.revoke(customerId, appId), 'not-consented'],
  ['disabled', () => at.simulator.world.disableApp(customerId, appId), 'app-disabled'],
  ['without its role', () => at.simulator.world.removeRoles(customerId, appId, 'Incident.Read.All'), 'role-missing'],
  ['blocked by policy', () => at.simulator.world.blockByPolicy(customerId), 'blocked-by-policy'],
  ['gone', () => at.simulator.world.deleteTenant(customerId), 'tenant-gone'],
  ['fine, but our secret has expired', () => at.simulator.world.expireSecrets(appId), 'partner-credential'],
])('a tenant that is %s is told apart', async (_name, change, code) => {
  at.simulator.world.consent(customerId, appId)
  const microsoft = portal()
  expect((await microsoft.checkAccess(customerId)).refusal).toBeNull()
  change()
  expect((await microsoft.checkAccess(customerId)).refusal?.code).toBe(code)
})

test('tenants are found by domain and described by name', async () => {
  at.simulator.world.consent(partnerId, appId)
  const microsoft = portal()
  expect(await microsoft.resolveTenant('customer.example')).toMatchObject({ tenantId: customerId })
  expect(await microsoft.resolveTenant('nobody.example')).toBeNull()
  expect(await microsoft.describeTenant(otherId)).toMatchObject({ displayName: 'Other Ltd' })
})

describe('the registration', () => {
  const found = async (microsoft: Microsoft) =>
    (await microsoft.inspectRegistration()).map(({ check, outcome, code }) => `${check} ${outcome} ${code}`)

  test('in order is found in order', async () => {
    at.simulator.world.consent(partnerId, appId)
    expect(await found(portal())).toEqual([
      'tenant ok tenant-found',
      'credential ok credential-works',
      'audience ok audience-multi',
      'directory-roles unknown directory-roles-unread',
      'redirect-uris ok redirect-registered',
      'permissions ok permissions-complete',
      'api ok api-answers',
      'sign-in ok redirect-registered',
      'sign-in ok credential-works',
    ])
  })

  test('with other redirect URIs is found wanting', async () => {
    expect(await found(portal({ publicUrl: 'https://elsewhere.example' }))).toEqual(
      expect.arrayContaining(['redirect-uris fault redirect-missing', 'sign-in fault redirect-missing']),
    )
  })

  test('for one tenant alone is found wanting', async () => {
    at.simulator.world.registration(appId).audience = 'single'
    expect(await found(portal())).toContain('audience fault audience-single')
  })

  test('with an expired or a wrong secret is told apart', async () => {
    const wrong = { clientId: appId, credential: { kind: 'secret', secret: 'wrong' }, second: null } as const
    expect(await found(portal({ app: wrong }))).toContain('credential fault secret-wrong')
    at.simulator.world.expireSecrets(appId)
    expect(await found(portal())).toContain('credential fault secret-expired')
  })
})
