import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { jsonTextOf } from '../wire/json-text.ts'
import { isRecord } from '../wire/reading.ts'

/** A list as it was answered. */
export interface SplitList {
  /** What stands around the items; `value` is empty. */
  body: Record<string, unknown>
  /** What was sent of each item: views into the answer, JSON if the answer is. */
  items: Buffer[]
}

const code = (character: string) => character.charCodeAt(0)
const quote = code('"')
const backslash = code('\\')
const comma = code(',')
const openObject = code('{')
const closeObject = code('}')
const openList = code('[')
const closeList = code(']')
const listName = '"value"'

/**
 * Takes an answer apart at the list `value`. What came is then kept byte for byte for a look at it, where putting it
 * together again from what was parsed costs several times that; and items are parsed one by one, so that a long list
 * neither holds the event loop nor stands in memory whole.
 *
 * Strings are skipped by a native search, in a text of which each character is a byte of the answer.
 * @returns null for what is no such list, or not certainly: not JSON around the list, not UTF-8, two lists of that name
 */
export function splitList(answer: Buffer): SplitList | null {
  if (!isUtf8(answer)) return null
  const text = answer.toString('latin1')
  const start = listIn(text)
  const list = start === null ? null : itemsIn(text, start)
  // A parser takes the last of several fields of one name. Another mention of it behind the list does no harm either way.
  if (start === null || list === null || text.includes(listName, list.end)) return null
  const around = Buffer.concat([answer.subarray(0, start), Buffer.from('[]'), answer.subarray(list.end)])
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(around))
    if (!isRecord(body) || !Array.isArray(body.value)) return null
    return { body, items: list.items.map(([from, to]) => answer.subarray(from, to)) }
  } catch {
    return null
  }
}

/** Where the list opens. */
function listIn(text: string): number | null {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === quote) {
      const end = afterString(text, at)
      const next = afterSpace(text, end)
      if (depth === 1 && text[next] === ':' && end - at === listName.length && text.startsWith(listName, at)) {
        const start = afterSpace(text, next + 1)
        return text.charCodeAt(start) === openList ? start : null
      }
      at = end - 1
    } else if (character === openObject || character === openList) depth++
    else if (character === closeObject || character === closeList) depth--
  }
  return null
}

/** @param start where the list opens; @returns where each item begins and ends, and where what follows the list begins */
function itemsIn(text: string, start: number): { items: [number, number][]; end: number } | null {
  const items: [number, number][] = []
  let depth = 0
  let first = -1
  let last = -1
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (depth === 0 && (character === comma || character === closeList)) {
      const ended = character === closeList
      if (first === -1) return ended && items.length === 0 ? { items, end: at + 1 } : null
      items.push([first, last + 1])
      if (ended) return { items, end: at + 1 }
      first = -1
      continue
    }
    if (isSpace(character)) continue
    if (first === -1) first = at
    if (character === quote) at = afterString(text, at) - 1
    else if (character === openObject || character === openList) depth++
    else if (character === closeObject || character === closeList) depth--
    last = at
  }
  return null
}

/** @param start where a string opens; @returns where what follows it begins: beyond the text, where nothing closes it */
function afterString(text: string, start: number): number {
  for (let at = start; ; ) {
    at = text.indexOf('"', at + 1)
    if (at === -1) return text.length + 1
    let before = at
    while (text.charCodeAt(before - 1) === backslash) before--
    if ((at - before) % 2 === 0) return at + 1
  }
}

function afterSpace(text: string, start: number): number {
  let at = start
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

/** https://www.rfc-editor.org/rfc/rfc8259#section-2 */
const isSpace = (character: number) =>
  character === 0x20 || character === 0x0a || character === 0x0d || character === 0x09

/** What is kept of a record: what was sent of it, or else what was understood. */
export function originalOf(
  record: Record<string, unknown>,
  sent: Uint8Array | null,
): { original: Uint8Array; fingerprint: string } {
  const original = sent ?? new TextEncoder().encode(jsonTextOf(record))
  return { original, fingerprint: hash('sha256', original, 'base64url') }
}
