import type { StoredAlert } from '../../store/incidents/incidents.ts'

/** One alert where it stands in time. */
export interface StoryItem {
  alert: StoredAlert
  at: string | null
  /** Since the first alert; null for the first itself, and where no time is known. */
  offsetMs: number | null
  techniques: Technique[]
}

export interface Technique {
  id: string
  /** Its page at MITRE; null for what does not look like a technique's number. */
  href: string | null
}

export interface Story {
  items: StoryItem[]
  firstAt: string | null
  lastAt: string | null
  spanMs: number
  /** Marks of the strip above the list, in per cent of its width; empty when there is nothing to compare. */
  marks: { x: string; kind: 'high' | 'medium' | 'low' | 'info'; y: number; height: number }[]
  products: string[]
  tactics: { tactic: string; techniques: Technique[] }[]
}

const heights = { high: 24, medium: 16, low: 12, info: 10 } as const

/** What happened, from the first alert to the last. */
export function storyOf(alerts: readonly StoredAlert[]): Story {
  const timed = alerts.map((alert) => ({ alert, at: alert.firstActivityAt ?? alert.createdAt }))
  const times = timed.flatMap(({ at }) => (at === null ? [] : [Date.parse(at)])).sort((a, b) => a - b)
  const start = times[0]
  const spanMs = start === undefined ? 0 : (times.at(-1) as number) - start
  const ends = alerts.flatMap(({ lastActivityAt }) => (lastActivityAt === null ? [] : [lastActivityAt])).sort()
  return {
    items: timed.map(({ alert, at }) => {
      const offset = at === null || start === undefined ? 0 : Date.parse(at) - start
      return { alert, at, offsetMs: offset > 0 ? offset : null, techniques: techniquesOf(alert.techniques) }
    }),
    firstAt: start === undefined ? null : new Date(start).toISOString(),
    lastAt: ends.at(-1) ?? (start === undefined ? null : new Date(start + spanMs).toISOString()),
    spanMs,
    marks:
      spanMs === 0 || start === undefined ? [] : timed.flatMap(({ alert, at }) => markOf(alert, at, start, spanMs)),
    products: [...new Set(alerts.flatMap(({ serviceSource }) => serviceSource ?? []))],
    tactics: tacticsOf(alerts),
  }
}

function markOf(alert: StoredAlert, at: string | null, start: number, spanMs: number): Story['marks'] {
  if (at === null) return []
  const kind = alert.severity === 'informational' || alert.severity === 'unknown' ? 'info' : alert.severity
  // The last two per cent are the width of a mark.
  const x = (((Date.parse(at) - start) / spanMs) * 98).toFixed(2)
  return [{ x: `${x}%`, kind, y: 30 - heights[kind], height: heights[kind] }]
}

const techniqueShape = /^(T\d{4})(?:\.(\d{3}))?$/

function techniquesOf(codes: readonly string[]): Technique[] {
  return [...new Set(codes)].slice(0, 40).map((id) => {
    const [, technique, part] = techniqueShape.exec(id) ?? []
    const path = part === undefined ? technique : `${technique}/${part}`
    return { id, href: technique === undefined ? null : `https://attack.mitre.org/techniques/${path}/` }
  })
}

/** Techniques by the tactic their alert was filed under, in the order they were met. */
function tacticsOf(alerts: readonly StoredAlert[]): Story['tactics'] {
  const byTactic = new Map<string, string[]>()
  for (const { category, techniques } of alerts) {
    if (techniques.length === 0) continue
    const tactic = category ?? ''
    byTactic.set(tactic, [...(byTactic.get(tactic) ?? []), ...techniques])
  }
  return [...byTactic].map(([tactic, techniques]) => ({ tactic, techniques: techniquesOf(techniques) }))
}
