import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client'

/** What this thread counts of itself. Labels carry no tenant: a thousand of them would be a thousand series. */
const registry = new Registry()

const registers = [registry]

export const syncRuns = new Counter({
  name: 'muster_sync_runs_total',
  help: 'Sync runs that ended, by kind and outcome.',
  labelNames: ['kind', 'outcome'] as const,
  registers,
})
export const syncRunSeconds = new Histogram({
  name: 'muster_sync_run_seconds',
  help: 'How long sync runs took.',
  labelNames: ['kind'] as const,
  buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300],
  registers,
})
export const microsoftCalls = new Counter({
  name: 'muster_microsoft_calls_total',
  help: 'Requests to Microsoft, by API and status; none where no answer came.',
  labelNames: ['api', 'status'] as const,
  registers,
})
export const microsoftInFlight = new Gauge({
  name: 'muster_microsoft_requests_in_flight',
  help: 'Requests to Microsoft whose answers have not ended; each has a connection.',
  registers,
})
export const incidentsStored = new Counter({
  name: 'muster_incidents_stored_total',
  help: 'Incidents that were added or changed.',
  labelNames: ['change'] as const,
  registers,
})
export const incidentsRemoved = new Counter({
  name: 'muster_incidents_removed_total',
  help: 'Incidents that were removed because they had been kept long enough.',
  labelNames: ['reason'] as const,
  registers,
})
/** Threads that look at the same database see the same. */
const aggregator = 'max'
export const blindTenants = new Gauge({
  name: 'muster_blind_tenants',
  help: 'Tenants that are not being read and should be.',
  aggregator,
  registers,
})
export const oldestReadSeconds = new Gauge({
  name: 'muster_oldest_read_seconds',
  help: 'Seconds since the active tenant read longest ago was read.',
  aggregator,
  registers,
})
export const dueTenants = new Gauge({
  name: 'muster_due_tenants',
  help: 'Tenants that are due and that nobody has taken up.',
  labelNames: ['work'] as const,
  aggregator,
  registers,
})
export const tenantsInFlight = new Gauge({
  name: 'muster_tenants_in_flight',
  help: 'Tenants being worked on by this process.',
  labelNames: ['work'] as const,
  registers,
})

export const incidentsToReadAgain = new Gauge({
  name: 'muster_incidents_to_read_again',
  help: 'Stored incidents that an older version read and that are still to be read again from what Microsoft sent.',
  aggregator,
  registers,
})

export const writable = new Gauge({
  name: 'muster_writable',
  help: '1 while something can be stored, 0 while the disk is full or the database takes no writes.',
  registers,
})

/** A gauge without labels is born as 0, and none blind is more than anybody knows yet. */
export function forgetFleet(): void {
  blindTenants.remove()
  oldestReadSeconds.remove()
  dueTenants.reset()
  incidentsToReadAgain.remove()
}
forgetFleet()

/** What is the whole process's, and would be counted twice if each of its threads told it. */
const ofTheProcess = /^muster_(process_|nodejs_version_info)/

/** Memory, CPU, event loop and garbage collection. Once in each thread; what they share is told by `main` alone. */
export function countProcess(thread: 'main' | 'worker'): void {
  if (registry.getSingleMetric('muster_nodejs_eventloop_lag_seconds')) return
  collectDefaultMetrics({ register: registry, prefix: 'muster_', labels: { thread } })
  if (thread === 'main') return
  for (const { name } of registry.getMetricsAsArray()) {
    if (ofTheProcess.test(name)) registry.removeSingleMetric(name)
  }
}

/** What one thread counted, as it can be sent to another. */
export type Counted = MetricObjectWithValues<MetricValue<string>>[]

export const counted = (): Promise<Counted> => registry.getMetricsAsJSON()

/** All that these threads counted, in Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export async function metricsText(threads: readonly Counted[]): Promise<string> {
  return underOldNames(await AggregatorRegistry.aggregate([...threads]).metrics())
}

/** Names of version 0.1 that rules and dashboards may still ask for. They go with version 0.3. */
const oldNames: ReadonlyMap<string, string> = new Map([
  ['muster_sync_runs_total', 'muster_passes_total'],
  ['muster_sync_run_seconds', 'muster_pass_seconds'],
  ['muster_due_tenants', 'muster_queue_depth'],
])

/** Repeats each renamed metric under its old name; blocks of the text format begin with `# HELP name`. */
function underOldNames(text: string): string {
  const blocks = text.split(/^(?=# HELP )/m)
  const old = blocks.flatMap((block) => {
    const name = /^# HELP (\S+)/.exec(block)?.[1] ?? ''
    const oldName = oldNames.get(name)
    if (oldName === undefined) return []
    const renamed = block.replaceAll(new RegExp(`^(# HELP |# TYPE |)${name}`, 'gm'), `$1${oldName}`)
    return [`${renamed.replace(/^(# HELP \S+ ).*/, `$1Deprecated: ${name}.`).trimEnd()}\n`]
  })
  return old.length === 0 ? text : `${text.trimEnd()}\n${old.join('')}`
}

export const metricsContentType: string = Registry.PROMETHEUS_CONTENT_TYPE
