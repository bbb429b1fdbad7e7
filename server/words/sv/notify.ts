/** Swedish: what alarms and mails say. */
export const notify = {
  'notify.kind.access-lost': 'Åtkomst förlorad',
  'notify.kind.tenant-blind': 'Klientorganisation utan insyn',
  'notify.kind.partner-fault': 'Fel hos oss',
  'notify.kind.credential-ending': 'Inloggningsuppgift löper ut',
  'notify.kind.claim-waiting': 'Beslut väntar',
  'notify.kind.consent-refused': 'Medgivande nekat',
  'notify.kind.customer-proven': 'Kund ansluten',
  'notify.kind.storage-trouble': 'Disk eller databas',
  'notify.kind.delivery-failing': 'Leverans misslyckas',
  'notify.kind.test': 'Test',

  'notify.heading.access-lost.revoked': '{name}: medgivandet har återkallats',
  'notify.text.access-lost.revoked':
    'Någon där har tagit bort appen i Entra. Inget nytt läses förrän deras administratör medger igen.',
  'notify.heading.access-lost.limited': '{name}: en behörighet saknas',
  'notify.text.access-lost.limited': 'En behörighet har tagits tillbaka. Ett nytt medgivande ger den igen.',
  'notify.heading.access-lost.unlicensed': '{name}: ingen Defender-licens längre',
  'notify.text.access-lost.unlicensed':
    'Microsoft har inga Defender-data för den här klientorganisationen. Läsningen fortsätter av sig själv när det finns en licens.',
  'notify.heading.access-lost.blocked': '{name}: blockerad av villkorsstyrd åtkomst',
  'notify.text.access-lost.blocked': 'En princip där blockerar appen. Deras administratör måste undanta den.',
  'notify.heading.access-lost.disabled': '{name}: appen har stängts av',
  'notify.text.access-lost.disabled': 'Appen har stängts av där i Entra. Deras administratör kan slå på den.',
  'notify.heading.access-lost.gone': '{name}: Microsoft känner inte till klientorganisationen',
  'notify.text.access-lost.gone':
    'Klientorganisationen har tagits bort eller flyttats. Fråga kunden vad som har hänt med den.',
  'notify.heading.tenant-blind': '{name}: ingen insyn',
  'notify.text.tenant-blind':
    'Det kan komma incidenter där som ingen här ser. Inget har kunnat läsas sedan tiden nedan.',
  'notify.heading.partner-fault.partner-credential': 'Microsoft godtar inte vår egen inloggningsuppgift',
  'notify.text.partner-fault.partner-credential':
    'Ingen klientorganisation kan läsas förrän appen har en uppgift som Microsoft godtar. Doctor visar vilken som nekas.',
  'notify.heading.partner-fault.partner-registration': 'Microsoft godtar inte vår egen appregistrering',
  'notify.text.partner-fault.partner-registration':
    'Ingen klientorganisation kan läsas förrän registreringen är rättad. Doctor visar vad som är fel med den.',
  'notify.heading.credential-ending':
    '{days, plural, =0 {{credential} har löpt ut} one {{credential} löper ut om # dag} other {{credential} löper ut om # dagar}}',
  'notify.text.credential-ending':
    'När den löper ut tappar vi insynen i alla klientorganisationer på en gång. Lägg till en andra bredvid; ingen omstart behövs när den första slutar gälla.',
  'notify.heading.credential-ending.refused': '{credential} godtas inte av Microsoft',
  'notify.text.credential-ending.refused':
    'Inget avbryts: den andra inloggningsuppgiften i samma registrering används. Tills den första har ersatts finns bara den.',
  'notify.heading.claim-waiting.unpinned': '{name}: en klientorganisation väntar på ditt beslut',
  'notify.text.claim-waiting.unpinned':
    'Ett medgivande kom för en klientorganisation som ni inte väntade er. Inget kopplas eller läses förrän du har bestämt.',
  'notify.heading.claim-waiting.unclaimed': 'Ett medgivande kom tillbaka som inte hör till någon',
  'notify.text.claim-waiting.unclaimed':
    'Det kom sent eller genom en länk som inte gäller längre. Inget kopplas eller läses förrän du har bestämt.',
  'notify.heading.consent-refused': '{name} tackade nej hos Microsoft',
  'notify.text.consent-refused':
    'Deras administratör tackade nej på Microsofts sida. Det som har medgetts tidigare fortsätter att fungera.',
  'notify.heading.customer-proven': '{name} är ansluten',
  'notify.text.customer-proven': 'Åtkomsten är bekräftad och incidenter läses.',
  'notify.heading.storage-trouble.disk': 'Disken är fylld till {percent} %',
  'notify.text.storage-trouble.disk':
    'När den är full kan inget sparas. Gör plats, eller förkorta tiden som uppgifter sparas.',
  'notify.heading.storage-trouble.database': 'Databasen har problem',
  'notify.text.storage-trouble.database': 'Den tar inte emot det som Muster måste spara. Loggen visar varför.',
  'notify.heading.delivery-failing.failing': 'Meddelanden till ”{destination}” kommer inte fram',
  'notify.text.delivery-failing.failing': 'Nya försök görs i tre dagar. Leveransloggen visar vad som kom tillbaka.',
  'notify.heading.delivery-failing.off': '”{destination}” har stängts av',
  'notify.text.delivery-failing.off':
    'Inget kunde levereras dit. Det som väntar hålls kvar: åtgärda felet, skicka ett test och skicka sedan om det som hålls kvar.',
  'notify.heading.test': 'Det här är ett test',
  'notify.text.test': 'Muster når fram hit. Inget har hänt och ingen behöver göra något.',

  'notify.over.access-lost': '{name} är ansluten igen',
  'notify.over.tenant-blind': '{name} läses igen',
  'notify.over.partner-fault': 'Vår egen app fungerar igen',
  'notify.over.credential-ending': '{credential} har förnyats',
  'notify.over.claim-waiting': '{name}: beslut har fattats om klientorganisationen',
  'notify.over.claim-waiting.unclaimed': 'Beslut har fattats om medgivandet som inte hörde till någon',
  'notify.over.storage-trouble': 'Disk och databas fungerar igen',
  'notify.over.delivery-failing': 'Meddelanden till ”{destination}” kommer fram igen',
  'notify.over.text':
    'Det varade i {span}. {times, plural, one {} other {Det kom och gick # gånger; du fick veta det en gång. }}Ingen behöver göra något.',

  'notify.name.tenant': 'En klientorganisation ({id})',
  'notify.name.customer': 'En kund ({id})',
  'notify.name.destination': 'en mottagare',
  'notify.credential.app-secret': 'Appens hemlighet',
  'notify.credential.app-certificate': 'Appens certifikat',
  'notify.credential.sign-in-secret': 'Inloggningsappens hemlighet',
  'notify.credential.sign-in-certificate': 'Inloggningsappens certifikat',
  'notify.credential.app-secret-2': 'Appens andra hemlighet',
  'notify.credential.app-certificate-2': 'Appens andra certifikat',
  'notify.credential.sign-in-secret-2': 'Inloggningsappens andra hemlighet',
  'notify.credential.sign-in-certificate-2': 'Inloggningsappens andra certifikat',

  'notify.row.who': 'Måste agera',
  'notify.row.tenant': 'Klientorganisation',
  'notify.row.since': 'Sedan',
  'notify.row.until': 'Slut',
  'notify.row.ends': 'Löper ut',
  'notify.row.microsoft': 'Microsoft säger',
  'notify.who.customer': 'Deras administratör',
  'notify.who.us': 'Vi',
  'notify.who.microsoft': 'Microsoft, eller ingen: nya försök görs automatiskt',
  'notify.who.nobody': 'Ingen',
  'notify.time': '{local} ({utc} UTC)',

  'notify.link': 'Öppna i Muster',
  'notify.why':
    'Skickat till ”{destination}” eftersom den tar emot larm av det här slaget. Du får veta det en gång, och igen när det är över.',
  'notify.why.owner': 'Skickat till dig eftersom du lade till mottagaren som inte kan nås.',
} as const
