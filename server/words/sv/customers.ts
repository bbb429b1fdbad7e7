/** Swedish: the letter that brings a customer the link. */
export const customers = {
  'customers.mail.subject': 'Godkännande av {partner} i er Microsoft 365-miljö',
  'customers.mail.text':
    'Hej,\n\nvi på {partner} ska enligt vårt avtal börja {does, select, work {arbeta med} other {läsa}} säkerhetsincidenterna i er Microsoft 365-miljö. För det behöver en administratör hos er ge sitt godkännande. Det tar ungefär två minuter:\n\n{url}\n\nVem kan godkänna: {consenters}.\n\nSidan visar vilka vi är, vad vi ber om{cannot, select, yes {, vad vi inte kan göra med det} other {}} och hur ni återkallar godkännandet. Länken gäller till {until}. Referens: {reference}.\n\nÄr ni osäkra på om brevet är äkta: ring oss på det nummer som står i ert avtal.\n\n{sender}\n{partner}',
} as const
