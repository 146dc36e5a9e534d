/** A drill on a node that is not ours. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Reorg } from '../../drill/faults/reorg.ts'
import { probeL1 } from '../../drill/l1.ts'
import { runScenario } from '../../drill/run.ts'
import { missingFor, OWNERS, type Scenario } from '../../drill/scenario.ts'
import { playReorgChain, reorgChain } from '../../drill/scenarios/reorgChain.ts'
import { findScenario, SCENARIOS } from '../../drill/scenarios.ts'
import { startAnvil } from '../support/anvil.ts'
import { assertPassed } from './assertPassed.ts'
import { faultsOf, reorgStory } from './reorgStories.ts'

const test = suite('drill: anvil')

test('a forged block on anvil ends as on the embedded L1; all can be played there', async () => {
  const anvil = await startAnvil(['--block-time', '1'])
  try {
    const probe = await probeL1(anvil.url)
    assert.equal(probe, { kind: 'anvil', chainId: 31_337, canTravel: true, canReorg: true })
    assert.equal(
      SCENARIOS.filter((one) => missingFor(one, probe).length > 0),
      [],
    )
    const scenario = findScenario('forge-signature')
    if (!scenario) throw new Error('no such scenario')
    const record = await runScenario(scenario, { seed: 4, url: anvil.url })
    assertPassed(record)
    assert.equal([record.l1.kind, record.l1.chainId], ['anvil', 31_337])
    assert.is(record.reproduce, `lifeboat drill run forge-signature --seed 4 --owners 3 --l1 ${anvil.url}`)
    const honest = record.balances.filter((one) => one.honest)
    assert.equal(
      honest.map(({ after }) => after),
      honest.map(({ owed }) => owed),
    )
  } finally {
    anvil.stop()
  }
})

test('what a reorg of anvil forgets, the programs send again', async () => {
  const anvil = await startAnvil(['--block-time', '1'])
  try {
    const reorgs: Reorg[] = [
      { depth: 3, branch: 'forgotten' },
      { depth: 8, branch: 'returned' },
    ]
    const record = await runScenario(reorgStory(reorgChain, playReorgChain, reorgs), { seed: 5, url: anvil.url })
    assertPassed(record)
    assert.is(record.l1.kind, 'anvil')
    assert.equal(faultsOf(record), reorgs)
  } finally {
    anvil.stop()
  }
})

test('neither the line that plays a drill again nor a failure tells the key of an endpoint', async () => {
  const anvil = await startAnvil(['--block-time', '1'])
  const url = `${anvil.url}/?key=secret`
  try {
    const broken: Scenario = {
      ...{ name: 'broken', title: 'Broken', story: 'It ends at once.', needs: [], owners: OWNERS },
      run: async () => {
        throw new Error(`HTTP request failed. URL: ${url}`)
      },
    }
    const { findings, reproduce, timeline } = await runScenario(broken, { seed: 4, url })
    const failure = findings.find(({ held }) => !held)?.detail ?? ''
    assert.match(failure, `URL: ${anvil.url}/...`)
    assert.is(reproduce, `lifeboat drill run broken --seed 4 --owners 3 --l1 ${anvil.url}/...`)
    assert.not.match(JSON.stringify([findings, timeline]), 'secret')
  } finally {
    anvil.stop()
  }
})

test.run()
