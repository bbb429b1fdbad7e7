// Everything here quickens a page that already works without it. No inline handlers, no eval, no style attributes.
import './times.js'
import './theme.js'
import './copy.js'
import './opening.js'
import './menus.js'
import './tabs.js'
import './keys.js'
import './live.js'

document.documentElement.classList.add('js')

// A field or a summary of faults that wants to be read first.
document.querySelector('[data-focus]')?.focus()

document.addEventListener('click', (event) => {
  if (event.target.closest('[data-print]')) print()
})
