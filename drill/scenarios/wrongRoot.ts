/** A root that no transactions have: nobody can ever reveal what stands under it (docs/spec.md 8.6). */
import { bytesToHex } from '../../protocol/bytes.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { assertHalted, everybodyLeaves, takeOver, untilUnanswered } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

export const wrongRoot: Scenario = {
  name: 'wrong-root',
  title: 'A root of nothing',
  story:
    'The operator commits a root that no block has; what it serves is no block, the demands stay unanswered, the chain ends before it, and everybody leaves in full.',
  needs: [],
  owners: OWNERS,
  run: async (world, settled) => {
    const { hostile, thief } = world
    await takeOver(world)
    world.fault('operator', 'commits a root that no transactions have, and serves something else')
    const other = hostile.sign([thief.account], [hostile.positionOf({ number: 1 })], [[thief, 1n]])
    const root = bytesToHex(keccak256Text(`no block at all ${world.seed}`))
    const wrong = await hostile.commit([other], { root })
    hostile.serve(wrong.number)
    await untilUnanswered(world, wrong)
    await assertHalted(world, wrong, 'HALT-5')
    await everybodyLeaves(world, settled)
  },
}
