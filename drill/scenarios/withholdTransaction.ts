/** One leaf of a large block is hidden: the operator answers demands of all ranges but the one that steals (docs/spec.md 8.6). */
import { MAX_CHALLENGE_LEVELS } from '../../protocol/dataChallenge.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { send } from '../acts.ts'
import { forgedSignature, type Ground } from '../faults/forgeries.ts'
import {
  assertHalted,
  commitFault,
  everybodyLeaves,
  nextBlock,
  prepareGround,
  takeOver,
  untilDemanded,
} from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'

/** Most leaves of one demand. */
const WIDTH = 2 ** MAX_CHALLENGE_LEVELS
/** Three demands. */
const LEAVES = 2 * WIDTH + 2

export const withholdTransaction: Scenario = {
  name: 'withhold-transaction',
  title: 'One transaction is hidden',
  story:
    'The operator hides one leaf that steals and reveals all others on L1; the demand that nobody answers ends the chain, and everybody leaves in full.',
  needs: [],
  owners: OWNERS,
  run: async (world, settled) => {
    const { hostile, parameters, random } = world
    const ground = { ...(await prepareGround(world)), block: nextBlock(world) }
    await takeOver(world)
    const at = WIDTH + random.below(WIDTH)
    const hidden = await commitFault(
      world,
      fillBlock(ground, at),
      `commits a block of ${LEAVES}, and hides leaf ${at} of it`,
    )
    await world.passTo(hidden.timestamp + parameters.dataChallengePeriod / 2)
    const demands = await untilDemanded(world, hidden, 3)
    for (const { challenge } of demands)
      if (at < challenge.first || challenge.first + WIDTH <= at)
        await send(world, world.operatorPerson, hostile.answerOf(hidden, [challenge]), 'surety')
    await world.passTo(Math.max(...demands.map(({ challenge }) => challenge.startedAt)) + parameters.dataResponsePeriod)
    await assertHalted(world, hidden, 'HALT-5')
    await everybodyLeaves(world, settled)
  },
}

/** The thief hands her own ether on and on; at one place she takes a victim's. */
function fillBlock(ground: Ground, at: number): SignedTransaction[] {
  const { hostile, thief, own, block } = ground
  let last = own.position
  return Array.from({ length: LEAVES }, (_, index) => {
    if (index === at) return forgedSignature.forge(ground)
    const signed = hostile.sign([thief.account], [last], [[thief, own.amount]])
    last = hostile.positionOf({ number: block }, index)
    return signed
  })
}
