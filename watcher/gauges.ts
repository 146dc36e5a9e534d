/** The watcher's numbers for Prometheus: read from the facts whenever they are asked for, so that they cannot drift. */
import { Gauge, type Registry } from 'prom-client'
import type { Core } from './core.ts'

const SAFETY_LEVEL = { safe: 0, suspect: 1, unsafe: 2 } as const

export function addGauges(registry: Registry, { facts, alarm, exits, batches, disputes, reader, court }: Core): void {
  const simple = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  simple('lifeboat_watcher_verified_block', 'Newest verified child block', facts.verifiedBlock)
  simple('lifeboat_watcher_newest_block', 'Newest child block on L1', facts.newestBlock)
  simple('lifeboat_watcher_l1_block', 'Newest L1 block folded in', () => facts.l1Now().block)
  simple('lifeboat_watcher_l1_time_seconds', 'Timestamp of that L1 block', () => facts.l1Now().timestamp)
  simple('lifeboat_watcher_l1_fresh', '1 while the view of L1 is fresh', () => (reader.isFresh() ? 1 : 0))
  simple('lifeboat_watcher_safety', '0 safe, 1 suspect, 2 unsafe', () => SAFETY_LEVEL[facts.safety().status])
  const counted = (name: string, help: string, label: string, read: () => Readonly<Record<string, number>>) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        for (const [value, count] of Object.entries(read())) this.set({ [label]: value }, count)
      },
    })
  counted('lifeboat_watcher_exits', 'Exits by state', 'state', exits.counts)
  counted('lifeboat_watcher_mass_exits', 'Mass exits by state', 'state', batches.counts)
  counted('lifeboat_watcher_disputes', 'Disputes by state', 'state', disputes.counts)
  const budgets = (field: 'limitWei' | 'boundWei') => () =>
    Object.fromEntries((court?.budgets?.() ?? []).map((budget) => [budget.name, Number(budget[field])]))
  counted('lifeboat_watcher_budget_wei', 'Most that may be bound in bonds, wei', 'budget', budgets('limitWei'))
  counted('lifeboat_watcher_bound_wei', 'Bound in bonds of that budget now, wei', 'budget', budgets('boundWei'))
  counted('lifeboat_watcher_alerts', 'Standing alerts that nobody acknowledged', 'severity', alarm.openCounts)
}
