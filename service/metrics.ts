/**
 * Prometheus metrics, one registry per program: several programs may share a process. A program adds its own with
 * `new Counter({ ..., registers: [registry] })`; names start with `lifeboat_` and end with their unit.
 */
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'

export type Metrics = Readonly<{
  registry: Registry
  /** One answered request; `route` is the pattern, never the path, so that strangers can't add time series. */
  observeRequest(route: string, status: number, seconds: number): void
}>

export function createMetrics(program: string): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ program })
  collectDefaultMetrics({ register: registry })
  const requests = new Histogram({
    name: 'lifeboat_http_request_seconds',
    help: 'Time to answer HTTP requests',
    labelNames: ['route', 'status'] as const,
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers: [registry],
  })
  return { registry, observeRequest: (route, status, seconds) => requests.observe({ route, status }, seconds) }
}
