import { tellTimes } from './times.js'

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
