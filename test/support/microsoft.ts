import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportPKCS8, generateKeyPair, importPKCS8, type JWTPayload, SignJWT } from 'jose'
import { pino } from 'pino'
import type { Config } from '../../server/config/config.ts'
import type { Log } from '../../server/log.ts'
import { connectMicrosoft } from '../../server/microsoft/connect.ts'
import { jsonTextOf } from '../../server/microsoft/wire/json-text.ts'

export const contoso = '11111111-aaaa-4bbb-8ccc-0123456789ab'
export const fabrikam = '22222222-aaaa-4bbb-8ccc-0123456789ab'
export const partner = '99999999-aaaa-4bbb-8ccc-0123456789ab'
export const appId = '33333333-aaaa-4bbb-8ccc-0123456789ab'
export const signInAppId = '44444444-aaaa-4bbb-8ccc-0123456789ab'

export interface Call {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  body: URLSearchParams
}

export type Reply = { status?: number; headers?: Record<string, string>; json?: unknown; text?: string } | 'handled'
export type Handler = (call: Call, response: ServerResponse) => Reply | undefined | Promise<Reply | undefined>

/** A Microsoft of one function: whatever the test says it answers. Keeps every call it got. */
export async function listen(handler: Handler) {
  const calls: Call[] = []
  const server: Server = createServer(async (request, response) => {
    let raw = ''
    for await (const chunk of request) raw += chunk
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://double')
    const call: Call = {
      method: request.method ?? '',
      path: decodeURIComponent(pathname),
      query: searchParams,
      headers: request.headers,
      body: new URLSearchParams(raw),
    }
    calls.push(call)
    const reply = (await handler(call, response)) ?? { status: 404, json: { error: { code: 'NotFound', message: '' } } }
    if (reply === 'handled') return
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers })
    response.end(reply.text ?? jsonTextOf(reply.json ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    calls,
    tokenCalls: () => calls.filter(({ path }) => path.endsWith('/token')),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

export type Double = Awaited<ReturnType<typeof listen>>

export function configFor(origin: string, changes: Partial<Config> = {}): Config {
  return {
    port: 0,
    host: '127.0.0.1',
    publicUrl: 'https://muster.example',
    sessionSecrets: ['0123456789abcdef0123456789abcdef'],
    dataKeys: [],
    outboundAllow: { ranges: [], hosts: [] },
    proxy: null,
    smtp: null,
    partnerTenantId: partner,
    app: { clientId: appId, credential: { kind: 'secret', secret: 'p@ss+w/rd=&?' }, second: null },
    signIn: { clientId: signInAppId, credential: { kind: 'secret', secret: 'another' }, second: null },
    authorityHost: origin,
    defenderUrl: origin,
    graphUrl: origin,
    incidentsApi: 'defender',
    databaseUrl: null,
    dataDir: './data',
    role: 'all',
    adminUsers: [],
    trustProxy: [],
    logLevel: 'silent',
    metricsPort: null,
    sync: {
      paceMs: 90_000,
      quietPaceMs: 600_000,
      overlapMs: 15 * 60_000,
      reconcileMs: 6 * 3_600_000,
      deepReconcileMs: 24 * 3_600_000,
      leaseMs: 30_000,
      callsPerMinute: 50,
      callsPerHour: 1_500,
    },
    warnings: [],
    ...changes,
  }
}

/** A portal's Microsoft over the double, with a clock the test can move and a log it can read. */
export function connect(origin: string, changes: Partial<Config> = {}) {
  const clock = { now: new Date() }
  const lines: string[] = []
  const log: Log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  const microsoft = connectMicrosoft(configFor(origin, changes), { log, now: () => clock.now })
  return { microsoft, clock, lines }
}

/** An app-only token as the bearer can read it; its signature is nobody's business but the resource's. */
export function appToken(tenantId: string, changes: Record<string, unknown> = {}): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const seconds = Math.floor(Date.now() / 1000)
  const claims = {
    aud: 'https://api.security.microsoft.com',
    iss: `https://sts.windows.net/${tenantId}/`,
    iat: seconds,
    exp: seconds + 3599,
    appid: appId,
    roles: ['Incident.Read.All'],
    tid: tenantId,
    ver: '1.0',
    ...changes,
  }
  return `${part({ typ: 'JWT', alg: 'RS256', kid: 'x' })}.${part(claims)}.c2lnbmF0dXJl`
}

export const tokenReply = (token: string, changes: Record<string, unknown> = {}): Reply => ({
  json: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: token, ...changes },
})

export const tokenError = (status: number, number: number | null, error: string, more: object = {}): Reply => ({
  status,
  json: {
    error,
    error_description: `${number === null ? 'Something' : `AADSTS${number}: Something`} for app 's3cret-text'.\r\nTrace ID: 7c839d05-4806-48f2-ba40-bf4128382500\r\nCorrelation ID: b94f5bce-b15e-48c6-a713-fc07c5c41a77\r\nTimestamp: 2026-11-20 11:25:19Z`,
    ...(number === null ? {} : { error_codes: [number] }),
    timestamp: '2026-11-20 11:25:19Z',
    trace_id: '7c839d05-4806-48f2-ba40-bf4128382500',
    correlation_id: 'b94f5bce-b15e-48c6-a713-fc07c5c41a77',
    ...more,
  },
})

export const tenantIn = (path: string) => path.split('/')[1] ?? ''

/** A tenant that consented, with nothing in its list unless `list` says otherwise. */
export function consented(list: Handler = () => ({ json: { value: [] } }), token = appToken): Handler {
  return (call, response) =>
    call.path.endsWith('/oauth2/v2.0/token') ? tokenReply(token(tenantIn(call.path))) : list(call, response)
}

export async function signer() {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
  const kid = `key-${Math.random()}`
  return {
    kid,
    privateKey,
    publicKey,
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid, use: 'sig' }] },
    sign: (claims: JWTPayload, header: object = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid, ...header }).sign(privateKey),
    /** With the same key, by an algorithm nobody agreed on. */
    async signRs512(claims: JWTPayload) {
      const other = await importPKCS8(await exportPKCS8(privateKey), 'RS512')
      return new SignJWT(claims).setProtectedHeader({ alg: 'RS512', typ: 'JWT', kid }).sign(other)
    },
  }
}
