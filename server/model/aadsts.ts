import type { RefusalCode, RefusalOwner } from './refusal.ts'

/**
 * Microsoft's AADSTS numbers, each under one reason. The texts of the login service change, the numbers hardly ever do.
 * Sources: https://learn.microsoft.com/entra/identity-platform/reference-error-codes, the troubleshooting articles below
 * https://learn.microsoft.com/troubleshoot/entra/entra-id, and what public issues quote.
 */

/** What a refused consent is to the person who comes back with it. */
export type ConsentRefusal =
  | 'declined'
  | 'not-admin'
  | 'wrong-tenant'
  | 'unlicensed'
  | 'misconfigured'
  | 'cancelled'
  | 'other'

/** What the person who stood before Microsoft's page reads: `login.<name>` and `login.<name>.next`. */
export type LoginWords =
  | 'account-disabled'
  | 'account-locked'
  | 'account-risk'
  | 'admin-needed'
  | 'app-being-made'
  | 'app-disabled'
  | 'app-missing'
  | 'consent-missing'
  | 'credential'
  | 'cross-tenant'
  | 'declined'
  | 'device'
  | 'federation'
  | 'network'
  | 'not-assigned'
  | 'other-cloud'
  | 'password-expired'
  | 'personal-account'
  | 'policy'
  | 'registration'
  | 'resource-disabled'
  | 'resource-missing'
  | 'second-factor'
  | 'security-policy'
  | 'session-over'
  | 'tenant-inactive'
  | 'tenant-unavailable'
  | 'tenant-unknown'
  | 'throttled'
  | 'unavailable'
  | 'unfinished'
  | 'unknown-account'
  | 'wrong-account'
  | 'wrong-password'

export interface Reason {
  /** What it is when the token for a tenant is refused with it. */
  code: RefusalCode
  /** Who must act then, where it is not who acts on the code. */
  owner?: RefusalOwner
  /** How a consent ends with it. */
  outcome: ConsentRefusal
  login: LoginWords
  /** Operators have words of their own for it, `cause.<reason>`, because those of the code say too little. */
  cause?: true
  /** Each number, and what is special about it. */
  numbers: readonly (readonly [number: number, fact: string])[]
}

/** General numbers: a more special one that is named as well says more. */
export const umbrellas: ReadonlySet<number> = new Set([
  50000, 50013, 50131, 65005, 70000, 70001, 70002, 90014, 90023, 9002313,
])

const account = { code: 'account-refused', outcome: 'other' } as const
const policy = { code: 'blocked-by-policy', outcome: 'other' } as const
const visible = { code: 'interaction-required', outcome: 'other' } as const
const credential = {
  code: 'partner-credential',
  outcome: 'misconfigured',
  login: 'credential',
  cause: true,
} as const
const registration = {
  code: 'partner-registration',
  outcome: 'misconfigured',
  login: 'registration',
  cause: true,
} as const

export const reasons = {
  // Consent, and the app in the tenant

  'app-missing': {
    code: 'not-consented',
    outcome: 'misconfigured',
    login: 'app-missing',
    numbers: [
      [7000229, 'the app has no service principal in the tenant'],
      [700016, 'no application with this ID in the directory'],
      [700011, 'the app was not found in the directory of the tenant'],
      [70001, 'the app is not found there, or switched off; older answers'],
    ],
  },
  'consent-missing': {
    code: 'not-consented',
    outcome: 'other',
    login: 'consent-missing',
    numbers: [
      [65001, 'neither a user nor an administrator has consented'],
      [90008, 'a token was asked for without any consent to the app'],
    ],
  },
  'app-being-made': {
    code: 'not-consented',
    owner: 'wait',
    outcome: 'other',
    login: 'app-being-made',
    cause: true,
    numbers: [[650051, 'the app exists in the tenant and is not ready to be used yet']],
  },
  declined: {
    code: 'not-consented',
    outcome: 'declined',
    login: 'declined',
    numbers: [[65004, 'Cancel was pressed on the consent page']],
  },
  'admin-needed': {
    code: 'not-consented',
    outcome: 'not-admin',
    login: 'admin-needed',
    numbers: [
      [90094, 'only an administrator may consent'],
      [90095, 'an approval was asked for in the consent workflow'],
      [90093, 'the directory forbids this account to consent'],
    ],
  },
  'not-assigned': {
    code: 'role-missing',
    outcome: 'other',
    login: 'not-assigned',
    cause: true,
    numbers: [
      [50105, 'assignment is required, and the account or app is not assigned'],
      [501051, 'the app is not assigned to a role of the API'],
    ],
  },
  'app-disabled': {
    code: 'app-disabled',
    outcome: 'other',
    login: 'app-disabled',
    numbers: [
      [7000112, 'the app is disabled in the tenant'],
      [1000031, 'the app cannot be used at present; an administrator decides'],
    ],
  },

  // What the tenant has, and where it is

  'resource-missing': {
    code: 'unlicensed',
    outcome: 'unlicensed',
    login: 'resource-missing',
    numbers: [
      [500011, 'the API has no service principal in the tenant'],
      [650052, 'the organisation has not subscribed to the service, or not opened it'],
    ],
  },
  'resource-disabled': {
    code: 'unlicensed',
    outcome: 'other',
    login: 'resource-disabled',
    cause: true,
    numbers: [
      [500014, 'the service principal of the API is disabled'],
      [50001, 'the API is disabled in the tenant, or not there'],
    ],
  },
  'tenant-unknown': {
    code: 'tenant-gone',
    outcome: 'other',
    login: 'tenant-unknown',
    numbers: [[90002, 'no tenant with this ID or domain']],
  },
  'tenant-unavailable': {
    code: 'tenant-unavailable',
    outcome: 'other',
    login: 'tenant-unavailable',
    numbers: [[5000224, 'the tenant has been taken out of service']],
  },
  'tenant-inactive': {
    code: 'tenant-unavailable',
    outcome: 'other',
    login: 'tenant-inactive',
    cause: true,
    numbers: [[5000225, 'the tenant is blocked because nobody used it for long']],
  },
  'other-cloud': {
    code: 'other-cloud',
    outcome: 'other',
    login: 'other-cloud',
    numbers: [
      [90038, 'the tenant belongs to a national cloud'],
      [90043, 'the code belongs to a national cloud'],
      [90051, 'the identifier of the national cloud is not known'],
      [900382, 'apps with a secret cannot be used across clouds'],
      [900432, 'apps with a secret cannot be used across clouds'],
      [900384, 'the token was signed by the other cloud'],
      [900439, 'the tenant of a government was asked at the public address'],
      [1000104, 'the cloud of the API is not allowed for the account’s tenant'],
    ],
  },

  // Policies, devices, networks

  policy: {
    ...policy,
    login: 'policy',
    numbers: [
      [53003, 'a Conditional Access policy forbids the token'],
      [530031, 'an access policy does not let the token be issued'],
      [530032, 'Conditional Access refused by a security policy of the tenant'],
      [530036, 'a policy on ways of signing in refuses the session'],
      [530084, 'a policy asks for tokens that are bound to the device'],
      [50131, 'Conditional Access refused; the sign-in log says which condition'],
    ],
  },
  device: {
    ...policy,
    login: 'device',
    cause: true,
    numbers: [
      [53000, 'a policy asks for a compliant device'],
      [530002, 'the device has to be compliant'],
      [53001, 'a policy asks for a device joined to the domain'],
      [530003, 'the device has to be managed'],
      [53002, 'a policy asks for an approved client app'],
      [530021, 'the client app is not an approved one'],
      [50005, 'policies do not support the platform of the device'],
    ],
  },
  'device-unproven': {
    ...visible,
    login: 'device',
    numbers: [
      [50097, 'the device has to prove itself'],
      [50127, 'an app that vouches for the device has to be installed'],
      [50129, 'the device is not registered at work'],
      [50155, 'the device could not prove itself'],
      [50187, 'the device sent no proof'],
      [135011, 'the device is disabled'],
      [700003, 'the device is not in the directory'],
    ],
  },
  // Of accounts, and no Conditional Access: nothing that stands between an app and a tenant.
  'security-policy': {
    ...account,
    login: 'security-policy',
    cause: true,
    numbers: [[530035, 'security defaults block the request']],
  },
  'account-risk': {
    ...account,
    login: 'account-risk',
    cause: true,
    numbers: [
      [530034, 'a delegated administrator is blocked for risk at home'],
      [53004, 'a second factor cannot be set up while the account is at risk'],
      [53011, 'the account is blocked for risk in its home tenant'],
    ],
  },
  network: {
    code: 'partner-registration',
    outcome: 'other',
    login: 'network',
    cause: true,
    numbers: [
      [500021, 'the network’s tenant restrictions do not list the tenant'],
      [500022, 'the network’s tenant restrictions do not list the tenant'],
      [50002, 'a proxy restricts which tenants may be reached'],
    ],
  },
  'cross-tenant': {
    ...account,
    login: 'cross-tenant',
    numbers: [
      [500212, 'the account’s own organisation does not let it out'],
      [500213, 'the organisation does not let accounts of the other in'],
    ],
  },

  // The account that signed in

  'personal-account': {
    ...account,
    login: 'personal-account',
    numbers: [
      [500200, 'a personal Microsoft account'],
      [500208, 'an account of a kind that may not sign in here'],
      [50136, 'the browser holds a personal account alone'],
      [90027, 'personal accounts cannot use this version of the protocol'],
      [9002332, 'the app is for work and school accounts only'],
    ],
  },
  'wrong-account': {
    code: 'account-refused',
    outcome: 'wrong-tenant',
    login: 'wrong-account',
    numbers: [
      [50020, 'an account of another directory'],
      [16003, 'the account was never added to the tenant'],
      [50014, 'an invitation as a guest that was not accepted'],
      [50143, 'the session belongs to another tenant than the one asked for'],
      [50177, 'an account from outside cannot meet what the tenant asks'],
      [50178, 'an account from outside cannot meet what the tenant asks'],
      [90072, 'an account from outside that the tenant does not have'],
    ],
  },
  'unknown-account': {
    ...account,
    login: 'unknown-account',
    numbers: [
      [50034, 'no such account in the directory'],
      [51004, 'no such account in the directory'],
      [500341, 'the account has been deleted'],
      [50197, 'the account could not be found unambiguously'],
      [90125, 'no such account in the system'],
    ],
  },
  'account-disabled': {
    ...account,
    login: 'account-disabled',
    numbers: [
      [50057, 'the account is disabled'],
      [500571, 'the guest account is disabled'],
    ],
  },
  'account-locked': {
    ...account,
    login: 'account-locked',
    numbers: [[50053, 'too many failed sign-ins, or an address with a bad name']],
  },
  'wrong-password': {
    ...account,
    login: 'wrong-password',
    numbers: [
      [50126, 'wrong user name or password'],
      [50056, 'no password in the directory for this account'],
      [50064, 'user name or password could not be confirmed'],
    ],
  },
  'password-expired': {
    ...account,
    login: 'password-expired',
    numbers: [
      [50055, 'the password has expired'],
      [50144, 'the password of the organisation’s own directory has expired'],
      [50135, 'the password has to be changed because the account is at risk'],
    ],
  },
  federation: {
    ...account,
    login: 'federation',
    numbers: [
      [20001, 'the organisation’s identity provider answered wrongly'],
      [20012, 'the organisation’s identity provider sent a broken message'],
      [20033, 'the metadata of the identity provider name no tenant'],
      [40008, 'the identity provider failed for good'],
      [40009, 'the identity provider did not renew the session'],
      [40010, 'the identity provider failed for the moment'],
      [40015, 'the identity provider did not accept the code'],
      [50008, 'the SAML assertion is missing or wrong'],
      [5000811, 'the identity provider signs with a key that is not registered'],
      [5000819, 'the SAML assertion lacks a fitting mail address'],
      [50107, 'the federation realm does not exist'],
      [80001, 'the agent does not reach the organisation’s directory'],
      [80002, 'the organisation’s directory did not answer in time'],
      [80005, 'the agent answered with something unknown'],
      [80007, 'the agent could not check the password'],
      [80010, 'the agent could not decrypt the password'],
      [80012, 'the account may not sign in at this hour'],
      [80013, 'clocks of agent and directory differ'],
      [80014, 'the check took longer than it may'],
      [90123, 'the identity provider refused'],
    ],
  },

  // The sign-in on its way

  'second-factor': {
    ...visible,
    login: 'second-factor',
    numbers: [
      [50072, 'a second factor has to be set up'],
      [50074, 'the second factor was not given'],
      [50076, 'a second factor is asked for'],
      [50078, 'the second factor has expired'],
      [50079, 'a second factor has to be set up'],
      [50088, 'too many calls for a second factor'],
      [500121, 'the second factor was refused or not answered'],
      [50158, 'an outside check was not passed'],
      [50161, 'an outside check sent too little'],
      [50170, 'an outside check is not set up'],
      [53010, 'a second factor may be set up from certain places only'],
    ],
  },
  unfinished: {
    ...visible,
    login: 'unfinished',
    numbers: [
      [16000, 'an account has to be chosen'],
      [16001, 'the chosen account cannot be used here'],
      [16002, 'the session asked for is not there'],
      [160021, 'the session asked for does not exist'],
      [50058, 'nobody is signed in at Microsoft'],
      [50125, 'a password has to be set first'],
      [50140, 'the question about staying signed in was not answered'],
      [50168, 'the browser’s own session was not sent'],
      [50180, 'sign-in by Windows is asked for'],
      [50199, 'the person has to confirm the app'],
      [700020, 'the grant needs the person'],
    ],
  },
  'session-over': {
    code: 'sign-in-invalid',
    outcome: 'other',
    login: 'session-over',
    numbers: [
      [54005, 'the code was used already'],
      [70000, 'the grant is not valid'],
      [70008, 'the code has expired'],
      [700082, 'the session was not used for too long'],
      [700084, 'the session of a page in the browser has ended'],
      [70043, 'a policy on how often to sign in has ended the session'],
      [70044, 'a policy on how often to sign in has ended the session'],
      [501481, 'the code verifier does not fit the challenge'],
      [50085, 'the session has to be renewed with the outside provider'],
      [50089, 'the sign-in took too long'],
      [50132, 'the session ended with a change of the password'],
      [50133, 'the session was revoked with a change of the password'],
      [50139, 'the session of the personal account is incomplete'],
      [50173, 'the session was revoked'],
      [700005, 'the code belongs to another tenant'],
      [700007, 'the code belongs to another app'],
    ],
  },

  // The partner's own credential

  'wrong-secret': {
    ...credential,
    numbers: [
      [7000215, 'the secret is wrong; often the secret’s ID was set in place of its value'],
      [70002, 'the credential could not be confirmed'],
    ],
  },
  'secret-expired': {
    ...credential,
    numbers: [[7000222, 'the secret has expired']],
  },
  'secret-missing': {
    ...credential,
    numbers: [
      [7000218, 'neither secret nor assertion was sent'],
      [7000216, 'neither secret nor assertion was sent'],
      [90014, 'a field of the credential is missing'],
    ],
  },
  'certificate-unknown': {
    ...credential,
    numbers: [
      [700027, 'the key that signed is not registered with the app'],
      [700030, 'the subject of the certificate is not authorised'],
      [50012, 'the certificate, its chain or its signature is not accepted'],
      [50013, 'the assertion is not accepted'],
      [50027, 'the assertion is malformed'],
      [50048, 'the subject of the assertion is not its issuer'],
    ],
  },
  'certificate-dates': {
    ...credential,
    numbers: [
      [1000502, 'the certificate is outside its dates'],
      [7000274, 'the certificate is not valid at this time'],
    ],
  },
  'assertion-time': {
    ...credential,
    numbers: [
      [700024, 'the assertion is outside its time'],
      [500133, 'the assertion is outside its time'],
    ],
  },
  'certificate-revoked': {
    ...credential,
    numbers: [
      [7000214, 'the certificate has been revoked'],
      [7000277, 'the certificate was revoked'],
    ],
  },
  'certificate-weak': {
    ...credential,
    numbers: [[50032, 'the RSA key of the certificate is too short']],
  },
  'assertion-audience': {
    ...credential,
    numbers: [[700023, 'the assertion is for another address than the one asked']],
  },
  'federated-credential': {
    ...credential,
    numbers: [
      [70021, 'no federated credential fits the assertion'],
      [700211, 'no federated credential with this issuer'],
      [700212, 'no federated credential with this audience'],
      [700213, 'no federated credential with this subject'],
      [70025, 'the app has no federated credential'],
    ],
  },
  'wrong-app': {
    ...credential,
    numbers: [
      [700025, 'the app is public and may show no secret'],
      [7000110, 'several application IDs in one request'],
      [7000232, 'the ID is that of a managed identity, which has no secret'],
      [700038, 'the ID is not that of an application'],
    ],
  },

  // The partner's own registration and settings

  'redirect-uri': {
    ...registration,
    numbers: [
      [50011, 'the redirect URI is not among the registered ones'],
      [500112, 'another redirect URI than when the sign-in began'],
      [500113, 'the app has no redirect URI'],
      [900971, 'no redirect URI was given'],
      [70004, 'the redirect URI is not allowed'],
      [90102, 'the redirect URI is no absolute address'],
    ],
  },
  'redirect-platform': {
    ...registration,
    numbers: [
      [9002325, 'the redirect URI is registered for pages that run in the browser'],
      [9002326, 'the redirect URI is not registered for pages that run in the browser'],
      [9002327, 'the code was issued to a page that runs in the browser'],
    ],
  },
  audience: {
    ...registration,
    numbers: [
      [50194, 'the app is not multi-tenant'],
      [650059, 'the app is for its home tenant only'],
    ],
  },
  permissions: {
    ...registration,
    numbers: [
      [650053, 'the registration asks for a permission that the API does not have'],
      [650054, 'the registration asks for an API that is no more'],
      [650056, 'the registration lists no permission of the API'],
      [650057, 'the registration does not list the API'],
      [65005, 'the API is not in the registration’s list, or not in the tenant'],
      [65006, 'the API has no permission that fits the registration’s list'],
      [65002, 'an app of Microsoft’s own that needs its approval'],
    ],
  },
  preapproval: {
    ...registration,
    numbers: [[90099, 'delegated administrators may use the app only once it is approved in Partner Center']],
  },
  scope: {
    ...registration,
    numbers: [
      [70011, 'the scope is not valid'],
      [700022, 'the scope names more than one API'],
      [28002, 'the scope is not valid for a token'],
      [28003, 'the scope is empty'],
      [90009, 'the app asks for a token to itself'],
    ],
  },
  authority: {
    ...registration,
    numbers: [
      [900023, 'the tenant in the address is neither ID nor domain'],
      [900021, 'the tenant in the address is an empty ID'],
      [9001023, 'this kind of token is not issued at the common address'],
      [50059, 'nothing in the request says which tenant is meant'],
      [50128, 'nothing in the request says which tenant is meant'],
      [90019, 'nothing in the request says which tenant is meant'],
      [50029, 'the domain in the address has letters that no domain has'],
      [50049, 'the login address is that of no cloud'],
      [90124, 'the API is not served at the common address'],
      [90130, 'the app is not served at the common address'],
    ],
  },
  region: {
    ...registration,
    numbers: [[100007, 'regional addresses are for Microsoft’s own apps']],
  },
  'request-malformed': {
    ...registration,
    numbers: [
      [900144, 'a parameter is missing'],
      [90004, 'the request is not well formed'],
      [90013, 'a value is not accepted'],
      [90015, 'the address is too long'],
      [90023, 'the request is not valid'],
      [9002313, 'the request is malformed'],
      [90056, 'the request for a token is incomplete'],
      [900561, 'the address takes another method'],
      [90100, 'a parameter is empty or not valid'],
      [901002, 'the parameter resource is not supported'],
      [70003, 'the kind of grant is not supported'],
      [70005, 'the kind of answer is not supported'],
      [700051, 'the kind of answer is not enabled for the app'],
      [700054, 'the kind of answer is not enabled for the app'],
      [70007, 'the way of answering is not supported'],
      [50147, 'the code challenge has the wrong size'],
      [501491, 'the code challenge has the wrong method'],
    ],
  },

  // Microsoft

  unavailable: {
    code: 'unavailable',
    outcome: 'other',
    login: 'unavailable',
    numbers: [
      [90033, 'the directory is not available'],
      [90024, 'the request used up its time'],
      [90006, 'another service failed'],
      [90090, 'the directory failed for the moment'],
      [90091, 'the directory cannot be reached'],
      [90092, 'the directory failed'],
      [90012, 'the request timed out'],
      [90036, 'the directory failed for good'],
      [50000, 'no token could be issued'],
      [50033, 'a passing failure'],
      [50087, 'the check of the second factor failed'],
      [70012, 'the service for personal accounts failed'],
    ],
  },
  throttled: {
    code: 'throttled',
    outcome: 'other',
    login: 'throttled',
    numbers: [
      [90055, 'too many requests for the tenant'],
      [50196, 'the same request too often'],
      [50166, 'an outside check was asked too often'],
    ],
  },
} as const satisfies Record<string, Reason>

export type ReasonName = keyof typeof reasons
