/** English: the words of the setup pages. */
export const setup = {
  'setup.found.tenant-found': 'Microsoft knows your own tenant, {tenantId}.',
  'setup.found.tenant-unknown': 'Microsoft knows no tenant {tenantId}.',
  'setup.found.tenant-unknown.next': 'Copy “Directory (tenant) ID” from your app registration into AZURE_TENANT_ID.',
  'setup.found.tenant-other-cloud': 'Your own tenant, {tenantId}, is in another of Microsoft’s clouds.',
  'setup.found.tenant-other-cloud.next': 'Set AZURE_AUTHORITY_HOST and the API addresses to that cloud.',
  'setup.found.login-unreachable': 'The login service did not answer as expected, so your tenant was not looked up.',
  'setup.found.login-unreachable.next': 'Check that this machine may reach AZURE_AUTHORITY_HOST, then look again.',
  'setup.found.credential-works': 'Microsoft accepts the credential of app {clientId}.',
  'setup.found.credential-taken': 'Microsoft accepts {variable} of app {clientId}.',
  'setup.found.credential-one-refused':
    'Microsoft does not accept {variable} of app {clientId}. The other credential works, and is used.',
  'setup.found.credential-one-refused.next':
    'Put a new one in its place, or take it away, at the next restart. Until then there is only one.',
  'setup.found.credential-unchecked':
    'The credential of app {clientId} was not tried: the login service did not answer.',
  'setup.found.credential-unchecked.next': 'Look again in a minute.',
  'setup.found.secret-wrong': 'Microsoft does not accept the secret of app {clientId}.',
  'setup.found.secret-wrong.next':
    'Copy the secret’s Value, not its ID, into the environment and restart. Entra shows it once; make a new one if it is lost.',
  'setup.found.secret-expired': 'The secret of app {clientId} has expired. No tenant can be read until it is renewed.',
  'setup.found.secret-expired.next': 'Create a new secret in Entra, set it in the environment and restart.',
  'setup.found.credential-refused': 'Microsoft does not accept the certificate of app {clientId}.',
  'setup.found.credential-refused.next':
    'Upload the certificate to the app in Entra, and check this machine’s clock and the file that is read.',
  'setup.found.app-unknown': 'Your tenant {tenantId} has no app {clientId}.',
  'setup.found.app-unknown.next':
    'Compare the client ID with Entra. If it is right, grant admin consent for it in your own tenant.',
  'setup.found.token-refused': 'Microsoft issued no token to app {clientId} in your own tenant.',
  'setup.found.token-refused.next': 'The reason below says who has to act.',
  'setup.found.certificate-ends': 'The certificate of app {clientId} ends on {date}, in {days} days.',
  'setup.found.certificate-ends.next':
    'Upload a new one in Entra beside it, give it as the second one (…_2), and restart. Nothing has to be done when the first ends.',
  'setup.found.certificate-expired': 'The certificate of app {clientId} ended on {date}.',
  'setup.found.certificate-not-yet': 'The certificate of app {clientId} is not valid before {date}.',
  'setup.found.certificate-not-yet.next': 'Use one that is valid already, or check this machine’s clock.',
  'setup.found.keys-current': 'All that is sealed in the database is sealed with the first key: older ones can go.',
  'setup.found.keys-older': 'An older key of DATA_KEY or SESSION_SECRET is still in use, for: {names}.',
  'setup.found.keys-older.next':
    'Keep it until a worker has sealed them anew, which it does within minutes of its start; then look again.',
  'setup.found.keys-lost': 'No key there is opens what the database keeps sealed of: {names}.',
  'setup.found.keys-lost.next':
    'Put the key that was taken away back, behind the first one in DATA_KEY; or give these their address anew.',
  'setup.found.own-fault': 'Looking at this ended in a fault of Muster itself ({reason}).',
  'setup.found.own-fault.next': 'The log has it, with its stack. Report it to the maintainers.',
  'setup.found.certificate-expired.next': 'Upload a new one in Entra, change the file and restart.',
  'setup.found.permissions-complete': 'The permissions on {resource} are granted in your own tenant, and no others.',
  'setup.found.permissions-missing': 'On {resource}, {roles} is not granted in your own tenant.',
  'setup.found.permissions-missing.next':
    'Add it to the app as an application permission and grant admin consent. Customers then need the link again.',
  'setup.found.permissions-excess': 'On {resource}, the app holds more than Muster asks for: {roles}.',
  'setup.found.permissions-excess.next': 'Remove from the app in Entra whatever no other program of yours needs.',
  'setup.found.permissions-unreadable': 'The token for {resource} cannot be read, so its permissions are not known.',
  'setup.found.permissions-unreadable.next': 'Compare the app’s API permissions in Entra with the list in Setup.',
  'setup.found.permissions-unseen':
    'Your own tenant has no {resource}, so the permissions cannot be seen from here. Customers’ tenants are not affected.',
  'setup.found.permissions-unseen.next': 'Compare the app’s API permissions in Entra with the list in Setup.',
  'setup.found.directory-roles-told':
    'Sign-ins to app {clientId} show whether a person may consent for the organisation.',
  'setup.found.directory-roles-missing':
    'App {clientId} does not ask Microsoft for directory roles, so an Admin has to decide on every tenant that nobody expected.',
  'setup.found.directory-roles-missing.next':
    'Set groupMembershipClaims to DirectoryRole in the manifest of the app in Entra.',
  'setup.found.directory-roles-unread':
    'Whether app {clientId} asks Microsoft for directory roles could not be read: that takes a sign-in registration of its own that holds Application.Read.All.',
  'setup.found.directory-roles-unread.next':
    'Look into the manifest of the app in Entra: groupMembershipClaims is to be DirectoryRole. Nothing else depends on reading it.',
  'setup.found.directory-roles-unseen':
    'Since {date} customers’ sign-ins to app {clientId} have come without directory roles, so an Admin has to decide on every tenant that nobody expected.',
  'setup.found.directory-roles-unseen.next':
    'Set groupMembershipClaims to DirectoryRole in the manifest of the app in Entra.',
  'setup.found.audience-multi': 'App {clientId} is open to any organisation.',
  'setup.found.audience-single': 'App {clientId} is for your own tenant alone, so no customer can consent to it.',
  'setup.found.audience-single.next':
    'Under Authentication in Entra, set the supported accounts to “any organisational directory”.',
  'setup.found.audience-unknown': 'Whether app {clientId} is open to any organisation could not be seen.',
  'setup.found.audience-unknown.next': 'Look under Authentication in Entra: it must be “any organisational directory”.',
  'setup.found.redirect-registered': 'The redirect URI {uri} is registered on app {clientId}.',
  'setup.found.redirect-missing': 'The redirect URI {uri} is not registered on app {clientId}.',
  'setup.found.redirect-missing.next':
    'Add exactly this address under Authentication in Entra, platform Web. Check PUBLIC_URL if it is not yours.',
  'setup.found.redirect-unknown': 'Whether the redirect URI {uri} is registered on app {clientId} could not be seen.',
  'setup.found.redirect-unknown.next': 'Compare it with the app’s Authentication page in Entra, letter by letter.',
  'setup.found.sign-in-shared': 'Operators sign in with app {clientId}, the one customers consent to.',
  'setup.found.sign-in-shared.next':
    'Better: register a second app for your own tenant alone, and set SIGN_IN_CLIENT_ID and SIGN_IN_CLIENT_SECRET.',
  'setup.found.api-answers': '{host} answers with incidents of your own tenant.',
  'setup.found.api-no-data':
    '{host} gives no incidents of your own tenant. Without a Defender licence of your own that is normal.',
  'setup.found.api-no-data.next':
    'Nothing, if your own tenant has no Defender. Customers’ tenants are proven one by one.',
  'setup.found.api-unreachable': '{host} did not answer.',
  'setup.found.api-unreachable.next': 'Check that this machine may reach it, then look again.',
  'setup.found.api-refused': '{host} did not give the incidents of your own tenant.',
  'setup.found.api-refused.next': 'The reason below says who has to act.',

  // Doctor: what does not concern the registration
  'setup.found.not-looked-at': 'Not looked at: it depends on {variables}.',
  'setup.found.not-looked-at.next': 'Mend the configuration first, then look again.',
  'setup.found.variable-wrong': '{variable} {problem}.',
  'setup.found.variable-wrong.next': '{remedy}',
  'setup.found.variable-doubtful': '{variable} {problem}.',
  'setup.found.variable-doubtful.next': '{remedy}',
  'setup.found.not-reached': 'Not looked at: it needs the checks above to pass.',
  'setup.found.not-reached.next': 'Mend what stands above, then look again.',
  'setup.found.variables-read': '{n} variables are known, and nothing that was given is wrong.',
  'setup.found.proxy-unnamed':
    'People come over https, so a proxy stands before Muster, but TRUST_PROXY names none: every visitor seems to come from the proxy.',
  'setup.found.proxy-unnamed.next':
    'Set TRUST_PROXY to the address of your reverse proxy, such as loopback or 10.0.0.7.',
  'setup.found.admins-named':
    'ADMIN_USERS names {n, plural, one {# Admin} other {# Admins}}; the role Muster.Admin counts as well.',
  'setup.found.admins-by-role': 'ADMIN_USERS names nobody: Admins are the people who hold the role Muster.Admin.',
  'setup.found.database-absent': '{engine}: {place} does not exist yet. The first start makes it.',
  'setup.found.database-empty': '{engine} at {place} answers and is empty. The first start makes its tables.',
  'setup.found.database-current': '{engine} at {place} answers, is up to date and takes writes.',
  'setup.found.seal-empty': 'Nothing of the audit log is sealed yet. A worker seals it within a minute.',
  'setup.found.seal-whole': 'The audit log is what was sealed. Newest seal: {sequence}, {mac}.',
  'setup.found.seal-missing': 'Event {event} of the audit log is missing: it was sealed, and is not there.',
  'setup.found.seal-missing.next':
    'Somebody removed it from the database. Find out who had access, and compare with a backup and with what your SIEM was told.',
  'setup.found.seal-added':
    'Event {event} of the audit log was added behind the seal: everything around it is sealed, and it is not.',
  'setup.found.seal-added.next':
    'Somebody wrote it into the database, or removed its seal. Find out who had access, and compare with a backup and with your SIEM.',
  'setup.found.seal-changed': 'Event {event} of the audit log, or its seal, is not what it was.',
  'setup.found.seal-changed.next':
    'Somebody changed it in the database. Find out who had access, and compare with a backup and with what your SIEM was told.',
  'setup.found.seal-key-lost':
    'The audit log was sealed with a key that is not configured, so nobody can tell whether it is whole.',
  'setup.found.seal-key-lost.next':
    'Add the key that was in DATA_KEY (or SESSION_SECRET) before, behind the one in use.',
  'setup.found.database-older': '{engine} at {place} was last used by an older Muster.',
  'setup.found.database-older.next': 'Back it up, then start this version: it brings the tables up to date by itself.',
  'setup.found.database-newer': '{engine} at {place} was migrated by a newer Muster. This one does not start on it.',
  'setup.found.database-newer.next': 'Start the newer version, or restore the backup made before the upgrade.',
  'setup.found.database-read-only': '{engine} at {place} answers, but takes no writes ({reason}).',
  'setup.found.database-read-only.next':
    'Check free space and the rights of the user Muster runs as. On PostgreSQL, check that it is not a standby.',
  'setup.found.database-unreachable': '{engine} at {place} cannot be opened ({reason}).',
  'setup.found.database-unreachable.next':
    'Check DATABASE_URL, or DATA_DIR when it is empty, and the rights of this user.',
  'setup.found.address-answers': '{url} answers, and it is Muster.',
  'setup.found.address-other': 'Something else than Muster answers at {url} (status {status}).',
  'setup.found.address-other.next':
    'Let PUBLIC_URL be the address people type, and let the proxy pass it to this portal.',
  'setup.found.address-certificate': 'The TLS certificate of {url} is not trusted by this machine ({reason}).',
  'setup.found.address-certificate.next':
    'Renew it, or have the proxy send the whole chain. With a private authority this is normal if browsers know it.',
  'setup.found.address-silent': 'Nothing answers at {url} from this machine ({reason}).',
  'setup.found.address-silent.next':
    'Fine while Muster is not running, or where the address leads here from outside alone.',
  'setup.found.address-silent-here': 'Nothing answers at {url} ({reason}).',
  'setup.found.address-silent-here.next':
    'Fine while Muster is not running. Customers cannot open this address: it is this machine’s own.',
  'setup.found.calls-beyond':
    'Muster may make {minute} calls a minute and {hour} an hour for each tenant. Microsoft allows {limitMinute} and {limitHour}, for all that reads there.',
  'setup.found.calls-beyond.next':
    'Leave CALLS_PER_MINUTE and CALLS_PER_HOUR empty, unless Microsoft granted you more: what is beyond is answered with 429.',
  'setup.found.metrics-off': 'Metrics are off: METRICS_PORT is empty.',
  'setup.found.metrics-answer': 'Metrics are answered at {url}.',
  'setup.found.metrics-silent': 'Metrics will be answered at {url} once Muster runs here.',
  'setup.found.metrics-other': 'Something else answers at {url}, with status {status}.',
  'setup.found.metrics-other.next': 'Choose another METRICS_PORT, or stop what answers there.',
  'setup.found.clock-right': 'This machine’s clock and Microsoft’s are {seconds} s apart.',
  'setup.found.clock-ahead': 'This machine’s clock is {seconds} s ahead of Microsoft’s.',
  'setup.found.clock-ahead.next': 'Switch time synchronisation on. Beyond five minutes nobody can sign in.',
  'setup.found.clock-behind': 'This machine’s clock is {seconds} s behind Microsoft’s.',
  'setup.found.clock-behind.next': 'Switch time synchronisation on. Beyond five minutes nobody can sign in.',
  'setup.found.clock-unknown': 'Microsoft’s time could not be read.',
  'setup.found.clock-unknown.next': 'Check that this machine may reach AZURE_AUTHORITY_HOST, then look again.',

  'setup.check.configuration': 'Configuration',
  'setup.check.database': 'Database',
  'setup.check.audit': 'Audit log',
  'setup.check.address': 'Public address',
  'setup.check.metrics': 'Metrics',
  'setup.check.clock': 'Clock',
  'setup.check.tenant': 'Your own tenant',
  'setup.check.credential': 'Credential',
  'setup.check.audience': 'Audience',
  'setup.check.directory-roles': 'Directory roles',
  'setup.check.redirect-uris': 'Redirect URIs',
  'setup.check.permissions': 'Permissions',
  'setup.check.api': 'Incidents API',
  'setup.check.sign-in': 'Sign-in',
  'setup.outcome.ok': 'passes',
  'setup.outcome.warning': 'warns',
  'setup.outcome.fault': 'fails',
  'setup.outcome.unknown': 'not checked',
  'setup.doctor.count.ok': '{n, plural, one {# passes} other {# pass}}',
  'setup.doctor.count.warning': '{n, plural, one {# warns} other {# warn}}',
  'setup.doctor.count.fault': '{n, plural, one {# fails} other {# fail}}',
  'setup.doctor.count.unknown': '{n, plural, one {# could not be made} other {# could not be made}}',
  'setup.doctor.ends-well': 'Nothing stands in the way.',
  'setup.doctor.ends-badly': 'Muster does not work until what fails is mended.',

  'setup.title': 'Connect Muster to Microsoft',
  'setup.lead':
    'About ten minutes, with a Global Administrator of your own tenant. Each step ticks itself when Muster sees it work.',
  'setup.rereading':
    'This version understands more of what Microsoft sent: {done, number} of {total, number} stored incidents have been read again.',
  'setup.progress': '{done} of {of} done · looks again every {seconds} s',
  'setup.doctor': 'Doctor',
  'setup.copy': 'Copy',
  'setup.how': 'How',
  'setup.microsoft-reference': 'Microsoft’s reference {id}',
  'setup.state.done': 'done',
  'setup.state.now': 'next',
  'setup.state.bad': 'fails',
  'setup.state.warn': 'works, with a warning',
  'setup.state.todo': 'to do',
  'setup.step.runs': 'Muster runs and keeps its data',
  'setup.step.app': 'Register one app for your customers',
  'setup.step.redirects': 'Two redirect URIs, platform Web',
  'setup.step.credential': 'A certificate, or a secret',
  'setup.step.permissions': '{n, plural, one {One application permission} other {# application permissions}}',
  'setup.step.consent': 'Admin consent in your own tenant',
  'setup.step.sign-in': 'A second app for your own people',
  'setup.step.admin': 'You, the first Admin',
  'setup.step.partner': 'Say who you are',
  'setup.step.trial': 'A trial run',
  'setup.app.how':
    'Entra admin centre → App registrations → New registration. Accounts in <b>any organisational directory</b> (multitenant), without personal accounts. Then copy “Application (client) ID” into <code>AZURE_CLIENT_ID</code> and “Directory (tenant) ID” into <code>AZURE_TENANT_ID</code>.',
  'setup.app.name': 'Name. Your customers read it on Microsoft’s consent page',
  'setup.app.client-id': 'Application (client) ID in use',
  'setup.app.tenant-id': 'Directory (tenant) ID in use',
  'setup.app.roles':
    'Token configuration → Add groups claim → <b>Directory roles</b> alone. Microsoft then says whether the person who signs in after a consent may give it. Without this, a tenant that you did not expect beforehand always waits for your decision.',
  'setup.app.roles.manifest': 'The same in Manifest, groupMembershipClaims',
  'setup.app.harden':
    'Under Authentication, keep <b>App instance property lock</b> on, so that no customer’s administrator can add a credential to the app in their tenant. <b>Publisher verification</b> takes the word “unverified” off Microsoft’s consent page.',
  'setup.redirects.how':
    'App registrations → your app → Authentication → Add a platform → Web. Both, letter by letter.',
  'setup.redirects.sign-in': 'For sign-in',
  'setup.redirects.consent': 'For customers’ consent',
  'setup.credential.how':
    'A certificate is the stronger choice: it cannot be read over a shoulder or left in a chat. Make one, upload <code>muster-cert.pem</code> under Certificates & secrets, and name the file with both parts in <code>AZURE_CLIENT_CERTIFICATE_PATH</code>.',
  'setup.credential.command': 'Makes a key and a certificate for one year',
  'setup.credential.secret':
    'Or: New client secret, copy its <b>Value</b> (not its ID; Entra shows it once) into <code>AZURE_CLIENT_SECRET</code>. Whoever holds it can read every customer. Keep it where you keep such things, and put its end into your calendar.',
  'setup.credential.uses.certificate': 'In use: a certificate, thumbprint (SHA-256) {thumbprint}, ends {date}.',
  'setup.credential.uses.secret': 'In use: a client secret. Muster cannot see when it ends; Entra can.',
  'setup.permissions.how.defender':
    'API permissions → Add a permission → “APIs my organization uses” → Microsoft Threat Protection → Application permissions. Nothing more: customers consent to all that stands there. Or paste the list into Manifest, <code>requiredResourceAccess</code>.',
  'setup.permissions.how.graph':
    'API permissions → Add a permission → Microsoft Graph → Application permissions. Nothing more: customers consent to all that stands there. Or paste the list into Manifest, <code>requiredResourceAccess</code>.',
  'setup.permissions.resource': 'API',
  'setup.permissions.name': 'Permission',
  'setup.permissions.id': 'ID',
  'setup.permissions.type': 'Type',
  'setup.permissions.Role': 'Application',
  'setup.permissions.Scope': 'Delegated, for sign-in',
  'setup.permissions.manifest': 'requiredResourceAccess',
  'setup.permissions.no-mtp': 'Do not add “Microsoft Threat Protection”.',
  'setup.permissions.no-mtp.why': 'Consent would fail for every customer without that service (AADSTS650052).',
  'setup.permissions.names':
    'To show what customers’ tenants are called, Muster needs <code>CrossTenantInformation.ReadBasic.All</code> on Microsoft Graph in <b>your own tenant alone</b>. It is optional, and assigned to the enterprise app there, so no customer is asked for it.',
  'setup.consent.how':
    'API permissions → <b>Grant admin consent for</b> your organisation. It lets Muster try its credential and one call in your own tenant; customers are not touched. Entra may need a few minutes.',
  'setup.sign-in.how':
    'Another registration, accounts in <b>this organisational directory only</b>, with the first redirect URI above. Add the roles under App roles (or in Manifest, <code>appRoles</code>), set “Assignment required” on its enterprise app, and give people their role under Users and groups. Then set <code>SIGN_IN_CLIENT_ID</code> and <code>SIGN_IN_CLIENT_SECRET</code>, or <code>SIGN_IN_CLIENT_CERTIFICATE_PATH</code>.',
  'setup.sign-in.why': 'So that no token your people sign in with belongs to the app that reads your customers.',
  'setup.sign-in.name': 'Name',
  'setup.sign-in.roles': 'appRoles',
  'setup.admin.you': 'You are signed in as {name}, {role}.',
  'setup.admin.named':
    '<code>ADMIN_USERS</code> names {n, plural, one {# person} other {# people}}. Nobody becomes Admin by coming first.',
  'setup.admin.by-role':
    '<code>ADMIN_USERS</code> names nobody, so Admins are the people with the role <code>Muster.Admin</code>. Nobody becomes Admin by coming first.',
  'setup.admin.line': 'Keeps you Admin whatever happens to the roles',
  'setup.trial.done': 'The first tenant was proven on',
  'setup.trial.how':
    'Make yourself a customer with your own domain as the expected tenant, open the link in a private window, see the page your customers will see, and watch it being proven.',
  'setup.trial.start': 'New customer',
  'setup.scripts': 'The same as a script',
  'setup.scripts.lead':
    'Everything filled in, both registrations at once. Read it, then run it where a Global Administrator is signed in. It prints the two secrets once, as lines for .env.',
  'setup.scripts.cli': 'Azure CLI',
  'setup.scripts.powershell': 'PowerShell',
  'setup.code': '{name}, code',
  'setup.terminal':
    'No Azure at hand? <code>npm run demo</code> starts Muster with a simulated Microsoft. Stuck? <code>npm run doctor</code> prints the same checks in the terminal.',
  'setup.doctor.lead': '{checks, plural, one {# check} other {# checks}}: {counts}.',
  'setup.doctor.looked': 'Looked at',
  'setup.doctor.again': 'Look again',
  'setup.doctor.needs-you': 'Needs you',
  'setup.doctor.unknown': 'Could not be looked at',
  'setup.doctor.muster': 'Muster',
  'setup.doctor.microsoft': 'Microsoft',
  'setup.doctor.terminal':
    '<code>npm run doctor</code> prints the same in a terminal; with <code>-- --json</code> for machines.',
} as const
