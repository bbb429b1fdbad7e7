/** English: the audit log. Every action is a sentence; what it says beside that is `audit.detail.…`. */
export const audit = {
  'audit.title': 'Audit log',
  'audit.lead': 'Who did what to what, when and from where. Written once, never changed.',
  'audit.filter': 'Filter the audit log',
  'audit.filter.customer': 'Customer',
  'audit.filter.every-customer': 'Every customer',
  'audit.filter.kind': 'Kind',
  'audit.kind.every': 'Every kind',
  'audit.kind.consent': 'Links and consent',
  'audit.kind.tenants': 'Tenants and access',
  'audit.kind.customers': 'Customers',
  'audit.kind.people': 'Sign-ins and settings',
  'audit.filter.who': 'Who',
  'audit.filter.everybody': 'Everybody',
  'audit.filter.muster': 'Muster by itself',
  'audit.filter.visitors': 'Whoever held a link',
  'audit.filter.text': 'Name, address, ID or text',
  'audit.filter.request': 'Request ID',
  'audit.filter.from': 'From',
  'audit.filter.to': 'To',
  'audit.kind.all': '{kind}: all',
  'audit.looked': 'A text is looked for in 20,000 events at once. This page looked back to',
  'audit.export.csv': 'CSV',
  'audit.export.jsonl': 'JSON lines',
  'audit.filter.apply': 'Apply',
  'audit.column.time': 'Time',
  'audit.column.what': 'What happened',
  'audit.column.detail': 'Detail',
  'audit.column.from': 'From',
  'audit.column.request': 'Request',
  'audit.none': 'Nothing here',
  'audit.none.next': 'No event of this kind was written. That is neither good nor bad.',
  'audit.none.all': 'Show all of it',
  'audit.pages': 'Pages of the log',
  'audit.newest': 'Newest',
  'audit.older': 'Older',

  'audit.who':
    '{who, select, muster {Muster} nobody {Someone} other {{named, select, yes {{actor}} other {Someone at {actor}}}}}',

  'audit.operator.signed-in': '<b>{actor}</b> signed in',
  'audit.operator.sign-in-refused': '<b>{actor}</b> was not signed in',
  'audit.operator.signed-out': '<b>{actor}</b> signed out',
  'audit.operator.limited': '<b>{actor}</b> chose what {person} may see',
  'audit.session.ended':
    '<b>{actor}</b> ended {person, select, none {all sessions but one} other {a session of {person}}}',
  'audit.permissions.seen': '<b>{actor}</b> met roles that nobody has accounted for',
  'audit.permissions.confirmed': '<b>{actor}</b> said what customers are asked for',
  'audit.settings.changed': '<b>{actor}</b> changed the settings',
  'audit.customer.created': '<b>{actor}</b> added {place, select, log {<c>{customer}</c>} other {the customer}}',
  'audit.customer.changed':
    '<b>{actor}</b> changed what is kept about {place, select, log {<c>{customer}</c>} other {the customer}}',
  'audit.customer.offboarded':
    '<b>{actor}</b> offboarded {place, select, log {<c>{customer}</c>} other {the customer}}',
  'audit.customer.reinstated':
    '<b>{actor}</b> took {place, select, log {<c>{customer}</c>} other {the customer}} back; every tenant is proven anew',
  'audit.link.issued': '<b>{actor}</b> issued a consent link{place, select, log { for <c>{customer}</c>} other {}}',
  'audit.link.withdrawn':
    '<b>{actor}</b> withdrew the consent link{place, select, log { of <c>{customer}</c>} other {}}',
  'audit.link.opened': '<b>{actor}</b> opened the consent link{place, select, log { of <c>{customer}</c>} other {}}',
  'audit.link.completed':
    '<b>{actor}</b> completed the consent link{place, select, log { of <c>{customer}</c>} other {}}',
  'audit.attempt.started': '<b>{actor}</b> went on to Microsoft{place, select, log { for <c>{customer}</c>} other {}}',
  'audit.attempt.refused':
    '<b>{actor}</b> came back from Microsoft without a consent{place, select, log { for <c>{customer}</c>} other {}}',
  'audit.attempt.declined':
    '<b>{actor}</b> declined at Microsoft{place, select, log { for <c>{customer}</c>} other {}}',
  'audit.consent.claimed':
    '<b>{actor}</b> came back from Microsoft and named tenant {tenant}; Microsoft is asked whether it consented{place, select, log { for <c>{customer}</c>} other {}}',
  'audit.consent.received':
    '<b>{actor}</b> came back with tenant {tenant}, which waits for a decision{place, select, log { about <c>{customer}</c>} other {}}',
  'audit.consent.unclaimed':
    '<b>{actor}</b> came back late or lost with tenant {tenant}, kept for review{place, select, log { about <c>{customer}</c>} other {}}',
  'audit.consent.code-unused':
    '<b>{actor}</b> came back with the classic link after it had ended; which tenant it was nobody knows{place, select, log { about <c>{customer}</c>} other {}}',
  'audit.review.confirmed':
    '<b>{actor}</b> decided that tenant {tenant} belongs to {place, select, log {<c>{customer}</c>} other {this customer}}',
  'audit.review.dismissed':
    '<b>{actor}</b> refused tenant {tenant} for {place, select, log {<c>{customer}</c>} other {this customer}}',
  'audit.review.put-away':
    '<b>{actor}</b> put away that somebody came back with an ended link{place, select, log { of <c>{customer}</c>} other {}}',
  'audit.tenant.bound':
    '<b>{actor}</b> had tenant <t>{tenant}</t> bound{place, select, log { to <c>{customer}</c>} other {}}',
  'audit.tenant.refused':
    'Tenant {tenant}, brought by <b>{actor}</b>, was not bound{place, select, log { to <c>{customer}</c>} other {}}',
  'audit.tenant.entered':
    '<b>{actor}</b> entered tenant <t>{tenant}</t> by hand{place, select, log { for <c>{customer}</c>} other {}}',
  'audit.tenant.profile-read':
    '<b>{actor}</b> read the name of tenant <t>{tenant}</t>{place, select, log { of <c>{customer}</c>} other {}}',
  'audit.tenant.check-requested':
    '<b>{actor}</b> had the access to <t>{tenant}</t> proven anew{place, select, log { for <c>{customer}</c>} other {}}',
  'audit.tenant.reread-requested':
    '<b>{actor}</b> had a stretch of time of <t>{tenant}</t> read again{place, select, log { for <c>{customer}</c>} other {}}',
  'audit.tenant.paused':
    '<b>{actor}</b> paused the reading of <t>{tenant}</t>{place, select, log { of <c>{customer}</c>} other {}}',
  'audit.tenant.resumed':
    '<b>{actor}</b> resumed the reading of <t>{tenant}</t>{place, select, log { of <c>{customer}</c>} other {}}',
  'audit.reading.paused': '<b>{actor}</b> paused the reading of all tenants',
  'audit.reading.resumed': '<b>{actor}</b> resumed the reading of all tenants',
  'audit.note.added':
    '<b>{actor}</b> wrote a note on an incident of <t>{tenant}</t>{place, select, log { of <c>{customer}</c>} other {}}',
  'audit.note.removed':
    '<b>{actor}</b> removed a note from an incident of <t>{tenant}</t>{place, select, log { of <c>{customer}</c>} other {}}',
  'audit.tenant.data-removed':
    '<b>{actor}</b> removed what was read of <t>{tenant}</t>{place, select, log { of <c>{customer}</c>} other {}}, as the settings say',
  'audit.tenant.sync-requested':
    '<b>{actor}</b> had <t>{tenant}</t> read at once{place, select, log { for <c>{customer}</c>} other {}}',
  'audit.access.changed':
    '<b>{actor}</b> found the access to <t>{tenant}</t> changed{place, select, log { for <c>{customer}</c>} other {}}',
  'audit.tenant.first-incident':
    '<b>{actor}</b> read the first incident of <t>{tenant}</t>{place, select, log { for <c>{customer}</c>} other {}}',
  'audit.tenant.offboarded':
    '<b>{actor}</b> stopped reading <t>{tenant}</t>{place, select, log { of <c>{customer}</c>} other {}}',
  'audit.alarm.raised': '<b>{actor}</b> met a fault of our own app',
  'audit.alarm.cleared': '<b>{actor}</b> saw the fault of our own app mended',
  'audit.destination.added': '<b>{actor}</b> added the destination “{destination}”',
  'audit.destination.changed': '<b>{actor}</b> changed the destination “{destination}”',
  'audit.destination.paused': '<b>{actor}</b> paused the destination “{destination}”',
  'audit.destination.resumed': '<b>{actor}</b> resumed the destination “{destination}”',
  'audit.destination.removed': '<b>{actor}</b> removed the destination “{destination}”',
  'audit.destination.tested': '<b>{actor}</b> sent a test to “{destination}”',
  'audit.destination.switched-off': '<b>{actor}</b> switched off “{destination}”, where nothing could be delivered',
  'audit.deliveries.replayed': '<b>{actor}</b> had messages to “{destination}” sent again',

  'audit.audit.sealed': '<b>{actor}</b> sealed the audit log',
  'audit.detail.sealed': 'Event {event}, seal {sequence}: {mac}',
  'audit.audit.exported': '<b>{actor}</b> exported the audit log',

  'audit.detail.incident': 'Incident #{id}',
  'audit.detail.from': 'from {address}',
  'audit.detail.changed': 'Changed: {names}',
  'audit.detail.unchanged': 'Saved without a change',
  'audit.detail.until': 'Valid until',
  'audit.detail.expecting': 'expecting {tenant}',
  'audit.detail.states': '{from} → {to}',
  'audit.detail.tenants': '{n, plural, =0 {no tenant} one {# tenant} other {# tenants}}',
  'audit.detail.times': '{n, number} times within the hour, last at',
  'audit.detail.consented': 'After a consent',
  'audit.detail.everything': 'Everything',
  'audit.detail.limited':
    '{n, plural, =0 {} one {# customer} other {# customers}}{groups, select, none {} other {{n, plural, =0 {} other {, }}groups: {groups}}}',
  'audit.evidence.callback': 'Said by a browser, not proven',
  'audit.evidence.sign-in': 'Proven by a sign-in',
  'audit.reason.wrong-tenant': 'Not the expected tenant',
  'audit.reason.tenant-taken': 'It belongs to another customer',
  'audit.reason.tenant-is-partner': 'It is our own tenant',
  'audit.reason.needs-decision': 'It needs a decision',
  'audit.reason.other-organisation': 'An account of another organisation',
  'audit.reason.many-addresses': 'Everybody beyond a hundred addresses in one hour',
  'audit.reason.no-role': 'No role in Muster',
  'audit.field.name': 'name',
  'audit.field.language': 'language',
  'audit.field.contactName': 'contact',
  'audit.field.contactEmail': 'contact’s e-mail',
  'audit.field.notes': 'notes',
  'audit.field.groups': 'groups',
  'audit.field.expectedTenantId': 'expected tenant',
  'audit.field.expectedDomain': 'expected domain',
  'audit.field.partnerName': 'our name',
  'audit.field.partnerTagline': 'line under our name',
  'audit.field.contactPhone': 'telephone',
  'audit.field.dataLocation': 'where data is kept',
  'audit.field.dataRetention': 'how long data is kept',
  'audit.field.dataReaders': 'who reads',
  'audit.field.privacyUrl': 'data protection page',
  'audit.field.partnerTagline.sv': 'line under our name (Swedish)',
  'audit.field.partnerTagline.zh-Hant': 'line under our name (Chinese)',
  'audit.field.dataLocation.sv': 'where data is kept (Swedish)',
  'audit.field.dataLocation.zh-Hant': 'where data is kept (Chinese)',
  'audit.field.dataRetention.sv': 'how long data is kept (Swedish)',
  'audit.field.dataRetention.zh-Hant': 'how long data is kept (Chinese)',
  'audit.field.dataReaders.sv': 'who reads (Swedish)',
  'audit.field.dataReaders.zh-Hant': 'who reads (Chinese)',
  'audit.field.privacyUrl.sv': 'data protection page (Swedish)',
  'audit.field.privacyUrl.zh-Hant': 'data protection page (Chinese)',
  'audit.field.appName': 'name of the app',
  'audit.field.linkDays': 'days of a link',
  'audit.field.closedDays': 'days closed incidents are kept',
  'audit.field.mailServer': 'mail server',
  'audit.field.dampingMinutes': 'minutes within which an alarm is one',
  'audit.field.deliveriesDays': 'days deliveries and alarms are kept',
  'audit.field.offboardedDays': 'days what was read is kept after offboarding',
} as const
