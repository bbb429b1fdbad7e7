import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import { among } from '../../../server/store/engine/dialect.ts'
import { storableText } from '../../../server/store/engine/storable-text.ts'
import { write } from '../../../server/store/engine/write.ts'
import { databases, type OpenDatabase } from '../../support/databases.ts'

const refused = [
  '\0',
  'a\0b',
  '\ud800',
  'x\udfff',
  '\udc00\ud800',
  'NUL \0 and half \ud83d of a pair',
  `${'y'.repeat(5_000)}\0z`,
]
const taken = ['', 'plain', '🙂', '\u202egnp.exe', '\ufffd', '\\u0000', "'; --", '\x01\x7f']

describe.each(databases)('text on $name', ({ open }) => {
  let store: OpenDatabase
  beforeAll(async () => {
    store = await open()
    await sql`create table texts (id text primary key, said text)`.execute(store.db)
  })
  afterAll(async () => {
    await sql`drop table texts`.execute(store.db)
    await store.close()
  })

  const keep = (id: string, said: string | Uint8Array) =>
    write(store.db, (tx) => sql`insert into texts (id, said) values (${id}, ${said})`.execute(tx))
  const keptUnder = async (id: string) => {
    const { rows } = await sql<{ said: string }>`select said from texts where id = ${id}`.execute(store.db)
    return rows.map(({ said }) => said)
  }

  test.each(taken)('%j is kept as it is', async (text) => {
    await keep(`kept ${text}`, text)
    expect(await keptUnder(`kept ${text}`)).toEqual([text])
  })

  test.each(refused)(
    '%j, which an engine would refuse or cut off, is kept whole with the place marked',
    async (text) => {
      const id = `${refused.indexOf(text)} ${text}`
      await keep(id, text)
      const [said = ''] = await keptUnder(id)
      expect(said).toBe(storableText(text))
      expect(said).toHaveLength(text.length)
      expect(said).toContain('\ufffd')
      const { rows } = await sql`select id from texts where ${among(store.db, 'id', [id])}`.execute(store.db)
      expect(rows).toHaveLength(1)
    },
  )

  test('of bytes that are no UTF-8, or hold a NUL, is kept as text', async () => {
    await keep('bytes', new Uint8Array([0x61, 0xff, 0x62, 0x00, 0x63]))
    const { rows } = await sql<{
      said: unknown
    }>`select cast(said as text) as said from texts where id = 'bytes'`.execute(store.db)
    expect(rows[0]?.said).toBe('a\ufffdb\ufffdc')
  })
})
