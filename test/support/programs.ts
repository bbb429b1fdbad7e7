import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process of its own, running one file of test/programs/. It ends when it is done, or when its test kills it. */
export interface Program {
  pid: number
  /** Lines written so far. */
  lines: string[]
  tell(line: string): void
  /** Says that nothing more will be told. */
  close(): void
  /** Resolves when that line has been written. @throws Error when the program ends before */
  line(text: string): Promise<void>
  kill(signal: NodeJS.Signals): void
  ended(): Promise<{ code: number | null; lines: string[]; errors: string }>
}

const loader = fileURLToPath(new URL('typescript.mjs', import.meta.url))

export function startProgram(name: string, args: string[]): Program {
  const file = fileURLToPath(new URL(`programs/${name}`, import.meta.url))
  const child = spawn(process.execPath, ['--import', loader, file, ...args], { stdio: 'pipe' })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  let errors = ''
  let over = false
  const wake = () => {
    for (const look of waiting) look()
  }
  child.stderr.on('data', (data) => {
    errors += String(data)
  })
  const reading = createInterface({ input: child.stdout })
  reading.on('line', (line) => {
    lines.push(line)
    wake()
  })
  // What a killed program no longer reads is no fault of the test.
  child.stdin.on('error', () => undefined)
  const end = new Promise<{ code: number | null; lines: string[]; errors: string }>((resolve) => {
    child.once('close', (code) => {
      over = true
      wake()
      resolve({ code, lines, errors })
    })
  })
  return {
    pid: child.pid ?? 0,
    lines,
    tell: (line) => void child.stdin.write(`${line}\n`),
    close: () => void child.stdin.end(),
    line: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (lines.includes(text)) resolve()
          else if (over) reject(new Error(`${name} ended without "${text}": ${errors}`))
          else return
          waiting.delete(look)
        }
        waiting.add(look)
        look()
      }),
    kill: (signal) => void child.kill(signal),
    ended: () => end,
  }
}
