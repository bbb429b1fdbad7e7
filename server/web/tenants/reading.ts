import type { OperatorRole } from '../../http/operator.ts'
import type { Portal } from '../../portal.ts'
import { type Budget, budgetOf, type CallLimits } from '../../store/sync/budgets.ts'
import { type PastSync, syncsPage } from '../../store/sync/history.ts'
import { type ReadWindow, windowsOf } from '../../store/sync/windows.ts'
import { aheadOf } from '../../store/tenants/blind.ts'
import { type Pause, readPause } from '../../store/tenants/pauses.ts'
import type { Tenant } from '../../store/tenants/tenants.ts'
import { hour } from '../../time.ts'
import type { MessageKey } from '../../words.ts'
import { type Progress, progressOf, progressOfOpen } from './progress.ts'

/** How a tenant is being read: how fresh it is, what is under way, what may be asked for. */
export interface ReadingView {
  /** Since the last success; null when there was none. */
  lagMs: number | null
  pace: { quiet: boolean; everyMs: number }
  budget: Budget
  limits: CallLimits
  /** Whose wish it is that nothing is asked before `tenant.notBefore`; null when that is over. */
  waits: 'microsoft' | 'budget' | null
  /** Reading stands still because somebody said so, of this tenant or of all. */
  pause: (Pause & { all: boolean }) | null
  progress: Progress[]
  /** The newest sync runs. */
  runs: PastSync[]
  controls: Controls
}

/** What may be pressed; where it may not, the sentence that says why. */
export type Controls = Record<'read' | 'reread' | 'pause', MessageKey | null>

const runsShown = 5

/** Something happened there lately, so that it is looked at often. */
const lively = hour

export async function readingOf(portal: Portal, tenant: Tenant, role: OperatorRole): Promise<ReadingView> {
  const { db, config } = portal
  const now = portal.now()
  const { tenantId } = tenant
  const [budget, all, windows, runs] = await Promise.all([
    budgetOf(db, tenantId, config.sync, now),
    readPause(db),
    windowsOf(db, tenantId, 10),
    syncsPage(db, tenantId, { limit: runsShown }),
  ])
  const waits = tenant.notBefore === null || tenant.notBefore <= now.toISOString() ? null : whoAsked(budget)
  const pause = pauseOf(tenant, all)
  const unfinished = windows.filter(({ finishedAt }) => finishedAt === null)
  const quiet = tenant.lastChangeAt === null || now.getTime() - Date.parse(tenant.lastChangeAt) > lively
  return {
    lagMs:
      tenant.lastReadAt === null || tenant.lastReadAt > aheadOf(now)
        ? null
        : Math.max(0, now.getTime() - Date.parse(tenant.lastReadAt)),
    pace: { quiet, everyMs: quiet ? config.sync.quietPaceMs : config.sync.paceMs },
    budget,
    limits: config.sync,
    waits,
    pause,
    progress:
      tenant.accessState === 'active' ? underWay(tenant, unfinished, runs, pause !== null || waits !== null, now) : [],
    runs,
    controls: controlsOf(tenant, role, { pause, waits, unfinished }),
  }
}

const whoAsked = (budget: Budget) => (budget.nextAt === null ? 'microsoft' : 'budget')

function pauseOf(tenant: Tenant, all: Pause | null): ReadingView['pause'] {
  if (tenant.pausedAt !== null) return { at: tenant.pausedAt, by: tenant.pausedBy ?? '', all: false }
  return all === null || tenant.accessState === 'offboarded' ? null : { ...all, all: true }
}

/** What is open first, then an operator's wish, the first 30 days, the comparison: the order in which they are read. */
const mostUrgent: readonly ReadWindow['kind'][] = ['open', 'reread', 'backfill', 'reconcile']

function underWay(
  tenant: Tenant,
  unfinished: readonly ReadWindow[],
  runs: readonly PastSync[],
  standsStill: boolean,
  now: Date,
): Progress[] {
  const first =
    tenant.syncPhase === 'open' ? [progressOfOpen(runs.find(({ outcome }) => outcome === null) ?? null)] : []
  const rest = mostUrgent.flatMap((kind) => unfinished.filter((window) => window.kind === kind))
  return [...first, ...rest.map((window) => progressOf(window, standsStill, now))]
}

const cannotWait = {
  microsoft: 'tenants.cannot.wait-microsoft',
  budget: 'tenants.cannot.wait-budget',
} as const

function controlsOf(
  tenant: Tenant,
  role: OperatorRole,
  state: Pick<ReadingView, 'pause' | 'waits'> & { unfinished: readonly ReadWindow[] },
): Controls {
  const works = role === 'Reader' ? 'tenants.cannot.reader' : null
  const reads =
    works ??
    (tenant.accessState !== 'active'
      ? 'tenants.cannot.access'
      : state.pause !== null
        ? state.pause.all
          ? 'tenants.cannot.all-paused'
          : 'tenants.cannot.paused'
        : null)
  const rereading = state.unfinished.some(({ kind }) => kind === 'reread')
  return {
    read: reads ?? (state.waits === null ? null : cannotWait[state.waits]),
    reread: reads ?? (rereading ? 'tenants.cannot.rereading' : null),
    pause: role === 'Admin' ? null : 'tenants.cannot.admin',
  }
}
