import { parse } from 'node:querystring'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type ConsentClaim, readConsentClaim, readSignInReturn } from '../../server/microsoft/login/consent.ts'
import { appId, connect, contoso } from '../support/microsoft.ts'
import { listPublicFixture } from '../support/public-fixtures.ts'

const state = 's'.repeat(43)
const claim = (query: Record<string, unknown>) => readConsentClaim(query)
const refused = (reason: string, aadsts: number | null = null) => ({ kind: 'refused', reason, aadsts })

describe('a callback is a grant', () => {
  const granted: ConsentClaim = { kind: 'granted', tenantId: contoso, state }

  test.each(['True', 'true', 'TRUE'])('with admin_consent=%s and a tenant', (admin_consent) => {
    expect(claim({ admin_consent, tenant: contoso, state, scope: 'https://api/.default' })).toEqual(granted)
  })

  test('with the tenant in capitals', () => {
    expect(claim({ tenant: contoso.toUpperCase(), state, admin_consent: 'True' })).toEqual(granted)
  })

  test('without a state of ours, which is for the caller to wonder about', () => {
    expect(claim({ tenant: contoso, admin_consent: 'True' })).toEqual({ ...granted, state: null })
  })
})

test('the classic link’s callback carries a code and names no tenant', () => {
  expect(claim({ code: '0.AXc', state, session_state: 'x' })).toEqual({ kind: 'code', code: '0.AXc', state })
})

describe('a callback is a refusal', () => {
  const said = (number: number, words = 'Something.') =>
    `AADSTS${number}: ${words}\r\nTrace ID: 7c839d05-4806-48f2-ba40-bf4128382500\r\nCorrelation ID: b94f5bce-b15e-48c6-a713-fc07c5c41a77\r\nTimestamp: 2026-11-20 11:25:19Z`

  test.each([
    ['declined', { error: 'access_denied', error_description: said(65004) }, 65004],
    ['declined', { error: 'consent_required', error_description: said(65004) }, 65004],
    ['declined', { error: 'permission_denied', error_description: 'The admin canceled the request' }, null],
    ['declined', { error: 'access_denied' }, null],
    ['declined', { error: 'access_denied', error_uri: 'https://login.microsoftonline.com/error?code=65004' }, 65004],
    ['cancelled', { error: 'access_denied', error_subcode: 'cancel' }, null],
    ['wrong-tenant', { error: 'access_denied', error_description: said(50020) }, 50020],
    ['unlicensed', { error: 'invalid_client', error_description: said(650052) }, 650052],
    ['unlicensed', { error: 'invalid_resource', error_description: said(500011) }, 500011],
    ['misconfigured', { error: 'invalid_request', error_description: 'must include a response_type' }, null],
    ['misconfigured', { error: 'invalid_client', error_description: said(650057) }, 650057],
    ['misconfigured', { error: 'unauthorized_client', error_description: said(50194) }, 50194],
    ['not-admin', { error: 'access_denied', error_description: said(90094) }, 90094],
    ['other', { error: 'brand_new_error' }, null],
    // The number is worth more than OAuth's word.
    ['other', { error: 'access_denied', error_description: said(500200) }, 500200],
    ['other', { error: 'invalid_request', error_description: said(500208) }, 500208],
    ['other', { error: 'unauthorized_client', error_description: said(7000112) }, 7000112],
    ['other', { error: 'invalid_request', error_description: said(500014) }, 500014],
    ['wrong-tenant', { error: 'interaction_required', error_description: said(16003) }, 16003],
    ['declined', { error: 'invalid_request', error_description: said(65004) }, 65004],
    ['other', { error: 'access_denied', error_description: `${said(70000)} ${said(53003)}` }, 53003],
    ['other', { error: 'access_denied', error_uri: 'https://login.microsoftonline.com/error?code=53003' }, 53003],
    // A number that nobody knows leaves the word.
    ['misconfigured', { error: 'invalid_request', error_description: said(7999999) }, 7999999],
    ['misconfigured', { error: 'invalid_client', error_description: said(7999999) }, 7999999],
    ['cancelled', { error: 'access_denied', error_subcode: 'cancel', error_description: said(7999999) }, 7999999],
    ['other', { error: 'access_denied', error_description: said(7999999) }, 7999999],
    ['other', { error: 'constructor', error_description: said(7999999) }, 7999999],
  ])('%s: %j', (reason, query, aadsts) => {
    // `admin_consent=True` stands on refusals too.
    expect(claim({ ...query, admin_consent: 'True', state })).toMatchObject({ ...refused(reason, aadsts), state })
  })

  test('even when it names a tenant as well', () => {
    expect(claim({ error: 'access_denied', tenant: contoso, admin_consent: 'True', state })).toMatchObject(
      refused('declined'),
    )
    expect(claim({ error: 'access_denied', tenant: 'junk', admin_consent: 'True', state })).toMatchObject(
      refused('declined'),
    )
  })

  test('and nothing of Microsoft’s, or anybody’s, text is kept but its number and correlation ID', () => {
    const kept = claim({ error: '<script>', error_description: `<img onerror> ${said(65004)}`, state })
    expect(JSON.stringify(kept)).not.toMatch(/script|img|Something|Timestamp/)
    expect(kept).toMatchObject({ correlationId: 'b94f5bce-b15e-48c6-a713-fc07c5c41a77' })
  })
})

describe('a callback cannot be read', () => {
  test.each<[string, unknown]>([
    ['nothing', {}],
    ['no query at all', undefined],
    ['null', null],
    ['text', 'tenant=x'],
    ['two tenants', { tenant: [contoso, contoso], admin_consent: 'True', state }],
    ['a tenant as an object', { tenant: { $ne: null }, admin_consent: 'True', state }],
    ['two states', { tenant: contoso, admin_consent: 'True', state: [state, state] }],
    ['two errors', { error: ['access_denied', 'x'], state }],
    ['two codes', { code: ['a', 'b'], state }],
    ['two admin_consents', { tenant: contoso, admin_consent: ['True', 'True'], state }],
    ['a domain for a tenant', { tenant: 'contoso.example', admin_consent: 'True', state }],
    ['a path for a tenant', { tenant: '../evil', admin_consent: 'True', state }],
    ['the empty GUID', { tenant: '00000000-0000-0000-0000-000000000000', admin_consent: 'True', state }],
    [
      'the tenant of personal accounts',
      { tenant: '9188040d-6c67-4c5b-b112-36a304b66dad', admin_consent: 'True', state },
    ],
    ['a GUID with a tail', { tenant: `${contoso}/../x`, admin_consent: 'True', state }],
    ['a tenant and no consent', { tenant: contoso, state }],
    ['a tenant and admin_consent=False', { tenant: contoso, admin_consent: 'False', state }],
    ['consent and no tenant', { admin_consent: 'True', state }],
    ['an endless state', { tenant: contoso, admin_consent: 'True', state: 's'.repeat(200_000) }],
    ['an endless code', { code: 'c'.repeat(20_000), state }],
    ['an inherited tenant', Object.create({ tenant: contoso, admin_consent: 'True', state })],
  ])('with %s', (_name, query) => {
    expect(() => readConsentClaim(query)).toThrow(expect.objectContaining({ code: 'CALLBACK_UNREADABLE' }))
  })

  test('whatever it is made of, nothing else is thrown and no tenant but a GUID comes out', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('True', contoso, 'access_denied'),
      fc.array(fc.string()),
      fc.object(),
    )
    const keys = [
      'tenant',
      'admin_consent',
      'state',
      'error',
      'error_description',
      'error_subcode',
      'code',
      '__proto__',
    ]
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), word), (query) => {
        try {
          const read = readConsentClaim(query)
          if (read.kind === 'granted') expect(read.tenantId).toMatch(/^[0-9a-f-]{36}$/)
        } catch (error) {
          expect(error).toMatchObject({ code: 'CALLBACK_UNREADABLE' })
        }
      }),
    )
  })
})

describe('recorded callbacks', () => {
  const expected = [
    { kind: 'granted', tenantId: 'aaaabbbb-0000-cccc-1111-dddd2222eeee', state: '12345' },
    { kind: 'granted', tenantId: 'a8990e1f-ff32-408a-9f8e-78d3b9139b95', state: 'state=12345' },
    { ...refused('declined'), state: null },
    { ...refused('declined', 65004), state: '12345' },
    { ...refused('declined', 65004) },
    { ...refused('wrong-tenant', 50020), state: null },
    { ...refused('cancelled') },
    { ...refused('misconfigured'), state: '12345' },
    { ...refused('declined', 65004), state: null },
    { ...refused('unlicensed', 650052), state: null },
    { ...refused('cancelled') },
  ]
  for (const [index, { name, content }] of listPublicFixture('public-issues/admin-consent-callbacks.json').entries()) {
    const { outcome, query } = content as { outcome: string; query: string }
    test(`${name}: ${outcome}`, () => {
      expect(readConsentClaim(parse(query.replace(/^#|#$/g, '')))).toMatchObject(expected[index] as object)
    })
  }
})

describe('what comes back from a sign-in', () => {
  test('is a code', () => {
    expect(readSignInReturn({ code: 'abc', state, session_state: 'x' })).toEqual({ kind: 'code', code: 'abc', state })
  })

  test.each(['login_required', 'interaction_required', 'account_selection_required'])(
    'is a sign-in that needs a person: %s',
    (error) => {
      expect(readSignInReturn({ error, state })).toMatchObject({
        code: 'interaction-required',
        login: 'unfinished',
        state,
      })
    },
  )

  test.each([
    [50058, 'invalid_grant', 'interaction-required', 'unfinished'],
    [50076, 'interaction_required', 'interaction-required', 'second-factor'],
    [50105, 'access_denied', 'role-missing', 'not-assigned'],
    [53003, 'access_denied', 'blocked-by-policy', 'policy'],
    [53000, 'interaction_required', 'blocked-by-policy', 'device'],
    [7000112, 'unauthorized_client', 'app-disabled', 'app-disabled'],
    [90033, 'temporarily_unavailable', 'unavailable', 'unavailable'],
    [500200, 'access_denied', 'account-refused', 'personal-account'],
    [65004, 'access_denied', 'not-consented', 'declined'],
    [7999999, 'access_denied', 'unexpected-answer', null],
    [7999999, 'server_error', 'unavailable', 'unavailable'],
  ])('with AADSTS%i says what happened, whatever OAuth’s word %s is', (aadsts, error, code, login) => {
    const query = { error, error_description: `AADSTS${aadsts}: <b>of which nothing is kept</b>`, state }
    expect(readSignInReturn(query)).toEqual({ kind: 'refused', code, login, aadsts, correlationId: null, state })
  })

  test('that was cancelled before any number was made is known as that', () => {
    const query = { error: 'access_denied', error_subcode: 'cancel', state }
    expect(readSignInReturn(query)).toMatchObject({ kind: 'refused', login: 'declined', aadsts: null })
  })

  test.each<[string, unknown]>([
    ['nothing', {}],
    ['two codes', { code: ['a', 'b'], state }],
    ['no query', null],
  ])('is unreadable with %s', (_name, query) => {
    expect(() => readSignInReturn(query)).toThrow(expect.objectContaining({ code: 'CALLBACK_UNREADABLE' }))
  })
})

describe('the links', () => {
  const { microsoft } = connect('https://login.microsoftonline.com', {
    defenderUrl: 'https://api.security.microsoft.com',
    graphUrl: 'https://graph.microsoft.com',
  })

  test('to consent name the app, the resource, our callback and the state, and nothing else', () => {
    const link = new URL(microsoft.consentUrl({ tenantId: contoso, state: 'a&b=c' }))
    expect(link.origin + link.pathname).toBe(`https://login.microsoftonline.com/${contoso}/v2.0/adminconsent`)
    expect(Object.fromEntries(link.searchParams)).toEqual({
      client_id: appId,
      scope: 'https://api.security.microsoft.com/.default',
      redirect_uri: 'https://muster.example/consent/callback',
      state: 'a&b=c',
    })
  })

  test('lead anybody’s organisation to “organizations”, which this endpoint wants instead of “common”', () => {
    expect(microsoft.consentUrl({ tenantId: null, state })).toContain('.com/organizations/v2.0/adminconsent?')
    expect(() => microsoft.consentUrl({ tenantId: 'contoso.example/..', state })).toThrow()
  })

  test('of the original documentation are as they stand there, with callback and state', () => {
    expect(microsoft.classicConsentUrl({ state })).toBe(
      `https://login.microsoftonline.com/common/oauth2/authorize?prompt=consent&client_id=${appId}&response_type=code&sso_reload=true&redirect_uri=https%3A%2F%2Fmuster.example%2Fconsent%2Fcallback&state=${state}`,
    )
  })

  test.each([
    ['https://login.microsoftonline.us', 'graph', 'https://graph.microsoft.us'],
    ['https://login.microsoftonline.us', 'defender', 'https://api-gov.security.microsoft.us'],
    ['http://127.0.0.1:4000', 'defender', 'https://api.security.microsoft.com'],
    ['http://127.0.0.1:4000', 'graph', 'https://graph.microsoft.com'],
  ] as const)('at %s ask for %s’s own resource', (authorityHost, incidentsApi, resource) => {
    const defenderUrl = authorityHost.endsWith('.us') ? 'https://api-gov.security.microsoft.us' : authorityHost
    const graphUrl = authorityHost.endsWith('.us') ? 'https://graph.microsoft.us' : authorityHost
    const other = connect(authorityHost, { incidentsApi, defenderUrl, graphUrl }).microsoft
    expect(new URL(other.consentUrl({ tenantId: null, state })).searchParams.get('scope')).toBe(`${resource}/.default`)
  })

  test('of GCC ask for the resource of its own API host', () => {
    const gcc = connect('https://login.microsoftonline.com', {
      defenderUrl: 'https://api-gcc.security.microsoft.us',
    }).microsoft
    expect(gcc.resource.uri).toBe('https://api-gcc.security.microsoft.us')
  })
})
