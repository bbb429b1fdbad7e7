import { runCommand } from '../cli/process.ts'
import { demo } from './demo.ts'
import { simulator } from './simulator.ts'

const usage = `Usage:
  npm run demo         the portal with a simulated Microsoft and a world of customers; -- --fresh begins anew
  npm run simulator    the simulated Microsoft alone
`

await runCommand(run)

async function run(command: string | undefined, options: string[]): Promise<void> {
  if (command === 'demo' && options.every((option) => option === '--fresh')) {
    return demo({ fresh: options.includes('--fresh') })
  }
  if (command === 'simulator' && options.length === 0) return simulator()
  console.error(usage)
  process.exitCode = 1
}
