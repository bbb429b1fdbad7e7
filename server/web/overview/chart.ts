import type { Severity } from '../../model/incident.ts'
import type { createdPerDay } from '../../store/incidents/queue.ts'
import { day } from '../../time.ts'

type DayCounts = Awaited<ReturnType<typeof createdPerDay>>

export const chartDays = 30

export interface Chart {
  /** Oldest first; every day is there, with nothing on it or not. */
  days: { day: string; counts: Record<Severity, number>; total: number }[]
  highest: { day: string; total: number } | null
  total: number
  hasUnknown: boolean
  bars: { kind: string; x: string; y: number; height: number }[]
  lines: { y: number; label: number }[]
  labels: { day: string; x: string }[]
}

/** Drawing room in pixels: x is in per cent, so that text never scales. */
const [top, baseline] = [12, 150]
const [left, dayWidth, barWidth] = [6.5, 93.5 / chartDays, 2.13]

const drawn: readonly [Severity, string][] = [
  ['unknown', 'info'],
  ['informational', 'info'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
]

/** New incidents per UTC day, the last of them today, stacked with the worst on top. */
export function chartOf(created: DayCounts, now: Date): Chart {
  const today = Date.parse(`${now.toISOString().slice(0, 10)}T00:00:00Z`)
  const days = Array.from({ length: chartDays }, (_, i) => {
    const date = new Date(today - (chartDays - 1 - i) * day).toISOString().slice(0, 10)
    const counts: Record<Severity, number> = { high: 0, medium: 0, low: 0, informational: 0, unknown: 0 }
    for (const one of created) if (one.day === date) counts[one.severity] += one.count
    return { day: date, counts, total: Object.values(counts).reduce((sum, count) => sum + count, 0) }
  })
  const highest = days.reduce((most, day) => (day.total > most.total ? day : most))
  const step = stepFor(highest.total)
  const lines = Math.max(2, Math.ceil(highest.total / step))
  const scale = (baseline - top) / (lines * step)
  return {
    days,
    highest: highest.total === 0 ? null : highest,
    total: days.reduce((sum, day) => sum + day.total, 0),
    hasUnknown: days.some((day) => day.counts.unknown > 0),
    bars: days.flatMap((day, i) => barsOf(day.counts, `${(left + i * dayWidth).toFixed(2)}%`, scale)),
    lines: Array.from({ length: lines }, (_, i) => i + 1).map((n) => ({
      y: round(baseline - n * step * scale),
      label: n * step,
    })),
    labels: days.flatMap(({ day }, i) =>
      i % 7 === 0 && i < chartDays - 3 ? [{ day, x: `${(left + i * dayWidth + barWidth / 2).toFixed(2)}%` }] : [],
    ),
  }
}

function barsOf(counts: Record<Severity, number>, x: string, scale: number): Chart['bars'] {
  let y = baseline
  return drawn.flatMap(([severity, kind]) => {
    const height = counts[severity] * scale
    if (height === 0) return []
    y -= height
    // One pixel stays open between two colours, unless nothing would be left.
    return [{ kind, x, y: round(y), height: round(Math.max(0.6, height - 1)) }]
  })
}

const round = (value: number) => Math.round(value * 10) / 10

/** From one line to the next, in round numbers: 1, 2, 5, 10, 20, 50 …; four lines at most reach over the highest bar. */
function stepFor(most: number): number {
  const least = Math.max(1, most / 4)
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least) as number)
}
