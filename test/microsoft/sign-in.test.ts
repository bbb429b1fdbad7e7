import { createHash, createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { exportJWK, exportSPKI, type JWTPayload } from 'jose'
import type { SignInCode } from '../../server/microsoft/microsoft.ts'
import { Refusal } from '../../server/model/refusal.ts'
import {
  appId,
  type Call,
  connect,
  contoso,
  type Double,
  fabrikam,
  listen,
  partner,
  type Reply,
  signer,
  signInAppId,
  tenantIn,
  tokenError,
} from '../support/microsoft.ts'

const nonce = 'n-0S6_WzA2Mj'
const code: SignInCode = {
  purpose: 'operator',
  tenantId: partner,
  code: 'the-code',
  codeVerifier: 'v'.repeat(43),
  nonce,
}

let keys: Awaited<ReturnType<typeof signer>>
let strangers: Awaited<ReturnType<typeof signer>>
let double: Double
let idToken: (origin: string, call: Call) => string | Promise<string> | Reply
let served: (call: Call) => Reply | undefined

beforeAll(async () => {
  keys = await signer()
  strangers = await signer()
  double = await listen(async (call) => {
    const tenant = tenantIn(call.path)
    const special = served(call)
    if (special) return special
    if (call.path.endsWith('/.well-known/openid-configuration')) {
      return {
        json: { issuer: `${double.origin}/${tenant}/v2.0`, jwks_uri: `${double.origin}/${tenant}/discovery/v2.0/keys` },
      }
    }
    if (call.path.endsWith('/discovery/v2.0/keys')) return { json: keys.jwks }
    const made = await idToken(double.origin, call)
    if (typeof made !== 'string') return made
    return {
      json: { token_type: 'Bearer', scope: 'openid profile', expires_in: 3599, access_token: 'opaque', id_token: made },
    }
  })
})
afterAll(() => double.close())

function claims(origin: string, changes: JWTPayload = {}): JWTPayload {
  const seconds = Math.floor(Date.now() / 1000)
  return {
    iss: `${origin}/${partner}/v2.0`,
    aud: signInAppId,
    tid: partner,
    oid: '55555555-aaaa-4bbb-8ccc-0123456789ab',
    sub: 'subject',
    iat: seconds,
    nbf: seconds,
    exp: seconds + 3600,
    nonce,
    name: 'Ines Lindqvist',
    preferred_username: 'ines@halvard.example',
    roles: ['Muster.Admin'],
    ver: '2.0',
    ...changes,
  }
}

function redeem(made: typeof idToken, request: SignInCode = code, special: typeof served = () => undefined) {
  idToken = made
  served = special
  double.calls.length = 0
  return connect(double.origin).microsoft.redeemSignIn(request)
}

test('an operator signs in with everything in order', async () => {
  const person = await redeem((origin) => keys.sign(claims(origin)))
  expect(person).toEqual({
    tid: partner,
    oid: '55555555-aaaa-4bbb-8ccc-0123456789ab',
    name: 'Ines Lindqvist',
    username: 'ines@halvard.example',
    roles: ['Muster.Admin'],
    directoryRoles: null,
    guest: false,
  })
  const [sent] = double.tokenCalls()
  expect(sent?.path).toBe(`/${partner}/oauth2/v2.0/token`)
  expect(sent?.body.get('code_verifier')).toBe('v'.repeat(43))
  expect(sent?.body.get('redirect_uri')).toBe('https://muster.example/auth/callback')
  expect(sent?.body.get('client_id')).toBe(signInAppId)
  expect(sent?.body.get('scope')).toBe('openid profile')
})

describe('an ID token is refused', () => {
  const unsigned = (body: JWTPayload, header: object) =>
    [header, body].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')

  const mutations: [string, (origin: string) => string | Promise<string>][] = [
    ['without a signature', (origin) => `${unsigned(claims(origin), { alg: 'none', typ: 'JWT' })}.`],
    [
      'signed with the public key as a shared secret',
      async (origin) => {
        const body = unsigned(claims(origin), { alg: 'HS256', typ: 'JWT', kid: keys.kid })
        const secret = await exportSPKI(keys.publicKey)
        return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
      },
    ],
    ['signed by another algorithm with the right key', (origin) => keys.signRs512(claims(origin))],
    ['signed by a stranger under our key ID', (origin) => strangers.sign(claims(origin), { kid: keys.kid })],
    ['signed by a key nobody publishes', (origin) => strangers.sign(claims(origin))],
    [
      'that brings its own key along',
      async (origin) =>
        strangers.sign(claims(origin), { jwk: await exportJWK(strangers.publicKey), kid: strangers.kid }),
    ],
    [
      'that points to keys of its own',
      (origin) => strangers.sign(claims(origin), { jku: `${origin}/evil/keys`, x5u: `${origin}/evil/chain` }),
    ],
    ['for another audience', (origin) => keys.sign(claims(origin, { aud: appId }))],
    ['for several audiences', (origin) => keys.sign(claims(origin, { aud: [signInAppId, appId] }))],
    ['from another issuer', (origin) => keys.sign(claims(origin, { iss: `${origin}/${fabrikam}/v2.0` }))],
    [
      'from Microsoft’s own issuer when the authority is another',
      (origin) => keys.sign(claims(origin, { iss: `https://login.microsoftonline.com/${partner}/v2.0` })),
    ],
    ['of another tenant', (origin) => keys.sign(claims(origin, { tid: fabrikam, iss: `${origin}/${fabrikam}/v2.0` }))],
    ['of a tenant that is no GUID', (origin) => keys.sign(claims(origin, { tid: '../evil' }))],
    [
      'that expired more than a minute ago',
      (origin) => keys.sign(claims(origin, { exp: Math.floor(Date.now() / 1000) - 70 })),
    ],
    ['that is not valid yet', (origin) => keys.sign(claims(origin, { nbf: Math.floor(Date.now() / 1000) + 90 }))],
    [
      'that was issued tomorrow',
      (origin) => keys.sign(claims(origin, { iat: Math.floor(Date.now() / 1000) + 86_400 })),
    ],
    [
      'that never expires',
      async (origin) => {
        const { exp: _, ...rest } = claims(origin)
        return keys.sign(rest)
      },
    ],
    ['with another nonce', (origin) => keys.sign(claims(origin, { nonce: 'another' }))],
    [
      'without a nonce, as access tokens are',
      async (origin) => {
        const { nonce: _, ...rest } = claims(origin)
        return keys.sign(rest)
      },
    ],
    [
      'without a person',
      async (origin) => {
        const { oid: _, ...rest } = claims(origin)
        return keys.sign(rest)
      },
    ],
    [
      'whose body was changed after signing',
      async (origin) => {
        const [head, , signature] = (await keys.sign(claims(origin, { roles: [] }))).split('.')
        return `${head}.${Buffer.from(JSON.stringify(claims(origin))).toString('base64url')}.${signature}`
      },
    ],
    ['that is not a token', () => 'not.a.token'],
  ]

  test.each(mutations)('%s', async (_name, made) => {
    await expect(redeem(made)).rejects.toMatchObject({ name: 'Refusal', code: 'sign-in-invalid' })
    expect(double.calls.filter(({ path }) => path.startsWith('/evil'))).toEqual([])
  })
})

test('a clock that is half a minute off refuses nobody', async () => {
  const person = await redeem((origin) =>
    keys.sign(claims(origin, { exp: Math.floor(Date.now() / 1000) - 30, nbf: Math.floor(Date.now() / 1000) + 30 })),
  )
  expect(person.tid).toBe(partner)
})

test('an operator is sent to the partner’s tenant whatever the request says', async () => {
  await expect(
    redeem((origin) => keys.sign(claims(origin, { tid: fabrikam, iss: `${origin}/${fabrikam}/v2.0` })), {
      ...code,
      tenantId: fabrikam,
    }),
  ).rejects.toMatchObject({ code: 'sign-in-invalid' })
  expect(double.tokenCalls()[0]?.path).toBe(`/${partner}/oauth2/v2.0/token`)
})

describe('a customer’s administrator', () => {
  const customer: SignInCode = { ...code, purpose: 'customer', tenantId: null }
  const his = (origin: string, changes: JWTPayload = {}) =>
    claims(origin, { aud: appId, tid: contoso, iss: `${origin}/${contoso}/v2.0`, ...changes })

  test('shows which tenant is his, and no role of ours that he gave himself', async () => {
    const person = await redeem((origin) => keys.sign(his(origin, { roles: ['Muster.Admin'] })), customer)
    expect(person).toMatchObject({ tid: contoso, roles: [] })
    expect(double.tokenCalls()[0]?.path).toBe('/organizations/oauth2/v2.0/token')
  })

  test('cannot name a tenant that the issuer does not', async () => {
    const made = (origin: string) => keys.sign(his(origin, { iss: `${origin}/${fabrikam}/v2.0` }))
    await expect(redeem(made, customer)).rejects.toMatchObject({ code: 'sign-in-invalid' })
  })

  test('of another tenant than the pinned one is refused', async () => {
    const made = (origin: string) => keys.sign(his(origin))
    await expect(redeem(made, { ...customer, tenantId: fabrikam })).rejects.toMatchObject({ code: 'sign-in-invalid' })
  })

  test.each([
    ['as Microsoft writes them', ['62E90394-69F5-4237-9190-012177145E10'], ['62e90394-69f5-4237-9190-012177145e10']],
    ['of a claim that is missing', undefined, null],
    ['of an empty claim', [], null],
    ['of a claim that is no list', '62e90394-69f5-4237-9190-012177145e10', null],
    ['of a list of something else', [{ id: '62e90394-69f5-4237-9190-012177145e10' }], null],
  ])('holds directory roles %s', async (_name, wids, directoryRoles) => {
    expect(await redeem((origin) => keys.sign(his(origin, { wids })), customer)).toMatchObject({ directoryRoles })
  })

  test.each([
    ['acct', { acct: 1 }],
    ['a foreign idp', { idp: `https://sts.windows.net/${fabrikam}/` }],
    ['an external user name', { preferred_username: 'x_fabrikam.example#EXT#@contoso.example' }],
  ])('who is a guest there is known by %s', async (_name, changes) => {
    expect(await redeem((origin) => keys.sign(his(origin, changes)), customer)).toMatchObject({ guest: true })
  })
})

describe('the authority’s own word', () => {
  const configuration =
    (issuer: (origin: string) => string, jwks: (origin: string) => string): typeof served =>
    (call) =>
      call.path.endsWith('/.well-known/openid-configuration')
        ? { json: { issuer: issuer(double.origin), jwks_uri: jwks(double.origin) } }
        : undefined

  test.each([
    ['an issuer elsewhere', () => `https://evil.example/${partner}/v2.0`, (origin: string) => `${origin}/keys`],
    ['keys elsewhere', (origin: string) => `${origin}/${partner}/v2.0`, () => 'http://127.0.0.1:9/keys'],
    [
      'keys behind a user name',
      (origin: string) => `${origin}/${partner}/v2.0`,
      (origin: string) => origin.replace('//', '//user:word@'),
    ],
  ])('is not taken with %s', async (_name, issuer, jwks) => {
    const made = (origin: string) => keys.sign(claims(origin, { iss: issuer(origin) }))
    await expect(redeem(made, code, configuration(issuer, jwks))).rejects.toMatchObject({ code: 'unexpected-answer' })
  })

  test('is not taken when its document speaks of another tenant', async () => {
    const other = configuration(
      (origin) => `${origin}/${fabrikam}/v2.0`,
      (origin) => `${origin}/${partner}/discovery/v2.0/keys`,
    )
    const made = (origin: string) => keys.sign(claims(origin, { iss: `${origin}/${fabrikam}/v2.0` }))
    await expect(redeem(made, code, other)).rejects.toMatchObject({ code: 'sign-in-invalid' })
  })

  test('missing its keys is Microsoft’s fault, not the person’s', async () => {
    const noKeys: typeof served = (call) => (call.path.endsWith('/keys') ? { status: 503, text: 'down' } : undefined)
    const made = (origin: string) => keys.sign(claims(origin))
    await expect(redeem(made, code, noKeys)).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('changing its keys is noticed at the next sign-in', async () => {
    const { microsoft } = connect(double.origin)
    served = () => undefined
    idToken = (origin) => keys.sign(claims(origin))
    await microsoft.redeemSignIn(code)
    served = (call) => (call.path.endsWith('/keys') ? { json: strangers.jwks } : undefined)
    idToken = (origin) => strangers.sign(claims(origin))
    expect(await microsoft.redeemSignIn(code)).toMatchObject({ tid: partner })
  })
})

describe('a code that is refused', () => {
  test('by a fault of our own is no sign-in that somebody failed', async () => {
    const credential = {
      kind: 'certificate',
      certificate: 'x',
      privateKey: 'no key',
      thumbprintSha256: 'AB',
      validFrom: new Date('2020-01-01'),
      expiresAt: new Date('2030-01-01'),
    } as const
    const { microsoft } = connect(double.origin, { signIn: { clientId: signInAppId, credential, second: null } })
    const error = await microsoft.redeemSignIn(code).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(Refusal)
  })

  test('while our own code fails over the answer is no sign-in that somebody failed either', async () => {
    const { microsoft, clock } = connect(double.origin)
    served = (call) => {
      if (!call.path.endsWith('/token')) return undefined
      // No such clock passes the start; what fails here stands for any fault in what reads the answer.
      clock.now = new Date(Number.NaN)
      return tokenError(400, 70008, 'invalid_grant')
    }
    const error = await microsoft.redeemSignIn(code).catch((thrown: unknown) => thrown)
    served = () => undefined
    expect(error).toBeInstanceOf(RangeError)
  })

  test.each([
    [70008, 'invalid_grant', 'sign-in-invalid'],
    [54005, 'invalid_grant', 'sign-in-invalid'],
    [9999999, 'invalid_grant', 'sign-in-invalid'],
    [65001, 'invalid_grant', 'interaction-required'],
    [50076, 'interaction_required', 'interaction-required'],
    [53003, 'invalid_grant', 'blocked-by-policy'],
    [7000215, 'invalid_client', 'partner-credential'],
  ])('with AADSTS%i %s is %s, and is not sent twice', async (number, word, expected) => {
    await expect(redeem(() => tokenError(400, number, word))).rejects.toMatchObject({ code: expected })
    expect(double.tokenCalls()).toHaveLength(1)
  })

  test('by a server in trouble is not sent twice either', async () => {
    await expect(redeem(() => ({ status: 503, text: '<html>' }))).rejects.toMatchObject({ code: 'unavailable' })
    expect(double.tokenCalls()).toHaveLength(1)
  })

  test('by silence about the ID token is no sign-in', async () => {
    const made = () => ({ json: { token_type: 'Bearer', expires_in: 3599, access_token: 'opaque' } })
    await expect(redeem(made)).rejects.toMatchObject({ code: 'sign-in-invalid' })
  })
})

test('the sign-in address carries PKCE, state and nonce, and nothing that was not asked for', () => {
  const { microsoft } = connect('https://login.microsoftonline.com')
  const codeChallenge = createHash('sha256').update('v'.repeat(43)).digest('base64url')
  const address = new URL(
    microsoft.signInUrl({ purpose: 'customer', tenantId: null, state: 's&t', nonce, codeChallenge, prompt: 'none' }),
  )
  expect(address.origin + address.pathname).toBe(
    'https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize',
  )
  expect(Object.fromEntries(address.searchParams)).toEqual({
    client_id: appId,
    response_type: 'code',
    redirect_uri: 'https://muster.example/consent/callback',
    response_mode: 'query',
    scope: 'openid profile',
    state: 's&t',
    nonce,
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    prompt: 'none',
  })
  expect(() =>
    microsoft.signInUrl({ purpose: 'customer', tenantId: '../evil', state: 's', nonce, codeChallenge, prompt: null }),
  ).toThrow()
})
