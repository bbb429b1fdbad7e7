/** Excel and its like take a cell that begins so for a formula, full-width signs included where people type Chinese. */
const formula = /^[\s\u3000]*[=+\-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}]|^[\t\r\n]/u

/** One line of CSV (RFC 4180), in which no cell is a formula: those that would be begin with an apostrophe. */
export const csvLine = (cells: readonly (string | number | null)[]): string => `${cells.map(cell).join(',')}\r\n`

function cell(value: string | number | null): string {
  if (typeof value === 'number') return String(value)
  if (value === null) return ''
  const text = formula.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
