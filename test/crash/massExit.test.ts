/**
 * The chain turns unsafe and the watcher takes a crowd out together: it starts a mass exit, answers a demand, locks it, gives it its turn,
 * claims its entries, and gets its bond back. See matrix.ts for how to run all points.
 */
import { mnemonicToAccount } from 'viem/accounts'
import type { Address } from '../../protocol/bytes.ts'
import { batchDeadlines } from '../../protocol/massExit.ts'
import { deposit, ETHER } from '../support/moves.ts'
import { type Actor, actors } from '../support/rootChain.ts'
import { runMatrix } from './matrix.ts'

const { alice } = actors
const COUNT = 8
const EACH = ETHER / BigInt(COUNT)

const crowd: readonly Actor[] = Array.from({ length: COUNT }, (_, i) => {
  const account = mnemonicToAccount('test test test test test test test test test test test junk', {
    addressIndex: 50 + i,
  })
  return { account, address: account.address.toLowerCase() as Address }
})

runMatrix({
  file: 'massExit',
  options: { wards: crowd, limits: { graceSeconds: 6 }, policy: { batchBondBudgetWei: 1_000n * ETHER } },
  sample: 3,
  least: { operator: { write: 8, send: 1 }, watcher: { write: 20, send: 3 } },
  async tell(run) {
    const { chain, byHand, facts } = run
    const [own, other] = [await byHand(() => deposit(chain, alice)), await byHand(() => deposit(chain, alice))]
    for (let depth = 0; depth < 4; depth++) await run.round()
    await run.pay(
      await chain.pay(
        alice,
        own,
        crowd.map((owner) => [owner, EACH] as const),
      ),
    )
    await run.rest()
    run.shut(true)
    await run.pay(await chain.pay(alice, other, [[alice, ETHER]]))
    const started = await run.until('a mass exit starts', () => facts().batches()[0])
    const record = () => facts().batch(started.batchId)
    await run.passTo(batchDeadlines(started.batch.startedAt, chain.parameters.minExitPeriod).answer + 1)
    await run.until('it is locked', () => record()?.state === 'locked')
    await run.passTo(record()!.item!.exitableAt + 1)
    await run.until('all is claimed', () => record()?.uses.size === started.batch.count)
    await run.passTo(record()!.item!.exitableAt + chain.parameters.minExitPeriod + 2)
    await run.until('the bond comes back', () => record()?.state === 'closed')
    run.shut(false)
  },
})
