/** English: everything a customer's administrator sees. */
export const join = {
  'join.partner': 'Your security partner',
  'join.partner.mid': 'your security partner',

  'join.title': '{partner} asks to read the security incidents in your Microsoft 365',
  'join.lead':
    'You can read everything here first. Nothing happens until you continue to Microsoft and accept there. It takes about two minutes.',
  'join.asks': 'Who asks',
  'join.asks.contact': 'Your contact: {name}',
  'join.for': 'For',
  'join.for.domain': ', with the domain {domain}',
  'join.for.tenant': ', with the tenant ID {tenant}',
  'join.consenters': 'Who can say yes',
  'join.consenters.defender':
    'A Global Administrator, Privileged Role Administrator, Application Administrator or Cloud Application Administrator',
  'join.consenters.graph': 'A Global Administrator or Privileged Role Administrator',
  'join.until': 'Link valid until',

  'join.allow': 'What you would allow',
  'join.ask.readIncidents': 'Read your security incidents',
  'join.ask.readIncidents.why':
    'So that our analysts see an attack when Defender does. An incident comes with its alerts, and with the users, devices, addresses and files named in them.',
  'join.ask.writeIncidents': 'Update your security incidents',
  'join.ask.writeIncidents.why': 'So that our analysts can note who works on an incident, how it ended, and why.',
  'join.ask.hunting': 'Search security events',
  'join.ask.hunting.why':
    'To see what else an attacker did. Searches show facts such as sign-ins, program names, senders and subjects; never the text of a mail or what is in a file.',
  'join.ask.organisationProfile': 'Read your organisation’s name, domains and licences',
  'join.ask.organisationProfile.why': 'To be certain that it is you, and to know which Defender products to expect.',
  'join.cannot': 'What we cannot do with it',
  'join.cannot.write': 'Change, close or delete an incident, or anything else in Defender',
  'join.cannot.mail': 'Sign in as one of your people, or read anyone’s mail, files or chats',
  'join.cannot.change': 'Change users, passwords, policies, licences or devices',
  'join.cannot.device': 'Isolate, wipe or control a computer',
  'join.cannot.azure': 'Reach your Azure subscriptions, or let anyone else in',
  'join.keep': 'What we keep',
  'join.keep.what': 'What',
  'join.keep.what.text': 'Incidents, alerts, and the users, devices, addresses and files named in them',
  'join.keep.where': 'Where',
  'join.keep.how-long': 'For how long',
  'join.keep.how-long.closed':
    '{days, plural, =0 {Incidents: for as long as we work for you.} one {A closed incident: # day after its last change.} other {A closed incident: # days after its last change.}}',
  'join.keep.how-long.ended':
    '{days, plural, =0 {When our work for you ends, it stays until we delete it.} one {When our work for you ends, all of it goes after # day.} other {When our work for you ends, all of it goes after # days.}} A log of what we did stays, without incidents.',
  'join.keep.who': 'Who sees it',
  'join.back': 'How to take it back',
  'join.back.open': 'Open the <b>Microsoft Entra admin centre</b> and choose <b>Enterprise applications</b>.',
  'join.back.delete': 'Choose <b>{app}</b>, then <b>Properties</b>, then <b>Delete</b>.',
  'join.back.delete.id':
    'Choose the app with the application ID <c>{id}</c>, then <b>Properties</b>, then <b>Delete</b>.',
  'join.back.when':
    'You can do it at any time, without us. No new access is possible from that moment; access already handed out ends within 90 minutes.',
  'join.real': 'Is this really us?',
  'join.real.address': 'The address of this page begins with <b>{url}</b>.',
  'join.real.app': 'Microsoft will name the app <b>{app}</b>, with the ID <c>{id}</c>.',
  'join.real.id': 'Microsoft will show an app with the ID <c>{id}</c>.',
  'join.real.stop': 'If anything differs, stop, and call us on the number in your contract.',
  'join.next': 'What happens next',
  'join.next.sign-in': 'You sign in at <b>{host}</b>. We never see your password.',
  'join.next.accept':
    '{n, plural, one {Microsoft shows the same permission} other {Microsoft shows the same # permissions}}. You choose <b>Accept</b>, or cancel.',
  'join.next.organisation':
    'Microsoft tells us which organisation you signed in to. It may ask for your account once more.',
  'join.next.result': 'You come back here and see whether it works.',
  'join.continue': 'Continue to Microsoft',
  'join.continue.note': 'You can still cancel there.',
  'join.no-cookies': 'This page sets no cookies until you continue.',
  'join.print': 'Print or save as PDF',

  'join.forward': 'I am not the administrator: forward this',
  'join.forward.label': 'Text for your administrator',
  'join.forward.copy': 'Copy text',
  'join.forward.mail': 'Open in mail',
  'join.forward.subject':
    '{partner} asks for {does, select, work {access} other {read access}} to our security incidents',
  'join.forward.text':
    'Hello,\n\n{partner} asks for an administrator’s consent to {does, select, work {work with} other {read}} the security incidents in our Microsoft 365. It takes about two minutes. The page explains what they ask for{cannot, select, yes {, what they cannot do} other {}} and how to take it back:\n\n{url}\n\nWho can say yes: {consenters}.\nThe link is valid until {until}.',
  'join.forward.stuck': 'Did Microsoft show “Need admin approval”? <a>Read what that means</a>.',

  'join.not-admin': 'Your account cannot give this consent',
  'join.not-admin.lead':
    'Microsoft shows “Need admin approval” when an account may not consent for a whole organisation. That is not a fault, and nothing has changed.',
  'join.not-admin.asked': 'You asked for approval on Microsoft’s page?',
  'join.not-admin.asked.pinned': 'Then you are done. When your administrator approves, we notice by ourselves.',
  'join.not-admin.asked.unpinned':
    'Then ask your administrator to open the link below after approving: only then do we learn of it.',
  'join.not-admin.otherwise': 'Otherwise, forward it',
  'join.not-admin.works': 'The link works for whoever opens it.',
  'join.read-again': 'Read the page again',

  'join.step.received': 'Consent received',
  'join.step.for': 'It is for {customer}',
  'join.step.how.pinned': 'It came from the organisation this link is for',
  'join.step.how.sign-in': 'Confirmed by your sign-in',
  'join.step.how.confirmed': 'Confirmed by {partner}',
  'join.step.how.entered': 'Confirmed by {partner}',
  'join.step.waiting': 'Waiting for Microsoft',
  'join.step.tries': '{n, plural, =0 {No try yet.} one {One try so far.} other {# tries so far.}}',
  'join.step.next': 'The next one in {span}, without you doing anything.',
  'join.step.trying': 'One is under way.',
  'join.step.held-up': '{partner} has to mend something first, and has been told. You need not do anything.',
  'join.step.microsoft':
    'Your consent is not in question: Microsoft’s service does not answer as it should. We keep trying; you need not do anything.',
  'join.step.first': 'First incident read',
  'join.look-again': 'Look again now',

  'join.done.organisation': 'Organisation',
  'join.done.tenant': 'Tenant ID',
  'join.done.by': 'Accepted by',
  'join.done.when': 'When',
  'join.done.permissions': 'Permissions',
  'join.done.proven': 'Proven',
  'join.done.proven.how': ', by asking Microsoft for your incidents',
  'join.done.first': 'First incident',
  'join.done.first.reading': 'Being read now',
  'join.done.first.partial': 'Some sources at Microsoft have not answered yet. What is missing follows by itself.',
  'join.done.first.none': 'None so far',
  'join.done.keep': 'Keep this page for your records',

  'join.again': 'Try again',
  'join.again.account': 'Try again with another account',
  'join.over': 'This link can no longer be used. Ask {partner} for a new one.',
  'join.call': 'Call {phone}',
  'join.write': 'Write to {email}',
  'join.code': 'Microsoft’s code',
  'join.expected': 'Expected',
  'join.signed-in': 'You signed in to',
  'join.named': 'The answer names',
  'join.tidy': 'Tidy up',
  'join.tidy.text':
    'If you chose Accept at Microsoft, the app is now listed in the organisation you signed in to, unused by us. You can remove it there.',

  'join.removal.ask-first': 'Nothing was changed. Do not remove the app before you have asked us.',
  'join.removal.leave': 'The organisation you signed in to is connected already. Leave the app there as it is.',
  'join.removal.ended': 'Ask us before you remove the app.',
  'join.end.connected.title': 'This organisation is connected already',
  'join.end.connected.lead': 'There is nothing for you to do, and nothing was changed. Leave the app as it is.',
  'join.end.connected.do': 'If you expected something else, get in touch with {partner} and name the reference below.',
  'join.end.unchanged.title': 'Ask us first',
  'join.end.unchanged.lead': 'With this link we cannot go on by ourselves. Nothing was read.',
  'join.end.unchanged.do': 'Get in touch with {partner} and name the reference below.',
  'join.end.proving.title': 'Thank you. We are checking that it works',
  'join.end.proving.lead':
    'Microsoft usually needs a few minutes until a consent takes effect everywhere. Now and then it takes hours. You need not wait: close this page if you like, we keep trying.',
  'join.end.proving.do': '{partner} sees the same. If it does not work within two days, they get in touch with you.',
  'join.end.done.title': 'Done. Access works',
  'join.end.done.lead': '{partner} now sees the security incidents of {customer}. You need not do anything more.',
  'join.end.late.title': 'This took too long',
  'join.end.late.lead':
    'You set out for Microsoft more than an hour ago, so that run no longer counts. Nothing was changed.',
  'join.end.late.do': 'Start again; it takes two minutes.',
  'join.end.sign-in.title': 'One step is missing',
  'join.end.sign-in.lead':
    'Your answer at Microsoft has arrived. What is missing is the sign-in that shows which organisation it is for. Nothing has been read.',
  'join.end.sign-in.do': 'Try again, and let Microsoft finish. If you do nothing, {partner} looks at it by hand.',
  'join.end.review.title': 'Thank you. Now a person looks at it',
  'join.end.review.lead':
    'Your answer has arrived. Before anything is read, {partner} compares your organisation with their records.',
  'join.end.review.do': 'You need not do anything more. Nothing is read until then.',
  'join.end.declined.title': 'You declined. Nothing has changed',
  'join.end.declined.lead': 'Nothing was read. All we noted is that someone used this link and declined.',
  'join.end.declined.do': 'If that was a mistake, or a question is open:',
  'join.end.not-admin.title': 'Your account cannot give this consent',
  'join.end.not-admin.lead': 'Microsoft asks for an administrator here. That is not a fault, and nothing has changed.',
  'join.end.not-admin.do': 'Forward the link to an administrator, or try again with such an account.',
  'join.end.wrong-tenant.title': 'That was another organisation',
  'join.end.wrong-tenant.lead':
    'This link is for {customer}, and this was a different organisation, so we stopped. Nothing was read.',
  'join.end.wrong-tenant.do':
    'Many administrators have more than one account. Choose the one of {customer}, in a private window if Microsoft keeps picking the other.',
  'join.end.wrong-tenant.do.domain':
    'Many administrators have more than one account. Choose the one that ends with <b>{domain}</b>, in a private window if Microsoft keeps picking the other.',
  'join.end.unlicensed.title': 'Your organisation has no Microsoft Defender XDR',
  'join.end.unlicensed.lead':
    'Microsoft could not grant the permission, because the service it belongs to is not there. Nothing has changed.',
  'join.end.unlicensed.do':
    'Talk to {partner} about the licence. Once you have one, open security.microsoft.com with it, then try again.',
  'join.end.tenant-taken.title': 'This organisation cannot use this link',
  'join.end.tenant-taken.lead':
    'The organisation you signed in to cannot be connected through this link. Nothing was read.',
  'join.end.tenant-taken.do': 'Get in touch with {partner} and name the reference below.',
  'join.end.tenant-is-partner.title': 'That was an account of {partner}',
  'join.end.tenant-is-partner.lead': 'The consent came from the organisation that asks for it. Nothing was read.',
  'join.end.tenant-is-partner.do': 'Try again with an account of {customer}.',
  'join.end.sign-in-failed.title': 'We could not see which organisation it was',
  'join.end.sign-in-failed.lead':
    'Microsoft did not confirm a sign-in, so we do not know for whom you accepted. Nothing was read.',
  'join.end.sign-in-failed.do': 'Try again, and finish the sign-in that follows.',
  'join.end.link-withdrawn.title': 'The link was withdrawn meanwhile',
  'join.end.link-withdrawn.lead': 'While you were at Microsoft, {partner} ended this link. Nothing was read.',
  'join.end.link-withdrawn.do': 'If you did not expect that, get in touch with {partner}.',
  'join.end.misconfigured.title': '{partner} has to mend something',
  'join.end.misconfigured.lead':
    'Microsoft refused because of how their app is set up. It is not your fault, and nothing has changed in your organisation.',
  'join.end.misconfigured.do': 'You need not do anything. They see this, too; try again when they tell you.',
  'join.end.refused.title': 'Microsoft did not go along',
  'join.end.refused.lead': 'The consent did not come about. Nothing was read, and nothing was changed.',
  'join.end.refused.do': 'Try again. If it stays so, get in touch with {partner} and name the reference below.',
  'join.end.told.lead': 'Nothing was changed, and nothing was read.',
  'join.end.dismissed.title': 'This link is not for that organisation',
  'join.end.dismissed.lead':
    '{partner} compared it with their records and decided that it is not {customer}. Nothing was read.',
  'join.end.dismissed.do': 'If that is wrong, get in touch with {partner} and name the reference below.',
  'join.end.limited.title': 'A permission is missing',
  'join.end.limited.lead': 'Microsoft lets us in, but without the permission to read incidents. So nothing is read.',
  'join.end.limited.do':
    'In the Microsoft Entra admin centre, under Enterprise applications, open the app, choose Permissions and grant admin consent. We notice by ourselves.',
  'join.end.no-data.title': 'Defender gives no data yet',
  'join.end.no-data.lead':
    'Your consent is there, but Microsoft Defender XDR gives nothing to read: there is no licence, or it was never opened.',
  'join.end.no-data.do':
    'Open security.microsoft.com once with a Defender licence and see whether incidents are shown. We look again by ourselves.',
  'join.end.blocked.title': 'A Conditional Access policy keeps us out',
  'join.end.blocked.lead':
    'Your consent is there, but one of your policies for workload identities stops the app. Nothing is read.',
  'join.end.blocked.do':
    'In the Microsoft Entra admin centre, let the app with the ID below through in that policy. We notice by ourselves.',
  'join.end.disabled.title': 'The app is switched off',
  'join.end.disabled.lead': 'Your consent is there, but the app is disabled in your organisation. Nothing is read.',
  'join.end.disabled.do':
    'In the Microsoft Entra admin centre, under Enterprise applications, open the app, choose Properties and set “Enabled for users to sign-in?” to Yes. We notice by ourselves.',
  'join.end.revoked.title': 'The consent was taken back',
  'join.end.revoked.lead':
    'Somebody in your organisation deleted the app or its permission. {partner} has read nothing since.',
  'join.end.revoked.do': 'If that was meant, nothing is left to do. Otherwise ask {partner} for a new link.',
  'join.end.gone.title': 'Microsoft does not know this organisation',
  'join.end.gone.lead': 'Its tenant was deleted, or is in another of Microsoft’s clouds. Nothing is read.',
  'join.end.gone.do': 'Get in touch with {partner} and name the reference below.',
  'join.end.unproven.title': 'No consent was found',
  'join.end.unproven.lead': 'We looked for two days, and Microsoft never confirmed it. Nothing is read.',
  'join.end.unproven.do': 'Ask {partner} for a new link, and accept at Microsoft once more.',
  'join.end.offboarded.title': 'The service has ended',
  'join.end.offboarded.lead': '{partner} no longer reads anything of your organisation.',
  'join.end.offboarded.do': 'You can remove the app now.',
} as const
