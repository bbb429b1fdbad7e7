import { isUtf8 } from 'node:buffer'
import type { CompiledQuery, DatabaseConnection, Driver } from 'kysely'

/** U+FFFD: what stood here cannot be written down. https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-23/#G24272 */
const replacement = '\ufffd'

/** Text as both engines keep it: PostgreSQL refuses NUL, SQLite stops reading at one, and half a surrogate pair is no UTF-8. */
export function storableText(text: string): string {
  if (text.isWellFormed() && !text.includes('\0')) return text
  return text.toWellFormed().replaceAll('\0', replacement)
}

/** Bytes that are stored as text. */
function storableBytes(bytes: Uint8Array): Uint8Array {
  if (isUtf8(bytes) && !bytes.includes(0)) return bytes
  return new TextEncoder().encode(storableText(new TextDecoder().decode(bytes)))
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (value instanceof Uint8Array) return storableBytes(value)
  return Array.isArray(value) ? value.map(storable) : value
}

/**
 * A driver whose statements carry no text that its engine would refuse or cut off: such characters are made visible
 * instead of failing the request, on both engines alike. Nothing here stores bytes that are not text.
 */
export function withStorableText<D extends Driver>(driver: D): D {
  const acquire = driver.acquireConnection.bind(driver)
  const connections = new WeakSet<DatabaseConnection>()
  driver.acquireConnection = async () => {
    const connection = await acquire()
    if (connections.has(connection)) return connection
    connections.add(connection)
    const execute = connection.executeQuery.bind(connection)
    connection.executeQuery = <R>(query: CompiledQuery) =>
      execute<R>({ ...query, parameters: query.parameters.map(storable) })
    return connection
  }
  return driver
}
