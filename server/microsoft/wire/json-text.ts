/**
 * A value that came as JSON, as JSON again, however deep it is nested: `JSON.stringify` goes down by recursion, and ends
 * some thousand levels below what `JSON.parse` reads.
 */
export function jsonTextOf(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return stepByStep(value)
  }
}

/** Text that stands as it is. */
class Verbatim {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

function stepByStep(value: unknown): string {
  const parts: string[] = []
  // What is still to be written, the next of it last.
  const left: unknown[] = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (next instanceof Verbatim) parts.push(next.text)
    else if (Array.isArray(next)) {
      parts.push('[')
      const inside = next.flatMap((item: unknown, index) => (index === 0 ? [item] : [new Verbatim(','), item]))
      left.push(new Verbatim(']'))
      for (const one of inside.reverse()) left.push(one)
    } else if (typeof next === 'object' && next !== null) {
      parts.push('{')
      const inside = Object.entries(next).flatMap(([name, item], index) => [
        new Verbatim(`${index === 0 ? '' : ','}${JSON.stringify(name)}:`),
        item,
      ])
      left.push(new Verbatim('}'))
      for (const one of inside.reverse()) left.push(one)
    } else parts.push(JSON.stringify(next) ?? 'null')
  }
  return parts.join('')
}
