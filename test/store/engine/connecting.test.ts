import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterAll, describe, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import { createLog } from '../../../server/log.ts'
import { type ConnectionFault, connectionFault } from '../../../server/store/connection-fault.ts'
import { openDatabase } from '../../../server/store/engine/database.ts'
import { inspectDatabase } from '../../../server/store/engine/inspection.ts'
import { migrationLimits, openPostgres } from '../../../server/store/engine/postgres.ts'
import { certificate } from '../../support/certificates.ts'
import { databases, freshDatabase } from '../../support/databases.ts'
import { listen } from '../../support/ports.ts'

const log = createLog('silent')
const servers: Server[] = []
afterAll(() => {
  for (const server of servers) server.close()
})

const isTlsRequest = (message: Buffer) => message.length === 8 && message.readInt32BE(4) === 80877103

/** An ErrorResponse: https://www.postgresql.org/docs/current/protocol-error-fields.html */
function refusal(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C${code}\0M${message}\0\0`)
  const head = Buffer.alloc(5, 'E')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

/** A server of which somebody hopes that it is PostgreSQL. @returns its port */
async function standIn(answer: (message: Buffer, socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (message) => answer(message, socket))
  })
  servers.push(server)
  return listen(server)
}

async function faultAt(address: string): Promise<ConnectionFault> {
  const databaseUrl = `postgres://muster:canary-password@${address}`
  try {
    await (await openDatabase({ databaseUrl, dataDir: '', log })).destroy()
  } catch (error) {
    const fault = connectionFault(error)
    if (!fault) throw error
    expect(JSON.stringify(fault)).not.toContain('canary')
    const { state, reason } = await inspectDatabase({ databaseUrl, dataDir: '' }, log)
    expect(state).toBe('unreachable')
    expect(reason).toContain(/^E[A-Z]+$/.test(fault.code) ? fault.code : fault.problem)
    return fault
  }
  throw new Error('it was opened')
}

describe('a database that cannot be had is told in words', () => {
  const refusing = (code: string, message: string) => standIn((_message, socket) => socket.end(refusal(code, message)))

  test.each([
    ['28P01', 'password authentication failed for user "canary"', /refuses the password/],
    ['3D000', 'database "muster" does not exist', /no database of that name/],
    ['28000', 'no pg_hba.conf entry for host "::1", user "canary", no encryption', /encrypted connections alone/],
    ['28000', 'role "canary" does not exist', /knows no such user/],
    ['53300', 'sorry, too many clients already', /no more connections/],
    ['57P03', 'the database system is starting up', /starting/],
    ['08P01', 'no such database: muster', /no database of that name/],
    ['08P01', 'SASL authentication failed', /refuses the password/],
    ['08P01', 'unsupported startup parameter: x', /pooler/],
  ])('when it answers %s: %s', async (code, message, problem) => {
    const fault = await faultAt(`127.0.0.1:${await refusing(code, message)}/muster`)
    expect(`${fault.problem} ${fault.remedy}`).toMatch(problem)
  })

  test('when it hangs up in the middle', async () => {
    const port = await standIn((_message, socket) => socket.end())
    expect((await faultAt(`127.0.0.1:${port}/muster`)).problem).toBe('it hung up in the middle')
  })

  test('when nothing listens there', async () => {
    const server = createServer()
    const port = await listen(server)
    server.close()
    expect(await faultAt(`127.0.0.1:${port}/muster`)).toMatchObject({
      code: 'ECONNREFUSED',
      problem: 'nothing answers there',
    })
  })

  test('when it has no TLS, or answers it with something else', async () => {
    const none = await standIn((message, socket) => {
      if (isTlsRequest(message)) socket.end('N')
    })
    expect((await faultAt(`127.0.0.1:${none}/muster?sslmode=require`)).problem).toBe('it has no TLS')
    const web = await standIn((_message, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect((await faultAt(`127.0.0.1:${web}/muster?sslmode=require`)).problem).toMatch(/something else than PostgreSQL/)
  })

  test('when its certificate is of a CA that nobody knows, or for another name', async () => {
    const { pem, key } = certificate({ name: 'db.example' })
    const inside = createTlsServer({ cert: pem, key }).on('tlsClientError', () => undefined)
    const port = await standIn((message, socket) => {
      if (!isTlsRequest(message)) return
      socket.removeAllListeners('data')
      socket.write('S')
      inside.emit('connection', socket)
    })
    const fault = await faultAt(`127.0.0.1:${port}/muster?sslmode=verify-full`)
    expect(fault.problem).toMatch(/signed by itself|CA that nobody here knows/)
    expect(fault.remedy).toContain('sslrootcert=')
  })

  test('and a fault of our own is not', () => {
    expect(connectionFault(new TypeError('x is not a function'))).toBeNull()
    expect(connectionFault(Object.assign(new TypeError('x'), { code: 'ERR_INVALID_ARG_TYPE' }))).toBeNull()
  })
})

test('what a pooler refuses is not among the parameters of a connection', async () => {
  const started: string[] = []
  const port = await standIn((message, socket) => {
    started.push(message.toString('latin1'))
    socket.end(refusal('08P01', 'enough'))
  })
  await faultAt(`127.0.0.1:${port}/muster`)
  expect(started[0]).toContain('user\0muster\0database\0muster')
  expect(started.join('')).not.toMatch(/timeout|options/)
})

for (const { name, open } of databases.filter((one) => one.name === 'PostgreSQL')) {
  describe(`on ${name}`, () => {
    test('a request has its limits, and a migration none, however the connection was used before', async () => {
      const store = await open()
      const shown = async (db: typeof store.db) =>
        (await sql<{ statement_timeout: string }>`show statement_timeout`.execute(db)).rows[0]?.statement_timeout
      expect(await shown(store.db)).toBe('15s')
      const migrating = openPostgres(store.url ?? '', log, migrationLimits)
      await sql`set statement_timeout = 1000`.execute(migrating)
      await migrating.transaction().execute(async (tx) => {
        expect(await shown(tx)).toBe('0')
        const { rows } =
          await sql`select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`.execute(tx)
        expect(rows).toHaveLength(1)
      })
      // Nothing is left for whoever is lent this connection next.
      const { rows } = await sql`select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`.execute(
        migrating,
      )
      expect([rows, await shown(migrating)]).toEqual([[], '1s'])
      await migrating.destroy()
      await store.close()
    })

    test('a database that is missing is told as that', async () => {
      const place = await freshDatabase('PostgreSQL')
      const { host } = new URL(place.databaseUrl ?? '')
      const databaseUrl = `${(place.databaseUrl ?? '').replace(/\/[^/]*$/, '')}/muster_not_there`
      const found = await inspectDatabase({ databaseUrl, dataDir: '' }, log)
      expect(found).toMatchObject({ place: `${host}/muster_not_there`, state: 'unreachable' })
      expect(found.reason).toMatch(/no database of that name, 3D000/)
      await place.drop()
    })
  })
}
