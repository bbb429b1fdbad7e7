// Where the time went, out of the .cpuprofile files of one process: a table for each of its threads.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const most = 25

/** Prints self times by function and by file; garbage collection and waiting are lines of their own. */
export function printProfiles(folder) {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'))) {
    const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    const byId = new Map(nodes.map((node) => [node.id, node.callFrame]))
    const functions = new Map()
    const files = new Map()
    let busy = 0
    for (const [index, id] of samples.entries()) {
      const { functionName, url, lineNumber } = byId.get(id)
      if (functionName === '(idle)' || functionName === '(program)') continue
      const ms = timeDeltas[index] / 1000
      const file = fileOf(url)
      busy += ms
      add(functions, `${functionName || '(anonymous)'}  ${file}${url ? `:${lineNumber + 1}` : ''}`, ms)
      add(files, file || functionName, ms)
    }
    console.log(`\n${name}: ${(busy / 1000).toFixed(1)} s busy`)
    for (const [title, table] of [
      ['by function, self', functions],
      ['by file, self', files],
    ]) {
      console.log(`  ${title}`)
      for (const [key, ms] of [...table].sort((a, b) => b[1] - a[1]).slice(0, most)) {
        console.log(`  ${((ms / busy) * 100).toFixed(1).padStart(6)} %  ${key}`)
      }
    }
  }
}

const add = (table, key, ms) => table.set(key, (table.get(key) ?? 0) + ms)

const fileOf = (url) => url.replace(/^.*\/node_modules\//, '').replace(/^.*\/dist\//, 'server/')
