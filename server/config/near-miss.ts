import { variables } from './variables.ts'

type Variable = (typeof variables)[number]

/** Variables of other programs that look like ours; those of Azure's own tools above all. */
const others = new Set([
  'AZURE_CLIENT_CERTIFICATE_PASSWORD',
  'AZURE_CLIENT_SEND_CERTIFICATE_CHAIN',
  'AZURE_CLIENT_KEY',
  'AZURE_REGIONAL_AUTHORITY_NAME',
  'SIMULATOR_PORT',
  'HTTP_PROXY',
  'http_proxy',
])

/** Shorter names are a letter or two away from far too much. */
const shortest = 5

/** Which of our variables somebody meant by a name that is none of them; null for other people's names. */
export function meantBy(name: string): Variable | null {
  if ((variables as readonly string[]).includes(name) || others.has(name)) return null
  const alike = byPlainName.get(plain(name))
  if (alike !== undefined) return alike
  if (name.length < shortest) return null
  const reach = (own: Variable) => (own.length < shortest ? 0 : own.length < 8 ? 1 : 2)
  const near = variables
    .filter((own) => Math.abs(own.length - name.length) <= reach(own))
    .map((own) => ({ own, steps: steps(own, name.toUpperCase()) }))
    .filter(({ own, steps }) => steps <= reach(own))
    .sort((a, b) => a.steps - b.steps)
  return near[0]?.own ?? null
}

/** Without what is easily different: case, dashes, and whether a word is in the plural. */
function plain(name: string): string {
  const words = name.toUpperCase().split(/[-_.]/)
  return words.map((word) => word.replace(/IES$/, 'Y').replace(/S$/, '')).join('_')
}

const byPlainName = new Map(variables.map((own) => [plain(own), own]))

/** Letters to add, to drop, to change or to swap with their neighbour, until one name is the other. */
function steps(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY
  for (let row = 1; row <= one.length; row++) {
    rows.push([row])
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1]
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      rows[row]?.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (same ? 0 : 1),
          swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
  }
  return at(one.length, other.length)
}
