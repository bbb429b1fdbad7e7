import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { originalOf, splitList } from '../../server/microsoft/incidents/split-list.ts'
import { appToken, connect, consented, contoso, listen } from '../support/microsoft.ts'
import { defenderIncident, graphIncident } from '../support/payloads.ts'

const textsOf = (json: string | Buffer) => splitList(Buffer.from(json))?.items.map(String) ?? null

/** JSON with space wherever it may be. */
const spaced = (value: unknown, space: () => string): string => {
  const s = space
  if (Array.isArray(value)) return `[${s()}${value.map((one) => spaced(one, s)).join(`${s()},${s()}`)}${s()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}${s()}:${s()}${spaced(one, s)}`)
  return `{${s()}${fields.join(`${s()},${s()}`)}${s()}}`
}

describe('a list taken apart', () => {
  test('has each item as it came, whatever it is, and what stands around the list', () => {
    const json = fc.jsonValue({ maxDepth: 4 })
    const around = fc.dictionary(fc.string(), json)
    const spaces = fc.array(fc.constantFrom('', '', ' ', '\n', '\t\r\n  '), { minLength: 1 })
    fc.assert(
      fc.property(fc.array(json), around, around, spaces, (items, before, after, gaps) => {
        const { value: _, ...behind } = after
        const { value: __, ...ahead } = before
        let turn = 0
        const gap = () => gaps[turn++ % gaps.length] ?? ''
        const fields = {
          ...ahead,
          value: items,
          ...Object.fromEntries(Object.entries(behind).filter(([k]) => !(k in ahead))),
        }
        const answer = gap() + spaced(fields, gap) + gap()
        const apart = splitList(Buffer.from(answer))
        const sent = apart?.items.map(String) ?? []
        // Another mention of the name behind the list leaves it whole.
        if (apart === null) expect(answer.split('"value"').length).toBeGreaterThan(2)
        else expect({ ...apart.body, value: sent.map((text) => JSON.parse(text)) }).toEqual(JSON.parse(answer))
        for (const text of sent) expect(text).toBe(text.trim())
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['an empty list', '{"value":[]}', []],
    ['an empty list with space in it', '{"value" : [ \n ] }', []],
    [
      'numbers and words as they were written',
      '{"value":[1.0, 1e3 ,null,true,"a"]}',
      ['1.0', '1e3', 'null', 'true', '"a"'],
    ],
    [
      'brackets, commas and quotes within texts',
      '{"value":[{"a":"]},{\\"\\\\"},{"b":","}]}',
      ['{"a":"]},{\\"\\\\"}', '{"b":","}'],
    ],
    [
      'lists of that name further in',
      '{"a":{"value":[1]},"b":[{"value":[2]}],"value":[{"value":[3]}]}',
      ['{"value":[3]}'],
    ],
    ['the name as a text', '{"a":"value","b":["value"],"value":[4]}', ['4']],
    ['the name at the end of a text', '{"\\"value":[1],"x\\\\":"value","value":[5]}', ['5']],
    ['a byte order mark', '\ufeff{"value":[6]}', ['6']],
    ['an escape at the end of a text', '{"a":"\\\\","value":["b\\\\"]}', ['"b\\\\"']],
    ['letters of several bytes', '{"ä":"€🙂","value":["Zürich","🙂"]}', ['"Zürich"', '"🙂"']],
  ])('holds for %s', (_, json, items) => {
    expect(textsOf(json)).toEqual(items)
  })

  test.each([
    ['no list', '{"value":{"a":[1]}}'],
    ['none of that name', '{"values":[1]}'],
    ['the name in another spelling', '{"val\\u0075e":[1]}'],
    ['two of them, of which a parser takes the last', '{"value":[1],"value":[2]}'],
    ['what is not UTF-8', Buffer.from([...Buffer.from('{"value":["'), 0xff, ...Buffer.from('"]}')])],
    ['a list of nothing', '{"value":[,]}'],
    ['an item that is missing', '{"value":[1,,2]}'],
    ['a comma at the end', '{"value":[1,]}'],
    ['what is not JSON around it', '{"value":[1],}'],
    ['a list by itself', '[{"value":[1]}]'],
  ])('is left whole: %s', (_, json) => {
    expect(textsOf(json)).toBeNull()
  })

  test.each(['{"value":[', '{"value":["a', '{"value":[{"a":"\\', '{"value"', '{"value":', '"', ''])(
    'is left whole when it breaks off: %s',
    (json) => {
      expect(splitList(Buffer.from(json))).toBeNull()
    },
  )
})

describe('a page', () => {
  test.each([
    ['an item that is no JSON', '{"value":[{"incidentId":1},{"incidentId":tru}]}'],
    ['two items without a comma', '{"value":[{"incidentId":1} {"incidentId":2}]}'],
    ['a closing bracket too many', '{"value":[{"incidentId":1}}]}'],
    ['a raw line break in a text', '{"value":[{"incidentId":"1\n"}]}'],
    ['a control character between items', '{"value":[{"incidentId":1},\u0001{"incidentId":2}]}'],
  ])('with %s is refused, and nothing of it is read', async (_, text) => {
    await using double = await listen(
      consented(
        () => ({ text }),
        (tenant) => appToken(tenant, { roles: ['Incident.Read.All'] }),
      ),
    )
    const { microsoft } = connect(double.origin)
    const pages = microsoft.listIncidents(contoso, {})
    await expect(pages.next()).rejects.toMatchObject({ code: 'unexpected-answer', facts: { error: 'not_json' } })
  })
})

describe('the original of an incident', () => {
  test.each(['defender', 'graph'] as const)('of %s is kept byte for byte', async (incidentsApi) => {
    const record = incidentsApi === 'defender' ? defenderIncident() : graphIncident()
    const odd = `{ "odd" : [1.0, "\\u00e9é\\/"],\n ${JSON.stringify(record).slice(1)}`
    await using double = await listen(
      consented(
        () => ({ text: `{"value" : [ ${odd} , null ]}` }),
        (tenant) => appToken(tenant, { roles: ['Incident.Read.All', 'SecurityIncident.Read.All'] }),
      ),
    )
    const { microsoft } = connect(double.origin, { incidentsApi })
    const read = []
    for await (const { incidents } of microsoft.listIncidents(contoso, {})) read.push(...incidents)
    expect(read.map(({ original }) => Buffer.from(original).toString())).toEqual([odd])
    expect(read[0]?.fingerprint).toBe(createHash('sha256').update(odd).digest('base64url'))
  })

  test('is what was understood of it, where what was sent is not known', () => {
    const { original, fingerprint } = originalOf({ id: 'ä' }, null)
    expect(Buffer.from(original).toString()).toBe('{"id":"ä"}')
    expect(fingerprint).toBe(createHash('sha256').update('{"id":"ä"}').digest('base64url'))
  })
})
