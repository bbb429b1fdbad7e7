/** English: what each permission lets the partner do, and what Admins confirm about them. */
export const permissions = {
  'join.ask.readAlerts': 'Read your security alerts',
  'join.ask.readAlerts.why':
    'An alert is what an incident is made of: what was seen, where, and the users, devices, addresses and files named in it.',
  'join.ask.writeAlerts': 'Read your security alerts, and update them',
  'join.ask.writeAlerts.why': 'So that our analysts can note who works on an alert, how it ended, and why.',
  'join.ask.readDetections': 'Read your own detection rules',
  'join.ask.readDetections.why': 'To see what your own rules in Defender look for, and what they raised.',
  'join.ask.writeDetections': 'Write detection rules in your Defender',
  'join.ask.writeDetections.why':
    'So that our analysts can have Defender look for what it does not by itself. Such a rule can also act: isolate a computer, or disable an account.',
  'join.ask.readOrganisations': 'Look up names and domains of other organisations at Microsoft',
  'join.ask.readOrganisations.why': 'To show what an organisation is called. It reads nothing in yours.',
  'join.ask.readApps': 'Read which apps are registered with you',
  'join.ask.readApps.why': 'To see apps and their permissions, such as one that an attacker added. It changes none.',
  'join.ask.readDirectory': 'Read your directory: people, groups, devices and roles',
  'join.ask.readDirectory.why': 'To know who and what an incident is about. It changes nothing there.',
  'join.ask.ownProfile': 'Read the profile of whoever consents',
  'join.ask.ownProfile.why': 'To know who came back from Microsoft.',
  'join.ask.other': 'Something this page has no words for',
  'join.ask.other.why': 'Microsoft’s page describes it. Ask us what we need it for before you accept.',
  'join.asks.more':
    'Microsoft’s page lists everything that is asked for. If it shows more than stands here, ask us before you accept.',
  'join.title.work': '{partner} asks to work with the security incidents in your Microsoft 365',
  'join.next.accept.more': 'Microsoft shows every permission. You choose <b>Accept</b>, or cancel.',

  'settings.permissions': 'What customers are asked for',
  'settings.permissions.lead':
    'Microsoft asks every customer for all that your registration holds. Their page and letter say so, and what you cannot do follows from it',
  'settings.permissions.registration': 'Read from your registration',
  'settings.permissions.confirmed': 'Confirmed by {by}',
  'settings.permissions.unknown':
    'Not known for certain: Muster may not read your registration, and nobody has confirmed what it holds. Customers are told of the permission below, that Microsoft’s page may show more, and of nothing that you cannot do.',
  'settings.permissions.beyond':
    '{n, plural, one {One more role was met in a token} other {# more roles were met in tokens}}. No link is issued until you say whether customers are asked for it.',
  'settings.permissions.how':
    'In Entra: App registrations, your app for customers, API permissions. Tick what stands there; leave the rest unticked.',
  'settings.permissions.read':
    'To have Muster read it by itself, give the <b>sign-in</b> registration <c>Application.Read.All</c> on Microsoft Graph, as an application permission with admin consent. Never give it to the app for customers: they would be asked for it.',
  'settings.permissions.asked': 'Customers are asked for',
  'settings.permissions.met': 'Met in',
  'settings.permissions.met.own': 'your own tenant',
  'settings.permissions.met.not': 'no token so far',
  'settings.permissions.other': 'Others that stand there',
  'settings.permissions.other.hint': 'Names as Entra shows them, separated by commas',
  'settings.permissions.other.unusable': 'Names hold letters, digits, dots and hyphens, such as Mail.Read',
  'settings.permissions.reading': 'Without a permission to read incidents there is nothing to ask customers for',
  'settings.permissions.confirm': 'This is what customers are asked for',

  'setup.step.asked': 'Know what customers are asked for',
  'setup.asked.how': 'Customers are told what you cannot do only when it is known what you ask for.',
  'setup.asked.open': 'Look at it in Settings',
} as const
