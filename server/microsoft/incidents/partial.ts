import type { PartialAnswer, SilentSource } from '../../model/incident.ts'
import type { Answer } from '../wire/http.ts'

/** `199 - "Vendor/Provider/Status/Latency"`, several of them separated by commas; the latency is often left out. */
const warning = /\b199\s+\S{1,100}\s+"([^"/]{1,60})\/([^"/]{1,80})\/(\d{3})(?:\/\d{1,9})?"/g
const mostSources = 10

/**
 * What an answer says of itself that it lacks: the status 206, or a `Warning` that names a source which did not answer.
 * https://learn.microsoft.com/graph/api/resources/security-error-codes
 * @returns null for an answer that is whole
 */
export function partialIn({ status, headers }: Pick<Answer, 'status' | 'headers'>): PartialAnswer | null {
  const sources: SilentSource[] = []
  for (const [, vendor = '', provider = '', code] of (headers.get('warning') ?? '').slice(0, 4_000).matchAll(warning)) {
    sources.push({ name: `${plain(vendor)}/${plain(provider)}`, status: Number(code) })
  }
  return status === 206 || sources.length > 0 ? { sources: distinct(sources) } : null
}

/** What either of two answers lacks. */
export function bothLack(one: PartialAnswer | null, other: PartialAnswer | null): PartialAnswer | null {
  if (one === null || other === null) return one ?? other
  return { sources: distinct([...one.sources, ...other.sources]) }
}

const plain = (text: string) => text.replace(/[^\w .-]/g, '').trim() || '?'

/** The newest status of each. */
const distinct = (sources: readonly SilentSource[]): SilentSource[] =>
  [...new Map(sources.map((source) => [source.name, source])).values()].slice(0, mostSources)
