import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { Simulator } from '../../server/simulator/simulator.ts'
import {
  appId,
  askToken,
  claimsIn,
  consentCallback,
  customerId,
  graphRoles,
  partnerId,
  pkce,
  type Stage,
  signInCallback,
  signInId,
  stage,
  start,
} from '../support/simulator.ts'
import { Browser } from '../support/simulator-browser.ts'

let simulator: Simulator
let actors: Stage
let browser: Browser

beforeEach(async () => {
  actors = await stage()
  simulator = actors.simulator
  browser = newBrowser()
})
afterEach(() => simulator.close())

const newBrowser = () => new Browser().stopAt((url) => url.startsWith('http://localhost:3000/'))
const address = (path: string, query: Record<string, string>) =>
  `${simulator.origin}${path}?${new URLSearchParams(query)}`
const returned = () => new URL(browser.url)
const answer = () => Object.fromEntries(returned().searchParams)
const roles = async (tenantId = customerId) => {
  const { body } = await askToken(simulator, tenantId)
  return body.access_token ? (claimsIn(body.access_token).roles ?? []) : body.error_codes[0]
}

const consentUrl = (tenant: string, query: Record<string, string> = {}, version = '/v2.0') =>
  address(`/${tenant}${version}/adminconsent`, {
    client_id: appId,
    redirect_uri: consentCallback,
    state: 'st-1',
    ...(version ? { scope: 'https://api.security.microsoft.com/.default' } : {}),
    ...query,
  })

describe('admin consent', () => {
  test('names app, publisher and permissions, and returns a bag with tenant and state', async () => {
    await browser.open(consentUrl('organizations'))
    expect(browser.text()).toContain('Simulated Microsoft')
    await browser.press(actors.admin)
    expect(browser.text()).toContain('Halvard SOC Connector')
    expect(browser.text()).toContain('unverified')
    expect(browser.text()).toContain('Read and write all incidents Incident.ReadWrite.All')
    expect(await roles()).toBe(7000229)
    await browser.press('Accept')
    expect(answer()).toEqual({
      admin_consent: 'True',
      tenant: customerId,
      scope: 'https://api.security.microsoft.com/.default',
      state: 'st-1',
    })
    expect(await roles()).toEqual(['Incident.Read.All', 'Incident.ReadWrite.All'])
  })

  test('at the v1 endpoint needs no scope, takes common, and returns none', async () => {
    await browser.open(consentUrl('common', {}, ''))
    await browser.press(actors.admin)
    await browser.press('Accept')
    expect(answer()).toEqual({ tenant: customerId, state: 'st-1', admin_consent: 'True' })
  })

  test('declined comes back with admin_consent=True, without a tenant, with a trailing #', async () => {
    await browser.open(consentUrl('organizations'))
    await browser.press(actors.admin)
    await browser.press('Cancel')
    expect(answer()).toMatchObject({ error: 'access_denied', admin_consent: 'True', state: 'st-1' })
    expect(answer().error_description).toMatch(/^AADSTS65004: User declined to consent to access the app\./)
    expect(answer()).not.toHaveProperty('tenant')
    expect(browser.url.endsWith('#')).toBe(true)
    expect(await roles()).toBe(7000229)
  })

  test('left by Back at the account list says cancel and nothing else', async () => {
    await browser.open(consentUrl('organizations'))
    await browser.press('Back')
    expect(answer()).toEqual({ error: 'access_denied', error_subcode: 'cancel', state: 'st-1' })
  })

  test('pinned to a tenant refuses an account of another one, naming no tenant parameter', async () => {
    await browser.open(consentUrl(customerId))
    await browser.press(actors.stranger)
    expect(answer()).toMatchObject({ error: 'access_denied', state: 'st-1' })
    expect(answer().error_description).toMatch(/^AADSTS50020: .*olga\.other@other\.example/)
    expect(answer()).not.toHaveProperty('tenant')
  })

  test('in a tenant without the service principal fails with AADSTS650052', async () => {
    simulator.world.setLicensed(customerId, false)
    await browser.open(consentUrl('organizations'))
    await browser.press(actors.admin)
    expect(answer()).toMatchObject({ error: 'invalid_client', state: 'st-1' })
    expect(answer().error_description).toContain(
      "AADSTS650052: The app is trying to access a service '8ee8fdad-f234-4243-8f3b-15c294843740'(Microsoft Threat Protection)",
    )
  })

  test('of someone who is no administrator stays at Microsoft, with a request for approval', async () => {
    await browser.open(consentUrl('organizations'))
    await browser.press(actors.clerk)
    expect(browser.status).toBe(200)
    expect(browser.text()).toContain('Need admin approval')
    expect(browser.text()).toContain('AADSTS90094')
    await browser.press('Request approval')
    expect(browser.text()).toContain('Request sent')
    expect(await roles()).toBe(7000229)
  })

  test('may change to an administrator’s account on the approval page', async () => {
    await browser.open(consentUrl('organizations'))
    await browser.press(actors.clerk)
    await browser.press('Sign in with that account')
    await browser.press(actors.admin)
    await browser.press('Accept')
    expect(answer().tenant).toBe(customerId)
  })

  test('of Defender roles is open to an Application Administrator, of Graph roles it is not', async () => {
    await browser.open(consentUrl('organizations'))
    await browser.press(actors.appAdmin)
    expect(browser.text()).toContain('Permissions requested')
    simulator.world.registration(appId).requiredResources = [{ resource: 'graph', roles: graphRoles }]
    await browser.open(consentUrl('organizations'))
    await browser.press(actors.appAdmin)
    expect(browser.text()).toContain('Need admin approval')
  })

  test('with single permission names looks like success and grants nothing', async () => {
    await browser.open(consentUrl('organizations', { scope: 'https://api.security.microsoft.com/Incident.Read.All' }))
    await browser.press(actors.admin)
    await browser.press('Accept')
    expect(answer().admin_consent).toBe('True')
    expect(await roles()).toBe(7000229)
  })

  test('at common/v2.0 wants a response_type, as observed', async () => {
    await browser.open(consentUrl('common'))
    expect(answer()).toEqual({
      error: 'invalid_request',
      error_description: "The provided request must include a 'response_type' input parameter.",
      state: 'st-1',
    })
  })

  test.each([
    ['a redirect URI that is not registered', { redirect_uri: 'https://attacker.example/' }, 'AADSTS50011'],
    ['a redirect URI with a path more', { redirect_uri: `${consentCallback}/x` }, 'AADSTS50011'],
    ['no scope', { scope: '' }, 'AADSTS900144'],
    ['no client', { client_id: '' }, 'AADSTS900144'],
    ['an unknown client', { client_id: customerId }, 'AADSTS700016'],
    ['a single-tenant app', { client_id: signInId, redirect_uri: signInCallback }, 'AADSTS50194'],
  ])('with %s stays on a page of Microsoft’s', async (_name, query, code) => {
    await browser.open(consentUrl('organizations', query))
    expect(browser.visited).toHaveLength(1)
    expect(browser.text()).toContain(code)
    expect(browser.text()).toContain('Correlation Id')
  })

  test('of an unknown tenant stays on a page of Microsoft’s', async () => {
    await browser.open(consentUrl('nobody.example'))
    expect(browser.text()).toContain('AADSTS90002')
  })

  test('cannot be pressed twice, nor from another site', async () => {
    await browser.open(consentUrl('organizations'))
    await browser.press(actors.admin)
    const flow = browser.forms()[0]?.fields.flow ?? ''
    const press = (headers: Record<string, string>) =>
      fetch(`${simulator.origin}/organizations/consent`, {
        method: 'POST',
        redirect: 'manual',
        headers,
        body: new URLSearchParams({ flow, decision: 'accept' }),
      })
    expect((await press({ origin: 'https://attacker.example' })).status).toBe(403)
    expect((await press({})).status).toBe(302)
    expect((await press({})).status).toBe(400)
  })
})

describe('the classic link', () => {
  const classic = (query: Record<string, string> = {}) =>
    address('/common/oauth2/authorize', {
      prompt: 'consent',
      client_id: appId,
      response_type: 'code',
      sso_reload: 'true',
      redirect_uri: consentCallback,
      state: 'st-2',
      ...query,
    })

  test('grants for the organisation only with the box ticked, and returns a code and no tenant', async () => {
    await browser.open(classic())
    await browser.press(actors.admin)
    expect(browser.text()).toContain('Consent on behalf of your organization')
    await browser.press('Accept', { organisation: '1' })
    expect(answer()).toEqual({ code: expect.any(String), state: 'st-2', session_state: expect.any(String) })
    expect(await roles()).toEqual(['Incident.Read.All', 'Incident.ReadWrite.All'])
  })

  test('without the box makes the app appear without its permissions', async () => {
    await browser.open(classic())
    await browser.press(actors.admin)
    await browser.press('Accept')
    expect(answer()).toHaveProperty('code')
    expect(await roles()).toEqual([])
  })

  test.each([
    ['oauth2/v2.0/token', '2.0'],
    ['oauth2/token', '1.0'],
  ])('gives a code that %s redeems for an ID token with the tenant', async (path, ver) => {
    await browser.open(classic())
    await browser.press(actors.admin)
    await browser.press('Accept', { organisation: '1' })
    const { body } = await askToken(
      simulator,
      'common',
      { grant_type: 'authorization_code', code: answer().code ?? '', redirect_uri: consentCallback, scope: '' },
      path,
    )
    expect(claimsIn(body.id_token)).toMatchObject({ tid: customerId, aud: appId, ver })
  })

  test('declined says so without a code', async () => {
    await browser.open(classic())
    await browser.press(actors.admin)
    await browser.press('Cancel')
    expect(answer()).toMatchObject({ error: 'access_denied', state: 'st-2' })
    expect(answer()).not.toHaveProperty('code')
  })

  test('as documented, without redirect URI and state, goes to the first registered address', async () => {
    await browser.open(
      address('/common/oauth2/authorize', {
        prompt: 'consent',
        client_id: appId,
        response_type: 'code',
        sso_reload: 'true',
      }),
    )
    await browser.press(actors.admin)
    await browser.press('Accept', { organisation: '1' })
    expect(browser.url.startsWith(`${consentCallback}?code=`)).toBe(true)
    expect(answer()).not.toHaveProperty('state')
  })

  test('shows no consent to someone who may not give it', async () => {
    await browser.open(classic())
    await browser.press(actors.clerk)
    expect(browser.text()).toContain('Need admin approval')
  })
})

describe('sign-in', () => {
  const { verifier, challenge } = pkce()
  const signIn = (tenant: string, query: Record<string, string> = {}) =>
    address(`/${tenant}/oauth2/v2.0/authorize`, {
      client_id: signInId,
      response_type: 'code',
      redirect_uri: signInCallback,
      scope: 'openid profile',
      state: 'st-3',
      nonce: 'no-3',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...query,
    })
  const redeem = (tenant: string, fields: Record<string, string> = {}) =>
    askToken(simulator, tenant, {
      client_id: signInId,
      grant_type: 'authorization_code',
      code: answer().code ?? '',
      code_verifier: verifier,
      redirect_uri: signInCallback,
      scope: 'openid profile',
      ...fields,
    })

  test('of an operator gives a signed ID token with nonce, name and the app roles that the registration defines', async () => {
    await browser.open(signIn(partnerId))
    await browser.press(actors.operator)
    expect(answer()).toEqual({ code: expect.any(String), state: 'st-3', session_state: expect.any(String) })
    const { body } = await redeem(partnerId)
    const keys = createRemoteJWKSet(new URL(`${simulator.origin}/${partnerId}/discovery/v2.0/keys`))
    const { payload } = await jwtVerify(body.id_token, keys, { currentDate: new Date(start) })
    expect(payload).toMatchObject({
      iss: `${simulator.origin}/${partnerId}/v2.0`,
      aud: signInId,
      tid: partnerId,
      nonce: 'no-3',
      name: 'Ines Lindqvist',
      preferred_username: 'ines.lindqvist@halvard.example',
      roles: ['Muster.Admin'],
      acct: 0,
      ver: '2.0',
    })
    expect(body.client_info).toEqual(expect.any(String))
  })

  test.each([
    [undefined, undefined],
    ['None', undefined],
    ['SecurityGroup', undefined],
    ['DirectoryRole', ['b79fbf4d-3ef9-4689-8143-76b194e85509']],
    ['SecurityGroup, DirectoryRole', ['b79fbf4d-3ef9-4689-8143-76b194e85509']],
    ['All', ['b79fbf4d-3ef9-4689-8143-76b194e85509']],
  ])('shows directory roles where the registration asks for them: groupMembershipClaims %s', async (asked, wids) => {
    const registration = simulator.world.registration(signInId)
    if (asked !== undefined) registration.groupMembershipClaims = asked
    await browser.open(signIn(partnerId))
    await browser.press(actors.operator)
    const { body } = await redeem(partnerId)
    expect(claimsIn(body.id_token).wids).toEqual(wids)
  })

  test('of somebody else’s account at a single-tenant app ends on a page with AADSTS50020', async () => {
    await browser.open(signIn(partnerId))
    await browser.press(actors.admin)
    expect(browser.text()).toContain('AADSTS50020')
    expect(browser.url.startsWith(simulator.origin)).toBe(true)
    expect(browser.text()).toContain('Only accounts of Halvard Security AB')
    const again = /href="([^"]+)">Use a different account/.exec(browser.body)?.[1]?.replaceAll('&#38;', '&')
    await browser.open(new URL(again ?? '', browser.url).href)
    expect(browser.text()).toContain('Pick an account')
  })

  test('of a guest carries this tenant’s object ID and names the home', async () => {
    const stranger = simulator.world
      .tenants()
      .flatMap(({ people }) => people)
      .find(({ username }) => username === actors.stranger)
    const guest = simulator.world.addGuest(partnerId, stranger?.id ?? '', { appRoles: ['Muster.Reader'] })
    await browser.open(signIn(partnerId))
    await browser.press(actors.stranger)
    const { body } = await redeem(partnerId)
    expect(claimsIn(body.id_token)).toMatchObject({
      tid: partnerId,
      oid: guest.id,
      acct: 1,
      idp: `https://sts.windows.net/${stranger?.tenantId}/`,
      roles: ['Muster.Reader'],
    })
  })

  test.each([
    ['the wrong verifier', { code_verifier: 'x'.repeat(43) }, 501481],
    ['no verifier', { code_verifier: '' }, 501481],
    ['another redirect URI', { redirect_uri: consentCallback }, 500112],
    ['a made-up code', { code: '1.Aabc' }, 70000],
    ['a wrong secret', { client_secret: 'wrong' }, 7000215],
    ['another client', { client_id: appId }, 70000],
  ])('with %s is not redeemed', async (_name, fields, code) => {
    await browser.open(signIn(partnerId))
    await browser.press(actors.operator)
    expect((await redeem(partnerId, fields)).body.error_codes).toEqual([code])
  })

  test('gives a code that works once, and for ten minutes', async () => {
    await browser.open(signIn(partnerId))
    await browser.press(actors.operator)
    expect((await redeem(partnerId)).status).toBe(200)
    expect((await redeem(partnerId)).body.error_codes).toEqual([54005])
    await browser.open(signIn(partnerId))
    simulator.clock.advance(10 * 60_000 + 1)
    expect((await redeem(partnerId)).body.error_codes).toEqual([70008])
  })

  test('is remembered by the browser, and asked again for select_account', async () => {
    await browser.open(signIn(partnerId))
    await browser.press(actors.operator)
    await browser.open(signIn(partnerId))
    expect(answer()).toHaveProperty('code')
    await browser.open(signIn(partnerId, { prompt: 'select_account' }))
    expect(browser.text()).toContain('Signed in in this browser')
    await browser.open(`${simulator.origin}/${partnerId}/oauth2/v2.0/logout`)
    await browser.open(signIn(partnerId))
    expect(browser.text()).toContain('Pick an account')
  })

  test('in silence fails without a session, with two accounts, and without consent', async () => {
    const silent = (tenant: string) => signIn(tenant, { client_id: appId, prompt: 'none' })
    await browser.open(silent('organizations'))
    expect(answer()).toMatchObject({ error: 'login_required', state: 'st-3' })
    await browser.open(consentUrl('organizations'))
    await browser.press(actors.admin)
    await browser.open(silent('organizations'))
    expect(answer()).toMatchObject({ error: 'consent_required', state: 'st-3' })
    await browser.open(consentUrl('organizations'))
    await browser.press(actors.admin)
    await browser.press('Accept')
    await browser.open(silent('organizations'))
    expect(answer()).toHaveProperty('code')
    await browser.open(consentUrl('organizations'))
    await browser.press(actors.stranger)
    await browser.open(silent('organizations'))
    expect(answer()).toMatchObject({ error: 'interaction_required' })
    await browser.open(silent(customerId))
    expect(answer()).toHaveProperty('code')
  })

  test('straight after consent proves the tenant in silence', async () => {
    await browser.open(consentUrl('organizations'))
    await browser.press(actors.admin)
    await browser.press('Accept')
    await browser.open(signIn('organizations', { client_id: appId, prompt: 'none' }))
    const { body } = await redeem('organizations', { client_id: appId })
    expect(claimsIn(body.id_token)).toMatchObject({ tid: customerId, nonce: 'no-3', aud: appId })
  })

  test('of an ordinary person at a multi-tenant app asks him for himself, and grants the app nothing', async () => {
    await browser.open(signIn('organizations', { client_id: appId }))
    await browser.press(actors.clerk)
    expect(browser.text()).toContain('Sign in and read user profile')
    expect(browser.text()).not.toContain('Incident.')
    await browser.press('Accept')
    expect(answer()).toHaveProperty('code')
    expect(await roles()).toEqual([])
  })

  test.each([
    ['an unregistered redirect URI', { redirect_uri: 'https://attacker.example/' }, 'AADSTS50011'],
    ['an unknown client', { client_id: customerId }, 'AADSTS700016'],
  ])('with %s stays on a page', async (_name, query, code) => {
    await browser.open(signIn(partnerId, query))
    expect(browser.text()).toContain(code)
    expect(browser.visited).toHaveLength(1)
  })

  test('of a single-tenant app is refused at organizations and in another tenant', async () => {
    await browser.open(signIn('organizations'))
    expect(browser.text()).toContain('AADSTS50194')
    await browser.open(signIn(customerId))
    expect(browser.text()).toContain('AADSTS700016')
  })

  test.each([
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['response_type=token', { response_type: 'token' }, 'unsupported_response_type'],
    ['no scope', { scope: '' }, 'invalid_request'],
  ])('with %s is sent back with an error', async (_name, query, error) => {
    await browser.open(signIn(partnerId, query))
    expect(answer()).toMatchObject({ error, state: 'st-3' })
  })

  test('answers in the fragment or by a form when asked to', async () => {
    await browser.open(signIn(partnerId, { response_mode: 'fragment' }))
    await browser.press(actors.operator)
    expect(returned().hash).toMatch(/^#code=/)
    await browser.open(signIn(partnerId, { response_mode: 'form_post' }))
    expect(browser.forms()[0]).toMatchObject({ action: signInCallback, fields: { state: 'st-3' } })
  })

  test('leaves only where a redirect URI is registered', async () => {
    const logout = (to: string) => address(`/${partnerId}/oauth2/v2.0/logout`, { post_logout_redirect_uri: to })
    await browser.open(logout('https://attacker.example/'))
    expect(browser.text()).toContain('You signed out')
    await browser.open(logout(signInCallback))
    expect(browser.url).toBe(signInCallback)
  })
})

test('what people type is never markup', async () => {
  simulator.world.registration(appId).displayName = '<img src=x onerror=alert(1)>'
  simulator.world.addPerson(customerId, { name: '"><script>1</script>', username: 'x@customer.example' })
  await browser.open(consentUrl('organizations'))
  expect(browser.body).not.toMatch(/<script|<img/)
  expect(browser.headers.get('content-security-policy')).toContain("default-src 'none'")
})
