import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@jest/globals'

const folder = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url))

/**
 * Recorded payloads of others lie beside the repository, as their licences are their owners'. Where they are absent the
 * tests that use them are reported as skipped, by name.
 */
export function publicFixture(path: string): unknown {
  if (existsSync(folder + path)) {
    const content: unknown = JSON.parse(readFileSync(folder + path, 'utf8'))
    if (typeof content === 'object' && content !== null && '_fixture' in content) {
      const { _fixture, ...rest } = content
      return rest
    }
    return content
  }
  test.skip(`${path}: skipped, the recorded payloads are not beside this repository`, () => undefined)
  return null
}

/** The entries of a fixture that is a list, each under a name of its own. */
export function listPublicFixture(path: string): { name: string; content: unknown }[] {
  const list = publicFixture(path)
  if (!Array.isArray(list)) return []
  return list.map((content, index) => ({ name: `${basename(path)} ${index + 1}`, content }))
}
