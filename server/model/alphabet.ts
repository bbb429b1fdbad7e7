/**
 * Names in the order of an alphabet, the same on every database: SQLite orders by bytes, PostgreSQL by the collation
 * that it was set up with, and neither knows who reads. So lists by name are put in order here, after they are read.
 * https://tc39.es/ecma402/#collator-objects
 */

/** For a reader whose browser names none. */
const commonAlphabet = 'en'

/** A BCP 47 tag whose order of letters this Node knows. */
export type Alphabet = string

const tag = /^[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?$/i

/** The first language of an Accept-Language header whose alphabet is known, by its quality values; null for none. */
export function alphabetFor(acceptLanguage: string | undefined): Alphabet | null {
  const preferences = (acceptLanguage ?? '')
    .slice(0, 200)
    .split(',')
    .map((part) => {
      const [name = '', ...parameters] = part.trim().split(/\s*;\s*/)
      const quality = parameters.map((one) => /^q=([\d.]+)$/.exec(one)?.[1]).find((q) => q !== undefined)
      return { name, quality: quality === undefined ? 1 : Number(quality) }
    })
    .filter(({ name, quality }) => tag.test(name) && quality > 0)
    .sort((a, b) => b.quality - a.quality)
  return preferences.find(({ name }) => Intl.Collator.supportedLocalesOf(name).length > 0)?.name ?? null
}

/** A name as it is searched: in small letters, and without the marks on them, so that `oberg` finds `Öberg`. */
export const folded = (name: string): string => name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

/** Compares two names as a reader of that alphabet looks them up; 10 stands behind 9. */
export const nameOrder = (alphabet: Alphabet = commonAlphabet): ((one: string, other: string) => number) =>
  new Intl.Collator(alphabet, { numeric: true }).compare

/** The rows by name; those of one name by their ID, so that pages of a list never repeat one. */
export function byName<Row>(
  rows: readonly Row[],
  nameOf: (row: Row) => string,
  idOf: (row: Row) => string,
  alphabet?: Alphabet,
): Row[] {
  const compare = nameOrder(alphabet)
  return [...rows].sort((a, b) => compare(nameOf(a), nameOf(b)) || (idOf(a) < idOf(b) ? -1 : 1))
}
