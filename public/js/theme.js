// Shown at once, and saved by the form itself without leaving the page.
const root = document.documentElement
const showTheme = (value) => {
  if (value === 'auto') delete root.dataset.theme
  else root.dataset.theme = value
  for (const button of document.querySelectorAll('[data-theme-form] button')) {
    button.setAttribute('aria-pressed', String(button.value === value))
  }
}
document.addEventListener('submit', (event) => {
  const form = event.target
  if (!('themeForm' in form.dataset) || !event.submitter) return
  event.preventDefault()
  const before = root.dataset.theme ?? 'auto'
  showTheme(event.submitter.value)
  fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form, event.submitter)) })
    .then((answer) => answer.ok || showTheme(before))
    .catch(() => showTheme(before))
})
