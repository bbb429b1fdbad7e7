import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { build } from '../support/build.ts'
import { root } from '../support/root.ts'

beforeAll(() => {
  build()
  build('demo')
})

const filesOf = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'))

/** What each file loads of its own build, by import or as a thread. */
function loadedBy(folder: string): { file: string; path: string }[] {
  const loads = /(?:from|import)\s*\(?\s*'(\.[^']+)'|new URL\('(\.[^']+\.js)'/g
  return filesOf(folder).flatMap((file) => {
    const path = join(root, folder, file)
    const matches = [...readFileSync(path, 'utf8').matchAll(loads)]
    return matches.map(([, imported, started]) => ({ file, path: join(dirname(path), imported ?? started ?? '') }))
  })
}

const ofMicrosoft = /(^|\/)(simulator|demo)\//

describe('what production runs', () => {
  test('holds neither the simulated Microsoft nor the demonstration, which the other build has', () => {
    expect(filesOf('dist').length).toBeGreaterThan(150)
    expect(filesOf('dist').filter((file) => ofMicrosoft.test(file))).toEqual([])
    expect(loadedBy('dist').filter(({ path }) => ofMicrosoft.test(path))).toEqual([])
    expect(filesOf('dist-demo')).toEqual(expect.arrayContaining(['simulator/simulator.js', 'demo/demo.js']))
  })

  test.each(['dist', 'dist-demo'])('loads nothing that is not there, in %s', (folder) => {
    const all = loadedBy(folder)
    expect(all.length).toBeGreaterThan(500)
    expect(all.filter(({ path }) => !existsSync(path)).map(({ file, path }) => `${file} loads ${path}`)).toEqual([])
  })
})
