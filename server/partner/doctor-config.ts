import { randomBytes } from 'node:crypto'
import { type Config, readConfig } from '../config/config.ts'
import type { Told } from '../config/environment.ts'
import {
  ConfigError,
  type ConfigProblem,
  credentialVariables,
  type Environment,
  signInVariables,
} from '../config/variables.ts'

/** Variables that are judged together: a fault in one makes the others meaningless. */
const groups = [credentialVariables, ['SIGN_IN_CLIENT_ID', ...signInVariables]] as const

const nobody = '00000000-0000-4000-8000-000000000000'

/** The configuration as far as it can be read, with placeholders where it cannot, and everything that is wrong in it. */
export function readWhatCan(
  env: Environment,
  noticed: Pick<Told, 'problems' | 'warnings'>,
): { config: Config; problems: readonly ConfigProblem[] } {
  try {
    return { config: readConfig(env, noticed), problems: [] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const wrong = new Set(error.problems.map(({ variable }) => variable))
    for (const group of groups) if (group.some((name) => wrong.has(name))) for (const name of group) wrong.add(name)
    const placeholders: Environment = {
      SESSION_SECRET: randomBytes(32).toString('base64url'),
      AZURE_CLIENT_ID: nobody,
      AZURE_TENANT_ID: nobody,
      AZURE_CLIENT_SECRET: randomBytes(32).toString('base64url'),
    }
    const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !wrong.has(name)))
    const needed = Object.fromEntries(Object.entries(placeholders).filter(([name]) => wrong.has(name)))
    return { config: readConfig({ ...rest, ...needed }, { warnings: noticed.warnings }), problems: error.problems }
  }
}
