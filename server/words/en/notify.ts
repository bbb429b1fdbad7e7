/** English: what alarms and mails say, wherever they are sent. `{name}` is a customer or a tenant, as far as it may be named. */
export const notify = {
  'notify.kind.access-lost': 'Access lost',
  'notify.kind.tenant-blind': 'Tenant blind',
  'notify.kind.partner-fault': 'Partner fault',
  'notify.kind.credential-ending': 'Credential ending',
  'notify.kind.claim-waiting': 'Claim waiting',
  'notify.kind.consent-refused': 'Consent refused',
  'notify.kind.customer-proven': 'Customer proven',
  'notify.kind.storage-trouble': 'Disk or database',
  'notify.kind.delivery-failing': 'Delivery failing',
  'notify.kind.test': 'Test',

  'notify.heading.access-lost.revoked': '{name}: the consent was taken back',
  'notify.text.access-lost.revoked':
    'Somebody there removed the app in Entra. Nothing new is read until their administrator consents again.',
  'notify.heading.access-lost.limited': '{name}: a permission is missing',
  'notify.text.access-lost.limited': 'A permission was taken back. A new consent adds it again.',
  'notify.heading.access-lost.unlicensed': '{name}: no Defender licence any more',
  'notify.text.access-lost.unlicensed':
    'Microsoft has no Defender data of this tenant. Reading goes on by itself once there is a licence.',
  'notify.heading.access-lost.blocked': '{name}: blocked by Conditional Access',
  'notify.text.access-lost.blocked': 'A policy there blocks the app. Their administrator has to exclude it.',
  'notify.heading.access-lost.disabled': '{name}: the app was switched off',
  'notify.text.access-lost.disabled': 'The app was switched off there in Entra. Their administrator can switch it on.',
  'notify.heading.access-lost.gone': '{name}: Microsoft knows no such tenant',
  'notify.text.access-lost.gone': 'The tenant was deleted or moved. Ask the customer what became of it.',
  'notify.heading.tenant-blind': '{name} is blind',
  'notify.text.tenant-blind':
    'Incidents may be arriving there that nobody here sees. Nothing could be read since the time below.',
  'notify.heading.partner-fault.partner-credential': 'Our own credential is refused by Microsoft',
  'notify.text.partner-fault.partner-credential':
    'No tenant can be read until the app has a credential that Microsoft takes. The doctor says which one is refused.',
  'notify.heading.partner-fault.partner-registration': 'Our own app registration is refused by Microsoft',
  'notify.text.partner-fault.partner-registration':
    'No tenant can be read until the registration is mended. The doctor says what is wrong with it.',
  'notify.heading.credential-ending':
    '{days, plural, =0 {{credential} has ended} one {{credential} ends in # day} other {{credential} ends in # days}}',
  'notify.text.credential-ending':
    'When it ends, every tenant goes blind at once. Add a second one beside it; no restart is needed when the first ends.',
  'notify.heading.credential-ending.refused': '{credential} is refused by Microsoft',
  'notify.text.credential-ending.refused':
    'Nothing is interrupted: the other credential of the same registration is used. Until a new one stands in its place there is only that one.',
  'notify.heading.claim-waiting.unpinned': '{name}: a tenant waits for your decision',
  'notify.text.claim-waiting.unpinned':
    'A consent came back for a tenant that you did not expect. Nothing is bound or read until you decide.',
  'notify.heading.claim-waiting.unclaimed': 'A consent came back that belongs to nobody',
  'notify.text.claim-waiting.unclaimed':
    'It came late, or through a link that is over. Nothing is bound or read until you decide.',
  'notify.heading.consent-refused': '{name} declined at Microsoft',
  'notify.text.consent-refused':
    'Their administrator declined on Microsoft’s page. What was given before keeps working.',
  'notify.heading.customer-proven': '{name} is connected',
  'notify.text.customer-proven': 'The access is proven, and incidents are being read.',
  'notify.heading.storage-trouble.disk': 'The disk is {percent} % full',
  'notify.text.storage-trouble.disk': 'When it is full nothing can be stored. Make room, or shorten what is kept.',
  'notify.heading.storage-trouble.database': 'The database is in trouble',
  'notify.text.storage-trouble.database': 'It refuses what Muster has to store. The log says why.',
  'notify.heading.delivery-failing.failing': 'Messages to “{destination}” do not arrive',
  'notify.text.delivery-failing.failing': 'They are tried again for three days. The delivery log says what came back.',
  'notify.heading.delivery-failing.off': '“{destination}” was switched off',
  'notify.text.delivery-failing.off':
    'Nothing could be delivered there. What waits is held: mend it, send a test, then replay what is held.',
  'notify.heading.test': 'This is a test',
  'notify.text.test': 'Muster can be heard here. Nothing happened, and nobody has to do anything.',

  'notify.over.access-lost': '{name} is connected again',
  'notify.over.tenant-blind': '{name} is read again',
  'notify.over.partner-fault': 'Our own app works again',
  'notify.over.credential-ending': '{credential} was renewed',
  'notify.over.claim-waiting': '{name}: the tenant was decided on',
  'notify.over.claim-waiting.unclaimed': 'The consent that belonged to nobody was decided on',
  'notify.over.storage-trouble': 'Disk and database are well again',
  'notify.over.delivery-failing': 'Messages to “{destination}” arrive again',
  'notify.over.text':
    'It lasted {span}. {times, plural, one {} other {It came # times; you were told once. }}Nobody has to do anything.',

  'notify.name.tenant': 'A tenant ({id})',
  'notify.name.customer': 'A customer ({id})',
  'notify.name.destination': 'a destination',
  'notify.credential.app-secret': 'The app’s secret',
  'notify.credential.app-certificate': 'The app’s certificate',
  'notify.credential.sign-in-secret': 'The sign-in app’s secret',
  'notify.credential.sign-in-certificate': 'The sign-in app’s certificate',
  'notify.credential.app-secret-2': 'The app’s second secret',
  'notify.credential.app-certificate-2': 'The app’s second certificate',
  'notify.credential.sign-in-secret-2': 'The sign-in app’s second secret',
  'notify.credential.sign-in-certificate-2': 'The sign-in app’s second certificate',

  'notify.row.who': 'Must act',
  'notify.row.tenant': 'Tenant',
  'notify.row.since': 'Since',
  'notify.row.until': 'Ended',
  'notify.row.ends': 'Ends',
  'notify.row.microsoft': 'Microsoft says',
  'notify.who.customer': 'Their administrator',
  'notify.who.us': 'We',
  'notify.who.microsoft': 'Microsoft, or nobody: it is tried again by itself',
  'notify.who.nobody': 'Nobody',
  'notify.time': '{local} ({utc} UTC)',

  'notify.link': 'Open in Muster',
  'notify.why':
    'Sent to “{destination}” because it takes alarms of this kind. You are told once, and again when it is over.',
  'notify.why.owner': 'Sent to you because you made the destination that cannot be reached.',
} as const
