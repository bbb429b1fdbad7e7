import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConfigProblem, type Environment, variables } from './config.ts'
import { type EnvFault, type EnvFile, readEnvFile } from './env-file.ts'

/** What this process was told, and what of it cannot be taken as it stands. */
export interface Told {
  env: Environment
  problems: ConfigProblem[]
}

const fileName = '.env'

/**
 * The process environment, with what `.env` adds to it. The environment wins; a variable that stands in the file and
 * would not be read is a problem, whatever the reason.
 */
export function environment(folder = process.cwd()): Told {
  const problems: ConfigProblem[] = []
  const file = readFile(join(folder, fileName), problems)
  for (const [name, { fault, line }] of file?.faults ?? []) problems.push(problemOf(name, fault, line))
  for (const [name, value] of file?.values ?? []) {
    const given = process.env[name]
    if (given === undefined) process.env[name] = value
    else if (given.trim() === '' && value !== '' && (variables as readonly string[]).includes(name)) {
      problems.push({
        variable: name,
        problem: `stands in ${fileName}, and is set to nothing in the environment`,
        remedy: 'The environment wins: unset the variable there, or empty it in the file as well.',
      })
    }
  }
  const env: Environment = {}
  for (const name of variables) env[name] = unquoted(process.env[name])
  return { env, problems }
}

/** Readers of other files (`docker run --env-file`) take quotes for a part of the value. */
function unquoted(value: string | undefined): string | undefined {
  return value === undefined ? undefined : (/^\s*(["'])(.*)\1\s*$/s.exec(value)?.[2] ?? value)
}

/** Null where there is none. */
function readFile(path: string, problems: ConfigProblem[]): EnvFile | null {
  const unusable = (problem: string, remedy: string) => {
    problems.push({ variable: path, problem, remedy })
    return null
  }
  try {
    return (
      readEnvFile(readFileSync(path), variables) ??
      unusable('is not a text file', 'Save it as plain text in UTF-8, one NAME=value on each line.')
    )
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    if (code === 'EISDIR')
      return unusable('is a folder', 'Docker makes one where the file to mount was missing: put a file there.')
    return unusable(`cannot be read (${code})`, 'Let this user read it, or remove it.')
  }
}

const sayings: Record<EnvFault, [problem: string, remedy: string]> = {
  'not-assigned': ['is not set by this line', 'Write NAME=value, with nothing in front of the name.'],
  'unquoted-hash': [
    'holds a # outside of quotes, where a comment would begin',
    'Put the value in single quotes, or a space in front of the # of a comment.',
  ],
  'unclosed-quote': ['begins with a quote that is not closed on its line', 'Close it, or take it away.'],
  'text-after-quote': [
    'goes on behind its closing quote',
    'Use quotes of another kind around a value that holds some.',
  ],
  'typographic-quote': ['begins with a typographic quote', 'Use straight quotes, or none.'],
  'not-utf8': ['holds a character that is not UTF-8', 'Save the file in UTF-8.'],
  twice: ['is set twice, to different values', 'Keep one of the two.'],
}

function problemOf(variable: string, fault: EnvFault, line: number): ConfigProblem {
  const [problem, remedy] = sayings[fault]
  return { variable, problem: `${problem} (${fileName}${line > 0 ? `, line ${line}` : ''})`, remedy }
}
