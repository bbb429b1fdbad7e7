import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'

const server = fileURLToPath(new URL('../server', import.meta.url))

/** The parts of the house, and what each may lean on. Files at the top that are not named here are stories. */
const foundations = [
  'errors',
  'config',
  'certificate',
  'env-file',
  'environment',
  'near-miss',
  'log',
  'metrics',
  'clouds',
  'words',
  'portal',
]
const mayUse: Record<string, string[]> = {
  foundation: ['foundation'],
  model: ['model'],
  store: ['foundation', 'model', 'store'],
  microsoft: ['foundation', 'model', 'microsoft'],
  story: ['foundation', 'model', 'store', 'microsoft', 'story'],
  notify: ['foundation', 'model', 'store', 'microsoft', 'story', 'notify'],
  worker: ['foundation', 'model', 'store', 'microsoft', 'story', 'notify'],
  'worker-host': ['foundation'],
  'worker-thread': ['foundation', 'store', 'microsoft', 'worker', 'worker-host'],
  web: ['foundation', 'model', 'store', 'microsoft', 'story', 'notify', 'web'],
  app: ['foundation', 'web'],
  'metrics-port': ['foundation', 'store'],
  start: ['foundation', 'store', 'microsoft', 'web', 'app', 'worker', 'worker-host', 'metrics-port'],
  main: ['foundation', 'store', 'start'],
  cli: ['foundation', 'store', 'microsoft', 'story', 'worker', 'app', 'start', 'cli', 'simulator'],
  simulator: ['simulator'],
}

/** `portal.ts` is a bag of types: it names the store and Microsoft without leaning on them. */
const typesAreFree = (from: string, to: string) =>
  from === 'portal.ts' ||
  (['store', 'model'].includes(partOf(from)) && to === 'microsoft/microsoft.ts') ||
  to === 'microsoft/refusals.ts'

function partOf(file: string): string {
  const [first = '', ...rest] = file.replace(/\.ts$/, '').split('/')
  if (foundations.includes(first)) return 'foundation'
  if (rest.length > 0) return first
  return first in mayUse ? first : 'story'
}

const files = readdirSync(server, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const textOf = (file: string) => readFileSync(join(server, file), 'utf8')

interface Arrow {
  from: string
  to: string
  typesOnly: boolean
}

function arrowsOf(file: string): Arrow[] {
  const imports = /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|import\('([^']+)'\)/g
  return [...textOf(file).matchAll(imports)].map(([, type, from, dynamic]) => {
    const target = from ?? dynamic ?? ''
    const to = target.startsWith('.') ? relative(server, join(server, dirname(file), target)) : target
    return { from: file, to, typesOnly: type !== undefined }
  })
}

const arrows = files.flatMap(arrowsOf)
const ours = arrows.filter(({ to }) => to.endsWith('.ts'))
const outside = arrows.filter(({ to }) => !to.endsWith('.ts'))

describe('the house', () => {
  test('has no arrow that its plan does not know', () => {
    const wrong = ours.filter(({ from, to, typesOnly }) => {
      if (typesOnly && typesAreFree(from, to)) return false
      return !mayUse[partOf(from)]?.includes(partOf(to))
    })
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })

  test('looks at every import there is', () => {
    expect(ours.length).toBeGreaterThan(100)
    expect(ours).toContainEqual({ from: 'app.ts', to: 'web/routes.ts', typesOnly: false })
    expect(ours).toContainEqual({ from: 'portal.ts', to: 'store/database.ts', typesOnly: true })
  })

  test('keeps Express to what people see', () => {
    const users = outside.filter(({ to }) => /^express/.test(to)).map(({ from }) => partOf(from))
    expect([...new Set(users)].filter((part) => !['app', 'web', 'simulator'].includes(part))).toEqual([])
  })

  test('keeps SQL to the store', () => {
    const users = outside.filter(({ to }) => /^(kysely|pg|libsql)$/.test(to)).map(({ from }) => partOf(from))
    expect([...new Set(users)]).toEqual(['store'])
  })

  test('reads the environment in one place', () => {
    const readers = files.filter((file) => /process\.env/.test(textOf(file)))
    expect(readers.filter((file) => file !== 'environment.ts' && partOf(file) !== 'cli')).toEqual([])
  })

  test('has no barrel and no drawer for what nobody named', () => {
    const names = /(^|\/)(index|utils?|helpers?|services?|controllers?|common|misc)(\.ts|\/)/
    expect(files.filter((file) => names.test(file))).toEqual([])
  })
})
