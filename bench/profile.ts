// Where the time went, out of the .cpuprofile files of one process: a table for each of its threads.
import { readdirSync, readFileSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { join } from 'node:path'

const most = 25

/** Prints self times by function and by file; garbage collection and waiting are lines of their own. */
export function printProfiles(folder: string): void {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'))) {
    const profile = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Profiler.Profile
    const { busyMs, functions, files } = selfTimes(profile)
    console.log(`\n${name}: ${(busyMs / 1000).toFixed(1)} s busy`)
    printTable('by function, self', functions, busyMs)
    printTable('by file, self', files, busyMs)
  }
}

function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile) {
  const frames = new Map(nodes.map((node) => [node.id, node.callFrame]))
  const functions = new Map<string, number>()
  const files = new Map<string, number>()
  let busyMs = 0
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id)
    if (!frame || frame.functionName === '(idle)' || frame.functionName === '(program)') continue
    const { functionName, url, lineNumber } = frame
    const ms = (timeDeltas[index] ?? 0) / 1000
    const file = fileOf(url)
    busyMs += ms
    add(functions, `${functionName || '(anonymous)'}  ${file}${url ? `:${lineNumber + 1}` : ''}`, ms)
    add(files, file || functionName, ms)
  }
  return { busyMs, functions, files }
}

function printTable(title: string, table: ReadonlyMap<string, number>, busyMs: number): void {
  console.log(`  ${title}`)
  for (const [key, ms] of [...table].sort((a, b) => b[1] - a[1]).slice(0, most)) {
    console.log(`  ${((ms / busyMs) * 100).toFixed(1).padStart(6)} %  ${key}`)
  }
}

const add = (table: Map<string, number>, key: string, ms: number) => table.set(key, (table.get(key) ?? 0) + ms)

const fileOf = (url: string) => url.replace(/^.*\/node_modules\//, '').replace(/^.*\/dist\//, 'server/')
