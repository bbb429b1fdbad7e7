/** Svenska: varför Microsoft sade nej, vem som måste agera och vad som ska göras. */
export const refusals = {
  'refusal.not-consented': 'Kundens administratör har inte gett sitt godkännande, eller har återkallat det.',
  'refusal.not-consented.next':
    'Skicka en godkännandelänk till kunden. Direkt efter ett godkännande: vänta några minuter, det tar tid hos Microsoft.',
  'refusal.not-consented.lost':
    'Godkännandet fanns och är borta: någon i kundens klientorganisation har tagit bort appen eller dess behörighet.',
  'refusal.not-consented.lost.next':
    'Skicka en ny godkännandelänk. Bara en av kundens administratörer kan ge tillbaka åtkomsten.',
  'refusal.role-missing': 'Kundens administratör har gett sitt godkännande, men behörigheten finns inte med i det.',
  'refusal.role-missing.next':
    'Vänta några minuter om godkännandet är nytt. Skicka annars länken igen, till en administratör som får godkänna.',
  'refusal.role-missing.lost':
    'Behörigheten fanns och är borta: någon i kundens klientorganisation har tagit den från appen.',
  'refusal.role-missing.lost.next':
    'Skicka en ny godkännandelänk. Med ett nytt godkännande kommer behörigheten tillbaka.',
  'refusal.app-disabled': 'Kundens administratör har inaktiverat appen i sin klientorganisation.',
  'refusal.app-disabled.next':
    'Be dem sätta ”Aktiverat för användare att logga in?” till Ja under Företagsprogram i Entra.',
  'refusal.unlicensed':
    'Kundens klientorganisation saknar Microsoft Defender XDR, så det finns inget att godkänna eller läsa.',
  'refusal.unlicensed.next':
    'Be kunden skaffa en Defender-licens och logga in på security.microsoft.com en gång med ett konto som har den.',
  'refusal.not-set-up': 'Microsoft Defender XDR är inte i gång i kundens klientorganisation; det måste kunden ordna.',
  'refusal.not-set-up.next':
    'Godkännandet finns och består. Be kunden logga in på security.microsoft.com med ett konto som har en Defender-licens och öppna Incidenter en gång; då kommer tjänsten i gång. Muster upptäcker det automatiskt.',
  'refusal.data-unavailable':
    'Behörigheten är given men Defender lämnar inga data; kunden behöver kontrollera licens och registrering.',
  'refusal.data-unavailable.next':
    'Be kunden öppna security.microsoft.com och se om incidenter visas. Muster fortsätter att försöka.',
  'refusal.blocked-by-policy': 'En princip för villkorsstyrd åtkomst i kundens klientorganisation stoppar appen.',
  'refusal.blocked-by-policy.next':
    'Be kundens administratör att släppa igenom appen i principen för arbetsbelastningsidentiteter.',
  'refusal.tenant-gone':
    'Microsoft känner inte till någon klientorganisation med detta ID; den är borttagen eller så är ID:t fel.',
  'refusal.tenant-gone.next': 'Be kunden om klientorganisationens ID och skicka en ny länk för det.',
  'refusal.tenant-unavailable':
    'Microsoft har gjort kundens klientorganisation otillgänglig; kunden eller Microsoft måste agera.',
  'refusal.tenant-unavailable.next':
    'Fråga kundens administratör om klientorganisationen finns kvar, och be hen kontakta Microsofts support. Muster försöker igen, allt mer sällan.',
  'refusal.other-cloud': 'Klientorganisationen finns i ett annat av Microsofts moln; partnern måste köra Muster där.',
  'refusal.other-cloud.next': 'Ställ in inloggnings- och API-adresserna för det molnet, i en egen portal.',
  'refusal.partner-credential':
    'Microsoft godtar inte partnerns hemlighet eller certifikat; partnern måste förnya det.',
  'refusal.partner-credential.next':
    'Skapa ett nytt i Entra, ange det i miljön och starta om. Kundernas godkännanden finns kvar som de är.',
  'refusal.partner-registration':
    'Partnerns appregistrering är inte inställd så som Muster behöver; partnern måste rätta den.',
  'refusal.partner-registration.next': 'Öppna Doctor, eller kör npm run doctor: där står vad som skiljer.',
  'refusal.throttled': 'Microsoft bad Muster att sakta ned för denna klientorganisation; ingen behöver göra något.',
  'refusal.throttled.next': 'Vänta. Muster fortsätter av sig självt när tiden är ute, och inget går förlorat.',
  'refusal.unavailable': 'Microsoft svarade inte, eller svarade att det är fel hos dem; Microsoft måste agera.',
  'refusal.unavailable.next': 'Vänta: Muster fortsätter att försöka. Om det dröjer, se status.cloud.microsoft.',
  'refusal.unavailable.network':
    'Den här maskinen når inte Microsoft: inget nätverk, ingen DNS eller en brandvägg emellan. Det är ert att åtgärda.',
  'refusal.unavailable.network.next':
    'Låt maskinen nå inloggningsvärden och API:et på port 443, eller ange dess proxy i HTTPS_PROXY. Muster fortsätter att försöka.',
  'refusal.unavailable.proxy-away': 'Proxyn i HTTPS_PROXY svarar inte, så inget når Microsoft.',
  'refusal.unavailable.proxy-away.next': 'Kontrollera dess adress och att den är igång. Muster fortsätter att försöka.',
  'refusal.unavailable.proxy-refuses': 'Proxyn i HTTPS_PROXY släpper inte igenom Muster till Microsoft.',
  'refusal.unavailable.proxy-refuses.next':
    'Tillåt CONNECT till inloggningsvärden och API:et på port 443. Muster fortsätter att försöka.',
  'refusal.unavailable.proxy-asks':
    'Proxyn i HTTPS_PROXY frågar vem Muster är, eller känner inte till det namnet och lösenordet.',
  'refusal.unavailable.proxy-asks.next': 'Skriv HTTPS_PROXY=http://användare:lösenord@värd:port och starta om.',
  'refusal.unavailable.inspected':
    'Det som svarar i Microsofts ställe visar ett certifikat som maskinen inte känner till: något emellan öppnar TLS.',
  'refusal.unavailable.inspected.next':
    'Undanta Microsofts värdar från inspektionen, eller ange dess CA i NODE_EXTRA_CA_CERTS, och starta om.',
  'refusal.unexpected-answer': 'Microsoft svarade med något som Muster inte förstår; inget av det sparades.',
  'refusal.unexpected-answer.next': 'Försök igen. Om det kvarstår, ge Microsoft korrelations-ID:t och tidpunkten.',
  'refusal.wrong-tenant-token':
    'Microsoft svarade för en annan klientorganisation än den som efterfrågades; inget sparades.',
  'refusal.wrong-tenant-token.next':
    'Gå inte vidare med denna klientorganisation. Ge Microsoft korrelations-ID:t och tidpunkten.',
  'refusal.unauthorized': 'Defender godtar inte den token som Microsoft har utfärdat, inte ens en ny.',
  'refusal.unauthorized.next':
    'Kontrollera att API-adressen och inloggningsadressen hör till samma moln. Om de gör det måste Microsoft agera.',
  'refusal.sign-in-invalid': 'Det gick inte att visa att inloggningen är din, så ingen loggades in.',
  'refusal.sign-in-invalid.next': 'Logga in igen från början, i den här webbläsaren.',
  'refusal.interaction-required': 'Microsoft behöver fråga dig något innan du är inloggad.',
  'refusal.interaction-required.next': 'Logga in med Microsofts sida öppen och svara på det den frågar.',
  'refusal.account-refused': 'Microsoft godtog inte kontot som loggade in.',
  'refusal.account-refused.next': 'Logga in med ett annat konto, eller fråga administratören i kontots organisation.',
} as const
