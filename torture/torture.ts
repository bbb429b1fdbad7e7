// One run: a world that changes, weather and faults, and at the end the store against Microsoft.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from '../test/support/places.ts'
import { Ending } from './ending.ts'
import { type Ground, layGround, type Undo } from './ground.ts'
import type { RunOptions, RunResult } from './options.ts'
import { streamOf } from './randomness.ts'
import { pressTime } from './time.ts'
import { turnBack } from './turning-back.ts'

/** What calm, polls, reconciles and comparisons take of the whole time. */
const endMs = 45_000
const shortestStormMs = 15_000

type Say = (line: string) => void

/**
 * @param say takes a line on how far it is
 * @throws Error when the run itself could not be made; the last lines of its logs are said before
 */
export async function torture(options: RunOptions, say: Say): Promise<RunResult> {
  const folder = temporaryFolder('muster-torture-')
  const undo: Undo = [folder.remove]
  try {
    const ground = await layGround({ ...options, folder: folder.path }, undo)
    return await through(ground, options, say)
  } catch (error) {
    for (const line of logsOf(folder.path)) say(line)
    throw error
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

async function through(ground: Ground, options: RunOptions, say: Say): Promise<RunResult> {
  const { watch, pages, topology, tight } = ground
  const stopping = new AbortController()
  const watching = Promise.all([
    again(stopping.signal, 400, () => watch.sample()),
    again(stopping.signal, 700, () => pages.look()),
  ])
  const ending = new Ending(ground, options, say)
  try {
    const stormMs = Math.max(shortestStormMs, options.seconds * 1_000 - endMs)
    say(`${topology}${tight ? ', a tight budget' : ''}: ${Math.round(stormMs / 1_000)} s of storm`)
    await storm(ground, options.seed, stormMs)
    say('calm')
    await ending.through()
  } finally {
    stopping.abort()
    await watching
  }
  await watch.sample()
  return resultOf(ground, ending)
}

function resultOf({ watch, pages, places, mutator, forecast, faults }: Ground, ending: Ending): RunResult {
  const crashes = places.flatMap(({ crashed }) => crashed ?? [])
  return {
    differences: [...watch.broken, ...pages.faults, ...crashes, ...ending.differences],
    figures: {
      mutations: mutator.done,
      weather: forecast.done,
      faults: faults.done,
      'slowest stop': `${Math.round(faults.slowestStop)} ms`,
      requests: `${watch.requests}, ${watch.listed} of them for lists`,
      pages: pages.statuses,
      rejected: `up to ${watch.rejected} items at once`,
      samples: watch.samples,
      compared: `${ending.items} incidents`,
    },
  }
}

async function storm(ground: Ground, seed: number, ms: number): Promise<void> {
  const { eyes, mutator, forecast, faults, tight } = ground
  const pace = streamOf(seed, 'pace')
  const over = AbortSignal.timeout(ms)
  const slower = tight ? 4 : 1
  const between = (low: number, high: number) => () => pace.int(low, high) * slower
  await Promise.all([
    again(over, between(30, 140), () => mutator.step()),
    again(over, between(200, 900), () => forecast.step()),
    again(over, 2_000, () => pressTime(eyes)),
    again(over, 3_000, () => turnBack(ground)),
    sleep(3_000).then(() => again(over, between(1_000, 3_000), () => faults.step())),
  ])
  await faults.mend()
}

/** Does something, rests so many milliseconds, does it again, until told to stop. */
async function again(signal: AbortSignal, rest: number | (() => number), act: () => unknown): Promise<void> {
  while (!signal.aborted) {
    await act()
    await sleep(typeof rest === 'number' ? rest : rest(), undefined, { signal }).catch(() => undefined)
  }
}

/** The logs of the processes say more than the harness can. */
function logsOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n').slice(-5))
}
