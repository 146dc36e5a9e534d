/**
 * Payments, a theft that has to be challenged, and an honest exit that the watcher gives its turn. See matrix.ts for how to run all points.
 */

import { deposit, ETHER, startDepositExit, startExit } from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'
import { runMatrix } from './matrix.ts'
import { blockOf } from './moves.ts'

const { alice, bob, mallory } = actors

runMatrix({
  file: 'theft',
  options: { wards: [bob] },
  sample: 3,
  least: { operator: { write: 8, send: 1 }, watcher: { write: 20, send: 2 } },
  async tell(run) {
    const { chain, byHand } = run
    const own = await byHand(() => deposit(chain, alice))
    const stolen = await byHand(() => deposit(chain, mallory))
    for (let depth = 0; depth < 4; depth++) await run.round()
    const [paid] = await run.pay(
      await chain.pay(alice, own, [
        [bob, ETHER / 4n],
        [alice, (ETHER * 3n) / 4n],
      ]),
    )
    await run.pay(await chain.pay(mallory, stolen, [[bob, ETHER]]))
    await run.rest()
    const theft = await byHand(() => startDepositExit(chain, mallory, stolen))
    const block = await blockOf(run, paid!)
    const honest = await byHand(() => startExit(chain, bob, [block, block.at(paid!), 0]))
    await run.until('the theft is challenged', () => (run.facts().exitFacts(theft.outputId)?.evidence.length ?? 0) > 0)
    await run.rest()
    await run.passTo(Math.max(theft.exitableAt, honest.exitableAt) + 1)
    await run.until('the honest exit is paid', () => run.facts().exitFacts(honest.outputId)?.state === 'settled')
  },
})
