export interface ConfigProblem {
  variable: string
  problem: string
  remedy: string
}

/** Thrown with all problems at once: nobody mends a configuration one error at a time. Holds names, never values. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(`${problems.length} configuration problem(s): ${problems.map((p) => p.variable).join(', ')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Every variable `readConfig` reads; `.env.example` lists exactly these. */
export const variables = [
  'PORT',
  'HOST',
  'PUBLIC_URL',
  'SESSION_SECRET',
  'DATA_KEY',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_CERTIFICATE_PATH',
  'AZURE_CLIENT_SECRET_2',
  'AZURE_CLIENT_CERTIFICATE_PATH_2',
  'AZURE_TENANT_ID',
  'SIGN_IN_CLIENT_ID',
  'SIGN_IN_CLIENT_SECRET',
  'SIGN_IN_CLIENT_CERTIFICATE_PATH',
  'SIGN_IN_CLIENT_SECRET_2',
  'SIGN_IN_CLIENT_CERTIFICATE_PATH_2',
  'AZURE_AUTHORITY_HOST',
  'DEFENDER_API_URL',
  'GRAPH_API_URL',
  'INCIDENTS_API',
  'DATABASE_URL',
  'DATA_DIR',
  'ROLE',
  'ADMIN_USERS',
  'TRUST_PROXY',
  'LOG_LEVEL',
  'CALLS_PER_MINUTE',
  'CALLS_PER_HOUR',
  'METRICS_PORT',
  'OUTBOUND_ALLOW',
  'HTTPS_PROXY',
  'NO_PROXY',
  'SMTP_URL',
  'SMTP_FROM',
] as const

export type Environment = Partial<Record<(typeof variables)[number], string | undefined>>

/** What shows that Muster is the customers' app: judged together. */
export const credentialVariables = [
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_CERTIFICATE_PATH',
  'AZURE_CLIENT_SECRET_2',
  'AZURE_CLIENT_CERTIFICATE_PATH_2',
] as const
/** The same of the sign-in registration. */
export const signInVariables = [
  'SIGN_IN_CLIENT_SECRET',
  'SIGN_IN_CLIENT_CERTIFICATE_PATH',
  'SIGN_IN_CLIENT_SECRET_2',
  'SIGN_IN_CLIENT_CERTIFICATE_PATH_2',
] as const
