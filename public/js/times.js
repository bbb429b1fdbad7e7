// Times. Until the reader's zone is known they come in UTC; here they are told in the zone of this machine, and the next page
// knows it: by a cookie, for operators a year, else until the browser is closed; from a page that promises to set none until
// its visitor goes on, by the form that goes on.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
const { lang } = document.documentElement
const locale = { en: 'en-GB', sv: 'sv-SE', 'zh-Hant': 'zh-TW' }[lang] ?? lang
const timeStyles = {
  clock: { hour: '2-digit', minute: '2-digit' },
  moment: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
  seconds: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' },
}
export const tellTimes = (within) => {
  for (const element of within.querySelectorAll('time[data-utc]')) {
    const options = { ...timeStyles[element.dataset.utc], hourCycle: 'h23' }
    element.textContent = new Intl.DateTimeFormat(locale, options)
      .format(new Date(element.dateTime))
      .replace(/, (?=\d\d:)/, ' ')
    element.removeAttribute('data-utc')
  }
}
tellTimes(document)
for (const field of document.querySelectorAll('input[data-zone]')) {
  field.value = zone
  field.disabled = false
}
const zoneCookie = document.querySelector('meta[name=zone-cookie]')?.content
if (zone && zoneCookie) {
  const life = document.body.classList.contains('operator') ? '; Max-Age=31536000' : ''
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing from Safari and Firefox
  document.cookie = `${zoneCookie}=${zone}; Path=/${life}; SameSite=Lax${secure}`
}
