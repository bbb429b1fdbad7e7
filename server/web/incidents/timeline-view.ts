import { type Html, html } from '../../http/html.ts'
import type { StoredIncident } from '../../store/incidents/incidents.ts'
import type { PageTools } from '../page/tools.ts'
import type { Story, StoryItem, Technique } from './timeline.ts'

/** What happened, from the first alert to the last, in words. */
export interface TimelineView {
  /** Attributes of the part that renews itself until Microsoft's alerts are here. */
  region: Html
  lead: string | null
  /** What is said while the alerts are still to come. */
  due: string | null
  strip: { label: string; end: string; marks: Story['marks'] } | null
  items: ItemView[]
  /** Whether there is nothing, and nothing to come. */
  isEmpty: boolean
  tactics: { count: string; list: { name: string; techniques: Technique[] }[] } | null
}

interface ItemView {
  at: Html
  offset: string | null
  class: string
  mark: Html
  title: string
  severity: string
  source: string | null
  status: string | null
  techniques: Technique[]
  description: string | null
}

/** So many characters of each are shown. */
const lengths = { title: 500, description: 600, tactic: 80 }
const mostTechniques = 4
/** A story longer than this has dates beside its times. */
const longStoryMs = 43_200_000

export function timelineView(story: Story, incident: StoredIncident, tools: PageTools): TimelineView {
  const { t, span, live } = tools
  const n = story.items.length
  const isDue = incident.alertsReadAt === null
  const length = span(story.spanMs)
  return {
    region: isDue ? live('alerts', 10) : html`id="alerts"`,
    lead: n > 0 ? leadOf(story, incident, tools) : null,
    due: isDue ? t(n > 0 ? 'incident.alerts-due.again' : 'incident.alerts-due.why') : null,
    strip:
      story.marks.length > 1
        ? { label: t('incident.strip', { n, span: length }), end: `+${length}`, marks: story.marks }
        : null,
    items: story.items.map((item) => itemView(item, story.spanMs, tools)),
    isEmpty: n === 0 && !isDue,
    tactics: story.tactics.length > 0 ? tacticsView(story, tools) : null,
  }
}

function leadOf({ items, spanMs }: Story, { alertCount }: StoredIncident, { t, span }: PageTools): string {
  const n = items.length
  const lead = spanMs > 0 ? t('incident.story.in', { n, span: span(spanMs) }) : t('incident.story.count', { n })
  return alertCount > n ? `${lead}. ${t('incident.story.of', { n, all: alertCount })}` : lead
}

function itemView({ alert, at, offsetMs, techniques }: StoryItem, storyMs: number, tools: PageTools): ItemView {
  const { time, span, severityMark, short, spoken, word } = tools
  return {
    at: time(at, storyMs > longStoryMs ? 'moment' : 'clock'),
    offset: offsetMs ? `+${span(offsetMs)}` : null,
    class: alert.severity === 'unknown' ? 'informational' : alert.severity,
    mark: severityMark(alert.severity),
    title: short(alert.title, lengths.title),
    severity: word('severity', alert.severity),
    source: alert.serviceSource ? spoken('source', alert.serviceSource) : null,
    status: alert.status ? spoken('alert-status', alert.status) : null,
    techniques: techniques.slice(0, mostTechniques),
    description: alert.description ? short(alert.description, lengths.description) : null,
  }
}

function tacticsView({ tactics }: Story, { t, spoken, short }: PageTools): TimelineView['tactics'] {
  const ids = new Set(tactics.flatMap(({ techniques }) => techniques.map(({ id }) => id)))
  return {
    count: t('incident.mitre.count', { n: ids.size }),
    list: tactics.map(({ tactic, techniques }) => ({
      name: tactic ? spoken('category', short(tactic, lengths.tactic)) : t('incident.mitre.none'),
      techniques,
    })),
  }
}
