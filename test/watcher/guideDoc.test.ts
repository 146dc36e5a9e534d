/** docs/guide-watcher.md and docs/guide-operator.md name every metric, feed topic, budget and configuration key of budgets that there is, and no other. */
import { readFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createOperatorMetrics } from '../../operator/metrics.ts'
import { keyToFlag } from '../../service/config.ts'
import { WATCHER_CONFIG } from '../../watcher/config.ts'
import { courtOf } from '../../watcher/driver.ts'
import { FEED_TOPICS } from '../../watcher/feeds.ts'
import { addGauges } from '../../watcher/gauges.ts'
import { policyOf, readingsOf } from './court/world.ts'
import { carol } from './support/chain.ts'
import { createTestCore } from './support/core.ts'
import { createFakeL1 } from './support/l1.ts'

const test = suite('guides: metrics, topics, budgets')
const read = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')
const watcherGuide = read('guide-watcher')

/** What stands in the first column of the table with this head. */
function firstColumn(guide: string, head: string): string[] {
  const [, table = ''] = guide.split(`| ${head} |`)
  const rows = table.split('\n\n')[0]?.split('\n').slice(2) ?? []
  return rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name as string))
}

function createActing() {
  return createTestCore({
    l1: createFakeL1(),
    peers: [],
    overrides: {
      sender: carol.address,
      createCourt: courtOf({
        policy: policyOf({ sender: carol.address }),
        rootContract: `0x${'cc'.repeat(20)}`,
        readL1: async () => readingsOf(),
      }),
    },
  })
}

const namesOf = async (registry: Registry) => (await registry.getMetricsAsJSON()).map(({ name }) => name).sort()

test('every gauge of the watcher stands in its guide, and each has a value', async () => {
  const registry = new Registry()
  const core = createActing()
  await core.tick()
  addGauges(registry, core)
  assert.equal(firstColumn(watcherGuide, 'metric | what it says').sort(), await namesOf(registry))
  for (const { name, values } of await registry.getMetricsAsJSON()) assert.ok(values.length > 0, `${name} has no value`)
})

test('every metric of the operator stands in its guide', async () => {
  const registry = new Registry()
  const zero = () => 0
  const readings = {
    ...{ waiting: zero, sealed: zero, committed: zero, l1Block: zero, l1LagSeconds: zero },
    ...{ lastBlockAgeSeconds: zero, problems: zero, feedClients: zero },
  }
  createOperatorMetrics({ registry, observeRequest: () => undefined }, readings)
  assert.equal(firstColumn(read('guide-operator'), 'metric | what it says').sort(), await namesOf(registry))
})

test('every feed topic stands in the guide', () => {
  assert.equal(firstColumn(watcherGuide, 'feed topic | an event for').sort(), [...FEED_TOPICS].sort())
})

test('every budget stands in the guide, with the option that sets it', async () => {
  const core = createActing()
  const options = Object.keys(WATCHER_CONFIG.entries).filter((key) => key.endsWith('Budget'))
  const flags = options.map(keyToFlag)
  assert.equal(firstColumn(watcherGuide, 'option | `budget` | what it bounds | when left out').sort(), flags.sort())
  const budgets = core.court?.budgets?.().map(({ name }) => name) ?? []
  assert.is(budgets.length, flags.length)
  for (const name of budgets) assert.match(watcherGuide, `| \`--${name.replace(/s$/, '')}-budget\` | \`${name}\` |`)
})

test.run()
