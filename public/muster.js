// Everything here quickens a page that already works without it. No inline handlers, no eval, no style attributes.
const root = document.documentElement
const { body } = document
root.classList.add('js')

// Times. Until the reader's zone is known they come in UTC; here they are told in the zone of this machine. Operators'
// pages remember the zone in a cookie; customers' pages set none.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
const locale = { en: 'en-GB', sv: 'sv-SE', 'zh-Hant': 'zh-TW' }[root.lang] ?? root.lang
const timeStyles = {
  clock: { hour: '2-digit', minute: '2-digit' },
  moment: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
  seconds: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' },
}
const tellTimes = (within) => {
  for (const element of within.querySelectorAll('time[data-utc]')) {
    const options = { ...timeStyles[element.dataset.utc], hourCycle: 'h23' }
    element.textContent = new Intl.DateTimeFormat(locale, options)
      .format(new Date(element.dateTime))
      .replace(/, (?=\d\d:)/, ' ')
    element.removeAttribute('data-utc')
  }
}
tellTimes(document)
if (zone && body.classList.contains('operator')) {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing from Safari and Firefox
  document.cookie = `tz=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === 'https:' ? '; Secure' : ''}`
}

// Theme: shown at once, and saved by the form itself without leaving the page.
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

// A field or a summary of faults that wants to be read first.
document.querySelector('[data-focus]')?.focus()

// Copying. The button says what became of it.
const tell = (button, text) => {
  const label = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())
  const before = label ? label.data : button.getAttribute('aria-label')
  const put = (words) => {
    if (label) label.data = words
    else button.setAttribute('aria-label', words)
  }
  put(text)
  setTimeout(() => put(before), 1600)
}
const copy = async (button, text) => {
  try {
    await navigator.clipboard.writeText(text)
    tell(button, body.dataset.copied)
  } catch {
    tell(button, body.dataset.copyByHand)
  }
}

const openKeys = () => document.getElementById('keys')?.showModal()

document.addEventListener('click', (event) => {
  const button = event.target.closest('button, a')
  if (!button) return
  if (button.dataset.copy) copy(button, document.getElementById(button.dataset.copy).value)
  else if (button.dataset.copyText) copy(button, button.dataset.copyText)
  else if ('copyCode' in button.dataset) copy(button, button.parentElement.querySelector('code').textContent)
  else if ('print' in button.dataset) print()
  else if ('keys' in button.dataset) {
    event.preventDefault()
    openKeys()
  }
})

// Somebody reads a customer's page: told once, at the first sign of a person. Scanners open links too, and run scripts.
const opening = document.querySelector('form[data-opening]')
if (opening) {
  const signs = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchstart']
  const told = new AbortController()
  const tellOpening = () => {
    told.abort()
    fetch(opening.action, { method: 'POST', body: new URLSearchParams(new FormData(opening)), keepalive: true }).catch(
      () => {},
    )
  }
  for (const sign of signs) addEventListener(sign, tellOpening, { passive: true, signal: told.signal })
}

// Menus made of <details> close on Escape and on a press elsewhere.
const openMenus = () => document.querySelectorAll('details.drop[open]')
document.addEventListener('pointerdown', (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false
})
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return
  for (const menu of openMenus()) {
    menu.open = false
    menu.querySelector('summary').focus()
  }
})

// Tabs: without this script every panel shows, one under the other.
const startTabs = (tabs) => {
  const list = [...tabs.querySelectorAll('[role="tab"]')]
  const pick = (chosen, focus) => {
    for (const tab of list) {
      const on = tab === chosen
      tab.setAttribute('aria-selected', String(on))
      tab.tabIndex = on ? 0 : -1
      document.getElementById(tab.getAttribute('aria-controls')).classList.toggle('js-hide', !on)
    }
    if (focus) chosen.focus()
  }
  tabs.addEventListener('click', (event) => {
    const tab = event.target.closest('[role="tab"]')
    if (tab) pick(tab)
  })
  tabs.addEventListener('keydown', (event) => {
    const at = list.indexOf(document.activeElement)
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (at < 0 || !step) return
    event.preventDefault()
    pick(list[(at + step + list.length) % list.length], true)
  })
  pick(list.find((tab) => tab.getAttribute('aria-selected') === 'true') ?? list[0])
}
for (const tabs of document.querySelectorAll('[data-tabs]')) startTabs(tabs)

// Lists worked by keyboard: rows carry data-row. Looked up anew each time, because live regions replace them.
const rows = () => [...document.querySelectorAll('[data-row]')]
const rowInHand = () => document.querySelector('[data-row][aria-current]')
const take = (row) => {
  if (!row) return
  rowInHand()?.removeAttribute('aria-current')
  row.setAttribute('aria-current', 'true')
  row.scrollIntoView({ block: 'nearest' })
}
const step = (by) => {
  const all = rows()
  const at = all.indexOf(rowInHand())
  take(all[at < 0 ? 0 : at + by])
}
const markPicked = (box) => box.closest('[data-row]')?.classList.toggle('picked', box.checked)
document.addEventListener('change', ({ target }) => {
  if (target.matches('[data-row] input[type="checkbox"]')) markPicked(target)
  if (!target.matches('[data-pick-all]')) return
  for (const row of rows()) {
    const box = row.querySelector('input[type="checkbox"]')
    if (!box) continue
    box.checked = target.checked
    markPicked(box)
  }
})

// Single keys: off in fields, with a modifier, and in an open dialog. One just closed keeps the focus until the next frame.
const places = { o: '/', i: '/incidents', c: '/customers', a: '/audit' }
const inField = 'input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open], [role=tablist]'
const actions = {
  j: () => step(1),
  k: () => step(-1),
  x: () => rowInHand()?.querySelector('input[type="checkbox"]')?.click(),
  f: () => document.querySelector('.filters input[type=search]')?.focus(),
  d: () => (rowInHand() ?? document).querySelector('a[data-defender]')?.click(),
  r: () => document.querySelector('button[data-read-now]')?.click(),
  '/': () => document.getElementById('q')?.focus(),
  '?': openKeys,
}
let going = false
if (body.classList.contains('operator')) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(inField)) return
    if (going) {
      going = false
      if (places[event.key]) location.assign(places[event.key])
      return
    }
    if (event.key === 'g') {
      going = true
      return
    }
    if (event.key === 'Enter' && (event.target === body || event.target.id === 'main')) {
      rowInHand()?.querySelector('a')?.click()
      return
    }
    if (!actions[event.key]) return
    event.preventDefault()
    actions[event.key]()
  })
}

// Live regions ([data-live], polled by htmx). They wait while nobody looks, while a menu in them is open, and while
// someone types in them; what a person opened, typed or ticked stays as it is.
const busy = (region) =>
  document.hidden ||
  region.querySelector('details.drop[open], dialog[open]') !== null ||
  (region.contains(document.activeElement) &&
    document.activeElement.matches('input:not([type=checkbox]), textarea, select'))

document.addEventListener('htmx:beforeRequest', (event) => {
  const region = event.detail.elt
  if ('live' in region.dataset && busy(region)) event.preventDefault()
})
document.addEventListener('htmx:afterSwap', () => tellTimes(document))

const touched = (field) =>
  field.matches('input[type=checkbox], input[type=radio]')
    ? field.checked !== field.defaultChecked
    : field.matches('input, textarea') && field.value !== field.defaultValue

if (window.Idiomorph) {
  window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => {
    if (name === 'open' && node.matches('details, dialog')) return false
    if (name === 'aria-current' && node.matches('[data-row]')) return false
    if ((name === 'checked' || name === 'value') && node.matches('input, textarea') && touched(node)) return false
    if (name === 'class' && node.matches('[data-row].picked')) return false
    return true
  }
}
