import { CannotStart } from '../cli/process.ts'
import { demo } from './demo.ts'
import { simulator } from './simulator.ts'

/** What these commands write belongs to their user alone. */
process.umask(0o077)

const usage = `Usage:
  npm run demo         the portal with a simulated Microsoft and a world of customers; -- --fresh begins anew
  npm run simulator    the simulated Microsoft alone
`

const [command, ...options] = process.argv.slice(2)
try {
  await run()
} catch (error) {
  if (!(error instanceof CannotStart)) throw error
  console.error(error.message)
  process.exit(1)
}

async function run(): Promise<void> {
  if (command === 'demo' && options.every((option) => option === '--fresh')) {
    return demo({ fresh: options.includes('--fresh') })
  }
  if (command === 'simulator' && options.length === 0) return simulator()
  console.error(usage)
  process.exitCode = 1
}
