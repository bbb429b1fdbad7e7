import { isUtf8 } from 'node:buffer'
import { beforeLine } from '../invisible.ts'

/** Why a variable that stands in a file cannot be taken from it. */
export type EnvFault =
  | 'not-assigned'
  | 'unquoted-hash'
  | 'unclosed-quote'
  | 'text-after-quote'
  | 'typographic-quote'
  | 'not-utf8'
  | 'twice'

export interface EnvFile {
  /** Of every name the value that stands in the file; never of one that is in `faults`. */
  values: Map<string, string>
  /** Where they stand, counted from 1. */
  lines: Map<string, number>
  /** By name, with the line where the trouble is, counted from 1. */
  faults: Map<string, { fault: EnvFault; line: number }>
}

/**
 * The text of a file as editors save it: UTF-8 or UTF-16, with a byte order mark or without. Null for what is no text.
 * https://www.rfc-editor.org/rfc/rfc2781#section-3.2
 */
export function textOf(bytes: Buffer): string | null {
  const [first, second] = bytes
  const zeros = bytes.subarray(0, 200)
  const zerosAt = (parity: 0 | 1) => zeros.some((byte, at) => byte === 0 && at % 2 === parity)
  let encoding = 'utf-8'
  if (first === 0xff && second === 0xfe) encoding = 'utf-16le'
  else if (first === 0xfe && second === 0xff) encoding = 'utf-16be'
  else if (zerosAt(1) && !zerosAt(0)) encoding = 'utf-16le'
  else if (zerosAt(0) && !zerosAt(1)) encoding = 'utf-16be'
  const text = new TextDecoder(encoding).decode(bytes)
  return text.includes('\0') ? null : text
}

const assignment = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*=(.*)$/s
const quotes = ['"', "'", '`']
const typographic = /^[“”„‟‘’‚‛«»]/u

/**
 * Reads `NAME=value` lines as dotenv files are written: `export`, quotes, comments. Of the names in `own`, whose values
 * are single lines, nothing is guessed: what other readers would cut, swallow or pass over is a fault. All others are
 * taken as Node.js takes them.
 */
export function readEnvFile(bytes: Buffer, own: readonly string[]): EnvFile | null {
  const text = textOf(bytes)
  if (text === null) return null
  const file: EnvFile = { values: new Map(), lines: new Map(), faults: new Map() }
  const owned = new Set(own)
  const lines = text.split(/\r\n|\r|\n/)
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? '').replace(beforeLine, '')
    if (line === '' || line.startsWith('#')) continue
    const [, name, written = ''] = assignment.exec(line) ?? []
    const fail = (variable: string, fault: EnvFault) => file.faults.set(variable, { fault, line: at + 1 })
    if (name !== undefined) file.lines.set(name, at + 1)
    if (name === undefined) {
      const variable = own.find((one) => new RegExp(`(?<![\\w])${one}\\s*[:=]`).test(line))
      if (variable !== undefined) fail(variable, 'not-assigned')
    } else if (owned.has(name)) {
      const read = readOwn(written.trim())
      const earlier = file.values.get(name) ?? ''
      if ('fault' in read) fail(name, read.fault)
      else if (earlier !== '' && read.value !== '' && earlier !== read.value) fail(name, 'twice')
      else file.values.set(name, read.value || earlier)
    } else {
      const { value, lines: taken } = readOther(lines, at, written.trim(), owned)
      file.values.set(name, value)
      at += taken
    }
  }
  for (const name of file.faults.keys()) file.values.delete(name)
  if (!isUtf8(bytes)) for (const [name, value] of file.values) if (value.includes('\ufffd')) faultOf(file, name)
  return file
}

function faultOf({ values, faults }: EnvFile, name: string): void {
  values.delete(name)
  faults.set(name, { fault: 'not-utf8', line: 0 })
}

function readOwn(text: string): { value: string } | { fault: EnvFault } {
  if (typographic.test(text)) return { fault: 'typographic-quote' }
  const quote = quotes.find((one) => text.startsWith(one))
  if (quote === undefined) {
    const value = text.replace(/(^|\s)#(\s.*)?$|\s#.*$/s, '').trim()
    return value.includes('#') ? { fault: 'unquoted-hash' } : { value }
  }
  const end = text.indexOf(quote, 1)
  if (end === -1) return { fault: 'unclosed-quote' }
  return /^\s*(#.*)?$/s.test(text.slice(end + 1)) ? { value: text.slice(1, end) } : { fault: 'text-after-quote' }
}

/** Somebody else's variable may span lines, but never over one of ours. */
function readOther(
  lines: readonly string[],
  at: number,
  written: string,
  owned: ReadonlySet<string>,
): { value: string; lines: number } {
  const quote = quotes.find((one) => written.startsWith(one))
  const plain = { value: (written.split('#')[0] ?? '').trim(), lines: 0 }
  if (quote === undefined) return plain
  let text = written.slice(1)
  for (let taken = 0; ; taken++) {
    const end = text.indexOf(quote)
    if (end !== -1) {
      const value = text.slice(0, end)
      return { value: quote === '"' ? value.replaceAll('\\n', '\n') : value, lines: taken }
    }
    const next = lines[at + taken + 1]
    const [, name = ''] = assignment.exec((next ?? '').replace(beforeLine, '')) ?? []
    if (next === undefined || owned.has(name)) return plain
    text += `\n${next}`
  }
}
