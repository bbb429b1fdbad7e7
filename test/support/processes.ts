import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { until } from './waiting.ts'

/** A Node.js process and what it has written so far. */
export interface StartedProcess {
  child: ChildProcess
  /** Standard output, then the output of errors; `text` is both in the order they came. */
  out(): string
  err(): string
  text(): string
  /** Its exit code; null when a signal ended it. Never throws. */
  ended: Promise<number | null>
  running(): boolean
  /** Resolves with the match when it has written that. @throws Error with its output when it ends before */
  said(pattern: RegExp): Promise<RegExpExecArray>
  /** Sends the signal and waits for the end. @returns the exit code */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

interface Start {
  cwd?: string
  /** All that it is told besides PATH. */
  env?: Record<string, string | undefined>
  stdio?: StdioOptions
}

/** Runs Node.js with these arguments. Whoever ends before it takes it along. */
export function startNode(args: readonly string[], { cwd, env = {}, stdio = 'pipe' }: Start = {}): StartedProcess {
  const child = spawn(process.execPath, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { PATH: process.env.PATH, ...env },
    stdio,
  })
  const written = { out: '', err: '', text: '' }
  for (const name of ['out', 'err'] as const) {
    child[`std${name}`]?.on('data', (chunk: Buffer) => {
      written[name] += chunk
      written.text += chunk
    })
  }
  const orphaned = () => child.kill('SIGKILL')
  process.once('exit', orphaned)
  const running = () => child.exitCode === null && child.signalCode === null
  const ended = once(child, 'exit').then(([code]: (number | null)[]) => {
    process.off('exit', orphaned)
    return code ?? null
  })
  return {
    child,
    out: () => written.out,
    err: () => written.err,
    text: () => written.text,
    ended,
    running,
    async said(pattern) {
      let match = pattern.exec(written.text)
      await until(
        () => {
          match = pattern.exec(written.text)
          if (match === null && !running()) throw new Error(`the process ended without ${pattern}: ${written.text}`)
          return match !== null
        },
        { withinMs: 120_000, what: `${pattern} in ${args.join(' ')}` },
      )
      return match as unknown as RegExpExecArray
    },
    async stop(signal = 'SIGTERM') {
      if (running()) child.kill(signal)
      return ended
    },
  }
}

/** Until the portal on that port of 127.0.0.1 says that it is ready. @throws Error when `running` is false before */
export async function untilReady(port: number, running: () => boolean, withinMs = 90_000): Promise<number> {
  const ready = async () => {
    if (!running()) throw new Error('the process ended before it was ready')
    return fetch(`http://127.0.0.1:${port}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    )
  }
  return until(ready, { withinMs, everyMs: 5, what: `port ${port} is ready` })
}
