/** Svenska: vad som gick fel (`error.<CODE>`) och vad man gör åt det (`.next`). */
export const errors = {
  'error.BAD_REQUEST': 'Begäran gick inte att tolka',
  'error.BAD_REQUEST.next':
    'Den innehåller något som ingen sida i Muster skickar, så inget gjordes med den. Gå tillbaka, ladda om sidan och försök en gång till.',
  'error.CALLBACK_UNREADABLE': 'Svaret från Microsoft går inte att läsa',
  'error.CALLBACK_UNREADABLE.next':
    'Ingenting har ändrats och ingen loggades in. Börja om från länken eller sidan du kom från.',
  'error.SIGN_IN_REQUIRED': 'Du är inte inloggad',
  'error.SIGN_IN_REQUIRED.next': 'Inget gjordes. Logga in och försök igen.',
  'error.SIGN_IN_AGAIN': 'Logga in igen',
  'error.SIGN_IN_AGAIN.next': 'Inget gjordes: dina roller hämtades för mer än en timme sedan. Ladda om sidan.',
  'error.SIGN_IN_EXPIRED': 'Inloggningen har gått ut',
  'error.SIGN_IN_EXPIRED.next':
    'Den tog längre än 15 minuter, har redan använts eller började i en annan webbläsare. Ingen loggades in. Börja om.',
  'error.SIGN_IN_REFUSED': 'Du är inte inloggad',
  'error.SIGN_IN_REFUSED.next':
    'Microsoft bekräftade inte inloggningen, eller så avbröts den. Försök igen eller välj ett annat konto.',
  'error.SIGN_IN_OTHER_ORGANISATION': 'Du är inte inloggad',
  'error.SIGN_IN_OTHER_ORGANISATION.next':
    'Kontot tillhör en annan organisation. Muster är bara till för dem som driver det. Arbetar du hos en kund? Då behöver du inget konto här. Be din kontakt om sidan med era uppgifter.',
  'error.SIGN_IN_NO_ROLE': 'Du har ingen roll i Muster',
  'error.SIGN_IN_NO_ROLE.next':
    'Kontot {account} är känt men får inte se något ännu. En administratör i er organisation måste tilldela det en av approllerna Muster.Admin, Muster.Analyst eller Muster.Reader i Entra, under Företagsprogram. Logga sedan in igen.',
  'error.SIGN_IN_UNAVAILABLE': 'Microsoft kan inte logga in dig just nu',
  'error.SIGN_IN_UNAVAILABLE.next':
    'Inloggningstjänsten svarade inte. Det är inget fel på ditt konto, och den som redan är inloggad förblir det. Försök igen om en minut.',
  'error.FORBIDDEN': 'Din roll tillåter inte det här',
  'error.FORBIDDEN.next':
    'Det kräver rollen {needed}; din är {role}. Inget gjordes. En Muster-administratör kan göra det åt dig eller ge dig rollen.',
  'error.OUTSIDE_SCOPE': 'Det här gäller hela portalen',
  'error.OUTSIDE_SCOPE.next':
    'Du arbetar för några av kunderna. Inget gjordes. En Muster-administratör som ser alla kunder kan göra det åt dig.',
  'error.CROSS_SITE': 'Den här begäran kom från en annan webbplats',
  'error.CROSS_SITE.next': 'Inget gjordes med den. Öppna sidan här och skicka formuläret därifrån.',
  'error.FORM_EXPIRED': 'Formuläret är för gammalt',
  'error.FORM_EXPIRED.next': 'Inget sparades. Gå tillbaka, ladda om sidan och skicka formuläret igen.',
  'error.NOT_FOUND': 'Det finns inget på den här adressen',
  'error.NOT_FOUND.next':
    'Det har kanske aldrig funnits här, eller så är det borta. Kontrollera adressen eller börja från början.',
  'error.METHOD_NOT_ALLOWED': 'Adressen tar inte emot en sådan begäran',
  'error.METHOD_NOT_ALLOWED.next': 'Inget gjordes. Gå tillbaka och använd sidans knappar.',
  'error.CONFLICT': 'Någon annan hann ändra först',
  'error.CONFLICT.next': 'Inget skrevs över. Ladda om sidan, se vad som står där nu och bestäm på nytt.',
  'error.WRONG_HOST': 'Muster svarar inte på den här adressen',
  'error.WRONG_HOST.next':
    'Det svarar bara på adressen som de som driver det har angett (PUBLIC_URL), och ”{host}” efterfrågades. Kontrollera adressen i webbläsaren; bakom en proxy: Host-huvudet som den skickar vidare.',
  'error.TOO_LARGE': 'Det här är för stort',
  'error.TOO_LARGE.next': 'Inget av det lästes. Skicka mindre åt gången.',
  'error.TOO_MANY_REQUESTS': 'För många förfrågningar från din adress',
  'error.TOO_MANY_REQUESTS.next': 'Inget gjordes. Vänta en minut och försök igen.',
  'error.LINK_UNKNOWN': 'Länken gäller inte längre',
  'error.LINK_UNKNOWN.next':
    'Den är inte en av våra, eller så blev den avkortad på vägen. Kopiera hela länken eller be den som skickade den om en ny.',
  'error.LINK_EXPIRED': 'Länken gäller inte längre',
  'error.LINK_EXPIRED.next': 'Dess tid är ute. Ingenting har ändrats. Be den som skickade den om en ny.',
  'error.LINK_WITHDRAWN': 'Länken gäller inte längre',
  'error.LINK_WITHDRAWN.next': 'Den drogs tillbaka av den som skickade den. Ingenting har ändrats. Be dem om en ny.',
  'error.LINK_COMPLETED': 'Länken har använts',
  'error.LINK_COMPLETED.next': 'Det den bad om är gjort. Här finns inget kvar att göra.',
  'error.CONSENT_NOT_YOURS': 'Sidan gäller inte längre',
  'error.CONSENT_NOT_YOURS.next':
    'Den visar något bara för webbläsaren där godkännandet påbörjades. Om du nyss godkände hos Microsoft tar den som skickade länken hand om det. Öppna annars länken igen.',
  'error.TENANT_PAUSED': 'Läsningen av den här klientorganisationen är pausad',
  'error.TENANT_PAUSED.next': 'Återuppta den på klientorganisationens sida och försök igen.',
  'error.READING_PAUSED': 'Läsningen av alla klientorganisationer är pausad',
  'error.READING_PAUSED.next': 'En administratör kan återuppta den i översikten. Försök sedan igen.',
  'error.CUSTOMER_OFFBOARDED': 'Kunden är avslutad',
  'error.CUSTOMER_OFFBOARDED.next':
    'Inget ändrades. Ta tillbaka kunden på dess sida först, om ni arbetar med dem igen.',
  'error.PARTNER_NOT_INTRODUCED': 'Muster vet inte ännu vilka ni är',
  'error.PARTNER_NOT_INTRODUCED.next':
    'Innan dess utfärdas ingen länk: länkens sida och brev måste säga vem som ber och hur man kan försäkra sig om det. En administratör anger {gap, select, name {ert företags namn} contact {ett telefonnummer eller en e-postadress för kunder} other {ert företags namn samt ett telefonnummer eller en e-postadress för kunder}} i Inställningar.',
  'error.PERMISSIONS_UNCONFIRMED': 'Kunderna kan bli ombedda om mer än vad som sägs',
  'error.PERMISSIONS_UNCONFIRMED.next':
    '{n, plural, one {I en token fanns en roll som ingen har tagit ställning till} other {I tokens fanns roller som ingen har tagit ställning till}}: {roles}. Ingen länk utfärdas förrän en administratör anger i Inställningar om kunderna blir ombedda om {n, plural, one {den} other {dem}}.',
  'error.TENANT_UNKNOWN': 'Ingen Microsoft-klientorganisation har den här domänen',
  'error.TENANT_UNKNOWN.next':
    'Kontrollera stavningen, eller lämna fältet tomt och bekräfta klientorganisationen för hand senare.',
  'error.TENANT_TAKEN': 'Klientorganisationen tillhör en annan kund',
  'error.TENANT_TAKEN.next':
    'Ingenting kopplades. En klientorganisation har en kund; ta reda på vilken innan du går vidare.',
  'error.TENANT_IS_PARTNER': 'Det här är partnerns egen klientorganisation',
  'error.TENANT_IS_PARTNER.next':
    'Ingenting kopplades. Godkännandet gavs i fel klientorganisation: logga in med ett konto hos kunden.',
  'error.REVIEW_DECIDED': 'Det här är redan avgjort',
  'error.REVIEW_DECIDED.next': 'Ditt beslut ändrade inget. Ladda om sidan för att se vad som beslutades, och av vem.',
  'error.DATABASE_UNAVAILABLE': 'Muster når inte sin databas',
  'error.DATABASE_UNAVAILABLE.next': 'Inget ändrades. Den brukar komma tillbaka av sig själv: försök igen om en stund.',
  'error.UNEXPECTED': 'Något gick fel',
  'error.UNEXPECTED.next':
    'Muster vet inte varför. Ladda om sidan innan du upprepar något: det den visar är det som gäller.',
} as const
