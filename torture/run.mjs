// `npm run torture`: how it is asked for, and what it says. Exit code 0 only for 0 differences.
import { parseArgs } from 'node:util'
import { shown } from './compare.mjs'
import { mutants } from './mutants.mjs'
import { postgresBinaries } from './postgres.mjs'
import { torture } from './torture.mjs'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string', default: '120' },
    engine: { type: 'string' },
    api: { type: 'string' },
    tenants: { type: 'string', default: '8' },
    budget: { type: 'string' },
    mutant: { type: 'string' },
    'database-url': { type: 'string' },
  },
})

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))

const fail = (message) => {
  console.error(message)
  process.exit(2)
}
const whole = (name) => {
  const value = Number(values[name])
  return Number.isSafeInteger(value) && value > 0 ? value : fail(`--${name}: a whole number above 0`)
}
const among = (name, choices) => {
  if (values[name] !== undefined && !choices.includes(values[name])) fail(`--${name}: ${choices.join(' or ')}`)
  return values[name]
}

const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : whole('seed')
const asked = {
  seed,
  seconds: whole('seconds'),
  tenants: whole('tenants'),
  mutant: among('mutant', Object.keys(mutants)),
  budget: among('budget', ['tight', 'wide']) ?? (seed % 4 === 0 && values.mutant === undefined ? 'tight' : 'wide'),
  databaseUrl: values['database-url'],
}
const engine = among('engine', ['sqlite', 'postgres'])
const api = among('api', ['defender', 'graph'])
if (asked.tenants < 2) fail('--tenants: 2 or more')

const havePostgres = values['database-url'] !== undefined || postgresBinaries() !== null
const engines = engine ? [engine] : havePostgres ? ['sqlite', 'postgres'] : ['sqlite']
if (!engine && !havePostgres) console.log('PostgreSQL: skipped, no binaries in /usr/lib/postgresql')

const command = (run) =>
  [
    'npm run torture --',
    ...['seed', 'seconds', 'engine', 'api', 'tenants', 'budget', 'mutant']
      .filter((name) => run[name] !== undefined)
      .map((name) => `--${name} ${run[name]}`),
  ].join(' ')

let failed = false
for (const [index, name] of engines.entries()) {
  // Where no API is asked for, the engines of one run take turns.
  const run = { ...asked, engine: name, api: api ?? ['defender', 'graph'][(seed + index) % 2] }
  const started = performance.now()
  console.log(`\nSeed ${seed} · ${name} · ${run.api}${run.mutant ? ` · without the ${run.mutant}` : ''}`)
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

function listed(counts) {
  const entries = Object.entries(counts)
  const sum = entries.reduce((total, [, count]) => total + count, 0)
  return `${sum} (${entries.map(([name, count]) => `${count} ${name}`).join(', ')})`
}
