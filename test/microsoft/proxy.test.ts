import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type OutboundProxy, proxyFor, readProxy } from '../../server/config/proxy.ts'
import { createLog } from '../../server/log.ts'
import { connectMicrosoft } from '../../server/microsoft/connect.ts'
import { outbound } from '../../server/microsoft/wire/http.ts'
import { fetchThrough } from '../../server/microsoft/wire/proxied-fetch.ts'
import { Refusal, wayCause } from '../../server/model/refusal.ts'
import { build } from '../support/build.ts'
import { certificate } from '../support/certificates.ts'
import { configFor } from '../support/microsoft.ts'
import { temporaryFolder } from '../support/places.ts'
import { freePort, listen } from '../support/ports.ts'
import { startNode } from '../support/processes.ts'
import { releaseFolder } from '../support/release.ts'

const host = 'https://login.microsoftonline.com'
const login = certificate({ name: 'login.microsoftonline.com' })
const noFault = () => {
  throw new Error('it was refused')
}
const through = (address: string, except?: string): OutboundProxy =>
  readProxy(address, except, noFault) as OutboundProxy

/** Microsoft's login host, as far as the proxy leads there. */
const microsoft = createTlsServer({ cert: login.pem, key: login.key }, async (req, res) => {
  let body = ''
  for await (const part of req) body += part
  asked.push({ method: req.method ?? '', url: req.url ?? '', body, header: req.headers['x-test'] ?? '' })
  if (req.url === '/silent') return
  if (req.url === '/moved') return res.writeHead(302, { Location: '/elsewhere', 'Set-Cookie': ['a=1', 'b=2'] }).end()
  if (req.url?.includes('/openid-configuration')) {
    const at = `${host}${req.url.replace(/\/v2\.0\/.*/, '')}`
    return res.writeHead(200, { 'Content-Type': 'application/json' }).end(
      JSON.stringify({
        issuer: `${at}/v2.0`,
        token_endpoint: `${at}/oauth2/v2.0/token`,
        authorization_endpoint: `${at}/oauth2/v2.0/authorize`,
        jwks_uri: `${at}/discovery/v2.0/keys`,
      }),
    )
  }
  if (req.url?.includes('/token')) {
    res.writeHead(401, { 'Content-Type': 'application/json' })
    return res.end(
      JSON.stringify({ error: 'invalid_client', error_codes: [7000215], error_description: 'AADSTS7000215' }),
    )
  }
  return res.writeHead(200, { 'Content-Type': 'text/plain' }).end(`${req.method} ${req.url} ${body}`)
})
/** A proxy of the kind that companies have: it tunnels for whoever gives its password, and refuses one host. */
const proxy = createHttpServer((_req, res) => res.writeHead(403).end('<h1>no</h1>'))
const tunnels: { authority: string; authorization: string | undefined }[] = []
const asked: { method: string; url: string; body: string; header: string | string[] }[] = []
const sockets = new Set<Socket>()
let microsoftPort = 0
let address = ''

beforeAll(async () => {
  microsoftPort = await listen(microsoft)
  proxy.on('connect', (req: IncomingMessage, client: Socket, head: Buffer) => {
    const authority = req.url ?? ''
    tunnels.push({ authority, authorization: req.headers['proxy-authorization'] })
    sockets.add(client)
    client.on('error', () => undefined)
    if (authority.startsWith('asks.')) return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    if (authority.startsWith('forbidden.')) return client.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    if (authority.startsWith('away.')) return client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    if (authority.startsWith('cut.')) return client.destroy()
    const server = connect(microsoftPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      if (head.length > 0) server.write(head)
      server.pipe(client).pipe(server)
    })
    server.on('error', () => client.destroy())
  })
  address = `http://127.0.0.1:${await listen(proxy)}`
})
beforeEach(() => {
  tunnels.length = 0
  asked.length = 0
})
afterAll(() => {
  for (const socket of sockets) socket.destroy()
  microsoft.closeAllConnections()
  microsoft.close()
  proxy.close()
})

const get = (url: string, init: RequestInit = {}, from = through(address)) =>
  fetchThrough(from, { ca: login.pem })(url, { redirect: 'manual', ...init })

/** The error word that a refusal for want of an answer carries. */
async function wordOf(url: string, from = through(address), ca: string | null = login.pem): Promise<string> {
  const send = outbound({ fetch: fetchThrough(from, ca === null ? {} : { ca }), now: () => new Date() })
  try {
    await send({ url, deadlineMs: 5_000, limitBytes: 1_000, tries: 1 })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.facts.error ?? ''
  }
  throw new Error('it was answered')
}

describe('what goes to Microsoft by a proxy', () => {
  test('is sent whole, and comes back whole', async () => {
    const answer = await get(`${host}/x?y=1`, { method: 'POST', body: 'å=1', headers: { 'X-Test': 'yes' } })
    expect([answer.status, await answer.text()]).toEqual([200, 'POST /x?y=1 å=1'])
    expect(asked).toEqual([{ method: 'POST', url: '/x?y=1', body: 'å=1', header: 'yes' }])
    expect(tunnels).toEqual([{ authority: 'login.microsoftonline.com:443', authorization: undefined }])
  })

  test('uses one tunnel after another request', async () => {
    const fetch = fetchThrough(through(address), { ca: login.pem })
    for (let turn = 0; turn < 3; turn++) expect(await (await fetch(`${host}/${turn}`)).text()).toContain(`/${turn}`)
    expect(tunnels).toHaveLength(1)
  })

  test('follows no redirect, and keeps each header', async () => {
    const answer = await get(`${host}/moved`)
    expect([answer.status, answer.headers.get('location'), answer.headers.getSetCookie()]).toEqual([
      302,
      '/elsewhere',
      ['a=1', 'b=2'],
    ])
  })

  test('ends when its time is over', async () => {
    const send = outbound({ fetch: fetchThrough(through(address), { ca: login.pem }), now: () => new Date() })
    const sent = send({ url: `${host}/silent`, deadlineMs: 300, limitBytes: 1_000, tries: 1 })
    await expect(sent).rejects.toMatchObject({ code: 'unavailable', facts: { error: 'timeout' } })
  })

  test('gives the proxy the name and password it was told, decoded', async () => {
    await get(`${host}/`, {}, through(`http://svc%40corp:p%23w@${address.slice(7)}`))
    expect(tunnels[0]?.authorization).toBe(`Basic ${Buffer.from('svc@corp:p#w').toString('base64')}`)
  })

  test('is MSAL’s as well', async () => {
    const config = configFor('https://graph.microsoft.com', { authorityHost: host })
    const wiring = { log: createLog('silent'), now: () => new Date() }
    const connected = connectMicrosoft(config, { ...wiring, fetch: fetchThrough(through(address), { ca: login.pem }) })
    await expect(connected.proveCredential()).rejects.toMatchObject({ code: 'partner-credential' })
    expect(asked.at(-1)?.url).toMatch(/\/oauth2\/v2\.0\/token/)
    expect(new Set(tunnels.map(({ authority }) => authority))).toEqual(new Set(['login.microsoftonline.com:443']))
    expect(await connected.clockAhead()).toBeLessThan(60_000)
  })

  test.each([
    ['login.microsoftonline.com', []],
    ['.microsoftonline.com,x.example', []],
    ['microsoftonline.com:443', []],
    ['*', []],
    ['MICROSOFTONLINE.COM', []],
    ['x.example *.microsoftonline.com', []],
    ['online.com', ['proxy']],
    ['login.microsoftonline.com:8443', ['proxy']],
    ['', ['proxy']],
  ])('goes without it where NO_PROXY says %j', (except, expected) => {
    const found = proxyFor(through(address, except), new URL(`${host}/x`))
    expect(found === null ? [] : ['proxy']).toEqual(expected)
  })

  test('goes without it on this machine, whatever NO_PROXY says', () => {
    for (const url of ['http://localhost:4000', 'https://127.0.0.1', 'http://[::1]:4000']) {
      expect(proxyFor(through(address), new URL(url))).toBeNull()
    }
    expect(proxyFor(through(address, '2001:db8::1,10.0.0.7'), new URL('https://[2001:db8::1]/'))).toBeNull()
    expect(proxyFor(through(address, '10.0.0.7'), new URL('https://10.0.0.7/'))).toBeNull()
  })
})

describe('a way that is closed', () => {
  test.each([
    ['asks for a password', 'https://asks.example/', 'PROXY_407', 'proxy-asks'],
    ['forbids the host', 'https://forbidden.example/', 'PROXY_403', 'proxy-refuses'],
    ['does not get further', 'https://away.example/', 'PROXY_502', 'proxy-refuses'],
    ['hangs up', 'https://cut.example/', 'PROXY_ECONNRESET', 'proxy-away'],
  ])('is told as the proxy’s that %s', async (_what, url, word, cause) => {
    expect(await wordOf(url)).toBe(word)
    expect(wayCause('unavailable', word)).toBe(cause)
  })

  test('is told as the proxy’s where nothing listens there, and as an inspection where TLS is opened', async () => {
    const nobody = through(`http://127.0.0.1:${await freePort()}`)
    expect(wayCause('unavailable', await wordOf(`${host}/`, nobody))).toBe('proxy-away')
    expect(wayCause('unavailable', await wordOf(`${host}/`, through(address), null))).toBe('inspected')
  })

  test('is told as the network’s without a proxy, and as Microsoft’s where Microsoft was reached', () => {
    for (const word of ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']) {
      expect(wayCause('unavailable', word)).toBe('network')
    }
    for (const word of ['timeout', 'ECONNRESET', 'no_answer', null]) expect(wayCause('unavailable', word)).toBeNull()
    expect(wayCause('partner-credential', 'ENOTFOUND')).toBeNull()
  })

  test('is what the doctor says, and never the password', async () => {
    build()
    const release = releaseFolder()
    const folder = temporaryFolder()
    const { ended, text } = startNode([join(release.folder, 'dist', 'cli.js'), 'doctor'], {
      env: {
        SESSION_SECRET: 'zY8xW6vU4tS2rQ0pO9nM7lK5jI3hG1fE',
        AZURE_CLIENT_ID: '33333333-aaaa-4bbb-8ccc-0123456789ab',
        AZURE_CLIENT_SECRET: 'not-a-real-one',
        AZURE_TENANT_ID: '99999999-aaaa-4bbb-8ccc-0123456789ab',
        DATA_DIR: folder.path,
        https_proxy: `http://svc:canary@127.0.0.1:${await freePort()}`,
      },
    })
    expect(await ended).toBe(1)
    expect(text()).toContain('The proxy of HTTPS_PROXY does not answer')
    expect(text()).not.toMatch(/canary|Microsoft has to act/)
    folder.remove()
    release.remove()
  })
})

test.each([
  ['socks5://127.0.0.1:1080', /SOCKS/],
  ['http://', /not the address/],
  ['http://user:pa#ss@proxy.example:3128', /not the address/],
  ['ftp://proxy.example', /not the address/],
  ['http://proxy.example/path', /not the address/],
])('%s is refused as a proxy, and not repeated', (value, problem) => {
  const said: string[] = []
  expect(readProxy(value, undefined, (...parts) => void said.push(parts.join(' ')))).toBeNull()
  expect(said.join()).toMatch(problem)
  expect(said.join()).not.toContain('pa#ss')
})

test('a proxy may be named without a scheme', () => {
  expect(through('proxy.example:3128')).toMatchObject({ origin: 'http://proxy.example:3128', authorization: null })
})
