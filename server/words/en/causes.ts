/**
 * English, for operators: what an AADSTS number says beyond the refusal it belongs to, and what to do. `cause.<reason>`;
 * the reasons are in model/aadsts.ts.
 */
export const causes = {
  'cause.app-being-made': 'Microsoft is still setting up the app in the customer’s tenant; nobody has to act.',
  'cause.app-being-made.next':
    'Wait a few minutes. If it stays so for an hour, ask the customer to delete the app under Enterprise applications and to consent once more.',
  'cause.not-assigned':
    'The tenant lets the app in only where it is assigned a role, and this permission is not assigned to it.',
  'cause.not-assigned.next':
    'Send a consent link: a new consent assigns the role. Until then the customer’s administrator can do it under Enterprise applications.',
  'cause.resource-disabled':
    'Microsoft’s own app behind the permission is switched off in the customer’s tenant: a subscription has lapsed, or somebody disabled it.',
  'cause.resource-disabled.next':
    'Ask the customer’s administrator whether the subscription still runs, and to enable the service under Enterprise applications in Entra.',
  'cause.tenant-inactive': 'Microsoft has blocked the customer’s tenant because nobody used it for long.',
  'cause.tenant-inactive.next':
    'The customer’s administrator can ask Microsoft to open it again, for a short time only: after that it is deleted.',
  'cause.device': 'A policy in the tenant asks for a managed or approved device, which an app does not have.',
  'cause.device.next': 'Ask the administrator to leave the app, or the account that signs in, out of that policy.',
  'cause.security-policy':
    'A security setting of the tenant blocks the request; that is not one of its Conditional Access policies.',
  'cause.security-policy.next':
    'Ask the administrator to look at security defaults and tenant-wide policies; the sign-in log in Entra names the one.',
  'cause.account-risk': 'Microsoft holds the account for compromised and blocks it.',
  'cause.account-risk.next':
    'The administrator of the account’s own organisation has to look at it under Risky users in Entra and dismiss the risk.',
  'cause.network': 'The network this request went out by lets nobody sign in to that tenant.',
  'cause.network.next':
    'Ask whoever runs the proxy between Muster and Microsoft to add the tenant to its tenant restrictions, or to leave Muster out.',

  'cause.wrong-secret': 'Microsoft does not accept your app’s secret: it is not the right one.',
  'cause.wrong-secret.next':
    'Set the secret’s value, not its ID. It is shown only once: if it is lost, create a new one in Entra and restart.',
  'cause.secret-expired': 'Your app’s secret has expired.',
  'cause.secret-expired.next':
    'Create a new one in Entra, set it in the environment and restart. Every customer’s consent stays as it is.',
  'cause.secret-missing': 'Your app showed no secret and no certificate.',
  'cause.secret-missing.next': 'Set AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH, and restart.',
  'cause.certificate-unknown': 'Microsoft does not accept your app’s certificate or what it signed.',
  'cause.certificate-unknown.next':
    'Upload this very certificate to the app registration, and check that it is the one that belongs to the key.',
  'cause.certificate-dates': 'Your app’s certificate is outside its dates: expired, or not valid yet.',
  'cause.certificate-dates.next': 'Make a new certificate, upload it to the app registration, set it and restart.',
  'cause.assertion-time': 'What your app signed was outside its time when it arrived at Microsoft.',
  'cause.assertion-time.next': 'Check the clock of the machine that Muster runs on.',
  'cause.certificate-revoked': 'Your app’s certificate has been revoked.',
  'cause.certificate-revoked.next': 'Make a new certificate, upload it to the app registration, set it and restart.',
  'cause.certificate-weak': 'The key of your app’s certificate is too short for Microsoft.',
  'cause.certificate-weak.next':
    'Make a certificate with an RSA key of at least 2,048 bits, upload it to the app registration, set it and restart.',
  'cause.assertion-audience': 'What your app signed was meant for another login address than the one that was asked.',
  'cause.assertion-audience.next': 'Check that AZURE_AUTHORITY_HOST is the login address of your app’s cloud.',
  'cause.federated-credential': 'No federated credential of your app fits what was shown to Microsoft.',
  'cause.federated-credential.next':
    'Muster signs in with a secret or a certificate. Check which of them is set, and that the app ID belongs to it.',
  'cause.wrong-app': 'The app ID that is set does not belong to an app that can show a secret or certificate.',
  'cause.wrong-app.next':
    'Compare AZURE_CLIENT_ID with the application ID of the registration in Entra; it must be a confidential (web) app.',

  'cause.redirect-uri': 'The redirect URI of Muster is not registered with your app, or not in exactly this form.',
  'cause.redirect-uri.next': 'Open Doctor: it names the URI. Add it to the app registration as platform Web.',
  'cause.redirect-platform': 'Muster’s redirect URI is registered for the wrong platform.',
  'cause.redirect-platform.next':
    'In the app registration, under Authentication, remove the URI from Single-page application and add it as Web.',
  'cause.audience': 'Your app is registered for your own tenant only.',
  'cause.audience.next':
    'In the app registration, under Authentication, allow accounts in any organisational directory (multitenant).',
  'cause.permissions': 'The list of permissions in your app registration does not fit what Muster asks for.',
  'cause.permissions.next': 'Open Doctor, and add the permission that it names to the app registration.',
  'cause.preapproval': 'Your app has not been approved for the customers you administer as a Microsoft partner.',
  'cause.preapproval.next':
    'Send the customer a consent link, for an administrator of their own; or have the app approved in Partner Center.',
  'cause.scope': 'Microsoft knows no permission of the name that was asked for.',
  'cause.scope.next': 'Check INCIDENTS_API and the API address: both have to belong to the cloud of the login address.',
  'cause.authority': 'The login address does not say in a way that Microsoft takes which tenant is meant.',
  'cause.authority.next': 'Check AZURE_AUTHORITY_HOST and AZURE_TENANT_ID, and the tenant ID of this customer.',
  'cause.region': 'A regional login address was asked, which is only for Microsoft’s own apps.',
  'cause.region.next': 'Take MSAL_FORCE_REGION out of the environment, and restart.',
  'cause.request-malformed':
    'Microsoft did not understand what Muster asked: a setting is wrong, or Muster has a fault.',
  'cause.request-malformed.next':
    'Open Doctor. If nothing is wrong there, it is a fault of Muster’s: report it with the number and the time.',
} as const
