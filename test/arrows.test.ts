import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'

const server = fileURLToPath(new URL('../server', import.meta.url))

/** Files directly below server/ that every layer may import. */
const foundation = ['errors.ts', 'guid.ts', 'invisible.ts', 'log.ts', 'markup.ts', 'memory.ts', 'metrics.ts', 'time.ts']
const stories = [
  'onboarding',
  'customers',
  'tenants',
  'partner',
  'sync',
  'incidents',
  'operators',
  'notify',
  'hunting',
  'reports',
]

/** What each room directly below server/ may import, besides the foundation and itself. */
const mayImport: Record<string, readonly string[]> = {
  ...Object.fromEntries(foundation.map((file) => [file, []])),
  config: [],
  model: [],
  words: [],
  'words.ts': ['words'],
  store: ['config', 'model'],
  microsoft: ['config', 'model'],
  'portal.ts': ['config', 'store', 'microsoft'],
  ...Object.fromEntries(
    stories.map((room) => [room, ['config', 'model', 'store', 'microsoft', 'portal.ts', 'words.ts', ...stories]]),
  ),
  worker: ['config', 'model', 'store', 'microsoft', 'portal.ts', ...stories],
  http: ['config', 'model', 'store', 'portal.ts', 'words', 'words.ts'],
  web: ['config', 'model', 'store', 'microsoft', 'portal.ts', 'words', 'words.ts', 'http', ...stories],
  api: ['config', 'model', 'store', 'microsoft', 'portal.ts', 'words.ts', 'http', ...stories],
  'app.ts': ['portal.ts', 'http', 'web', 'api'],
  process: ['config', 'store', 'microsoft', 'portal.ts', 'http', 'worker', 'app.ts'],
  'main.ts': ['process'],
  cli: ['config', 'model', 'store', 'microsoft', 'words.ts', 'partner'],
  'cli.ts': ['cli'],
  simulator: [],
  demo: ['config', 'store', 'microsoft', 'portal.ts', 'process', 'worker', 'simulator', 'cli', ...stories],
}

/**
 * Arrows inside a layer that close a circle between its rooms. Nothing may be added; what is mended has to be taken out.
 */
const circlesLeft: Record<string, readonly string[]> = {
  store: [
    'incidents → sync',
    'incidents → tenants',
    'customers → onboarding',
    'onboarding → customers',
    'sync → incidents',
    'sync → tenants',
    'tenants → sync',
  ],
  simulator: [
    'apis → control',
    'apis → login',
    'apis → world',
    'control → login',
    'control → pages',
    'control → world',
    'login → apis',
    'login → control',
    'login → pages',
    'login → world',
    'pages → login',
    'pages → world',
    'world → apis',
    'world → login',
  ],
}

interface Arrow {
  from: string
  to: string
}

const files = readdirSync(server, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const textOf = (file: string) => readFileSync(join(server, file), 'utf8')

/** Every import and re-export of a file, types included: ours by their path below server/, others by their name. */
function arrowsOf(file: string): Arrow[] {
  const imports = /(?:^|\n)\s*(?:import|export)\s+(?:type\s)?(?:[^'";]*?from\s+)?'([^']+)'|import\('([^']+)'\)/g
  return [...textOf(file).matchAll(imports)].map(([, statement, call]) => {
    const target = statement ?? call ?? ''
    return { from: file, to: target.startsWith('.') ? relative(server, join(server, dirname(file), target)) : target }
  })
}

const arrows = files.flatMap(arrowsOf)
const ours = arrows.filter(({ to }) => to.endsWith('.ts'))
const outside = arrows.filter(({ to }) => !to.endsWith('.ts'))
const roomOf = (file: string) => file.split('/')[0] ?? ''

/** The groups of nodes that reach each other (Tarjan's strongly connected components), each sorted; single ones left out. */
function circlesOf(edges: readonly Arrow[]): string[][] {
  const targets = new Map<string, string[]>()
  for (const { from, to } of edges) targets.set(from, [...(targets.get(from) ?? []), to])
  const reach = (start: string): Set<string> => {
    const seen = new Set<string>()
    const waiting = [...(targets.get(start) ?? [])]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.has(next)) continue
      seen.add(next)
      waiting.push(...(targets.get(next) ?? []))
    }
    return seen
  }
  const reached = new Map([...targets.keys()].map((node) => [node, reach(node)]))
  const inCircle = [...reached.keys()].filter((node) => reached.get(node)?.has(node))
  const groups = new Map<string, string[]>()
  for (const node of inCircle) {
    const group = inCircle.filter((other) => reached.get(node)?.has(other) && reached.get(other)?.has(node)).sort()
    groups.set(group.join(' '), group)
  }
  return [...groups.values()]
}

/** Arrows between the folders directly below `base`; files that lie loose in it are no room. */
function betweenRooms(base: string): Arrow[] {
  const room = (file: string) => {
    const parts = file.startsWith(base) ? file.slice(base.length).split('/') : []
    return parts.length > 1 ? (parts[0] ?? null) : null
  }
  const found = new Map<string, Arrow>()
  for (const arrow of ours) {
    const from = room(arrow.from)
    const to = room(arrow.to)
    if (from !== null && to !== null && from !== to) found.set(`${from} → ${to}`, { from, to })
  }
  return [...found.values()]
}

function arrowsInCircles(edges: readonly Arrow[]): string[] {
  const circles = circlesOf(edges)
  return edges
    .filter(({ from, to }) => circles.some((circle) => circle.includes(from) && circle.includes(to)))
    .map(({ from, to }) => `${from} → ${to}`)
    .sort()
}

describe('the house', () => {
  test('has no arrow between rooms that its plan does not know', () => {
    const wrong = ours.filter(({ from, to }) => {
      const [room, target] = [roomOf(from), roomOf(to)]
      return room !== target && !foundation.includes(target) && !mayImport[room]?.includes(target)
    })
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })

  test('has no arrow between store and microsoft, types included', () => {
    const rooms = ['store', 'microsoft']
    const wrong = ours.filter(({ from, to }) => {
      const ends = [roomOf(from), roomOf(to)]
      return ends[0] !== ends[1] && ends.every((room) => rooms.includes(room))
    })
    expect(wrong).toEqual([])
  })

  test('has no circle between files', () => {
    expect(circlesOf(ours)).toEqual([])
  })

  test('has no circle between the folders below server/, nor inside web/, api/ and microsoft/', () => {
    for (const base of ['', 'web/', 'api/', 'microsoft/']) {
      expect({ base, circles: circlesOf(betweenRooms(base)) }).toEqual({ base, circles: [] })
    }
  })

  test.each(['store', 'simulator'])('has between the rooms of %s only the circles that are listed', (layer) => {
    expect(arrowsInCircles(betweenRooms(`${layer}/`))).toEqual([...(circlesLeft[layer] ?? [])].sort())
  })

  test('finds a circle where one is drawn', () => {
    const drawn = [...ours, { from: 'model/incident.ts', to: 'web/routes.ts' }]
    const drawnCircles = circlesOf(drawn).filter((circle) => circle.includes('model/incident.ts'))
    expect(drawnCircles.flat()).toContain('web/routes.ts')
  })

  test('looks at every import there is', () => {
    expect(ours.length).toBeGreaterThan(100)
    expect(ours).toContainEqual({ from: 'app.ts', to: 'web/routes.ts' })
    expect(ours).toContainEqual({ from: 'portal.ts', to: 'store/engine/dialect.ts' })
  })

  test('keeps Express to what people see', () => {
    const rooms = new Set(outside.filter(({ to }) => /^express/.test(to)).map(({ from }) => roomOf(from)))
    expect([...rooms].filter((room) => !['app.ts', 'http', 'web', 'api', 'simulator'].includes(room))).toEqual([])
  })

  test('keeps SQL to the store', () => {
    const rooms = outside.filter(({ to }) => /^(kysely|pg|libsql)$/.test(to)).map(({ from }) => roomOf(from))
    expect([...new Set(rooms)]).toEqual(['store'])
  })

  test('reads the environment in one place', () => {
    const readers = files.filter((file) => /process\.env/.test(textOf(file)))
    expect(readers.filter((file) => !['config', 'cli', 'demo'].includes(roomOf(file)))).toEqual([])
  })

  test('has no folder of more than sixteen files', () => {
    const folders = new Map<string, number>()
    for (const file of files) folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + 1)
    expect([...folders].filter(([, count]) => count > 16)).toEqual([])
  })

  test('has no barrel and no drawer for what nobody named', () => {
    const names = /(^|\/)(index|utils?|helpers?|services?|controllers?|common|misc)(\.ts|\/)/
    expect(files.filter((file) => names.test(file))).toEqual([])
  })
})
