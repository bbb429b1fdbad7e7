import { createServer, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { nothingAllowed, parseOutboundAllow } from '../../server/config/outbound-allow.ts'
import { readProxy } from '../../server/config/proxy.ts'
import { type DoorSettings, OutboundError, sendOutbound } from '../../server/notify/channels/outbound.ts'
import { certificate } from '../support/certificates.ts'
import { listen } from '../support/ports.ts'
import { type Receiver, startReceiver } from './receivers.ts'

const url = 'https://hook.example.com/here?sig=abc'
const hook = certificate({ name: 'hook.example.com' })
const proxy = createServer((_req, res) => res.writeHead(403).end('<h1>no</h1>'))
const tunnels: string[] = []
const sockets = new Set<Socket>()
/** How the proxy answers; 200 leads to the receiver, whatever was asked for. */
let answer = 200
let receiver: Receiver
let origin = ''

beforeAll(async () => {
  receiver = await startReceiver(undefined, { certificate: hook })
  proxy.on('connect', (req: IncomingMessage, client: Socket) => {
    tunnels.push(req.url ?? '')
    sockets.add(client)
    client.on('error', () => undefined)
    if (answer !== 200) return client.end(`HTTP/1.1 ${answer} No\r\n\r\n`)
    const server = connect(receiver.port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      server.pipe(client).pipe(server)
    })
    server.on('error', () => client.destroy())
  })
  origin = `http://127.0.0.1:${await listen(proxy)}`
})
beforeEach(() => {
  tunnels.length = 0
  receiver.received.length = 0
  answer = 200
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  proxy.close()
  await receiver.close()
})

const door = (address: string | null, more: Partial<DoorSettings> = {}, except?: string): DoorSettings => ({
  outboundAllow: nothingAllowed,
  publicUrl: 'https://muster.example.com',
  port: 3000,
  metricsPort: null,
  authorities: [hook.pem],
  proxy: readProxy(origin, except, () => undefined),
  resolve: async () => {
    if (address === null) throw Object.assign(new Error('unknown'), { code: 'ENOTFOUND' })
    return [{ address, family: address.includes(':') ? 6 : 4 }]
  },
  ...more,
})
const send = (settings: DoorSettings, to = url) => sendOutbound(settings, { url: to, headers: {}, body: '{}' })
const faultOf = (settings: DoorSettings, to = url) =>
  send(settings, to).then(
    () => 'sent',
    (error: unknown) => (error instanceof OutboundError ? error.fault : String(error)),
  )

describe('a destination behind a proxy', () => {
  test.each([
    ['93.184.216.34', '93.184.216.34:443'],
    ['2606:2800:220:1:248:1893:25c8:1946', '[2606:2800:220:1:248:1893:25c8:1946]:443'],
  ])('is reached by a tunnel to the address that was looked at, %s, under its name', async (address, authority) => {
    expect((await send(door(address))).status).toBe(204)
    expect(tunnels).toEqual([authority])
    expect(receiver.received).toMatchObject([{ path: '/here?sig=abc', headers: { host: 'hook.example.com' } }])
  })

  test('that shows another certificate is refused as without a proxy', async () => {
    expect(await faultOf(door('93.184.216.34'), 'https://other.example.com/')).toBe('certificate')
    expect(receiver.received).toEqual([])
  })

  test.each([403, 407, 502])('needs a direct way where the proxy answers %s', async (status) => {
    answer = status
    expect(await faultOf(door('93.184.216.34'))).toBe('needs-direct-way')
  })

  test('needs a direct way where the proxy is away, and where only the proxy knows the name', async () => {
    const away = readProxy('http://127.0.0.1:1', undefined, () => undefined)
    expect(await faultOf(door('93.184.216.34', { proxy: away }))).toBe('needs-direct-way')
    expect(await faultOf(door(null))).toBe('needs-direct-way')
    expect(await faultOf(door(null, { proxy: null }))).toBe('name-unknown')
    expect(tunnels).toEqual([])
  })

  test.each(['127.0.0.1', '10.1.2.3', '169.254.169.254', '::ffff:192.168.0.1', 'fd00:ec2::254'])(
    'that leads inwards, to %s, is refused before the proxy is asked',
    async (address) => {
      expect(await faultOf(door(address))).toBe('address-refused')
      expect(tunnels).toEqual([])
    },
  )

  test('that NO_PROXY names, or that is on this machine, is reached without it', async () => {
    const allowed = { outboundAllow: parseOutboundAllow('127.0.0.0/8') ?? nothingAllowed }
    const there = url.replace('.com/', `.com:${receiver.port}/`)
    expect(await faultOf(door('127.0.0.1', allowed, 'example.com'), there)).toBe('sent')
    expect(await faultOf(door('127.0.0.1', allowed), `https://localhost:${receiver.port}/`)).toBe('certificate')
    expect(tunnels).toEqual([])
  })
})
