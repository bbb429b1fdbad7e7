/** English: what an operator may see. */
export const people = {
  'scope.title': 'What {name} may see',
  'scope.lead': '{role}. It holds everywhere: lists, numbers, search, charts, alarms, the audit log.',
  'scope.breadcrumb': 'Settings',
  'scope.which': 'Which customers',
  'scope.all': '{n, plural, one {All, the one there is} other {All {n, number}}}',
  'scope.some': 'Only some',
  'scope.groups': 'Groups',
  'scope.groups.lead': 'Customers that join a group later are in it too',
  'scope.groups.none': 'No customer is in a group.',
  'scope.customers': '{n, plural, =0 {no customer any more} one {# customer} other {# customers}}',
  'scope.besides': 'Customers besides',
  'scope.besides.lead': 'Take the tick away to take one out',
  'scope.find': 'Find a customer',
  'scope.find.do': 'Find',
  'scope.found':
    '{n, plural, =0 {No other customer is called so.} one {Found one; it is ticked.} other {Found #; tick those that are meant.}}{more, plural, =0 {} one { One more is called so: write more of the name.} other { # more are called so: write more of the name.}}',
  'scope.sees': 'What that comes to',
  'scope.sees.all': 'Every customer, and the numbers of all of them.',
  'scope.sees.customers': 'Customers',
  'scope.sees.tenants': 'Tenants',
  'scope.sees.incidents': 'Open incidents',
  'scope.of': '{n, number} of {of, number}',
  'scope.more': '{n, plural, one {and one more} other {and # more}}',
  'scope.save': 'Save',
  'scope.save.help':
    'From the next request on. An open page of another customer then reads “not found”, as if it did not exist. Notes and entries of the audit log stay.',
  'scope.nobody': 'Choose at least one group or customer, or all of them.',
  'scope.gone': 'A group or a customer of these is not there any more. Look at what is chosen and save again.',
  'scope.fixed.named': 'ADMIN_USERS names this person, who is never limited.',
  'scope.fixed.named.next': 'Take the name out of ADMIN_USERS in the environment first.',
  'scope.fixed.entra': 'Entra says what this person may see.',
  'scope.fixed.entra.next':
    'App roles name the groups {groups}. They win over what is set here: change them in Entra; they hold from the next sign-in on.',
  'scope.fixed.self': 'Nobody limits herself.',
  'scope.fixed.self.next': 'Another Admin can, who can also undo it.',

  'scope.sight': 'Sees',
  'scope.sight.everything': 'Everything',
  'scope.sight.entra': '{groups} (Entra)',
  'scope.sight.some':
    '{groups}{n, plural, =0 {} one {{any, select, yes { and } other {}}# customer} other {{any, select, yes { and } other {}}# customers}}',
  'scope.change': 'Change',
  'scope.change.of': 'Change what {name} may see',

  'overview.scoped':
    'You work for <b>{names}</b>: {n, plural, =0 {no customer yet} one {# customer} other {# customers}}. Every number here is over {n, plural, =0 {these} one {this one} other {these}} alone.',
  'overview.scoped.nobody': 'You work for no customer yet. Whoever runs this portal says for which.',
  'overview.scoped.more': '{n, plural, one {one more customer} other {# more customers}}',
} as const
