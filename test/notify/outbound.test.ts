import { createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { nothingAllowed, parseOutboundAllow } from '../../server/config/outbound-allow.ts'
import {
  checkPeer,
  type DoorSettings,
  OutboundError,
  type OutboundRequest,
  readOutboundUrl,
  sendOutbound,
} from '../../server/notify/channels/outbound.ts'
import { certificate } from '../support/certificates.ts'
import { drip } from '../support/slow.ts'
import { answerStatus, type Receiver, startReceiver } from './receivers.ts'

const strict: DoorSettings = {
  outboundAllow: nothingAllowed,
  publicUrl: 'https://muster.example.com',
  port: 3000,
  metricsPort: 9100,
}
const allowing = (list: string, more: Partial<DoorSettings> = {}): DoorSettings => ({
  ...strict,
  outboundAllow: parseOutboundAllow(list) ?? nothingAllowed,
  ...more,
})
const loopback = allowing('127.0.0.0/8,::1')
/** A name that leads to these addresses, one list after the other. */
const namesTo = (...answers: string[][]): Pick<DoorSettings, 'resolve'> => {
  let turn = 0
  return {
    resolve: async () => {
      const addresses = answers[Math.min(turn++, answers.length - 1)] ?? []
      return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    },
  }
}

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})
async function receiver(...args: Parameters<typeof startReceiver>): Promise<Receiver> {
  const started = await startReceiver(...args)
  open.push(started)
  return started
}

const sent = (door: DoorSettings, url: string, more: Partial<OutboundRequest> = {}) =>
  sendOutbound(door, { url, headers: { 'content-type': 'application/json' }, body: '{}', ...more })

async function faultOf(door: DoorSettings, url: string): Promise<string> {
  try {
    await sent(door, url)
  } catch (error) {
    if (error instanceof OutboundError) return error.fault
    throw error
  }
  return 'sent'
}

describe('the way out to addresses that people typed', () => {
  test.each([
    ...['127.0.0.1', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '017700000001'],
    ...['127.255.255.254', '0.0.0.0', '0', '１２７.０.０.１', '127。0。0。1', '127.0.0.1.'],
    ...['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '100.100.100.200', '198.18.0.1'],
    ...['169.254.169.254', '0xA9FEA9FE', '2852039166', '169.254.170.2', '168.63.129.16', '192.0.0.192', '224.0.0.1'],
    ...['255.255.255.255', '240.0.0.1', '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]'],
    ...['[::ffff:a9fe:a9fe]', '[::127.0.0.1]', '[::7f00:1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::a9fe:a9fe]'],
    ...['[2002:7f00:1::]', '[2001:0:7f00:1::]', '[fe80::1]', '[fec0::1]', '[fc00::1]', '[fd00:ec2::254]', '[ff02::1]'],
    ...['[2001:db8::1]', '[::ffff:0:127.0.0.1]', '[100::1]', '[5f00::1]'],
  ])('do not lead to %s', async (host) => {
    expect(await faultOf(strict, `https://${host}/hook`)).toBe('address-refused')
  })

  test.each([
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'https://user:password@example.com/',
    'example.com/hook',
    'javascript:alert(1)',
    '',
  ])('are none where it stands %j', async (url) => {
    expect(await faultOf(strict, url)).toBe('address-unusable')
  })

  test.each([
    'https://muster.example.com/hook',
    'https://MUSTER.example.com./hook',
    'https://muster.example.com:443/hook',
  ])('do not lead back to this portal by %s', async (url) => {
    expect(await faultOf({ ...strict, ...namesTo(['203.0.113.9']) }, url)).toBe('address-refused')
  })

  test('do not lead to the ports of this process, whatever else is allowed on loopback', async () => {
    for (const port of [3000, 9100])
      expect(await faultOf(loopback, `http://127.0.0.1:${port}/`)).toBe('address-refused')
    expect(await faultOf({ ...loopback, ...namesTo(['::1']) }, 'https://inside.example.com:3000/')).toBe(
      'address-refused',
    )
  })

  test.each([
    ['127.0.0.1'],
    ['::1'],
    ['::ffff:10.0.0.1'],
    ['8.8.8.8', '10.0.0.1'],
    ['2606:4700::1111', 'fd00::1'],
    ['169.254.169.254'],
  ])('are refused where the name leads to %s, among others or alone', async (...addresses) => {
    const door = { ...strict, ...namesTo(addresses) }
    expect(await faultOf(door, 'https://hook.example.com/')).toBe('address-refused')
  })

  test('keep to metadata being nobody’s, even where its range or the name is allowed', async () => {
    const wide = allowing('169.254.0.0/16,fd00::/8,168.63.129.16,cloud.example.com')
    for (const host of ['169.254.169.254', '[fd00:ec2::254]', '168.63.129.16', '[::ffff:169.254.169.254]']) {
      expect(await faultOf(wide, `https://${host}/latest`)).toBe('address-refused')
    }
    expect(await faultOf({ ...wide, ...namesTo(['169.254.169.254']) }, 'https://cloud.example.com/')).toBe(
      'address-refused',
    )
  })

  test('may be within what is allowed by range or by name, and nothing beside it', async () => {
    const door = allowing('10.20.0.0/16,fd12:3456::/32,collector.example.com')
    const peer = (host: string, ...addresses: string[]) => checkPeer({ ...door, ...namesTo(addresses) }, host, 8088)
    expect(await peer('a.example.com', '10.20.3.4')).toMatchObject({ address: '10.20.3.4', family: 4, port: 8088 })
    expect(await peer('a.example.com', 'fd12:3456::1')).toMatchObject({ family: 6 })
    expect(await peer('Collector.example.com.', '192.168.7.7')).toMatchObject({ host: 'collector.example.com' })
    await expect(peer('b.example.com', '192.168.7.7')).rejects.toThrow('address-refused')
    await expect(peer('b.example.com', '10.21.0.1')).rejects.toThrow('address-refused')
  })

  test('lead to the address that was looked at: a name that changes afterwards changes nothing', async () => {
    const inside = await receiver()
    const elsewhere = await receiver(answerStatus(200), { host: '127.0.0.2' })
    const door = allowing('127.0.0.2', namesTo(['127.0.0.2'], ['127.0.0.1'], ['127.0.0.1']))
    const answer = await sent(door, `http://hook.example.com:${elsewhere.port}/`)
    expect(answer.status).toBe(200)
    expect(elsewhere.received).toMatchObject([{ headers: { host: `hook.example.com:${elsewhere.port}` } }])
    expect(inside.connections()).toBe(0)
  })

  test('take http on loopback alone, and only where that is allowed', async () => {
    const here = await receiver()
    expect(await faultOf(loopback, here.url)).toBe('sent')
    expect(await faultOf(strict, here.url)).toBe('address-unusable')
    const inside = allowing('127.0.0.0/8,10.0.0.0/8', namesTo(['10.0.0.7']))
    expect(await faultOf(inside, 'http://collector.example.com/')).toBe('address-refused')
    expect(here.connections()).toBe(1)
  })

  test('are unknown where the name leads nowhere', async () => {
    const nowhere = async () => {
      throw Object.assign(new Error('no'), { code: 'ENOTFOUND' })
    }
    expect(await faultOf({ ...strict, resolve: nowhere }, 'https://nowhere.example.com/')).toBe('name-unknown')
    expect(await faultOf({ ...strict, ...namesTo([]) }, 'https://nowhere.example.com/')).toBe('name-unknown')
  })
})

describe('what is sent out', () => {
  test('comes back with the status, what the answer said and how long it took', async () => {
    const here = await receiver(answerStatus(429, { 'retry-after': '120' }, 'slow down'))
    const answer = await sent(loopback, here.url, { body: '{"å":1}', headers: { 'x-one': '1' } })
    expect(answer).toMatchObject({ status: 429, retryAfter: '120', text: 'slow down' })
    expect(answer.ms).toBeGreaterThanOrEqual(0)
    expect(here.received).toMatchObject([{ method: 'POST', path: '/hook', body: '{"å":1}', headers: { 'x-one': '1' } }])
  })

  test('follows no redirect, inwards or outwards', async () => {
    const target = await receiver()
    const here = await receiver(answerStatus(307, { location: target.url }))
    expect(await sent(loopback, here.url)).toMatchObject({ status: 307 })
    expect(target.connections()).toBe(0)
  })

  test('gives up on a receiver that hangs, that drips its headers, or that never resolves', async () => {
    const quick = { ...loopback, deadlineMs: 150 }
    const hanging = await receiver(() => undefined)
    expect(await faultOf(quick, hanging.url)).toBe('timeout')
    const sockets = new Set<Socket>()
    const dripping = createServer((socket) => {
      sockets.add(socket)
      socket.write('HTTP/1.1 200 OK\r\n')
      drip(socket, 'x-drip: 1\r\n', 20)
      socket.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => dripping.listen(0, '127.0.0.1', resolve))
    open.push({
      close: () => {
        for (const socket of sockets) socket.destroy()
        return new Promise((resolve) => dripping.close(resolve))
      },
    })
    const { port } = dripping.address() as { port: number }
    expect(await faultOf(quick, `http://127.0.0.1:${port}/`)).toBe('timeout')
    const never = { ...quick, resolve: () => new Promise<never>(() => undefined) }
    expect(await faultOf(never, 'https://slow.example.com/')).toBe('timeout')
  })

  test('reads 64 kB of an answer and no more, and takes the status of one that never ends', async () => {
    const long = await receiver((res) => {
      res.writeHead(200)
      const pour = () => {
        while (!res.destroyed && res.write('x'.repeat(16_384)));
        if (!res.destroyed) res.once('drain', pour)
      }
      pour()
    })
    const answer = await sent(loopback, long.url)
    expect(answer.status).toBe(200)
    expect(answer.text).toHaveLength(64 * 1024)
  })

  test('is a lost connection where the other side hangs up without a word', async () => {
    const rude = await receiver((res) => res.socket?.destroy())
    expect(await faultOf(loopback, rude.url)).toBe('connection')
    await rude.close()
    expect(await faultOf(loopback, rude.url)).toBe('connection')
  })

  test('goes over TLS to whoever shows a certificate of that name by a known authority, and to nobody else', async () => {
    const authority = certificate({ name: 'Test authority' })
    const good = await receiver(answerStatus(200), {
      certificate: certificate({ name: 'localhost', issuer: authority }),
    })
    const trusting = { ...loopback, authorities: [authority.pem] }
    expect(await sent(trusting, good.url)).toMatchObject({ status: 200 })
    expect(await faultOf(loopback, good.url)).toBe('certificate')
    const wrongName = await receiver(answerStatus(200), {
      certificate: certificate({ name: 'other', issuer: authority }),
    })
    expect(await faultOf(trusting, wrongName.url)).toBe('certificate')
    const old = certificate({ name: 'localhost', issuer: authority, from: -10, to: -1 })
    expect(await faultOf(trusting, (await receiver(answerStatus(200), { certificate: old })).url)).toBe('certificate')
    const plain = await receiver()
    expect(await faultOf(trusting, plain.url.replace('http:', 'https:'))).toBe('certificate')
    expect([wrongName.received, plain.received]).toEqual([[], []])
  })

  test('says in no message where it was to go', async () => {
    const secret = 'T000-B000-secret'
    for (const url of [`https://127.0.0.1/${secret}`, `http://x/${secret}`, `https://${secret}@x/`]) {
      const error: unknown = await sent(strict, url).catch((thrown: unknown) => thrown)
      expect(String((error as Error).stack)).not.toContain(secret)
    }
  })
})

describe('what may be outside the public range', () => {
  test.each([
    ['10.0.0.0/8, collector.example.com', { ranges: ['10.0.0.0/8'], hosts: ['collector.example.com'] }],
    ['127.0.0.1,::1', { ranges: ['127.0.0.1/32', '::1/128'], hosts: [] }],
    ['localhost', { ranges: [], hosts: ['localhost'] }],
  ])('is read from %j', (text, expected) => {
    expect(parseOutboundAllow(text)).toEqual(expected)
  })

  test.each([
    '10.0.0.0/33',
    '10.0.0/8',
    '*.example.com',
    'https://example.com',
    'a b',
    '1.2.3',
    '::1/129',
    '10.0.0.0/x',
  ])('is not %j', (text) => {
    expect(parseOutboundAllow(text)).toBeNull()
  })

  test('is looked at before a destination is kept', () => {
    expect(() => readOutboundUrl(strict, 'https://10.0.0.1/')).toThrow('address-refused')
    expect(readOutboundUrl(strict, 'https://hooks.example.com/a?b=c').href).toBe('https://hooks.example.com/a?b=c')
  })
})
