import { cloudFor } from '../../config/clouds.ts'
import type { Config } from '../../config/config.ts'
import { graphResource, permissionsFor, resourceFor } from '../permissions.ts'
import { redirectUris } from '../wire/addresses.ts'

/** What a partner admin copies into Entra, or runs instead. */
export interface SetupMaterial {
  tenantId: string
  /** The multi-tenant app that customers consent to. */
  app: {
    name: string
    audience: 'AzureADMultipleOrgs'
    redirectUris: readonly string[]
    /** `requiredResourceAccess` */
    manifest: string
    /** Puts the directory roles of the person who signs in into the ID token, as `wids`. */
    groupMembershipClaims: 'DirectoryRole'
  }
  /** The single-tenant registration that operators sign in with. */
  signIn: { name: string; audience: 'AzureADMyOrg'; redirectUris: readonly string[]; appRoles: string }
  permissions: readonly { resource: string; resourceAppId: string; name: string; id: string; type: 'Role' | 'Scope' }[]
  azureCli: string
  powershell: string
}

type SetupConfig = Pick<
  Config,
  'publicUrl' | 'partnerTenantId' | 'incidentsApi' | 'authorityHost' | 'defenderUrl' | 'graphUrl'
>

/**
 * What the silent sign-in after consent needs, so that the administrator is not asked a second time. The same in every
 * cloud. https://learn.microsoft.com/graph/permissions-reference#openid-connect-oidc-scopes
 */
const signInScopes = [
  { name: 'openid', id: '37f7f235-527c-4136-accd-4a02d197296e' },
  { name: 'profile', id: '14dad69e-099b-42c9-810b-d002981feec1' },
]

const roles = [
  {
    value: 'Muster.Admin',
    id: '4db1e67d-66b7-4809-915a-05413fc1a13f',
    does: 'Runs the portal: customers, links, people',
  },
  { value: 'Muster.Analyst', id: '77df03bd-e209-4ad9-92d2-ec9b9abc4e14', does: 'Works incidents' },
  { value: 'Muster.Reader', id: '4d7c51b5-0f02-41fd-81fb-85dbe2cadb33', does: 'Looks, and changes nothing' },
]

/** What the app is called where Settings name none. */
const usualName = 'Muster'

/**
 * Everything filled in: nothing in it is left to be replaced by hand, and nothing in it is secret.
 * @param appName as Settings have it, and so as customers are told that Microsoft's page will name it; may be empty
 */
export function setupMaterial(config: SetupConfig, appName: string): SetupMaterial {
  const { signIn, consent } = redirectUris(config)
  const manifest = JSON.stringify(requiredResourceAccess(config), null, 2)
  const appRoles = JSON.stringify(
    roles.map(({ value, id, does }) => ({
      id,
      value,
      displayName: value,
      description: does,
      allowedMemberTypes: ['User'],
      isEnabled: true,
    })),
    null,
    2,
  )
  const material = {
    tenantId: config.partnerTenantId,
    app: {
      name: appName || usualName,
      audience: 'AzureADMultipleOrgs',
      redirectUris: [signIn, consent],
      manifest,
      groupMembershipClaims: 'DirectoryRole',
    },
    signIn: { name: 'Muster sign-in', audience: 'AzureADMyOrg', redirectUris: [signIn], appRoles },
    permissions: permissionList(config),
  } as const
  return { ...material, azureCli: azureCli(config, material), powershell: powershell(config, material) }
}

function permissionList(config: SetupConfig): SetupMaterial['permissions'] {
  const resource = resourceFor(config)
  const graph = graphResource(config)
  return [
    ...permissionsFor(config.incidentsApi).map(
      ({ name, id }) => ({ resource: resource.name, resourceAppId: resource.appId, name, id, type: 'Role' }) as const,
    ),
    ...signInScopes.map(
      ({ name, id }) => ({ resource: graph.name, resourceAppId: graph.appId, name, id, type: 'Scope' }) as const,
    ),
  ]
}

function requiredResourceAccess(config: SetupConfig) {
  const byResource = new Map<string, { id: string; type: string }[]>()
  for (const { resourceAppId, id, type } of permissionList(config)) {
    byResource.set(resourceAppId, [...(byResource.get(resourceAppId) ?? []), { id, type }])
  }
  return [...byResource].map(([resourceAppId, resourceAccess]) => ({ resourceAppId, resourceAccess }))
}

type Material = Omit<SetupMaterial, 'azureCli' | 'powershell'>

/**
 * `az ad app create --required-resource-accesses` has been seen to drop the permissions without a word; one POST of the
 * whole application cannot.
 */
function azureCli(config: SetupConfig, { app, signIn, tenantId }: Material): string {
  const graph = graphResource(config).uri
  const cloud = cloudFor(config).name
  const names = {
    global: 'AzureCloud',
    'us-government': 'AzureUSGovernment',
    'us-dod': 'AzureUSGovernment',
    china: 'AzureChinaCloud',
  }[cloud]
  return `#!/usr/bin/env bash
# Registers Muster in your own tenant. Needs the Azure CLI and a Global Administrator.
set -euo pipefail
az cloud set --name ${names}
az login --tenant ${tenantId} --allow-no-subscriptions --output none

# 1. The app that your customers consent to.
cat > muster-app.json <<'JSON'
${applicationJson(app.name, app.audience, app.redirectUris, { groupMembershipClaims: app.groupMembershipClaims, requiredResourceAccess: JSON.parse(app.manifest) })}
JSON
APP_ID=$(az rest --method POST --url '${graph}/v1.0/applications' --headers Content-Type=application/json --body @muster-app.json --query appId --output tsv)
az ad sp create --id "$APP_ID" --output none
APP_SECRET=$(az ad app credential reset --id "$APP_ID" --append --display-name muster --years 1 --query password --output tsv)

# 2. The registration that your own people sign in with: this tenant alone, and only who is given a role.
cat > muster-sign-in.json <<'JSON'
${applicationJson(signIn.name, signIn.audience, signIn.redirectUris, { appRoles: JSON.parse(signIn.appRoles) })}
JSON
SIGN_IN_ID=$(az rest --method POST --url '${graph}/v1.0/applications' --headers Content-Type=application/json --body @muster-sign-in.json --query appId --output tsv)
az ad sp create --id "$SIGN_IN_ID" --output none
az ad sp update --id "$SIGN_IN_ID" --set appRoleAssignmentRequired=true
SIGN_IN_SECRET=$(az ad app credential reset --id "$SIGN_IN_ID" --append --display-name muster --years 1 --query password --output tsv)

# 3. You are its first Admin.
SIGN_IN_SP=$(az ad sp show --id "$SIGN_IN_ID" --query id --output tsv)
ME=$(az ad signed-in-user show --query id --output tsv)
az rest --method POST --url "${graph}/v1.0/servicePrincipals/$SIGN_IN_SP/appRoleAssignedTo" --headers Content-Type=application/json \\
  --body "{\\"principalId\\":\\"$ME\\",\\"resourceId\\":\\"$SIGN_IN_SP\\",\\"appRoleId\\":\\"${roles[0]?.id}\\"}" --output none

# 4. Consent in your own tenant, for the trial run. Entra needs a moment to know the app; it fails where the
#    resource does not exist, which customers who have it will not notice.
sleep 30
az ad app permission admin-consent --id "$APP_ID" || echo 'Consent in your own tenant was not given: repeat it in Entra.' >&2

# Optional: makes Entra say "not consented" instead of issuing tokens without roles. A beta setting of Microsoft's.
# OBJECT_ID=$(az ad app show --id "$APP_ID" --query id --output tsv)
# az rest --method PATCH --url "${graph}/beta/applications/$OBJECT_ID" --headers Content-Type=application/json --body '{"authenticationBehaviors":{"requireClientServicePrincipal":true}}'

rm muster-app.json muster-sign-in.json
cat <<ENV
# For .env. The two secrets are shown this once.
AZURE_TENANT_ID=${tenantId}
AZURE_CLIENT_ID=$APP_ID
AZURE_CLIENT_SECRET=$APP_SECRET
SIGN_IN_CLIENT_ID=$SIGN_IN_ID
SIGN_IN_CLIENT_SECRET=$SIGN_IN_SECRET
ADMIN_USERS=$ME
ENV
`
}

function applicationJson(name: string, audience: string, uris: readonly string[], more: object): string {
  return JSON.stringify({ displayName: name, signInAudience: audience, web: { redirectUris: uris }, ...more }, null, 2)
}

/** A PowerShell string: curly quotes end one as straight ones do. */
const quoted = (text: string) => `'${text.replace(/['‘’‚‛]/g, '$&$&')}'`

function powershell(config: SetupConfig, { app, signIn, tenantId, permissions }: Material): string {
  const cloud = cloudFor(config).name
  const environment = { global: 'Global', 'us-government': 'USGov', 'us-dod': 'USGovDoD', china: 'China' }[cloud]
  const uris = (list: readonly string[]) => list.map((uri) => `'${uri}'`).join(', ')
  const access = requiredResourceAccess(config)
    .map(
      ({ resourceAppId, resourceAccess }) =>
        `  @{ ResourceAppId = '${resourceAppId}'; ResourceAccess = @(${resourceAccess
          .map(({ id, type }) => `@{ Id = '${id}'; Type = '${type}' }`)
          .join(', ')}) }`,
    )
    .join(',\n')
  const appRoles = roles
    .map(
      ({ value, id, does }) =>
        `  @{ Id = '${id}'; Value = '${value}'; DisplayName = '${value}'; Description = '${does}'; AllowedMemberTypes = @('User'); IsEnabled = $true }`,
    )
    .join(',\n')
  const granted = permissions.filter(({ type }) => type === 'Role')
  return `# Registers Muster in your own tenant. Needs the module Microsoft.Graph and a Global Administrator.
$ErrorActionPreference = 'Stop'
Connect-MgGraph -TenantId '${tenantId}' -Environment ${environment} -NoWelcome -Scopes 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All', 'User.Read'
$year = @{ DisplayName = 'muster'; EndDateTime = (Get-Date).AddYears(1) }

# 1. The app that your customers consent to.
$access = @(
${access}
)
$app = New-MgApplication -DisplayName ${quoted(app.name)} -SignInAudience '${app.audience}' -Web @{ RedirectUris = @(${uris(app.redirectUris)}) } -GroupMembershipClaims '${app.groupMembershipClaims}' -RequiredResourceAccess $access
$appSp = New-MgServicePrincipal -AppId $app.AppId
$appSecret = Add-MgApplicationPassword -ApplicationId $app.Id -PasswordCredential $year

# 2. The registration that your own people sign in with: this tenant alone, and only who is given a role.
$roles = @(
${appRoles}
)
$signIn = New-MgApplication -DisplayName '${signIn.name}' -SignInAudience '${signIn.audience}' -Web @{ RedirectUris = @(${uris(signIn.redirectUris)}) } -AppRoles $roles
$signInSp = New-MgServicePrincipal -AppId $signIn.AppId -AppRoleAssignmentRequired
$signInSecret = Add-MgApplicationPassword -ApplicationId $signIn.Id -PasswordCredential $year

# 3. You are its first Admin.
$me = Invoke-MgGraphRequest -Method GET -Uri '/v1.0/me'
New-MgServicePrincipalAppRoleAssignedTo -ServicePrincipalId $signInSp.Id -PrincipalId $me.id -ResourceId $signInSp.Id -AppRoleId '${roles[0]?.id}' | Out-Null

# 4. Consent in your own tenant, for the trial run.
${granted
  .map(
    ({ resource, resourceAppId, id, name }) => `$resource = Get-MgServicePrincipal -Filter "appId eq '${resourceAppId}'"
if ($resource) {
  New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $appSp.Id -PrincipalId $appSp.Id -ResourceId $resource.Id -AppRoleId '${id}' | Out-Null
} else {
  Write-Warning 'Your own tenant has no "${resource}": ${name} was not granted there. Customers who have it will not notice.'
}`,
  )
  .join('\n')}
$graph = Get-MgServicePrincipal -Filter "appId eq '${graphResource(config).appId}'"
New-MgOauth2PermissionGrant -ClientId $appSp.Id -ConsentType 'AllPrincipals' -ResourceId $graph.Id -Scope '${signInScopes.map(({ name }) => name).join(' ')}' | Out-Null

# Optional: makes Entra say "not consented" instead of issuing tokens without roles. A beta setting of Microsoft's.
# Invoke-MgGraphRequest -Method PATCH -Uri "/beta/applications/$($app.Id)" -Body @{ authenticationBehaviors = @{ requireClientServicePrincipal = $true } }

# For .env. The two secrets are shown this once.
@"
AZURE_TENANT_ID=${tenantId}
AZURE_CLIENT_ID=$($app.AppId)
AZURE_CLIENT_SECRET=$($appSecret.SecretText)
SIGN_IN_CLIENT_ID=$($signIn.AppId)
SIGN_IN_CLIENT_SECRET=$($signInSecret.SecretText)
ADMIN_USERS=$($me.id)
"@
`
}
