import { rowInHand, step } from './rows.js'

// The help lists what finds something to do on this page.
const openKeys = () => {
  const help = document.getElementById('keys')
  if (!help) return
  for (const line of help.querySelectorAll('[data-key]')) {
    const find = targets[line.dataset.key]
    line.hidden = find !== undefined && !find()
  }
  help.showModal()
}

document.addEventListener('click', (event) => {
  if (!event.target.closest('[data-keys]')) return
  event.preventDefault()
  openKeys()
})

// Single keys: off in fields, with a modifier, and in an open dialog. One just closed keeps the focus until the next frame.
const inField = 'input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open], [role=tablist]'
const anyRow = () => document.querySelector('[data-row]')
const targets = {
  j: anyRow,
  Enter: anyRow,
  x: () => document.querySelector('[data-row] input[type="checkbox"]'),
  f: () => document.querySelector('.filters input[type=search]'),
  d: () => (rowInHand() ?? document).querySelector('a[data-defender]'),
  r: () => document.querySelector('button[data-read-now]'),
  '/': () => document.getElementById('q'),
}
const actions = {
  j: () => step(1),
  k: () => step(-1),
  x: () => rowInHand()?.querySelector('input[type="checkbox"]')?.click(),
  f: () => targets.f()?.focus(),
  d: () => targets.d()?.click(),
  r: () => targets.r()?.click(),
  '/': () => targets['/']()?.focus(),
  '?': openKeys,
}
// The side bar holds the places that this person may go to.
const go = (key) => [...document.querySelectorAll('a[data-go]')].find((link) => link.dataset.go === key)?.click()
let going = false
if (document.body.classList.contains('operator')) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(inField)) return
    if (going) {
      going = false
      go(event.key)
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
