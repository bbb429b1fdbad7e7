import type { FieldFault } from '../../http/forms.ts'
import type { Html } from '../../http/html.ts'
import { html } from '../../http/html.ts'
import type { StoredIncident } from '../../store/incidents/incidents.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import type { PageTools } from '../page/tools.ts'
import type { EntitiesView as EntitiesFacts } from './entities.ts'
import { type EntitiesView, entitiesView } from './entities-view.ts'
import type { NotesView as NotesFacts } from './notes.ts'
import { type NotesView, notesWords } from './notes-view.ts'
import type { Story } from './timeline.ts'
import { type TimelineView, timelineView } from './timeline-view.ts'

/** The way back to the list. */
export interface Back {
  href: string
  /** Whether that list is narrowed, or over one tenant alone. */
  kind: 'open' | 'filtered' | 'tenant'
}

export interface Raw {
  text: string
  /** Characters that Microsoft sent. */
  length: number
  /** `text` is only the beginning. */
  cut: boolean
}

export interface IncidentFacts {
  incident: StoredIncident
  tenant: Tenant
  blindFrom: string | null
  back: Back
  defender: string
  previous: string | null
  next: string | null
  /** The incident whose link led here, because it was merged into this one. */
  cameFrom: string | null
  merged: { incidentId: string; title: string; href: string }[]
  story: Story
  entities: EntitiesFacts
  notes: NotesFacts
  /** The note that could not be kept as it was typed. */
  typed: string
  faults: FieldFault[] | null
  raw: Raw
}

/** What stands at the head of an incident's page. */
export interface HeadView {
  tab: string
  title: string
  number: string
  back: { href: string; label: string }
  customer: { href: string; name: Html }
}

export interface IncidentView {
  head: HeadView
  defender: string
  /** Who stands next to it in the list; null for nobody. */
  neighbours: { previous: string | null; next: string | null } | null
  cameFrom: string | null
  /** What hinders, the worst first. */
  alerts: AlertView[]
  summary: { class: string; facts: { label: string; class: string; text: Html | string }[] }
  merged: Html[]
  description: string | null
  timeline: TimelineView
  entities: EntitiesView | null
  comments: { by: Html | string; at: string; text: string }[]
  raw: { size: string; cut: string | null; text: string }
  notes: NotesView
  facts: FactsView
}

interface AlertView {
  class: string
  icon: string
  title: Html | string
  text: string | null
  /** Where the tenant is looked after; null where that does not help. */
  tenantHref: string | null
}

interface FactsView {
  customer: { href: string; name: Html }
  tenant: { href: string; name: Html; domain: string | null }
  id: string
  products: string | null
  tags: string[]
  createdAt: string
  changed: Html
  firstSeenAt: string | null
}

/** So many characters of each are shown. */
const lengths = { tab: 80, title: 1_000, merged: 120, description: 5_000, comment: 5_000, name: 120, tag: 100 }
const mostComments = 100
const mostTags = 50

export function headView(facts: Pick<IncidentFacts, 'incident' | 'back'>, tools: PageTools): HeadView {
  const { incident, back } = facts
  const { short, named, word } = tools
  return {
    tab: `#${incident.id} ${short(incident.title, lengths.tab)}`,
    title: short(incident.title, lengths.title),
    number: `#${incident.id}`,
    back: { href: back.href, label: word('incident.back', back.kind) },
    customer: { href: `/customers/${incident.customerId}`, name: named(incident.customerName) },
  }
}

export function incidentView(facts: IncidentFacts, tools: PageTools): IncidentView {
  const { t, short, named } = tools
  const { incident, previous, next, cameFrom, merged, raw, typed, faults, tenant } = facts
  return {
    head: headView(facts, tools),
    defender: facts.defender,
    neighbours: previous !== null || next !== null ? { previous, next } : null,
    cameFrom: cameFrom && t('incident.came-from', { from: cameFrom, id: incident.id }),
    alerts: alertViews(facts, tools),
    summary: summaryView(facts, tools),
    merged: merged.map((one) =>
      t.rich('incident.merged-here', { id: one.incidentId, title: short(one.title, lengths.merged) }, { b: 'strong' }),
    ),
    description: incident.description ? short(incident.description, lengths.description) : null,
    timeline: timelineView(facts.story, incident, tools),
    entities: entitiesView(facts.entities, tools),
    comments: incident.comments.slice(0, mostComments).map(({ by, at, text }) => ({
      by: by ? named(short(by, lengths.name)) : t('incident.comment.nobody'),
      at: at ?? '',
      text: short(text, lengths.comment),
    })),
    raw: {
      size: t('incident.raw.size', { n: raw.length }),
      cut: raw.cut ? t('incident.raw.cut', { n: raw.text.length }) : null,
      text: raw.text,
    },
    notes: notesWords(facts.notes, tenant.tenantId, { typed, faults }, tools),
    facts: factsView(facts, tools),
  }
}

function alertViews({ incident, tenant, blindFrom }: IncidentFacts, { t, time, lacking }: PageTools): AlertView[] {
  const alerts: AlertView[] = []
  if (tenant.accessState === 'offboarded') {
    const title = t('incident.offboarded')
    alerts.push({ class: 'alert-warning', icon: 'archive', title, text: null, tenantHref: null })
  } else if (blindFrom) {
    const partial = tenant.partial ? `${lacking(tenant.partial)} ${t('incident.blind.partial')}` : null
    alerts.push({
      class: 'alert-danger',
      icon: 'eye-off',
      title: html`${t('incident.blind')} ${time(blindFrom)}`,
      text: partial ?? t('incident.blind.why'),
      tenantHref: `/tenants/${tenant.tenantId}`,
    })
  }
  if (incident.goneAt) {
    alerts.push({
      class: alerts.length > 0 ? 'alert-warning mt' : 'alert-warning',
      icon: 'help',
      title: html`${t('incident.gone')} ${time(incident.goneAt)}`,
      text: t('incident.gone.why'),
      tenantHref: null,
    })
  }
  return alerts
}

function summaryView(facts: IncidentFacts, tools: PageTools): IncidentView['summary'] {
  const { t, owner, severity, status, freshness } = tools
  const { incident, tenant, blindFrom, cameFrom } = facts
  const isBelow = tenant.accessState === 'offboarded' || blindFrom || cameFrom || incident.goneAt
  const aside = (isKnown: boolean, text: string | null) =>
    isKnown || !text ? '' : html` <span class="faint t-sm">${text}</span>`
  const plain = (label: string, text: Html | string) => ({ label, class: '', text })
  return {
    class: isBelow ? 'facts inline mt-4' : 'facts inline',
    facts: [
      plain(
        t('incident.severity'),
        html`${severity(incident.severity)}${aside(incident.severity !== 'unknown', incident.rawSeverity)}`,
      ),
      plain(
        t('incident.status'),
        html`${status(incident.status)}${aside(incident.status !== 'unknown', incident.rawStatus)}`,
      ),
      {
        label: t('incident.owner'),
        class: 'break',
        text: incident.assignedTo
          ? html`${owner(incident.assignedTo)} ${incident.assignedTo}`
          : html`<span class="muted">${t('signal.unassigned')}</span>`,
      },
      plain(t('incident.classification'), classificationText(incident, tools)),
      ...activityFacts(facts, tools),
      ...(incident.priority === null
        ? []
        : [{ label: t('incident.priority'), class: 'num', text: t('incident.priority.of', { n: incident.priority }) }]),
      plain(t('incident.read'), freshness(tenant)),
    ],
  }
}

function classificationText({ classification, determination }: StoredIncident, { t, spoken }: PageTools): Html {
  if (!classification || classification === 'unknown') return html`<span class="muted">${t('incident.not-set')}</span>`
  const isSaid = determination && determination !== 'unknown'
  const detail = isSaid ? html` <span class="faint t-sm">${spoken('determination', determination)}</span>` : ''
  return html`${spoken('classification', classification)}${detail}`
}

function activityFacts({ story, incident }: IncidentFacts, { t, time, ago }: PageTools) {
  const moment = (at: string | null) => html`${time(at)} <span class="faint t-sm">${ago(at)}</span>`
  if (!story.firstAt) return [{ label: t('incident.created'), class: '', text: moment(incident.createdAt) }]
  return [
    { label: t('incident.first-activity'), class: '', text: moment(story.firstAt) },
    { label: t('incident.last-activity'), class: '', text: moment(story.lastAt) },
  ]
}

function factsView({ incident, tenant, story }: IncidentFacts, tools: PageTools): FactsView {
  const { named, short, spoken, time } = tools
  const name = tenant.displayName || tenant.defaultDomain || tenant.tenantId
  const by = incident.lastModifiedBy ? html`, ${named(short(incident.lastModifiedBy, lengths.name))}` : ''
  return {
    customer: { href: `/customers/${incident.customerId}`, name: named(incident.customerName) },
    tenant: {
      href: `/tenants/${tenant.tenantId}/incidents`,
      name: named(name),
      domain: tenant.defaultDomain && tenant.defaultDomain !== name ? tenant.defaultDomain : null,
    },
    id: incident.id,
    products: story.products.length > 0 ? story.products.map((one) => spoken('source', one)).join(', ') : null,
    tags: incident.tags.slice(0, mostTags).map((tag) => short(tag, lengths.tag)),
    createdAt: incident.createdAt,
    changed: html`${time(incident.lastUpdateAt)}${by}`,
    firstSeenAt: incident.firstSeenAt,
  }
}

export type MergedFacts = Pick<
  IncidentFacts,
  'incident' | 'tenant' | 'back' | 'defender' | 'notes' | 'typed' | 'faults'
>

/** The page of an incident that was merged into one that is not here. */
export interface MergedView {
  head: HeadView
  into: string
  defender: { href: string; label: string }
  severity: Html
  status: Html
  fresh: Html
  createdAt: string
  changedAt: string
  notes: NotesView
}

export function mergedView(facts: MergedFacts, tools: PageTools): MergedView {
  const { t } = tools
  const { incident, tenant, typed, faults } = facts
  const { redirectId } = incident
  return {
    head: headView(facts, tools),
    into: redirectId ? t('incident.merged.into', { id: redirectId }) : t('incident.merged.somewhere'),
    defender: { href: facts.defender, label: t('incident.merged.defender', { id: redirectId || incident.id }) },
    severity: tools.severity(incident.severity),
    status: tools.status('redirected'),
    fresh: tools.freshness(tenant),
    createdAt: incident.createdAt,
    changedAt: incident.lastUpdateAt,
    notes: notesWords(facts.notes, tenant.tenantId, { typed, faults }, tools),
  }
}
