import { readFileSync } from 'node:fs'

const everyMs = 500

/**
 * Calls `gone` once when the `npm start` that started this process has ended. npm passes its signals on to the shell between
 * the two, which ends and tells nobody; a killed npm tells nobody at all. Whoever runs `node dist/main.js` is not watched:
 * a service manager and `nohup` leave their processes without a parent on purpose.
 */
export function watchLauncher(onGone: () => void): void {
  const parent = process.ppid
  const shellsParent = isShell(parent) ? parentOf(parent) : null
  const watch = setInterval(() => {
    if (process.ppid === parent && (shellsParent === null || parentOf(parent) === shellsParent)) return
    clearInterval(watch)
    onGone()
  }, everyMs)
  watch.unref()
}

/** Only Linux tells of other processes in files; elsewhere the shell alone is watched, which npm takes along. */
function statOf(pid: number): RegExpExecArray | null {
  try {
    return /\((.*)\) \w (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return null
  }
}

const isShell = (pid: number): boolean => /^(?:a|ba|da|k|z)?sh$|^busybox$/.test(statOf(pid)?.[1] ?? '')

const parentOf = (pid: number): number | null => Number(statOf(pid)?.[2]) || null
