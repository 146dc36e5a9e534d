/** The operator signs one place for two payments (docs/spec.md 8.8). */
import type { Hash } from '../../protocol/bytes.ts'
import { handIn } from '../faults/receipts.ts'
import { allTell, assertLive, nextBlock, prepareGround, takeOver } from '../plays.ts'
import { OWNERS, type Scenario } from '../scenario.ts'
import { until } from '../until.ts'

export const brokenReceipt: Scenario = {
  name: 'equivocate',
  title: 'Two receipts for one place',
  story:
    'The operator acknowledges a payment by a signed receipt and commits another one in its place; a watcher breaks the receipt on L1, the operator pays with its bond, and nobody else lost anything.',
  needs: [],
  owners: OWNERS,
  run: async (world) => {
    const { hostile, thief, recorder, l1, watchers } = world
    const { own } = await prepareGround(world)
    await takeOver(world)
    const block = nextBlock(world)
    const promised = hostile.sign([thief.account], [own.position], [[world.helper, own.amount]])
    const other = hostile.sign([thief.account], [own.position], [[thief, own.amount]])
    const newest = (await l1.request('eth_getBlockByNumber', ['latest', false])) as { number: string; hash: Hash }
    const anchored = { number: Number(newest.number), hash: newest.hash }
    const receipt = hostile.promise({
      txHash: hostile.hashOf(promised),
      blockNumber: block,
      index: 0,
      anchor: anchored.number,
      anchorHash: anchored.hash,
    })
    world.fault('operator', `signs a place in block ${block} to one payment, and commits another there`)
    for (const watcher of watchers) await handIn(watcher, [receipt])
    const committed = await hostile.commit([other], { anchored })
    hostile.serve(committed.number)
    await allTell(world, 'RECEIPT_BROKEN')
    const slashed = await until(
      'the slash',
      async () => {
        await recorder.pull()
        return recorder.events().find(({ type }) => type === 'BondSlashed')
      },
      world.timeoutMs,
    )
    const taken = slashed.type === 'BondSlashed' ? slashed.taken : 0n
    world.find('BOND-2', taken > 0n, `the operator lost ${taken} wei of its bond by its own receipt`)
    assertLive(world)
  },
}
