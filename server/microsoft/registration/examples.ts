import type { Config } from '../../config/config.ts'
import { resourceFor } from '../permissions.ts'
import { requireTenantId } from '../wire/tenant-id.ts'

export interface ApiExample {
  language: 'powershell' | 'csharp' | 'curl' | 'typescript'
  /** The v1 token endpoint is that of the original documentation; both give the same token. */
  tokenEndpoint: 'v2' | 'v1'
  text: string
}

/**
 * The calls Muster makes for one tenant, to run elsewhere. The secret stays in AZURE_CLIENT_SECRET and out of argument
 * lists, which every process on a machine can read.
 */
export function apiExamples({ tenantId, config }: { tenantId: string; config: Config }): ApiExample[] {
  const id = requireTenantId(tenantId, new Date())
  const resource = resourceFor(config).uri
  const v2 = `${config.authorityHost}/${id}/oauth2/v2.0/token`
  const v1 = `${config.authorityHost}/${id}/oauth2/token`
  const call: ExampleCall = {
    clientId: config.app.clientId,
    // On Graph a page holds 50 incidents at most, on the Defender API 100.
    incidents:
      config.incidentsApi === 'graph'
        ? `${config.graphUrl}/v1.0/security/incidents?$top=10`
        : `${config.defenderUrl}/api/incidents?$top=10`,
    name: config.incidentsApi === 'graph' ? 'displayName' : 'incidentName',
    key: config.incidentsApi === 'graph' ? 'id' : 'incidentId',
  }
  const forV2: TokenCall = { url: v2, field: 'scope', value: `${resource}/.default` }
  const forV1: TokenCall = { url: v1, field: 'resource', value: resource }
  return [
    { language: 'curl', tokenEndpoint: 'v2', text: curl(call, forV2) },
    { language: 'curl', tokenEndpoint: 'v1', text: curl(call, forV1) },
    { language: 'powershell', tokenEndpoint: 'v2', text: powershell(call, forV2) },
    { language: 'powershell', tokenEndpoint: 'v1', text: powershell(call, forV1) },
    { language: 'csharp', tokenEndpoint: 'v2', text: csharp(call, forV2) },
    { language: 'typescript', tokenEndpoint: 'v2', text: typescript(call, forV2) },
  ]
}

interface ExampleCall {
  clientId: string
  incidents: string
  name: string
  key: string
}

interface TokenCall {
  url: string
  field: 'scope' | 'resource'
  value: string
}

const curl = (call: ExampleCall, token: TokenCall) => `#!/usr/bin/env bash
# Needs AZURE_CLIENT_SECRET in the environment.
set -euo pipefail

token=$(printf %s "$AZURE_CLIENT_SECRET" | curl --silent --show-error --fail-with-body '${token.url}' \\
  --data-urlencode 'grant_type=client_credentials' \\
  --data-urlencode 'client_id=${call.clientId}' \\
  --data-urlencode '${token.field}=${token.value}' \\
  --data-urlencode client_secret@- |
  sed -n 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p')

printf 'Authorization: Bearer %s\\n' "$token" |
  curl --silent --show-error --fail-with-body --header @- '${call.incidents}'
`

const powershell = (call: ExampleCall, token: TokenCall) => `# Needs AZURE_CLIENT_SECRET in the environment.
$ErrorActionPreference = 'Stop'

$token = Invoke-RestMethod -Method Post -Uri '${token.url}' -Body @{
  grant_type    = 'client_credentials'
  client_id     = '${call.clientId}'
  ${token.field.padEnd(13)} = '${token.value}'
  client_secret = $env:AZURE_CLIENT_SECRET
}

$page = Invoke-RestMethod -Uri '${call.incidents}' -Headers @{ Authorization = "Bearer $($token.access_token)" }
$page.value | Select-Object ${call.key}, ${call.name}, severity, status
`

const csharp = (
  call: ExampleCall,
  token: TokenCall,
) => `// dotnet new console; needs AZURE_CLIENT_SECRET in the environment.
using System.Net.Http.Headers;
using System.Text.Json;

var secret = Environment.GetEnvironmentVariable("AZURE_CLIENT_SECRET")
    ?? throw new InvalidOperationException("AZURE_CLIENT_SECRET is not set");
using var http = new HttpClient();

using var answer = await http.PostAsync("${token.url}", new FormUrlEncodedContent(new Dictionary<string, string>
{
    ["grant_type"] = "client_credentials",
    ["client_id"] = "${call.clientId}",
    ["${token.field}"] = "${token.value}",
    ["client_secret"] = secret,
}));
answer.EnsureSuccessStatusCode();
using var token = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());

http.DefaultRequestHeaders.Authorization =
    new AuthenticationHeaderValue("Bearer", token.RootElement.GetProperty("access_token").GetString());
using var page = JsonDocument.Parse(await http.GetStringAsync("${call.incidents}"));

foreach (var incident in page.RootElement.GetProperty("value").EnumerateArray())
    Console.WriteLine(incident.GetProperty("${call.key}") + " " + incident.GetProperty("${call.name}"));
`

const typescript = (
  call: ExampleCall,
  token: TokenCall,
) => `// Node 20 or later; needs AZURE_CLIENT_SECRET in the environment.
import { env } from 'node:process'

const secret = env.AZURE_CLIENT_SECRET
if (!secret) throw new Error('AZURE_CLIENT_SECRET is not set')

const answer = await fetch('${token.url}', {
  method: 'POST',
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: '${call.clientId}',
    ${token.field}: '${token.value}',
    client_secret: secret,
  }),
})
if (!answer.ok) throw new Error(\`No token: \${answer.status}\`)
const { access_token: token } = (await answer.json()) as { access_token: string }

const page = await fetch('${call.incidents}', { headers: { authorization: \`Bearer \${token}\` } })
if (!page.ok) throw new Error(\`No incidents: \${page.status}\`)
const { value } = (await page.json()) as { value: { ${call.key}: string | number; ${call.name}: string }[] }
for (const incident of value) console.log(incident.${call.key}, incident.${call.name})
`
