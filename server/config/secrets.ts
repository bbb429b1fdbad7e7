import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { unseen } from '../invisible.ts'
import { textOf } from './env-file.ts'
import type { ConfigProblem, Environment } from './variables.ts'

/** What is never shown. Each may stand in a file instead, which `<NAME>_FILE` leads to. */
export const secretVariables = [
  'SESSION_SECRET',
  'DATA_KEY',
  'AZURE_CLIENT_SECRET',
  'SIGN_IN_CLIENT_SECRET',
  'DATABASE_URL',
  'HTTPS_PROXY',
  'SMTP_URL',
] as const satisfies readonly (keyof Environment)[]

/** Whoever fills in a form puts a secret's value beside its ID now and then: these are not shown either. */
const besideSecrets: readonly string[] = ['AZURE_CLIENT_ID', 'SIGN_IN_CLIENT_ID', 'AZURE_TENANT_ID']

const fileRemedy = 'Put the secret alone into a text file that this user may read, and its path into the variable.'

/**
 * Takes secrets from the files that `<NAME>_FILE` leads to, as container platforms mount them; one line end at their end is none of theirs.
 * @param folder where relative paths begin; @param places gets where each was found
 */
export function readSecretFiles(env: Environment, folder: string, places: Map<string, string>): ConfigProblem[] {
  return secretVariables.flatMap((name): ConfigProblem[] => {
    const variable = `${name}_FILE`
    const path = process.env[variable]?.trim()
    if (!path) return []
    const refused = (problem: string, remedy: string) => [{ variable, problem, remedy }]
    if (env[name]?.trim()) return refused(`is set together with ${name}`, 'Keep one of the two.')
    const file = resolve(folder, path)
    try {
      const text = textOf(readFileSync(file))?.replace(/\r?\n$/, '')
      if (text === undefined) return refused(`leads to ${file}, which is no text file`, fileRemedy)
      if (text.trim() === '') return refused(`leads to ${file}, which is empty`, fileRemedy)
      env[name] = text
      places.set(name, file)
      return []
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      return refused(`leads to ${file}, which cannot be read (${code})`, fileRemedy)
    }
  })
}

const longestShown = 80

/**
 * A problem with what was found and where, for whoever mends it on this machine: never of a secret, nor of what could be one.
 * @param places where each variable was read
 */
export function withFound(
  problem: ConfigProblem,
  env: Environment,
  places: ReadonlyMap<string, string>,
): ConfigProblem {
  const { variable } = problem
  const value = env[variable as keyof Environment]?.trim()
  const place = places.get(variable)
  if (!value || place === undefined || problem.problem.includes(place)) return problem
  const hidden = [...secretVariables, ...besideSecrets].includes(variable)
  const found = hidden ? `read from ${place}` : `“${shown(value)}”, read from ${place}`
  return { ...problem, problem: `${problem.problem} (${found})` }
}

/** Without credentials in addresses, and with what cannot be seen made visible. */
function shown(value: string): string {
  const plain = value.replace(/\/\/[^/]*@/g, '//…@').replace(unseen, '\ufffd')
  return plain.length > longestShown ? `${plain.slice(0, longestShown)}…` : plain
}
