import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { type Database, isPostgres } from './database.ts'

/** A text to look for, with the incidents that may hold it when there are few of them. */
export interface TextMatch {
  pattern: string
  incidentId: string
  /** `incidents.number` of all that can match; null when there are many, or no index can tell. */
  candidates: number[] | null
}

/** Up to here, fetching and sorting all that match is quicker than walking the queue until enough of them turned up. */
const fewCandidates = 2_000
const longestText = 200
const mostTrigrams = 60

/**
 * Looks a text up in the trigram index of the engine; null when there is nothing to look for. PostgreSQL's index needs
 * the extension pg_trgm, and without it the same question only takes longer.
 * https://sqlite.org/fts5.html#the_trigram_tokenizer https://www.postgresql.org/docs/current/pgtrgm.html
 */
export async function findText(db: Database, typed: string): Promise<TextMatch | null> {
  const text = typed.replaceAll('\0', '').trim().toLowerCase().slice(0, longestText)
  if (text === '') return null
  const match = { pattern: `%${text.replace(/[\\%_]/g, '\\$&')}%`, incidentId: text.replace(/^#/, '') }
  const letters = [...text]
  // One or two letters: PostgreSQL's index does not know them.
  if (isPostgres(db) && letters.length < 3) return { ...match, candidates: null }
  const trigrams = isPostgres(db) ? '' : await trigramsOf(db, text, letters)
  if (trigrams === null) return { ...match, candidates: null }
  const holding = isPostgres(db)
    ? sql`select number from incidents where redirect_id is null and search_text like ${match.pattern} escape '\\'`
    : sql`select rowid as number from incident_search where incident_search match ${trigrams}`
  const { rows } = await sql<{ number: number }>`
    select number from (${holding} limit ${fewCandidates + 1}) as holding
    union
    select number from (select number from incidents where incident_id = ${match.incidentId}
      limit ${fewCandidates + 1}) as named`.execute(db)
  return { ...match, candidates: rows.length > fewCandidates ? null : rows.map((row) => row.number) }
}

export const matches = (text: TextMatch): RawBuilder<SqlBool> =>
  sql<SqlBool>`(search_text like ${text.pattern} escape '\\' or incident_id = ${text.incidentId})`

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
