/**
 * A block that the watcher can't get: it takes its ward out and demands the leaves on L1, the operator answers there, and the ward is paid.
 * See matrix.ts for how to run all points.
 */
import { deposit, ETHER } from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'
import { runMatrix } from './matrix.ts'

const { alice, bob } = actors

runMatrix({
  file: 'withheld',
  options: { wards: [alice], limits: { graceSeconds: 6 } },
  sample: 3,
  least: { operator: { write: 8, send: 2 }, watcher: { write: 20, send: 3 } },
  async tell(run) {
    const { chain, byHand, facts } = run
    const [own] = [await byHand(() => deposit(chain, alice)), await byHand(() => deposit(chain, bob))]
    for (let depth = 0; depth < 4; depth++) await run.round()
    const [first] = await run.pay(await chain.pay(alice, own, [[alice, ETHER]]))
    await run.rest()
    run.shut(true)
    await run.pay(
      await chain.pay(alice, first!, [
        [alice, ETHER / 4n],
        [bob, (ETHER * 3n) / 4n],
      ]),
    )
    await run.until('the hidden block is on L1', () => facts().newestBlock() > facts().verifiedBlock())
    const hidden = facts().header(facts().newestBlock())!
    const open = () => facts().openExits()
    await run.until('the ward is taken out', () => open().length > 0)
    await run.passTo(hidden.timestamp + chain.parameters.dataChallengePeriod / 4)
    await run.until('its leaves are shown', () => facts().newestBlock() === facts().verifiedBlock())
    await run.rest()
    run.shut(false)
    await run.passTo(Math.max(...open().map(({ exit }) => exit.exitableAt)) + 1)
    await run.until('the exits are paid', () => open().length === 0)
  },
})
