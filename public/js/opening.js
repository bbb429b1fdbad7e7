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
