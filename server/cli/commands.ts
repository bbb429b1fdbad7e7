import { environment } from '../config/environment.ts'
import { backup, configuration, restore } from './backup.ts'
import { doctor } from './doctor.ts'
import { runCommand } from './process.ts'
import { refusalsDocument } from './refusals-document.ts'
import { registrationScript, scriptKinds } from './registration-script.ts'

const usage = `Usage:
  npm run doctor       checks configuration, database and registration; -- --json for machines;
                       -- --script azure-cli (or powershell) prints the script that makes the registration;
                       add --name "Halvard SOC Connector" for what customers will read on Microsoft's page
  npm run backup       copies the database while Muster runs, and looks at the copy; -- FOLDER says where to (./backups)
  npm run restore -- FOLDER
                       puts such a copy back, while no Muster runs; --replace where the database holds something,
                       --without-keys where the keys that sealed addresses are lost
`

const restoreOptions = ['--replace', '--without-keys']

await runCommand(run)

async function run(command: string | undefined, options: string[]): Promise<void> {
  if (command === 'doctor' && options.every((option) => option === '--json')) {
    process.exitCode = await doctor({ json: options.includes('--json') })
    return
  }
  if (command === 'refusals' && options.length === 0) {
    process.stdout.write(refusalsDocument())
    return
  }
  if (command === 'backup' && options.length <= 1 && !options[0]?.startsWith('-')) {
    console.log(await backup(configuration(), options[0]))
    return
  }
  if (command === 'restore') {
    const [folder, ...rest] = options.filter((option) => !restoreOptions.includes(option))
    if (folder !== undefined && rest.length === 0 && !folder.startsWith('-')) {
      const wanted = { replace: options.includes('--replace'), keyless: options.includes('--without-keys') }
      console.log(await restore(configuration(), folder, wanted))
      return
    }
  }
  const kind = scriptKinds.find((one) => one === options[1])
  const hasName = options.length === 4 && options[2] === '--name'
  if (command === 'doctor' && options[0] === '--script' && (options.length === 2 || hasName) && kind) {
    console.log(registrationScript(environment(), kind, options[3]?.trim()))
    return
  }
  console.error(usage)
  process.exitCode = 1
}
