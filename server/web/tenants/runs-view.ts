import type { PastSync } from '../../store/sync/history.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import type { PageTools } from '../page/tools.ts'

/** Sync runs over a tenant, in words. */
export interface RunsView {
  /** What is counted: the heads of the columns with figures. */
  figures: string[]
  rows: RunRow[]
}

interface RunRow {
  id: string
  /** Whether it is the one that was asked for. */
  asked: boolean
  href: string
  startedAt: string
  finishedAt: string | null
  kind: string
  askedBy: string | null
  outcome: { label: string; colour: string; icon: string }
  /** Why it failed, and what Microsoft's answers lacked. */
  code: string | null
  partial: string | null
  /** How many polls stand in this line, in words; null for one. */
  polls: string | null
  counts: { label: string; text: string; class: string; isNone: boolean }[]
  took: string | null
}

const figures = ['seen', 'added', 'changed', 'rejected', 'differences', 'pages', 'calls'] as const
/** Figures that ought to be none. */
const alarming: readonly string[] = ['differences', 'rejected']

const drawings: Record<NonNullable<PastSync['outcome']> | 'running', [string, string]> = {
  running: ['blue', 'refresh'],
  complete: ['green', 'circle-check'],
  partial: ['yellow', 'circle-half-2'],
  failed: ['red', 'circle-x'],
  overtaken: ['', 'arrow-right'],
  paused: ['yellow', 'player-pause'],
}

export function runsView(
  runs: readonly PastSync[],
  tenant: Pick<Tenant, 'tenantId'>,
  asked: string | null,
  tools: PageTools,
): RunsView {
  const { word } = tools
  const labels = figures.map((figure) => word('tenants.column', figure))
  return {
    figures: labels,
    rows: runs.map((run) => ({
      id: run.id,
      asked: run.id === asked,
      href: `/tenants/${tenant.tenantId}/syncs?at=${run.id}#s-${run.id}`,
      startedAt: run.startedAt,
      finishedAt: run.finishedAt,
      kind: word('tenants.kind', run.kind),
      askedBy: run.askedBy ? tools.t('tenants.syncs.asked-by', { name: run.askedBy }) : null,
      outcome: outcomeOf(run, tools),
      code: codeText(run, tools),
      partial: run.partial ? tools.lacking(run.partial) : null,
      polls: run.polls > 1 ? tools.t('tenants.syncs.polls', { n: run.polls }) : null,
      counts: figures.map((figure, i) => countOf(figure, run[figure], labels[i] ?? '', tools)),
      took: tookText(run, tools),
    })),
  }
}

function outcomeOf({ outcome }: PastSync, { word }: PageTools): RunRow['outcome'] {
  const name = outcome ?? 'running'
  const [colour, icon] = drawings[name]
  return { label: word('tenants.outcome', name), colour, icon }
}

function codeText({ code }: PastSync, { t, word }: PageTools): string | null {
  if (!code) return null
  return code === 'internal' ? t('tenants.failed.internal') : word('refusal', code, { aadsts: 0, status: 0 })
}

function countOf(figure: string, count: number, label: string, { number }: PageTools): RunRow['counts'][number] {
  const some = alarming.includes(figure) ? 'num c-orange' : 'num'
  return { label, text: number(count), class: count === 0 ? 'num faint' : some, isNone: count === 0 }
}

/** Several polls in one line took no time of their own. */
function tookText({ startedAt, finishedAt, polls }: PastSync, { span }: PageTools): string | null {
  if (!finishedAt || polls !== 1) return null
  const took = Date.parse(finishedAt) - Date.parse(startedAt)
  return took < 1_000 ? '< 1 s' : span(took)
}

/** What a tenant is called; without a name and a domain by the beginning of its ID. */
export const titleOf = (tenant: Pick<Tenant, 'displayName' | 'defaultDomain' | 'tenantId'>, { t }: PageTools): string =>
  tenant.displayName ?? tenant.defaultDomain ?? t('tenants.nameless', { id: tenant.tenantId.slice(0, 8) })
