import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { catalogue } from '../server/errors.ts'
import { root } from './support/root.ts'

const server = join(root, 'server')
const sources = readdirSync(server, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('words/'))
  .map((file) => readFileSync(join(server, file), 'utf8'))

/** Codes among the arguments of what makes an error, whatever chooses between them. */
const thrown = (code: string) => new RegExp(`PortalError\\((?:[^()]|\\([^()]*\\))*?'${code}'`)

test.each(Object.keys(catalogue))('somebody throws %s', (code) => {
  expect(sources.some((text) => thrown(code).test(text))).toBe(true)
})
