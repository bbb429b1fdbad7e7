// `npm run bench`: prints, for each engine, a table of rows with what each is to reach, and writes
// bench/results/<time>.json. `--quick` takes smaller sizes, `--only <row>` one row, `--profile` shows where the time of
// the first sync goes.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { root } from '../test/support/root.ts'
import { type DeliveryRow, type HangingRow, measureDelivery, measureHanging } from './delivery.ts'
import { engines } from './engines.ts'
import { type MemoryRow, measureFirstSync, type SyncOptions, type SyncRow } from './first-sync.ts'
import { type IdleRow, measureIdlePoll } from './idle-poll.ts'
import { measureOnboardingPages, type OnboardingRow } from './onboarding-pages.ts'
import { measurePages, type PageRow } from './pages.ts'
import { printProfiles } from './profile.ts'
import { measureRival, type RivalRow, rivalInstalled, rivalLeftOut } from './rivals.ts'
import { measureStart, type StartRow } from './start.ts'

interface Verdict {
  row: 'verdict'
  of: string
  engine: string
  label: string
  reached: boolean
}

type Row =
  | SyncRow
  | MemoryRow
  | RivalRow
  | IdleRow
  | PageRow
  | OnboardingRow
  | DeliveryRow
  | HangingRow
  | StartRow
  | Verdict

interface Sizes {
  sync: SyncOptions
  rival: { tenants: number; incidents: number }
  graph: SyncOptions
  far: SyncOptions & { latencyMs: number }
  /** Microsoft a second away. */
  second: SyncOptions & { latencyMs: number }
  farRival: { tenants: number; incidents: number; latencyMs: number }
  /** Each with the seconds that a poll of all may take. */
  idle: readonly { tenants: number; incidents: number; latencyMs: number; seconds: number }[]
  /** Incidents of the smaller store and of the larger. */
  pages: readonly [number, number]
  messages: number
  /** Attempts, links and reviews. */
  onboarding: number
  hanging: { destinations: number; hanging: number; each: number }
}

const quick = process.argv.includes('--quick')
const only = process.argv.includes('--only') ? (process.argv[process.argv.indexOf('--only') + 1] ?? '') : null
const profiling = process.argv.includes('--profile')
const sizes: Sizes = quick
  ? {
      sync: { tenants: 20, incidents: 500, rounds: 1 },
      rival: { tenants: 5, incidents: 500 },
      graph: { tenants: 5, incidents: 500, rounds: 1 },
      far: { tenants: 10, incidents: 500, rounds: 1, latencyMs: 100 },
      second: { tenants: 40, incidents: 500, rounds: 1, latencyMs: 1_000 },
      farRival: { tenants: 3, incidents: 500, latencyMs: 100 },
      idle: [
        { tenants: 100, incidents: 10, latencyMs: 0, seconds: 60 },
        { tenants: 100, incidents: 10, latencyMs: 1_000, seconds: 10 },
      ],
      pages: [2_000, 20_000],
      messages: 1_000,
      onboarding: 2_000,
      hanging: { destinations: 20, hanging: 4, each: 2 },
    }
  : {
      sync: { tenants: 200, incidents: 1_000, rounds: 2 },
      rival: { tenants: 40, incidents: 1_000 },
      graph: { tenants: 10, incidents: 500, rounds: 1 },
      far: { tenants: 40, incidents: 1_000, rounds: 1, latencyMs: 100 },
      second: { tenants: 200, incidents: 1_000, rounds: 1, latencyMs: 1_000 },
      farRival: { tenants: 15, incidents: 1_000, latencyMs: 100 },
      idle: [
        { tenants: 1_000, incidents: 20, latencyMs: 0, seconds: 60 },
        { tenants: 1_000, incidents: 20, latencyMs: 1_000, seconds: 10 },
        { tenants: 10_000, incidents: 2, latencyMs: 1_000, seconds: 75 },
      ],
      pages: [10_000, 500_000],
      messages: 10_000,
      onboarding: 10_000,
      hanging: { destinations: 100, hanging: 20, each: 2 },
    }
const names = ['sync', 'rival', 'far', 'graph', 'idle', 'pages', 'onboarding', 'delivery', 'start']
if (only !== null && !names.includes(only)) {
  console.error(`--only takes one of ${names.join(', ')}`)
  process.exit(2)
}
if (only === 'rival' && !rivalInstalled()) {
  console.error(rivalLeftOut)
  process.exit(2)
}
const wanted = (name: string) => only === null || only === name

const folder = join(root, 'bench', 'results')
mkdirSync(folder, { recursive: true })
const results: Row[] = []
const note = <Result extends Row>(result: Result): Result => {
  results.push(result)
  return result
}

const whole = (value: number) => Math.round(value).toLocaleString('en')
const ms = (value: number) => `${value.toFixed(1)} ms`
const share = (value: number) => `${Math.round(value * 100)} %`
/** Incidents a second and MB a second. */
const rateOf = (incidents: number, { ms: took, bytes }: { ms: number; bytes: number }) =>
  `${whole(incidents / (took / 1000))} incidents/s, ${(bytes / 1e6 / (took / 1000)).toFixed(1)} MB/s`
const print = (label: string, text: string, reached: boolean | null = null) => {
  const verdict = reached === null ? '' : reached ? '  reached' : '  NOT REACHED'
  console.log(`  ${label.padEnd(34)} ${text}${verdict}`)
}
const judge = (row: { row: string; engine: string }, label: string, text: string, reached: boolean) => {
  note({ row: 'verdict', of: row.row, engine: row.engine, label, reached })
  print(label, text, reached)
}

const { length } = cpus()
console.log(`Muster benchmarks · Node ${process.version} · ${length} × ${cpus()[0]?.model}`)

for (const engine of engines()) {
  console.log(`\n${engine.name}`)
  if (wanted('sync') || wanted('rival')) {
    const profileDir = profiling ? `${folder}/profile-${engine.name}-${Date.now()}` : null
    const ours = printSync(await measureFirstSync(engine, { ...sizes.sync, profileDir }))
    if (profileDir) printProfiles(profileDir)
    if (wanted('rival') && !rivalInstalled()) console.log(`  ${rivalLeftOut}`)
    else if (wanted('rival')) {
      printRival(ours, note(await measureRival(engine, sizes.rival)), 'no way to go')
      const way = `${sizes.far.latencyMs} ms to Microsoft`
      const far = printSync(await measureFirstSync(engine, sizes.far), way)
      printRival(far, note(await measureRival(engine, sizes.farRival)), way)
    }
  }
  if (wanted('far')) {
    const near = printSync(await measureFirstSync(engine, { ...sizes.second, latencyMs: 0 }), 'no way to go')
    printFar(near, await measureFirstSync(engine, sizes.second))
  }
  if (wanted('graph'))
    printSync(await measureFirstSync(engine, { ...sizes.graph, api: 'graph' }), 'INCIDENTS_API=graph')
  for (const size of wanted('idle') ? sizes.idle : [])
    printIdle(note(await measureIdlePoll(engine, size)), size.seconds)
  if (wanted('pages')) printPages((await measurePages(engine, sizes.pages)).map(note))
  if (wanted('onboarding')) printOnboarding((await measureOnboardingPages(engine, sizes.onboarding)).map(note))
  if (wanted('delivery')) {
    printDelivery(note(await measureDelivery(engine, sizes.messages)))
    printHanging(note(await measureHanging(engine, sizes.hanging)))
  }
}
if (wanted('start')) {
  const start = note(await measureStart())
  console.log('\nStart to ready')
  print('ours', `${ms(start.ours)}; a Node.js that only listens ${ms(start.floor)}: ${start.ratio.toFixed(1)} ×`)
}

const file = `${folder}/${new Date().toISOString().replace(/[:.]/g, '-')}.json`
writeFileSync(
  file,
  `${JSON.stringify({ at: new Date().toISOString(), node: process.version, cpus: length, results }, null, 2)}\n`,
)
console.log(`\nWritten to bench/results/${file.split('/').at(-1)}`)

function printSync([sync, memory]: [SyncRow, MemoryRow], way: string | null = null): SyncRow {
  note(sync)
  note(memory)
  const { ours, floor, incidents } = sync
  print(
    way ? `first sync, ${way}` : 'first sync',
    `${whole(incidents)} incidents of ${sync.tenants} tenants in ${(ours.ms / 1000).toFixed(1)} s: ${rateOf(incidents, ours)}, ${whole(ours.requests)} calls`,
  )
  print(
    '',
    `processor: portal ${share(ours.cpuMs / ours.ms)} of one core, simulator ${share(ours.simulatorCpuMs / ours.ms)}, machine ${share(ours.machineBusy)}`,
  )
  if (floor && !way) {
    print(
      '  floor, the same addresses',
      `${(floor.ms / 1000).toFixed(1)} s: ${rateOf(incidents, floor)}; processor ${share(floor.cpuMs / floor.ms)}, simulator ${share(floor.simulatorCpuMs / floor.ms)}`,
    )
    const each = sync.ratios.map((ratio) => ratio.toFixed(2)).join(', ')
    const ratio = sync.ratio ?? 0
    judge(sync, '  of the floor’s speed, ≥ 0.6', `${ratio.toFixed(2)} (rounds: ${each})`, ratio >= 0.6)
  }
  if (!way) printMemory(memory)
  return sync
}

/** What a second of waiting for each answer costs. */
function printFar(near: SyncRow, [far, memory]: [SyncRow, MemoryRow]): void {
  printSync([far, memory], `${whole(far.latencyMs)} ms to Microsoft`)
  const rate = ({ incidents, ours }: SyncRow) => incidents / (ours.ms / 1000)
  const ratio = rate(far) / rate(near)
  const text = `${ratio.toFixed(2)}; most ${whole(memory.maxMb)} MB`
  judge(
    far,
    '  of the rate without, ≥ 0.8 or 3,000/s',
    text,
    (ratio >= 0.8 || rate(far) >= 3_000) && memory.maxMb <= 250,
  )
}

function printMemory(memory: MemoryRow): void {
  const { maxMb, firstHalfMb, secondHalfMb, slopeMbPerMinute, held, seconds } = memory
  const flat = secondHalfMb <= firstHalfMb * 1.1
  judge(
    memory,
    '  memory, ≤ 250 MB and flat',
    `most ${whole(maxMb)} MB; median of the first half ${whole(firstHalfMb)}, of the second ${whole(secondHalfMb)}; ${slopeMbPerMinute.toFixed(1)} MB a minute over ${whole(seconds)} s`,
    maxMb <= 250 && flat,
  )
  judge(
    memory,
    '  event loops held, ≤ 50 ms',
    `pages’ thread ${ms(held.main.max)}, worker’s thread ${ms(held.worker.max)}; in 99 of 100 half seconds at most ${ms(held.main.p99)}, ${ms(held.worker.p99)}`,
    Math.max(held.main.max, held.worker.max) <= 50,
  )
}

function printRival(sync: SyncRow, { rivals, incidents }: RivalRow, way: string): void {
  const oursRate = sync.incidents / sync.ours.ms
  for (const rival of rivals) {
    const ratio = oursRate / (rival.stored / rival.ms)
    const label = `  script, ${rival.atOnce === 1 ? 'tenant by tenant' : `${rival.atOnce} tenants at once`}, ${rival.expand ? 'with alerts' : 'without alerts'}`
    const text = `${rateOf(incidents, rival)}, ${way}: ours ${ratio.toFixed(1)} ×`
    // The same content in the plainest way is what the row is about; the others stand beside it.
    const row = { row: 'rival', engine: sync.engine }
    if (rival.atOnce === 1 && rival.expand) judge(row, `${label}, ≥ 5 ×`, text, ratio >= 5)
    else print(label, text)
  }
}

function printIdle({ engine, tenants, latencyMs, polls }: IdleRow, seconds: number): void {
  const way = latencyMs === 0 ? '' : `, ${whole(latencyMs)} ms away`
  for (const [index, poll] of polls.entries()) {
    const text = `${whole(tenants)} tenants in ${(poll.ms / 1000).toFixed(1)} s; a poll: ${poll.cpuMsPerPoll.toFixed(2)} ms of processor, ${poll.transactionsPerPoll.toFixed(2)} transactions, ${poll.callsPerPoll.toFixed(2)} calls; ${poll.throttled} answered 429, ${poll.stored} stored`
    const reached = poll.ms <= seconds * 1_000 && poll.throttled === 0
    judge({ row: 'idle poll', engine }, `poll ${index + 1} of all${way}, ≤ ${seconds} s`, text, reached)
  }
}

function printDelivery(row: DeliveryRow): void {
  const text = `${whole(row.messages)} in ${(row.ms / 1000).toFixed(1)} s, ${whole(row.perSecond)} a second, ${row.doubled} twice`
  judge(row, 'messages, ≥ 200 a second', text, row.perSecond >= 200 && row.doubled === 0)
  const pages = `p50 ${ms(row.pageP50)}, p95 ${ms(row.pageP95)}`
  judge(row, '  the overview meanwhile, ≤ 50 ms', pages, row.pageP95 <= 50)
}

function printHanging(row: HangingRow): void {
  const text = `${row.hanging} of ${row.destinations} hang; the others are told after ${whole(row.delayP50)} ms, the last after ${whole(row.delayMax)} ms`
  judge(row, 'destinations that hang, ≤ 1 s', text, row.delayMax <= 1_000)
}

function printOnboarding(rows: readonly OnboardingRow[]): void {
  for (const { engine, of, rows: kept, name, p50, p95 } of rows) {
    const label = `${name}, ${whole(kept)} of ${of}, ≤ 50 ms`
    judge({ row: 'onboarding', engine }, label, `p50 ${ms(p50)}  p95 ${ms(p95)}`, p95 <= 50)
  }
}

function printPages(rows: readonly PageRow[]): void {
  for (const row of rows) {
    const text = `p50 ${ms(row.p50).padStart(9)}  p95 ${ms(row.p95).padStart(9)}  ${row.ratio.toFixed(2).padStart(6)} × empty`
    print(`${whole(row.incidents).padStart(8)}  ${row.name}`, text)
  }
  const [small, large] = sizes.pages
  for (const page of rows.filter(({ incidents, judged }) => incidents === large && judged)) {
    const before = rows.find(({ incidents, name }) => incidents === small && name === page.name)
    const growth = page.p95 / (before?.p95 ?? Number.NaN)
    const text = `p95 ${ms(page.p95)}, ${growth.toFixed(2)} × that of ${whole(small)}`
    judge(
      { row: 'pages', engine: page.engine },
      `${page.name}, ≤ 50 ms, ≤ 1.5 ×`,
      text,
      page.p95 <= 50 && growth <= 1.5,
    )
  }
}
