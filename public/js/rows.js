// Lists worked by keyboard: rows carry data-row. Looked up anew each time, because live regions replace them.
const rows = () => [...document.querySelectorAll('[data-row]')]
export const rowInHand = () => document.querySelector('[data-row][aria-current]')
const take = (row) => {
  if (!row) return
  rowInHand()?.removeAttribute('aria-current')
  row.setAttribute('aria-current', 'true')
  row.scrollIntoView({ block: 'nearest' })
}
export const step = (by) => {
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
