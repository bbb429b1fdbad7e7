import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

/*
 * Another Microsoft than the simulator, written from the public documentation alone and with other habits wherever two
 * are allowed: numbers as strings, parameters in another order, opaque access tokens, no `$orderby`, keys without `use`
 * beside keys of other kinds, a slash at the end of audiences. What the portal believes of it, it believes of Microsoft.
 */

export interface OutsideTenant {
  id: string
  domain: string
  consented: boolean
  incidents: Record<string, unknown>[]
}

interface OutsidePerson {
  id: string
  tenantId: string
  name: string
  roles: string[]
}

type Answer = { status: number; body: unknown; headers?: Record<string, string> }

export interface OutsideDouble {
  origin: string
  clientId: string
  secret: string
  redirectUris: string[]
  /** Every request, newest last. */
  calls: string[]
  /** What tokens say of directory roles, as the registration asks for it. */
  groupMembershipClaims: 'DirectoryRole' | null
  /** Whether the first, silent sign-in of a browser is refused although somebody is signed in. */
  neverSilent: boolean
  tenant(domain: string, incidents?: Record<string, unknown>[]): OutsideTenant
  person(tenant: OutsideTenant, name: string, ...roles: string[]): OutsidePerson
  /** Answers in place of everything else what it returns; undefined leaves the request to the rest. */
  weather: ((path: string, tenant: OutsideTenant | null) => Answer | undefined) | null
  close(): Promise<void>
}

const html = (text: string): Answer => ({ status: 200, body: `<html><body>${text}</body></html>` })
function led(to: string, said: Record<string, string | null>, tail = ''): Answer {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(said)) if (value !== null) query.set(name, value)
  return { status: 302, body: '', headers: { location: `${to}?${query}${tail}` } }
}

const refused = (status: number, error: string, code: number): Answer => ({
  status,
  body: { error_codes: [code], error_description: `AADSTS${code}: Not this way.\r\nTrace ID: 1`, error },
})

export async function startOutsideDouble(): Promise<OutsideDouble> {
  const tenants: OutsideTenant[] = []
  const people: OutsidePerson[] = []
  const codes = new Map<string, { person: OutsidePerson; nonce: string | null; challenge: string | null }>()
  const tokens = new Map<string, { tenant: OutsideTenant; audience: string }>()
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const kid = '-Kq3/odd+key=='
  const named = (name: string) => tenants.find(({ id, domain }) => [id, domain].includes(name.toLowerCase())) ?? null

  const server = createServer((req, res) => {
    answer(req).then(
      ({ status, body, headers }) => send(res, status, body, headers),
      (error: unknown) => send(res, 500, String(error)),
    )
  })
  server.keepAliveTimeout = 50
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`

  const double: OutsideDouble = {
    origin,
    clientId: randomUUID(),
    secret: 'p+/=%& "ä~s',
    redirectUris: [],
    calls: [],
    groupMembershipClaims: 'DirectoryRole',
    neverSilent: false,
    weather: null,
    tenant(domain, incidents = []) {
      const tenant = { id: randomUUID(), domain, consented: false, incidents }
      tenants.push(tenant)
      return tenant
    },
    person({ id: tenantId }, name, ...roles) {
      const person = { id: randomUUID(), tenantId, name, roles }
      people.push(person)
      return person
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }

  async function answer(req: IncomingMessage): Promise<Answer> {
    const url = new URL(req.url ?? '/', origin)
    const form = new URLSearchParams(await textOf(req))
    const [, first = '', ...rest] = url.pathname.split('/').map(decodeURIComponent)
    const path = `/${rest.join('/')}`
    double.calls.push(`${req.method} ${url.pathname}`)
    const bearer = tokens.get(req.headers.authorization?.replace('Bearer ', '') ?? '')
    const instead = double.weather?.(url.pathname, bearer?.tenant ?? named(first))
    if (instead) return instead
    if (first === 'api' || first === 'v1.0') return bearer ? resource(url, bearer) : { status: 401, body: {} }
    if (path === '/v2.0/.well-known/openid-configuration') return configuration(first)
    if (path === '/discovery/keys') return keys()
    if (path === '/oauth2/v2.0/token') return token(first, form)
    const me = people.find(({ id }) => req.headers.cookie?.includes(`who=${id}`))
    if (me && path.endsWith('/authorize')) return authorize(first, url.searchParams, me)
    if (me && path.endsWith('/adminconsent')) return adminConsent(first, url.searchParams, me)
    return html('Sign in')
  }

  function configuration(name: string): Answer {
    const tenant = named(name)
    if (!tenant) return refused(400, 'invalid_tenant', 90002)
    return {
      status: 200,
      body: {
        jwks_uri: `${origin}/common/discovery/keys`,
        issuer: `${origin}/${tenant.id}/v2.0`,
        authorization_endpoint: `${origin}/${tenant.id}/oauth2/v2.0/authorize`,
        token_endpoint: `${origin}/${tenant.id}/oauth2/v2.0/token`,
      },
    }
  }

  async function keys(): Promise<Answer> {
    const { n, e } = await exportJWK(publicKey)
    const other = await exportJWK((await generateKeyPair('ES256')).publicKey)
    return {
      status: 200,
      body: {
        keys: [
          { ...other, kid: 'other' },
          { kty: 'RSA', e, n, kid },
        ],
      },
    }
  }

  function authorize(name: string, query: URLSearchParams, me: OutsidePerson): Answer {
    const to = query.get('redirect_uri') ?? ''
    if (query.get('client_id') !== double.clientId || !double.redirectUris.includes(to)) return html('AADSTS50011')
    const state = query.get('state')
    const elsewhere = !['common', 'organizations'].includes(name) && named(name)?.id !== me.tenantId
    if (query.get('prompt') === 'none' && (elsewhere || double.neverSilent))
      return led(to, { error: 'login_required', state })
    if (elsewhere) return html('AADSTS50020')
    if (query.get('prompt') === 'consent') consent(me)
    const code = randomBytes(40).toString('base64url')
    codes.set(code, { person: me, nonce: query.get('nonce'), challenge: query.get('code_challenge') })
    return led(to, { session_state: randomUUID(), code, state })
  }

  function adminConsent(name: string, query: URLSearchParams, me: OutsidePerson): Answer {
    const to = query.get('redirect_uri') ?? ''
    const state = query.get('state')
    if (query.get('client_id') !== double.clientId || !double.redirectUris.includes(to)) return html('AADSTS50011')
    if (!query.get('scope')?.endsWith('/.default')) return led(to, { error: 'invalid_scope', state })
    if (name !== 'organizations' && named(name)?.id !== me.tenantId) {
      return led(to, { error: 'access_denied', error_description: 'AADSTS50020: Not here.\r\nTrace ID: 1', state })
    }
    if (me.roles.includes('declines')) {
      return led(
        to,
        { error_description: 'AADSTS65004: No.', admin_consent: 'True', error: 'access_denied', state },
        '#',
      )
    }
    consent(me)
    return led(to, { state, scope: query.get('scope'), tenant: me.tenantId.toUpperCase(), admin_consent: 'True' })
  }

  function consent({ tenantId }: OutsidePerson): void {
    const tenant = named(tenantId)
    if (tenant) tenant.consented = true
  }

  async function token(name: string, form: URLSearchParams): Promise<Answer> {
    if (form.get('client_id') !== double.clientId || form.get('client_secret') !== double.secret) {
      return refused(401, 'invalid_client', 7000215)
    }
    const seconds = { expires_in: '3599', ext_expires_in: '3599', token_type: 'Bearer' }
    if (form.get('grant_type') === 'authorization_code') {
      const redeemed = codes.get(form.get('code') ?? '')
      codes.delete(form.get('code') ?? '')
      const proof = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url')
      if (!redeemed || (redeemed.challenge !== null && redeemed.challenge !== proof)) {
        return refused(400, 'invalid_grant', 501481)
      }
      return { status: 200, body: { ...seconds, access_token: 'opaque', id_token: await idToken(redeemed) } }
    }
    const tenant = named(name)
    if (!tenant) return refused(400, 'invalid_request', 90002)
    if (!tenant.consented) return refused(401, 'invalid_client', 7000229)
    const opaque = `EwB${randomBytes(200).toString('base64')}`
    tokens.set(opaque, { tenant, audience: form.get('scope') ?? '' })
    return { status: 200, body: { ...seconds, access_token: opaque } }
  }

  function idToken({ person, nonce }: { person: OutsidePerson; nonce: string | null }): Promise<string> {
    const { id, tenantId, name, roles } = person
    const claims: JWTPayload = { tid: tenantId, oid: id, sub: id, name, ver: '2.0', roles, ...(nonce ? { nonce } : {}) }
    if (double.groupMembershipClaims !== null) {
      const administrator = roles.includes('member') ? [] : ['62e90394-69f5-4237-9190-012177145e10']
      claims.wids = ['b79fbf4d-3ef9-4689-8143-76b194e85509', ...administrator]
    }
    return new SignJWT(claims)
      .setProtectedHeader({ kid, alg: 'RS256' })
      .setIssuer(`${origin}/${tenantId}/v2.0`)
      .setAudience(double.clientId)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
  }

  function resource(url: URL, { tenant, audience }: { tenant: OutsideTenant; audience: string }): Answer {
    const graph = url.pathname.startsWith('/v1.0/security/incidents')
    const expected = graph ? 'https://graph.microsoft.com/.default' : 'https://api.security.microsoft.com/.default'
    if (audience !== expected) return { status: 401, body: { error: { code: 'Unauthorized' } } }
    const top = Number(url.searchParams.get('$top') ?? 50)
    if (url.searchParams.has('$orderby') || top > (graph ? 50 : 100)) {
      return { status: 400, body: { error: { message: 'The query is not valid.', code: 'BadRequest' } } }
    }
    const alertsOf = /\/incidents\/([^/]+)\/alerts$/.exec(url.pathname)?.[1]
    if (alertsOf) {
      return {
        status: 200,
        body: { value: [{ id: `al${alertsOf}`, title: `Alert of ${alertsOf}`, severity: 'high' }] },
      }
    }
    if (!/\/incidents$/.test(url.pathname)) return { status: 404, body: { error: { code: 'NotFound' } } }
    const field = graph ? 'lastUpdateDateTime' : 'lastUpdateTime'
    const found = matching(tenant.incidents, url.searchParams.get('$filter'), field)
    const skip = Number(url.searchParams.get('$skip') ?? 0)
    return { status: 200, body: { value: found.slice(skip, skip + top) } }
  }

  return double
}

/** Newest first; of the filters only the two that the documentation gives examples of. */
function matching(
  incidents: Record<string, unknown>[],
  filter: string | null,
  field: string,
): Record<string, unknown>[] {
  const since = new RegExp(`${field} ge (\\S+)`).exec(filter ?? '')?.[1]
  const status = /status eq '(\w+)'/.exec(filter ?? '')?.[1]?.toLowerCase()
  return incidents
    .filter((one) => since === undefined || Date.parse(String(one[field])) >= Date.parse(since))
    .filter((one) => status === undefined || String(one.status).toLowerCase() === status)
    .sort((a, b) => Date.parse(String(b[field])) - Date.parse(String(a[field])))
}

function send(res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  res.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json', ...headers })
  res.end(text)
}

async function textOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
