import { randomBytes, randomUUID } from 'node:crypto'
import { readConfig } from '../config/config.ts'
import type { Told } from '../config/environment.ts'
import { ConfigError } from '../config/variables.ts'
import { setupMaterial } from '../microsoft/registration/setup.ts'
import { CannotStart } from './process.ts'

export const scriptKinds = ['azure-cli', 'powershell'] as const
export type ScriptKind = (typeof scriptKinds)[number]

/**
 * The registration of a partner who has none yet, as one script: needs AZURE_TENANT_ID and PUBLIC_URL, and heeds
 * INCIDENTS_API and AZURE_AUTHORITY_HOST. What the script itself will make (IDs, secrets) need not be there.
 * @param appName what customers will read on Microsoft's consent page; Settings have to name it alike
 * @throws CannotStart naming what is missing
 */
export function registrationScript(
  { env, problems }: Pick<Told, 'env' | 'problems'>,
  kind: ScriptKind,
  appName = '',
): string {
  const { PUBLIC_URL, AZURE_TENANT_ID, AZURE_AUTHORITY_HOST, INCIDENTS_API } = env
  const toCome = {
    SESSION_SECRET: randomBytes(32).toString('base64url'),
    AZURE_CLIENT_ID: randomUUID(),
    AZURE_CLIENT_SECRET: randomBytes(16).toString('hex'),
  }
  try {
    const given = { PUBLIC_URL, AZURE_TENANT_ID, AZURE_AUTHORITY_HOST, INCIDENTS_API }
    const problemsShown = problems.filter(({ variable }) => !Object.hasOwn(toCome, variable))
    const config = readConfig({ ...given, ...toCome }, { problems: problemsShown })
    const material = setupMaterial(config, appName)
    return kind === 'azure-cli' ? material.azureCli : material.powershell
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const lines = error.problems.map(({ variable, problem, remedy }) => `  ${variable} ${problem}. ${remedy}`)
    throw new CannotStart(['The script cannot be written yet:', ...lines].join('\n'))
  }
}
