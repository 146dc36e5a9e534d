/**
 * L1 takes back a submission of the operator, and later the watcher's evidence against a theft: both send again, and nothing is sent that
 * costs money twice. See matrix.ts for how to run all points.
 */
import { deposit, ETHER, startDepositExit } from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'
import { runMatrix } from './matrix.ts'

const { bob, mallory } = actors

runMatrix({
  file: 'reorg',
  parameters: { finalityBlocks: 6 },
  sample: 3,
  least: { operator: { write: 8, send: 2 }, watcher: { write: 20, send: 2 } },
  async tell(run) {
    const { chain, byHand, facts } = run
    const stolen = await byHand(() => deposit(chain, mallory))
    for (let depth = 0; depth < 8; depth++) await run.round()
    await run.pay(await chain.pay(mallory, stolen, [[bob, ETHER]]))
    await run.until('the block is on L1', () => facts().newestBlock() === 1)
    await run.reorg(2)
    await run.until('L1 has taken it back', () => facts().newestBlock() === 0)
    await run.until('the watcher tells', () => run.alerts().some(({ code }) => code === 'L1_REORG_DEEP'))
    await run.until('it is there again', () => facts().newestBlock() === 1)
    await run.rest()
    const theft = await byHand(() => startDepositExit(chain, mallory, stolen))
    const evidence = () => facts().exitFacts(theft.outputId)?.evidence.length
    await run.until('the theft is challenged', () => evidence() === 1)
    await run.reorg(1)
    await run.until('the theft is challenged again', () => evidence() === 1)
    await run.rest()
  },
})
