import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { backup, restore } from '../../../server/cli/backup.ts'
import { CannotStart } from '../../../server/cli/process.ts'
import type { Config } from '../../../server/config/config.ts'
import { sealForStore } from '../../../server/config/data-keys.ts'
import { createLog } from '../../../server/log.ts'
import { muster } from '../../../server/store/audit.ts'
import type { Manifest } from '../../../server/store/backup/manifest.ts'
import { openDatabase } from '../../../server/store/engine/database.ts'
import { write } from '../../../server/store/engine/write.ts'
import { changeMailServer } from '../../../server/store/notify/mail-server.ts'
import { changeSettings, readSettings } from '../../../server/store/partner/settings.ts'
import { build } from '../../support/build.ts'
import { databases, freshDatabase } from '../../support/databases.ts'
import { configFor } from '../../support/microsoft.ts'
import { type Place, temporaryFolder } from '../../support/places.ts'
import { startNode } from '../../support/processes.ts'
import { startProgram } from '../../support/programs.ts'
import { root } from '../../support/root.ts'
import { start } from '../../support/store.ts'
import { until } from '../../support/waiting.ts'

const secret = 'zY8xW6vU4tS2rQ0pO9nM7lK5jI3hG1fE'
const key = 'nM7lK5jI3hG1fEzY8xW6vU4tS2rQ0pO9'
const log = createLog('silent')

interface Said {
  code: number
  text: string
}

async function said(act: Promise<string>): Promise<Said> {
  try {
    return { code: 0, text: await act }
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error
    return { code: 1, text: error.message }
  }
}

/** The command, with what somebody typed behind it. */
async function command(words: string[], place: Place, changes: Partial<Config> = {}): Promise<Said> {
  const config = { ...configFor('http://127.0.0.1:1'), ...place, sessionSecrets: [secret], ...changes }
  const [name, folder = '', ...rest] = words
  if (name === 'backup') return said(backup(config, folder))
  const options = { replace: rest.includes('--replace'), keyless: rest.includes('--without-keys') }
  return said(restore(config, folder, options))
}

/** The same as a process of its own, as somebody types it. */
async function elsewhere(words: string[], place: Place): Promise<Said> {
  const { ended, text } = startNode([join(root, 'dist', 'cli.js'), ...words], {
    env: {
      SESSION_SECRET: secret,
      AZURE_CLIENT_ID: '33333333-aaaa-4bbb-8ccc-0123456789ab',
      AZURE_CLIENT_SECRET: 'canary-client-secret',
      AZURE_TENANT_ID: '99999999-aaaa-4bbb-8ccc-0123456789ab',
      DATA_DIR: place.dataDir,
      ...(place.databaseUrl === null ? {} : { DATABASE_URL: place.databaseUrl }),
    },
  })
  const code = await ended
  expect(text()).not.toMatch(/canary|\s+at .*\.js:\d/)
  return { code: code ?? -1, text: text() }
}

beforeAll(() => build())

describe.each(databases)('a backup on $name', ({ name: engine }) => {
  const folder = temporaryFolder()
  const places: Awaited<ReturnType<typeof freshDatabase>>[] = []
  let backups = 0
  const fresh = async () => {
    const place = await freshDatabase(engine)
    places.push(place)
    return place
  }
  const next = () => join(folder.path, `backup-${backups++}`)
  const manifestIn = (backup: string) => JSON.parse(readFileSync(join(backup, 'manifest.json'), 'utf8')) as Manifest
  const copyIn = (backup: string) => join(backup, manifestIn(backup).file)
  afterEach(async () => {
    for (const place of places.splice(0)) await place.drop()
  })
  afterAll(() => folder.remove())

  /** A database with a name in it, closed again. */
  async function named(partnerName: string) {
    const where = await fresh()
    const db = await openDatabase({ ...where, log })
    await changeSettings(db, muster, { partnerName }, start)
    await db.destroy()
    return where
  }
  async function nameIn(place: Place): Promise<string> {
    const db = await openDatabase({ ...place, log })
    const { partnerName } = await readSettings(db)
    await db.destroy()
    return partnerName
  }

  test('that is taken while others write holds one moment, whole, and is restored elsewhere', async () => {
    const source = await fresh()
    const writer = startProgram('write-until-killed.ts', [source.databaseUrl ?? '', source.dataDir, '0'])
    await writer.line('20')
    const atLeast = Number(writer.lines.at(-1))
    const kept = next()
    const taken = await command(['backup', kept], source)
    expect(taken).toMatchObject({ code: 0, text: expect.stringContaining(`to ${kept}: `) })
    const atMost = Number(writer.lines.at(-1)) + 1
    // It went on meanwhile.
    await writer.line(String(atMost + 20))
    writer.kill('SIGKILL')
    await writer.ended()
    const { rows } = manifestIn(kept)
    expect(rows.audit_events).toBeGreaterThanOrEqual((atLeast + 1) * 10)
    expect(rows.audit_events).toBeLessThanOrEqual((atMost + 1) * 10)
    expect(statSync(copyIn(kept)).mode & 0o077).toBe(0)

    const target = await fresh()
    expect(await command(['restore', kept], target)).toMatchObject({ code: 0 })
    const db = await openDatabase({ ...target, log })
    const whole = await db
      .selectFrom('audit_events')
      .select(({ fn }) => ['subject_id', fn.countAll<number>().as('n')])
      .groupBy('subject_id')
      .execute()
    expect(whole.filter(({ n }) => Number(n) !== 10)).toEqual([])
    expect(whole.length * 10).toBe(rows.audit_events)
    await changeSettings(db, muster, { partnerName: 'it goes on' }, start)
    await db.destroy()
  })

  test('is put in the place of another database only when that is asked for, and while nobody has it open', async () => {
    const kept = next()
    const source = await named('the backed up one')
    await command(['backup', kept], source)
    const target = await fresh()
    // Another process: here, a connection that was closed stays until its statements are collected as garbage.
    const other = startProgram('write-until-killed.ts', [target.databaseUrl ?? '', target.dataDir, '0'])
    await other.line('1')
    const busy = await elsewhere(['restore', kept, '--replace'], target)
    expect(busy).toMatchObject({ code: 1, text: expect.stringMatching(/Stop every Muster/) })
    const before = other.lines.length
    await other.line(String(before + 2))
    other.kill('SIGKILL')
    await other.ended()
    // A server notices a moment later that a client is gone.
    let refused: Said | null = null
    const asked = async () => {
      refused = await elsewhere(['restore', kept], target)
      return !refused.text.includes('Stop every Muster')
    }
    await until(asked, { what: 'nobody else is connected' })
    expect(refused).toMatchObject({ code: 1, text: expect.stringContaining('Add --replace') })
    expect(await elsewhere(['restore', kept, '--replace'], target)).toMatchObject({ code: 0 })
    expect(await nameIn(target)).toBe('the backed up one')
    if (engine === 'PostgreSQL') return
    expect(readdirSync(target.dataDir).filter((file) => file.startsWith('muster.db.before-'))).toHaveLength(1)
  })

  // What is decided before any engine is asked need not be asked of both.
  const once = (name: string, work: () => Promise<void>) => {
    if (engine === 'SQLite') test(name, work)
  }

  once('that was changed since is not restored', async () => {
    const kept = next()
    await command(['backup', kept], await named('x'))
    appendFileSync(copyIn(kept), 'x')
    const target = await fresh()
    const cut = await command(['restore', kept], target)
    expect(cut).toMatchObject({ code: 1, text: expect.stringContaining('was changed or cut since') })
  })

  once('of a newer schema, of another engine, or of nothing at all is not restored', async () => {
    const kept = next()
    await command(['backup', kept], await named('x'))
    const target = await fresh()
    const rewrite = (change: Partial<Manifest>) =>
      writeFileSync(join(kept, 'manifest.json'), JSON.stringify({ ...manifestIn(kept), ...change }))
    const { migrations } = manifestIn(kept)
    rewrite({ migrations: [...migrations, '9999-from-the-future'] })
    expect((await command(['restore', kept], target)).text).toContain('9999-from-the-future')
    rewrite({ migrations, engine: engine === 'SQLite' ? 'PostgreSQL' : 'SQLite' })
    expect((await command(['restore', kept], target)).text).toMatch(/is of .* and this configuration is for/)
    rewrite({ engine, rows: { ...manifestIn(kept).rows, customers: 7 } })
    expect((await command(['restore', kept], target)).text).toMatch(/holds 0 rows of customers, and should hold 7/)
    expect((await command(['restore', folder.path], target)).text).toContain('holds no backup')
  })

  test('whose key is lost is restored only when that is said', async () => {
    const source = await named('x')
    const db = await openDatabase({ ...source, log })
    const keys = { dataKeys: [key], sessionSecrets: [secret] }
    const sealed = sealForStore(keys, 'mail server', 'settings mail', 'smtp://u:p@mail.example')
    await write(db, (tx) => changeMailServer(tx, muster, { sealed, shown: 'mail.example', from: 'a@b.example' }, start))
    await db.destroy()
    const kept = next()
    expect((await command(['backup', kept], source, { dataKeys: [key] })).text).toContain('opens with DATA_KEY alone')
    const target = await fresh()
    const lost = await command(['restore', kept], target)
    expect(lost).toMatchObject({ code: 1, text: expect.stringContaining('neither in DATA_KEY nor in SESSION_SECRET') })
    expect((await command(['restore', kept, '--without-keys'], target)).code).toBe(0)
    expect((await command(['restore', kept, '--replace'], target, { dataKeys: [key] })).code).toBe(0)
  })

  once('is not begun over another, nor of nothing, and leaves nothing half-made', async () => {
    const kept = next()
    const source = await named('x')
    await command(['backup', kept], source)
    expect(await command(['backup', kept], source)).toMatchObject({
      code: 1,
      text: expect.stringMatching(/is there already/),
    })
    const nothing = await command(['backup', next()], await fresh())
    expect(nothing).toMatchObject({
      code: 1,
      text: expect.stringMatching(/There is no database|The database is empty/),
    })
    expect(readdirSync(folder.path).filter((file) => file.includes('partial'))).toEqual([])
    expect(existsSync(copyIn(kept))).toBe(true)
  })
})
