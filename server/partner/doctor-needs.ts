import { credentialVariables, signInVariables, type variables } from '../config/variables.ts'
import type { RegistrationFinding } from '../microsoft/microsoft.ts'

type NeedyCheck = 'database' | 'audit' | 'address' | 'metrics' | 'clock' | RegistrationFinding['check']

/** What each check cannot do without. */
export const needs: Record<NeedyCheck, readonly (typeof variables)[number][]> = (() => {
  const tenant = ['AZURE_AUTHORITY_HOST', 'AZURE_TENANT_ID'] as const
  const app = [...tenant, 'AZURE_CLIENT_ID'] as const
  const credential = [...app, ...credentialVariables] as const
  const signIn = ['SIGN_IN_CLIENT_ID', ...signInVariables] as const
  const api = [...credential, 'INCIDENTS_API', 'DEFENDER_API_URL', 'GRAPH_API_URL'] as const
  return {
    database: ['DATABASE_URL', 'DATA_DIR'],
    audit: ['DATABASE_URL', 'DATA_DIR', 'SESSION_SECRET', 'DATA_KEY'],
    address: ['PUBLIC_URL', 'PORT'],
    metrics: ['METRICS_PORT'],
    clock: ['AZURE_AUTHORITY_HOST'],
    tenant,
    credential,
    audience: [...app, 'PUBLIC_URL'],
    'directory-roles': [...app, ...signIn, 'GRAPH_API_URL'],
    'redirect-uris': [...app, 'PUBLIC_URL'],
    permissions: api,
    api,
    'sign-in': [...tenant, ...signIn, 'PUBLIC_URL'],
  }
})()
