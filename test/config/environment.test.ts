import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from '@jest/globals'
import { readConfig } from '../../server/config/config.ts'
import { readEnvFile } from '../../server/config/env-file.ts'
import { environment } from '../../server/config/environment.ts'
import { withFound } from '../../server/config/secrets.ts'
import { ConfigError, variables } from '../../server/config/variables.ts'

const folder = mkdtempSync(join(tmpdir(), 'muster-env-'))
const file = join(folder, '.env')
const before = { ...process.env }

/** A superuser may read everything: for as long as this takes, he is none. */
function asOrdinaryUser<Result>(work: () => Result): Result {
  if (process.getuid?.() !== 0) return work()
  process.seteuid?.(65_534)
  try {
    return work()
  } finally {
    process.seteuid?.(0)
  }
}
let others: string[] = []

afterEach(() => {
  rmSync(file, { recursive: true, force: true })
  for (const name of [...variables, ...others]) {
    delete process.env[name]
    if (before[name] !== undefined) process.env[name] = before[name]
  }
  others = []
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a portal that is started beside this file knows. */
function told(content: string | Buffer, given: Record<string, string> = {}) {
  writeFileSync(file, content)
  Object.assign(process.env, given)
  return environment(folder, folder)
}

const secret = 'p9Q2vN7xR4sT8wY1zA3bC6dE5fG0hJ_k'
const whole = [
  'DATABASE_URL=postgres://muster@db.example/muster',
  `SESSION_SECRET=${secret}`,
  '# a comment: 繁體中文',
  'AZURE_CLIENT_ID=3B7F2D90-5C1E-4A86-9D43-0F8E61B7A2C5',
  'AZURE_CLIENT_SECRET="kqV8Q~not#a#real one"  # the Value',
  "AZURE_TENANT_ID = '5f0a9c3e-77d2-4b10-8a4e-b1c6d2e90f44'",
]
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16()
const saved: [string, (text: string) => string | Buffer][] = [
  ['UTF-8', (text) => text],
  ['UTF-8 with a byte order mark', (text) => `\ufeff${text}`],
  ['UTF-16 with a byte order mark', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-16 of the other byte order', (text) => utf16be(`\ufeff${text}`)],
  ['UTF-16 without a byte order mark', (text) => Buffer.from(text, 'utf16le')],
  ['UTF-16 of the other byte order without a mark', (text) => utf16be(text)],
  ['two files glued together, each with its mark', (text) => `\ufeff# one\n\ufeff${text}`],
  ['lines that begin with what cannot be seen', (text) => text.replace(/^/gm, '\u200b \u00a0\t')],
]

describe('a file .env', () => {
  test.each(
    saved.flatMap(([how, save]) => ['\n', '\r\n', '\r'].map((end) => [how, JSON.stringify(end), save, end] as const)),
  )('saved as %s, with lines that end in %s, is read whole', (_how, _end, save, end) => {
    const { env, problems } = told(save(whole.join(end)))
    expect(problems).toEqual([])
    expect(readConfig(env)).toMatchObject({
      databaseUrl: 'postgres://muster@db.example/muster',
      sessionSecrets: [secret],
      app: { credential: { secret: 'kqV8Q~not#a#real one' } },
      partnerTenantId: '5f0a9c3e-77d2-4b10-8a4e-b1c6d2e90f44',
    })
  })

  test.each([
    ['plain', 'ab~c', 'ab~c'],
    ['with spaces around it', '  ab c  ', 'ab c'],
    ['in double quotes', '"ab#c"', 'ab#c'],
    ['in single quotes', "'ab#c'", 'ab#c'],
    ['in backticks', '`ab"\'#c`', 'ab"\'#c'],
    ['with a comment', 'abc # mine', 'abc'],
    ['in quotes with a comment', '"abc" # mine', 'abc'],
    ['that is a comment', '# to be filled in', ''],
    ['empty', '', ''],
    ['empty quotes', '""', ''],
    ['with an equals sign', 'a=b=', 'a=b='],
    ['a path of Windows in quotes', '"C:\\new\\table"', 'C:\\new\\table'],
  ])('takes a value %s', (_how, written, value) => {
    for (const line of [`AZURE_CLIENT_SECRET=${written}`, `export AZURE_CLIENT_SECRET = ${written}`]) {
      const { env, problems } = told(`PORT=1\n${line}\nHOST=::1`)
      expect({ ...env, problems }).toMatchObject({ AZURE_CLIENT_SECRET: value, PORT: '1', HOST: '::1', problems: [] })
    }
  })

  test.each([
    ['an unquoted #', 'AZURE_CLIENT_SECRET=canary#canary', /# outside of quotes/],
    ['nothing but a # and more', 'AZURE_CLIENT_SECRET=#canary', /# outside of quotes/],
    ['a # in a password of its address', 'AZURE_CLIENT_SECRET=postgres://u:canary#canary@h/d', /# outside of quotes/],
    ['a quote that nobody closed', 'AZURE_CLIENT_SECRET="canary', /not closed/],
    ['more behind its quotes', 'AZURE_CLIENT_SECRET="canary"canary', /goes on behind/],
    ['typographic quotes', 'AZURE_CLIENT_SECRET=“canary”', /typographic/],
    ['a colon', 'AZURE_CLIENT_SECRET: canary', /not set by this line/],
    ['the way of PowerShell', '$env:AZURE_CLIENT_SECRET = "canary"', /not set by this line/],
    ['the way of the command prompt', 'set AZURE_CLIENT_SECRET=canary', /not set by this line/],
    ['two values', 'AZURE_CLIENT_SECRET=canary-1\nAZURE_CLIENT_SECRET=canary-2', /set twice/],
    ['a character that cannot be seen', 'AZURE_CLIENT_SECRET=can\u200bary', /cannot be seen/],
    ['a control character', 'AZURE_CLIENT_SECRET=can\u0007ary', /cannot be seen/],
  ])('with %s is refused by name, without the value', (_what, line, problem) => {
    const { env, problems } = told(`${whole.filter((one) => !one.startsWith('AZURE_CLIENT_S')).join('\n')}\n${line}\n`)
    let refusal: unknown
    try {
      readConfig(env, { problems })
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(ConfigError)
    const named = (refusal as ConfigError).problems
    expect(named.map(({ variable }) => variable)).toEqual(['AZURE_CLIENT_SECRET'])
    expect(named[0]?.problem).toMatch(problem)
    expect(JSON.stringify(named)).not.toContain('canary')
  })

  test('names every variable of ours that stands in it and would not be read', () => {
    for (const name of variables) {
      for (const line of [`${name}: canary`, `${name}="canary`, `${name}=canary#y`, `let ${name}=canary`]) {
        const { env, problems } = told(`# first\n${line}\n`)
        expect(problems.map(({ variable }) => variable)).toEqual([name])
        expect(problems[0]?.problem).toContain('line 2')
        expect(env[name] ?? '').not.toContain('canary')
      }
    }
  })

  test('takes the value of a variable that a sample left empty elsewhere', () => {
    expect(told('PORT=\nPORT=81\n').env.PORT).toBe('81')
    expect(told('HOST=::1\nHOST=\nHOST=::1').env.HOST).toBe('::1')
  })

  test('gives way to the environment, and says so where that is empty', () => {
    const both = told('PORT=81\nHOST=::1\n', { PORT: '82', HOST: ' ' })
    expect(both.env.PORT).toBe('82')
    expect(both.problems.map(({ variable }) => variable)).toEqual(['HOST'])
  })

  test('sets variables of others as Node.js does, over several lines, and never over one of ours', () => {
    others = ['OTHER_KEY', 'OTHER_TAG', 'OTHER_OPEN']
    const { env } = told('OTHER_KEY="one\ntwo\\nthree"\nOTHER_TAG=v1#2\nOTHER_OPEN="never\nPORT="81"\n')
    expect([process.env.OTHER_KEY, process.env.OTHER_TAG]).toEqual(['one\ntwo\nthree', 'v1'])
    expect(env.PORT).toBe('81')
  })

  test('that is no text, a folder or not to be read is named', () => {
    expect(told(Buffer.from([0x50, 0, 0, 0x3d, 0, 0, 0, 0x41])).problems).toMatchObject([{ variable: file }])
    rmSync(file)
    mkdirSync(file)
    expect(environment(folder, folder).problems).toMatchObject([{ variable: file, problem: 'is a folder' }])
  })

  test('that this user may not read is named', () => {
    writeFileSync(file, 'PORT=1')
    chmodSync(folder, 0o755)
    chmodSync(file, 0)
    expect(asOrdinaryUser(() => environment(folder, folder).problems)).toMatchObject([
      { variable: file, problem: expect.stringContaining('EACCES') },
    ])
  })

  test('that is not there is no problem', () => {
    expect(environment(folder, folder).problems).toEqual([])
  })

  test('in another encoding is refused for the value that it spoils, and for no comment', () => {
    const latin = (text: string) => Buffer.from(text, 'latin1')
    expect(readEnvFile(latin('# för oss\nPORT=1\n'), variables)?.faults.size).toBe(0)
    expect([...(readEnvFile(latin('PORT=1\nDATA_DIR=/srv/mörker\n'), variables)?.faults.keys() ?? [])]).toEqual([
      'DATA_DIR',
    ])
  })
})

describe('a name that is none of ours', () => {
  const warned = (content: string, given: Record<string, string> = {}) => {
    others = [...content.matchAll(/^([\w.-]+)=/gm)].map(([, name = '']) => name).concat(Object.keys(given))
    const { env, problems, warnings } = told(content, given)
    expect(problems).toEqual([])
    return warnings.map(({ variable, remedy }) => [variable, remedy, env[variable as 'PORT']])
  }

  test.each([
    ['INCIDENT_API', 'INCIDENTS_API'],
    ['INCIDENTS_APIS', 'INCIDENTS_API'],
    ['incidents_api', 'INCIDENTS_API'],
    ['INCDIENTS_API', 'INCIDENTS_API'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['DATABASE-URL', 'DATABASE_URL'],
    ['DATBASE_UR', 'DATABASE_URL'],
    ['TRUST_PROXIES', 'TRUST_PROXY'],
    ['ADMIN_USER', 'ADMIN_USERS'],
    ['SESSION_SECRETS', 'SESSION_SECRET'],
    ['AZURE_TENANTID', 'AZURE_TENANT_ID'],
    ['SIGNIN_CLIENT_ID', 'SIGN_IN_CLIENT_ID'],
    ['CALL_PER_MINUTE', 'CALLS_PER_MINUTE'],
    ['Port', 'PORT'],
    ['HOSTS', 'HOST'],
  ])('and looks like one is asked about: %s', (name, meant) => {
    expect(warned(`${name}=graph`)).toEqual([[name, `Did you mean ${meant}?`, undefined]])
    expect(warned(`${name}=graph\n${meant}=defender`)).toEqual([])
    expect(warned(`${name}=`)).toEqual([])
  })

  test.each([
    ...['AZURE_CONFIG_DIR', 'AZURE_CLIENT_CERTIFICATE_PASSWORD', 'AZURE_USERNAME', 'AZURE_FEDERATED_TOKEN_FILE'],
    ...['AZURE_SUBSCRIPTION_ID', 'AZURE_CLIENT_NAME', 'AZURE_REGION', 'AZURE_LOCATION', 'AZURE_TENANT_NAME'],
    ...['PATH', 'HOME', 'PWD', 'POST', 'NODE_ENV', 'PGHOST', 'PGPORT', 'HOSTNAME', 'SIMULATOR_PORT', 'MUSTER_PORT'],
  ])('and belongs to others is left alone: %s', (name) => {
    const kept = process.env[name]
    expect(warned('', { [name]: '/x' })).toEqual([])
    if (kept !== undefined) process.env[name] = kept
  })

  test('and is as short as everybody’s counts only in the file', () => {
    expect(warned('', { port: '1', Hosts: 'x' })).toEqual([])
  })
})

describe('paths', () => {
  const stand = mkdtempSync(join(tmpdir(), 'muster-stand-'))
  afterAll(() => rmSync(stand, { recursive: true, force: true }))
  const place = (at: string, name: string) => {
    mkdirSync(join(stand, at), { recursive: true })
    writeFileSync(join(stand, at, name), '')
  }

  test('begin beside package.json, and whole ones stay', () => {
    expect(environment(folder, stand).env.DATA_DIR).toBe(join(folder, 'data'))
    Object.assign(process.env, { DATA_DIR: '../kept', AZURE_CLIENT_CERTIFICATE_PATH: 'app.pem' })
    expect(environment(folder, stand).env).toMatchObject({
      DATA_DIR: join(folder, '..', 'kept'),
      AZURE_CLIENT_CERTIFICATE_PATH: join(folder, 'app.pem'),
    })
    Object.assign(process.env, { DATA_DIR: '/srv/kept', AZURE_CLIENT_CERTIFICATE_PATH: '/srv/app.pem' })
    expect(environment(folder, stand).env).toMatchObject({
      DATA_DIR: '/srv/kept',
      AZURE_CLIENT_CERTIFICATE_PATH: '/srv/app.pem',
    })
  })

  test('that led elsewhere are named with both places, unless nothing was there', () => {
    place('data', 'muster.db')
    place('.', 'app.pem')
    process.env.AZURE_CLIENT_CERTIFICATE_PATH = './app.pem'
    const { problems } = environment(folder, stand)
    expect(problems.map(({ variable }) => variable)).toEqual(['DATA_DIR', 'AZURE_CLIENT_CERTIFICATE_PATH'])
    for (const { problem } of problems) {
      expect(problem).toContain(folder)
      expect(problem).toContain(stand)
    }
    process.env.DATABASE_URL = 'postgres://h/d'
    expect(environment(folder, stand).problems).toHaveLength(1)
    // Nothing has moved for whoever stands beside package.json.
    expect(environment(stand, stand).problems).toEqual([])
  })

  test('a file .env where one stands is another program’s, unless it sets what is missing', () => {
    const left = join(stand, '.env')
    writeFileSync(left, 'PORT=1\nDATABASE_URL=x')
    expect(environment(folder, stand).problems.map(({ variable }) => variable)).not.toContain(left)
    writeFileSync(left, `SESSION_SECRET=${secret}`)
    expect(environment(folder, stand).problems.map(({ variable }) => variable)).toContain(left)
    process.env.SESSION_SECRET = secret
    expect(environment(folder, stand).problems.map(({ variable }) => variable)).not.toContain(left)
    rmSync(left)
  })
})

test('a value in quotes that another reader left in place is the value without them', () => {
  Object.assign(process.env, { AZURE_CLIENT_SECRET: '"abc#d"', HOST: "'::1'", ROLE: '"half' })
  expect(environment(folder, folder).env).toMatchObject({ AZURE_CLIENT_SECRET: 'abc#d', HOST: '::1', ROLE: '"half' })
})

test('where a variable was read is known, and what was found there is shown but for secrets', () => {
  const { env, places } = told(`# one\nPORT=nine\nAZURE_CLIENT_SECRET=${secret}\nPUBLIC_URL=https://u:p@x/y\n`, {
    HOST: 'a\u200bb',
  })
  expect([places.get('PORT'), places.get('HOST')]).toEqual(['.env, line 2', 'the environment'])
  const found = (variable: string) => withFound({ variable, problem: 'is wrong', remedy: '' }, env, places).problem
  expect(found('PORT')).toBe('is wrong (“nine”, read from .env, line 2)')
  expect(found('HOST')).toBe('is wrong (“a\ufffdb”, read from the environment)')
  expect(found('AZURE_CLIENT_SECRET')).toBe('is wrong (read from .env, line 3)')
  expect(found('PUBLIC_URL')).toBe('is wrong (“https://…@x/y”, read from .env, line 4)')
  expect(found('ROLE')).toBe('is wrong')
})
