/** Svenska: vad Microsofts inloggningstjänst sa till den som stod framför dess sida, och vad som kan göras. */
export const login = {
  'login.personal-account': 'Det var ett personligt konto',
  'login.personal-account.next':
    'Använd ditt arbetskonto. Om Microsoft fortsätter att välja det personliga kontot: försök igen i ett privat fönster.',
  'login.wrong-account': 'Kontot tillhör en annan organisation',
  'login.wrong-account.next':
    'Använd ett konto i den organisation som det gäller. Om Microsoft fortsätter att välja det andra kontot: försök igen i ett privat fönster.',
  'login.unknown-account': 'Microsoft känner inte till kontot här',
  'login.unknown-account.next':
    'Kontrollera adressen du loggade in med eller använd ett annat konto. Om den stämmer: fråga er administratör om kontot finns kvar.',
  'login.account-disabled': 'Kontot är inaktiverat',
  'login.account-disabled.next':
    'Använd ett annat konto. Bara en administratör i kontots organisation kan aktivera det igen.',
  'login.account-locked': 'Microsoft har låst kontot tills vidare',
  'login.account-locked.next':
    'Det har varit för många misslyckade inloggningar, eller ett nätverk som Microsoft inte litar på. Vänta en stund och försök igen. Om kontot förblir låst: fråga er administratör.',
  'login.account-risk': 'Microsoft ser en risk med kontot',
  'login.account-risk.next':
    'En administratör i kontots organisation måste granska det innan det kan användas. Använd ett annat konto så länge.',
  'login.wrong-password': 'Användarnamnet eller lösenordet stämde inte',
  'login.wrong-password.next': 'Försök igen. Om du har glömt lösenordet kan du återställa det hos Microsoft.',
  'login.password-expired': 'Lösenordet måste bytas',
  'login.password-expired.next': 'Byt det hos Microsoft och försök sedan igen.',
  'login.second-factor': 'Inloggningens andra steg saknas',
  'login.second-factor.next':
    'Microsoft vill ha ytterligare ett bevis på att det är du, till exempel en kod eller en app. Försök igen och slutför det steget. Om det inte går: fråga er administratör.',
  'login.unfinished': 'Inloggningen blev inte klar',
  'login.unfinished.next': 'Microsoft hade fler frågor. Försök igen och svara tills du är tillbaka här.',
  'login.session-over': 'Den här inloggningen har gått ut',
  'login.session-over.next': 'Den tog för lång tid, var redan använd eller avslutades av Microsoft. Börja om.',
  'login.declined': 'Inloggningen avbröts',
  'login.declined.next': 'Ingenting har ändrats. Försök igen när du vill.',
  'login.device': 'Den här enheten är inte tillåten här',
  'login.device.next':
    'Er organisation kräver en enhet som den hanterar eller har godkänt. Använd en sådan enhet eller fråga er administratör.',
  'login.policy': 'En princip för villkorsstyrd åtkomst stoppade inloggningen',
  'login.policy.next':
    'Fråga administratören i er organisation: inloggningsloggen i Entra visar vilken princip det var. En annan plats eller enhet kan vara tillåten.',
  'login.security-policy': 'En säkerhetsinställning i er organisation stoppade inloggningen',
  'login.security-policy.next': 'Fråga er administratör: inloggningsloggen i Entra visar vilken inställning det var.',
  'login.network': 'Ert nätverk tillåter inte inloggning i den här organisationen',
  'login.network.next':
    'Det släpper bara igenom organisationer på en lista. Använd ett annat nätverk eller be den som sköter det att lägga till organisationen.',
  'login.cross-tenant': 'Organisationerna släpper inte in varandras konton',
  'login.cross-tenant.next':
    'Deras inställningar för åtkomst mellan organisationer hindrar inloggningen. Använd ett konto i organisationen själv eller fråga dess administratör.',
  'login.federation': 'Er organisations egen inloggning svarade inte som den ska',
  'login.federation.next':
    'Microsoft överlåter din inloggning till den. Försök igen senare eller fråga er administratör.',
  'login.not-assigned': 'Ditt konto är inte tilldelat appen',
  'login.not-assigned.next':
    'En administratör i er organisation måste tilldela det i Entra: Företagsprogram, appen, Användare och grupper. Försök sedan igen.',
  'login.app-disabled': 'Appen är avstängd i den här organisationen',
  'login.app-disabled.next':
    'En administratör kan slå på den i Entra: Företagsprogram, appen, Egenskaper, ”Aktiverat för användare att logga in?” till Ja. Försök sedan igen.',
  'login.app-missing': 'Microsoft hittar inte appen',
  'login.app-missing.next':
    'Det är inte ditt fel. Den som driver portalen måste kontrollera appens ID och registrering: npm run doctor visar vad som skiljer.',
  'login.app-being-made': 'Microsoft håller fortfarande på att lägga till appen',
  'login.app-being-made.next':
    'Den lades till i organisationen för en liten stund sedan. Vänta några minuter och försök igen.',
  'login.consent-missing': 'Godkännandet finns inte ännu',
  'login.consent-missing.next':
    'Ingen administratör har gett det, eller så har det inte hunnit slå igenom hos Microsoft. Vänta några minuter och försök igen.',
  'login.admin-needed': 'En administratör måste tillåta det här',
  'login.admin-needed.next':
    'Ditt konto får inte godkänna för organisationen. Fråga en administratör eller använd ett sådant konto.',
  'login.resource-missing': 'En Microsoft-tjänst som behövs saknas',
  'login.resource-missing.next':
    'Organisationen har ingen licens för den eller har aldrig öppnat den. Fråga administratören och försök sedan igen.',
  'login.resource-disabled': 'En Microsoft-tjänst som behövs är avstängd',
  'login.resource-disabled.next':
    'En av organisationens prenumerationer har löpt ut, eller så har en administratör stängt av tjänsten. Försök igen när den är tillbaka.',
  'login.tenant-unknown': 'Microsoft känner inte till organisationen',
  'login.tenant-unknown.next':
    'Den är borttagen, eller så stämmer inte dess ID eller domän. Det går inte att ändra härifrån.',
  'login.tenant-unavailable': 'Microsoft har gjort organisationen otillgänglig',
  'login.tenant-unavailable.next':
    'Dess administratör måste kontakta Microsofts support. Försök igen när organisationen är tillbaka.',
  'login.tenant-inactive': 'Microsoft har blockerat organisationen för att den inte använts',
  'login.tenant-inactive.next':
    'Dess administratör kan be Microsoft att öppna den igen, men bara under en kort tid. Försök igen när den är öppen.',
  'login.other-cloud': 'Organisationen finns i ett annat av Microsofts moln',
  'login.other-cloud.next': 'Den går inte att nå härifrån. Hör av dig till den som skickade dig hit.',
  'login.credential': 'Microsoft godtar inte portalens egen hemlighet eller dess certifikat',
  'login.credential.next': 'Det är inte ditt fel. Den som driver portalen måste förnya hemligheten eller certifikatet.',
  'login.registration': 'Portalens app är inte inställd som Microsoft kräver',
  'login.registration.next':
    'Det är inte ditt fel. Den som driver portalen måste rätta appregistreringen: npm run doctor visar vad som skiljer.',
  'login.unavailable': 'Microsoft har problem med inloggningen just nu',
  'login.unavailable.next': 'Det är inget fel på ditt konto. Försök igen om några minuter.',
  'login.throttled': 'Microsoft ber oss att sakta ned',
  'login.throttled.next': 'Det var för många inloggningar på kort tid. Vänta några minuter och försök igen.',
} as const
