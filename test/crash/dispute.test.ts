/**
 * Two disputes: of a payment that never came because its input was spent elsewhere, and of one that is in a block, against which a rival is
 * shown. The watcher shows the competitor of the first and the place of the second, and both are decided. See matrix.ts for how to run all points.
 */
import { deposited, showCompetitor, startDispute } from '../support/disputeMoves.ts'
import { deposit, ETHER } from '../support/moves.ts'
import { actors } from '../support/rootChain.ts'
import { runMatrix } from './matrix.ts'

const { alice, bob, dave, mallory } = actors

runMatrix({
  file: 'dispute',
  options: { wards: [bob], policy: { publicService: true } },
  sample: 3,
  least: { operator: { write: 8, send: 1 }, watcher: { write: 20, send: 3 } },
  async tell(run) {
    const { chain, byHand, facts } = run
    const [hers, his] = [await byHand(() => deposit(chain, mallory)), await byHand(() => deposit(chain, alice))]
    for (let depth = 0; depth < 4; depth++) await run.round()
    const included = await chain.pay(alice, his, [[bob, ETHER]])
    await run.pay(await chain.pay(mallory, hers, [[bob, ETHER]]), included)
    await run.rest()
    const never = await chain.pay(mallory, hers, [[dave, ETHER]])
    const lie = await byHand(() => startDispute(chain, never, [deposited(mallory)], { from: dave }))
    const truth = await byHand(() => startDispute(chain, included, [deposited(alice)], { from: bob }))
    const rival = await chain.pay(alice, his, [[mallory, ETHER]])
    await byHand(() => showCompetitor(chain, truth, rival, { from: mallory }))
    const of = ({ dispute }: typeof lie) => facts().disputeFacts(dispute.txHash)
    await run.until('the competitor is shown', () => (of(lie)?.competitors.length ?? 0) > 0)
    await run.until('its rival is answered', () => (of(truth)?.answers.length ?? 0) > 0)
    await run.rest()
    await run.passTo(Math.max(lie.startedAt, truth.startedAt) + chain.parameters.minExitPeriod)
    await run.until('both are decided', () => of(lie)?.state === 'not-canonical' && of(truth)?.state === 'canonical')
  },
})
