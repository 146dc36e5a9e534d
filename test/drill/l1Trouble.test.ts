/** Every step of the drills of a bad L1: reorgs of each kind at several depths, and blocks that are full. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { congestion } from '../../drill/scenarios/congestion.ts'
import { playReorgChain, reorgChain } from '../../drill/scenarios/reorgChain.ts'
import { playReorgData, reorgData } from '../../drill/scenarios/reorgData.ts'
import { playReorgDispute, reorgDispute } from '../../drill/scenarios/reorgDispute.ts'
import { playReorgExit, reorgExit } from '../../drill/scenarios/reorgExit.ts'
import { playReorgHalt, reorgHalt } from '../../drill/scenarios/reorgHalt.ts'
import { playReorgRemoval, reorgRemoval } from '../../drill/scenarios/reorgRemoval.ts'
import { assertReplaced, kindsFor, pass, reorgStory } from './reorgStories.ts'

const test = suite('drill: L1 trouble')

const PLAYS = [
  [reorgChain, playReorgChain, 2],
  [reorgExit, playReorgExit, 4],
  // The first is a block that has to be forgotten.
  [reorgHalt, playReorgHalt, 3],
  [reorgData, playReorgData, 2],
  [reorgDispute, playReorgDispute, 2],
  [reorgRemoval, playReorgRemoval, 3],
] as const

for (const [i, [scenario, play, steps]] of PLAYS.entries()) {
  const reorgs = kindsFor(steps, i % 2 === 0 ? 'forgotten' : 'reversed')
  test(`${scenario.name}: each step is taken again after a reorg as deep as finality, and everybody ends in the same state`, async () => {
    assertReplaced(await pass(reorgStory(scenario, play, reorgs), i + 1), reorgs)
  })
}

test('in full blocks an exit and a challenge outbid what fills them', async () => {
  const { findings } = await pass(congestion, 2)
  const tips = findings.flatMap(({ detail }) => /^(\w+) got in with a tip of \d+ wei/.exec(detail)?.[1] ?? [])
  assert.equal([...tips].sort(), ['EvidenceShown', 'ExitStarted'])
})

test.run()
