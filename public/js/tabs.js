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
