import { type Kysely, PostgresAdapter, sql, type Transaction } from 'kysely'
import type { Schema } from './schema.ts'
import { storableText } from './storable-text.ts'

/** A connection, or the transaction in hand: store functions take either. */
export type Database = Kysely<Schema>

export type Tx = Transaction<Schema>

export const isPostgres = (db: Database): boolean => db.getExecutor().adapter instanceof PostgresAdapter

/** Whether a column is one of so many texts, in a statement that is the same however many there are. */
export const among = (db: Database, column: string, texts: readonly string[]) =>
  isPostgres(db)
    ? sql<boolean>`${sql.ref(column)} = any(${texts})`
    : sql<boolean>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(texts.map(storableText))}))`
