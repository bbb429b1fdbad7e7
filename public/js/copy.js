// The button says what became of it.
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
    tell(button, document.body.dataset.copied)
  } catch {
    tell(button, document.body.dataset.copyByHand)
  }
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button, a')
  if (!button) return
  if (button.dataset.copy) copy(button, document.getElementById(button.dataset.copy).value)
  else if (button.dataset.copyText) copy(button, button.dataset.copyText)
  else if ('copyCode' in button.dataset) copy(button, button.parentElement.querySelector('code').textContent)
})
