/** The line always moves on (docs/spec.md 5.5, 6.4.10): what is owed to nobody is freed, in whatever batch and place it waits. */
import {
  adoptExit,
  claim,
  depositAt,
  lockBatch,
  openEntry,
  outputAt,
  placeEntry,
  releaseEntry,
  spendAt,
  startBatch,
  strike,
  turnBatch,
} from '../support/batchMoves.ts'
import { release, settle } from '../support/haltMoves.ts'
import { deposit, ETHER, passTime, passTo, place, submit } from '../support/moves.ts'
import { actors, Reverted } from '../support/rootChain.ts'
import { isPaid, rootSuite } from './rootSuite.ts'

const { alice, bob, carol, mallory } = actors
const { test, world } = rootSuite('mass exits: the line moves on')

function ifRefused(error: unknown): void {
  if (!(error instanceof Reverted)) throw error
}

test('a spent output that was opened in the younger of two batches does not keep its share of the older one from those between', async () => {
  const { chain } = world
  const mep = chain.parameters.minExitPeriod
  const spent = await deposit(chain, mallory)
  const mine = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(mallory, spent, [[bob, ETHER]])])
  const poisoned = [{ position: spent, amount: ETHER }]
  const older = await startBatch(chain, poisoned, { from: mallory })
  const between = await startBatch(
    chain,
    [
      { position: mine, amount: ETHER },
      { position: place(block), amount: ETHER },
    ],
    { lastBlock: block },
  )
  await lockBatch(chain, older)
  await lockBatch(chain, between)
  await passTo(chain, block.header.timestamp + mep)
  const younger = await startBatch(chain, poisoned, { from: mallory })
  await lockBatch(chain, younger)
  const exit = await openEntry(chain, younger, 0, depositAt(mallory, ETHER))
  await strike(chain, younger, [spendAt(chain, block, 0, spent)], carol)
  await turnBatch(chain, younger, { exits: [older.item!, between.item!], blocks: [block] })
  await placeEntry(chain, younger, 0, exit)
  await passTime(chain, mep)
  await claim(chain, between, [[0, depositAt(alice, ETHER)]])
  // Whatever anybody can do, in any order.
  for (let round = 0; round < 2; round++) {
    await release(chain, exit, block).catch(ifRefused)
    await adoptExit(chain, older, [0, depositAt(mallory, ETHER), exit]).catch(ifRefused)
    await releaseEntry(chain, older, 0, depositAt(mallory, ETHER)).catch(ifRefused)
    await settle(chain, [exit]).catch(ifRefused)
  }
  await isPaid(chain, bob, () => claim(chain, between, [[1, outputAt(chain, block)]]))
})

test.run()
