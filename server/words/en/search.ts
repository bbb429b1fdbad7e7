/** English: one search for customers, tenants and incidents. */
export const search = {
  'search.title': 'Search',
  'search.nothing-asked': 'Type a name, a domain, an ID, a title or a hash.',
  'search.found': 'What holds “{text}”.',
  'search.none': 'Nothing holds “{text}”.',
  'search.tenants': 'Tenants',
  'search.more': 'All {n}',
  'search.looked': 'Where Muster looked',
  'search.looked.customers':
    '{n, plural, one {# customer} other {All # customers}}: name, contact, groups, expected tenant, reference of the newest link. Offboarded ones too',
  'search.looked.tenants': '{n, plural, one {# tenant} other {All # tenants}}: name, domain, tenant ID',
  'search.looked.incidents':
    'Open and closed ones of all tenants, as last read: number, title, and what their alerts name. Notes are not searched',
  'search.blind': '{n, plural, one {1 tenant is blind} other {# tenants are blind}}, so this is not the whole truth',
} as const
