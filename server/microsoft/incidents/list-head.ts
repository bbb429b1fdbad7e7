/** A list that goes on beyond what was read of it. */
const firstItem = /"value"\s*:\s*\[\s*\{/

/**
 * The fields at the beginning of a list's first item, as far as they are whole: those that hold one value. What is nested
 * is left out.
 * @param head the beginning of an answer
 * @returns null where no list begins in it
 */
export function firstItemIn(head: Uint8Array): Record<string, unknown> | null {
  const text = new TextDecoder().decode(head)
  const list = firstItem.exec(text)
  if (list === null) return null
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  let at = list.index + list[0].length
  for (;;) {
    const name = tokenAt(text, at)
    const value = name === null ? null : tokenAt(text, name.end)
    if (name === null || value === null || typeof name.value !== 'string') return fields
    if (!value.nested) fields[name.value] = value.value
    at = value.end
  }
}

interface Token {
  value: unknown
  nested: boolean
  /** Where what follows it begins. */
  end: number
}

/** A value that is whole, and the comma or colon before it; null for the end of an object or of the text. */
function tokenAt(text: string, start: number): Token | null {
  let at = start
  while (/[\s,:]/.test(text.charAt(at))) at++
  const character = text.charAt(at)
  if (character === '"') return whole(text, at, endOfString(text, at))
  if (character === '{' || character === '[') {
    const end = endOfNested(text, at)
    return end === null ? null : { value: null, nested: true, end }
  }
  const [word = ''] = /^[^\s,:{}[\]"]+/.exec(text.slice(at, at + 100)) ?? []
  return whole(text, at, word === '' || at + word.length >= text.length ? null : at + word.length)
}

function whole(text: string, start: number, end: number | null): Token | null {
  if (end === null) return null
  try {
    return { value: JSON.parse(text.slice(start, end)), nested: false, end }
  } catch {
    return null
  }
}

function endOfString(text: string, start: number): number | null {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') at++
    else if (character === '"') return at + 1
  }
  return null
}

function endOfNested(text: string, start: number): number | null {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '"') {
      const end = endOfString(text, at)
      if (end === null) return null
      at = end - 1
    } else if (character === '{' || character === '[') depth++
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1
  }
  return null
}

/** The count stands before the list. https://docs.oasis-open.org/odata/odata-json-format/v4.01/odata-json-format-v4.01.html#sec_ControlInformationcountodatacount */
export function countAtStart(head: Uint8Array): number | null {
  const [before = ''] = new TextDecoder().decode(head).split('"value"')
  const [, digits] = /"@odata\.count"\s*:\s*(\d{1,9})\b/.exec(before) ?? []
  return digits === undefined ? null : Number(digits)
}
