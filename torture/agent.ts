// Preloaded into every portal process (and its threads): the simulator tells them apart by their User-Agent.
const { fetch } = globalThis
const agent = `muster/${process.env.TORTURE_NAME}`

globalThis.fetch = (input, init = {}) => {
  const headers = new Headers(init.headers)
  headers.set('user-agent', agent)
  return fetch(input, { ...init, headers })
}
