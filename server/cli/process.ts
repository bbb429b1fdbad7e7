/** A reason to stop that a person can mend: printed without a stack, exit code 1. */
export class CannotStart extends Error {}

/** Runs a command of the words after its file's name; what a person can mend is printed, and ends the process with 1. */
export async function runCommand(run: (command: string | undefined, options: string[]) => unknown): Promise<void> {
  // What commands write belongs to their user alone.
  process.umask(0o077)
  const [command, ...options] = process.argv.slice(2)
  try {
    await run(command, options)
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

/** A port from the environment. @throws CannotStart */
export function portOf(name: 'PORT' | 'SIMULATOR_PORT', fallback: number): number {
  const text = process.env[name]?.trim()
  if (!text) return fallback
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new CannotStart(
    `${name} is not a port number. Use a whole number from 1 to 65535, or leave it empty for ${fallback}.`,
  )
}

/** What stands in the way of a port, as a person can mend it; undefined for anything else. */
export function portFault(name: 'PORT' | 'SIMULATOR_PORT', port: number, error: unknown): CannotStart | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code === 'EADDRINUSE') {
    return new CannotStart(
      `Port ${port} is in use by another process. Set ${name} to another one, or stop that process.`,
    )
  }
  if (code === 'EACCES')
    return new CannotStart(`Port ${port} may not be used by this user. Set ${name} to one above 1023.`)
  return undefined
}

/** Closes and exits with 0 on the first Ctrl-C or SIGTERM; a second one does not wait. */
export function stopOnSignal(close: () => Promise<void>): void {
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1)
      stopping = true
      close().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error instanceof Error ? error.message : String(error))
          process.exit(1)
        },
      )
    })
  }
}
