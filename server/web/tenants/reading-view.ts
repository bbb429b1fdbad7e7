import type { FieldFault } from '../../http/forms.ts'
import type { Html } from '../../http/html.ts'
import { html } from '../../http/html.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import type { MessageKey } from '../../words.ts'
import { type FieldView, fieldViews } from '../page/field-view.ts'
import type { PageTools } from '../page/tools.ts'
import type { Progress } from './progress.ts'
import type { ReadingView as ReadingFacts } from './reading.ts'
import { type RunsView, runsView } from './runs-view.ts'

/** What was typed, or what the form begins with; times as clocks show them in `zone`. */
export interface RereadForm {
  spans: readonly string[]
  span: string
  from: string
  to: string
  zone: string
  faults: FieldFault[] | null
}

export interface ReadingSectionFacts {
  tenant: Tenant
  reading: ReadingFacts
  reread: RereadForm
  blindSince: string | null
  blindAfterMs: number
}

/** How a tenant is being read, in words. */
export interface ReadingView {
  tenantId: string
  progress: ProgressView[]
  /** Pairs of a word and what it is, in two columns. */
  left: Fact[]
  right: Fact[]
  controls: ControlsView | null
  runs: RunsView | null
}

interface Fact {
  label: string
  text: Html | string
  class?: string
}

interface ProgressView {
  label: string
  parts: string
  /** In per cent; null when nobody can tell. */
  done: string | null
  stretch: Html | null
}

/** What an operator may have done. */
interface ControlsView {
  /** The sentence for who may do nothing; null for the others. */
  reader: string | null
  cannotReread: boolean
  cannotPause: boolean
  mayPause: boolean
  /** Why something cannot be pressed. */
  why: string | null
  form: RereadView | null
}

interface RereadView {
  open: boolean
  faults: FieldFault[] | null
  zone: string
  spans: { value: string; label: string; checked: boolean }[]
  fields: (FieldView & { name: string; label: string; describedBy: string })[]
}

export function readingView(facts: ReadingSectionFacts, tools: PageTools): ReadingView {
  const { tenant, reading } = facts
  const isServed = tenant.accessState !== 'offboarded'
  const stands = reading.pause !== null || reading.waits !== null
  return {
    tenantId: tenant.tenantId,
    progress: reading.progress.map((one) => progressView(one, stands, tools)),
    left: [...lastFacts(facts, tools), ...(isServed ? servedFacts(facts, tools) : [])],
    right: keptFacts(facts, isServed, tools),
    controls: isServed ? controlsView(facts, tools) : null,
    runs: reading.runs.length > 0 ? runsView(reading.runs, tenant, null, tools) : null,
  }
}

function lastFacts({ tenant }: ReadingSectionFacts, { t, time, lacking }: PageTools): Fact[] {
  const read = tenant.lastReadAt ? time(tenant.lastReadAt, 'seconds') : t('tenants.reading.never')
  const failures = t('tenants.reading.failures', { n: tenant.syncFailures })
  const failed = tenant.syncFailures > 0 ? html` <span class="c-red">· ${failures}</span>` : ''
  const facts: Fact[] = [{ label: t('tenants.reading.last'), text: html`${read}${failed}` }]
  if (tenant.partialSince) {
    const lack = tenant.partial ? html` <span class="faint">· ${lacking(tenant.partial)}</span>` : ''
    const since = html`<span class="c-red">${time(tenant.partialSince, 'seconds')}</span>`
    facts.push({ label: t('tenants.reading.partial'), text: html`${since}${lack}` })
  }
  return facts
}

function servedFacts(facts: ReadingSectionFacts, tools: PageTools): Fact[] {
  const { t, time, span, number } = tools
  const { tenant, reading, blindSince, blindAfterMs } = facts
  const { budget, limits, lagMs } = reading
  const limit = html`<span class="faint">· ${t('tenants.reading.lag.limit', { span: span(blindAfterMs) })}</span>`
  const kind = html`${blindSince ? html` class="c-red"` : ''}`
  const lag = lagMs === null ? '' : html`<strong${kind}>${span(lagMs)}</strong> ${limit}`
  const left = t('tenants.reading.budget.left', {
    minute: number(budget.minuteLeft),
    perMinute: number(limits.callsPerMinute),
    hour: number(budget.hourLeft),
    perHour: number(limits.callsPerHour),
  })
  const more = budget.nextAt ? html`, ${t('tenants.reading.budget.next')} ${time(budget.nextAt, 'seconds')}` : ''
  return [
    ...(lagMs === null ? [] : [{ label: t('tenants.reading.lag'), text: lag }]),
    { label: t('tenants.reading.next'), text: nextText(facts, tools) },
    ...(tenant.accessState === 'active' && tenant.syncPhase === 'following'
      ? [{ label: t('tenants.reading.pace'), text: paceText(facts, tools) }]
      : []),
    { label: t('tenants.reading.budget'), text: html`${left}${more}`, class: 'num-wrap' },
  ]
}

function nextText({ tenant, reading }: ReadingSectionFacts, { t, time }: PageTools): Html | string {
  if (reading.pause) return t('standing.paused')
  if (tenant.syncing) return t('tenants.under-way')
  if (reading.waits) return time(tenant.notBefore, 'seconds')
  return tenant.nextSyncAt ? time(tenant.nextSyncAt, 'seconds') : t('tenants.none-due')
}

/** Spans shorter than this are told in seconds. */
const briefMs = 120_000

function paceText({ tenant, reading }: ReadingSectionFacts, { t, span, ago }: PageTools): Html {
  const { quiet, everyMs } = reading.pace
  const every = everyMs < briefMs ? t('shell.span.s', { n: Math.round(everyMs / 1_000) }) : span(everyMs)
  const pace = t(quiet ? 'tenants.reading.pace.quiet' : 'tenants.reading.pace.lively', { span: every })
  const last = t('tenants.reading.pace.last')
  const changed = tenant.lastChangeAt ? html` <span class="faint">· ${last} ${ago(tenant.lastChangeAt)}</span>` : ''
  return html`${pace}${changed}`
}

function keptFacts({ tenant, reading }: ReadingSectionFacts, isServed: boolean, tools: PageTools): Fact[] {
  const { t, time, word } = tools
  const backfilled = tenant.backfilledAt
    ? html`${t('tenants.reading.backfilled.at')} ${time(tenant.backfilledAt)}`
    : t('tenants.reading.backfilled.not-yet')
  const mayCompare = isServed && tenant.nextReconcileAt && !reading.pause
  const next = t('tenants.reading.reconcile-next')
  const comes = mayCompare ? html` <span class="faint">· ${next} ${time(tenant.nextReconcileAt)}</span>` : ''
  return [
    { label: t('tenants.reading.phase'), text: word('tenants.phase', tenant.syncPhase) },
    { label: t('tenants.reading.reconciled'), text: html`${reconciledText(tenant, tools)}${comes}` },
    { label: t('tenants.reading.backfilled'), text: backfilled },
    ...(tenant.cursor ? [{ label: t('tenants.reading.cursor'), text: time(tenant.cursor, 'seconds') }] : []),
    { label: t('tenants.reading.stored'), text: t('tenants.reading.incidents', { n: tenant.incidentCount }) },
  ]
}

function reconciledText(tenant: Tenant, { t, time }: PageTools): Html | string {
  if (!tenant.reconciledAt) return t('tenants.reading.reconciled.never')
  const differences = t('tenants.reading.differences', { n: tenant.reconcileDifferences })
  const kind = tenant.reconcileDifferences > 0 ? html` class="c-orange"` : ''
  return html`${time(tenant.reconciledAt)}, <span${kind}>${differences}</span>`
}

function progressView(one: Progress, stands: boolean, tools: PageTools): ProgressView {
  const { t, number, span, word } = tools
  const { expected, seen, perSecond, leftMs } = one
  const of = { seen: number(seen), expected: expected ?? 0 }
  const parts = [
    expected === null ? t('tenants.progress.so-far', { n: seen }) : t('tenants.progress.of', of),
    stands ? t('tenants.progress.stands') : null,
    perSecond === null ? null : rateText(perSecond, tools),
    leftMs === null ? null : t('tenants.progress.left', { span: span(leftMs) }),
  ]
  return {
    label: word('tenants.progress', one.kind),
    parts: parts.filter((part) => part !== null).join(', '),
    done: one.done === null ? null : (one.done * 100).toFixed(1),
    stretch: one.stretch && stretchText(one, one.stretch, tools),
  }
}

function rateText(perSecond: number, { t, number }: PageTools): string {
  if (perSecond >= 1) return t('tenants.progress.per-second', { n: number(Math.round(perSecond)) })
  return t('tenants.progress.per-minute', { n: number(Math.max(1, Math.round(perSecond * 60))) })
}

function stretchText(
  { reached, askedBy }: Progress,
  { from, to }: { from: string; to: string },
  tools: PageTools,
): Html {
  const { t, time } = tools
  const back = reached ? html` · ${t('tenants.progress.back-to')} ${time(reached)}` : ''
  const asker = askedBy ? html` · ${t('tenants.progress.asked', { name: askedBy })}` : ''
  return html`${time(from)} – ${time(to)}${back}${asker}`
}

function controlsView({ reading, reread }: ReadingSectionFacts, tools: PageTools): ControlsView {
  const { t } = tools
  const { controls, pause } = reading
  const reasons = [...new Set([controls.reread, controls.pause].filter((key): key is MessageKey => key !== null))]
  return {
    reader: controls.read === 'tenants.cannot.reader' ? t(controls.read) : null,
    cannotReread: controls.reread !== null,
    cannotPause: controls.pause !== null,
    mayPause: controls.pause === null && !pause,
    why: reasons.length > 0 ? reasons.map((key) => t(key)).join(' ') : null,
    form: controls.reread === null ? rereadView(reread, tools) : null,
  }
}

function rereadView(reread: RereadForm, { word }: PageTools): RereadView {
  const { faults, zone } = reread
  const names = ['from', 'to'] as const
  const fields = fieldViews(names, { from: reread.from, to: reread.to }, faults)
  return {
    open: faults !== null,
    faults,
    zone,
    spans: [...reread.spans, 'own'].map((value) => ({
      value,
      label: word('tenants.reread.span', value),
      checked: value === reread.span,
    })),
    fields: names.map((name) => ({
      ...fields[name],
      name,
      label: word('tenants.reread', name),
      describedBy: fields[name].wrong ? `reread-zone ${name}-fault` : 'reread-zone',
    })),
  }
}
