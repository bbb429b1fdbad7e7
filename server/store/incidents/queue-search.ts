import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { type Database, isPostgres } from '../engine/dialect.ts'

/** A text to look for. */
export interface TextMatch {
  text: string
  pattern: string
  incidentId: string
}

/** Where the index of the engine says it can be. */
export interface Located {
  /** `incidents.number` of all that can match; null when there are many, or no index can tell. */
  candidates: number[] | null
  /** What SQLite's index is asked; null where it cannot tell, and on PostgreSQL, which asks its own by itself. */
  trigrams: string | null
}

/** Up to here, fetching and sorting all that match is quicker than walking the queue until enough of them turned up. */
const fewCandidates = 2_000
const longestText = 200
const mostTrigrams = 60

/** Null when there is nothing to look for. */
export function textMatch(typed: string): TextMatch | null {
  const text = typed.replaceAll('\0', '').trim().toLowerCase().slice(0, longestText)
  if (text === '') return null
  return { text, pattern: `%${text.replace(/[\\%_]/g, '\\$&')}%`, incidentId: text.replace(/^#/, '') }
}

/**
 * What asking the index costs: nothing worth mentioning on SQLite; on PostgreSQL the more, the more incidents hold the
 * trigrams of the text, so that it is asked last.
 */
export const isQuicklyLocated = (db: Database): boolean => !isPostgres(db)

/**
 * Looks a text up in the trigram index of the engine. PostgreSQL's index needs the extension pg_trgm, and without it the
 * same question only takes longer.
 * https://sqlite.org/fts5.html#the_trigram_tokenizer https://www.postgresql.org/docs/current/pgtrgm.html
 */
export async function locate(db: Database, { text, pattern, incidentId }: TextMatch): Promise<Located> {
  const letters = [...text]
  // One or two letters: PostgreSQL's index does not know them.
  if (isPostgres(db) && letters.length < 3) return { candidates: null, trigrams: null }
  const trigrams = isPostgres(db) ? '' : await trigramsOf(db, text, letters)
  if (trigrams === null) return { candidates: null, trigrams }
  const holding = isPostgres(db)
    ? sql`select number from incidents where redirect_id is null and search_text like ${pattern} escape '\\'`
    : sql`select rowid as number from incident_search where incident_search match ${trigrams}`
  const some = sql`select number from (${holding} limit ${fewCandidates + 1}) as holding
    union
    select number from (select number from incidents where incident_id = ${incidentId}
      limit ${fewCandidates + 1}) as named`
  // In one row: thousands of rows take longer to hand over than to find.
  const list = isPostgres(db) ? sql`string_agg(cast(number as text), ',')` : sql`group_concat(number)`
  const { rows } = await sql<{ numbers: string | null }>`select
    case when count(*) > ${fewCandidates} then null else coalesce(${list}, '') end as numbers
    from (${some}) as candidates`.execute(db)
  const numbers = rows[0]?.numbers ?? null
  const candidates =
    numbers === null
      ? null
      : numbers
          .split(',')
          .filter((one) => one !== '')
          .map(Number)
  return { candidates, trigrams: isPostgres(db) ? null : trigrams }
}

export const matches = (text: TextMatch): RawBuilder<SqlBool> =>
  sql<SqlBool>`(incidents.search_text like ${text.pattern} escape '\\' or incidents.incident_id = ${text.incidentId})`

/**
 * A superset of what matches, told by the numbers alone: the queue's indexes carry those, so that SQLite need not fetch
 * the rows that do not. The plus keeps it from going through the numbers instead of the index.
 */
export const mayMatch = ({ incidentId }: TextMatch, { trigrams }: Located): RawBuilder<SqlBool> | null =>
  trigrams === null
    ? null
    : sql<SqlBool>`(+incidents.number in (select rowid from incident_search where incident_search match ${trigrams})
        or incidents.incident_id = ${incidentId})`

/**
 * What FTS5 is asked: all trigrams of the text at once, a superset of what holds the text itself, which is compared
 * afterwards. One or two letters are looked for as any trigram that begins with them; null when too many do.
 */
async function trigramsOf(db: Database, text: string, letters: readonly string[]): Promise<string | null> {
  if (letters.length >= 3) {
    const all = letters.slice(2).map((_, at) => letters.slice(at, at + 3).join(''))
    return [...new Set(all)].slice(0, mostTrigrams).map(quoted).join(' AND ')
  }
  const { rows } = await sql<{ term: string }>`select term from incident_search_terms
    where term >= ${text} and term < ${`${text}\u{10ffff}`} limit ${mostTrigrams + 1}`.execute(db)
  if (rows.length > mostTrigrams) return null
  return rows.length === 0 ? '""' : rows.map(({ term }) => quoted(term)).join(' OR ')
}

const quoted = (term: string): string => `"${term.replaceAll('"', '""')}"`
