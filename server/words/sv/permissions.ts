/** Swedish: what each permission lets the partner do. */
export const permissions = {
  'join.ask.readAlerts': 'Läsa era säkerhetsaviseringar',
  'join.ask.readAlerts.why':
    'Aviseringar är det som en incident består av: vad som upptäcktes och var, och de användare, enheter, adresser och filer som nämns.',
  'join.ask.writeAlerts': 'Läsa era säkerhetsaviseringar och uppdatera dem',
  'join.ask.writeAlerts.why':
    'Så att våra analytiker kan anteckna vem som arbetar med en avisering, hur den slutade och varför.',
  'join.ask.readDetections': 'Läsa era egna identifieringsregler',
  'join.ask.readDetections.why': 'För att se vad era egna regler i Defender söker efter och vad de har gett.',
  'join.ask.writeDetections': 'Skriva identifieringsregler i er Defender',
  'join.ask.writeDetections.why':
    'Så att våra analytiker kan låta Defender söka efter sådant som det inte hittar självt. En sådan regel kan också ingripa: isolera en dator eller inaktivera ett konto.',
  'join.ask.readOrganisations': 'Slå upp andra organisationers namn och domäner hos Microsoft',
  'join.ask.readOrganisations.why': 'För att visa vad en organisation heter. Ingenting läses hos er.',
  'join.ask.readApps': 'Läsa vilka appar som är registrerade hos er',
  'join.ask.readApps.why':
    'För att se appar och deras behörigheter, till exempel en som en angripare har lagt till. Ingen av dem ändras.',
  'join.ask.readDirectory': 'Läsa er katalog: personer, grupper, enheter och roller',
  'join.ask.readDirectory.why': 'För att veta vem och vad en incident gäller. Ingenting ändras där.',
  'join.ask.ownProfile': 'Läsa profilen för den som godkänner',
  'join.ask.ownProfile.why': 'För att veta vem som kom tillbaka från Microsoft.',
  'join.ask.other': 'En behörighet som den här sidan inte kan beskriva',
  'join.ask.other.why': 'Microsofts sida beskriver det. Fråga oss vad vi behöver det till innan du godkänner.',
  'join.asks.more':
    'Microsofts sida räknar upp allt som begärs. Om den visar mer än vad som står här: fråga oss innan du godkänner.',
  'join.title.work': '{partner} ber om att få arbeta med säkerhetsincidenterna i er Microsoft 365-miljö',
  'join.next.accept.more': 'Microsoft visar alla behörigheter. Du väljer <b>Acceptera</b> eller avbryter.',
} as const
