import { createServer } from 'node:http'
import { type AddressInfo, createServer as createRawServer, type Socket } from 'node:net'
import { createGzip, gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { type Outgoing, outbound, retryAfterMs } from '../../server/microsoft/wire/http.ts'
import { type Handler, listen } from '../support/microsoft.ts'
import { drip } from '../support/slow.ts'
import { until } from '../support/waiting.ts'

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

describe('room for an answer', () => {
  /** What was asked of the room, and a way to keep it shut. */
  function roomOf(open: Promise<unknown> = Promise.resolve()) {
    const asked: number[] = []
    const admit = async (bytes: number) => {
      asked.push(bytes)
      await open
      return { hold: async (more: number) => void asked.push(more) }
    }
    return { asked, admit }
  }
  const megabyte = Buffer.alloc(1_000_000, 'x')
  /** Writes a megabyte forty times, as fast as the other side takes it. */
  function flood(onWritten: (bytes: number) => void): Handler {
    return (_call, response) => {
      response.writeHead(200, { 'content-length': 40 * megabyte.length })
      let sent = 0
      const more = () => {
        while (sent < 40) {
          onWritten(++sent * megabyte.length)
          if (!response.write(megabyte)) return void response.once('drain', more)
        }
        response.end()
      }
      more()
      return 'handled'
    }
  }

  test('is asked for once the answer begins: until there is some, the socket is left alone', async () => {
    let written = 0
    await using double = await listen(
      flood((bytes) => {
        written = bytes
      }),
    )
    let open: () => void = () => undefined
    const { asked, admit } = roomOf(new Promise<void>((resolve) => (open = resolve)))
    const before = process.memoryUsage().arrayBuffers
    const answer = get(double.origin, { limitBytes: 50_000_000, deadlineMs: 60_000, admit })
    await until(() => asked.length === 1)
    // The system's own buffers take some megabytes on loopback; once they are full, nothing goes on.
    let last = -1
    await until(
      () => {
        const stands = written === last
        last = written
        return stands
      },
      { everyMs: 200 },
    )
    expect(asked).toEqual([40_000_000])
    expect(written).toBeLessThan(30_000_000)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
    open()
    expect((await answer).bytes).toHaveLength(40_000_000)
  })

  test('is ours to find: Microsoft’s time stands still meanwhile', async () => {
    await using double = await listen(() => ({ json: { fine: true } }))
    const begun = performance.now()
    const { admit } = roomOf(until(() => performance.now() > begun + 1_500))
    expect((await get(double.origin, { deadlineMs: 1_200, stalledMs: 300, tries: 1, admit })).status).toBe(200)
  })

  test('is asked for anew with every try, and what it says ends the request as it is', async () => {
    let calls = 0
    await using double = await listen(() => (++calls === 1 ? { status: 503 } : { json: {} }))
    const { asked, admit } = roomOf()
    expect((await get(double.origin, { tries: 2, admit })).status).toBe(200)
    expect(asked.length).toBeGreaterThanOrEqual(2)
    const stopped = new Error('stopping')
    await using other = await listen(() => ({ json: {} }))
    await expect(get(other.origin, { tries: 4, admit: () => Promise.reject(stopped) })).rejects.toBe(stopped)
    expect(other.calls).toHaveLength(1)
  })

  test('grows with an answer that does not say how long it is, and is what came in the end', async () => {
    await using double = await listen((_call, response) => {
      response.writeHead(200)
      for (let n = 0; n < 3; n++) response.write(megabyte)
      response.end()
      return 'handled'
    })
    const { asked, admit } = roomOf()
    await get(double.origin, { limitBytes: 5_000_000, admit })
    expect(asked[0]).toBe(64_000)
    expect(Math.max(...asked)).toBeLessThanOrEqual(5_000_000)
    expect(asked.at(-1)).toBe(3_000_000)
    expect(asked.length).toBeLessThan(12)
  })

  test.each(['-1', '9'.repeat(400), '1e9', 'many', '0x10'])('is not measured by a length of %s', async (length) => {
    await using raw = await rawServer((socket) =>
      socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\nx-length: ${length}\r\n\r\n{}`),
    )
    const lying: typeof fetch = async (...args) => {
      const { body, status } = await fetch(...args)
      return { status, ok: true, body, bodyUsed: false, headers: { get: () => length, has: () => false } } as never
    }
    const { asked, admit } = roomOf()
    const request = { url: raw.origin, deadlineMs: 5_000, limitBytes: 100_000, tries: 1, admit }
    await outbound({ fetch: lying, now: () => new Date() })(request).catch(() => undefined)
    expect(asked[0]).toBe(/^\d{1,15}$/.test(length) ? Number(length) : 64_000)
  })

  test('goes back when no byte comes any more, and the answer is asked for again', async () => {
    let calls = 0
    await using double = await listen((_call, response) => {
      if (++calls > 1) return { json: { fine: true } }
      response.writeHead(200, { 'content-length': 1_000 })
      response.write('{')
      return 'handled'
    })
    const answer = await get(double.origin, { stalledMs: 150, deadlineMs: 20_000, tries: 2 })
    expect([calls, answer.text]).toEqual([2, '{"fine":true}'])
  })
})
