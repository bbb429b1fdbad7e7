import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { root } from './support/root.ts'

// Decisions tell of the files of their day.
const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'bench/README.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
]
const sources = ['server', 'test', 'views', 'public', 'bench', 'torture', 'docs', 'styles'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
)
const exists = (path: string) =>
  existsSync(join(root, path)) || sources.some((source) => source === path || source.endsWith(`/${path}`))
/** What somebody makes for himself, by the document's own words. */
const ofTheReader = new Set(['otel.mjs', 'muster.css', 'css/muster.css'])

test.each(documents)('%s names files that are there', (document) => {
  const text = readFileSync(join(root, document), 'utf8')
  const named = [...text.matchAll(/`([\w./-]+\.(?:ts|ejs|mjs|css|scss))`/g)].map(([, path = '']) => path)
  expect(named.filter((path) => !ofTheReader.has(path) && !exists(path))).toEqual([])
  const linked = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, path = '']) => path)
  const own = linked.filter((path) => !/^\w+:/.test(path))
  expect(own.filter((path) => !existsSync(join(root, dirname(document), path)))).toEqual([])
})
