import type { Html } from '../../http/html.ts'
import type { Severity } from '../../model/incident.ts'
import type { OpenCounts } from '../../store/tenants/tenants.ts'
import type { PageTools } from '../page/tools.ts'

/** Open incidents by severity, in words; null when there are none. */
export type OpenCountsView = { text: string | null; label: string; class: string; mark: Html }[] | null

const severities: readonly Severity[] = ['high', 'medium', 'low', 'informational']

export function openCountsView(open: OpenCounts, { t, number, severityMark }: PageTools): OpenCountsView {
  const columns: readonly Severity[] = open.unknown > 0 ? [...severities, 'unknown'] : severities
  if (columns.every((severity) => open[severity] === 0)) return null
  return columns.map((severity) => ({
    text: open[severity] === 0 ? null : number(open[severity]),
    label: t(`customers.severity.${severity}`, { n: open[severity] }),
    class: severity === 'unknown' ? 'informational' : severity,
    mark: severityMark(severity),
  }))
}
