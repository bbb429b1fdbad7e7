// What memory-probe.mjs wrote down, in a few figures.
import { percentile } from './stage.mjs'

/** Memory in MB and holds of the event loops in milliseconds; `slope` is the memory's growth in MB a minute. */
export function summaryOf(samples) {
  // The process is starting up in its first two seconds.
  const started = samples[0]?.at ?? 0
  const settled = samples.filter(({ at }) => at - started > 2_000)
  const own = settled.length >= 8 ? settled : samples
  const rss = own.map((sample) => sample.rss / 1e6)
  const half = rss.length >> 1
  const held = (thread) => {
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
    slopeMbPerMinute: slope(
      own.map(({ at }) => (at - started) / 60_000),
      rss,
    ),
    seconds: ((samples.at(-1)?.at ?? 0) - started) / 1000,
    held: { main: held('main'), worker: held('worker') },
  }
}

const median = (list) =>
  percentile(
    [...list].sort((a, b) => a - b),
    0.5,
  ) ?? 0

/** Least squares. */
function slope(xs, ys) {
  const n = xs.length
  const meanX = xs.reduce((a, b) => a + b, 0) / n
  const meanY = ys.reduce((a, b) => a + b, 0) / n
  const over = xs.reduce((total, x, i) => total + (x - meanX) * (ys[i] - meanY), 0)
  return over / (xs.reduce((total, x) => total + (x - meanX) ** 2, 0) || 1)
}
