/** What is nested deeper stays on one line: indents would come to be longer than what is in it. */
const deepestIndent = 20

/**
 * JSON text written over lines, for reading. It is only looked through, never parsed: whatever was sent, however deep, is
 * shown.
 * @param most characters of the result
 */
export function overLines(json: string, most: number): { text: string; cut: boolean } {
  const lines: string[] = []
  let written = 0
  let depth = 0
  const write = (part: string) => {
    lines.push(part)
    written += part.length
  }
  const newLine = () => {
    if (depth <= deepestIndent) write(`\n${'  '.repeat(depth)}`)
  }
  for (let at = 0; at < json.length; at++) {
    if (written >= most) return { text: lines.join('').slice(0, most), cut: true }
    const character = json.charAt(at)
    if (character === '"') {
      const end = endOfString(json, at)
      write(readable(json.slice(at, end)))
      at = end - 1
    } else if (character === '{' || character === '[') {
      const next = afterSpace(json, at + 1)
      write(character)
      if (json.charAt(next) === (character === '{' ? '}' : ']')) {
        write(json.charAt(next))
        at = next
      } else {
        depth++
        newLine()
      }
    } else if (character === '}' || character === ']') {
      const inline = depth > deepestIndent
      depth = Math.max(0, depth - 1)
      if (!inline) newLine()
      write(character)
    } else if (character === ',') {
      write(character)
      newLine()
    } else if (character === ':') write(': ')
    else if (!/\s/.test(character)) write(character)
  }
  const text = lines.join('')
  return { text: text.slice(0, most), cut: text.length > most }
}

/** @returns where what follows the string begins; the end of the text where nothing closes it */
function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    const character = json.charAt(at)
    if (character === '\\') at++
    else if (character === '"') return at + 1
  }
  return json.length
}

function afterSpace(json: string, start: number): number {
  let at = start
  while (/\s/.test(json.charAt(at))) at++
  return at
}

/** Letters instead of their numbers: `\u00e5` is an å. */
function readable(string: string): string {
  if (!string.includes('\\')) return string
  try {
    return JSON.stringify(JSON.parse(string))
  } catch {
    return string
  }
}
