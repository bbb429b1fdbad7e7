// What memory-probe.ts wrote down, in a few figures.
import { median, percentile } from './statistics.ts'

/** One line of the probe: times in milliseconds, sizes in bytes. */
export interface Sample {
  at: number
  thread: 'main' | 'worker' | 'database'
  rss: number
  heap: number
  heapTotal: number
  external: number
  arrayBuffers: number
  /** Of the whole process since it began. */
  cpuMs: number
  /** Longest hold of this thread's event loop since its last line. */
  heldMs: number
  /** Transactions that this thread committed since it began. */
  commits: number
}

interface Hold {
  max: number
  p99: number
}

/** Memory in MB and holds of the event loops in milliseconds; `slope` is the memory's growth in MB a minute. */
export interface MemorySummary {
  maxMb: number
  firstHalfMb: number
  secondHalfMb: number
  slopeMbPerMinute: number
  seconds: number
  held: { main: Hold; worker: Hold }
}

export function summaryOf(samples: readonly Sample[]): MemorySummary {
  // The process is starting up in its first two seconds.
  const started = samples[0]?.at ?? 0
  const settled = samples.filter(({ at }) => at - started > 2_000)
  const own = settled.length >= 8 ? settled : samples
  const rss = own.map((sample) => sample.rss / 1e6)
  const half = rss.length >> 1
  const held = (thread: Sample['thread']): Hold => {
    const list = own
      .filter((sample) => sample.thread === thread)
      .map(({ heldMs }) => heldMs)
      .sort((a, b) => a - b)
    return { max: list.at(-1) ?? 0, p99: percentile(list, 0.99) ?? 0 }
  }
  return {
    maxMb: Math.max(...samples.map((sample) => sample.rss / 1e6)),
    firstHalfMb: median(rss.slice(0, half)),
    secondHalfMb: median(rss.slice(half)),
    slopeMbPerMinute: slope(own.map(({ at, rss }) => ({ x: (at - started) / 60_000, y: rss / 1e6 }))),
    seconds: ((samples.at(-1)?.at ?? 0) - started) / 1000,
    held: { main: held('main'), worker: held('worker') },
  }
}

/** Least squares. */
function slope(points: readonly { x: number; y: number }[]): number {
  const meanX = points.reduce((total, { x }) => total + x, 0) / points.length
  const meanY = points.reduce((total, { y }) => total + y, 0) / points.length
  const over = points.reduce((total, { x, y }) => total + (x - meanX) * (y - meanY), 0)
  return over / (points.reduce((total, { x }) => total + (x - meanX) ** 2, 0) || 1)
}
