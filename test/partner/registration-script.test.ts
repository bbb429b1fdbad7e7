import { expect, test } from '@jest/globals'
import { registrationScript, scriptKinds } from '../../server/cli/registration-script.ts'
import type { Environment } from '../../server/config/variables.ts'

const told = (env: Environment) => ({ env, problems: [] })
const partner = '2c6f9a10-4d7e-4b35-8f21-90b3e5d7a601'

test.each(scriptKinds)('before there is any registration, the %s script has everything filled in', (kind) => {
  const script = registrationScript(
    told({ AZURE_TENANT_ID: partner, PUBLIC_URL: 'https://muster.halvard.example' }),
    kind,
  )
  for (const value of [
    partner,
    'https://muster.halvard.example/consent/callback',
    'a9790345-4595-42e4-971a-ccdc79f19b7c',
    'DirectoryRole',
  ]) {
    expect(script).toContain(value)
  }
})

test('asks for the permission of the API that is chosen', () => {
  const env = { AZURE_TENANT_ID: partner, PUBLIC_URL: 'https://muster.halvard.example', INCIDENTS_API: 'graph' }
  const script = registrationScript(told(env), 'azure-cli')
  expect(script).toContain('45cc0394-e837-488b-a098-1918f48d186c')
  expect(script).not.toContain('8ee8fdad-f234-4243-8f3b-15c294843740')
})

test('names what it cannot do without, and asks for nothing that the script will make', () => {
  expect(() => registrationScript(told({ PUBLIC_URL: 'http://muster.example' }), 'azure-cli')).toThrow(
    /PUBLIC_URL is not encrypted[\s\S]*AZURE_TENANT_ID is missing/,
  )
  expect(() => registrationScript(told({}), 'powershell')).not.toThrow(/AZURE_CLIENT|SESSION_SECRET/)
})

test.each(scriptKinds)('calls the app what customers are to read on Microsoft’s page: the %s script', (kind) => {
  const env = { AZURE_TENANT_ID: partner, PUBLIC_URL: 'https://muster.halvard.example' }
  expect(registrationScript(told(env), kind, 'Halvard SOC Connector')).toContain('Halvard SOC Connector')
  expect(registrationScript(told(env), kind)).toMatch(/isplayName"?:? ?['"]Muster['"]/)
})
