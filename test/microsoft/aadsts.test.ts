import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { refusalsDocument } from '../../server/cli/refusals-document.ts'
import { reasons, umbrellas } from '../../server/model/aadsts.ts'
import {
  type Entry,
  entries,
  findCause,
  findEntry,
  meaningOf,
  ownerAt,
  ownerOfRefusal,
} from '../../server/model/dictionary.ts'
import { refusalCodes } from '../../server/model/refusal.ts'
import { en } from '../../server/words/en.ts'

const english: Record<string, string> = en

const document = readFileSync(new URL('../../docs/refusals.md', import.meta.url), 'utf8')

describe('docs/refusals.md', () => {
  test('is what the code says: made anew with `npm run docs`', () => {
    expect(document).toBe(refusalsDocument())
  })

  test('has every number in the table of its reason and in that of all, and says who must act', () => {
    for (const { number, reason, fact } of entries) {
      expect(document.split(`\n| ${number} | ${fact} |`)).toHaveLength(3)
      expect(document).toContain(`\n### ${reason}\n`)
      expect(document).toContain(` | [${reason}](#${reason}) |`)
    }
  })

  test('has every refusal, with its words and who must act', () => {
    for (const code of refusalCodes) expect(document).toContain(`\n## \`${code}\`\n\n${english[`refusal.${code}`]}\n`)
    expect(
      document.match(/^Who must act: (you|the customer’s administrator|Microsoft|nobody: wait)\.$/gm),
    ).toHaveLength(refusalCodes.length)
    expect(document).not.toMatch(/undefined|\{\w+\}/)
  })
})

describe('the dictionary of AADSTS numbers', () => {
  test('has as many entries as it says, and each number once', () => {
    expect(entries).toHaveLength(239)
    expect(new Set(entries.map(({ number }) => number)).size).toBe(entries.length)
    expect(Object.values(reasons).flatMap(({ numbers }) => numbers.map(([number]) => number))).toHaveLength(
      entries.length,
    )
  })

  test('tells of each number who must act, and what is special about it', () => {
    for (const entry of entries) {
      expect(entry.fact).toMatch(/^[\p{L} ,;’.-]{8,110}$/u)
      for (const place of ['token', 'consent', 'sign-in'] as const) {
        expect(['partner', 'customer', 'microsoft', 'wait']).toContain(ownerAt(place, entry))
      }
    }
  })

  test('has what happened and what to do for operators, by the reason or by the refusal, and no words to spare', () => {
    for (const { code, reason, cause } of entries) {
      const key = cause ? `cause.${reason}` : `refusal.${code}`
      expect(english).toHaveProperty([key])
      expect(english).toHaveProperty([`${key}.next`])
    }
    const owned = new Set(entries.filter(({ cause }) => cause).map(({ reason }) => `cause.${reason}`))
    const spare = Object.keys(english).filter(
      (key) => key.startsWith('cause.') && !owned.has(key.replace(/\.next$/, '')),
    )
    expect(spare).toEqual([])
  })

  test('knows none but its own numbers to stand for others', () => {
    expect([...umbrellas].filter((number) => findEntry(number) === null)).toEqual([])
  })

  test('speaks of Conditional Access for its own numbers alone', () => {
    expect(new Set(entries.filter(({ code }) => code === 'blocked-by-policy').map(({ reason }) => reason))).toEqual(
      new Set(['policy', 'device']),
    )
    const told = entries
      .filter((entry) => entry.code === 'blocked-by-policy' && !entry.cause)
      .map(({ number }) => number)
    expect(told).toEqual([50131, 53003, 530031, 530032, 530036, 530084])
  })

  test('lets the longest known number decide, then the first', () => {
    expect(meaningOf({ numbers: [50020, 500208], word: null }).aadsts).toBe(500208)
    expect(meaningOf({ numbers: [53003, 50105], word: null }).aadsts).toBe(53003)
    expect(meaningOf({ numbers: [70000, 70001], word: null }).aadsts).toBe(70000)
    expect(meaningOf({ numbers: [], word: null })).toMatchObject({ aadsts: null, code: 'unexpected-answer' })
  })

  test('says nothing of a refusal that came with a number of another kind', () => {
    expect(findCause('partner-credential', 50032)?.reason).toBe('certificate-weak')
    expect(findCause('role-missing', 50032)).toBeNull()
    expect(ownerOfRefusal('not-consented', 650051)).toBe('wait')
    expect(ownerOfRefusal('role-missing', 650051)).toBe('customer')
    expect(ownerOfRefusal('not-consented', null)).toBe('customer')
  })

  test.each([
    [7000222, 'partner', 'partner', 'partner'],
    [50105, 'customer', 'customer', 'partner'],
    [53003, 'customer', 'customer', 'partner'],
    [700016, 'customer', 'partner', 'partner'],
    [500021, 'partner', 'customer', 'partner'],
    [90033, 'microsoft', 'microsoft', 'microsoft'],
    [650051, 'wait', 'wait', 'wait'],
  ] as const)('names for AADSTS%i who must act at the token, the consent and the sign-in', (number, ...owners) => {
    const entry = findEntry(number) as Entry
    expect((['token', 'consent', 'sign-in'] as const).map((place) => ownerAt(place, entry))).toEqual(owners)
  })
})
