import { createServer } from 'node:http'
import { type AddressInfo, createServer as createRawServer, type Socket } from 'node:net'
import { createGzip, gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { type Outgoing, outbound, retryAfterMs } from '../../server/microsoft/wire/http.ts'
import { type Handler, listen } from '../support/microsoft.ts'
import { drip } from '../support/slow.ts'

const send = outbound({ fetch, now: () => new Date() })
const get = (url: string, changes: Partial<Outgoing> = {}) =>
  send({ url, deadlineMs: 5_000, limitBytes: 100_000, tries: 1, ...changes })

/** Answers with bytes as they are, without HTTP's behaviour. */
async function rawServer(onRequest: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createRawServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => onRequest(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('an answer', () => {
  test('that redirects is returned as it is, and the other side hears nothing', async () => {
    await using canary = await listen(() => ({ json: {} }))
    for (const status of [301, 302, 303, 307, 308]) {
      await using double = await listen(() => ({ status, headers: { location: `${canary.origin}/caught` } }))
      const answer = await get(double.origin, { headers: { authorization: 'Bearer secret', 'x-key': 'secret' } })
      expect(answer.status).toBe(status)
    }
    expect(canary.calls).toEqual([])
  })

  test('that unfolds into 200 MB is dropped at the limit', async () => {
    await using double = await listen((_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      const gzip = createGzip()
      gzip.pipe(response)
      gzip.on('error', () => undefined)
      const megabyte = Buffer.alloc(1_000_000)
      let left = 200
      const more = () => {
        while (left-- > 0) if (!gzip.write(megabyte)) return void gzip.once('drain', more)
        gzip.end()
      }
      more()
      response.once('close', () => gzip.destroy())
      return 'handled'
    })
    const before = process.memoryUsage().rss
    await expect(get(double.origin)).rejects.toMatchObject({
      code: 'unexpected-answer',
      facts: { error: 'answer_too_large' },
    })
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000)
  })

  test('that was compressed although nobody asked is read all the same', async () => {
    await using double = await listen((call, response) => {
      expect(call.headers['accept-encoding']).toBe('identity')
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"value":[]}'))
      return 'handled'
    })
    expect((await get(double.origin)).text).toBe('{"value":[]}')
  })

  test('without end is dropped at the limit', async () => {
    await using double = await listen((_call, response) => {
      response.writeHead(200)
      const more = () => response.write('x'.repeat(50_000), (fault) => fault || more())
      more()
      return 'handled'
    })
    await expect(get(double.origin)).rejects.toMatchObject({ code: 'unexpected-answer' })
  })

  test('that drips is cut at the deadline, with all tries together', async () => {
    await using double = await listen((_call, response) => {
      response.writeHead(200)
      drip(response, 'x', 20)
      return 'handled'
    })
    await expect(get(double.origin, { deadlineMs: 400, tries: 4 })).rejects.toMatchObject({
      code: 'unavailable',
      facts: { error: 'timeout' },
    })
    expect(double.calls).toHaveLength(1)
  })

  test('that never begins is cut at the deadline', async () => {
    await using double = await listen(() => 'handled')
    await expect(get(double.origin, { deadlineMs: 300 })).rejects.toMatchObject({ facts: { error: 'timeout' } })
  })

  test.each([
    ['a body shorter than announced', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"value":'],
    ['a chunk cut in the middle', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{"value":'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['nothing', ''],
  ])('of %s is no answer', async (_name, bytes) => {
    await using server = await rawServer((socket) => socket.end(bytes))
    await expect(get(server.origin)).rejects.toMatchObject({ name: 'Refusal', code: 'unavailable' })
  })

  test('that was cut once is asked for again, and comes whole', async () => {
    let turn = 0
    await using server = await rawServer((socket) =>
      socket.end(
        ++turn === 1
          ? 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"val'
          : 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}',
      ),
    )
    expect((await get(server.origin, { tries: 3 })).text).toBe('{}')
    expect(turn).toBe(2)
  })
})

test('nobody listening is no answer, and the fault is named', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  await expect(get(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ facts: { error: 'ECONNREFUSED' } })
})

describe('trying again', () => {
  const answering = (...replies: Handler[]) => {
    let turn = 0
    return listen((call, response) => (replies[Math.min(turn++, replies.length - 1)] as Handler)(call, response))
  }

  test.each([500, 502, 503, 504])('happens after a %i', async (status) => {
    await using double = await answering(
      () => ({ status }),
      () => ({ json: { ok: true } }),
    )
    expect((await get(double.origin, { tries: 3 })).status).toBe(200)
    expect(double.calls).toHaveLength(2)
  })

  test('ends with the last answer when nothing changes', async () => {
    await using double = await answering(() => ({ status: 503 }))
    expect((await get(double.origin, { tries: 3 })).status).toBe(503)
    expect(double.calls).toHaveLength(3)
  })

  test.each([400, 401, 403, 404])('does not happen after a %i', async (status) => {
    await using double = await answering(() => ({ status }))
    expect((await get(double.origin, { tries: 4 })).status).toBe(status)
    expect(double.calls).toHaveLength(1)
  })

  test('waits at least as long as Microsoft asked', async () => {
    await using double = await answering(
      () => ({ status: 429, headers: { 'retry-after': '1' } }),
      () => ({ json: {} }),
    )
    const started = performance.now()
    expect((await get(double.origin, { tries: 2 })).status).toBe(200)
    expect(performance.now() - started).toBeGreaterThanOrEqual(990)
  })

  test.each(['60', '1000000000', 'junk', '-5', new Date(Date.now() + 60_000).toUTCString()])(
    'does not wait here for “Retry-After: %s”',
    async (value) => {
      await using double = await answering(() => ({ status: 429, headers: { 'retry-after': value } }))
      expect((await get(double.origin, { tries: 4 })).status).toBe(429)
      expect(double.calls).toHaveLength(1)
    },
  )
})

test('Retry-After is read in seconds and as a date by the answer’s own clock, in bounds', () => {
  const now = new Date('2026-11-20T08:00:00Z')
  const after = (value: string, date?: string) =>
    retryAfterMs(new Headers({ 'retry-after': value, ...(date ? { date } : {}) }), now)
  expect(after('30')).toBe(30_000)
  expect(after('0')).toBe(0)
  expect(after('1.5')).toBe(1_500)
  expect(after('1000000000')).toBe(900_000)
  expect(after('-5')).toBeNull()
  expect(after('soon')).toBeNull()
  expect(after('Fri, 20 Nov 2026 08:00:10 GMT')).toBe(10_000)
  expect(after('Fri, 20 Nov 2026 06:00:10 GMT', 'Fri, 20 Nov 2026 06:00:00 GMT')).toBe(10_000)
  expect(after('Fri, 20 Nov 2026 07:00:00 GMT')).toBe(0)
  expect(retryAfterMs(new Headers(), now)).toBeNull()
})
