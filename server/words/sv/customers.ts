/** Swedish: the letter that brings a customer the link. */
export const customers = {
  'customers.mail.subject': 'Godkännande för {partner} i er Microsoft 365-miljö',
  'customers.mail.text':
    'Hej,\n\nvi på {partner} ska enligt vårt avtal börja läsa säkerhetsincidenterna i er Microsoft 365-miljö. För det behövs ett godkännande av en global administratör hos er. Det tar ungefär två minuter:\n\n{url}\n\nSidan visar vilka vi är, exakt vad vi ber om, vad vi inte kan göra med det och hur ni tar tillbaka godkännandet. Länken gäller till {until}. Dess referens är {reference}.\n\nÄr ni osäkra på om brevet är äkta: ring oss på det nummer som står i ert avtal.\n\n{sender}\n{partner}',
} as const
