import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createLog } from '../../server/log.ts'
import { connectMicrosoft } from '../../server/microsoft/connect.ts'
import { readConsentClaim, readSignInReturn } from '../../server/microsoft/login/consent.ts'
import type { Microsoft } from '../../server/microsoft/microsoft.ts'
import { entries } from '../../server/model/dictionary.ts'
import { configFor } from '../support/microsoft.ts'
import { appId, customerId, partnerId, type Stage, secret, signInId, stage } from '../support/simulator.ts'

/** Every number goes the whole way: the simulator says it over HTTP, MSAL and our own readers make of it what they do. */
describe('the simulator plays each number, and the portal reads it', () => {
  let at: Stage
  let microsoft: Microsoft

  beforeAll(async () => {
    at = await stage()
    microsoft = connectMicrosoft(
      configFor(at.simulator.origin, {
        publicUrl: 'http://localhost:3000',
        partnerTenantId: partnerId,
        app: { clientId: appId, credential: { kind: 'secret', secret }, second: null },
        signIn: { clientId: signInId, credential: { kind: 'secret', secret }, second: null },
      }),
      { log: createLog('silent'), now: () => new Date(at.simulator.clock.now()) },
    )
  })
  afterAll(() => at.simulator.close())

  /** Where a browser is sent that opens this address, with what it brings. */
  const broughtFrom = async (address: string) => {
    const answer = await fetch(address, { redirect: 'manual' })
    return Object.fromEntries(new URL(answer.headers.get('location') ?? 'none:').searchParams)
  }
  const play = (code: number, surface: 'token' | 'login', also?: number[]) => {
    at.simulator.world.clearWeather()
    at.simulator.world.setWeather('*', 'refusal', { code, surface, ...(also ? { also } : {}) })
  }

  test('from the token endpoint', async () => {
    for (const entry of entries) {
      play(entry.number, 'token')
      const { refusal } = await microsoft.checkAccess(customerId)
      const expected = { code: entry.code, facts: { aadsts: entry.number, error: expect.stringMatching(/^[a-z_]+$/) } }
      expect(refusal).toMatchObject(expected)
    }
  })

  test('from the consent page', async () => {
    for (const { number, outcome } of entries) {
      play(number, 'login')
      const brought = await broughtFrom(microsoft.consentUrl({ tenantId: customerId, state: 's' }))
      expect(readConsentClaim(brought)).toMatchObject({ kind: 'refused', reason: outcome, aadsts: number, state: 's' })
    }
  })

  test('from operators’ sign-in', async () => {
    const codeChallenge = createHash('sha256').update('verifier').digest('base64url')
    const address = microsoft.signInUrl({
      purpose: 'operator',
      tenantId: partnerId,
      state: 's',
      nonce: 'n',
      codeChallenge,
      prompt: null,
    })
    for (const { number, code, login } of entries) {
      play(number, 'login')
      expect(readSignInReturn(await broughtFrom(address))).toMatchObject({
        kind: 'refused',
        code,
        login,
        aadsts: number,
      })
    }
  })

  test('with a more general one before it', async () => {
    play(50032, 'token', [70002])
    const { refusal } = await microsoft.checkAccess(customerId)
    expect(refusal).toMatchObject({ code: 'partner-credential', facts: { aadsts: 50032, error: 'invalid_client' } })
    play(500200, 'login', [70000])
    const brought = await broughtFrom(microsoft.consentUrl({ tenantId: customerId, state: 's' }))
    expect(brought.error_description).toMatch(/^AADSTS70000: .*AADSTS500200: /)
    expect(readConsentClaim(brought)).toMatchObject({ aadsts: 500200 })
  })

  test('and a number of its own that the portal does not know', async () => {
    play(7_999_999, 'token')
    expect((await microsoft.checkAccess(customerId)).refusal).toMatchObject({ code: 'unexpected-answer' })
  })
})
