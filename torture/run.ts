// `npm run torture`: how it is asked for, and what it says. Exit code 0 only for 0 differences.
import { parseArgs } from 'node:util'
import { shown } from './compare.ts'
import { mutants } from './mutants.ts'
import type { RunOptions } from './options.ts'
import { postgresBinaries } from './postgres.ts'
import type { Counts } from './randomness.ts'
import { torture } from './torture.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string', default: '120' },
    engine: { type: 'string' },
    api: { type: 'string' },
    tenants: { type: 'string', default: '8' },
    budget: { type: 'string' },
    far: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    'database-url': { type: 'string' },
  },
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

type Option = keyof typeof values

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
function whole(name: Option): number {
  const value = Number(values[name])
  return Number.isSafeInteger(value) && value > 0 ? value : fail(`--${name}: a whole number above 0`)
}
function among<Choice extends string>(name: Option, choices: readonly Choice[]): Choice | undefined {
  const value = values[name]
  if (value === undefined) return undefined
  return choices.find((choice) => choice === value) ?? fail(`--${name}: ${choices.join(' or ')}`)
}

const apis = ['defender', 'graph'] as const
const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : whole('seed')
const wanted = {
  seed,
  seconds: whole('seconds'),
  tenants: whole('tenants'),
  far: values.far,
  mutant: among('mutant', Object.keys(mutants)),
  budget:
    among('budget', ['tight', 'wide'] as const) ??
    (seed % 4 === 0 && values.mutant === undefined ? ('tight' as const) : ('wide' as const)),
  databaseUrl: values['database-url'],
}
const engine = among('engine', ['sqlite', 'postgres'] as const)
const api = among('api', apis)
if (wanted.tenants < 2) fail('--tenants: 2 or more')

const havePostgres = values['database-url'] !== undefined || postgresBinaries() !== null
const engines = engine ? [engine] : havePostgres ? (['sqlite', 'postgres'] as const) : (['sqlite'] as const)
if (!engine && !havePostgres) console.log('PostgreSQL: skipped, no binaries in /usr/lib/postgresql')

const repeated = ['seed', 'seconds', 'engine', 'api', 'tenants', 'budget', 'mutant'] as const
const command = (run: RunOptions) =>
  [
    'npm run torture --',
    ...repeated.filter((name) => run[name] !== undefined).map((name) => `--${name} ${run[name]}`),
    ...(run.far ? ['--far'] : []),
  ].join(' ')

let failed = false
for (const [index, name] of engines.entries()) {
  // Where no API is asked for, the engines of one run take turns.
  const run: RunOptions = { ...wanted, engine: name, api: api ?? apis[(seed + index) % 2] ?? 'defender' }
  const started = performance.now()
  console.log(
    `\nSeed ${seed} · ${name} · ${run.api}${run.far ? ' · far away' : ''}${run.mutant ? ` · without the ${run.mutant}` : ''}`,
  )
  const { differences, figures } = await torture(run, (line) => console.log(`  ${line}`))
  for (const [what, counted] of Object.entries(figures)) {
    const text = typeof counted === 'object' ? listed(counted) : counted
    console.log(`  ${what.padEnd(13)} ${text}`)
  }
  for (const line of shown(differences)) console.log(`  ✗ ${line}`)
  console.log(`  ${differences.length} differences, ${Math.round((performance.now() - started) / 1_000)} s`)
  if (differences.length > 0) {
    failed = true
    console.log(`  Repeat with: ${command(run)}`)
  }
}
process.exit(failed ? 1 : 0)

function listed(counts: Counts): string {
  const entries = Object.entries(counts)
  const sum = entries.reduce((total, [, count]) => total + count, 0)
  return `${sum} (${entries.map(([name, count]) => `${count} ${name}`).join(', ')})`
}
