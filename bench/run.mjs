// `npm run bench`: prints a table of ratios and writes bench/results/<time>.json. `--quick` takes smaller sizes.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { measureFirstSync } from './first-sync.mjs'
import { measurePages } from './pages.mjs'
import { engines } from './stage.mjs'
import { measureStart } from './start.mjs'

const quick = process.argv.includes('--quick')
const sizes = quick ? [2_000, 10_000] : [10_000, 200_000]
const firstSync = quick ? 1_000 : 3_000

const results = []
const note = (result) => {
  results.push(result)
  return result
}
const ms = (value) => `${value.toFixed(1)} ms`

console.log(`Muster benchmarks · Node ${process.version} · ${cpus().length} × ${cpus()[0]?.model}\n`)

for (const engine of await engines()) {
  console.log(`${engine.name}: pages against an empty page through the same middleware`)
  for (const row of (await measurePages(engine, sizes)).map(note)) {
    const size = row.incidents.toLocaleString('en')
    console.log(
      `  ${size.padStart(8)}  ${row.name.padEnd(24)} p50 ${ms(row.p50).padStart(9)}  p95 ${ms(row.p95).padStart(9)}  ${row.ratio.toFixed(2).padStart(6)} × empty`,
    )
  }
  const sync = note(await measureFirstSync(engine, firstSync))
  console.log(`${engine.name}: first sync of one tenant, ${sync.incidents} incidents, ${sync.megabytes.toFixed(1)} MB`)
  console.log(`  ours ${ms(sync.ours)}, floor ${ms(sync.floor)}: ${sync.ratio.toFixed(2)} of the floor’s speed\n`)
}
const start = note(await measureStart())
console.log('Start to ready')
console.log(`  ours ${ms(start.ours)}, a Node that only listens ${ms(start.floor)}: ${start.ratio.toFixed(1)} ×`)

const folder = fileURLToPath(new URL('./results', import.meta.url))
mkdirSync(folder, { recursive: true })
const file = `${folder}/${new Date().toISOString().replace(/[:.]/g, '-')}.json`
writeFileSync(
  file,
  `${JSON.stringify({ at: new Date().toISOString(), node: process.version, cpus: cpus().length, results }, null, 2)}\n`,
)
console.log(`\nWritten to bench/results/${file.split('/').at(-1)}`)
