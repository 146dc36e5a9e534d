/** The operator's own metrics (docs/architecture.md, "Metrics"), beside those of every program. */
import { Counter, Gauge, Histogram } from 'prom-client'
import type { Metrics } from '../service/metrics.ts'

export type OperatorMetrics = Readonly<{
  committed(accepted: number, rejected: number): void
  commitSeconds(seconds: number): void
}>

/** Read when somebody asks. */
export type Readings = Readonly<{
  waiting: () => number
  sealed: () => number
  committed: () => number
  l1Block: () => number
  /** Since the last good look at L1. */
  l1LagSeconds: () => number
  lastBlockAgeSeconds: () => number
  problems: () => number
  feedClients: () => number
}>

export function createOperatorMetrics({ registry }: Metrics, readings: Readings): OperatorMetrics {
  const registers = [registry]
  const transactions = new Counter({
    name: 'lifeboat_operator_transactions_total',
    help: 'Transactions judged, by result; replays count as accepted',
    labelNames: ['result'] as const,
    registers,
  })
  const commits = new Histogram({
    name: 'lifeboat_operator_commit_seconds',
    help: 'Time of one group commit, disk included',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
    registers,
  })
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `lifeboat_operator_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('waiting_transactions', 'Transactions between door and disk', readings.waiting)
  gauge('sealed_block', 'Newest block that is cut', readings.sealed)
  gauge('committed_block', 'Newest block on L1', readings.committed)
  gauge('l1_block', 'Newest L1 block seen', readings.l1Block)
  gauge('l1_lag_seconds', 'Time since the last good look at L1', readings.l1LagSeconds)
  gauge('last_block_age_seconds', 'Time since the last block was cut', readings.lastBlockAgeSeconds)
  gauge('problems', 'Problems that stand; see /v1/status', readings.problems)
  gauge('feed_clients', 'Clients of the live feed', readings.feedClients)
  return {
    committed: (accepted, rejected) => {
      transactions.inc({ result: 'accepted' }, accepted)
      transactions.inc({ result: 'rejected' }, rejected)
    },
    commitSeconds: (seconds) => commits.observe(seconds),
  }
}
