import { existsSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type EnvFault, type EnvFile, readEnvFile } from './env-file.ts'
import { meantBy } from './near-miss.ts'
import { readSecretFiles } from './secrets.ts'
import { type ConfigProblem, type Environment, variables } from './variables.ts'

/** What this process was told, and what of it cannot be taken as it stands. */
export interface Told {
  env: Environment
  problems: ConfigProblem[]
  /** What stops nothing, and is probably not what somebody wanted. */
  warnings: ConfigProblem[]
  /** Where each variable that is set was read: the environment, a line of `.env`, a file of its own. */
  places: ReadonlyMap<string, string>
}

const fileName = '.env'

/** Where package.json is: what is relative begins there, wherever the process was started. */
const packageFolder = fileURLToPath(new URL('../..', import.meta.url))

/** A path from the environment, made absolute. */
export const fromPackage = (path: string): string => resolve(packageFolder, path)

/**
 * The process environment, with what `.env` beside package.json adds to it; its paths are absolute. The environment wins;
 * a variable that stands in the file and would not be read is a problem, whatever the reason.
 * @param folder where package.json is; @param stand where the process was started
 */
export function environment(folder = packageFolder, stand = startFolder()): Told {
  const problems: ConfigProblem[] = []
  const file = readFile(join(folder, fileName), problems)
  const places = new Map<string, string>()
  for (const [name, { fault, line }] of file?.faults ?? []) problems.push(problemOf(name, fault, line))
  for (const [name, value] of file?.values ?? []) {
    const given = process.env[name]
    if (given === undefined) {
      process.env[name] = value
      places.set(name, `${fileName}, line ${file?.lines.get(name)}`)
    } else if (given.trim() === '' && value !== '' && (variables as readonly string[]).includes(name)) {
      problems.push({
        variable: name,
        problem: `stands in ${fileName}, and is set to nothing in the environment`,
        remedy: 'The environment wins: unset the variable there, or empty it in the file as well.',
      })
    }
  }
  const env: Environment = {}
  for (const name of variables) env[name] = unquoted(process.env[name])
  // Other programs know these two in small letters, and some platforms set only those.
  for (const name of ['HTTPS_PROXY', 'NO_PROXY'] as const) {
    if (!env[name]?.trim()) env[name] = unquoted(process.env[name.toLowerCase()])
  }
  for (const name of variables) if (!places.has(name)) places.set(name, 'the environment')
  problems.push(...readSecretFiles(env, folder, places))
  const warnings = nearMisses(env, file)
  placePaths(env, problems, folder, stand)
  const left = file === null && relative(folder, stand) !== '' ? leftBehind(stand, env) : null
  if (left !== null) {
    const remedy = `Move it beside package.json, to ${join(folder, fileName)}.`
    problems.push({ variable: left, problem: 'is not read', remedy })
  }
  return { env, problems, warnings, places }
}

/** What a program that this one runs is told: where programs are, and how they speak. */
export function programEnvironment(): Record<string, string | undefined> {
  const { PATH, HOME, LANG, SystemRoot } = process.env
  return { PATH, HOME, LANG, SystemRoot }
}

/** Whether npm (or yarn, or pnpm) started this process. */
export const startedByNpm = (): boolean => Boolean(process.env.npm_lifecycle_event)

function startFolder(): string {
  try {
    return process.cwd()
  } catch {
    // It was removed meanwhile.
    return packageFolder
  }
}

const usualDataDir = './data'

/** Paths were once relative to where one happened to stand: what was left there is named, and never begun anew beside it. */
function placePaths(env: Environment, problems: ConfigProblem[], folder: string, stand: string): void {
  const dataDir = env.DATA_DIR?.trim() || usualDataDir
  env.DATA_DIR = resolve(folder, dataDir)
  const earlier = resolve(stand, dataDir)
  if (!env.DATABASE_URL?.trim() && holdsDatabase(earlier) && !holdsDatabase(env.DATA_DIR)) {
    problems.push({
      variable: 'DATA_DIR',
      problem: `leads to ${env.DATA_DIR}, where there is no database, and there is one in ${earlier}`,
      remedy: 'Paths begin beside package.json. Move the folder there, or write its whole path into DATA_DIR.',
    })
  }
  for (const variable of certificatePaths) {
    const path = env[variable]?.trim()
    if (!path) continue
    const absolute = resolve(folder, path)
    env[variable] = absolute
    if (existsSync(absolute) || !existsSync(resolve(stand, path))) continue
    problems.push({
      variable,
      problem: `leads to ${absolute}, where there is no file, and there is one at ${resolve(stand, path)}`,
      remedy: 'Paths begin beside package.json. Write the whole path.',
    })
  }
}

const certificatePaths = [
  'AZURE_CLIENT_CERTIFICATE_PATH',
  'AZURE_CLIENT_CERTIFICATE_PATH_2',
  'SIGN_IN_CLIENT_CERTIFICATE_PATH',
  'SIGN_IN_CLIENT_CERTIFICATE_PATH_2',
] as const

/** As `sqliteFile` in the store names it. */
const holdsDatabase = (folder: string) => existsSync(join(folder, 'muster.db'))

/** The file that an older Muster would have read here: one that sets what is missing. Other programs have such files too. */
function leftBehind(stand: string, env: Environment): string | null {
  const path = join(stand, fileName)
  const needed = ['SESSION_SECRET', 'AZURE_CLIENT_ID', 'AZURE_TENANT_ID'] as const
  const missing = needed.filter((name) => !env[name]?.trim())
  if (missing.length === 0) return null
  const file = readFile(path, [])
  return file !== null && missing.some((name) => file.values.get(name)) ? path : null
}

/** Shorter names are everybody's: those of the file alone were written for us. */
const shortest = 5

/** Names that are none of ours, and probably were meant to be. */
function nearMisses(env: Environment, file: EnvFile | null): ConfigProblem[] {
  return [...new Set([...Object.keys(process.env), ...(file?.values.keys() ?? [])])].flatMap((variable) => {
    const meant = process.env[variable]?.trim() ? meantBy(variable) : null
    if (meant === null || env[meant]?.trim()) return []
    if (meant.length < shortest && !file?.values.has(variable)) return []
    return [{ variable, problem: 'is no variable of Muster', remedy: `Did you mean ${meant}?` }]
  })
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
