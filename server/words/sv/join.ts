/** Svenska: allt som en kunds administratör ser. */
export const join = {
  'join.partner': 'Er säkerhetspartner',
  'join.partner.mid': 'er säkerhetspartner',

  'join.title': '{partner} ber om att få läsa säkerhetsincidenterna i er Microsoft 365-miljö',
  'join.lead':
    'Läs igenom allt i lugn och ro. Ingenting händer förrän du går vidare till Microsoft och godkänner där. Det tar ungefär två minuter.',
  'join.asks': 'Vem ber om åtkomst',
  'join.asks.contact': 'Er kontakt: {name}',
  'join.for': 'Gäller',
  'join.for.domain': ', med domänen {domain}',
  'join.for.tenant': ', med klientorganisations-ID {tenant}',
  'join.consenters': 'Vem kan godkänna',
  'join.consenters.defender':
    'En global administratör, privilegierad rolladministratör, programadministratör eller molnprogramadministratör',
  'join.consenters.graph': 'En global administratör eller privilegierad rolladministratör',
  'join.until': 'Länken gäller till',

  'join.allow': 'Det här godkänner du',
  'join.ask.readIncidents': 'Läsa era säkerhetsincidenter',
  'join.ask.readIncidents.why':
    'Så att våra analytiker ser ett angrepp samtidigt som Defender. Med en incident följer dess aviseringar och de användare, enheter, adresser och filer som nämns i dem.',
  'join.ask.writeIncidents': 'Uppdatera era säkerhetsincidenter',
  'join.ask.writeIncidents.why':
    'Så att våra analytiker kan anteckna vem som arbetar med en incident, hur den slutade och varför.',
  'join.ask.hunting': 'Söka bland säkerhetshändelser',
  'join.ask.hunting.why':
    'För att se vad en angripare gjort i övrigt. Sökningarna visar uppgifter som inloggningar, programnamn, avsändare och ämnesrader, men aldrig texten i ett mejl eller innehållet i en fil.',
  'join.ask.organisationProfile': 'Läsa organisationens namn, domäner och licenser',
  'join.ask.organisationProfile.why':
    'För att vara säkra på att det är ni, och veta vilka Defender-produkter som finns.',
  'join.cannot': 'Vad vi inte kan göra',
  'join.cannot.write': 'Ändra, stänga eller ta bort en incident, eller något annat i Defender',
  'join.cannot.mail': 'Logga in som någon av er, eller läsa någons mejl, filer eller chattar',
  'join.cannot.change': 'Ändra användare, lösenord, principer, licenser eller enheter',
  'join.cannot.device': 'Isolera, radera eller styra en dator',
  'join.cannot.azure': 'Nå era Azure-prenumerationer eller släppa in någon annan',
  'join.keep': 'Vad vi sparar',
  'join.keep.what': 'Vad',
  'join.keep.what.text': 'Incidenter, aviseringar och de användare, enheter, adresser och filer som nämns i dem',
  'join.keep.where': 'Var',
  'join.keep.how-long': 'Hur länge',
  'join.keep.how-long.closed':
    '{days, plural, =0 {Incidenter: så länge vi arbetar för er.} one {En stängd incident: # dag efter den senaste ändringen.} other {En stängd incident: # dagar efter den senaste ändringen.}}',
  'join.keep.how-long.ended':
    '{days, plural, =0 {När vårt uppdrag för er tar slut finns uppgifterna kvar tills vi raderar dem.} one {När vårt uppdrag för er tar slut raderas allt efter # dag.} other {När vårt uppdrag för er tar slut raderas allt efter # dagar.}} En logg över vad vi har gjort finns kvar, utan incidenter.',
  'join.keep.who': 'Vem ser det',
  'join.told.in': '({language, select, en {på engelska} sv {på svenska} other {på kinesiska}})',
  'join.back': 'Så återkallar ni godkännandet',
  'join.back.open':
    'Öppna <b>administrationscentret för Microsoft Entra</b> och välj <b>Företagsprogram</b> (Enterprise applications).',
  'join.back.delete': 'Välj <b>{app}</b>, sedan <b>Egenskaper</b> (Properties) och <b>Ta bort</b> (Delete).',
  'join.back.delete.id':
    'Välj appen med program-ID <c>{id}</c>, sedan <b>Egenskaper</b> (Properties) och <b>Ta bort</b> (Delete).',
  'join.back.when':
    'Ni kan göra det när som helst, utan oss. Därefter går det inte att få ny åtkomst, och åtkomst som redan har getts upphör inom 90 minuter.',
  'join.real': 'Är det verkligen vi?',
  'join.real.address': 'Adressen till den här sidan börjar med <b>{url}</b>.',
  'join.real.app': 'Hos Microsoft heter appen <b>{app}</b> och har ID <c>{id}</c>.',
  'join.real.id': 'Microsoft visar en app med ID <c>{id}</c>.',
  'join.real.stop': 'Om något avviker: avbryt, och ring oss på numret i ert avtal.',
  'join.next': 'Vad som händer sedan',
  'join.next.sign-in': 'Du loggar in på <b>{host}</b>. Vi ser aldrig ditt lösenord.',
  'join.next.accept':
    '{n, plural, one {Microsoft visar samma behörighet} other {Microsoft visar samma # behörigheter}}. Du väljer <b>Acceptera</b> eller avbryter.',
  'join.next.organisation':
    'Microsoft talar om för oss vilken organisation du loggade in hos. Du kan behöva välja ditt konto en gång till.',
  'join.next.result': 'Du kommer tillbaka hit och ser om det fungerar.',
  'join.continue': 'Fortsätt till Microsoft',
  'join.continue.note': 'Du kan avbryta även där.',
  'join.no-cookies': 'Sidan använder inga kakor innan du går vidare.',
  'join.print': 'Skriv ut eller spara som PDF',

  'join.forward': 'Jag är inte administratör: skicka vidare',
  'join.forward.label': 'Text till er administratör',
  'join.forward.copy': 'Kopiera texten',
  'join.forward.mail': 'Öppna i e-postprogrammet',
  'join.forward.subject':
    '{partner} ber om {does, select, work {åtkomst} other {läsåtkomst}} till våra säkerhetsincidenter',
  'join.forward.text':
    'Hej,\n\n{partner} ber om en administratörs godkännande för att {does, select, work {arbeta med} other {läsa}} säkerhetsincidenterna i vår Microsoft 365-miljö. Det tar ungefär två minuter. Sidan förklarar vad de ber om{cannot, select, yes {, vad de inte kan göra} other {}} och hur vi återkallar godkännandet:\n\n{url}\n\nVem kan godkänna: {consenters}.\nLänken gäller till {until}.',
  'join.forward.stuck': 'Visade Microsoft ”Administratörsgodkännande krävs”? <a>Läs vad det betyder</a>.',

  'join.not-admin': 'Ditt konto kan inte ge det här godkännandet',
  'join.not-admin.lead':
    'Microsoft visar ”Administratörsgodkännande krävs” när ett konto inte får godkänna för en hel organisation. Det är inget fel, och ingenting har ändrats.',
  'join.not-admin.asked': 'Bad du om godkännande på Microsofts sida?',
  'join.not-admin.asked.pinned': 'Då är du klar. När er administratör godkänner får vi veta det automatiskt.',
  'join.not-admin.asked.unpinned':
    'Be då er administratör att öppna länken nedan efter godkännandet: först då får vi veta det.',
  'join.not-admin.otherwise': 'Annars: skicka vidare',
  'join.not-admin.works': 'Länken fungerar för vem som än öppnar den.',
  'join.read-again': 'Läs sidan igen',

  'join.step.received': 'Ditt svar har kommit fram',
  'join.step.said.callback': 'Din webbläsare anger organisationen som länken är avsedd för',
  'join.step.said.sign-in': 'Din inloggning visar vilken organisation det gäller',
  'join.step.said.decision': '{partner} har bekräftat vilken organisation det gäller',
  'join.step.for': 'Det gäller {customer}',
  'join.step.how.pinned': 'Det kom från den organisation som länken är avsedd för',
  'join.step.how.sign-in': 'Bekräftat genom din inloggning',
  'join.step.how.confirmed': 'Bekräftat av {partner}',
  'join.step.how.entered': 'Bekräftat av {partner}',
  'join.step.waiting': 'Väntar på Microsoft',
  'join.step.tries': '{n, plural, =0 {Inget försök än.} one {Ett försök hittills.} other {# försök hittills.}}',
  'join.step.next': 'Nästa om {span}, utan att du gör något.',
  'join.step.trying': 'Ett pågår.',
  'join.step.held-up': '{partner} måste rätta till något först och har fått veta det. Du behöver inte göra något.',
  'join.step.microsoft':
    'Det är inget fel på ditt godkännande: Microsofts tjänst svarar inte som den ska. Vi fortsätter att försöka; du behöver inte göra något.',
  'join.step.first': 'Första incidenten läst',
  'join.look-again': 'Kontrollera igen',

  'join.done.organisation': 'Organisation',
  'join.done.tenant': 'Klientorganisations-ID',
  'join.done.by': 'Godkänt av',
  'join.done.when': 'När',
  'join.done.permissions': 'Behörigheter',
  'join.done.proven': 'Kontrollerat',
  'join.done.proven.how': ', genom att fråga Microsoft efter era incidenter',
  'join.done.first': 'Första incidenten',
  'join.done.first.reading': 'Läses just nu',
  'join.done.first.partial': 'Vissa källor hos Microsoft har inte svarat än. Det som saknas hämtas automatiskt.',
  'join.done.first.none': 'Ingen hittills',
  'join.done.keep': 'Spara sidan som kvitto',

  'join.again': 'Försök igen',
  'join.again.account': 'Försök igen med ett annat konto',
  'join.over': 'Länken kan inte användas längre. Be {partner} om en ny.',
  'join.call': 'Ring {phone}',
  'join.write': 'Skriv till {email}',
  'join.ended.ask': 'Be om en ny länk',
  'join.ended.subject': 'En ny länk{reference, select, none {} other { i stället för {reference}}}',
  'join.page-again':
    'Sidan hade varit öppen i mer än ett dygn, så ingenting gjordes. Läs igenom den en gång till och fortsätt sedan.',
  'join.code': 'Microsofts kod',
  'join.expected': 'Förväntad',
  'join.signed-in': 'Du loggade in hos',
  'join.named': 'Svaret anger',
  'join.tidy': 'Städa upp',
  'join.tidy.text':
    'Om du valde Acceptera hos Microsoft finns appen nu i organisationen du loggade in hos, men vi använder den inte. Du kan ta bort den där.',

  'join.removal.ask-first': 'Ingenting har ändrats. Ta inte bort appen innan du har frågat oss.',
  'join.removal.leave': 'Organisationen du loggade in hos är redan ansluten. Låt appen vara som den är där.',
  'join.removal.ended': 'Fråga oss innan ni tar bort appen.',
  'join.end.connected.title': 'Organisationen är redan ansluten',
  'join.end.connected.lead': 'Du behöver inte göra något, och ingenting har ändrats. Låt appen vara som den är.',
  'join.end.connected.do': 'Om du väntade dig något annat: kontakta {partner} och uppge referensen nedan.',
  'join.end.unchanged.title': 'Fråga oss först',
  'join.end.unchanged.lead': 'Med den här länken kommer vi inte vidare på egen hand. Ingenting har lästs.',
  'join.end.unchanged.do': 'Kontakta {partner} och uppge referensen nedan.',
  'join.end.claimed.title': 'Tack. Vi kontrollerar med Microsoft',
  'join.end.claimed.lead':
    'Enligt din webbläsare har du godkänt. Nu frågar vi Microsoft om det stämmer. Det tar oftast några minuter, ibland timmar. Du behöver inte vänta: stäng gärna sidan, vi fortsätter att fråga.',
  'join.end.proving.title': 'Tack. Vi kontrollerar att det fungerar',
  'join.end.proving.lead':
    'Microsoft behöver oftast några minuter innan ett godkännande slår igenom överallt. Ibland tar det timmar. Du behöver inte vänta: stäng gärna sidan, vi fortsätter att försöka.',
  'join.end.proving.do': '{partner} ser samma sak. Fungerar det inte inom två dagar hör de av sig.',
  'join.end.done.title': 'Klart. Åtkomsten fungerar',
  'join.end.done.lead': '{partner} ser nu säkerhetsincidenterna hos {customer}. Du behöver inte göra något mer.',
  'join.end.late.title': 'Det tog för lång tid',
  'join.end.late.lead':
    'Det är mer än en timme sedan du gick till Microsoft, så det försöket räknas inte längre. Ingenting har ändrats.',
  'join.end.late.do': 'Börja om; det tar två minuter.',
  'join.end.sign-in.title': 'Ett steg saknas',
  'join.end.sign-in.lead':
    'Ditt svar hos Microsoft har kommit fram. Det som saknas är inloggningen som visar vilken organisation det gäller. Ingenting har lästs.',
  'join.end.sign-in.do':
    'Försök igen och låt Microsoft bli klart. Om du inte gör något granskar {partner} det manuellt.',
  'join.end.review.title': 'Tack. Nu granskas det av en människa',
  'join.end.review.lead':
    'Ditt svar har kommit fram. Innan något läses jämför {partner} er organisation med sina uppgifter.',
  'join.end.review.do': 'Du behöver inte göra något mer. Ingenting läses innan dess.',
  'join.end.declined.title': 'Du avböjde. Ingenting har ändrats',
  'join.end.declined.lead': 'Ingenting har lästs. Vi har bara antecknat att någon använt länken och avböjt.',
  'join.end.declined.do': 'Om det var ett misstag, eller om du har en fråga:',
  'join.end.not-admin.title': 'Ditt konto kan inte ge det här godkännandet',
  'join.end.not-admin.lead': 'Microsoft kräver en administratör här. Det är inget fel, och ingenting har ändrats.',
  'join.end.not-admin.do': 'Skicka länken vidare till en administratör, eller försök igen med ett sådant konto.',
  'join.end.wrong-tenant.title': 'Det var en annan organisation',
  'join.end.wrong-tenant.lead':
    'Länken är avsedd för {customer}, och det här var en annan organisation, så vi avbröt. Ingenting har lästs.',
  'join.end.wrong-tenant.do':
    'Många administratörer har mer än ett konto. Välj det som hör till {customer}, i ett privat fönster om Microsoft fortsätter att välja det andra.',
  'join.end.wrong-tenant.do.domain':
    'Många administratörer har mer än ett konto. Välj det som slutar på <b>{domain}</b>, i ett privat fönster om Microsoft fortsätter att välja det andra.',
  'join.end.unlicensed.title': 'Er organisation har inte Microsoft Defender XDR',
  'join.end.unlicensed.lead':
    'Microsoft kunde inte ge behörigheten, eftersom tjänsten den hör till inte finns. Ingenting har ändrats.',
  'join.end.unlicensed.do':
    'Prata med {partner} om licensen. När ni har den: logga in på security.microsoft.com med ett konto som har licensen och försök sedan igen.',
  'join.end.tenant-taken.title': 'Länken gäller inte för den här organisationen',
  'join.end.tenant-taken.lead':
    'Organisationen du loggade in hos kan inte anslutas med den här länken. Ingenting har lästs.',
  'join.end.tenant-taken.do': 'Kontakta {partner} och uppge referensen nedan.',
  'join.end.tenant-is-partner.title': 'Det var ett konto hos {partner}',
  'join.end.tenant-is-partner.lead':
    'Du loggade in hos organisationen som själv ber om godkännandet. Ingenting har lästs.',
  'join.end.tenant-is-partner.do': 'Försök igen med ett konto hos {customer}.',
  'join.end.sign-in-failed.title': 'Vi kunde inte se vilken organisation det var',
  'join.end.sign-in-failed.lead':
    'Microsoft bekräftade ingen inloggning, så vi vet inte för vem du godkände. Ingenting har lästs.',
  'join.end.sign-in-failed.do': 'Försök igen, och slutför inloggningen som följer.',
  'join.end.link-withdrawn.title': 'Länken återkallades under tiden',
  'join.end.link-withdrawn.lead': 'Medan du var hos Microsoft drog {partner} tillbaka länken. Ingenting har lästs.',
  'join.end.link-withdrawn.do': 'Om du inte väntade dig det: kontakta {partner}.',
  'join.end.misconfigured.title': '{partner} måste rätta till något',
  'join.end.misconfigured.lead':
    'Microsoft sa nej på grund av hur deras app är inställd. Det är inte ditt fel, och ingenting har ändrats hos er.',
  'join.end.misconfigured.do': 'Du behöver inte göra något. De ser det också; försök igen när de säger till.',
  'join.end.refused.title': 'Microsoft gick inte med på det',
  'join.end.refused.lead': 'Godkännandet gick inte igenom. Ingenting har lästs och ingenting har ändrats.',
  'join.end.refused.do': 'Försök igen. Hjälper det inte: kontakta {partner} och uppge referensen nedan.',
  'join.end.told.lead': 'Ingenting har ändrats och ingenting har lästs.',
  'join.end.dismissed.title': 'Länken är inte avsedd för den organisationen',
  'join.end.dismissed.lead':
    '{partner} jämförde den med sina uppgifter och kom fram till att den inte är {customer}. Ingenting har lästs.',
  'join.end.dismissed.do': 'Om det är fel: kontakta {partner} och uppge referensen nedan.',
  'join.end.limited.title': 'En behörighet saknas',
  'join.end.limited.lead':
    'Microsoft släpper in oss, men utan behörigheten att läsa incidenter. Därför läses ingenting.',
  'join.end.limited.do':
    'Öppna appen i administrationscentret för Microsoft Entra, under Företagsprogram, välj Behörigheter och bevilja administratörsmedgivande. Vi upptäcker det automatiskt.',
  'join.end.no-data.title': 'Defender lämnar inga data än',
  'join.end.no-data.lead':
    'Godkännandet finns, men i Microsoft Defender XDR finns inget att läsa: licens saknas, eller så har tjänsten aldrig öppnats.',
  'join.end.no-data.do':
    'Logga in på security.microsoft.com en gång med ett konto som har en Defender-licens och se om incidenter visas. Vi kontrollerar igen automatiskt.',
  'join.end.blocked.title': 'En princip för villkorsstyrd åtkomst stänger oss ute',
  'join.end.blocked.lead': 'En av era principer för arbetsbelastningsidentiteter stoppar appen. Ingenting läses.',
  'join.end.blocked.do':
    'Släpp igenom appen med ID:t nedan i den principen, i administrationscentret för Microsoft Entra. Vi upptäcker det automatiskt.',
  'join.end.disabled.title': 'Appen är avstängd',
  'join.end.disabled.lead': 'Appen är inaktiverad hos er. Ingenting läses.',
  'join.end.disabled.do':
    'Öppna appen i administrationscentret för Microsoft Entra, under Företagsprogram, välj Egenskaper och sätt ”Aktiverat för användare att logga in?” till Ja. Vi upptäcker det automatiskt.',
  'join.end.revoked.title': 'Godkännandet har återkallats',
  'join.end.revoked.lead':
    'Någon hos er tog bort appen eller dess behörighet. {partner} har inte läst något sedan dess.',
  'join.end.revoked.do': 'Om det var meningen är inget kvar att göra. Be annars {partner} om en ny länk.',
  'join.end.gone.title': 'Microsoft känner inte till organisationen',
  'join.end.gone.lead':
    'Dess klientorganisation har tagits bort, eller finns i ett annat av Microsofts moln. Ingenting läses.',
  'join.end.gone.do': 'Kontakta {partner} och uppge referensen nedan.',
  'join.end.unproven.title': 'Inget godkännande hittades',
  'join.end.unproven.lead': 'Vi letade i två dagar, men Microsoft bekräftade det aldrig. Ingenting läses.',
  'join.end.unproven.do': 'Be {partner} om en ny länk, och godkänn hos Microsoft en gång till.',
  'join.end.offboarded.title': 'Tjänsten är avslutad',
  'join.end.offboarded.lead': '{partner} läser inte längre något hos er.',
  'join.end.offboarded.do': 'Ni kan ta bort appen nu.',
} as const
