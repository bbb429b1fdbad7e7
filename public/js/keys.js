import { rowInHand, step } from './rows.js'

const openKeys = () => document.getElementById('keys')?.showModal()

document.addEventListener('click', (event) => {
  if (!event.target.closest('[data-keys]')) return
  event.preventDefault()
  openKeys()
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
if (document.body.classList.contains('operator')) {
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
    if (event.key === 'Enter' && (event.target === document.body || event.target.id === 'main')) {
      rowInHand()?.querySelector('a')?.click()
      return
    }
    if (!actions[event.key]) return
    event.preventDefault()
    actions[event.key]()
  })
}
