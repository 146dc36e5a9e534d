/** What the suites about disputes start from, on a test root contract: payments that no block need hold, and their disputes. */
import type { InputShown } from '../../l1/disputeCalls.ts'
import { encodeSettle } from '../../l1/rootCalls.ts'
import type { StartedDispute } from '../../l1/rootEvents.ts'
import type { Exit } from '../../protocol/exit.ts'
import type { SignedTransaction } from '../../protocol/transaction.ts'
import { deposited, startDispute } from '../support/disputeMoves.ts'
import { deposit, ETHER, passTo, submit } from '../support/moves.ts'
import { type Actor, actors } from '../support/rootChain.ts'
import type { World } from './rootSuite.ts'

const { alice, bob, carol } = actors

/** A payment of all that Alice has, and the waiting for its verdict. */
export function paymentScenes(world: World) {
  /** Alice's deposit, and a payment of it to Bob that no block holds. */
  async function inFlight(
    to: Actor = bob,
  ): Promise<{ position: number; signed: SignedTransaction; inputs: InputShown[] }> {
    const position = await deposit(world.chain, alice)
    const signed = await world.chain.pay(alice, position, [[to, ETHER]])
    return { position, signed, inputs: [deposited(alice)] }
  }

  async function dispute(): Promise<StartedDispute & { position: number; l1Block: number }> {
    const { position, signed, inputs } = await inFlight()
    return { position, ...(await startDispute(world.chain, signed, inputs)) }
  }

  return { inFlight, dispute, ...waitingOf(world) }
}

/** A payment that has two outputs to take out, and the settling of their exits. */
export function payoutScenes(world: World) {
  /** Alice's deposit, her payment of it to Bob (0.4) and back to her (0.6), disputed; in a block or in none. */
  async function dispute(options: { included?: boolean } = {}) {
    const { chain } = world
    const position = await deposit(chain, alice)
    const signed = await chain.pay(alice, position, [
      [bob, (ETHER * 4n) / 10n],
      [alice, (ETHER * 6n) / 10n],
    ])
    const block = options.included ? await submit(chain, [signed]) : undefined
    return { position, block, ...(await startDispute(chain, signed, [deposited(alice)])) }
  }

  const settle = (exits: readonly Exit[]) => world.chain.send(carol.account, encodeSettle(exits))
  return { dispute, settle, ...waitingOf(world) }
}

function waitingOf(world: World) {
  const afterE = (started: StartedDispute, seconds = 1) => passTo(world.chain, started.dispute.exitableAt + seconds)
  return { afterE }
}
