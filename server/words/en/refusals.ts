/** English: why Microsoft said no, who must act, and what to do. */
export const refusals = {
  'refusal.not-consented': 'The customer’s administrator has not consented, or has withdrawn the consent.',
  'refusal.not-consented.next':
    'Send the customer a consent link. Straight after consent, wait a few minutes: Microsoft spreads it slowly.',
  'refusal.not-consented.lost':
    'The consent was there and is gone: somebody in the customer’s tenant deleted the app or its permission.',
  'refusal.not-consented.lost.next': 'Send a new consent link. Only an administrator of theirs can give access back.',
  'refusal.role-missing': 'The customer’s administrator consented, but the permission is not among what was granted.',
  'refusal.role-missing.next':
    'Wait a few minutes if consent was just given. Otherwise send the link again, for an administrator who may grant it.',
  'refusal.role-missing.lost':
    'The permission was there and is gone: somebody in the customer’s tenant took it from the app.',
  'refusal.role-missing.lost.next': 'Send a new consent link. A new consent brings the permission back.',
  'refusal.app-disabled': 'The customer’s administrator has disabled the app in their tenant.',
  'refusal.app-disabled.next':
    'Ask them to set “Enabled for users to sign-in?” to Yes under Enterprise applications in Entra.',
  'refusal.unlicensed': 'The customer’s tenant has no Microsoft Defender XDR, so there is nothing to grant or to read.',
  'refusal.unlicensed.next':
    'Ask the customer for a Defender licence, and to sign in to security.microsoft.com once with an account that has it.',
  'refusal.not-set-up': 'Microsoft Defender XDR is not set up in the customer’s tenant; the customer has to do that.',
  'refusal.not-set-up.next':
    'The consent is there and stays. Ask them to sign in to security.microsoft.com with an account that has a Defender licence and to open Incidents once: that sets it up. Muster notices by itself.',
  'refusal.data-unavailable':
    'The permission is granted, but Defender gives no data; the customer has to check licence and onboarding.',
  'refusal.data-unavailable.next':
    'Ask the customer to open security.microsoft.com and see whether incidents are shown. Muster keeps trying.',
  'refusal.blocked-by-policy': 'A Conditional Access policy in the customer’s tenant blocks the app.',
  'refusal.blocked-by-policy.next':
    'Ask the customer’s administrator to let the app through in their policy for workload identities.',
  'refusal.tenant-gone': 'Microsoft knows no tenant with this ID; it was deleted, or the ID is wrong.',
  'refusal.tenant-gone.next': 'Ask the customer for their tenant ID, and send a new link for it.',
  'refusal.tenant-unavailable':
    'Microsoft has made the customer’s tenant unavailable; the customer or Microsoft has to act.',
  'refusal.tenant-unavailable.next':
    'Ask the customer’s administrator whether the tenant still exists, and to turn to Microsoft’s support. Muster tries again, ever more slowly.',
  'refusal.other-cloud': 'The tenant is in another of Microsoft’s clouds; you have to run Muster there.',
  'refusal.other-cloud.next': 'Set the login and API addresses to that cloud, in a portal of its own.',
  'refusal.partner-credential': 'Microsoft does not accept your own app’s secret or certificate; you have to renew it.',
  'refusal.partner-credential.next':
    'Create a new one in Entra, set it in the environment and restart. Every customer’s consent stays as it is.',
  'refusal.partner-registration': 'Your own app registration is not set up as Muster needs it; you have to mend it.',
  'refusal.partner-registration.next': 'Open Doctor, or run npm run doctor: it names what differs.',
  'refusal.throttled': 'Microsoft asked Muster to slow down for this tenant; nobody has to act.',
  'refusal.throttled.next': 'Wait. Muster goes on by itself when the time is over, and nothing is lost.',
  'refusal.unavailable': 'Microsoft did not answer, or answered that it is in trouble; Microsoft has to act.',
  'refusal.unavailable.next': 'Wait: Muster keeps trying. If it lasts, look at status.cloud.microsoft.',
  'refusal.unavailable.network':
    'This machine does not get to Microsoft: no network, no DNS, or a firewall in between. It is yours to mend.',
  'refusal.unavailable.network.next':
    'Let this machine reach the login host and the API on port 443, or name its proxy in HTTPS_PROXY. Muster keeps trying.',
  'refusal.unavailable.proxy-away': 'The proxy of HTTPS_PROXY does not answer, so nothing gets to Microsoft.',
  'refusal.unavailable.proxy-away.next': 'Check its address and whether it runs. Muster keeps trying.',
  'refusal.unavailable.proxy-refuses': 'The proxy of HTTPS_PROXY does not let Muster through to Microsoft.',
  'refusal.unavailable.proxy-refuses.next':
    'Let it allow CONNECT to the login host and the API on port 443. Muster keeps trying.',
  'refusal.unavailable.proxy-asks':
    'The proxy of HTTPS_PROXY asks who Muster is, or does not know that name and password.',
  'refusal.unavailable.proxy-asks.next': 'Write HTTPS_PROXY=http://user:password@host:port, and restart.',
  'refusal.unavailable.inspected':
    'What answers in Microsoft’s place shows a certificate that this machine does not know: something in between opens TLS.',
  'refusal.unavailable.inspected.next':
    'Except Microsoft’s hosts from the inspection, or name its CA in NODE_EXTRA_CA_CERTS, and restart.',
  'refusal.unexpected-answer': 'Microsoft answered with something Muster does not understand; nothing of it was kept.',
  'refusal.unexpected-answer.next': 'Try again. If it stays, give Microsoft the correlation ID and the time.',
  'refusal.wrong-tenant-token': 'Microsoft answered for another tenant than the one asked; nothing of it was kept.',
  'refusal.wrong-tenant-token.next': 'Do not go on with this tenant. Give Microsoft the correlation ID and the time.',
  'refusal.unauthorized': 'Defender does not accept the token that Microsoft issued for it, not even a fresh one.',
  'refusal.unauthorized.next':
    'Check that the API address and the login address belong to the same cloud. If they do, Microsoft has to act.',
  'refusal.sign-in-invalid': 'The sign-in could not be proven to be yours, so nobody was signed in.',
  'refusal.sign-in-invalid.next': 'Sign in again from the start, in this browser.',
  'refusal.interaction-required': 'Microsoft wants to ask you something before you are signed in.',
  'refusal.interaction-required.next': 'Sign in with Microsoft’s page open, and answer what it asks.',
  'refusal.account-refused': 'Microsoft did not accept the account that signed in.',
  'refusal.account-refused.next': 'Sign in with another account, or ask the administrator of its organisation.',
} as const
