/**
 * English: what Microsoft's login service said to whoever stood before its page, and what to do. Read by a customer's
 * administrator after a refused consent and by operators after a refused sign-in.
 */
export const login = {
  'login.personal-account': 'That was a personal account',
  'login.personal-account.next':
    'Use your work account. If Microsoft keeps choosing the personal one, try again in a private window.',
  'login.wrong-account': 'That account belongs to another organisation',
  'login.wrong-account.next':
    'Use an account of the organisation that this is for. If Microsoft keeps choosing the other, try again in a private window.',
  'login.unknown-account': 'Microsoft does not know this account here',
  'login.unknown-account.next':
    'Check the address you signed in with, or use another account. If it is right, ask your administrator whether the account still exists.',
  'login.account-disabled': 'This account is disabled',
  'login.account-disabled.next': 'Use another account. Only an administrator of its organisation can enable it again.',
  'login.account-locked': 'Microsoft has locked this account for now',
  'login.account-locked.next':
    'It saw too many failed sign-ins, or a network that it does not trust. Wait a while and try again. If it stays locked, ask your administrator.',
  'login.account-risk': 'Microsoft sees a risk in this account',
  'login.account-risk.next':
    'An administrator of its organisation has to look at it before it can be used. Until then, use another account.',
  'login.wrong-password': 'User name or password was not right',
  'login.wrong-password.next': 'Try again. If you have forgotten the password, reset it at Microsoft.',
  'login.password-expired': 'The password has to be changed',
  'login.password-expired.next': 'Change it at Microsoft, then try again.',
  'login.second-factor': 'The second step of the sign-in is missing',
  'login.second-factor.next':
    'Microsoft asks for a second proof that it is you, such as a code or an app. Try again and finish it. If you cannot, ask your administrator.',
  'login.unfinished': 'The sign-in was not finished',
  'login.unfinished.next': 'Microsoft had more to ask. Try again, and answer until you are back here.',
  'login.session-over': 'This sign-in is over',
  'login.session-over.next': 'It took too long, was used already, or Microsoft ended it. Start again.',
  'login.declined': 'The sign-in was cancelled',
  'login.declined.next': 'Nothing has changed. Try again whenever you like.',
  'login.device': 'This device is not allowed here',
  'login.device.next':
    'Your organisation asks for a device that it manages or has approved. Use such a device, or ask your administrator.',
  'login.policy': 'A Conditional Access policy stopped the sign-in',
  'login.policy.next':
    'Ask the administrator of your organisation: the sign-in log in Entra names the policy. Another place or another device may be allowed.',
  'login.security-policy': 'A security setting of your organisation stopped the sign-in',
  'login.security-policy.next': 'Ask its administrator: the sign-in log in Entra names the setting.',
  'login.network': 'Your network does not let you sign in to this organisation',
  'login.network.next':
    'It allows only organisations on a list. Use another network, or ask whoever runs it to add the organisation.',
  'login.cross-tenant': 'Two organisations do not let each other’s accounts in',
  'login.cross-tenant.next':
    'Their settings for access across organisations forbid this sign-in. Use an account of the organisation itself, or ask its administrator.',
  'login.federation': 'Your organisation’s own sign-in system did not answer as it should',
  'login.federation.next': 'Microsoft leaves your sign-in to it. Try again later, or ask your administrator.',
  'login.not-assigned': 'Your account is not assigned to this app',
  'login.not-assigned.next':
    'An administrator of your organisation must assign it in Entra: Enterprise applications, the app, Users and groups. Then try again.',
  'login.app-disabled': 'The app is switched off in this organisation',
  'login.app-disabled.next':
    'An administrator can switch it on in Entra: Enterprise applications, the app, Properties, “Enabled for users to sign-in?” to Yes. Then try again.',
  'login.app-missing': 'Microsoft does not find the app',
  'login.app-missing.next':
    'It is not your fault. Whoever runs this portal has to check the app’s ID and registration: npm run doctor names what differs.',
  'login.app-being-made': 'Microsoft is still setting up the app',
  'login.app-being-made.next': 'It was added to the organisation a moment ago. Wait a few minutes and try again.',
  'login.consent-missing': 'The consent is not there yet',
  'login.consent-missing.next':
    'No administrator has given it, or Microsoft has not spread it yet. Wait a few minutes and try again.',
  'login.admin-needed': 'An administrator has to allow this',
  'login.admin-needed.next':
    'Your account may not consent for your organisation. Ask an administrator, or use such an account.',
  'login.resource-missing': 'A Microsoft service that this needs is missing',
  'login.resource-missing.next':
    'The organisation has no licence for it, or has never opened it. Ask its administrator, then try again.',
  'login.resource-disabled': 'A Microsoft service that this needs is switched off',
  'login.resource-disabled.next':
    'A subscription of the organisation has lapsed, or an administrator switched the service off. Try again when it is back.',
  'login.tenant-unknown': 'Microsoft does not know this organisation',
  'login.tenant-unknown.next': 'It was deleted, or its ID or domain is not right. Nothing you do here can change that.',
  'login.tenant-unavailable': 'Microsoft has made this organisation unavailable',
  'login.tenant-unavailable.next': 'Its administrator has to turn to Microsoft’s support. Try again when it is back.',
  'login.tenant-inactive': 'Microsoft has blocked this organisation because it was not used',
  'login.tenant-inactive.next':
    'Its administrator can ask Microsoft to open it again, but only for a short time. Try again when it is open.',
  'login.other-cloud': 'This organisation is in another of Microsoft’s clouds',
  'login.other-cloud.next': 'It cannot be reached from here. Get in touch with whoever sent you here.',
  'login.credential': 'Microsoft does not accept this portal’s own credential',
  'login.credential.next': 'It is not your fault. Whoever runs this portal has to renew its secret or certificate.',
  'login.registration': 'This portal’s app is not set up as Microsoft wants it',
  'login.registration.next':
    'It is not your fault. Whoever runs this portal has to mend the app registration: npm run doctor names what differs.',
  'login.unavailable': 'Microsoft has trouble signing people in right now',
  'login.unavailable.next': 'Nothing is wrong with your account. Try again in a few minutes.',
  'login.throttled': 'Microsoft asks to slow down',
  'login.throttled.next': 'There were too many sign-ins in a short time. Wait a few minutes and try again.',
} as const
