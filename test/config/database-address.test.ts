import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { type AddressFault, type DatabaseAddress, readDatabaseAddress } from '../../server/config/database-address.ts'
import { postgresClient } from '../../server/store/engine/postgres.ts'
import { certificate } from '../support/certificates.ts'
import { temporaryFolder } from '../support/places.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())
const ca = join(folder.path, 'ca.pem')
const key = join(folder.path, 'key.pem')
const own = certificate({ name: 'own' })
writeFileSync(ca, own.pem)
writeFileSync(key, own.key)

const address = (value: string): DatabaseAddress => {
  const read = readDatabaseAddress(value)
  if ('problem' in read) throw new Error(read.problem)
  return read
}
const fault = (value: string): AddressFault => {
  const read = readDatabaseAddress(value)
  if (!('problem' in read)) throw new Error('it was taken')
  return read
}

/** What the driver makes of it. */
const driven = (value: string) => {
  const { host, port, user, password, database, ssl } = new pg.Client(postgresClient(value))
  return { host, port, user, password, database, ssl }
}

describe('the address of a database', () => {
  test.each([
    ['#', 'postgres://muster:canary#canary@db.example/muster'],
    ['# behind digits', 'postgres://muster:12#canary@db.example/muster'],
    ['/', 'postgres://muster:canary/canary@db.example/muster'],
    ['?', 'postgres://muster:canary?canary@db.example/muster'],
    ['@ and #', 'postgres://muster:canary@canary#x@db.example/muster'],
    ['@ and /', 'postgres://muster:canary@canary/x@db.example/muster'],
    ['# in the user', 'postgres://mus#ter:canary@db.example/muster'],
  ])('with a raw %s in user or password is refused, and told how to write it', (_what, value) => {
    const { problem, remedy } = fault(value)
    expect(problem).toBe('holds a #, a / or a ? in its user or password')
    expect(remedy).toMatch(/# is %23, \/ is %2F, \? is %3F/)
    expect(problem + remedy).not.toContain('canary')
  })

  test.each([
    ['cut at a #', 'postgres://muster:canary'],
    ['cut behind the password', 'postgres://muster:canary@'],
    ['with a port that is none', 'postgres://muster:canary@db.example:99999/muster'],
  ])('%s is refused as cut off', (_what, value) => {
    const { problem, remedy } = fault(value)
    expect(problem).toBe('is no address, or was cut off')
    expect(problem + remedy).not.toContain('canary')
  })

  test('is refused for each other reason by name', () => {
    expect(fault('mysql://canary@x/y').problem).toBe('is not a postgres:// address')
    expect(fault('postgres://a,b:5432/db').problem).toBe('names several servers')
    expect(fault('postgres://u:%E9canary@h/db').problem).toMatch(/%-code that is no character/)
    expect(fault('postgres://h/db?sslmode=allow').problem).toMatch(/sslmode that is not known/)
    expect(fault('postgres://h/db?sslmode=verify-ca').problem).toMatch(/names no sslrootcert/)
    expect(fault('postgres://h/db?sslrootcert=/no/such.pem').problem).toMatch(/\/no\/such\.pem as sslrootcert.*ENOENT/)
    expect(fault(`postgres://h/db?sslrootcert=${key}`).problem).toMatch(/holds no certificate/)
  })

  test.each([
    ['postgres://muster:p%23%2F%3F%40%3A%25w@db.example:5433/muster', 'p#/?@:%w'],
    ['postgres://muster:p@ss@db.example:5433/muster', 'p@ss'],
    ['postgres://muster:100%sure@db.example:5433/muster', '100%sure'],
    ['postgres://muster:a b@db.example:5433/muster', 'a b'],
    ['postgresql://muster:%C3%A5@db.example:5433/muster?application_name=a@b', 'å'],
  ])('reaches the driver whole: %s', (value, password) => {
    expect(driven(value)).toMatchObject({
      host: 'db.example',
      port: 5433,
      user: 'muster',
      password,
      database: 'muster',
    })
  })

  test('leads to a socket where it names one', () => {
    expect(driven('postgres://muster@/muster?host=/var/run/postgresql')).toMatchObject({ host: '/var/run/postgresql' })
    expect(address('postgres:///muster').place).toBe('localhost/muster')
  })

  test('is shown without user and password', () => {
    expect(address('postgres://muster:canary@db.example:5433/muster').place).toBe('db.example:5433/muster')
  })

  test('says how to encrypt', () => {
    const ssl = (query: string) => driven(`postgres://u@h/db${query}`).ssl
    expect(ssl('?sslmode=disable')).toBe(false)
    for (const query of [
      '?sslmode=require',
      '?sslmode=prefer',
      '?sslmode=verify-full',
      '?ssl=true',
      '?sslrootcert=system',
    ]) {
      expect(ssl(query)).toEqual({})
    }
    expect(ssl('?sslmode=no-verify')).toEqual({ rejectUnauthorized: false })
    expect(ssl(`?sslmode=verify-full&sslrootcert=${ca}`)).toEqual({ ca: own.pem })
    expect(ssl(`?sslrootcert=${ca}&sslcert=${ca}&sslkey=${key}`)).toMatchObject({
      ca: own.pem,
      cert: own.pem,
      key: own.key,
    })
    const { checkServerIdentity } = ssl(`?sslmode=verify-ca&sslrootcert=${ca}`) as unknown as {
      checkServerIdentity(): unknown
    }
    expect(checkServerIdentity()).toBeUndefined()
  })
})
