// Exit code 0 when the portal of this container may get traffic; of a worker, which has no port, when its metrics answer.
const port = process.env.ROLE === 'worker' ? process.env.METRICS_PORT : (process.env.PORT ?? '3000')
const path = process.env.ROLE === 'worker' ? '/metrics' : '/readyz'
const answer = port
  ? await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(4_000) }).catch(() => null)
  : { ok: true }
process.exit(answer?.ok ? 0 : 1)
