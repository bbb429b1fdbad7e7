import type { PastSync } from '../../store/sync/history.ts'
import type { ReadWindow, WindowKind } from '../../store/sync/windows.ts'

/** How far a stretch of time has been read. */
export interface Progress {
  kind: WindowKind
  /** The stretch; null for the first sync run over what is open. */
  stretch: { from: string; to: string } | null
  askedBy: string | null
  seen: number
  /** About how many there are; null when nobody can tell, or when there turned out to be more. */
  expected: number | null
  /** From 0 to 1; null when nobody can tell. */
  done: number | null
  /** How far back it has come; null before it begins. */
  reached: string | null
  /** Incidents a second since it began; null while that says nothing. */
  perSecond: number | null
  leftMs: number | null
}

/** A rate of the first seconds is a guess. */
const soonest = 3_000

/** What a window has come to. `standsStill`: nothing is read at the moment, so that a rate would be a lie. */
export function progressOf(window: ReadWindow, standsStill: boolean, now: Date): Progress {
  const { kind, from, to, seen } = window
  const total = window.expected !== null && window.expected >= seen && window.expected > 0 ? window.expected : null
  const byTime = share(Date.parse(to) - Date.parse(window.reached), Date.parse(to) - Date.parse(from))
  const hasBegun = window.startedAt !== null
  const elapsed = hasBegun ? now.getTime() - Date.parse(window.startedAt as string) : 0
  const moving = !standsStill && elapsed >= soonest
  const done = total === null ? byTime : share(seen, total)
  const perSecond = moving && seen > 0 ? seen / (elapsed / 1_000) : null
  // It begins long before the first of them: what part of the time was read says nothing.
  if (kind === 'open') return { ...progressOfOpen(window), perSecond }
  return {
    kind,
    stretch: { from, to },
    askedBy: window.createdBy,
    seen,
    expected: total,
    done,
    reached: hasBegun && window.reached !== to ? window.reached : null,
    perSecond,
    leftMs: moving && done > 0 && done < 1 ? (elapsed / done) * (1 - done) : null,
  }
}

/** The first sync run over what is open: Microsoft does not say how many there are. */
export const progressOfOpen = (sync: Pick<PastSync, 'seen'> | null): Progress => ({
  kind: 'open',
  stretch: null,
  askedBy: null,
  seen: sync?.seen ?? 0,
  expected: null,
  done: null,
  reached: null,
  perSecond: null,
  leftMs: null,
})

const share = (part: number, whole: number) => (whole <= 0 ? 1 : Math.min(1, Math.max(0, part / whole)))
