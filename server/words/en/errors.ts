/** English: what went wrong (`error.<CODE>`) and what to do about it (`.next`). */
export const errors = {
  'error.BAD_REQUEST': 'This request does not fit',
  'error.BAD_REQUEST.next':
    'It holds something that no page of Muster sends, so nothing was done with it. Go back, load the page again and try once more.',
  'error.CALLBACK_UNREADABLE': 'What came back from Microsoft cannot be read',
  'error.CALLBACK_UNREADABLE.next':
    'Nothing was changed and nobody was signed in. Start again from the link or the page you came from.',
  'error.SIGN_IN_REQUIRED': 'You are not signed in',
  'error.SIGN_IN_REQUIRED.next': 'Nothing was done. Sign in and try again.',
  'error.SIGN_IN_AGAIN': 'Sign in again',
  'error.SIGN_IN_AGAIN.next':
    'Nothing was done: your roles were last asked for more than an hour ago. Load the page again; what you typed stays until then.',
  'error.SIGN_IN_EXPIRED': 'This sign-in is over',
  'error.SIGN_IN_EXPIRED.next':
    'It took longer than 15 minutes, was used already, or began in another browser. Nobody was signed in. Start again.',
  'error.SIGN_IN_REFUSED': 'You are not signed in',
  'error.SIGN_IN_REFUSED.next':
    'Microsoft did not confirm the sign-in, or it was cancelled. Try again, or choose another account.',
  'error.SIGN_IN_OTHER_ORGANISATION': 'You are not signed in',
  'error.SIGN_IN_OTHER_ORGANISATION.next':
    'This account belongs to another organisation. Muster is only for the people who run it. Do you work at a customer? You need no account here. Ask your contact for the page with your data.',
  'error.SIGN_IN_NO_ROLE': 'You have no role in Muster',
  'error.SIGN_IN_NO_ROLE.next':
    'The account {account} is known, but may not see anything yet. An administrator of your organisation must assign it one of the app roles Muster.Admin, Muster.Analyst or Muster.Reader in Entra, under Enterprise applications. Then sign in again.',
  'error.SIGN_IN_UNAVAILABLE': 'Microsoft cannot sign you in right now',
  'error.SIGN_IN_UNAVAILABLE.next':
    'Its sign-in service did not answer. Nothing is wrong with your account, and whoever is signed in stays so. Try again in a minute.',
  'error.FORBIDDEN': 'Your role does not allow this',
  'error.FORBIDDEN.next':
    'It takes the role {needed}; yours is {role}. Nothing was done. A Muster admin can do it for you, or give you the role.',
  'error.OUTSIDE_SCOPE': 'This concerns the whole portal',
  'error.OUTSIDE_SCOPE.next':
    'You work for some of its customers. Nothing was done. A Muster admin who sees every customer can do it for you.',
  'error.CROSS_SITE': 'This request came from another site',
  'error.CROSS_SITE.next': 'Nothing was done with it. Open the page here and send the form from there.',
  'error.FORM_EXPIRED': 'This form is too old',
  'error.FORM_EXPIRED.next': 'Nothing was saved. Go back, load the page again and send the form once more.',
  'error.NOT_FOUND': 'There is nothing at this address',
  'error.NOT_FOUND.next': 'It may never have been here, or is gone. Check the address, or start from the beginning.',
  'error.METHOD_NOT_ALLOWED': 'This address does not take such a request',
  'error.METHOD_NOT_ALLOWED.next': 'Nothing was done. Go back and use the buttons of the page.',
  'error.CONFLICT': 'Changed by someone else first',
  'error.CONFLICT.next': 'Nothing was overwritten. Load the page again, look at what it says now, and decide anew.',
  'error.WRONG_HOST': 'Muster does not answer under this address',
  'error.WRONG_HOST.next':
    'It answers only under the address its operators set (PUBLIC_URL), and “{host}” was asked for. Check the address in your browser; behind a proxy, the Host header that it passes on.',
  'error.TOO_LARGE': 'This is too large',
  'error.TOO_LARGE.next': 'Nothing was read of it. Send less at a time.',
  'error.TOO_MANY_REQUESTS': 'Too many requests from your address',
  'error.TOO_MANY_REQUESTS.next': 'Nothing was done. Wait a minute and try again.',
  'error.LINK_UNKNOWN': 'This link is no longer valid',
  'error.LINK_UNKNOWN.next':
    'It is not one of ours, or was cut short on the way. Copy it whole, or ask whoever sent it for a new one.',
  'error.LINK_EXPIRED': 'This link is no longer valid',
  'error.LINK_EXPIRED.next': 'Its days are over. Nothing was changed. Ask whoever sent it for a new one.',
  'error.LINK_WITHDRAWN': 'This link is no longer valid',
  'error.LINK_WITHDRAWN.next': 'It was withdrawn by whoever sent it. Nothing was changed. Ask them for a new one.',
  'error.LINK_COMPLETED': 'This link has been used',
  'error.LINK_COMPLETED.next': 'What it asked for is done. Nothing is left to do here.',
  'error.CONSENT_NOT_YOURS': 'This page is no longer valid',
  'error.CONSENT_NOT_YOURS.next':
    'It shows something only to the browser in which the consent was started. If you accepted at Microsoft just now, whoever sent you the link will see to it. Otherwise open that link again.',
  'error.TENANT_PAUSED': 'Reading of this tenant is paused',
  'error.TENANT_PAUSED.next': 'Resume it on the tenant’s page, then try again.',
  'error.READING_PAUSED': 'Reading of all tenants is paused',
  'error.READING_PAUSED.next': 'An Admin can resume it on the overview, then try again.',
  'error.CUSTOMER_OFFBOARDED': 'This customer is offboarded',
  'error.CUSTOMER_OFFBOARDED.next':
    'Nothing was changed. Take the customer back on its page first, if you serve them again.',
  'error.PARTNER_NOT_INTRODUCED': 'Muster does not know yet who you are',
  'error.PARTNER_NOT_INTRODUCED.next':
    'Until it does, no link is issued: a link’s page and letter have to say who asks, and how to make sure of it. An Admin gives {gap, select, name {your company’s name} contact {a telephone number or an e-mail address for customers} other {your company’s name, and a telephone number or an e-mail address for customers,}} in Settings.',
  'error.PERMISSIONS_UNCONFIRMED': 'Customers may be asked for more than they are told',
  'error.PERMISSIONS_UNCONFIRMED.next':
    '{n, plural, one {A role was met in a token that nobody has accounted for} other {Roles were met in tokens that nobody has accounted for}}: {roles}. No link is issued until an Admin says in Settings whether customers are asked for {n, plural, one {it} other {them}}.',
  'error.TENANT_UNKNOWN': 'No Microsoft tenant holds this domain',
  'error.TENANT_UNKNOWN.next': 'Check the spelling, or leave it empty and confirm the tenant by hand later.',
  'error.TENANT_TAKEN': 'This tenant belongs to another customer',
  'error.TENANT_TAKEN.next': 'Nothing was bound. A tenant has one customer; look up which one before you go on.',
  'error.TENANT_IS_PARTNER': 'This is the partner’s own tenant',
  'error.TENANT_IS_PARTNER.next':
    'Nothing was bound. The consent was given in the wrong tenant: sign in with an account of the customer.',
  'error.REVIEW_DECIDED': 'This has been decided already',
  'error.REVIEW_DECIDED.next':
    'Your decision changed nothing. Load the page again to see what was decided, and by whom.',
  'error.DATABASE_UNAVAILABLE': 'Muster cannot reach its database',
  'error.DATABASE_UNAVAILABLE.next': 'Nothing was changed. It usually comes back by itself: try again in a moment.',
  'error.UNEXPECTED': 'That did not work',
  'error.UNEXPECTED.next':
    'Muster does not know why. Load the page again before you repeat anything: what it shows is what is so.',
} as const
