import type { Severity } from '../../model/incident.ts'
import type { PageTools } from '../page/tools.ts'
import type { Chart } from './chart.ts'

/** New incidents per day, in words and as a drawing. */
export interface ChartView extends Pick<Chart, 'bars'> {
  title: string
  total: string
  legend: { kind: string; label: string }[]
  name: string
  description: string
  lines: { y: number; labelY: number; label: string }[]
  labels: { x: string; text: string }[]
  /** The same as a table, newest day first. */
  columns: string[]
  rows: { day: string; counts: string[] }[]
}

const legend: readonly [string, Severity][] = [
  ['high', 'high'],
  ['medium', 'medium'],
  ['low', 'low'],
  ['info', 'informational'],
]
/** Pixels between a line and the text above it. */
const labelGap = 4

export function chartView(chart: Chart, { t, number, shortDay, frame }: PageTools): ChartView {
  const { days, highest } = chart
  const [first, last] = [days[0], days.at(-1)]
  const severities: Severity[] = [
    'high',
    'medium',
    'low',
    'informational',
    ...(chart.hasUnknown ? ['unknown' as const] : []),
  ]
  return {
    title: t('overview.trend', { n: days.length }),
    total: t('overview.trend.total', { n: number(chart.total), tenants: frame?.fleet.tenants ?? 0 }),
    legend: legend.map(([kind, severity]) => ({ kind, label: t(`severity.${severity}`) })),
    name: t('overview.trend.title', { from: shortDay(first?.day ?? ''), to: shortDay(last?.day ?? '') }),
    description: highest
      ? t('overview.trend.desc', { day: shortDay(highest.day), n: highest.total, today: last?.total ?? 0 })
      : t('overview.trend.none'),
    bars: chart.bars,
    lines: chart.lines.map(({ y, label }) => ({ y, labelY: y - labelGap, label: number(label) })),
    labels: chart.labels.map(({ x, day }) => ({ x, text: shortDay(day) })),
    columns: severities.map((severity) => t(`severity.${severity}`)),
    rows: days
      .map(({ day, counts }) => ({ day: shortDay(day), counts: severities.map((one) => number(counts[one])) }))
      .reverse(),
  }
}
