/**
 * The operator's key commits a forged block after its program has ended; the watcher proves it, the chain halts, the thief's exit is
 * removed, and the wards leave and are paid. See matrix.ts for how to run all points.
 */
import { deposit, ETHER, startExit, submit } from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'
import { runMatrix } from './matrix.ts'

const { alice, bob, mallory } = actors

runMatrix({
  file: 'forged',
  options: { wards: [alice, bob], policy: { publicService: true } },
  sample: 3,
  least: { operator: { write: 8, send: 1 }, watcher: { write: 20, send: 3 } },
  async tell(run) {
    const { chain, byHand, facts } = run
    const own = await byHand(() => deposit(chain, alice))
    const bait = await byHand(() => deposit(chain, bob))
    for (let depth = 0; depth < 4; depth++) await run.round()
    await run.pay(
      await chain.pay(alice, own, [
        [bob, ETHER / 4n],
        [alice, (ETHER * 3n) / 4n],
      ]),
    )
    await run.rest()
    await run.operator.retire()
    const forged = await byHand(async () => submit(chain, [await chain.pay(mallory, bait, [[mallory, ETHER]])]))
    run.serve(forged)
    const theft = await byHand(() => startExit(chain, mallory, [forged, 0, 0]))
    await run.until('the chain is halted', () => facts().halt().voidFrom === forged.number)
    await run.until('the wards leave', () => facts().openExits().length === 4)
    await run.rest()
    await run.passTo(theft.exitableAt + chain.parameters.minExitPeriod)
    await run.until('nobody waits', () => facts().openExits().length === 0)
  },
})
